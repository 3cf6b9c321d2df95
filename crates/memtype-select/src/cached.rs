//! A selector that remembers its answers.
//!
//! Basic design: a program asks few different questions, if the size is left out: it matters only
//! where it passes the heap of a type that would do. So the answer to a question without its size
//! is kept, with the largest size for which it holds, in an append-only table of a fixed number
//! of slots. A question starts at the slot that its hash names, and looks at a few in a row. A
//! slot goes from empty to claimed to filled, once, and is never changed again:
//!
//! - The writer claims an empty slot by compare-and-swap, so that there is one writer for it. It
//!   writes the answer and the question, the last word of which, never 0, with release ordering.
//! - A reader loads that word with acquire ordering, and looks at the rest only if it is that of its own
//!   question: then everything that the writer stored before is visible to it, and never changes.
//!   The other words can be relaxed.
//! - The claim can be relaxed, as no word that anyone wrote is read because of it.
//!
//! Whoever meets a claimed slot, or no empty one, computes the answer and keeps nothing. Nobody
//! ever waits.
//!
//! In front of that, for who wants the best type only, the plainest questions have a table of their own,
//! which takes half as long to ask: see `quick.rs`.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::flags::UsageFlags;
use crate::packed::{PackedRanking, WORD_COUNT};
use crate::purpose::Purpose;
use crate::quick::Quick;
use crate::ranking::Ranking;
use crate::request::MemoryRequest;
use crate::select::MemoryTypeSelector;

/// How many answers are kept.
const SLOT_COUNT: usize = 64;

/// How many slots in a row a question may be in.
const PROBE_COUNT: usize = 8;

/// Everything of a request but its size, as far as the answer depends on it. The last word is not 0.
//
// In words as a request has them: two that are neighbours there would be read as one, right after they
// were written apart, and a processor waits for that.
type Question = [u32; QUESTION_WORDS];

/// Words of a question.
const QUESTION_WORDS: usize = 6;

/// In the last word of each question.
const ASKED: u32 = 1 << 30;

/// One question and its answer, once it is filled: a cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Slot {
    /// The last word is 0 until the slot is filled.
    question: [AtomicU32; QUESTION_WORDS],
    answer: [AtomicU64; WORD_COUNT],
    /// Bytes up to which the answer holds.
    largest_size: AtomicU64,
    /// Whether somebody fills it, or has.
    is_claimed: AtomicBool,
}

/// An answer, and the bytes up to which it holds.
#[derive(Debug, Clone, Copy)]
struct Answer {
    ranking: PackedRanking,
    largest_size: u64,
}

impl Slot {
    /// Whether question and answer are there.
    #[inline]
    fn is_filled(&self) -> bool {
        self.question[QUESTION_WORDS - 1].load(Ordering::Acquire) != 0
    }

    /// Whether the slot is filled, and about this question.
    #[inline(always)]
    fn is_about(&self, question: &Question) -> bool {
        let [others @ .., last] = &self.question;
        last.load(Ordering::Acquire) == question[QUESTION_WORDS - 1]
            && others.iter().zip(question).all(|(own, asked)| own.load(Ordering::Relaxed) == *asked)
    }

    /// The answer, if the slot is filled, and about this question.
    #[inline]
    fn answer_to(&self, question: &Question) -> Option<Answer> {
        self.is_about(question).then(|| Answer {
            ranking: PackedRanking::from_words(
                self.answer.each_ref().map(|word| word.load(Ordering::Relaxed)),
            ),
            largest_size: self.largest_size.load(Ordering::Relaxed),
        })
    }

    /// Fills the slot, unless somebody else has claimed it.
    fn fill(&self, question: &Question, answer: Answer) {
        if self.is_claimed.swap(true, Ordering::Relaxed) {
            return;
        }
        for (own, word) in self.answer.iter().zip(answer.ranking.words()) {
            own.store(word, Ordering::Relaxed);
        }
        self.largest_size.store(answer.largest_size, Ordering::Relaxed);
        let [others @ .., last] = &self.question;
        for (own, asked) in others.iter().zip(question) {
            own.store(*asked, Ordering::Relaxed);
        }
        last.store(question[QUESTION_WORDS - 1], Ordering::Release);
    }
}

/// A [`MemoryTypeSelector`] that keeps the answers to its first questions, to be shared between
/// threads by reference.
///
/// The answers are those of the selector: the table of 64 answers is filled as questions come,
/// and what finds no room there is computed each time. It holds atomics only, so nobody waits,
/// and takes 4.5 KiB within the value.
///
/// # Examples
///
/// ```
/// use memtype_select::{
///     CachedSelector, DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags,
///     MemoryRequest, MemoryType, MemoryTypeSelector,
/// };
///
/// let local = MemoryType { property_flags: MemoryPropertyFlags::DEVICE_LOCAL, heap_index: 0 };
/// let heap = MemoryHeap { size: 8 << 30, flags: MemoryHeapFlags::DEVICE_LOCAL };
/// let properties = DeviceMemoryProperties::new(&[local], &[heap]);
/// let selector = CachedSelector::new(MemoryTypeSelector::new(properties));
///
/// let request = |size| MemoryRequest { size, ..Default::default() };
/// assert_eq!(selector.rank(&request(1 << 20)).first(), Some(0));
/// assert_eq!(selector.rank(&request(2 << 20)).first(), Some(0)); // kept from before
/// assert!(selector.rank(&request(9 << 30)).is_empty());
/// ```
#[derive(Debug)]
pub struct CachedSelector {
    selector: MemoryTypeSelector,
    slots: [Slot; SLOT_COUNT],
    quick: Quick,
}

impl CachedSelector {
    /// Makes a selector that has not kept anything yet.
    #[must_use]
    pub fn new(selector: MemoryTypeSelector) -> Self {
        let heaps = selector.properties().memory_heaps.iter().map(|heap| heap.size);
        let quick = Quick::new(heaps.min().unwrap_or(u64::MAX));
        Self { selector, slots: core::array::from_fn(|_| Slot::default()), quick }
    }

    /// The selector whose answers are kept.
    #[must_use]
    pub fn selector(&self) -> &MemoryTypeSelector {
        &self.selector
    }

    /// The same as [`MemoryTypeSelector::rank`], kept or computed.
    ///
    /// # Complexity
    ///
    /// A look at up to 8 slots if the answer was kept, the selector's otherwise.
    #[inline]
    #[must_use]
    pub fn rank(&self, request: &MemoryRequest) -> PackedRanking {
        let question = self.question(request);
        for slot in self.slots_for(&question) {
            if !slot.is_filled() {
                break;
            }
            if let Some(answer) = slot.answer_to(&question)
                && request.size <= answer.largest_size
            {
                return answer.ranking;
            }
        }
        // Copies, so that neither lies in memory unless it comes to this: joined fields would be read
        // back before what was written is there to be read.
        let (request, question) = (*request, question);
        self.compute(&request, &question)
    }

    /// The same as [`MemoryTypeSelector::select`], kept or computed.
    ///
    /// # Complexity
    ///
    /// A look at one word for a request without flags and resource, of no more bytes than the smallest
    /// heap has, if its answer was kept; else as [`rank`](Self::rank).
    // Always: called, it would read a request from memory that was just put together there.
    #[inline(always)]
    #[must_use]
    pub fn select(&self, request: &MemoryRequest) -> Option<u32> {
        if let Some(index) = self.quick.answer_to(request) {
            return Some(index);
        }
        // A copy, for the same reason as in `rank`.
        let request = *request;
        self.select_elsewhere(&request)
    }

    /// [`select`](Self::select) of a question that is not so plain, or was not asked yet.
    #[inline(never)]
    fn select_elsewhere(&self, request: &MemoryRequest) -> Option<u32> {
        let question = self.question(request);
        let slot = &self.slots[Self::first_slot(&question) % SLOT_COUNT];
        let is_there =
            slot.is_about(&question) && request.size <= slot.largest_size.load(Ordering::Relaxed);
        let index = match is_there {
            true => PackedRanking::first_in(slot.answer[0].load(Ordering::Relaxed)),
            false => self.rank(request).first(),
        }?;
        self.quick.keep(request, index);
        Some(index)
    }

    /// How many answers are kept: at most 64.
    #[must_use]
    pub fn kept_count(&self) -> usize {
        self.slots.iter().filter(|slot| slot.is_filled()).count()
    }

    /// What the answer to `request` depends on, but for the size.
    #[inline(always)]
    fn question(&self, request: &MemoryRequest) -> Question {
        // Below 32 for a usage; the number of a resource's purpose, which is as small, has its highest bit
        // set.
        let purpose = match request.resource {
            None => request.usage.intersection(UsageFlags::all()).bits(),
            Some(resource_use) => {
                Purpose::of_resource(resource_use, self.selector.is_unified()).number() | 1 << 31
            }
        };
        [
            request.memory_type_bits,
            request.required.bits(),
            request.preferred.bits(),
            request.avoided.bits(),
            request.opt_in.bits(),
            purpose | ASKED,
        ]
    }

    /// The slots in which a question may be.
    #[inline]
    fn slots_for(&self, question: &Question) -> impl Iterator<Item = &Slot> {
        let start = Self::first_slot(question);
        (start..start + PROBE_COUNT).map(|index| &self.slots[index % SLOT_COUNT])
    }

    /// The first of them.
    #[inline(always)]
    fn first_slot(question: &Question) -> usize {
        // What differs most, and the flags turned, so that those which are set in several do not meet. An odd
        // constant with bits all over (the fraction of a square root): each bit reaches the highest ones.
        let [types, required, preferred, avoided, opt_in, purpose] = *question;
        let flags = required ^ preferred.rotate_left(9) ^ avoided.rotate_left(18) ^ opt_in;
        let joined = types ^ flags.rotate_left(5) ^ purpose.rotate_left(26);
        // There are 64 slots.
        (joined.wrapping_mul(0x9e37_79b9) >> 26) as usize
    }

    /// Computes an answer, and keeps the one that does not depend on the size.
    #[cold]
    fn compute(&self, request: &MemoryRequest, question: &Question) -> PackedRanking {
        let answer = self.answer_for_any_size(request);
        for slot in self.slots_for(question) {
            if !slot.is_filled() {
                slot.fill(question, answer);
                break;
            }
            if slot.is_about(question) {
                break;
            }
        }
        if request.size <= answer.largest_size {
            return answer.ranking;
        }
        PackedRanking::from(&self.selector.rank(request))
    }

    /// The answer to `request` without its size, which holds up to the smallest heap in it.
    fn answer_for_any_size(&self, request: &MemoryRequest) -> Answer {
        let ranking: Ranking = self.selector.rank(&MemoryRequest { size: 0, ..*request });
        let heap_size =
            |&index: &u32| self.selector.heap_size(self.selector.memory_type(index)?.heap_index);
        Answer {
            ranking: PackedRanking::from(&ranking),
            largest_size: ranking.iter().filter_map(heap_size).min().unwrap_or(u64::MAX),
        }
    }
}

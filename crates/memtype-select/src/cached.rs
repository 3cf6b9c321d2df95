//! A selector that remembers its answers.
//!
//! Basic design: a program asks few different questions, if the size is left out: it matters only
//! where it passes the heap of a type that would do. So the answer to a question without its size
//! is kept, with the largest size for which it holds, in an append-only table of a fixed number
//! of slots. A question starts at the slot that its hash names, and looks at a few in a row. A
//! slot goes from empty to claimed to filled, once, and is never changed again:
//!
//! - The writer claims an empty slot by compare-and-swap, so that there is one writer for it. It
//!   writes question and answer, and then stores *filled* with release ordering.
//! - A reader loads the state with acquire ordering, and looks at the rest only if that is
//!   *filled*: then everything that the writer stored before is visible to it, and never changes.
//!   The words themselves can be relaxed.
//! - The claim can be relaxed, as no word that anyone wrote is read because of it.
//!
//! Whoever meets a claimed slot, or no empty one, computes the answer and keeps nothing. Nobody
//! ever waits.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::flags::UsageFlags;
use crate::packed::{PackedRanking, WORD_COUNT};
use crate::purpose::Purpose;
use crate::ranking::Ranking;
use crate::request::MemoryRequest;
use crate::select::MemoryTypeSelector;

/// How many answers are kept.
const SLOT_COUNT: usize = 64;

/// How many slots in a row a question may be in.
const PROBE_COUNT: usize = 8;

const EMPTY: u32 = 0;
const CLAIMED: u32 = 1;
const FILLED: u32 = 2;

/// Everything of a request but its size, as far as the answer depends on it.
type Question = [u64; 3];

/// One question and its answer, once it is filled: a cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Slot {
    /// [`EMPTY`], [`CLAIMED`] or [`FILLED`], in this order.
    state: AtomicU32,
    question: [AtomicU64; 3],
    answer: [AtomicU64; WORD_COUNT],
    /// Bytes up to which the answer holds.
    largest_size: AtomicU64,
}

/// An answer, and the bytes up to which it holds.
#[derive(Debug, Clone, Copy)]
struct Answer {
    ranking: PackedRanking,
    largest_size: u64,
}

impl Slot {
    /// Whether the slot, which is filled, is about this question.
    #[inline]
    fn is_about(&self, question: &Question) -> bool {
        self.question
            .iter()
            .zip(question)
            .fold(true, |same, (own, asked)| same & (own.load(Ordering::Relaxed) == *asked))
    }

    /// The answer, if the slot, which is filled, is about this question.
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
        let claim =
            self.state.compare_exchange(EMPTY, CLAIMED, Ordering::Relaxed, Ordering::Relaxed);
        if claim.is_err() {
            return;
        }
        for (own, asked) in self.question.iter().zip(question) {
            own.store(*asked, Ordering::Relaxed);
        }
        for (own, word) in self.answer.iter().zip(answer.ranking.words()) {
            own.store(word, Ordering::Relaxed);
        }
        self.largest_size.store(answer.largest_size, Ordering::Relaxed);
        self.state.store(FILLED, Ordering::Release);
    }
}

/// A [`MemoryTypeSelector`] that keeps the answers to its first questions, to be shared between
/// threads by reference.
///
/// The answers are those of the selector: the table of 64 answers is filled as questions come,
/// and what finds no room there is computed each time. It holds atomics only, so nobody waits,
/// and takes 4 KiB within the value.
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
}

impl CachedSelector {
    /// Makes a selector that has not kept anything yet.
    #[must_use]
    pub fn new(selector: MemoryTypeSelector) -> Self {
        Self { selector, slots: core::array::from_fn(|_| Slot::default()) }
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
            if slot.state.load(Ordering::Acquire) != FILLED {
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
    #[inline]
    #[must_use]
    pub fn select(&self, request: &MemoryRequest) -> Option<u32> {
        let question = self.question(request);
        let slot = &self.slots[Self::first_slot(&question) % SLOT_COUNT];
        if slot.state.load(Ordering::Acquire) == FILLED
            && slot.is_about(&question)
            && request.size <= slot.largest_size.load(Ordering::Relaxed)
        {
            return PackedRanking::first_in(slot.answer[0].load(Ordering::Relaxed));
        }
        // A copy, for the same reason as in `rank`.
        let request = *request;
        self.select_elsewhere(&request)
    }

    /// [`select`](Self::select) where the answer is not in the first slot that it may be in.
    #[cold]
    #[inline(never)]
    fn select_elsewhere(&self, request: &MemoryRequest) -> Option<u32> {
        self.rank(request).first()
    }

    /// How many answers are kept: at most 64.
    #[must_use]
    pub fn kept_count(&self) -> usize {
        let filled = |slot: &&Slot| slot.state.load(Ordering::Relaxed) == FILLED;
        self.slots.iter().filter(filled).count()
    }

    /// What the answer to `request` depends on, but for the size.
    #[inline]
    fn question(&self, request: &MemoryRequest) -> Question {
        // Below 32 for a usage; the number of a resource's purpose has its highest bit set.
        let purpose = match request.resource {
            None => request.usage.intersection(UsageFlags::all()).bits(),
            Some(resource_use) => {
                Purpose::of_resource(resource_use, self.selector.is_unified()).number() | 1 << 31
            }
        };
        let join = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
        // No two that are neighbours in a request: they would be read as one word, right after two
        // were written, and a processor waits for that.
        [
            join(request.memory_type_bits, request.preferred.bits()),
            join(request.required.bits(), request.avoided.bits()),
            join(request.opt_in.bits(), purpose),
        ]
    }

    /// The slots in which a question may be.
    #[inline]
    fn slots_for(&self, question: &Question) -> impl Iterator<Item = &Slot> {
        let start = Self::first_slot(question);
        (start..start + PROBE_COUNT).map(|index| &self.slots[index % SLOT_COUNT])
    }

    /// The first of them, before it wraps around.
    #[inline]
    fn first_slot(question: &Question) -> usize {
        // Odd constants with bits all over (the fractions of square roots): each bit of the
        // question reaches the highest ones.
        let [first, second, third] = *question;
        let mixed = first.wrapping_mul(0x6a09_e667_f3bc_c909)
            ^ second.wrapping_mul(0xbb67_ae85_84ca_a73b)
            ^ third.wrapping_mul(0x3c6e_f372_fe94_f82b);
        usize::from(mixed.to_be_bytes()[0])
    }

    /// Computes an answer, and keeps the one that does not depend on the size.
    #[cold]
    fn compute(&self, request: &MemoryRequest, question: &Question) -> PackedRanking {
        let answer = self.answer_for_any_size(request);
        for slot in self.slots_for(question) {
            match slot.state.load(Ordering::Acquire) {
                EMPTY => {
                    slot.fill(question, answer);
                    break;
                }
                FILLED if slot.answer_to(question).is_none() => {}
                _ => break,
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

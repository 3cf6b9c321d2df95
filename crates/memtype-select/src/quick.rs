//! The answers to the plainest questions, a word each.
//!
//! Basic design: most requests state a usage and the allowed memory types, and no flags. Such a question
//! has 37 bits, and an answer five; so both fit in one word, which is read and written as a whole, and
//! no word has to be there before another. The hash of a question names the one word that it may be in.
//! Words are compared by an exclusive or, of which nothing but the answer is left if the question is the
//! same. The size is left out: it does not matter up to that of the smallest heap, and beyond nothing is
//! answered here.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::flags::UsageFlags;
use crate::request::MemoryRequest;

/// How many answers are kept, as a power of two.
const WORDS_LOG: u32 = 6;

/// The answer's bits stand lowest in a word, then the memory types, then the usage.
const TYPES_SHIFT: u32 = 8;
const USAGE_SHIFT: u32 = TYPES_SHIFT + u32::BITS;

/// In each question, so that none is that of a word that was never written, 0.
const ASKED: u64 = 1 << 63;

/// Answers that are kept until the table goes.
#[derive(Debug)]
pub(crate) struct Quick {
    /// Bytes up to which every answer holds.
    largest_size: u64,
    words: [AtomicU64; 1 << WORDS_LOG],
}

impl Quick {
    /// No answers yet, for a device whose smallest heap has so many bytes.
    pub(crate) fn new(smallest_heap: u64) -> Self {
        Self { largest_size: smallest_heap, words: core::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// The answer that was kept, if there is one.
    #[inline(always)]
    pub(crate) fn answer_to(&self, request: &MemoryRequest) -> Option<u32> {
        let question = self.question(request)?;
        let answer = self.word(question).load(Ordering::Relaxed) ^ question;
        u8::try_from(answer).ok().map(u32::from)
    }

    /// Keeps an answer, if the request is that plain and the word is free.
    pub(crate) fn keep(&self, request: &MemoryRequest, answer: u32) {
        let (Some(question), Ok(answer)) = (self.question(request), u8::try_from(answer)) else {
            return;
        };
        // Whoever is first stays: two questions that take turns would write at each. It is read first, as a
        // comparison and exchange takes the cache line from other threads even where nothing is exchanged.
        let (word, kept) = (self.word(question), question | u64::from(answer));
        if word.load(Ordering::Relaxed) == 0 {
            // If another thread writes meanwhile, its whole word stays or goes, and either is right.
            word.store(kept, Ordering::Relaxed);
        }
    }

    /// What is asked, if it is plain.
    #[inline(always)]
    fn question(&self, request: &MemoryRequest) -> Option<u64> {
        let MemoryRequest { usage, resource, memory_type_bits, size, .. } = *request;
        let flags = request.required | request.preferred | request.avoided | request.opt_in;
        if !flags.is_empty() || resource.is_some() || size > self.largest_size {
            return None;
        }
        // What names no usage makes no difference.
        let usage = u64::from(usage.intersection(UsageFlags::all()).bits());
        Some(ASKED | usage << USAGE_SHIFT | u64::from(memory_type_bits) << TYPES_SHIFT)
    }

    #[inline(always)]
    fn word(&self, question: u64) -> &AtomicU64 {
        // An odd constant with bits all over (the golden ratio's): each bit reaches the highest ones.
        let hash = question.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - WORDS_LOG);
        &self.words[hash as usize % (1 << WORDS_LOG)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::MemoryPropertyFlags;

    const PLAIN: MemoryRequest = MemoryRequest {
        usage: UsageFlags::UPLOAD,
        resource: None,
        memory_type_bits: 0b1011,
        size: 1000,
        required: MemoryPropertyFlags::empty(),
        preferred: MemoryPropertyFlags::empty(),
        avoided: MemoryPropertyFlags::empty(),
        opt_in: MemoryPropertyFlags::empty(),
    };

    #[test]
    fn what_was_kept_is_answered_to_the_same_question_alone() {
        let quick = Quick::new(4096);
        assert_eq!(quick.answer_to(&PLAIN), None);
        quick.keep(&PLAIN, 31);
        assert_eq!(quick.answer_to(&PLAIN), Some(31));
        assert_eq!(quick.answer_to(&MemoryRequest { size: 4096, ..PLAIN }), Some(31));
        for other in [
            MemoryRequest { usage: UsageFlags::DOWNLOAD, ..PLAIN },
            MemoryRequest { memory_type_bits: 0b1010, ..PLAIN },
            MemoryRequest { size: 4097, ..PLAIN },
            MemoryRequest { required: MemoryPropertyFlags::HOST_CACHED, ..PLAIN },
            MemoryRequest { preferred: MemoryPropertyFlags::HOST_CACHED, ..PLAIN },
            MemoryRequest { avoided: MemoryPropertyFlags::HOST_CACHED, ..PLAIN },
            MemoryRequest { opt_in: MemoryPropertyFlags::PROTECTED, ..PLAIN },
        ] {
            assert_eq!(quick.answer_to(&other), None, "{other:?}");
        }
    }

    #[test]
    fn two_questions_of_one_word_do_not_drive_each_other_out() {
        let quick = Quick::new(u64::MAX);
        let asked = |types| MemoryRequest { memory_type_bits: types, ..PLAIN };
        let mut kept = [u32::MAX; 1 << WORDS_LOG];
        let mut places = kept.iter_mut();
        for types in 0..1000 {
            quick.keep(&asked(types), types % 32);
            if quick.answer_to(&asked(types)) == Some(types % 32) {
                *places.next().expect("a word is taken once") = types;
            }
        }
        assert!(places.next().is_none(), "each word was taken");
        assert!(kept.iter().all(|&types| quick.answer_to(&asked(types)) == Some(types % 32)));
    }
}

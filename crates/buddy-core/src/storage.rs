//! Where a region keeps its words: a slice of its own, one that was lent, an array, or pages.
//!
//! The parameter is static, so that every access is a plain indexed load, and sealed, so that
//! the allocator may rely on words keeping what was written to them.

#[cfg(feature = "alloc")]
mod paged;

#[cfg(feature = "alloc")]
use alloc::{boxed::Box, vec::Vec};

#[cfg(feature = "alloc")]
use crate::error::ConfigError;
use crate::layout::{Layout, word_position};
#[cfg(feature = "alloc")]
pub use paged::Paged;

/// The operations behind [`Storage`], out of reach for other crates.
pub(crate) mod sealed {
    use crate::layout::Layout;

    /// A fixed number of words that keep what is written to them.
    pub trait Words: Send + Sync {
        /// The word at `index`, which is below their number.
        fn word(&self, index: usize) -> u64;
        /// The word at `index`, which is below their number, for writing.
        fn word_mut(&mut self, index: usize) -> &mut u64;
        /// Makes the words those of a wholly free region of this shape, which they are enough
        /// for.
        #[expect(private_interfaces, reason = "the trait is out of reach for other crates")]
        fn reset(&mut self, layout: &Layout);
        /// Whether words must be prepared before they are written.
        #[inline]
        fn is_sparse(&self) -> bool {
            false
        }
        /// Makes the word at `index` writable; it keeps its value. `false`, and nothing has
        /// changed, if the host refuses the memory for that.
        #[inline]
        fn prepare(&mut self, _index: usize) -> bool {
            true
        }
    }
}

/// What a [`BuddyAllocator`](crate::BuddyAllocator) can keep its words in.
///
/// Sealed: `Owned` and `Paged` (feature `alloc`), [`Fixed`] and arrays of `u64` are the
/// implementors.
pub trait Storage: sealed::Words {}

/// [`Words::reset`](sealed::Words::reset) for a slice: all bits clear but those for what lies
/// outside, and the summaries of the free blocks that these are the buddies of.
pub(crate) const fn reset_slice(words: &mut [u64], layout: &Layout) {
    let mut word = 0;
    while word < words.len() {
        words[word] = 0;
        word += 1;
    }
    let mut order = 0;
    while order <= layout.top_order() {
        let mut index = layout.order_block_count(order);
        if index % 2 == 1 {
            let mut start = layout.first_word(order);
            let mut word_count = layout.order_word_count(order);
            let mut layer = 0;
            while layer <= layout.layer_count() {
                words[start + word_position(index)] |= 1 << (index % 64);
                index /= 64;
                start += word_count;
                word_count = word_count.div_ceil(64);
                layer += 1;
            }
        }
        order += 1;
    }
}

/// Words on the host's heap: one slice, made at construction and never grown.
#[cfg(feature = "alloc")]
#[derive(Clone)]
pub struct Owned {
    words: Box<[u64]>,
}

#[cfg(feature = "alloc")]
impl Owned {
    /// Asks the host for `word_count` zeroed words.
    pub(crate) fn new(word_count: usize) -> Result<Self, ConfigError> {
        let mut words = Vec::new();
        words
            .try_reserve_exact(word_count)
            .map_err(|_| ConfigError::OutOfHostMemory { words_needed: word_count })?;
        words.resize(word_count, 0);
        Ok(Self { words: words.into_boxed_slice() })
    }
}

#[cfg(feature = "alloc")]
impl Storage for Owned {}

#[cfg(feature = "alloc")]
#[expect(private_interfaces, reason = "the trait is out of reach for other crates")]
impl sealed::Words for Owned {
    #[inline]
    fn word(&self, index: usize) -> u64 {
        self.words[index]
    }

    #[inline]
    fn word_mut(&mut self, index: usize) -> &mut u64 {
        &mut self.words[index]
    }

    fn reset(&mut self, layout: &Layout) {
        reset_slice(&mut self.words, layout);
    }
}

/// Words lent by the caller, for programs without a heap.
pub struct Fixed<'a> {
    words: &'a mut [u64],
}

impl<'a> Fixed<'a> {
    /// Takes the words as they are.
    pub(crate) fn new(words: &'a mut [u64]) -> Self {
        Self { words }
    }
}

impl Storage for Fixed<'_> {}

#[expect(private_interfaces, reason = "the trait is out of reach for other crates")]
impl sealed::Words for Fixed<'_> {
    #[inline]
    fn word(&self, index: usize) -> u64 {
        self.words[index]
    }

    #[inline]
    fn word_mut(&mut self, index: usize) -> &mut u64 {
        &mut self.words[index]
    }

    fn reset(&mut self, layout: &Layout) {
        reset_slice(self.words, layout);
    }
}

impl<const WORD_COUNT: usize> Storage for [u64; WORD_COUNT] {}

#[expect(private_interfaces, reason = "the trait is out of reach for other crates")]
impl<const WORD_COUNT: usize> sealed::Words for [u64; WORD_COUNT] {
    #[inline]
    fn word(&self, index: usize) -> u64 {
        self[index]
    }

    #[inline]
    fn word_mut(&mut self, index: usize) -> &mut u64 {
        &mut self[index]
    }

    fn reset(&mut self, layout: &Layout) {
        reset_slice(self, layout);
    }
}

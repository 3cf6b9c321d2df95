//! Where a region keeps its words: a slice of its own, or one that was lent.
//!
//! The parameter is static, so that every access is a plain indexed load, and sealed, so that
//! the allocator may rely on words keeping what was written to them.

#[cfg(feature = "alloc")]
use alloc::{boxed::Box, vec::Vec};

#[cfg(feature = "alloc")]
use crate::error::ConfigError;

/// The operations behind [`Storage`], out of reach for other crates.
pub(crate) mod sealed {
    /// A fixed number of words that keep what is written to them.
    pub trait Words: Send + Sync {
        /// The word at `index`, which is below their number.
        fn word(&self, index: usize) -> u64;
        /// The word at `index`, which is below their number, for writing.
        fn word_mut(&mut self, index: usize) -> &mut u64;
        /// Sets every word to zero.
        fn clear(&mut self);
    }
}

/// What a [`BuddyAllocator`](crate::BuddyAllocator) can keep its words in.
///
/// Sealed: `Owned` (feature `alloc`) and [`Fixed`] are the implementors.
pub trait Storage: sealed::Words {}

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
impl sealed::Words for Owned {
    #[inline]
    fn word(&self, index: usize) -> u64 {
        self.words[index]
    }

    #[inline]
    fn word_mut(&mut self, index: usize) -> &mut u64 {
        &mut self.words[index]
    }

    fn clear(&mut self) {
        self.words.fill(0);
    }
}

/// Words lent by the caller, for programs without a heap.
pub struct Fixed<'a> {
    words: &'a mut [u64],
}

impl<'a> Fixed<'a> {
    /// Takes the words as they are; the allocator clears them.
    pub(crate) fn new(words: &'a mut [u64]) -> Self {
        Self { words }
    }
}

impl Storage for Fixed<'_> {}

impl sealed::Words for Fixed<'_> {
    #[inline]
    fn word(&self, index: usize) -> u64 {
        self.words[index]
    }

    #[inline]
    fn word_mut(&mut self, index: usize) -> &mut u64 {
        &mut self.words[index]
    }

    fn clear(&mut self) {
        self.words.fill(0);
    }
}

//! Which bins have nodes, as bits.

use core::hint::select_unpredictable;

use super::bins::BIN_COUNT;

const WORD_COUNT: usize = BIN_COUNT / 64;

/// Bit `b % 64` of word `b / 64` is set iff bin `b` has a node.
#[derive(Debug)]
pub(super) struct Map([u64; WORD_COUNT]);

impl Map {
    pub(super) fn new() -> Self {
        Self([0; WORD_COUNT])
    }

    #[inline]
    pub(super) fn set(&mut self, bin: usize) {
        self.0[bin / 64 % WORD_COUNT] |= 1 << (bin % 64);
    }

    /// Clears the bit of a bin if it has no node any more; else `bin` may be any number.
    #[inline]
    pub(super) fn clear_if(&mut self, is_empty: bool, bin: usize) {
        self.0[bin / 64 % WORD_COUNT] &= !(u64::from(is_empty) << (bin % 64));
    }

    /// The first bin from `bin` on that has a node.
    #[inline(always)]
    pub(super) fn first_from(&self, bin: usize) -> Option<usize> {
        let word = bin / 64;
        let here = self.0.get(word)? & u64::MAX << (bin % 64);
        // Nobody can guess in which of two words it is; in those above there is seldom any.
        let next = self.0.get(word + 1).map_or(0, |next| *next);
        let is_here = here != 0;
        let bits = select_unpredictable(is_here, here, next);
        if bits != 0 {
            let word = word + usize::from(!is_here);
            return Some(word * 64 + bits.trailing_zeros() as usize);
        }
        self.first_above(word + 2)
    }

    /// The first bin of a word, or of those above it, that has a node.
    fn first_above(&self, word: usize) -> Option<usize> {
        let words = (word..).zip(self.0.get(word..)?);
        let (word, bits) = words.into_iter().find(|(_, bits)| **bits != 0)?;
        Some(word * 64 + bits.trailing_zeros() as usize)
    }

    /// The highest bin that has a node; 0, which is no node's, if none has.
    #[inline]
    pub(super) fn highest(&self) -> u8 {
        for word in (0..WORD_COUNT).rev() {
            if let Some(bit) = self.0[word].checked_ilog2() {
                // There are 256 bins.
                return (word * 64 + bit as usize).to_le_bytes()[0];
            }
        }
        0
    }
}

//! Which bins have nodes, as bits.

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
    #[inline]
    pub(super) fn first_from(&self, bin: usize) -> Option<usize> {
        let mut mask = u64::MAX << (bin % 64);
        for word in bin / 64..WORD_COUNT {
            let bits = self.0[word] & mask;
            if bits != 0 {
                return Some(word * 64 + bits.trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
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

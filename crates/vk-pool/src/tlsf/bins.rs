//! The bins: which sizes share a list, and which lists are not empty.

use super::nodes::{NONE, NodeIndex};

/// Bins to each power of two, as a power of two.
const PER_OCTAVE_LOG: u32 = 3;
const PER_OCTAVE: u32 = 1 << PER_OCTAVE_LOG;

/// Sizes are below 2^31 units, so the highest bin is `bin_of(2^31 - 1)` = 231.
pub(crate) const BIN_COUNT: usize = 256;

const WORD_COUNT: usize = BIN_COUNT / 64;

/// The bin of a free node of `units` units, at least 1.
///
/// Up to 8 units each size has a bin of its own; above, eight bins share a power of two.
#[inline]
pub(crate) fn bin_of(units: u32) -> usize {
    if units < PER_OCTAVE {
        return units as usize;
    }
    // At least 0: `units` has more than `PER_OCTAVE_LOG` significant bits.
    let shift = units.ilog2() - PER_OCTAVE_LOG;
    // The four significant bits are 8 to 15, so the bins of an octave follow those of the last.
    (shift * PER_OCTAVE + (units >> shift)) as usize
}

/// The first bin of which every size is at least `units`.
#[inline]
pub(crate) fn first_bin_all_at_least(units: u32) -> usize {
    // One more than the bin of the largest smaller size.
    units.checked_sub(1).map_or(0, |smaller| bin_of(smaller) + 1)
}

/// The smallest size of a bin, in units; `None` from 2^31 on.
pub(super) fn smallest_of(bin: usize) -> Option<u32> {
    let octave = (bin / PER_OCTAVE as usize).saturating_sub(1);
    // 8 to 15, or the size itself.
    let digits = u32::try_from(bin - octave * PER_OCTAVE as usize).ok()?;
    let octave = u32::try_from(octave).ok()?;
    u32::try_from(u64::from(digits).checked_shl(octave)?).ok().filter(|&units| units < 1 << 31)
}

/// Heads of the lists, and a bit for each that is not empty.
#[derive(Debug)]
pub(super) struct Bins {
    /// Bit `b % 64` of word `b / 64` is set iff `heads[b]` is not `NONE`.
    occupied: [u64; WORD_COUNT],
    /// The highest bin that is not empty, which is asked for with every allocation and release; 0,
    /// which is no node's, if all are.
    highest: u8,
    heads: [NodeIndex; BIN_COUNT],
}

impl Bins {
    pub(super) fn new() -> Self {
        Self { occupied: [0; WORD_COUNT], highest: 0, heads: [NONE; BIN_COUNT] }
    }

    #[inline]
    pub(super) fn head(&self, bin: usize) -> NodeIndex {
        self.heads[bin]
    }

    #[inline]
    pub(super) fn set_head(&mut self, bin: usize, head: NodeIndex) {
        self.heads[bin] = head;
        let bit = 1 << (bin % 64);
        // There are 256 bins.
        let this = bin.to_le_bytes()[0];
        if head == NONE {
            self.occupied[bin / 64] &= !bit;
            if self.highest == this {
                self.highest = self.find_highest();
            }
        } else {
            self.occupied[bin / 64] |= bit;
            self.highest = self.highest.max(this);
        }
    }

    /// The first bin from `bin` on that is not empty.
    #[inline]
    pub(super) fn first_from(&self, bin: usize) -> Option<usize> {
        let first = bin / 64;
        let mut mask = u64::MAX << (bin % 64);
        for word in first..WORD_COUNT {
            let bits = self.occupied[word] & mask;
            if bits != 0 {
                return Some(word * 64 + bits.trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
    }

    /// The highest bin that is not empty; 0, which is no node's, if all are.
    #[inline]
    pub(super) fn highest(&self) -> u8 {
        self.highest
    }

    /// The same, from the bits.
    #[cold]
    pub(super) fn find_highest(&self) -> u8 {
        let word = (0..WORD_COUNT).rev().find(|&word| self.occupied[word] != 0);
        word.map_or(0, |word| (word * 64 + self.occupied[word].ilog2() as usize).to_le_bytes()[0])
    }

    /// Forgets the highest bin, for tests that plant faults.
    #[cfg(test)]
    pub(super) fn forget_highest(&mut self) {
        self.highest = 0;
    }
}

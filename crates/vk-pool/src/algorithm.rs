//! Which algorithm carves up the blocks of a pool, and what it needs for a request.

use crate::custom::CustomAlgorithm;
use crate::linear::LinearKind;
use crate::rounding::round_up;

/// Which algorithm carves up the blocks of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Small requests by size, the rest by two-level segregated fit: see [`two_tier`](crate::two_tier).
    #[default]
    TwoTier,
    /// Two-level segregated fit for all: see [`tlsf`](crate::tlsf).
    Tlsf,
    /// Powers of two, the fastest placement: see [`buddy_core`]. Blocks may have any size; one that is
    /// no power of two is as many buddies as its bits.
    Buddy,
    /// In a row, without a search: see [`linear`](crate::linear). The newest block in use is asked
    /// first.
    ///
    /// With several blocks, [`LinearKind::Auto`] is [`LinearKind::Stack`], and the other kinds that
    /// need one block are refused.
    Linear(LinearKind),
    /// A user's own, every answer of which is checked: see [`CustomSuballocator`].
    ///
    /// [`CustomSuballocator`]: crate::CustomSuballocator
    Custom(CustomAlgorithm),
}

impl Algorithm {
    /// Bytes of the smallest block in which an empty suballocator of this kind serves the request;
    /// `None` where that is not a 64-bit number. What a custom one needs is not known: as much as a
    /// piece has.
    #[inline]
    #[must_use]
    pub fn needed(&self, size: u64, alignment: u64, min_allocation_size: u64) -> Option<u64> {
        match self {
            Self::Buddy => size.max(min_allocation_size).max(alignment).checked_next_power_of_two(),
            // Offset 0 satisfies any alignment.
            _ => round_up(size, min_allocation_size),
        }
    }

    /// Bytes that the request is taken to cost in a block on its way: rounded up to its alignment, so
    /// that requests of one alignment fill the block exactly. Mixed ones may not all find room; they
    /// then ask again.
    pub(crate) fn claim(&self, alignment: u64, needed: u64) -> u64 {
        match self {
            Self::Buddy => needed,
            _ => round_up(needed, alignment).unwrap_or(u64::MAX),
        }
    }

    /// What blocks are made as, of which there are at most so many.
    pub(crate) fn of_blocks(&self, max_block_count: Option<u32>) -> Self {
        match self {
            Self::Linear(LinearKind::Auto) if max_block_count != Some(1) => {
                Self::Linear(LinearKind::Stack)
            }
            other => other.clone(),
        }
    }

    /// Whether requests may ask for the upper end of a block, of which there are at most so many.
    #[inline]
    pub(crate) fn has_upper_end(&self, max_block_count: Option<u32>) -> bool {
        match self {
            Self::Linear(kind) => kind.has_upper_end() && max_block_count == Some(1),
            Self::Custom(_) => true,
            _ => false,
        }
    }
}

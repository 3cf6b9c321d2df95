//! The one type that every block is carved by.

use buddy_core::{BuddyAllocator, BuddyBlock};

use crate::rounding::round_up;
use crate::tlsf::Tlsf;
use crate::tlsf::bins::bin_of;
use crate::two_tier::TwoTier;

/// Which algorithm carves up the blocks of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Small requests by buddies, the rest by two-level segregated fit: see [`two_tier`](crate::two_tier).
    #[default]
    TwoTier,
    /// Two-level segregated fit for all: see [`tlsf`](crate::tlsf).
    Tlsf,
    /// Powers of two, the fastest placement: see [`buddy_core`].
    Buddy,
}

impl Algorithm {
    /// Bytes of the smallest block in which an empty suballocator of this kind serves the request;
    /// `None` where that is not a 64-bit number.
    #[inline]
    #[must_use]
    pub fn needed(self, size: u64, alignment: u64, min_allocation_size: u64) -> Option<u64> {
        match self {
            // Offset 0 satisfies any alignment.
            Self::TwoTier | Self::Tlsf => round_up(size, min_allocation_size),
            Self::Buddy => size.max(min_allocation_size).max(alignment).checked_next_power_of_two(),
        }
    }

    /// Bytes that the request is taken to cost in a block on its way: rounded up to its alignment, so
    /// that requests of one alignment fill the block exactly. Mixed ones may not all find room; they
    /// then ask again.
    pub(crate) fn claim(self, alignment: u64, needed: u64) -> u64 {
        match self {
            Self::TwoTier | Self::Tlsf => round_up(needed, alignment).unwrap_or(u64::MAX),
            Self::Buddy => needed,
        }
    }
}

/// A piece that a suballocator has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// Bytes from the start of the block.
    pub offset: u64,
    /// Bytes taken, rounding included.
    pub size: u64,
    /// What the algorithm needs to find the piece again.
    pub node: u32,
}

/// What a block can still serve, as blocks are listed by it: in two bytes, as it is compared with each
/// allocation and release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rooms {
    /// The bin of the largest free piece; 0, which is no piece's, for a full block.
    pub(crate) large: u8,
    /// One more than the largest order of which a span has a free block; 0 for none.
    pub(crate) small: u8,
}

impl Rooms {
    /// The list among blocks in use.
    pub(crate) fn bin(self) -> Option<u8> {
        (self.large != 0).then_some(self.large)
    }

    /// The list among blocks with spans.
    pub(crate) fn order(self) -> Option<u8> {
        self.small.checked_sub(1)
    }
}

/// A block of a size that an algorithm cannot carve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuballocatorError {
    /// The buddies refuse it.
    #[error(transparent)]
    Buddy(#[from] buddy_core::ConfigError),
    /// The segregated fit refuses it.
    #[error(transparent)]
    Tlsf(#[from] crate::tlsf::TlsfConfigError),
}

/// The bookkeeping of one block.
#[derive(Debug)]
#[non_exhaustive]
pub enum Suballocator {
    /// See [`Algorithm::TwoTier`].
    TwoTier(TwoTier),
    /// See [`Algorithm::Tlsf`].
    Tlsf(Tlsf),
    /// See [`Algorithm::Buddy`]. The node of a piece is its order.
    Buddy(BuddyAllocator),
}

impl Suballocator {
    /// Bookkeeping for an empty block of `size` bytes, which hands out multiples of
    /// `min_allocation_size` bytes.
    ///
    /// # Errors
    ///
    /// [`SuballocatorError`]: a zero or too small size, too many minimum pieces, a minimum that is not
    /// a power of two.
    pub fn new(
        algorithm: Algorithm,
        size: u64,
        min_allocation_size: u64,
    ) -> Result<Self, SuballocatorError> {
        Ok(match algorithm {
            Algorithm::TwoTier => Self::TwoTier(TwoTier::new(size, min_allocation_size)?),
            Algorithm::Tlsf => Self::Tlsf(Tlsf::new(size, min_allocation_size)?),
            Algorithm::Buddy => Self::Buddy(BuddyAllocator::new(size, min_allocation_size)?),
        })
    }

    /// Takes `size` bytes at a multiple of `alignment`, or `None` and no live piece has changed.
    #[inline]
    pub fn allocate(&mut self, size: u64, alignment: u64) -> Option<Piece> {
        match self {
            Self::TwoTier(tiers) => tiers.allocate(size, alignment),
            Self::Tlsf(tlsf) => {
                let block = tlsf.allocate(size, alignment)?;
                Some(Piece { offset: block.offset, size: block.size, node: block.node })
            }
            Self::Buddy(buddy) => {
                let block = buddy.allocate_aligned(size, alignment).ok()?;
                // Both are powers of two, and a block has at least one minimum block.
                let order = block.size.trailing_zeros() - buddy.min_block_size().trailing_zeros();
                Some(Piece { offset: block.offset, size: block.size, node: order })
            }
        }
    }

    /// Gives back what was taken at `offset`; answers the bytes freed, or `None`, and nothing has
    /// changed, if no live piece of this node starts there.
    #[inline]
    pub fn free(&mut self, offset: u64, node: u32) -> Option<u64> {
        match self {
            Self::TwoTier(tiers) => tiers.free(offset, node),
            Self::Tlsf(tlsf) => tlsf.free(offset, node),
            Self::Buddy(buddy) => {
                let min = buddy.min_block_size();
                let size = min.checked_shl(node).filter(|size| size >> node == min)?;
                buddy.free(BuddyBlock { offset, size }).ok()?;
                Some(size)
            }
        }
    }

    /// Offsets and bytes of the live pieces, in address order.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let (tiers, tlsf, buddy) = match self {
            Self::TwoTier(tiers) => (Some(tiers.pieces()), None, None),
            Self::Tlsf(tlsf) => (None, Some(tlsf.taken_blocks()), None),
            Self::Buddy(buddy) => (None, None, Some(buddy.taken_blocks())),
        };
        let tlsf = tlsf.into_iter().flatten().map(|block| (block.offset, block.size));
        let buddy = buddy.into_iter().flatten().map(|block| (block.offset, block.size));
        tiers.into_iter().flatten().chain(tlsf).chain(buddy)
    }

    /// What it can still serve. O(1).
    #[inline]
    pub(crate) fn rooms(&self) -> Rooms {
        match self {
            Self::TwoTier(tiers) => tiers.rooms(),
            Self::Tlsf(tlsf) => Rooms { large: tlsf.room(), small: 0 },
            Self::Buddy(buddy) => {
                let units = buddy.largest_free_block() >> buddy.min_block_size().trailing_zeros();
                // A block has fewer than 2^32 minimum pieces, or its bin is the highest all the same.
                let bin = bin_of(u32::try_from(units).unwrap_or(u32::MAX));
                // There are fewer than 256 bins, and no units are bin 0.
                Rooms { large: bin.to_le_bytes()[0], small: 0 }
            }
        }
    }
}

//! The one type that every block is carved by.

use buddy_core::{BuddyAllocator, BuddyBlock, Fixed};

/// Which algorithm carves up the blocks of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Powers of two, the fastest placement: see [`buddy_core`].
    #[default]
    Buddy,
}

impl Algorithm {
    /// Bytes of the smallest block in which an empty suballocator of this kind serves the request;
    /// `None` where that is not a 64-bit number.
    #[must_use]
    pub fn needed(self, size: u64, alignment: u64, min_allocation_size: u64) -> Option<u64> {
        match self {
            Self::Buddy => size.max(min_allocation_size).max(alignment).checked_next_power_of_two(),
        }
    }

    /// Whether there can be books of a block of `size` bytes in pieces of `min_allocation_size`.
    pub(crate) fn can_carve(self, size: u64, min_allocation_size: u64) -> bool {
        match self {
            Self::Buddy => {
                BuddyAllocator::<Fixed<'_>>::words_needed(size, min_allocation_size).is_some()
            }
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

/// The bookkeeping of one block.
#[derive(Debug)]
#[non_exhaustive]
pub enum Suballocator {
    /// See [`Algorithm::Buddy`]. The node of a piece is its order.
    Buddy(BuddyAllocator),
}

impl Suballocator {
    /// Bookkeeping for an empty block of `size` bytes, which hands out multiples of
    /// `min_allocation_size` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`BuddyAllocator::new`]: a zero or too small size, a minimum that is not a power of
    /// two.
    pub fn new(
        algorithm: Algorithm,
        size: u64,
        min_allocation_size: u64,
    ) -> Result<Self, buddy_core::ConfigError> {
        match algorithm {
            Algorithm::Buddy => Ok(Self::Buddy(BuddyAllocator::new(size, min_allocation_size)?)),
        }
    }

    /// Takes `size` bytes at a multiple of `alignment`, or `None` and nothing has changed.
    pub fn allocate(&mut self, size: u64, alignment: u64) -> Option<Piece> {
        match self {
            Self::Buddy(buddy) => {
                let block = buddy.allocate_aligned(size, alignment).ok()?;
                let order = (block.size / buddy.min_block_size()).trailing_zeros();
                Some(Piece { offset: block.offset, size: block.size, node: order })
            }
        }
    }

    /// Gives back what was taken at `offset`; answers the bytes freed, or `None`, and nothing has
    /// changed, if no live piece of this node starts there.
    pub fn free(&mut self, offset: u64, node: u32) -> Option<u64> {
        match self {
            Self::Buddy(buddy) => {
                let size = buddy
                    .min_block_size()
                    .checked_shl(node)
                    .filter(|size| size >> node == buddy.min_block_size())?;
                buddy.free(BuddyBlock { offset, size }).ok()?;
                Some(size)
            }
        }
    }

    /// Whether a search for `needed` bytes (see [`Algorithm::needed`]) can succeed. O(1).
    #[must_use]
    pub fn may_hold(&self, needed: u64) -> bool {
        match self {
            Self::Buddy(buddy) => buddy.largest_free_block() >= needed,
        }
    }

    /// Offsets and bytes of the live pieces, in address order.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        match self {
            Self::Buddy(buddy) => buddy.taken_blocks().map(|block| (block.offset, block.size)),
        }
    }
}

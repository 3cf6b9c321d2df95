//! What a region answers about itself, without changing.

use core::fmt;

use super::BuddyAllocator;
use crate::block::BuddyStats;
use crate::iter::{FreeBlocks, TakenBlocks};
use crate::storage::Storage;
use crate::validate::{Corruption, validate};

impl<S: Storage> BuddyAllocator<S> {
    /// The counters of this region.
    #[inline]
    #[must_use]
    pub fn stats(&self) -> BuddyStats {
        self.stats
    }

    /// The free blocks in address order. No two of them are buddies, as those would be merged.
    ///
    /// # Complexity
    ///
    /// A whole walk takes a step for each free or taken block and for each order of it.
    #[must_use]
    pub fn free_blocks(&self) -> FreeBlocks<'_> {
        FreeBlocks::new(self.tree.words(), self.tree.layout())
    }

    /// The live allocations in address order, as the blocks that were handed out.
    ///
    /// # Complexity
    ///
    /// That of [`free_blocks`](Self::free_blocks).
    #[must_use]
    pub fn taken_blocks(&self) -> TakenBlocks<'_> {
        TakenBlocks::new(self.tree.words(), self.tree.layout())
    }

    /// The size of the largest free block in bytes; 0 when the region is full.
    ///
    /// # Complexity
    ///
    /// Constant: the highest bit of a mask.
    #[inline]
    #[must_use]
    pub fn largest_free_block(&self) -> u64 {
        match self.tree.free_orders().checked_ilog2() {
            Some(order) => self.tree.layout().block_size(order),
            None => 0,
        }
    }

    /// The bytes this region manages: the size it was made with, less a tail shorter than a
    /// minimum block.
    #[inline]
    #[must_use]
    pub fn total_size(&self) -> u64 {
        self.stats.total_size
    }

    /// The size of the smallest block in bytes, a power of two.
    #[inline]
    #[must_use]
    pub fn min_block_size(&self) -> u64 {
        self.tree.layout().block_size(0)
    }

    /// Whether no allocation is live.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stats.allocation_count == 0
    }

    /// Checks every invariant of the region's own bits and counters. For tests.
    ///
    /// # Errors
    ///
    /// The first contradiction found. It means a defect of this crate, or words that somebody
    /// else has written to; the region is of no use any more.
    ///
    /// # Complexity
    ///
    /// Linear in the number of minimum blocks.
    pub fn validate(&self) -> Result<(), Corruption> {
        validate(&self.tree, &self.stats)
    }
}

impl<S: Storage> fmt::Debug for BuddyAllocator<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BuddyAllocator")
            .field("min_block_size", &self.min_block_size())
            .field("largest_free_block", &self.largest_free_block())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

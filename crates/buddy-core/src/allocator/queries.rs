//! What a region answers about itself, without changing.

use core::fmt;

use super::BuddyAllocator;
use crate::block::BuddyStats;
use crate::fragmentation::Fragmentation;
use crate::iter::{FreeBlocks, TakenBlocks, Walk};
use crate::layout::ORDER_COUNT;
use crate::map::RegionMap;
use crate::storage::Storage;
use crate::validate::{Corruption, validate};
use crate::view::Merged;

impl<S: Storage, const ORDERS: usize> BuddyAllocator<S, ORDERS> {
    /// The counters of this region.
    ///
    /// # Complexity
    ///
    /// At most a step for each order, while a block waits.
    #[must_use]
    pub fn stats(&self) -> BuddyStats {
        self.counters.stats(self.total_size(), self.merged())
    }

    /// The bytes of all live allocations. O(1).
    #[inline]
    #[must_use]
    pub fn allocated_size(&self) -> u64 {
        self.counters.allocated_size()
    }

    /// The live allocations. O(1).
    #[inline]
    #[must_use]
    pub fn allocation_count(&self) -> u64 {
        self.counters.allocation_count
    }

    /// What the waiting block would become if it were merged.
    #[inline]
    pub(super) fn merged(&self) -> Option<Merged> {
        self.tree.bits().merged(self.waiting)
    }

    /// The free blocks in address order. No two of them are buddies, as those would be merged.
    ///
    /// # Complexity
    ///
    /// A whole walk takes a step for each free or taken block and for each order of it.
    #[must_use]
    pub fn free_blocks(&self) -> FreeBlocks<'_> {
        FreeBlocks { walk: Walk::new(self.tree.bits(), self.merged()) }
    }

    /// The live allocations in address order, as the blocks that were handed out.
    ///
    /// # Complexity
    ///
    /// That of [`free_blocks`](Self::free_blocks).
    #[must_use]
    pub fn taken_blocks(&self) -> TakenBlocks<'_> {
        TakenBlocks { walk: Walk::new(self.tree.bits(), self.merged()) }
    }

    /// The size of the largest free block in bytes; 0 when the region is full.
    ///
    /// # Complexity
    ///
    /// At most a step for each order, while a block waits.
    #[inline]
    #[must_use]
    pub fn largest_free_block(&self) -> u64 {
        let layout = self.tree.layout();
        self.largest_free_order().map_or(0, |order| layout.block_size(order))
    }

    /// How the free bytes lie: how many blocks of each size, and what share is of no use for a
    /// request.
    ///
    /// # Complexity
    ///
    /// A step for each order.
    #[must_use]
    pub fn fragmentation(&self) -> Fragmentation {
        let bits = self.tree.bits();
        let mut free_counts = [0; ORDER_COUNT];
        for (count, order) in free_counts.iter_mut().zip(bits.orders) {
            *count = order.free_count;
        }
        if let Some(merged) = self.merged() {
            // Each merge uses up the free buddy of its order; the outcome is one more.
            let first = merged.order - merged.merge_count;
            for order in first..merged.order {
                free_counts[order as usize] -= 1;
            }
            free_counts[merged.order as usize] += 1;
        }
        Fragmentation { free_counts, min_shift: bits.layout.min_shift() }
    }

    /// A picture of the region for people, 85 columns wide, by its `Display`.
    ///
    /// Each row starts with its offset and has 64 cells, of a power of two times the minimum
    /// block size each, so that there are 16 rows at most.
    ///
    /// # Complexity
    ///
    /// Showing it is a whole walk over the live allocations.
    ///
    /// # Examples
    ///
    /// ```
    /// use buddy_core::BuddyAllocator;
    ///
    /// let mut region = BuddyAllocator::new(64 * 1024, 256)?;
    /// region.allocate(3000)?;
    /// region.allocate(32 * 1024)?;
    /// let picture = region.map().to_string();
    /// let mut rows = picture.lines();
    /// let first = "0x0000000000000000 |################";
    /// assert!(rows.next().unwrap().starts_with(first));
    /// assert_eq!(rows.last(), Some("256 bytes a cell: . free  - up to half  + more  # taken"));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn map(&self) -> RegionMap<'_> {
        RegionMap {
            taken: self.taken_blocks(),
            total_size: self.total_size(),
            min_block_size: self.min_block_size(),
        }
    }

    /// The bytes this region manages: the size it was made with, less a tail shorter than a
    /// minimum block.
    #[inline]
    #[must_use]
    pub fn total_size(&self) -> u64 {
        self.tree.layout().total_size()
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
        self.counters.allocation_count == 0
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
        validate(&self.tree, self.waiting, &self.counters)
    }
}

impl<S: Storage, const ORDERS: usize> fmt::Debug for BuddyAllocator<S, ORDERS> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BuddyAllocator")
            .field("min_block_size", &self.min_block_size())
            .field("largest_free_block", &self.largest_free_block())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

//! Growing and shrinking a live block where it is.

use super::BuddyAllocator;
use crate::block::BuddyBlock;
use crate::error::ResizeError;
use crate::storage::Storage;
use crate::tree::Steps;

impl<S: Storage, const ORDERS: usize> BuddyAllocator<S, ORDERS> {
    /// Makes a live block larger or smaller without moving it.
    ///
    /// The block returned starts where `block` does, has the size
    /// [`allocate`](Self::allocate) would give a request of `new_size` bytes, and takes the place
    /// of `block`, which is no longer live. Shrinking frees the tail. Growing needs the bytes
    /// behind the block to be free, up to the new size, and the offset to be where
    /// [`allocate`](Self::allocate) could place that size: a multiple of the power of two that it
    /// rounds up to, with as many bytes inside the region.
    ///
    /// In the counters, the bytes a block grows by are handed out, those it shrinks by are freed,
    /// each doubling is a merge and each halving a split. Where sizes are trimmed, the splits and
    /// merges are those of the pieces.
    ///
    /// # Errors
    ///
    /// - [`ResizeError::InvalidSize`]: the new size is zero, or larger than the region. Do not
    ///   retry.
    /// - [`ResizeError::NotAllocated`]: no live allocation is exactly `block`, as for
    ///   [`free`](Self::free). This is a defect of the caller.
    /// - [`ResizeError::NoRoom`]: the block cannot grow where it is. Allocate another one and
    ///   move what it holds, or keep to the old size.
    /// - [`ResizeError::OutOfHostMemory`]: the host refused the memory for `Paged` words. With
    ///   other storage this does not happen, and shrinking always succeeds.
    ///
    /// On error the region is unchanged, and `block` is as live as it was.
    ///
    /// # Complexity
    ///
    /// A step for each order and for each free block that is taken in, of which there are at most
    /// two of each order; independent of the number of live allocations.
    ///
    /// # Examples
    ///
    /// ```
    /// use buddy_core::{BuddyAllocator, BuddyBlock, ResizeError};
    ///
    /// let mut region = BuddyAllocator::new(8192, 1024)?;
    /// let block = region.allocate(1024)?;
    /// let block = region.resize(block, 4000)?;
    /// assert_eq!(block, BuddyBlock { offset: 0, size: 4096 });
    ///
    /// let neighbour = region.allocate(1024)?;
    /// assert_eq!(
    ///     region.resize(block, 5000),
    ///     Err(ResizeError::NoRoom { offset: 0, size: 4096, new_size: 5000 })
    /// );
    /// assert_eq!(region.resize(block, 100)?.size, 1024);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn resize(&mut self, block: BuddyBlock, new_size: u64) -> Result<BuddyBlock, ResizeError> {
        let BuddyBlock { offset, size } = block;
        let layout = self.tree.layout();
        let (min_shift, total_size) = (layout.min_shift(), layout.total_size());
        if new_size == 0 || new_size > total_size {
            return Err(ResizeError::InvalidSize { size: new_size, total_size });
        }
        if !self.is_live(block) {
            return Err(ResizeError::NotAllocated { offset, size });
        }
        let (start, length) = (offset >> min_shift, size >> min_shift);
        let order = layout.order_for(new_size);
        // A region has at most 2^40 minimum blocks, so the order is at most 40.
        let new_length =
            if layout.trims() { ((new_size - 1) >> min_shift) + 1 } else { 1 << order };
        let steps = if new_length > length {
            // A size of the region or less may round up to an order that the region has not.
            let can_start = order <= layout.top_order()
                && start & ((1 << order) - 1) == 0
                && start >> order < layout.order_block_count(order);
            let run = can_start
                .then(|| {
                    self.tree.bits().free_run(start + length, start + new_length, self.merged())
                })
                .flatten();
            let last_order = run.ok_or(ResizeError::NoRoom { offset, size, new_size })?;
            self.grow(start, length, new_length, last_order)
        } else {
            self.shrink(start, length, new_length)
        };
        let steps = steps.ok_or(ResizeError::OutOfHostMemory { size: new_size })?;
        // The new block lies inside the region, so its size is at most the total size.
        let new_size = new_length << min_shift;
        self.counters.count_resized(size, new_size, steps);
        Ok(BuddyBlock { offset, size: new_size })
    }

    /// Whether a block is exactly a live allocation.
    fn is_live(&self, BuddyBlock { offset, size }: BuddyBlock) -> bool {
        let layout = self.tree.layout();
        let is_taken = if layout.trims() {
            self.taken_extent(offset, size).is_some()
        } else {
            self.taken_block(offset, size).is_some()
        };
        // What waits is a block, so no allocation but itself starts where it does.
        is_taken && self.waiting.offset != offset
    }

    /// Grows an extent over the free blocks behind it, of which the last is of `last_order`.
    /// `None`, and nothing has changed, if the host refuses the words.
    fn grow(&mut self, start: u64, length: u64, new_length: u64, last_order: u32) -> Option<Steps> {
        if self.tree.words().is_sparse() && !self.tree.prepare_splits(last_order, start, new_length)
        {
            return None;
        }
        if !self.waiting.is_none() {
            // It may be one of the free blocks, or part of one.
            self.merge_waiting();
        }
        Some(self.tree.grow(start, length, new_length))
    }

    /// Shrinks an extent, or leaves it as long as it is. `None`, and nothing has changed, if the
    /// host refuses the words.
    fn shrink(&mut self, start: u64, length: u64, new_length: u64) -> Option<Steps> {
        if self.tree.words().is_sparse() && !self.tree.prepare_shrink(start, length, new_length) {
            return None;
        }
        Some(self.tree.shrink(start, length, new_length))
    }
}

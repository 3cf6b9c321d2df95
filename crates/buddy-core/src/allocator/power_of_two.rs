//! Allocating and freeing where sizes are rounded to powers of two: the short way that nearly
//! every call takes, and all others.
//!
//! Basic design: the short way is compiled into the caller, for one layer of summaries, as
//! regions of up to 2^18 minimum blocks have. Whatever else there may be is found out by few
//! comparisons before anything changes, and left to functions that start over. What the short way
//! itself calls (a split, a merge) does the rest of the work, its counting included, so that
//! hardly anything has to be kept in registers or on the stack across a call.

use super::{BuddyAllocator, Placed, is_alignment};
use crate::block::BuddyBlock;
use crate::layout::ANY_LAYERS;
use crate::storage::Storage;
use crate::tree::Taken;
use crate::waiting::Waiting;

impl<S: Storage, const ORDERS: usize> BuddyAllocator<S, ORDERS> {
    /// [`place`](Self::place) for a request that can go the short way; `None`, and nothing has
    /// changed, for all others.
    #[inline(always)]
    pub(super) fn place_shortly(&mut self, size: u64, alignment: u64) -> Option<BuddyBlock> {
        let layout = self.tree.layout();
        // Zero wraps around to the largest number.
        if size.wrapping_sub(1) >= layout.usual_size() || self.tree.words().is_sparse() {
            return None;
        }
        // At most one above the top order.
        let order = layout.order_for(size);
        if !is_alignment(alignment) || alignment.wrapping_sub(1) >> layout.min_shift() >> order != 0
        {
            return None;
        }
        if self.waiting.order == order {
            return Some(self.hand_out_waiting(order));
        }
        self.tree.has_free(order).then(|| self.place_block::<1>(order))
    }

    /// Hands out the block that waits, which is of `order`.
    #[inline(always)]
    pub(super) fn hand_out_waiting(&mut self, order: u32) -> BuddyBlock {
        let size = self.tree.layout().block_size(order);
        let offset = self.take_waiting();
        self.counters.count_taken(size);
        BuddyBlock { offset, size }
    }

    /// Has nothing wait any more. Returns the offset of the block that did.
    #[inline(always)]
    pub(super) fn take_waiting(&mut self) -> u64 {
        let offset = self.waiting.offset;
        self.waiting.order = Waiting::NONE.order;
        self.waiting.offset = Waiting::NONE.offset;
        offset
    }

    /// Reserves a block; `None`, and nothing has changed, if the request has to be refused.
    ///
    /// Cold only for who has it compiled in beside the short way, which saves no registers for it.
    #[cold]
    #[inline(never)]
    pub(super) fn place(&mut self, size: u64, alignment: u64) -> Option<Placed> {
        let layout = self.tree.layout();
        // Zero wraps around to the largest number.
        if size.wrapping_sub(1) >= layout.total_size() || !is_alignment(alignment) {
            return None;
        }
        if layout.trims() {
            return self.place_trimmed(size, alignment);
        }
        let order = layout.order_for(size);
        let search_order = layout.order_for(size.max(alignment));
        if search_order == order && self.waiting.order == order {
            return Placed::new(self.hand_out_waiting(order));
        }
        if search_order > order || !self.tree.has_free(order) || self.tree.words().is_sparse() {
            let index = self.split_for(search_order, order, 1 << order)?;
            return Placed::new(self.hand_out(order, index));
        }
        let block = match layout.layer_count() {
            1 => self.place_block::<1>(order),
            2 => self.place_block::<2>(order),
            _ => self.place_block::<ANY_LAYERS>(order),
        };
        Placed::new(block)
    }

    /// Hands out a block of `order` out of the lowest of the smallest order that has a free block,
    /// which there is.
    #[inline(always)]
    pub(super) fn place_block<const LAYERS: u32>(&mut self, order: u32) -> BuddyBlock {
        let (found_order, index) = self.tree.take_lowest::<LAYERS>(order);
        if found_order > order {
            return self.place_part::<LAYERS>(index, found_order, order);
        }
        self.hand_out(order, index)
    }

    /// Splits the block that was taken, of `found_order`, down to `order`, and hands that out.
    #[inline(never)]
    fn place_part<const LAYERS: u32>(
        &mut self,
        index: u64,
        found_order: u32,
        order: u32,
    ) -> BuddyBlock {
        self.counters.split_count += u64::from(found_order - order);
        let index = self.tree.split::<LAYERS>(index, found_order, order, order);
        self.hand_out(order, index)
    }

    /// Counts a block that was taken.
    #[inline(always)]
    fn hand_out(&mut self, order: u32, index: u64) -> BuddyBlock {
        let layout = self.tree.layout();
        // The block lies inside the region, so neither is above the total size.
        let size = layout.block_size(order);
        let offset = index << (layout.min_shift() + order);
        self.counters.count_taken(size);
        BuddyBlock { offset, size }
    }

    /// Takes a block of `order` out of a free one of `search_order` or above, to be trimmed to
    /// `length` minimum blocks.
    #[inline(always)]
    pub(super) fn split_for(&mut self, search_order: u32, order: u32, length: u64) -> Option<u64> {
        if search_order > self.tree.layout().top_order() {
            return None;
        }
        if !self.tree.has_free(search_order) {
            self.merge_waiting_for(search_order)?;
        }
        if self.tree.words().is_sparse() && !self.tree.prepare(search_order, length) {
            return None;
        }
        let Taken { index, split_count } = self.tree.take(search_order, order);
        self.counters.split_count += u64::from(split_count);
        Some(index)
    }

    /// Merges the block that waits, if a free block of `order` or above comes of it; `None`, and
    /// nothing has changed, if not.
    #[cold]
    #[inline(never)]
    fn merge_waiting_for(&mut self, order: u32) -> Option<()> {
        self.merged().filter(|merged| merged.order >= order)?;
        self.merge_waiting();
        Some(())
    }

    /// Frees what `offset` and `size` name; `false`, and nothing has changed, if that is not
    /// exactly a live allocation.
    #[inline(always)]
    pub(super) fn take_back(&mut self, offset: u64, size: u64) -> bool {
        let layout = self.tree.layout();
        match layout.block_of(offset, size, layout.usual_waiting_size()) {
            Some((order, index)) => {
                self.tree.bits().is_taken(order, index) && self.have_wait::<1>(offset, size, order)
            }
            None => self.take_back_unusual(offset, size),
        }
    }

    /// [`take_back`](Self::take_back) where the region is of an unusual size, or trims.
    #[cold]
    #[inline(never)]
    fn take_back_unusual(&mut self, offset: u64, size: u64) -> bool {
        if self.tree.layout().trims() {
            return self.take_back_trimmed(offset, size);
        }
        let Some((order, index)) = self.taken_block(offset, size) else {
            return false;
        };
        if !self.tree.layout().waits() {
            self.counters.count_freed(size);
            self.counters.merge_count += u64::from(self.tree.give(order, index));
            return true;
        }
        match self.tree.layout().layer_count() {
            1 => self.have_wait::<1>(offset, size, order),
            2 => self.have_wait::<2>(offset, size, order),
            _ => self.have_wait::<ANY_LAYERS>(offset, size, order),
        }
    }

    /// Frees a block of `order` that is taken, which waits from here on, and merges the one that
    /// did so far. `false`, and nothing has changed, if they are the same.
    #[inline(always)]
    fn have_wait<const LAYERS: u32>(&mut self, offset: u64, size: u64, order: u32) -> bool {
        if self.waiting.offset == offset {
            return false;
        }
        let merged_order = self.waiting.order;
        let merged_index = self.waiting.index(self.tree.layout());
        (self.waiting.order, self.waiting.offset) = (order, offset);
        self.counters.count_freed(size);
        if !self.tree.release::<LAYERS>(merged_order, merged_index) {
            self.merge::<LAYERS>(merged_order, merged_index);
        }
        true
    }

    /// Merges a block that was given back, whose buddy is free.
    #[inline(never)]
    fn merge<const LAYERS: u32>(&mut self, order: u32, index: u64) {
        let merge_count = self.tree.merge::<LAYERS>(order, index);
        self.counters.merge_count += u64::from(merge_count);
    }

    /// The order and index of the block that `offset` and `size` name, if the bits have it as
    /// taken: it is a live allocation, or waits.
    #[inline(always)]
    pub(super) fn taken_block(&self, offset: u64, size: u64) -> Option<(u32, u64)> {
        let layout = self.tree.layout();
        let (order, index) = layout.block_of(offset, size, layout.total_size())?;
        self.tree.bits().is_taken(order, index).then_some((order, index))
    }
}

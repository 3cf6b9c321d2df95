//! Allocating and freeing where sizes are rounded to minimum blocks only; see `extent.rs`.

use core::num::NonZeroU64;

use super::{BuddyAllocator, Placed};
use crate::extent::pieces;
use crate::storage::Storage;
use crate::waiting::Waiting;

impl<S: Storage, const ORDERS: usize> BuddyAllocator<S, ORDERS> {
    /// [`place`](Self::place) in a region that trims. The size and the alignment are checked.
    #[inline(never)]
    pub(super) fn place_trimmed(&mut self, size: u64, alignment: u64) -> Option<Placed> {
        let layout = self.tree.layout();
        let min_shift = layout.min_shift();
        // Cannot overflow: the size is within 1 ..= total size.
        let length = ((size - 1) >> min_shift) + 1;
        let order = layout.order_for(size);
        let search_order = layout.order_for(size.max(alignment));
        let is_block = length.is_power_of_two();
        let index = if is_block && self.waiting.order == order && search_order == order {
            self.take_waiting() >> (min_shift + order)
        } else {
            let index = self.split_for(search_order, order, length)?;
            let start = index << order;
            self.counters.split_count += u64::from(self.tree.trim(order, start, length));
            self.tree.set_head(start, true);
            index
        };
        // The extent lies inside the region, so both are at most the total size.
        let size = NonZeroU64::new(length << min_shift)?;
        self.counters.count_taken(size.get());
        Some(Placed { offset: (index << order) << min_shift, size })
    }

    /// [`take_back`](Self::take_back) in a region that trims.
    #[inline(never)]
    pub(super) fn take_back_trimmed(&mut self, offset: u64, size: u64) -> bool {
        let Some((start, length)) = self.taken_extent(offset, size) else {
            return false;
        };
        if self.tree.layout().waits() && length.is_power_of_two() {
            if self.waiting.offset == offset {
                return false;
            }
            let order = self.tree.layout().order_for(size);
            let merged = core::mem::replace(&mut self.waiting, Waiting { order, offset });
            if !merged.is_none() {
                let index = merged.index(self.tree.layout());
                self.merge_extent(index << merged.order, 1 << merged.order);
            }
        } else {
            self.merge_extent(start, length);
        }
        self.counters.count_freed(size);
        true
    }

    /// The first minimum block and the length of the extent that `offset` and `size` name, if the
    /// bits have it as taken: it is a live allocation, or waits.
    pub(super) fn taken_extent(&self, offset: u64, size: u64) -> Option<(u64, u64)> {
        let layout = self.tree.layout();
        let min_shift = layout.min_shift();
        let total_size = layout.total_size();
        let is_inside = size != 0 && size <= total_size && offset <= total_size - size;
        if !is_inside || (offset | size) & (layout.block_size(0) - 1) != 0 {
            return None;
        }
        let (start, length) = (offset >> min_shift, size >> min_shift);
        let is_aligned = start & ((1 << layout.order_for(size)) - 1) == 0;
        (is_aligned && self.tree.bits().is_extent(start, length)).then_some((start, length))
    }

    /// Gives an extent back, piece by piece, the smallest first.
    fn merge_extent(&mut self, start: u64, length: u64) {
        self.tree.set_head(start, false);
        for (order, index) in pieces(start, length) {
            self.counters.merge_count += u64::from(self.tree.give(order, index));
        }
    }
}

//! Blocks named by their order, for who knows it: the way through bytes and back is left out.

use super::BuddyAllocator;
use crate::storage::Storage;

impl<S: Storage, const ORDERS: usize> BuddyAllocator<S, ORDERS> {
    /// Reserves a block of [`min_block_size`](Self::min_block_size)` << order` bytes; answers its
    /// offset. The same as [`allocate`](Self::allocate) of that size, but for the answer.
    ///
    /// `None`, and the region is unchanged, if no free block is large enough now, or ever.
    ///
    /// # Complexity
    ///
    /// That of [`allocate`](Self::allocate).
    ///
    /// # Examples
    ///
    /// ```
    /// use buddy_core::BuddyAllocator;
    ///
    /// let mut region = BuddyAllocator::new(1 << 20, 256)?;
    /// let offset = region.allocate_order(2).expect("the region is empty");
    /// assert_eq!(region.stats().allocated_size, 1024);
    /// assert!(region.free_order(offset, 2));
    /// assert_eq!(region.largest_free_order(), Some(12));
    /// # Ok::<(), buddy_core::ConfigError>(())
    /// ```
    #[inline(always)]
    pub fn allocate_order(&mut self, order: u32) -> Option<u64> {
        let layout = self.tree.layout();
        let is_usual = layout.usual_size() != 0 && !self.tree.words().is_sparse();
        if is_usual && order <= layout.top_order() {
            if self.waiting.order == order {
                return Some(self.hand_out_waiting(order).offset);
            }
            if self.tree.has_free(order) {
                return Some(self.place_block::<1>(order).offset);
            }
        }
        self.place_order(order)
    }

    /// [`allocate_order`](Self::allocate_order) of a region of any kind.
    #[cold]
    #[inline(never)]
    fn place_order(&mut self, order: u32) -> Option<u64> {
        let layout = self.tree.layout();
        if order > layout.top_order() {
            return None;
        }
        let size = layout.block_size(order);
        Some(self.place(size, 1)?.offset)
    }

    /// Gives back the block of [`min_block_size`](Self::min_block_size)` << order` bytes at `offset`.
    /// The same as [`free`](Self::free) of that block, but for the answer.
    ///
    /// `false`, and the region is unchanged, if no live allocation has this offset and order.
    ///
    /// # Complexity
    ///
    /// That of [`free`](Self::free).
    #[inline(always)]
    #[must_use = "the block may not have been allocated"]
    pub fn free_order(&mut self, offset: u64, order: u32) -> bool {
        let layout = self.tree.layout();
        order <= layout.top_order() && self.take_back(offset, layout.block_size(order))
    }

    /// Whether a live allocation of [`min_block_size`](Self::min_block_size)` << order` bytes starts at
    /// `offset`: whether [`free_order`](Self::free_order) would take it back.
    ///
    /// # Complexity
    ///
    /// O(1); in a region that trims, one step for each 64 minimum blocks of the allocation.
    #[inline]
    #[must_use]
    pub fn is_allocated(&self, offset: u64, order: u32) -> bool {
        let layout = self.tree.layout();
        if order > layout.top_order() || self.waiting.offset == offset {
            return false;
        }
        let size = layout.block_size(order);
        match layout.block_of(offset, size, layout.usual_size()) {
            Some((order, index)) => self.tree.bits().is_taken(order, index),
            None => self.is_allocated_unusual(offset, size),
        }
    }

    /// [`is_allocated`](Self::is_allocated) where the region is of an unusual size, or trims.
    #[cold]
    #[inline(never)]
    fn is_allocated_unusual(&self, offset: u64, size: u64) -> bool {
        if self.tree.layout().trims() {
            self.taken_extent(offset, size).is_some()
        } else {
            self.taken_block(offset, size).is_some()
        }
    }

    /// The order of the largest free block; `None` when the region is full. See
    /// [`largest_free_block`](Self::largest_free_block).
    ///
    /// # Complexity
    ///
    /// At most a step for each order, while a block waits.
    #[inline]
    #[must_use]
    pub fn largest_free_order(&self) -> Option<u32> {
        let largest_order = self.tree.free_orders().checked_ilog2();
        largest_order.max(self.merged().map(|merged| merged.order))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use rstest::rstest;

    use crate::{BuddyAllocator, BuddyBlock, BuddyConfig, Rounding};

    /// The same moves by order and by size, in two regions that are the same at every step.
    #[rstest]
    #[case::usual(1 << 20, Rounding::PowerOfTwo, true)]
    #[case::without_waiting(1 << 20, Rounding::PowerOfTwo, false)]
    #[case::odd_size((1 << 20) - 256 * 3, Rounding::PowerOfTwo, true)]
    #[case::trimmed((1 << 20) - 256 * 3, Rounding::Trimmed, true)]
    #[case::two_layers(1 << 28, Rounding::PowerOfTwo, true)]
    fn orders_and_sizes_name_the_same_blocks(
        #[case] total_size: u64,
        #[case] rounding: Rounding,
        #[case] waiting: bool,
    ) {
        let config = BuddyConfig { rounding, waiting, ..BuddyConfig::new(total_size, 256) };
        let mut by_order = BuddyAllocator::with_config(config).unwrap();
        let mut by_size = by_order.clone();
        let mut live: Vec<(u64, u32)> = Vec::new();
        let (mut state, mut refused) = (0x9e37_79b9_u64, 0);
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let order = u32::try_from((state >> 33) % 24).unwrap();
            if state >> 63 == 0 || live.is_empty() {
                let offset = by_order.allocate_order(order);
                let block = by_size.allocate(256_u64 << order).ok();
                assert_eq!(offset, block.map(|block| block.offset), "order {order}");
                live.extend(offset.map(|offset| (offset, order)));
                refused += u32::from(offset.is_none());
            } else {
                let (offset, order) = live.swap_remove((state >> 40) as usize % live.len());
                assert!(!by_order.is_allocated(offset, order + 1));
                assert!(!by_order.is_allocated(offset + 1, order));
                assert!(by_order.is_allocated(offset, order));
                assert!(!by_order.free_order(offset, order + 1));
                assert!(by_order.free_order(offset, order));
                assert!(!by_order.is_allocated(offset, order), "it was freed, and may wait");
                assert!(!by_order.free_order(offset, order), "it was freed");
                by_size.free(BuddyBlock { offset, size: 256 << order }).unwrap();
            }
            let largest = by_order.largest_free_order().map_or(0, |order| 256 << order);
            assert_eq!(largest, by_size.largest_free_block());
        }
        assert_eq!(by_order.stats(), by_size.stats());
        by_order.validate().unwrap();
        assert!(refused > 0, "full regions were met too");
    }

    #[test]
    fn orders_above_the_region_are_refused() {
        let mut region = BuddyAllocator::new(1 << 20, 256).unwrap();
        for order in [13, 40, 41, 63, 64, u32::MAX] {
            assert_eq!(region.allocate_order(order), None);
            assert!(!region.free_order(0, order));
            assert!(!region.is_allocated(0, order));
        }
        assert!(region.is_empty());
    }
}

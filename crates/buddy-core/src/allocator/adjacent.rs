//! Several blocks of one order at once, where one would be split off after the other.

use super::BuddyAllocator;
use crate::storage::Storage;

/// As many have their bits in one word.
const MOST_LOG: u32 = 6;

/// Blocks of one order that were reserved at once and lie one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Adjacent {
    /// Where the first one starts, in bytes.
    pub offset: u64,
    /// How many there are: a power of two.
    pub count: u32,
}

impl<S: Storage, const ORDERS: usize> BuddyAllocator<S, ORDERS> {
    /// Reserves blocks of [`min_block_size`](Self::min_block_size)` << order` bytes: as many as the next
    /// free block is split into anyway, up to `1 << most_log` or 64, and at least one. The region is then as
    /// if [`allocate_order`](Self::allocate_order) had been called so often, and each block is freed by
    /// itself.
    ///
    /// There is one where a block of this order is free, or waits; and in a region that trims, is paged or
    /// has more than 2^18 minimum blocks.
    ///
    /// `None`, and the region is unchanged, if no free block is large enough now, or ever.
    ///
    /// # Complexity
    ///
    /// That of [`allocate`](Self::allocate), and a step for each power of two of the count.
    ///
    /// # Examples
    ///
    /// ```
    /// use buddy_core::{Adjacent, BuddyAllocator};
    ///
    /// let mut region = BuddyAllocator::new(1 << 20, 256)?;
    /// let four = region.allocate_adjacent(1, 2).expect("the region is empty");
    /// assert_eq!(four, Adjacent { offset: 0, count: 4 });
    /// assert_eq!(region.stats().allocated_size, 4 * 512);
    /// assert!(region.free_order(512, 1));
    /// let there = region.allocate_adjacent(1, 2).expect("one of them is free");
    /// assert_eq!(there, Adjacent { offset: 512, count: 1 });
    /// # Ok::<(), buddy_core::ConfigError>(())
    /// ```
    #[inline]
    pub fn allocate_adjacent(&mut self, order: u32, most_log: u32) -> Option<Adjacent> {
        let layout = self.tree.layout();
        let is_usual = layout.usual_size() != 0 && !self.tree.words().is_sparse();
        if !is_usual || order > layout.top_order() || self.waiting.order == order {
            let offset = self.allocate_order(order)?;
            return Some(Adjacent { offset, count: 1 });
        }
        // How far the next free block, which is the smallest, is above the order; 64 if there is none, or
        // only what waits. Words count fewer orders than that.
        let above = (self.tree.free_orders() >> order).trailing_zeros();
        let log = if above < u64::BITS { above.min(most_log).min(MOST_LOG) } else { 0 };
        if log == 0 {
            let offset = self.allocate_order(order)?;
            return Some(Adjacent { offset, count: 1 });
        }
        // Not what waits, though it may have just that order: a single block would not be that either.
        let offset = self.place_block::<1>(order + log).offset;
        let index = offset >> (self.tree.layout().min_shift() + order + log);
        self.tree.divide(order + log, index, order);
        // One of them is counted already.
        let others = (1u64 << log) - 1;
        self.counters.allocation_count += others;
        self.counters.split_count += others;
        Some(Adjacent { offset, count: 1 << log })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use rstest::rstest;

    use crate::{BuddyAllocator, BuddyConfig, Rounding};

    /// The same moves at once and one by one, in two regions that are the same at every step.
    #[rstest]
    #[case::usual(1 << 20, Rounding::PowerOfTwo, true)]
    #[case::without_waiting(1 << 20, Rounding::PowerOfTwo, false)]
    #[case::odd_size((1 << 20) - 256 * 3, Rounding::PowerOfTwo, true)]
    #[case::trimmed((1 << 20) - 256 * 3, Rounding::Trimmed, true)]
    #[case::two_layers(1 << 28, Rounding::PowerOfTwo, true)]
    fn several_at_once_are_several_one_by_one(
        #[case] total_size: u64,
        #[case] rounding: Rounding,
        #[case] waiting: bool,
    ) {
        let config = BuddyConfig { rounding, waiting, ..BuddyConfig::new(total_size, 256) };
        let mut at_once = BuddyAllocator::with_config(config).unwrap();
        let mut one_by_one = at_once.clone();
        let mut live: Vec<(u64, u32)> = Vec::new();
        let (mut state, mut refused, mut most) = (0x9e37_79b9_u64, 0, 0);
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let order = u32::try_from((state >> 33) % 15).unwrap();
            let most_log = u32::try_from((state >> 50) % 9).unwrap();
            // Several come at once, so more go.
            if (state >> 56) % 4 == 0 || live.is_empty() {
                let Some(row) = at_once.allocate_adjacent(order, most_log) else {
                    assert_eq!(one_by_one.allocate_order(order), None);
                    refused += 1;
                    continue;
                };
                most = most.max(row.count);
                assert!(row.count.is_power_of_two() && row.count <= 1 << most_log.min(6));
                for nth in 0..u64::from(row.count) {
                    let offset = row.offset + (nth << order) * 256;
                    assert_eq!(one_by_one.allocate_order(order), Some(offset));
                    live.push((offset, order));
                }
            } else {
                let (offset, order) = live.swap_remove((state >> 40) as usize % live.len());
                assert!(at_once.is_allocated(offset, order));
                assert!(at_once.free_order(offset, order));
                assert!(one_by_one.free_order(offset, order));
            }
            assert_eq!(at_once.stats(), one_by_one.stats());
            assert_eq!(at_once.largest_free_order(), one_by_one.largest_free_order());
        }
        at_once.validate().unwrap();
        assert!(at_once.free_blocks().eq(one_by_one.free_blocks()));
        assert!(at_once.taken_blocks().eq(one_by_one.taken_blocks()));
        let is_usual = total_size < 1 << 26 && matches!(rounding, Rounding::PowerOfTwo);
        assert_eq!(most >= 8, is_usual, "{most} at once");
        assert!(refused > 0 || total_size == 1 << 28, "full regions were met too");
    }

    #[test]
    fn orders_above_the_region_are_refused() {
        let mut region = BuddyAllocator::new(1 << 20, 256).unwrap();
        for order in [13, 41, 64, u32::MAX] {
            assert_eq!(region.allocate_adjacent(order, 3), None);
        }
        let whole = region.allocate_adjacent(12, 3).unwrap();
        assert_eq!((whole.offset, whole.count), (0, 1));
        assert_eq!(region.allocate_adjacent(0, 3), None);
    }
}

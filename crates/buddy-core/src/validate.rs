//! Every invariant of a region, checked bit by bit.
//!
//! Basic design: `tree.rs` states what the bits, the summaries and the mask mean; here each of
//! these sentences is a check that derives the answer anew, from the bits alone, and compares.
//! The counters come last, as they are sums over blocks that the bits must first agree on.

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::bits::{bit, free_pairs};
use crate::block::BuddyStats;
use crate::layout::Layout;
use crate::storage::sealed::Words;
use crate::tree::{Tree, pair_at};

/// A contradiction in the bits or counters of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Corruption {
    /// The bit behind an order's odd last block, which stands for what lies outside, is not set.
    #[error("the buddy outside the region of the last block of order {order} is not occupied")]
    OutsideFree {
        /// The order.
        order: u32,
    },
    /// A bit is set where the order has no block.
    #[error("order {order} has no block {index}, and yet its bit is set")]
    StrayBit {
        /// The order.
        order: u32,
        /// The index of the bit in the order.
        index: u64,
    },
    /// A child is occupied although its parent is not.
    #[error("block {index} of order {order} is not occupied, and yet it is split")]
    SplitButNotOccupied {
        /// The order of the parent.
        order: u32,
        /// The index of the parent in its order.
        index: u64,
    },
    /// A summary word does not tell which of the words below it have a free block.
    #[error(
        "word {word_index} of summary {layer} of order {order} is {recorded:#x}, not {derived:#x}"
    )]
    WrongSummary {
        /// The order.
        order: u32,
        /// The layer of summaries; 1 is the one above the order's own bits.
        layer: u32,
        /// The word within the layer.
        word_index: usize,
        /// What the word holds.
        recorded: u64,
        /// What it should hold.
        derived: u64,
    },
    /// The mask of orders does not tell which orders have a free block.
    #[error("the mask of orders with a free block is {recorded:#x}, not {derived:#x}")]
    WrongFreeOrders {
        /// The mask held.
        recorded: u64,
        /// The mask that follows from the bits.
        derived: u64,
    },
    /// A counter differs from what the bits or the other counters say.
    #[error("counter {counter:?} is {recorded}, not {derived}")]
    WrongCounter {
        /// The counter.
        counter: Counter,
        /// Its value.
        recorded: u64,
        /// What it should be; for the peak, the least it can be.
        derived: u64,
    },
}

/// A counter of [`BuddyStats`], for [`Corruption::WrongCounter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Counter {
    /// `total_size`, against the shape of the region.
    TotalSize,
    /// `allocated_size`, against the taken blocks.
    AllocatedSize,
    /// `allocation_count`, against the taken blocks.
    AllocationCount,
    /// `peak_allocated`, against `allocated_size`.
    PeakAllocated,
    /// `total_allocated`, against `total_freed` and `allocated_size`.
    TotalAllocated,
    /// `split_count`, against `merge_count` and the blocks that are split now.
    SplitCount,
}

/// Checks all of it, orders from the smallest up, then the mask, then the counters.
pub(crate) fn validate<S: Words>(tree: &Tree<S>, stats: &BuddyStats) -> Result<(), Corruption> {
    let mut free_orders = 0;
    for order in 0..=tree.layout().top_order() {
        check_edge(tree.words(), tree.layout(), order)?;
        if order > 0 {
            check_parents(tree.words(), tree.layout(), order)?;
        }
        if check_summaries(tree.words(), tree.layout(), order)? {
            free_orders |= 1 << order;
        }
    }
    if tree.free_orders() != free_orders {
        let recorded = tree.free_orders();
        return Err(Corruption::WrongFreeOrders { recorded, derived: free_orders });
    }
    check_counters(tree.words(), tree.layout(), stats)
}

/// The bits at the end of an order: the outside is occupied, and nothing lies behind it.
fn check_edge<S: Words>(words: &S, layout: &Layout, order: u32) -> Result<(), Corruption> {
    let count = layout.order_block_count(order);
    let first = layout.first_word(order);
    for word_index in 0..layout.order_word_count(order) {
        let word = words.word(first + word_index);
        let start = word_index as u64 * 64;
        for index in count.max(start)..start + 64 {
            let is_set = word & bit(index) != 0;
            let is_outside_buddy = index == count && count % 2 == 1;
            if is_outside_buddy && !is_set {
                return Err(Corruption::OutsideFree { order });
            }
            if !is_outside_buddy && is_set {
                return Err(Corruption::StrayBit { order, index });
            }
        }
    }
    Ok(())
}

/// Whoever is split is occupied.
fn check_parents<S: Words>(words: &S, layout: &Layout, order: u32) -> Result<(), Corruption> {
    for index in 0..layout.order_block_count(order) {
        if is_split(words, layout, order, index) && !is_occupied(words, layout, order, index) {
            return Err(Corruption::SplitButNotOccupied { order, index });
        }
    }
    Ok(())
}

/// The summaries of an order, layer by layer. Returns whether the order has a free block.
fn check_summaries<S: Words>(words: &S, layout: &Layout, order: u32) -> Result<bool, Corruption> {
    let mut start = layout.first_word(order);
    let mut count = layout.order_word_count(order);
    let mut layer = 0;
    // Whether a word of the layer below has a free block, by the meaning of that layer.
    let has_free = |layer: u32, word: u64| match layer {
        0 => free_pairs(word) != 0,
        _ => word != 0,
    };
    for _ in 0..layout.layer_count() {
        let above_start = start + count;
        let above_count = count.div_ceil(64);
        for word_index in 0..above_count {
            let below = word_index * 64..count.min(word_index * 64 + 64);
            let derived = below
                .filter(|&position| has_free(layer, words.word(start + position)))
                .fold(0, |mask, position| mask | 1 << (position % 64));
            let recorded = words.word(above_start + word_index);
            if recorded != derived {
                let layer = layer + 1;
                return Err(Corruption::WrongSummary {
                    order,
                    layer,
                    word_index,
                    recorded,
                    derived,
                });
            }
        }
        (start, count) = (above_start, above_count);
        layer += 1;
    }
    Ok(has_free(layer, words.word(start)))
}

/// The counters against the taken and split blocks.
fn check_counters<S: Words>(
    words: &S,
    layout: &Layout,
    stats: &BuddyStats,
) -> Result<(), Corruption> {
    let (mut taken_count, mut taken_size, mut split_count) = (0_u64, 0_u64, 0_u64);
    for order in 0..=layout.top_order() {
        for index in 0..layout.order_block_count(order) {
            if !is_occupied(words, layout, order, index) {
                continue;
            }
            if is_split(words, layout, order, index) {
                split_count += 1;
            } else {
                taken_count += 1;
                // Disjoint blocks of one region, so the sum is at most its size.
                taken_size += layout.block_size(order);
            }
        }
    }
    let flow = stats.total_freed.wrapping_add(taken_size);
    let splits = stats.merge_count.wrapping_add(split_count);
    let peak = stats.peak_allocated.max(taken_size);
    [
        (Counter::TotalSize, stats.total_size, layout.total_size()),
        (Counter::AllocatedSize, stats.allocated_size, taken_size),
        (Counter::AllocationCount, stats.allocation_count, taken_count),
        (Counter::PeakAllocated, stats.peak_allocated, peak),
        (Counter::TotalAllocated, stats.total_allocated, flow),
        (Counter::SplitCount, stats.split_count, splits),
    ]
    .into_iter()
    .find(|&(_, recorded, derived)| recorded != derived)
    .map_or(Ok(()), |(counter, recorded, derived)| {
        Err(Corruption::WrongCounter { counter, recorded, derived })
    })
}

/// Whether the bit of a block inside the region is set.
fn is_occupied<S: Words>(words: &S, layout: &Layout, order: u32, index: u64) -> bool {
    (pair_at(words, layout, order, index) >> (index & 1)) & 1 == 1
}

/// Whether the pair of a block's children is not 00. A minimum block has none.
fn is_split<S: Words>(words: &S, layout: &Layout, order: u32, index: u64) -> bool {
    order > 0 && pair_at(words, layout, order - 1, index * 2) != 0
}

//! Every invariant of a region, checked bit by bit.
//!
//! Basic design: `tree.rs` states what the bits, the summaries and the mask mean; here each of
//! these sentences is a check that derives the answer anew, from the bits alone, and compares.
//! The counters come last, as they are sums over blocks that the bits must first agree on.

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::bits::free_pairs;
use crate::counters::Counters;
use crate::storage::sealed::Words;
use crate::tree::Tree;
use crate::view::Bits;
use crate::waiting::Waiting;

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
    /// An order's root does not tell which words of the layer below it have a free block.
    #[error("the root of order {order} is {recorded:#x}, not {derived:#x}")]
    WrongRoot {
        /// The order.
        order: u32,
        /// What the root holds.
        recorded: u64,
        /// What it should hold.
        derived: u64,
    },
    /// The count of an order's free blocks is not their number.
    #[error("order {order} counts {recorded} free blocks, not {derived}")]
    WrongFreeCount {
        /// The order.
        order: u32,
        /// The count held.
        recorded: u64,
        /// The number that follows from the bits.
        derived: u64,
    },
    /// A minimum block is marked as the start of an allocation, and yet none starts there.
    #[error("minimum block {position} is marked as a start, and yet no allocation starts there")]
    StrayHead {
        /// The minimum block.
        position: u64,
    },
    /// Taken blocks lie where no allocation has its pieces.
    #[error("{length} taken minimum blocks from {start} are not the pieces of an allocation")]
    WrongPieces {
        /// The first minimum block.
        start: u64,
        /// The number of minimum blocks.
        length: u64,
    },
    /// The block that waits to be merged is not one that was taken.
    #[error("block {index} of order {order} waits to be merged, and yet it is not taken")]
    WaitingNotTaken {
        /// The order.
        order: u32,
        /// The index of the block in its order.
        index: u64,
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

/// A counter of [`BuddyStats`](crate::BuddyStats), for [`Corruption::WrongCounter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Counter {
    /// `allocated_size`, against the taken blocks.
    AllocatedSize,
    /// `allocation_count`, against the taken blocks.
    AllocationCount,
    /// `peak_allocated`, against `allocated_size`.
    PeakAllocated,
    /// `split_count`, against `merge_count` and the blocks that are split now.
    SplitCount,
}

/// Checks all of it, orders from the smallest up, then the mask, then the counters.
pub(crate) fn validate<S: Words, const ORDERS: usize>(
    tree: &Tree<S, ORDERS>,
    waiting: Waiting,
    counters: &Counters,
) -> Result<(), Corruption> {
    let bits = tree.bits();
    let mut free_orders = 0;
    for order in 0..=bits.layout.top_order() {
        check_edge(bits, order)?;
        check_parents(bits, order)?;
        check_summaries(bits, order)?;
        if check_free_count(bits, order)? {
            free_orders |= 1 << order;
        }
    }
    if tree.free_orders() != free_orders {
        let recorded = tree.free_orders();
        return Err(Corruption::WrongFreeOrders { recorded, derived: free_orders });
    }
    if bits.layout.trims() {
        check_extents(bits)?;
    }
    check_waiting(bits, waiting)?;
    check_counters(bits, waiting, counters)
}

/// The bits at the end of an order: the outside is occupied, and nothing lies behind it.
fn check_edge<S: Words>(bits: Bits<'_, S>, order: u32) -> Result<(), Corruption> {
    let count = bits.layout.order_block_count(order);
    let end = bits.layout.order_word_count(order) as u64 * 64;
    for index in count..end {
        let is_set = bits.is_occupied(order, index);
        let is_outside_buddy = index == count && count % 2 == 1;
        if is_outside_buddy && !is_set {
            return Err(Corruption::OutsideFree { order });
        }
        if !is_outside_buddy && is_set {
            return Err(Corruption::StrayBit { order, index });
        }
    }
    Ok(())
}

/// Whoever is split is occupied.
fn check_parents<S: Words>(bits: Bits<'_, S>, order: u32) -> Result<(), Corruption> {
    (0..bits.layout.order_block_count(order))
        .find(|&index| bits.is_split(order, index) && !bits.is_occupied(order, index))
        .map_or(Ok(()), |index| Err(Corruption::SplitButNotOccupied { order, index }))
}

/// The summaries of an order, layer by layer, and its root.
fn check_summaries<S: Words>(bits: Bits<'_, S>, order: u32) -> Result<(), Corruption> {
    let Bits { words, layout, orders } = bits;
    let state = &orders[order as usize];
    let (mut start, mut count) = (state.first_word, layout.order_word_count(order));
    // What a word of the layer above should hold of the words below it.
    let summary = |layer: u32, start: usize, count: usize, word_index: usize| {
        let has_free = |word: u64| if layer == 0 { free_pairs(word) != 0 } else { word != 0 };
        (word_index * 64..count.min(word_index * 64 + 64))
            .filter(|&position| has_free(words.word(start + position)))
            .fold(0, |mask, position| mask | 1 << (position % 64))
    };
    for layer in 0..layout.layer_count() {
        let (above_start, above_count) = (start + count, count.div_ceil(64));
        for word_index in 0..above_count {
            let derived = summary(layer, start, count, word_index);
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
    }
    let (recorded, derived) = (state.root, summary(layout.layer_count(), start, count, 0));
    if recorded != derived {
        return Err(Corruption::WrongRoot { order, recorded, derived });
    }
    Ok(())
}

/// The count of an order's free blocks. Returns whether there are any.
fn check_free_count<S: Words>(bits: Bits<'_, S>, order: u32) -> Result<bool, Corruption> {
    let first = bits.orders[order as usize].first_word;
    let derived = (0..bits.layout.order_word_count(order))
        .map(|position| u64::from(free_pairs(bits.words.word(first + position)).count_ones()))
        .sum();
    let recorded = bits.orders[order as usize].free_count;
    if recorded != derived {
        return Err(Corruption::WrongFreeCount { order, recorded, derived });
    }
    Ok(derived > 0)
}

/// The taken blocks are the pieces of extents, each with its head, and there are no other heads.
fn check_extents<S: Words>(bits: Bits<'_, S>) -> Result<(), Corruption> {
    let end = bits.layout.order_word_count(0) as u64 * 64;
    let mut position = 0;
    while position < bits.layout.block_count() {
        let start = position;
        // A block is there, as the bits were found to agree on where blocks are.
        let is_taken = bits.block_at(position).is_some_and(|(_, is_taken)| is_taken);
        loop {
            position += bits.block_at(position).map_or(1, |(order, _)| 1 << order);
            if !is_taken || !bits.is_continued(position) {
                break;
            }
        }
        let length = position - start;
        if is_taken && !(bits.is_head(start) && bits.is_extent(start, length)) {
            return Err(Corruption::WrongPieces { start, length });
        }
        let stray = (start + u64::from(is_taken)..position).find(|&inner| bits.is_head(inner));
        if let Some(position) = stray {
            return Err(Corruption::StrayHead { position });
        }
    }
    (position..end)
        .find(|&position| bits.is_head(position))
        .map_or(Ok(()), |position| Err(Corruption::StrayHead { position }))
}

/// The waiting block lies inside the region and is taken in the bits.
fn check_waiting<S: Words>(bits: Bits<'_, S>, waiting: Waiting) -> Result<(), Corruption> {
    if waiting.is_none() {
        return Ok(());
    }
    let (order, index) = (waiting.order, waiting.index(bits.layout));
    let is_inside =
        order <= bits.layout.top_order() && index < bits.layout.order_block_count(order);
    if is_inside && bits.is_taken(order, index) {
        return Ok(());
    }
    Err(Corruption::WaitingNotTaken { order, index })
}

/// The counters against the taken and split blocks.
fn check_counters<S: Words>(
    bits: Bits<'_, S>,
    waiting: Waiting,
    counters: &Counters,
) -> Result<(), Corruption> {
    let (mut taken_count, mut taken_size, mut split_count) = (0_u64, 0_u64, 0_u64);
    let waits = |order, index| waiting.order == order && waiting.index(bits.layout) == index;
    for order in 0..=bits.layout.top_order() {
        for index in 0..bits.layout.order_block_count(order) {
            if bits.is_split(order, index) {
                split_count += 1;
            } else if bits.is_occupied(order, index) && !waits(order, index) {
                let starts = !bits.layout.trims() || bits.is_head(index << order);
                taken_count += u64::from(starts);
                // Disjoint blocks of one region, so the sum is at most its size.
                taken_size += bits.layout.block_size(order);
            }
        }
    }
    let splits = counters.merge_count.wrapping_add(split_count);
    let peak = counters.peak_allocated.max(taken_size);
    [
        (Counter::AllocatedSize, counters.allocated_size(), taken_size),
        (Counter::AllocationCount, counters.allocation_count, taken_count),
        (Counter::PeakAllocated, counters.peak_allocated, peak),
        (Counter::SplitCount, counters.split_count, splits),
    ]
    .into_iter()
    .find(|&(_, recorded, derived)| recorded != derived)
    .map_or(Ok(()), |(counter, recorded, derived)| {
        Err(Corruption::WrongCounter { counter, recorded, derived })
    })
}

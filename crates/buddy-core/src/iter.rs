//! Walks over a region in address order.
//!
//! Basic design: free and taken blocks tile the region. At the start of a block the orders are
//! climbed from 0 until the pair is not 00: the bits below a block that is not split are zero,
//! so this is the block's own order, and its bit says whether it is taken. A block that starts
//! at a position has all smaller blocks at that position inside the region, so no bit is read
//! that is not there.

use core::iter::FusedIterator;

use crate::block::BuddyBlock;
use crate::layout::Layout;
use crate::storage::sealed::Words;
use crate::tree::pair_at;

/// All blocks of a region, free and taken, in address order.
#[derive(Clone)]
struct Walk<'a> {
    /// Behind a pointer to the trait, so that the public iterators do not name the storage.
    words: &'a dyn Words,
    layout: &'a Layout,
    /// Where the next block starts, in minimum blocks.
    position: u64,
}

impl<'a> Walk<'a> {
    fn new(words: &'a dyn Words, layout: &'a Layout) -> Self {
        Self { words, layout, position: 0 }
    }

    /// The next block that is taken, or the next that is not.
    fn next_where(&mut self, wants_taken: bool) -> Option<BuddyBlock> {
        while self.position < self.layout.block_count() {
            let position = self.position;
            let (order, pair) = self.block_at(position)?;
            let is_taken = (pair >> ((position >> order) & 1)) & 1 == 1;
            self.position += 1 << order;
            if is_taken == wants_taken {
                let offset = position << self.layout.min_shift();
                return Some(BuddyBlock { offset, size: self.layout.block_size(order) });
            }
        }
        None
    }

    /// The order of the block that starts at `position`, and the pair it belongs to. `None` only
    /// where the bits contradict themselves.
    fn block_at(&self, position: u64) -> Option<(u32, u64)> {
        (0..=self.layout.top_order())
            .map(|order| (order, pair_at(self.words, self.layout, order, position >> order)))
            .find(|&(_, pair)| pair != 0)
    }
}

/// The free blocks of a region in address order; see
/// [`free_blocks`](crate::BuddyAllocator::free_blocks).
#[derive(Clone)]
pub struct FreeBlocks<'a> {
    walk: Walk<'a>,
}

impl<'a> FreeBlocks<'a> {
    pub(crate) fn new(words: &'a dyn Words, layout: &'a Layout) -> Self {
        Self { walk: Walk::new(words, layout) }
    }
}

impl Iterator for FreeBlocks<'_> {
    type Item = BuddyBlock;

    fn next(&mut self) -> Option<BuddyBlock> {
        self.walk.next_where(false)
    }
}

impl FusedIterator for FreeBlocks<'_> {}

/// The live allocations of a region in address order; see
/// [`taken_blocks`](crate::BuddyAllocator::taken_blocks).
#[derive(Clone)]
pub struct TakenBlocks<'a> {
    walk: Walk<'a>,
}

impl<'a> TakenBlocks<'a> {
    pub(crate) fn new(words: &'a dyn Words, layout: &'a Layout) -> Self {
        Self { walk: Walk::new(words, layout) }
    }
}

impl Iterator for TakenBlocks<'_> {
    type Item = BuddyBlock;

    fn next(&mut self) -> Option<BuddyBlock> {
        self.walk.next_where(true)
    }
}

impl FusedIterator for TakenBlocks<'_> {}

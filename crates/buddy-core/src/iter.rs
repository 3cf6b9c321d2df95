//! Walks over a region in address order.
//!
//! Basic design: free and taken blocks tile the region, and what starts at a position can be
//! read off the bits. Where the waiting block would be part of a free block if it were merged,
//! that block is answered instead of the pieces that lie there.

use core::iter::FusedIterator;

use crate::block::BuddyBlock;
use crate::storage::sealed::Words;
use crate::view::{Bits, Merged};

/// All blocks of a region, free and taken, in address order.
#[derive(Clone)]
pub(crate) struct Walk<'a> {
    /// Behind a pointer to the trait, so that the public iterators do not name the storage.
    bits: Bits<'a, dyn Words + 'a>,
    /// The free block that the waiting one is part of.
    merged: Option<Merged>,
    /// Where the next block starts, in minimum blocks.
    position: u64,
}

impl<'a> Walk<'a> {
    pub(crate) fn new<W: Words>(bits: Bits<'a, W>, merged: Option<Merged>) -> Self {
        let Bits { words, layout, orders } = bits;
        Self { bits: Bits { words, layout, orders }, merged, position: 0 }
    }

    /// The order of the next block, and whether it is taken; steps over the block.
    fn next_block(&mut self) -> Option<(u32, bool)> {
        if self.position >= self.bits.layout.block_count() {
            return None;
        }
        let (order, is_taken) = match self.merged {
            Some(merged) if merged.start() == self.position => (merged.order, false),
            _ => self.bits.block_at(self.position)?,
        };
        self.position += 1 << order;
        Some((order, is_taken))
    }

    /// The next allocation if `wants_taken`, the next free block if not.
    pub(crate) fn next_where(&mut self, wants_taken: bool) -> Option<BuddyBlock> {
        let layout = self.bits.layout;
        loop {
            let start = self.position;
            let (_, is_taken) = self.next_block()?;
            if is_taken != wants_taken {
                continue;
            }
            // Where there are heads, an allocation may have further pieces.
            while is_taken && layout.trims() && self.bits.is_continued(self.position) {
                self.next_block()?;
            }
            let min_shift = layout.min_shift();
            let size = (self.position - start) << min_shift;
            return Some(BuddyBlock { offset: start << min_shift, size });
        }
    }
}

/// The free blocks of a region in address order; see
/// [`free_blocks`](crate::BuddyAllocator::free_blocks).
#[derive(Clone)]
pub struct FreeBlocks<'a> {
    pub(crate) walk: Walk<'a>,
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
    pub(crate) walk: Walk<'a>,
}

impl Iterator for TakenBlocks<'_> {
    type Item = BuddyBlock;

    fn next(&mut self) -> Option<BuddyBlock> {
        self.walk.next_where(true)
    }
}

impl FusedIterator for TakenBlocks<'_> {}

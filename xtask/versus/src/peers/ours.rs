//! Ours: `buddy_core::BuddyAllocator` as `new` makes it.

use buddy_core::{BuddyAllocator, BuddyBlock};

use super::{Core, Region};
use crate::program::UNIT;

pub(crate) struct Ours(BuddyAllocator);

impl Core for Ours {
    type Handle = BuddyBlock;

    fn new(region: Region) -> Self {
        let region = BuddyAllocator::new(region.size, u64::from(UNIT));
        Self(region.expect("sizes of regions are powers of two of at least 4 MiB"))
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<BuddyBlock> {
        self.0.allocate_aligned(size, alignment).ok()
    }

    fn free(&mut self, handle: BuddyBlock) {
        self.0.free(handle).expect("a program frees what lives");
    }

    fn extent(&self, handle: &BuddyBlock, _: u64) -> (u64, u64) {
        (handle.offset, handle.size)
    }
}

//! offset-allocator: a port of Sebastian Aaltonen's, in units of 256 bytes.

use offset_allocator::{Allocation, Allocator};

use super::{Core, Region};
use crate::program::UNIT;

/// The number of nodes that it has by default.
const NODES: u32 = 128 << 10;

pub(super) struct Offset(Allocator<u32>);

impl Core for Offset {
    type Handle = (Allocation<u32>, u64);

    fn new(region: Region) -> Self {
        let units = u32::try_from(region.size / u64::from(UNIT)).expect("regions are below 1 TiB");
        // A live block and the gap behind it have a node each.
        let nodes = u32::try_from(region.max_live * 2 + 2).expect("a million live at most");
        Self(Allocator::with_max_allocs(units, NODES.max(nodes)))
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<Self::Handle> {
        // It knows no alignment: one above the unit is made by asking for more.
        let units = (size + alignment) / u64::from(UNIT) - 1;
        let allocation = self.0.allocate(u32::try_from(units).ok()?)?;
        let offset = u64::from(allocation.offset) * u64::from(UNIT);
        Some((allocation, offset.next_multiple_of(alignment)))
    }

    fn free(&mut self, handle: Self::Handle) {
        self.0.free(handle.0);
    }

    fn extent(&self, handle: &Self::Handle, asked: u64) -> (u64, u64) {
        (handle.1, asked)
    }
}

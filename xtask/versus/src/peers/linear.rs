//! Ours for stacks and rings: `vk_pool::linear::Linear`, which finds out by use what it is, as VMA's does.

use vk_pool::linear::{Linear, LinearBlock, LinearKind};

use super::{Core, Region};

pub(super) struct Ours(Linear);

impl Core for Ours {
    type Handle = LinearBlock;

    fn new(region: Region) -> Self {
        Self(Linear::new(region.size, 1, LinearKind::Auto).expect("a unit of 1 is a power of two"))
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<LinearBlock> {
        self.0.allocate(size, alignment).ok()
    }

    fn free(&mut self, handle: LinearBlock) {
        self.0.free(handle.offset, handle.node).expect("a program frees what lives");
    }

    fn extent(&self, handle: &LinearBlock, _: u64) -> (u64, u64) {
        (handle.offset, handle.size)
    }
}

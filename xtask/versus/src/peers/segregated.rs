//! Ours: the two-level segregated fit of `vk-pool` alone, and with spans of buddies beside it.

use vk_pool::Piece;
use vk_pool::tlsf::{Tlsf, TlsfBlock};
use vk_pool::two_tier::TwoTier;

use super::{Core, Region};
use crate::program::UNIT;

/// `vk_pool::tlsf::Tlsf`.
pub(super) struct Segregated(Tlsf);

impl Core for Segregated {
    type Handle = TlsfBlock;

    fn new(region: Region) -> Self {
        let region = Tlsf::new(region.size, u64::from(UNIT));
        Self(region.expect("regions have from one to 2^31 units"))
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<TlsfBlock> {
        self.0.allocate(size, alignment)
    }

    fn free(&mut self, handle: TlsfBlock) {
        self.0.free(handle.offset, handle.node).expect("a program frees what lives");
    }

    fn extent(&self, handle: &TlsfBlock, _: u64) -> (u64, u64) {
        (handle.offset, handle.size)
    }
}

/// `vk_pool::two_tier::TwoTier`.
pub(super) struct Tiers(TwoTier);

impl Core for Tiers {
    type Handle = Piece;

    fn new(region: Region) -> Self {
        let region = TwoTier::new(region.size, u64::from(UNIT));
        Self(region.expect("regions have from one to 2^31 units"))
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<Piece> {
        self.0.allocate(size, alignment)
    }

    fn free(&mut self, handle: Piece) {
        self.0.free(handle.offset, handle.node).expect("a program frees what lives");
    }

    fn extent(&self, handle: &Piece, _: u64) -> (u64, u64) {
        (handle.offset, handle.size)
    }
}

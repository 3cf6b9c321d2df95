//! Which algorithm's code lies on the way of an allocation and of a release, while that of the others is
//! called.
//!
//! The answer of a call passes through memory, and a processor waits for what was written there in parts
//! to be read as a whole: that takes as long as the shortest of the algorithms. So each of the two that
//! programs allocate by in every frame has a way of its own, on which it is called by nobody. Every way
//! does the same for every algorithm.

use crate::answer::Fitted;
use crate::suballocator::Rooms;
use crate::{Piece, Suballocator};

/// One of the ways.
pub(crate) trait Way {
    /// [`Suballocator::take`].
    fn take(suballocator: &mut Suballocator, fitted: &Fitted) -> Option<Piece>;

    /// [`Suballocator::free`].
    fn free(suballocator: &mut Suballocator, offset: u64, node: u32) -> Option<u64>;

    /// [`Suballocator::rooms`].
    fn rooms(suballocator: &Suballocator) -> Rooms;
}

/// The way of two tiers: that of every pool without a wish.
pub(crate) struct Tiers;

/// The way of linear regions.
pub(crate) struct InRow;

impl Way for Tiers {
    #[inline(always)]
    fn take(suballocator: &mut Suballocator, fitted: &Fitted) -> Option<Piece> {
        suballocator.take(fitted)
    }

    #[inline(always)]
    fn free(suballocator: &mut Suballocator, offset: u64, node: u32) -> Option<u64> {
        suballocator.free(offset, node)
    }

    #[inline(always)]
    fn rooms(suballocator: &Suballocator) -> Rooms {
        suballocator.rooms()
    }
}

impl Way for InRow {
    #[inline(always)]
    fn take(suballocator: &mut Suballocator, fitted: &Fitted) -> Option<Piece> {
        match suballocator {
            Suballocator::Linear(linear) if !fitted.upper => {
                let block = linear.allocate(fitted.size, fitted.alignment).ok()?;
                Some(block.into())
            }
            others => others.take_elsewhere(fitted),
        }
    }

    #[inline(always)]
    fn free(suballocator: &mut Suballocator, offset: u64, node: u32) -> Option<u64> {
        match suballocator {
            Suballocator::Linear(linear) => linear.free(offset, node),
            others => others.free_elsewhere(offset, node),
        }
    }

    #[inline(always)]
    fn rooms(suballocator: &Suballocator) -> Rooms {
        match suballocator {
            Suballocator::Linear(linear) if linear.allocation_count() > 0 => Rooms::BY_AGE,
            others => others.rooms_elsewhere(),
        }
    }
}

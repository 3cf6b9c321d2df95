//! Which shard a thread turns to first: what `gpu-alloc-ash` finds at `crate::home`.
//!
//! The real one counts collisions within some milliseconds. A model has no clock, so here the first
//! collision moves a thread.

use std::cell::Cell;

/// So many requests after a refused lease go to the trunk itself.
pub(crate) const LEASE_PASSES: u32 = 32;

/// A moment of a model, to which all are one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment;

impl Moment {
    pub(crate) fn now() -> Self {
        Self
    }

    /// Whether it was a short time before `now`.
    pub(crate) fn is_just_before(self, _now: Self) -> bool {
        true
    }
}

loom::thread_local! {
    static HOME: Cell<usize> = Cell::new(0);
}

/// The shard that this thread turns to first, where there are as many.
pub(crate) fn wanted() -> usize {
    HOME.with(Cell::get)
}

/// The shard, of so many, that this thread turns to first.
pub(crate) fn home(shard_count: usize) -> usize {
    wanted() % shard_count
}

/// This thread found its shard's lock taken: it moves to another one, but not to the trunk.
pub(crate) fn collided(shard_count: usize) -> usize {
    if shard_count > 1 {
        set(1 + home(shard_count) % (shard_count - 1));
    }
    home(shard_count)
}

/// Makes this thread turn to a shard first.
pub(crate) fn set(home: usize) {
    HOME.with(|cell| cell.set(home));
}

//! Allocations that may be lost: who may be given up for a request that finds no room, and who may not.
//!
//! Basic design: an evictable allocation has one atomic word ([`FrameWord`]) that says in which frame it
//! was used last, how often it is pinned, and whether it is lost. Using it and giving it up both change
//! that word alone, so one of them comes first and the other sees it, without a lock: what is touched is
//! not lost, and what is lost is not touched any more.
//!
//! Which ones go is planned before any of them does, by
//! [`MemoryPool::plan_eviction`](crate::MemoryPool::plan_eviction): [`plan`] looks for the stretch of a
//! block that the request fits into and whose pieces were all used longest ago, and
//! [`Linear::plan_ring`](crate::linear::Linear::plan_ring) for as few of the oldest pieces of a ring as will
//! do. No plan, and nothing is given up; a plan, and the request is put exactly where it says, by
//! [`MemoryPool::allocate_planned`](crate::MemoryPool::allocate_planned). Carrying it out can still fail, as
//! somebody may touch one of them meanwhile: then the rest stays lost, and the request plans anew.
//!
//! Nothing here holds a lock, a handle or a callback: the owner of the pool frees what was lost, and
//! tells whoever wants to know, after it has let go of its locks.

mod plan;
#[cfg(test)]
mod tests;
mod word;

pub(crate) use self::plan::{Cost, Obstacle, plan_among};
pub use self::plan::{EvictablePiece, EvictionPlan, plan};
pub use self::word::{FrameState, FrameWord, Pinned};
pub use crate::pool::PoolEviction;

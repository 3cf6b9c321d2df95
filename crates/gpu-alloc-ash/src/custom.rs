//! Custom pools: blocks apart from those of everybody else, of a shape and by an algorithm that their
//! owner chooses.
//!
//! Basic design: a custom pool is a pool of vk-pool for each memory type it may use, each behind a lock
//! of its own. The handle knows where they sit, so an allocation looks for nothing; an allocation knows
//! its class, which names the seat, so a release needs no handle. All that makes blocks and gives them
//! back is that of the ordinary pools.

mod config;
mod error;
mod make;
mod place;
mod report;
mod resources;

use std::sync::Arc;

use vk_pool::ClassId;

use crate::driver::BlockInfo;
use crate::pools::{CustomPools, Seat};

pub use self::config::{CustomPoolConfig, PoolAllocationRequest};
pub use self::error::{CreatePoolError, DestroyPoolError, PoolCheckError};
pub use self::report::{PoolBlock, PoolPiece};

pub(crate) use self::place::pool_request;

/// A pool of memory apart from that of everybody else, of a shape that its owner chose.
///
/// Made by [`GpuAllocator::create_pool`](crate::GpuAllocator::create_pool), allocated from by
/// [`allocate_in`](crate::GpuAllocator::allocate_in) and its like, ended by
/// [`destroy_pool`](crate::GpuAllocator::destroy_pool). Its allocations are freed as all others are. May be
/// shared by threads; each memory type of it has one lock.
///
/// Nothing happens when it is dropped: the pool stays, nobody can allocate from it any more, and its
/// blocks go when the allocator does.
#[must_use = "a pool that is dropped keeps its blocks until the allocator goes"]
pub struct CustomPool {
    parts: Box<Parts>,
}

/// What a pool is, in a box, as it is handed back in errors.
struct Parts {
    owner: u32,
    name: Option<Arc<str>>,
    /// Best first, at least one.
    members: Vec<Member>,
    /// Whether its allocations may have memory objects of their own.
    allows_dedicated: bool,
    block_info: BlockInfo,
}

/// A custom pool's part in one memory type.
pub(crate) struct Member {
    pub(crate) memory_type_index: u32,
    pub(crate) class: ClassId,
    seats: Arc<CustomPools>,
}

impl Member {
    /// Where its pool sits.
    #[inline]
    pub(crate) fn seat(&self) -> &Seat {
        self.seats.seat(self.class)
    }
}

impl CustomPool {
    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.parts.name.as_deref()
    }

    /// The memory types that it takes memory of, best first.
    pub fn memory_types(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        self.parts.members.iter().map(|member| member.memory_type_index)
    }

    /// The same, a bit each.
    #[must_use]
    pub fn memory_type_bits(&self) -> u32 {
        // Fewer than 32, as each is of the device.
        self.memory_types().fold(0, |bits, index| bits | 1 << index)
    }

    /// The number of the allocator that made it.
    pub(crate) fn owner(&self) -> u32 {
        self.parts.owner
    }

    /// Its parts, best memory type first.
    pub(crate) fn members(&self) -> &[Member] {
        &self.parts.members
    }

    pub(crate) fn block_info(&self) -> &BlockInfo {
        &self.parts.block_info
    }

    pub(crate) fn allows_dedicated(&self) -> bool {
        self.parts.allows_dedicated
    }
}

impl core::fmt::Debug for CustomPool {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CustomPool")
            .field("name", &self.parts.name)
            .field("memory_types", &self.memory_types().collect::<Vec<_>>())
            .field("block_info", &self.parts.block_info)
            .finish_non_exhaustive()
    }
}

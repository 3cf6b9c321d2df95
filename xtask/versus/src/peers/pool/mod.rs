//! Ours: `vk_pool::MemoryPool`, all its books included, with a driver that grants what the region has.

mod blocks;
mod buddies;

use std::marker::PhantomData;
use std::sync::Arc;

use vk_pool::{
    Answer, BlockId, DeviceLimits, HeapBudgets, HeapLimits, MemoryPool, Place, PoolBooks,
    PoolConfig, PoolRequest, ResourceKind, Retention,
};

pub(super) use self::blocks::{Many, One};
pub(super) use self::buddies::Buddies;
use super::{Core, Region};

/// What blocks a pool has, all of one size; they stay once they are made.
pub(super) trait Shape {
    /// The configuration for a region of so many bytes.
    fn config(region_size: u64) -> PoolConfig;

    /// The short way to allocate, as the facade has it for such pools.
    #[inline]
    fn allocate(pool: &mut MemoryPool, request: &PoolRequest) -> Option<Place> {
        pool.allocate_at_once(request)
    }

    /// The short way to free.
    #[inline]
    fn free(pool: &mut MemoryPool, place: Place) -> Result<(), Place> {
        pool.free_at_once(place)
    }
}

/// A pool whose blocks lie one behind the other in the region.
pub(super) struct Pool<S> {
    pool: MemoryPool,
    budgets: Arc<HeapBudgets>,
    block: u64,
    next_id: u64,
    shape: PhantomData<S>,
}

impl<S: Shape> Core for Pool<S> {
    type Handle = Place;

    fn new(region: Region) -> Self {
        let config = PoolConfig {
            retention: Retention { floor_bytes: u64::MAX, live_divisor: 0 },
            ..S::config(region.size)
        };
        let block = config.first_block_size;
        // Of a heap as large as the region a fifth would be left to others.
        let heap = HeapLimits { size: region.size * 2, ..HeapLimits::default() };
        let budgets = HeapBudgets::new(DeviceLimits::default(), &[heap]);
        let budgets = Arc::new(budgets.expect("one heap is allowed"));
        let books = Arc::new(PoolBooks::new());
        let pool = MemoryPool::new(config, Arc::clone(&budgets), books);
        let pool = pool.expect("blocks have few enough units, and the counts are in order");
        Self { pool, budgets, block, next_id: 0, shape: PhantomData }
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<Place> {
        let kind = ResourceKind::Linear;
        let request = PoolRequest { size, alignment, kind, ..PoolRequest::default() };
        if let Some(place) = S::allocate(&mut self.pool, &request) {
            return Some(place);
        }
        match self.pool.allocate(&request).ok()? {
            Answer::Placed(place) => Some(place),
            Answer::Pending(_) => None,
            Answer::NeedBlock(need) => match self.budgets.reserve(&need) {
                Err(_) => {
                    self.pool.cancel(need).expect("it was asked for a line above");
                    None
                }
                Ok(reservation) => {
                    self.next_id += 1;
                    let place = self.pool.add_block(need, reservation, BlockId(self.next_id));
                    Some(place.expect("request and reservation are of this pool"))
                }
            },
        }
    }

    fn free(&mut self, place: Place) {
        let Err(place) = S::free(&mut self.pool, place) else { return };
        let spent = self.pool.free(place).expect("a program frees what lives");
        assert!(spent.is_none(), "all blocks are kept");
    }

    fn merged(size: u64) -> u64 {
        S::config(size).first_block_size.min(size / 2)
    }

    fn extent(&self, place: &Place, _: u64) -> (u64, u64) {
        (u64::from(place.slot()) * self.block + place.offset(), place.size())
    }
}

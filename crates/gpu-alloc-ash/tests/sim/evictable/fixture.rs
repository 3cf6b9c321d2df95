//! What the tests of evictable allocations share: pools that put down what they lose, and the unsafe calls.

use std::sync::{Arc, Mutex};

use gpu_alloc_ash::{
    AllocError, CustomPoolConfig, DestroyPoolError, Evictable, EvictablePool, FreeError,
    GpuAllocator, PoolAllocationRequest, Refused,
};

use crate::support::Sim;

/// Frames that the pools of these tests keep what was used.
pub(crate) const KEPT: u64 = 2;

/// What was lost, in order.
#[derive(Clone, Default)]
pub(crate) struct Lost(Arc<Mutex<Vec<u32>>>);

impl Lost {
    /// What was lost since this was asked last.
    pub(crate) fn take(&self) -> Vec<u32> {
        let mut lost = std::mem::take(&mut *self.0.lock().expect("nobody panics meanwhile"));
        lost.sort_unstable();
        lost
    }

    pub(crate) fn add(&self, value: u32) {
        self.0.lock().expect("nobody panics meanwhile").push(value);
    }
}

impl Sim {
    /// A pool of numbers, and those of them that are lost.
    #[track_caller]
    pub(crate) fn evictable_pool(
        &self,
        config: &CustomPoolConfig<'_>,
    ) -> (EvictablePool<u32>, Lost) {
        let lost = Lost::default();
        let listed = lost.clone();
        let pool = EvictablePool::new(self.pool(config), KEPT, move |value| listed.add(value));
        (pool, lost)
    }

    #[track_caller]
    pub(crate) fn evictable(
        &self,
        pool: &EvictablePool<u32>,
        request: &PoolAllocationRequest<'_>,
        frame: u64,
        value: u32,
    ) -> Evictable<u32> {
        self.allocator.allocate_evictable(pool, request, frame, value).expect("there is room")
    }

    /// Why a request is refused, which changes nothing and gives the value back.
    #[track_caller]
    pub(crate) fn refused_evictable(
        &self,
        pool: &EvictablePool<u32>,
        request: &PoolAllocationRequest<'_>,
        frame: u64,
    ) -> AllocError {
        let before = (pool.pool().stats(), pool.eviction_stats(), self.driver.live());
        let answer = self.allocator.allocate_evictable(pool, request, frame, u32::MAX);
        let refused = answer.expect_err("it is refused");
        assert_eq!(refused.returned, u32::MAX);
        assert_eq!((pool.pool().stats(), pool.eviction_stats(), self.driver.live()), before);
        refused.error
    }

    /// What is bound there, if it is not lost.
    pub(crate) fn value_in(&self, evictable: &Evictable<u32>, frame: u64) -> Option<u32> {
        self.allocator.with(evictable, frame, |view| *view.value())
    }

    /// Ends a pool, with all that is left there.
    #[track_caller]
    pub(crate) fn end_evictable<T>(&self, pool: EvictablePool<T>) {
        assert_eq!(pool.pool().check(), Ok(()));
        destroy_in(&self.allocator, pool).expect("nobody looks, and nothing is plain");
    }

    #[track_caller]
    pub(crate) fn free_evictable<T>(&self, evictable: Evictable<T>) -> Option<T> {
        free_evictable_in(&self.allocator, evictable).expect("it is this allocator's")
    }
}

pub(crate) fn begin_frame<T>(pool: &EvictablePool<T>, frame: u64) {
    // SAFETY: 1. to 3. The device executes nothing, and nobody keeps an address.
    unsafe { pool.begin_frame(frame) };
}

pub(crate) fn free_evictable_in<T>(
    allocator: &GpuAllocator,
    evictable: Evictable<T>,
) -> Result<Option<T>, Refused<Evictable<T>, FreeError>> {
    // SAFETY: 1. and 2. The device executes nothing, and what was bound is only destroyed.
    unsafe { allocator.free_evictable(evictable, |value| value) }
}

pub(crate) fn destroy_in<T>(
    allocator: &GpuAllocator,
    pool: EvictablePool<T>,
) -> Result<(), Refused<EvictablePool<T>, DestroyPoolError>> {
    // SAFETY: 1. and 2. As above.
    unsafe { allocator.destroy_evictable_pool(pool) }
}

//! Ours as a custom pool: one block of buddies, with all the books that a pool keeps.

use std::sync::Arc;

use vk_pool::{
    Algorithm, Answer, BlockId, DeviceLimits, HeapBudgets, HeapLimits, MemoryPool, Place,
    PoolBooks, PoolConfig, PoolRequest, ResourceKind,
};

use super::{Core, Region};

pub(super) struct Buddies(MemoryPool);

fn request(size: u64, alignment: u64) -> PoolRequest {
    PoolRequest { size, alignment, kind: ResourceKind::Linear, ..PoolRequest::default() }
}

impl Core for Buddies {
    type Handle = Place;

    fn new(region: Region) -> Self {
        let heap = HeapLimits { size: 4 * region.size, ..HeapLimits::default() };
        let budgets = HeapBudgets::new(DeviceLimits::default(), &[heap]).expect("one heap");
        let budgets = Arc::new(budgets);
        let config = PoolConfig {
            algorithm: Algorithm::Buddy,
            min_block_count: 1,
            max_block_count: Some(1),
            ..PoolConfig::default()
        }
        .with_block_size(region.size);
        let books = Arc::new(PoolBooks::new());
        let mut pool = MemoryPool::new(config, Arc::clone(&budgets), books)
            .expect("regions have few enough units");
        let need = pool.missing_block().expect("one block is to be there");
        let reservation = budgets.reserve(&need).expect("the heap is four times the block");
        pool.add_empty_block(need, reservation, BlockId(0)).expect("both belong together");
        Self(pool)
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<Place> {
        let request = request(size, alignment);
        if let Some(place) = self.0.allocate_at_once(&request) {
            return Some(place);
        }
        match self.0.allocate(&request) {
            Ok(Answer::Placed(place)) => Some(place),
            Ok(other) => panic!("the pool may have no other block, and answers {other:?}"),
            Err(_) => None,
        }
    }

    fn free(&mut self, handle: Place) {
        let superfluous = self.0.free(handle).expect("a program frees what lives");
        assert!(superfluous.is_none(), "the one block stays");
    }

    fn extent(&self, handle: &Place, asked: u64) -> (u64, u64) {
        (handle.offset(), asked)
    }
}

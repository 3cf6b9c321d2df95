//! Structures of the user's own for the blocks of a pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ash::vk;
use gpu_alloc_ash::{
    AllocError, CreatePoolError, CustomPoolConfig, PoolAllocationRequest, Strategy,
};

use super::fixture::{MAPPED, bytes, fixed};
use crate::support::{MIB, Sim};

type GoOn<'a> = &'a mut dyn FnMut(&vk::MemoryAllocateInfo<'_>);

#[test]
fn every_memory_object_of_a_pool_is_made_with_what_was_chained() {
    let sim = Sim::default();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let config = CustomPoolConfig {
        memory_types: MAPPED,
        min_block_count: 1,
        ..CustomPoolConfig::default()
    };
    let extend = move |info: vk::MemoryAllocateInfo<'_>, go_on: GoOn<'_>| {
        counted.fetch_add(1, Ordering::Relaxed);
        let mut priority = vk::MemoryPriorityAllocateInfoEXT::default().priority(0.25);
        go_on(&info.push_next(&mut priority));
    };
    let pool = sim.pool_with(&config, extend).expect("the pool can be");
    assert!(format!("{pool:?}").contains("is_extended: true"));
    let own = PoolAllocationRequest { strategy: Strategy::Dedicated, ..bytes(MIB) };
    let live = vec![sim.allocate_in(&pool, &own), sim.allocate_in(&pool, &bytes(MIB))];
    let records = sim.driver.memories();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.priority == Some(0.25) && record.is_mapped));
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    sim.free_many(live);
    sim.end_pool(pool);
    assert_eq!(Arc::strong_count(&calls), 1, "it goes with the pool");
    sim.finish();
}

/// Nothing is made, or something else than was asked for, or twice.
#[test]
fn an_extension_that_does_something_else_is_an_error() {
    let sim = Sim::default();
    let nothing = |_: vk::MemoryAllocateInfo<'_>, _: GoOn<'_>| ();
    let smaller = |info: vk::MemoryAllocateInfo<'_>, go_on: GoOn<'_>| {
        go_on(&info.allocation_size(info.allocation_size - 1));
    };
    let elsewhere = |info: vk::MemoryAllocateInfo<'_>, go_on: GoOn<'_>| {
        go_on(&info.memory_type_index(0));
    };
    let config = fixed(MAPPED, MIB);
    for pool in [
        sim.pool_with(&config, nothing),
        sim.pool_with(&config, smaller),
        sim.pool_with(&config, elsewhere),
    ] {
        let pool = pool.expect("nothing was asked of it yet");
        assert_eq!(sim.refusal_in(&pool, &bytes(100)), AllocError::NotExtended);
        sim.end_pool(pool);
    }
    let first = CustomPoolConfig { min_block_count: 2, ..config.clone() };
    let refused = sim.pool_with(&first, nothing).expect_err("it has no blocks");
    let error = AllocError::NotExtended;
    assert_eq!(refused, CreatePoolError::FirstBlocks { min_block_count: 2, error });
    let twice = |info: vk::MemoryAllocateInfo<'_>, go_on: GoOn<'_>| {
        go_on(&info);
        go_on(&info);
    };
    let pool = sim.pool_with(&config, twice).expect("nothing was asked of it yet");
    let allocation = sim.allocate_in(&pool, &bytes(100));
    assert_eq!(sim.driver.live().memory, 1);
    sim.free(allocation);
    sim.end_pool(pool);
    sim.finish();
}

/// It may use the allocator, as no lock is held.
#[test]
fn an_extension_may_use_the_allocator() {
    let sim = Arc::new(Sim::default());
    let config = fixed(MAPPED, MIB);
    let inner = Arc::downgrade(&sim);
    let extend = move |info: vk::MemoryAllocateInfo<'_>, go_on: GoOn<'_>| {
        let sim = inner.upgrade().expect("it is called by the test");
        let request = gpu_alloc_ash::AllocationRequest {
            size: 1000,
            memory_type_bits: 0b10,
            ..Default::default()
        };
        let one = sim.allocate(&request);
        go_on(&info);
        assert_eq!(sim.allocator.leaks().len(), 1);
        sim.free(one);
    };
    let pool = sim.pool_with(&config, extend).expect("the pool can be");
    let allocation = sim.allocate_in(&pool, &bytes(100));
    sim.free(allocation);
    sim.end_pool(pool);
    Arc::into_inner(sim).expect("the pool has let it go").finish();
}

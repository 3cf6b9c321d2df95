//! What becomes of a pool: refused with what lives, given back, lost, shared by threads.

use std::sync::Barrier;

use gpu_alloc_ash::{
    Algorithm, AllocError, Allocation, AllocationRequest, AllocatorConfig, CustomPool,
    CustomPoolConfig, DestroyPoolError, LeakKind, LinearKind, PoolAllocationRequest, Strategy,
};
use rstest::rstest;

use super::fixture::{MAPPED, OF_DEVICE, bytes, fixed};
use crate::rng::Rng;
use crate::support::{KIB, MIB, Sim};

#[test]
fn a_pool_with_live_allocations_comes_back_with_their_list() {
    let sim = Sim::default();
    let config = CustomPoolConfig {
        memory_types: &[1, 0],
        name: Some("streaming"),
        min_block_count: 1,
        ..Default::default()
    };
    let pool = sim.pool(&config);
    let first = PoolAllocationRequest { name: Some("first"), ..bytes(1000) };
    let second =
        PoolAllocationRequest { strategy: Strategy::Dedicated, memory_type_bits: 1, ..bytes(2000) };
    let (first, second) = (sim.allocate_in(&pool, &first), sim.allocate_in(&pool, &second));
    let ordinary = sim.allocate(&AllocationRequest { size: 10, ..Default::default() });
    let refused = sim.allocator.destroy_pool(pool).expect_err("two are alive");
    let DestroyPoolError::InUse { live } = &refused.error else { panic!("{}", refused.error) };
    assert_eq!(refused.error.to_string(), "2 allocations of the pool are alive");
    let found: Vec<_> =
        live.iter().map(|leak| (leak.name.as_deref(), leak.memory_type_index, leak.kind)).collect();
    let expected = [(Some("first"), 1, LeakKind::Pooled), (None, 0, LeakKind::Dedicated)];
    assert_eq!(found, expected);
    assert!(live.iter().all(|leak| leak.pool.as_deref() == Some("streaming")));
    assert!(live[0].to_string().ends_with(", in the pool streaming"));
    assert_eq!(sim.allocator.leaks().iter().filter(|leak| leak.pool.is_some()).count(), 2);
    // It goes on as before.
    let pool = refused.returned;
    let third = sim.allocate_in(&pool, &bytes(500));
    assert_eq!(third.memory(), first.memory());
    sim.free_many(vec![first, ordinary, second, third]);
    sim.end_pool(pool);
    assert_eq!(sim.driver.live().memory, 1, "the ordinary block is kept");
    sim.finish();
}

/// Pools come and go on the same seats, and never meet each other.
#[test]
fn pools_come_and_go() {
    let sim = Sim::default();
    let mut rng = Rng::new(5);
    let mut pools: Vec<(CustomPool, Allocation, u64)> = Vec::new();
    for round in 0..400u64 {
        if pools.len() > 30 || (!pools.is_empty() && rng.chance(40)) {
            let (pool, allocation, block_size) = pools.swap_remove(rng.index(pools.len()));
            assert!(pool.contains(&allocation));
            let blocks = pool.blocks();
            assert_eq!((blocks.len(), blocks[0].size), (1, block_size));
            assert_eq!(blocks[0].memory, allocation.memory());
            let others = pools.iter().filter(|(other, _, _)| other.contains(&allocation));
            assert_eq!(others.count(), 0);
            sim.free(allocation);
            sim.end_pool(pool);
        } else {
            let block_size = (1 + round) * KIB;
            let types = rng.pick(&[OF_DEVICE, MAPPED, &[2, 1]]);
            let pool = sim.pool(&fixed(types, block_size));
            let allocation = sim.allocate_in(&pool, &bytes(1 + rng.below(KIB)));
            pools.push((pool, allocation, block_size));
        }
        sim.check_books();
    }
    for (pool, allocation, _) in pools {
        sim.free(allocation);
        sim.end_pool(pool);
    }
    sim.finish();
}

#[test]
fn trim_gives_back_what_a_pool_does_not_have_to_keep() {
    let sim = Sim::default();
    let pool = sim.pool(&CustomPoolConfig { min_block_count: 1, ..fixed(MAPPED, MIB) });
    let mut live: Vec<_> = (0..2).map(|_| sim.allocate_in(&pool, &bytes(MIB))).collect();
    sim.free(live.remove(0));
    assert_eq!((pool.stats().block_count, pool.stats().retained_count), (2, 1));
    assert_eq!((sim.allocator.trim(), pool.stats().block_count), (MIB, 1));
    sim.free_many(live);
    assert_eq!((sim.allocator.trim(), pool.stats().block_count), (0, 1));
    sim.end_pool(pool);
    sim.finish();
}

/// A heap that is full because a pool keeps an empty block.
#[test]
fn what_a_pool_keeps_is_given_back_when_others_need_it() {
    let mut config = AllocatorConfig::default();
    config.heap_limits[0] = Some(16 * MIB);
    let sim = Sim::with_config(config);
    let pool = sim.pool(&fixed(OF_DEVICE, 8 * MIB));
    let kept = sim.allocate_in(&pool, &bytes(MIB));
    sim.free(kept);
    assert_eq!(pool.stats().retained_size, 8 * MIB);
    let request = AllocationRequest {
        size: 12 * MIB,
        memory_type_bits: 1,
        strategy: Strategy::Pooled,
        ..Default::default()
    };
    let ordinary = sim.allocate(&request);
    assert_eq!(pool.stats().block_count, 0);
    sim.free(ordinary);
    sim.end_pool(pool);
    sim.finish();
}

/// Nothing is kept where the configuration says so.
#[test]
fn a_pool_keeps_nothing_if_nothing_is_to_be_kept() {
    let mut config = AllocatorConfig::default();
    config.retained_bytes = Some(0);
    let sim = Sim::with_config(config);
    let pool = sim.pool(&fixed(MAPPED, MIB));
    let allocation = sim.allocate_in(&pool, &bytes(100));
    sim.free(allocation);
    assert_eq!((pool.stats().block_count, sim.driver.live().memory), (0, 0));
    sim.end_pool(pool);
    sim.finish();
}

/// A handle that was dropped: its allocations can be freed, and its blocks go with the allocator.
#[rstest]
fn the_blocks_of_a_lost_pool_go_with_the_allocator(#[values(false, true)] is_in_use: bool) {
    let sim = Sim::default();
    let config = CustomPoolConfig { min_block_count: 2, name: Some("lost"), ..fixed(MAPPED, MIB) };
    let pool = sim.pool(&config);
    let allocation = sim.allocate_in(&pool, &bytes(100));
    drop(pool);
    assert_eq!(sim.driver.live().memory, 2);
    if !is_in_use {
        sim.free(allocation);
        assert_eq!(sim.driver.live().memory, 2);
        sim.finish();
        return;
    }
    let memory = allocation.memory();
    let Sim { allocator, driver } = sim;
    let leaks = allocator.destroy().expect_err("one is alive").leaks;
    assert_eq!(leaks.len(), 1);
    assert_eq!(leaks[0].pool.as_deref(), Some("lost"));
    assert_eq!(driver.live().memory, 1, "its block, and not the empty one");
    // SAFETY: nothing is bound to it, and its allocator is gone.
    unsafe { driver.device().free_memory(memory, None) };
    assert_eq!(driver.finish(), []);
}

/// The handle may outlive the allocator, and has nothing to say then.
#[test]
fn a_handle_that_outlives_its_allocator_is_harmless() {
    let Sim { allocator, driver } = Sim::default();
    let config = CustomPoolConfig { min_block_count: 1, ..fixed(MAPPED, MIB) };
    let pool = allocator.create_pool(&config).expect("the pool can be");
    allocator.destroy().expect("nothing lives");
    assert_eq!((pool.stats().block_count, pool.blocks().len()), (0, 0));
    assert_eq!(pool.check(), Ok(()));
    assert!(driver.live().is_empty());
    assert_eq!(driver.finish(), []);
}

/// Allocations of many pools and of none, freed in one go.
#[test]
fn many_of_several_pools_are_freed_at_once() {
    let sim = Sim::default();
    let pools = [
        sim.pool(&fixed(MAPPED, MIB)),
        sim.pool(&fixed(MAPPED, MIB)),
        sim.pool(&CustomPoolConfig { memory_types: &[2, 1], ..Default::default() }),
    ];
    let mut rng = Rng::new(6);
    let mut live = Vec::new();
    for n in 0..300u64 {
        live.push(match rng.index(4) {
            3 => sim.allocate(&AllocationRequest {
                size: 1 + n,
                memory_type_bits: 0b10,
                ..Default::default()
            }),
            index => sim.allocate_in(&pools[index], &bytes(1 + n)),
        });
    }
    sim.check_books();
    sim.free_many(live);
    for pool in pools {
        assert_eq!(pool.stats().allocation_count, 0);
        sim.end_pool(pool);
    }
    sim.finish();
}

/// VMA's BasicTestAllocatePages: all of them or none.
#[test]
fn many_are_allocated_at_once_or_none() {
    let sim = Sim::default();
    let config = CustomPoolConfig { max_block_count: Some(1), ..fixed(MAPPED, MIB) };
    let pool = sim.pool(&config);
    let many = sim.allocator.allocate_many_in(&pool, &bytes(4 * KIB), 100).expect("400 KiB");
    assert_eq!((many.len(), pool.stats().allocation_count), (100, 100));
    let before = pool.stats();
    let error = sim.allocator.allocate_many_in(&pool, &bytes(100 * KIB), 100).expect_err("10 MiB");
    assert_eq!((error, pool.stats()), (AllocError::PoolFull { max_block_count: 1 }, before));
    let aligned = PoolAllocationRequest { alignment: 128 * KIB, ..bytes(4 * KIB) };
    sim.allocator.allocate_many_in(&pool, &aligned, 100).expect_err("eight in a block");
    assert_eq!(pool.stats(), before);
    sim.free_many(many);
    sim.end_pool(pool);
    sim.finish();
}

/// With every request in an object of its own, pools of growing blocks follow, and fixed ones cannot.
#[test]
fn passthrough_is_for_pools_of_growing_blocks() {
    let mut config = AllocatorConfig::default();
    config.passthrough = true;
    let sim = Sim::with_config(config);
    for (config, is_dedicated) in [
        (CustomPoolConfig { memory_types: MAPPED, ..Default::default() }, true),
        (fixed(MAPPED, MIB), false),
    ] {
        let pool = sim.pool(&config);
        let live: Vec<_> = (0..3).map(|_| sim.allocate_in(&pool, &bytes(100))).collect();
        assert!(live.iter().all(|allocation| allocation.is_dedicated() == is_dedicated));
        sim.free_many(live);
        sim.end_pool(pool);
    }
    sim.finish();
}

/// One pool, several threads, blocks that come and go; bytes show whether two ever share some.
#[rstest]
fn threads_share_a_pool(
    #[values(
        Algorithm::TwoTier,
        Algorithm::Tlsf,
        Algorithm::Buddy,
        Algorithm::Linear(LinearKind::Stack)
    )]
    algorithm: Algorithm,
) {
    const THREADS: u64 = 4;
    let mut config = AllocatorConfig::default();
    config.retained_bytes = Some(0);
    let sim = Sim::with_config(config);
    let config =
        CustomPoolConfig { algorithm, max_block_count: Some(6), ..fixed(&[2, 1], 64 * KIB) };
    let pool = sim.pool(&config);
    let barrier = Barrier::new(4);
    let work = |seed: u64| {
        let mut rng = Rng::new(seed);
        let (mut held, mut served, mut full) = (Vec::new(), 0u64, 0u64);
        let mut take = |held: &mut Vec<(Allocation, u8)>, rng: &mut Rng| match sim
            .allocator
            .allocate_in(&pool, &bytes(1 + rng.below(16 * KIB)))
        {
            Ok(mut allocation) => {
                let byte = rng.next().to_le_bytes()[0];
                let filled = vec![byte; usize::try_from(allocation.size()).expect("small")];
                sim.allocator.write(&mut allocation, 0, &filled).expect("it is mapped");
                held.push((allocation, byte));
                served += 1;
                true
            }
            Err(AllocError::PoolFull { max_block_count: 6 }) => {
                full += 1;
                false
            }
            Err(error) => panic!("{error}"),
        };
        barrier.wait();
        for _ in 0..1500 {
            if held.len() > 40 || (!held.is_empty() && rng.chance(45)) {
                let (allocation, byte): (Allocation, u8) = held.swap_remove(rng.index(held.len()));
                let mut found = vec![0; usize::try_from(allocation.size()).expect("small")];
                sim.allocator.read(&allocation, 0, &mut found).expect("it is mapped");
                assert!(found.iter().all(|&one| one == byte), "another thread wrote here");
                sim.free(allocation);
                continue;
            }
            take(&mut held, &mut rng);
        }
        // All hold as much as they get at the same time, and that is more than six blocks have, however the
        // threads took turns before.
        while held.len() <= 40 && take(&mut held, &mut rng) {}
        barrier.wait();
        held.into_iter().for_each(|(allocation, _)| sim.free(allocation));
        (served, full)
    };
    let (served, full) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|seed| scope.spawn(move || work(seed))).collect();
        let results = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        results.fold((0, 0), |sum, result| (sum.0 + result.0, sum.1 + result.1))
    });
    assert!(served > 1000 && full > 0, "{served} served, {full} refused");
    assert_eq!(pool.check(), Ok(()));
    sim.end_pool(pool);
    sim.finish();
}

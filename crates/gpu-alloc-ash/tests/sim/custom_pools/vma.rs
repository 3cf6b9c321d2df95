//! VMA's tests of custom pools, told anew with their numbers, through the facade.

use gpu_alloc_ash::{
    Algorithm, AllocError, AllocationRequest, AllocatorConfig, CustomPoolConfig, LimitError,
    LinearKind, PoolAllocationRequest, PoolStats, ResourceKind, Strategy,
};
use rstest::rstest;

use super::fixture::{MAPPED, OF_DEVICE, bytes, fixed};
use crate::held::Held;
use crate::support::{KIB, MIB, Sim, buffer_info};

/// Pool_SameSize: four blocks of 25 MiB, buffers of 1 MiB.
#[rstest]
fn a_hundred_of_one_size_fill_four_blocks(
    #[values(Algorithm::TwoTier, Algorithm::Tlsf, Algorithm::Buddy)] algorithm: Algorithm,
) {
    let sim = Sim::default();
    let config = CustomPoolConfig {
        algorithm,
        max_block_count: Some(4),
        name: Some("same size"),
        ..fixed(OF_DEVICE, 25 * MIB)
    };
    let pool = sim.pool(&config);
    assert_eq!(pool.name(), Some("same size"));
    let buffer = || sim.create_buffer_in(&pool, &buffer_info(MIB), &Default::default());
    let full = || AllocError::PoolFull { max_block_count: 4 };
    let mut held: Vec<Held> = Vec::new();
    for _ in 0..100 {
        let (buffer, memory) = buffer().expect("four blocks have room for a hundred");
        assert!(memory.offset().is_multiple_of(MIB) && !memory.is_dedicated());
        held.push(Held::Buffer(buffer, memory));
    }
    assert_eq!(pool.stats().block_count, 4);
    assert_eq!(buffer().expect_err("full"), full().into());
    for n in 0..100 {
        held.swap_remove(n * 37 % 100).release(&sim);
        let (buffer, memory) = buffer().expect("one has gone");
        held.push(Held::Buffer(buffer, memory));
    }
    assert_eq!(buffer().expect_err("full"), full().into());
    held.swap_remove(50).release(&sim);
    // One free range of 1 MiB.
    let stats = pool.stats();
    assert_eq!(stats.total_size - stats.used_size, MIB);
    assert_eq!(pool.blocks().iter().map(|block| block.pieces.len()).sum::<usize>(), 99);
    assert_eq!(pool.check(), Ok(()));
    let error = sim.refusal_in(&pool, &bytes(25 * MIB + 1));
    assert!(matches!(error, AllocError::LargerThanBlock { .. }), "{error}");
    held.drain(..).for_each(|held| held.release(&sim));
    sim.end_pool(pool);
    sim.finish();
}

/// Pool_MinBlockCount: a block has room for two, two blocks at least.
#[rstest]
fn blocks_that_are_wanted_from_the_start_come_at_once_and_stay(
    #[values(
        Algorithm::TwoTier,
        Algorithm::Tlsf,
        Algorithm::Buddy,
        Algorithm::Linear(LinearKind::Auto),
        Algorithm::Linear(LinearKind::FreeAtOnce)
    )]
    algorithm: Algorithm,
    #[values(OF_DEVICE, MAPPED)] memory_types: &[u32],
) {
    let sim = Sim::default();
    let config = CustomPoolConfig { algorithm, min_block_count: 2, ..fixed(memory_types, 2 * MIB) };
    let pool = sim.pool(&config);
    assert_eq!((pool.stats().block_count, sim.driver.live().memory), (2, 2));
    assert_eq!(sim.allocator.trim(), 0, "they stay");
    let mut live: Vec<_> = (0..5).map(|_| sim.allocate_in(&pool, &bytes(MIB))).collect();
    assert_eq!(pool.stats().block_count, 3);
    sim.free(live.pop().expect("five"));
    assert_eq!(pool.stats().block_count, 3, "one empty block is kept");
    let memory = live[3].memory();
    let (emptied, rest): (Vec<_>, Vec<_>) =
        live.into_iter().partition(|one| one.memory() == memory);
    assert_eq!(emptied.len(), 2);
    emptied.into_iter().for_each(|allocation| sim.free(allocation));
    assert_eq!(pool.stats().block_count, 2, "a second one is not");
    rest.into_iter().for_each(|allocation| sim.free(allocation));
    sim.check_books();
    assert_eq!((pool.stats().block_count, sim.allocator.trim()), (2, 0));
    sim.end_pool(pool);
    assert_eq!(sim.driver.live().memory, 0);
    sim.finish();
}

/// Pool_MinAllocationAlignment: buffers of 32 bytes in a pool of 64 KiB alignment.
#[rstest]
fn every_allocation_of_a_pool_has_its_alignment(
    #[values(
        Algorithm::TwoTier,
        Algorithm::Tlsf,
        Algorithm::Buddy,
        Algorithm::Linear(LinearKind::Ring)
    )]
    algorithm: Algorithm,
) {
    let sim = Sim::default();
    let config = CustomPoolConfig {
        algorithm,
        min_alignment: 64 * KIB,
        max_block_count: Some(1),
        ..fixed(MAPPED, 4 * MIB)
    };
    let pool = sim.pool(&config);
    let mut held = Vec::new();
    for _ in 0..32 {
        let made = sim.create_buffer_in(&pool, &buffer_info(32), &Default::default());
        let (buffer, memory) = made.expect("there is room for 64");
        assert_eq!(memory.offset() % (64 * KIB), 0);
        held.push(Held::Buffer(buffer, memory));
    }
    held.into_iter().for_each(|held| held.release(&sim));
    sim.end_pool(pool);
    sim.finish();
}

/// PoolsAndAllocationParameters: ordinary memory, an adaptive pool, and a fixed one of a single block of
/// 2.5 MiB.
#[test]
fn dedicated_memory_is_had_where_blocks_grow_and_the_sums_are_right() {
    let sim = Sim::default();
    let adaptive = sim.pool(&CustomPoolConfig { memory_types: OF_DEVICE, ..Default::default() });
    let config = CustomPoolConfig { max_block_count: Some(1), ..fixed(OF_DEVICE, 5 * MIB / 2) };
    let single = sim.pool(&config);
    let dedicated = PoolAllocationRequest { strategy: Strategy::Dedicated, ..bytes(MIB) };
    let at_once = PoolAllocationRequest { never_allocate: true, ..bytes(MIB) };

    let mut live = vec![sim.allocate_in(&adaptive, &dedicated)];
    assert!(live[0].is_dedicated() && live[0].offset() == 0);
    assert_eq!(sim.refusal_in(&adaptive, &at_once), AllocError::NoRoom);
    live.push(sim.allocate_in(&adaptive, &bytes(MIB)));
    live.push(sim.allocate_in(&adaptive, &at_once));
    assert_eq!(live[1].memory(), live[2].memory());
    assert_ne!(live[0].memory(), live[1].memory());

    assert_eq!(sim.refusal_in(&single, &at_once), AllocError::NoRoom);
    let error = sim.refusal_in(&single, &dedicated);
    assert_eq!(error, AllocError::DedicatedNotAllowed { size: MIB });
    live.push(sim.allocate_in(&single, &bytes(MIB)));
    live.push(sim.allocate_in(&single, &at_once));
    assert_eq!(sim.refusal_in(&single, &at_once), AllocError::PoolFull { max_block_count: 1 });
    assert_eq!(sim.refusal_in(&single, &bytes(MIB)), AllocError::PoolFull { max_block_count: 1 });
    live.push(sim.allocate_in(&single, &bytes(MIB / 2)));
    assert_eq!(sim.refusal_in(&single, &bytes(1)), AllocError::PoolFull { max_block_count: 1 });

    let request =
        AllocationRequest { size: MIB, memory_type_bits: 1, ..AllocationRequest::default() };
    let ordinary = sim.allocate(&request);
    assert!(!adaptive.contains(&ordinary) && !single.contains(&ordinary));
    assert!(live.iter().all(|one| one.memory() != ordinary.memory()));
    let mut sum = PoolStats::default();
    [adaptive.stats(), single.stats()].into_iter().for_each(|stats| sum += stats);
    assert_eq!((sum.allocation_count, sum.dedicated_count), (5, 1));
    assert_eq!(single.stats().used_size, 5 * MIB / 2);
    let stats = sim.allocator.stats();
    assert_eq!((stats.pooled, stats.dedicated), (sum.allocation_count + 1, 1));
    assert_eq!(stats.total_used, sum.used_size + sum.dedicated_size + MIB);
    sim.check_books();

    sim.free(ordinary);
    live.into_iter().for_each(|allocation| sim.free(allocation));
    sim.end_pool(adaptive);
    sim.end_pool(single);
    sim.finish();
}

/// HeapSizeLimit: 100 MiB, two dedicated of 5 MiB, then a pool of blocks of 10 MiB with 18 more.
#[test]
fn a_limit_on_the_heap_holds_for_pools_and_dedicated_memory() {
    let mut config = AllocatorConfig::default();
    config.heap_limits[0] = Some(100 * MIB);
    let sim = Sim::with_config(config);
    let pool = sim.pool(&fixed(OF_DEVICE, 10 * MIB));
    let request = AllocationRequest {
        size: 5 * MIB,
        memory_type_bits: 1,
        kind: ResourceKind::Linear,
        strategy: Strategy::Dedicated,
        ..Default::default()
    };
    let mut live: Vec<_> = (0..2).map(|_| sim.allocate(&request)).collect();
    live.extend((0..18).map(|_| sim.allocate_in(&pool, &bytes(5 * MIB))));
    assert_eq!(sim.driver.live().memory_bytes_per_heap[0], 100 * MIB);
    let limit = 100 * MIB;
    let error = LimitError::HeapLimit { heap_index: 0, size: 10 * MIB, in_use: limit, limit };
    assert_eq!(sim.refusal_in(&pool, &bytes(128)), error.into());
    live.into_iter().for_each(|allocation| sim.free(allocation));
    sim.end_pool(pool);
    sim.finish();
}

//! Pools that fall back over several memory types.

use ash::vk;
use gpu_alloc_ash::{
    Algorithm, AllocError, AllocatorConfig, CustomPoolConfig, LimitError, LinearKind,
    PoolAllocationRequest, Strategy,
};
use vk_sim::{Call, Failure};

use super::fixture::{bytes, fixed};
use crate::support::{KIB, MIB, Sim};
use crate::tables;

const BAR_THEN_HOST: &[u32] = &[3, 1];

#[test]
fn a_pool_goes_on_in_the_next_memory_type_when_a_heap_is_full() {
    // The BAR has room for two blocks.
    let sim = Sim::new(
        tables::heaps([64 * MIB, 64 * MIB, 2 * MIB + 900 * KIB]),
        AllocatorConfig::default(),
    );
    let pool = sim.pool(&fixed(BAR_THEN_HOST, MIB));
    assert_eq!(pool.memory_types().collect::<Vec<_>>(), BAR_THEN_HOST);
    assert_eq!(pool.memory_type_bits(), 0b1010);
    let mut live: Vec<_> = (0..5).map(|_| sim.allocate_in(&pool, &bytes(MIB))).collect();
    let types: Vec<_> = live.iter().map(gpu_alloc_ash::Allocation::memory_type_index).collect();
    assert_eq!(types, [3, 3, 1, 1, 1]);
    assert_eq!((pool.stats().block_count, pool.blocks().len()), (5, 5));
    // A request may still insist.
    let only = PoolAllocationRequest { memory_type_bits: 0b1000, ..bytes(MIB) };
    let error = sim.refusal_in(&pool, &only);
    assert!(matches!(error, AllocError::Limit(_) | AllocError::Driver { .. }), "{error}");
    let host = PoolAllocationRequest { memory_type_bits: 0b10, ..bytes(100) };
    live.push(sim.allocate_in(&pool, &host));
    assert_eq!(live[5].memory_type_index(), 1);
    // What is free in the first is taken first again.
    sim.free(live.swap_remove(0));
    let again = sim.allocate_in(&pool, &bytes(MIB));
    assert_eq!(again.memory_type_index(), 3);
    live.push(again);
    sim.free_many(live);
    sim.end_pool(pool);
    sim.finish();
}

/// Counts hold for each memory type, and the first type's refusal is the one that is told.
#[test]
fn a_pool_with_as_many_blocks_as_it_may_have_goes_on_in_the_next_type() {
    let sim = Sim::default();
    let config = CustomPoolConfig {
        algorithm: Algorithm::Linear(LinearKind::Ring),
        max_block_count: Some(1),
        ..fixed(BAR_THEN_HOST, MIB)
    };
    let pool = sim.pool(&config);
    let live: Vec<_> = (0..4).map(|_| sim.allocate_in(&pool, &bytes(MIB / 2))).collect();
    let types: Vec<_> = live.iter().map(gpu_alloc_ash::Allocation::memory_type_index).collect();
    assert_eq!(types, [3, 3, 1, 1]);
    assert_eq!(sim.refusal_in(&pool, &bytes(1)), AllocError::PoolFull { max_block_count: 1 });
    sim.free_many(live);
    sim.end_pool(pool);
    sim.finish();
}

#[test]
fn the_first_blocks_come_all_from_one_memory_type() {
    let sim = Sim::new(
        tables::heaps([64 * MIB, 64 * MIB, 2 * MIB + 900 * KIB]),
        AllocatorConfig::default(),
    );
    let config = CustomPoolConfig { min_block_count: 3, ..fixed(BAR_THEN_HOST, MIB) };
    let pool = sim.pool(&config);
    let blocks = pool.blocks();
    assert_eq!(blocks.len(), 3);
    assert!(blocks.iter().all(|block| block.memory_type_index == 1), "{blocks:?}");
    // The best type serves all the same, with blocks that come and go.
    let live: Vec<_> = (0..5).map(|_| sim.allocate_in(&pool, &bytes(MIB))).collect();
    let types: Vec<_> = live.iter().map(gpu_alloc_ash::Allocation::memory_type_index).collect();
    assert_eq!(types, [3, 3, 1, 1, 1]);
    sim.free_many(live);
    sim.allocator.trim();
    assert_eq!(pool.blocks(), blocks, "those that are to be there are still there");
    sim.end_pool(pool);
    sim.finish();
}

#[test]
fn an_error_that_is_no_shortage_is_told_at_once() {
    let sim = Sim::default();
    let config = CustomPoolConfig { min_block_count: 1, ..fixed(BAR_THEN_HOST, MIB) };
    let result = vk::Result::ERROR_INVALID_EXTERNAL_HANDLE;
    sim.driver.fail(Failure::every(Call::AllocateMemory, result));
    let error = sim.allocator.create_pool(&config).expect_err("it fails").to_string();
    assert_eq!(
        error,
        format!("the first 1 blocks could not be made: vkAllocateMemory answered {result:?}")
    );
    assert_eq!(sim.driver.calls().iter().filter(|&&call| call == Call::AllocateMemory).count(), 1);
    sim.driver.clear_failures();
    let pool = sim.pool(&config);
    sim.end_pool(pool);
    sim.finish();
}

/// An adaptive pool: smaller blocks first, then the next type, and at last memory of its own.
#[test]
fn an_adaptive_pool_shrinks_and_falls_back() {
    let mut config = AllocatorConfig::default();
    config.heap_limits[2] = Some(3 * MIB);
    let sim = Sim::with_config(config);
    let pool = sim.pool(&CustomPoolConfig { memory_types: BAR_THEN_HOST, ..Default::default() });
    let mut live = vec![sim.allocate_in(&pool, &bytes(MIB + 1))];
    assert_eq!((live[0].memory_type_index(), pool.blocks()[0].size), (3, 2 * MIB));
    live.push(sim.allocate_in(&pool, &bytes(MIB)));
    assert_eq!(live[1].memory_type_index(), 3, "one mebibyte is left");
    live.push(sim.allocate_in(&pool, &bytes(MIB)));
    assert_eq!(live[2].memory_type_index(), 1);
    let own = PoolAllocationRequest { strategy: Strategy::Dedicated, ..bytes(MIB) };
    live.push(sim.allocate_in(&pool, &own));
    assert_eq!((live[3].memory_type_index(), live[3].is_dedicated()), (1, true));
    let only = PoolAllocationRequest { memory_type_bits: 0b1000, ..own };
    let error = sim.refusal_in(&pool, &only);
    assert!(matches!(error, AllocError::Limit(LimitError::HeapLimit { heap_index: 2, .. })));
    sim.check_books();
    sim.free_many(live);
    sim.end_pool(pool);
    sim.finish();
}

/// A budget is kept as long as another memory type has some.
#[test]
fn the_budget_of_the_first_memory_type_is_kept_while_the_second_has_room() {
    let mut driver = tables::heaps([64 * MIB, 64 * MIB, 16 * MIB]);
    driver.heap_budgets = vec![64 * MIB, 64 * MIB, 3 * MIB];
    let mut config = AllocatorConfig::default();
    config.ext_memory_budget = true;
    let sim = Sim::new(driver, config);
    let pool = sim.pool(&fixed(BAR_THEN_HOST, 2 * MIB));
    let mut live: Vec<_> = (0..2).map(|_| sim.allocate_in(&pool, &bytes(2 * MIB))).collect();
    assert_eq!((live[0].memory_type_index(), live[1].memory_type_index()), (3, 1));
    let here = PoolAllocationRequest { memory_type_bits: 0b1000, ..bytes(2 * MIB) };
    let within = PoolAllocationRequest { within_budget: true, ..here };
    let error = sim.refusal_in(&pool, &within);
    assert!(matches!(error, AllocError::Limit(LimitError::Budget { .. })), "{error}");
    live.push(sim.allocate_in(&pool, &here));
    assert_eq!(live[2].memory_type_index(), 3);
    sim.free_many(live);
    sim.end_pool(pool);
    let lints = sim.driver.lints();
    assert_eq!(lints.len(), 1, "the budget that was passed on purpose: {lints:?}");
    sim.allocator.destroy().expect("nothing lives");
    assert_eq!(sim.driver.finish(), []);
}

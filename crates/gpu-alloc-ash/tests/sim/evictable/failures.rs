//! Room that is made while the driver fails, and what is left where that does not help.

use ash::vk;
use gpu_alloc_ash::{
    Algorithm, AllocError, AllocatorConfig, CustomPoolConfig, FillBytes, PoolAllocationRequest,
};
use rstest::rstest;
use vk_sim::{Call, Failure};

use super::fixture::begin_frame;
use crate::custom_pools::fixture::{MAPPED, bytes, fixed};
use crate::support::{KIB, MIB, Sim};
use crate::tables;

/// As many blocks as the device has memory for.
fn unlimited() -> CustomPoolConfig<'static> {
    CustomPoolConfig { algorithm: Algorithm::Tlsf, ..fixed(MAPPED, MIB) }
}

#[rstest]
#[case(Call::AllocateMemory, vk::Result::ERROR_OUT_OF_DEVICE_MEMORY)]
#[case(Call::AllocateMemory, vk::Result::ERROR_OUT_OF_HOST_MEMORY)]
#[case(Call::AllocateMemory, vk::Result::ERROR_TOO_MANY_OBJECTS)]
#[case(Call::MapMemory, vk::Result::ERROR_MEMORY_MAP_FAILED)]
fn where_the_driver_has_no_block_something_old_goes(
    #[case] call: Call,
    #[case] result: vk::Result,
) {
    let sim = Sim::default();
    let (pool, lost) = sim.evictable_pool(&unlimited());
    let old = sim.evictable(&pool, &bytes(MIB), 1, 1);
    sim.driver.fail(Failure::every(call, result));
    let refused = AllocError::Driver { call: name_of(call), result };
    assert_eq!(sim.refused_evictable(&pool, &bytes(MIB), 1), refused, "nothing is old");
    begin_frame(&pool, 50);
    let too_large = bytes(MIB + 1);
    assert!(matches!(
        sim.refused_evictable(&pool, &too_large, 50),
        AllocError::LargerThanBlock { .. }
    ));
    let new = sim.evictable(&pool, &bytes(MIB), 50, 2);
    assert_eq!(lost.take(), [1]);
    assert!(old.is_lost());
    assert!(sim.driver.fired_failure_count() >= 2);
    sim.driver.clear_failures();
    assert_eq!(sim.free_evictable(new), Some(2));
    sim.end_evictable(pool);
    sim.finish();
}

fn name_of(call: Call) -> &'static str {
    match call {
        Call::AllocateMemory => "vkAllocateMemory",
        Call::MapMemory => "vkMapMemory",
        other => panic!("{other:?} is not made here"),
    }
}

#[test]
fn a_limit_that_the_user_set_is_kept_by_giving_up() {
    let mut config = AllocatorConfig::default();
    config.heap_limits = [Some(2 * MIB); vk::MAX_MEMORY_HEAPS];
    let sim = Sim::with_config(config);
    let (pool, lost) = sim.evictable_pool(&unlimited());
    for (frame, value) in (0u64..).zip(0..20) {
        begin_frame(&pool, frame);
        drop(sim.evictable(&pool, &bytes(512 * KIB), frame, value));
        assert!(pool.pool().stats().total_size <= 2 * MIB);
    }
    assert_eq!(lost.take(), (0..16).collect::<Vec<_>>());
    sim.end_evictable(pool);
    sim.finish();
}

/// Where empty blocks are not kept, one that empties for a request stays for it: the driver is not asked.
#[test]
fn a_block_that_empties_for_a_request_stays_for_it() {
    let mut config = AllocatorConfig::default();
    config.retained_bytes = Some(0);
    config.retained_live_divisor = 0;
    let sim = Sim::with_config(config);
    for algorithm in [Algorithm::TwoTier, Algorithm::Tlsf, Algorithm::Buddy] {
        let limited = CustomPoolConfig { max_block_count: Some(1), algorithm, ..unlimited() };
        let (pool, lost) = sim.evictable_pool(&limited);
        let freed = sim.driver.call_count(Call::FreeMemory);
        let old = [1, 2].map(|n| sim.evictable(&pool, &bytes(512 * KIB), 1, n));
        begin_frame(&pool, 50);
        // No block could be had.
        let none = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
        sim.driver.fail(Failure::every(Call::AllocateMemory, none));
        let held = PoolAllocationRequest { never_allocate: true, ..bytes(MIB) };
        let new = sim.evictable(&pool, &held, 50, 3);
        sim.driver.clear_failures();
        assert_eq!((lost.take(), pool.pool().stats().block_count), (vec![1, 2], 1));
        assert!(old.iter().all(|one| one.is_lost()));
        assert_eq!(sim.driver.call_count(Call::FreeMemory), freed);
        // What is freed leaves a block that is not kept.
        assert_eq!(sim.free_evictable(new), Some(3));
        assert_eq!(sim.driver.call_count(Call::FreeMemory), freed + 1);
        sim.end_evictable(pool);
    }
    sim.finish();
}

/// Margins, fill bytes and names on memory that is not coherent: what is lost is settled with no lock held,
/// and what cannot be flushed is not handed out.
#[test]
fn margins_and_fill_bytes_are_settled_and_written() {
    let mut config = AllocatorConfig::default();
    config.corruption_margin = 16;
    config.fill = Some(FillBytes::default());
    let sim = Sim::new(tables::non_coherent(64), config);
    let shape = CustomPoolConfig {
        algorithm: Algorithm::Tlsf,
        max_block_count: Some(1),
        ..fixed(&[0], MIB)
    };
    let (pool, lost) = sim.evictable_pool(&shape);
    // With their margins two of them fill the block to the byte.
    let request = bytes(512 * KIB - 16);
    let old = [1, 2].map(|n| sim.evictable(&pool, &request, 1, n));
    begin_frame(&pool, 50);
    let flushed = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
    // Whatever is flushed fails: the fill bytes of what goes, which is logged, and of what comes.
    sim.driver.fail(Failure::every(Call::FlushMappedMemoryRanges, flushed));
    let answer = sim.allocator.allocate_evictable(&pool, &request, 50, 3);
    let refused = answer.expect_err("it could not be filled");
    assert_eq!(refused.returned, 3);
    let call = "vkFlushMappedMemoryRanges";
    assert_eq!(refused.error, AllocError::Driver { call, result: flushed });
    let first = lost.take();
    assert_eq!(first.len(), 1, "what was lost was told all the same");
    sim.driver.clear_failures();
    let new = sim.evictable(&pool, &request, 50, 4);
    assert_eq!(lost.take(), [] as [u32; 0], "there is room by now");
    let third = sim.evictable(&pool, &request, 50, 5);
    assert_eq!(lost.take(), [3 - first[0]]);
    let byte = sim.allocator.with(&third, 50, |view| {
        let mut byte = [0];
        view.read(1000, &mut byte).map(|()| byte[0])
    });
    assert_eq!(byte, Some(Ok(FillBytes::default().created)));
    assert_eq!(sim.allocator.check_corruption(), []);
    assert!(old.iter().all(|one| one.is_lost()));
    drop((new, third));
    sim.end_evictable(pool);
    assert_eq!(sim.allocator.take_overruns(), []);
    sim.finish();
}

//! What contradicts itself or the device is refused with its rule, and leaves nothing behind.

use gpu_alloc_ash::{
    AllocError, AllocationRequest, AllocatorConfig, CreateError, CreatePoolError, CustomPoolConfig,
    DestroyPoolError, LimitError, LinearKind, PoolAllocationRequest, Strategy,
};
use rstest::rstest;
use vk_sim::DriverConfig;

use super::fixture::{MAPPED, OF_DEVICE, bytes, fixed, linear};
use crate::held::Held;
use crate::support::{KIB, MIB, Sim, allocator_on, buffer_info, image_info};
use crate::tables;

/// Refuses `config`, and proves that nothing is left of it.
#[track_caller]
fn check_refused(sim: Sim, config: &CustomPoolConfig<'_>, rule: &str) -> CreatePoolError {
    let error = sim.allocator.create_pool(config).expect_err("it is refused");
    assert_eq!(error.to_string(), rule);
    assert!(sim.driver.live().is_empty());
    assert_eq!(sim.driver.fallible_call_count(), 0, "the driver was not asked");
    sim.finish();
    error
}

#[rstest]
#[case::no_type(fixed(&[], MIB), "a pool needs at least one memory type")]
#[case::no_such_type(fixed(&[0, 4], MIB), "memory type 4 does not exist, the device has 4")]
#[case::far_beyond(fixed(&[u32::MAX], MIB), "memory type 4294967295 does not exist, the device has 4")]
#[case::twice(fixed(&[1, 0, 1], MIB), "memory type 1 was given twice")]
#[case::more_at_least_than_at_most(
    CustomPoolConfig { min_block_count: 3, max_block_count: Some(2), ..fixed(OF_DEVICE, MIB) },
    "at least 3 blocks are wanted, and at most 2, which must be 1 or more"
)]
#[case::no_block_at_all(
    CustomPoolConfig { max_block_count: Some(0), ..fixed(OF_DEVICE, MIB) },
    "at least 0 blocks are wanted, and at most 0, which must be 1 or more"
)]
#[case::ring_of_many(
    CustomPoolConfig { max_block_count: None, ..linear(MAPPED, LinearKind::Ring, MIB) },
    "a linear pool of kind Ring must have max_block_count 1"
)]
#[case::adaptive_ring_of_many(
    CustomPoolConfig { max_block_count: Some(2), block_size: None, ..linear(MAPPED, LinearKind::Ring, 1) },
    "a linear pool of kind Ring must have max_block_count 1"
)]
#[case::double_stack_of_many(
    CustomPoolConfig { max_block_count: Some(2), ..linear(MAPPED, LinearKind::DoubleStack, MIB) },
    "a linear pool of kind DoubleStack must have max_block_count 1"
)]
#[case::larger_than_the_heap(
    fixed(&[3], 64 * MIB + 1), "67108865 bytes are more than the 67108864 bytes of heap 2"
)]
#[case::larger_than_an_object_may_be(
    fixed(OF_DEVICE, 1024 * MIB + 1), "1073741825 bytes are more than maxMemoryAllocationSize, 1073741824"
)]
#[case::larger_than_the_second_heap(
    fixed(&[0, 3], 65 * MIB), "68157440 bytes are more than the 67108864 bytes of heap 2"
)]
#[case::no_bytes(fixed(OF_DEVICE, 0), "block_size is 0 bytes")]
#[case::alignment(
    CustomPoolConfig { min_alignment: 48, ..fixed(OF_DEVICE, MIB) },
    "min_alignment is 48, which is not a power of two"
)]
#[case::unit(
    CustomPoolConfig { min_allocation_size: Some(0), ..fixed(OF_DEVICE, MIB) },
    "min_allocation_size is 0, which is not a power of two"
)]
#[case::too_many_pieces(
    CustomPoolConfig { min_allocation_size: Some(1), ..fixed(OF_DEVICE, 2048 * MIB) },
    "a block of 2147483648 bytes has too many pieces of 1 bytes"
)]
#[case::no_priority(
    CustomPoolConfig { priority: Some(0.5), ..fixed(OF_DEVICE, MIB) },
    "the pool needs memoryPriority, which the configuration does not name as enabled"
)]
#[case::priority_above_one(
    CustomPoolConfig { priority: Some(1.5), ..fixed(OF_DEVICE, MIB) }, "priority 1.5 is not between 0 and 1"
)]
#[case::priority_that_is_no_number(
    CustomPoolConfig { priority: Some(f32::NAN), ..fixed(OF_DEVICE, MIB) }, "priority NaN is not between 0 and 1"
)]
#[case::no_addresses(
    CustomPoolConfig { device_address: true, ..fixed(OF_DEVICE, MIB) },
    "the pool needs bufferDeviceAddress, which the configuration does not name as enabled"
)]
fn a_pool_that_cannot_be_is_refused_with_its_rule(
    #[case] config: CustomPoolConfig<'static>,
    #[case] rule: &str,
) {
    check_refused(Sim::default(), &config, rule);
}

#[test]
fn a_block_above_the_limit_set_for_its_heap_is_refused() {
    let mut config = AllocatorConfig::default();
    config.heap_limits[0] = Some(10 * MIB);
    let rule = "11534336 bytes more would pass the limit of 10485760 set for heap 0, 0 are in use";
    let error = check_refused(Sim::with_config(config), &fixed(OF_DEVICE, 11 * MIB), rule);
    let limit = 10 * MIB;
    let inner = LimitError::HeapLimit { heap_index: 0, size: 11 * MIB, in_use: 0, limit };
    assert_eq!(error, CreatePoolError::BlockSize(inner));
}

#[test]
fn first_blocks_that_do_not_fit_leave_nothing() {
    let mut config = AllocatorConfig::default();
    config.heap_limits[0] = Some(10 * MIB);
    let sim = Sim::with_config(config);
    let config = CustomPoolConfig { min_block_count: 3, ..fixed(OF_DEVICE, 4 * MIB) };
    let error = sim.allocator.create_pool(&config).expect_err("two of them fit");
    let CreatePoolError::FirstBlocks { min_block_count: 3, error } = error else {
        panic!("{error}");
    };
    assert!(
        matches!(error, AllocError::Limit(LimitError::HeapLimit { in_use, .. }) if in_use == 8 * MIB)
    );
    assert!(sim.driver.live().is_empty());
    let pool = sim.pool(&CustomPoolConfig { min_block_count: 2, ..config });
    sim.end_pool(pool);
    sim.finish();
}

/// A stranger's pool, and what of ours it is asked for.
#[test]
fn the_pool_of_another_allocator_is_refused() {
    let sim = Sim::default();
    let pool = sim.pool(&fixed(MAPPED, MIB));
    let kept = sim.allocate_in(&pool, &bytes(100));
    let mut config = AllocatorConfig::default();
    config.api_version = sim.driver.config().api_version;
    let stranger = allocator_on(&sim.driver, config).expect("it is consistent");
    let error = stranger.allocate_in(&pool, &bytes(100)).expect_err("a stranger");
    assert!(matches!(error, AllocError::ForeignPool { owner, asked } if owner != asked));
    let refused = stranger.destroy_pool(pool).expect_err("a stranger");
    assert!(matches!(refused.error, DestroyPoolError::ForeignPool { .. }));
    let pool = refused.returned;
    // A pool of the other's own on the same seat is not ours.
    let twin = stranger.create_pool(&fixed(MAPPED, MIB)).expect("the pool can be");
    assert!(pool.contains(&kept) && !twin.contains(&kept));
    stranger.destroy_pool(twin).expect("nothing of it is alive");
    stranger.destroy().expect("nothing lives");
    sim.free(kept);
    sim.end_pool(pool);
    sim.finish();
}

#[rstest]
#[case::two_tier(fixed(MAPPED, MIB))]
#[case::adaptive(CustomPoolConfig { memory_types: MAPPED, ..Default::default() })]
#[case::stack(linear(MAPPED, LinearKind::Stack, MIB))]
#[case::ring(linear(MAPPED, LinearKind::Ring, MIB))]
#[case::several_blocks(CustomPoolConfig { max_block_count: Some(2), ..linear(MAPPED, LinearKind::Auto, MIB) })]
fn the_upper_end_is_refused_where_there_is_none(#[case] config: CustomPoolConfig<'static>) {
    let sim = Sim::default();
    let pool = sim.pool(&config);
    let upper = PoolAllocationRequest { upper_end: true, ..bytes(KIB) };
    assert_eq!(sim.refusal_in(&pool, &upper), AllocError::NoUpperEnd);
    sim.end_pool(pool);
    sim.finish();
}

#[rstest]
#[case::zero(bytes(0), AllocError::ZeroSize)]
#[case::alignment(PoolAllocationRequest { alignment: 3, ..bytes(1) }, AllocError::AlignmentNotPowerOfTwo { alignment: 3 })]
#[case::too_large(bytes(1024 * MIB + 1), AllocError::TooLarge { size: 1024 * MIB + 1, limit: 1024 * MIB })]
#[case::larger_than_a_block(bytes(MIB + 1), AllocError::LargerThanBlock { size: MIB + 1, alignment: 1, largest_block_size: MIB })]
#[case::aligned_past_a_block(
    PoolAllocationRequest { alignment: 2 * MIB, ..bytes(1) },
    AllocError::LargerThanBlock { size: 1, alignment: 2 * MIB, largest_block_size: MIB }
)]
#[case::other_types(
    PoolAllocationRequest { memory_type_bits: 0b101, ..bytes(1) },
    AllocError::NotOfPool { memory_type_bits: 0b101, pool_bits: 0b10 }
)]
#[case::memory_of_its_own(
    PoolAllocationRequest { strategy: Strategy::Dedicated, ..bytes(9) }, AllocError::DedicatedNotAllowed { size: 9 }
)]
#[case::neither_carved_nor_made(
    PoolAllocationRequest { strategy: Strategy::Dedicated, never_allocate: true, ..bytes(9) }, AllocError::NoRoom
)]
fn a_bad_request_is_refused_by_name(
    #[case] request: PoolAllocationRequest<'static>,
    #[case] error: AllocError,
) {
    let sim = Sim::default();
    let pool = sim.pool(&fixed(MAPPED, MIB));
    assert_eq!(sim.refusal_in(&pool, &request), error);
    let kept = sim.allocate_in(&pool, &bytes(1000));
    assert_eq!(sim.refusal_in(&pool, &request), error);
    sim.free(kept);
    sim.end_pool(pool);
    sim.finish();
}

/// A resource that may not have the pool's memory type: both masks are named, and it is gone.
#[test]
fn a_resource_that_the_pool_does_not_suit_is_refused_with_both_masks() {
    let rules =
        vec![vk_sim::ResourceRule { memory_type_bits: 0b1001, ..vk_sim::ResourceRule::default() }];
    let sim = Sim::new(
        DriverConfig { resource_rules: rules, ..DriverConfig::default() },
        AllocatorConfig::default(),
    );
    let pool = sim.pool(&fixed(&[1, 2], MIB));
    let refused = AllocError::NotOfPool { memory_type_bits: 0b1001, pool_bits: 0b110 };
    let made = sim.create_buffer_in(&pool, &buffer_info(64), &Default::default());
    assert_eq!(made.expect_err("other types"), CreateError::Alloc(refused.clone()));
    let info = image_info(16, ash::vk::ImageTiling::OPTIMAL);
    let made = sim.create_image_in(&pool, &info, &Default::default());
    assert_eq!(made.expect_err("other types"), CreateError::Alloc(refused.clone()));
    let held = Held::RawBuffer(sim.raw_buffer(&buffer_info(64)));
    let Held::RawBuffer(buffer) = held else { unreachable!("just made") };
    assert_eq!(sim.allocate_for_buffer_in(&pool, buffer).expect_err("other types"), refused);
    held.release(&sim);
    assert!(sim.driver.live().is_empty());
    assert!(refused.to_string().contains("0x9") && refused.to_string().contains("0x6"));
    sim.end_pool(pool);
    sim.finish();
}

/// The driver's demand for dedicated memory, and a pool that has none.
#[test]
fn dedicated_memory_that_the_driver_requires_is_had_in_adaptive_pools_alone() {
    let sim = Sim::new(tables::requires_dedicated(), AllocatorConfig::default());
    let pool = sim.pool(&fixed(OF_DEVICE, MIB));
    let made = sim.create_buffer_in(&pool, &buffer_info(256), &Default::default());
    let refused = AllocError::DedicatedNotAllowed { size: 256 };
    assert_eq!(made.expect_err("it is required"), CreateError::Alloc(refused));
    sim.end_pool(pool);
    let pool = sim.pool(&CustomPoolConfig { memory_types: OF_DEVICE, ..Default::default() });
    let pooled = PoolAllocationRequest { strategy: Strategy::Pooled, ..Default::default() };
    let made = sim.create_buffer_in(&pool, &buffer_info(256), &pooled);
    assert_eq!(made.expect_err("ruled out"), CreateError::Alloc(AllocError::DedicatedRequired));
    let larger = sim.create_buffer_in(&pool, &buffer_info(256), &bytes(1000));
    let refused = AllocError::DedicatedSize { size: 1000, required: 256 };
    assert_eq!(larger.expect_err("to the byte"), CreateError::Alloc(refused));
    let made = sim.create_buffer_in(&pool, &buffer_info(256), &Default::default());
    let (buffer, memory) = made.expect("it has memory of its own");
    assert!(memory.is_dedicated() && pool.contains(&memory));
    assert_eq!(pool.stats().dedicated_count, 1);
    Held::Buffer(buffer, memory).release(&sim);
    sim.end_pool(pool);
    sim.finish();
}

/// What the driver merely prefers is followed where the pool allows.
#[test]
fn dedicated_memory_that_the_driver_prefers_is_had_where_it_can() {
    let sim = Sim::new(tables::prefers_dedicated(), AllocatorConfig::default());
    for (config, is_dedicated) in [
        (fixed(OF_DEVICE, MIB), false),
        (CustomPoolConfig { memory_types: OF_DEVICE, ..Default::default() }, true),
    ] {
        let pool = sim.pool(&config);
        let made = sim.create_buffer_in(&pool, &buffer_info(256), &Default::default());
        let (buffer, memory) = made.expect("there is room");
        assert_eq!(memory.is_dedicated(), is_dedicated);
        Held::Buffer(buffer, memory).release(&sim);
        sim.end_pool(pool);
    }
    sim.finish();
}

#[test]
fn an_ordinary_request_knows_nothing_of_pools() {
    let sim = Sim::default();
    let pool = sim.pool(&CustomPoolConfig { min_block_count: 1, ..fixed(OF_DEVICE, MIB) });
    let request = AllocationRequest { size: 1000, memory_type_bits: 1, ..Default::default() };
    let at_once = AllocationRequest { never_allocate: true, ..request };
    let refused = sim.allocator.allocate(&at_once).expect_err("the only block is the pool's");
    assert_eq!(refused, AllocError::NoRoom);
    let ordinary = sim.allocate(&request);
    assert!(pool.blocks().iter().all(|block| block.memory != ordinary.memory()));
    sim.free(ordinary);
    sim.end_pool(pool);
    sim.finish();
}

//! What each field of a pool's configuration does, and memory types found from examples.

use ash::vk;
use gpu_alloc_ash::{
    AllocError, AllocationRequest, AllocatorConfig, CreateError, CustomPoolConfig,
    MemoryPropertyFlags, PoolAllocationRequest, ResourceKind, Strategy, UsageFlags,
};
use rstest::rstest;
use vk_sim::{Call, DriverConfig};

use super::fixture::{MAPPED, OF_DEVICE, bytes, fixed};
use crate::held::Held;
use crate::support::{KIB, MIB, Sim, TRANSFER, buffer_info, image_info};

fn with_extensions() -> Sim {
    let mut config = AllocatorConfig::default();
    config.ext_memory_priority = true;
    config.buffer_device_address = true;
    Sim::with_config(config)
}

/// Blocks, dedicated memory, and the first blocks have it; nobody else's have.
#[test]
fn the_memory_of_a_pool_has_its_priority_and_addresses() {
    let sim = with_extensions();
    let config = CustomPoolConfig {
        memory_types: OF_DEVICE,
        min_block_count: 1,
        priority: Some(0.75),
        device_address: true,
        ..Default::default()
    };
    let pool = sim.pool(&config);
    let info = buffer_info(1000).usage(TRANSFER | vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS);
    let strategies = [Strategy::Auto, Strategy::Dedicated];
    let held: Vec<_> = strategies
        .iter()
        .map(|&strategy| {
            let request = PoolAllocationRequest { strategy, ..Default::default() };
            let (buffer, memory) = sim.create_buffer_in(&pool, &info, &request).expect("room");
            assert_eq!(memory.is_dedicated(), strategy == Strategy::Dedicated);
            Held::Buffer(buffer, memory)
        })
        .collect();
    let records = sim.driver.memories();
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record.priority, Some(0.75));
        assert_eq!(record.flags, vk::MemoryAllocateFlags::DEVICE_ADDRESS);
    }
    let plain = sim.pool(&fixed(OF_DEVICE, MIB));
    let other = sim.allocate_in(&plain, &bytes(1000));
    let mut records = sim.driver.memories();
    records.retain(|record| record.memory == other.memory());
    assert_eq!((records[0].priority, records[0].flags.is_empty()), (None, true));
    let made = sim.create_buffer_in(&plain, &info, &Default::default());
    assert_eq!(made.expect_err("without"), CreateError::Alloc(AllocError::NoDeviceAddress));
    sim.free(other);
    held.into_iter().for_each(|held| held.release(&sim));
    sim.end_pool(pool);
    sim.end_pool(plain);
    sim.finish();
}

#[rstest]
#[case(0.0)]
#[case(1.0)]
fn the_ends_of_the_priorities_are_in(#[case] priority: f32) {
    let sim = with_extensions();
    let config =
        CustomPoolConfig { priority: Some(priority), min_block_count: 1, ..fixed(OF_DEVICE, MIB) };
    let pool = sim.pool(&config);
    assert_eq!(sim.driver.memories()[0].priority, Some(priority));
    sim.end_pool(pool);
    sim.finish();
}

/// Blocks of an adaptive pool are those of ordinary memory.
#[test]
fn blocks_without_a_size_grow_as_all_others_do() {
    let sim = Sim::default();
    let pool = sim.pool(&CustomPoolConfig { memory_types: MAPPED, ..Default::default() });
    let mut live = Vec::new();
    while pool.stats().block_count < 4 {
        live.push(sim.allocate_in(&pool, &bytes(MIB)));
    }
    let sizes: Vec<_> = pool.blocks().iter().map(|block| block.size / MIB).collect();
    let request = AllocationRequest { size: MIB, memory_type_bits: 2, ..Default::default() };
    let before = sim.allocator.stats().block_count;
    let ordinary: Vec<_> = (0..live.len()).map(|_| sim.allocate(&request)).collect();
    assert_eq!(sim.allocator.stats().block_count - before, 4);
    let mut others: Vec<_> = sim.driver.memories().iter().map(|record| record.size / MIB).collect();
    let mut both = [sizes.clone(), sizes].concat();
    others.sort_unstable();
    both.sort_unstable();
    assert_eq!(others, both);
    sim.free_many(live);
    sim.free_many(ordinary);
    sim.end_pool(pool);
    sim.finish();
}

#[test]
fn the_smallest_piece_is_what_the_pool_says() {
    let sim = Sim::default();
    for (min_allocation_size, used) in [(None, 256), (Some(64), 64), (Some(4 * KIB), 4 * KIB)] {
        let pool = sim.pool(&CustomPoolConfig { min_allocation_size, ..fixed(MAPPED, MIB) });
        let allocation = sim.allocate_in(&pool, &bytes(1));
        assert_eq!(pool.stats().used_size, used);
        sim.free(allocation);
        sim.end_pool(pool);
    }
    sim.finish();
}

/// As many kinds as there are: the driver is asked without a resource from 1.3 on, and before by one that
/// is gone again.
#[rstest]
#[case::without_a_resource(vk::API_VERSION_1_3)]
#[case::by_an_example(vk::API_VERSION_1_1)]
#[case::by_an_example_of_1_0(vk::API_VERSION_1_0)]
fn memory_types_are_found_from_examples(#[case] api_version: u32) {
    let rules = vec![vk_sim::ResourceRule {
        kind: vk_sim::ResourceKind::Buffer(vk::BufferUsageFlags::empty()),
        memory_type_bits: 0b1110,
        ..vk_sim::ResourceRule::default()
    }];
    let driver = DriverConfig { api_version, resource_rules: rules, ..DriverConfig::default() };
    let sim = Sim::new(driver, AllocatorConfig::default());
    let fast = AllocationRequest { usage: UsageFlags::FAST_DEVICE_ACCESS, ..Default::default() };
    let types = sim.types_for_buffer(&buffer_info(1024), &fast).expect("there are some");
    assert_eq!(types, [1, 2, 3], "0 is not for buffers, and the BAR is for those that need it");
    let image = image_info(64, vk::ImageTiling::OPTIMAL);
    assert_eq!(sim.types_for_image(&image, &fast).expect("there are some")[0], 0);
    let upload = AllocationRequest { usage: UsageFlags::UPLOAD, ..Default::default() };
    assert_eq!(sim.types_for_buffer(&buffer_info(1024), &upload).expect("some")[0], 1);
    assert_eq!(sim.allocator.memory_types(&upload).expect("there are some")[0], 1);
    let only = AllocationRequest { memory_type_bits: 1, ..fast };
    let required = MemoryPropertyFlags::empty();
    let none = AllocError::NoSuitableMemoryType { memory_type_bits: 0, required };
    assert_eq!(sim.types_for_buffer(&buffer_info(1024), &only), Err(none.into()));
    assert!(sim.driver.live().is_empty());
    let created = |call| sim.driver.calls().iter().filter(|&&made| made == call).count();
    let expected = if api_version == vk::API_VERSION_1_3 { (0, 0) } else { (3, 1) };
    assert_eq!((created(Call::CreateBuffer), created(Call::CreateImage)), expected);

    // And such a pool serves what it was made for.
    let pool = sim.pool(&fixed(&types[..1], MIB));
    let made = sim.create_buffer_in(&pool, &buffer_info(1024), &Default::default());
    let (buffer, memory) = made.expect("its own kind");
    assert_eq!(memory.memory_type_index(), 1);
    Held::Buffer(buffer, memory).release(&sim);
    sim.end_pool(pool);
    sim.finish();
}

#[test]
fn a_request_too_large_for_every_heap_finds_no_memory_type() {
    let sim = Sim::default();
    let request = AllocationRequest { size: 3 << 30, ..Default::default() };
    let error = sim.allocator.memory_types(&request).expect_err("3 GiB");
    assert_eq!(error, AllocError::TooLarge { size: 3 << 30, limit: 2 << 30 });
    let disjoint = image_info(64, vk::ImageTiling::OPTIMAL).flags(vk::ImageCreateFlags::DISJOINT);
    let error = sim.types_for_image(&disjoint, &Default::default()).expect_err("plane by plane");
    assert_eq!(error, CreateError::BoundInParts { flag: "DISJOINT" });
    sim.finish();
}

#[test]
fn what_is_bound_in_parts_is_not_created_in_a_pool() {
    let sim = Sim::default();
    let pool = sim.pool(&CustomPoolConfig { memory_types: OF_DEVICE, ..Default::default() });
    let info = buffer_info(64).flags(vk::BufferCreateFlags::SPARSE_BINDING);
    let error = sim.create_buffer_in(&pool, &info, &Default::default()).expect_err("refused");
    assert_eq!(error, CreateError::BoundInParts { flag: "SPARSE_BINDING" });
    for (flags, flag) in [
        (vk::ImageCreateFlags::SPARSE_BINDING, "SPARSE_BINDING"),
        (vk::ImageCreateFlags::DISJOINT, "DISJOINT"),
    ] {
        let info = image_info(16, vk::ImageTiling::OPTIMAL).flags(flags);
        let error = sim.create_image_in(&pool, &info, &Default::default()).expect_err("refused");
        assert_eq!(error, CreateError::BoundInParts { flag });
    }
    assert!(sim.driver.live().is_empty());
    sim.end_pool(pool);
    sim.finish();
}

/// Every way to get memory out of a pool, and what it is dedicated to.
#[test]
fn every_way_of_a_pool_is_open() {
    let sim = Sim::default();
    let pool = sim.pool(&CustomPoolConfig { memory_types: OF_DEVICE, ..Default::default() });
    let buffer = sim.raw_buffer(&buffer_info(3000));
    let image = sim.raw_image(&image_info(32, vk::ImageTiling::OPTIMAL));
    let for_buffer = sim.allocate_for_buffer_in(&pool, buffer).expect("there is room");
    let for_image = sim.allocate_for_image_in(&pool, image).expect("there is room");
    sim.bind_buffer(buffer, &for_buffer);
    sim.bind_image(image, &for_image);
    let dedicated = PoolAllocationRequest {
        strategy: Strategy::Dedicated,
        name: Some("its own"),
        ..Default::default()
    };
    let info = image_info(32, vk::ImageTiling::OPTIMAL);
    let (own, memory) = sim.create_image_in(&pool, &info, &dedicated).expect("there is room");
    assert!(sim.driver.memories().iter().any(|record| record.dedicated.is_some()));
    let leaks = sim.allocator.leaks();
    assert!(leaks.iter().any(|leak| leak.name.as_deref() == Some("its own")));
    let granules = PoolAllocationRequest { kind: ResourceKind::NonLinear, ..bytes(1) };
    let one = sim.allocate_in(&pool, &granules);
    assert_eq!(one.offset() % sim.driver.config().buffer_image_granularity, 0);
    sim.destroy_raw_buffer(buffer);
    sim.destroy_raw_image(image);
    sim.free_many(vec![for_buffer, for_image, one]);
    Held::Image(own, memory).release(&sim);
    sim.end_pool(pool);
    sim.finish();
}

/// What the requirements of a resource say can be asked for as it is.
#[test]
fn requirements_are_a_request() {
    let requirements =
        vk::MemoryRequirements { size: 1000, alignment: 512, memory_type_bits: 0b10 };
    let request = PoolAllocationRequest::from(requirements);
    assert_eq!((request.size, request.alignment, request.memory_type_bits), (1000, 512, 2));
    assert_eq!(request.kind, ResourceKind::Unknown);
}

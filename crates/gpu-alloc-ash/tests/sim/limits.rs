//! Hard limits: the error names the limit, small requests never become dedicated because of one, and
//! the driver is not asked past it.

use gpu_alloc_ash::{
    AllocError, Allocation, AllocationRequest, AllocatorConfig, LimitError, Strategy, UsageFlags,
};
use rstest::rstest;
use vk_sim::DriverConfig;

use crate::support::{KIB, MIB, Sim};
use crate::tables;

/// A request to memory type 0 alone.
fn pinned<'a>(size: u64) -> AllocationRequest<'a> {
    AllocationRequest { size, memory_type_bits: 1, ..Default::default() }
}

fn pooled<'a>(size: u64) -> AllocationRequest<'a> {
    AllocationRequest { strategy: Strategy::Pooled, ..pinned(size) }
}

fn config(change: impl FnOnce(&mut AllocatorConfig)) -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    change(&mut config);
    config
}

#[track_caller]
fn check_limit(sim: &Sim, request: &AllocationRequest<'_>, limit: LimitError) {
    let (stats, live) = (sim.allocator.stats(), sim.driver.live());
    let error = sim.allocator.allocate(request).expect_err("the limit holds");
    assert_eq!(error, AllocError::Limit(limit));
    assert_eq!(sim.allocator.stats(), stats);
    assert_eq!(sim.driver.live(), live);
    sim.check_books();
}

fn finish(sim: Sim, held: Vec<Allocation>) {
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

#[test]
fn a_heap_limit_makes_blocks_smaller_and_then_refuses() {
    let sim = Sim::with_config(config(|config| config.heap_limits[0] = Some(21 * MIB)));
    let mut held = vec![sim.allocate(&pooled(16 * MIB)), sim.allocate(&pooled(2 * MIB))];
    let sizes: Vec<_> = sim.driver.memories().iter().map(|record| record.size).collect();
    assert_eq!(sizes, [16 * MIB, 4 * MIB], "the second block was halved until it fits");
    held.push(sim.allocate(&pooled(MIB)));
    let full =
        |size| LimitError::HeapLimit { heap_index: 0, size, in_use: 20 * MIB, limit: 21 * MIB };
    check_limit(&sim, &pooled(2 * MIB), full(2 * MIB));
    check_limit(&sim, &pinned(2 * MIB - 5), full(2 * MIB));
    let dedicated = AllocationRequest { strategy: Strategy::Dedicated, ..pinned(MIB + 1) };
    check_limit(&sim, &dedicated, full(MIB + 1));
    held.extend([sim.allocate(&pinned(MIB)), sim.allocate(&pinned(MIB))]);
    let small =
        LimitError::HeapLimit { heap_index: 0, size: MIB, in_use: 21 * MIB, limit: 21 * MIB };
    check_limit(&sim, &pinned(100), small);
    let elsewhere = sim.allocate(&AllocationRequest { size: 100, ..Default::default() });
    assert_ne!(elsewhere.memory_type_index(), 0, "other heaps have no limit");
    held.push(elsewhere);
    sim.free(held.remove(0));
    held.push(sim.allocate(&pinned(100)));
    finish(sim, held);
}

#[test]
fn a_heap_limit_covers_all_types_of_the_heap() {
    let sim = Sim::with_config(config(|config| config.heap_limits[1] = Some(5 * MIB)));
    let host = |usage, size| AllocationRequest {
        size,
        usage,
        memory_type_bits: 0b110,
        strategy: Strategy::Dedicated,
        ..Default::default()
    };
    let first = sim.allocate(&host(UsageFlags::UPLOAD, 3 * MIB));
    let second = sim.allocate(&host(UsageFlags::DOWNLOAD, 2 * MIB));
    assert_ne!(first.memory_type_index(), second.memory_type_index());
    let limit = LimitError::HeapLimit { heap_index: 1, size: 1, in_use: 5 * MIB, limit: 5 * MIB };
    check_limit(&sim, &host(UsageFlags::UPLOAD, 1), limit);
    finish(sim, vec![first, second]);
}

#[test]
fn at_the_limit_of_blocks_small_requests_are_refused_and_large_ones_dedicated() {
    let sim = Sim::with_config(config(|config| config.max_blocks_per_heap = Some(1)));
    let mut held = vec![sim.allocate(&pooled(16 * MIB))];
    let limit = || LimitError::BlockCount { heap_index: 0, limit: 1 };
    for size in [1, 100, MIB - 1] {
        check_limit(&sim, &pinned(size), limit());
    }
    check_limit(&sim, &pooled(4 * MIB), limit());
    for size in [MIB, 2 * MIB] {
        let allocation = sim.allocate(&pinned(size));
        assert!(allocation.is_dedicated());
        held.push(allocation);
    }
    held.push(sim.allocate(&AllocationRequest { strategy: Strategy::Dedicated, ..pinned(10) }));
    assert_eq!(sim.allocator.stats().block_count, 1);
    sim.check_books();
    sim.free(held.remove(0));
    held.push(sim.allocate(&pinned(100)));
    finish(sim, held);
}

/// The empty block that another memory type of the heap keeps makes room.
#[test]
fn a_kept_block_is_given_back_before_a_limit_refuses() {
    let sim = Sim::with_config(config(|config| config.max_blocks_per_heap = Some(1)));
    let host =
        |memory_type_bits| AllocationRequest { size: 100, memory_type_bits, ..Default::default() };
    let first = sim.allocate(&host(0b010));
    sim.free(first);
    assert_eq!(sim.allocator.stats().retained_size, 4 * MIB);
    let second = sim.allocate(&host(0b100));
    assert_eq!(second.memory_type_index(), 2);
    assert_eq!(sim.allocator.stats().block_count, 1);
    finish(sim, vec![second]);
}

#[test]
fn the_dedicated_floor_is_where_it_is_set() {
    let sim = Sim::with_config(config(|config| {
        config.max_blocks_per_heap = Some(0);
        config.dedicated_floor = 5000;
    }));
    check_limit(&sim, &pinned(4999), LimitError::BlockCount { heap_index: 0, limit: 0 });
    let allocation = sim.allocate(&pinned(5000));
    assert!(allocation.is_dedicated());
    finish(sim, vec![allocation]);
}

#[rstest]
#[case::the_devices(3, 0)]
#[case::with_head_room(10, 7)]
fn memory_objects_are_counted_to_the_limit(#[case] max: u32, #[case] head_room: u32) {
    let config = config(|config| config.allocation_count_head_room = head_room);
    let sim = Sim::new(tables::objects(max), config);
    let dedicated =
        AllocationRequest { size: 100, strategy: Strategy::Dedicated, ..Default::default() };
    let mut held: Vec<_> = (0..3).map(|_| sim.allocate(&dedicated)).collect();
    let limit = LimitError::AllocationCount { limit: 3 };
    for request in [dedicated, AllocationRequest { strategy: Strategy::Auto, ..dedicated }] {
        check_limit(&sim, &request, limit.clone());
    }
    check_limit(&sim, &AllocationRequest { size: 40 * MIB, ..Default::default() }, limit.clone());
    sim.free(held.remove(0));
    held.push(sim.allocate(&AllocationRequest { size: 10, ..Default::default() }));
    held.push(sim.allocate(&AllocationRequest { size: 10, ..Default::default() }));
    check_limit(&sim, &dedicated, limit);
    finish(sim, held);
}

#[test]
fn a_block_is_no_larger_than_max_memory_allocation_size() {
    // Blocks are of whole mebibytes.
    let limit = 3 * MIB - 512;
    let driver = DriverConfig { max_memory_allocation_size: limit, ..DriverConfig::default() };
    let sim = Sim::new(driver, AllocatorConfig::default());
    let held = vec![sim.allocate(&pinned(1000)), sim.allocate(&pinned(limit - 1))];
    let sizes: Vec<_> = sim.driver.memories().iter().map(|record| record.size).collect();
    assert_eq!(sizes, [2 * MIB, limit - 1], "a smaller block; its own object, unrounded");
    check_limit(&sim, &pooled(limit - 1), LimitError::AllocationSize { size: 3 * MIB, limit });
    let error = sim.allocator.allocate(&pinned(limit + 1)).expect_err("too large");
    assert_eq!(error, AllocError::TooLarge { size: limit + 1, limit });
    finish(sim, held);
}

#[test]
fn a_block_is_no_larger_than_its_heap() {
    let config = config(|config| config.heap_divisor = 0);
    // Blocks are of whole mebibytes.
    let heap_size = 6 * MIB - 512 * KIB;
    let sim = Sim::new(tables::heaps([heap_size, 64 * KIB, 64 * KIB]), config);
    let first = sim.allocate(&pinned(1000));
    let sizes: Vec<_> = sim.driver.memories().iter().map(|record| record.size).collect();
    assert_eq!(sizes, [4 * MIB]);
    let whole = AllocationRequest { strategy: Strategy::Pooled, ..pinned(5 * MIB + 1) };
    check_limit(&sim, &whole, LimitError::HeapSize { heap_index: 0, size: 6 * MIB, heap_size });
    finish(sim, vec![first]);
}

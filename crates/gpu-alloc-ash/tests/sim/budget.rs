//! The driver's budgets, and requests that must not pass them or must not reach the driver.

use ash::vk;
use gpu_alloc_ash::{
    AllocError, Allocation, AllocationRequest, AllocatorConfig, LimitError, Strategy, UsageFlags,
};
use vk_sim::{Call, DriverConfig};

use crate::support::{KIB, MIB, Sim};
use crate::tables;

/// Two heaps of the device, as large as given, with one type each.
fn two_heaps(first: u64, second: u64) -> DriverConfig {
    let device = vk::MemoryPropertyFlags::DEVICE_LOCAL;
    let local = vk::MemoryHeapFlags::DEVICE_LOCAL;
    DriverConfig {
        memory_types: vec![(device, 0), (device, 1)],
        memory_heaps: vec![(first, local), (second, local)],
        ..DriverConfig::default()
    }
}

fn with_extension() -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    config.ext_memory_budget = true;
    config
}

fn pinned(size: u64) -> AllocationRequest<'static> {
    AllocationRequest { size, memory_type_bits: 0b1, ..Default::default() }
}

#[test]
fn small_requests_beside_a_full_heap_go_to_the_next_one_in_blocks() {
    let sim = Sim::new(two_heaps(256 * MIB, 128 * MIB), with_extension());
    sim.driver.set_heap_budget(0, Some(MIB / 2));
    sim.allocator.refresh_budgets();
    let request = AllocationRequest { size: 256, ..Default::default() };
    let held: Vec<Allocation> = (0..4000).map(|_| sim.allocate(&request)).collect();
    let calls = sim.driver.call_count(Call::AllocateMemory);
    assert!(calls <= 8, "{calls} calls for 4,000 small requests");
    let queries = sim.driver.call_count(Call::GetPhysicalDeviceMemoryProperties2);
    assert!(queries < 400, "{queries} budget queries for 4,000 small requests");
    assert!(held.iter().all(|allocation| allocation.memory_type_index() == 1));
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

#[test]
fn within_budget_stops_at_the_budget_and_names_it() {
    let sim = Sim::new(tables::heaps([64 * MIB, 64 * MIB, 64 * MIB]), AllocatorConfig::default());
    let request = AllocationRequest { within_budget: true, ..pinned(MIB) };
    let mut held = Vec::new();
    let error = loop {
        match sim.allocator.allocate(&request) {
            Ok(allocation) => held.push(allocation),
            Err(error) => break error,
        }
        assert!(held.len() < 200, "the budget of a heap of 64 MiB is below that");
    };
    let budget = 64 * MIB - 64 * MIB / 5;
    let AllocError::Limit(LimitError::Budget { heap_index: 0, budget: named, usage, .. }) = error
    else {
        panic!("{error} is not the budget of heap 0");
    };
    assert_eq!(named, budget);
    let committed = sim.driver.live().memory_bytes_per_heap[0];
    assert_eq!(usage, committed);
    assert!(committed <= budget && committed + 2 * MIB > budget, "{committed} of {budget}");
    assert!(held.len() >= 48, "only {} MiB of it are used", held.len());
    // Who does not mind passes it.
    held.push(sim.allocate(&pinned(8 * MIB)));
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

#[test]
fn a_budget_that_moves_is_followed_when_a_block_is_needed() {
    let sim = Sim::new(two_heaps(1024 * MIB, 1024 * MIB), with_extension());
    let request = AllocationRequest { strategy: Strategy::Dedicated, ..Default::default() };
    let sized = |size| AllocationRequest { size, within_budget: true, ..request };
    let first = sim.allocate(&sized(100 * MIB));
    assert_eq!(first.memory_type_index(), 0);
    sim.driver.set_heap_budget(0, Some(150 * MIB));
    sim.allocator.refresh_budgets();
    let second = sim.allocate(&sized(100 * MIB));
    assert_eq!(second.memory_type_index(), 1, "100 of 150 MiB are in use");
    assert_eq!(sim.allocator.heap_budget(0).expect("it exists").left(), 50 * MIB);
    sim.driver.set_heap_budget(0, Some(250 * MIB));
    // Long enough for the last answer to be stale.
    std::thread::sleep(std::time::Duration::from_millis(40));
    let third = sim.allocate(&sized(100 * MIB));
    assert_eq!(third.memory_type_index(), 0);
    [first, second, third].into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

#[test]
fn a_budget_of_zero_means_that_the_driver_does_not_know() {
    let sim = Sim::new(two_heaps(100 * MIB, 1024 * MIB), with_extension());
    sim.driver.set_heap_budget(0, Some(0));
    sim.allocator.refresh_budgets();
    assert_eq!(sim.allocator.heap_budget(0).expect("it exists").budget, 80 * MIB);
    sim.finish();
}

#[test]
fn the_driver_is_asked_for_budgets_only_when_a_block_is_needed() {
    let sim = Sim::new(two_heaps(1024 * MIB, 1024 * MIB), with_extension());
    let queries = || sim.driver.call_count(Call::GetPhysicalDeviceMemoryProperties2);
    let first = sim.allocate(&pinned(1000));
    let asked = queries();
    assert!(asked > 0);
    let held: Vec<_> = (0..1000).map(|_| sim.allocate(&pinned(1000))).collect();
    assert_eq!(queries(), asked);
    sim.allocator.refresh_budgets();
    assert_eq!(queries(), asked + 1);
    sim.free(first);
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

#[test]
fn without_the_extension_no_budget_is_asked_for() {
    let sim = Sim::default();
    let held = sim.allocate(&pinned(1000));
    sim.allocator.refresh_budgets();
    assert_eq!(sim.driver.call_count(Call::GetPhysicalDeviceMemoryProperties2), 0);
    sim.free(held);
    sim.finish();
}

#[test]
fn never_allocate_takes_room_and_makes_none() {
    let sim = Sim::default();
    let never = AllocationRequest { never_allocate: true, ..pinned(MIB) };
    assert_eq!(sim.allocator.allocate(&never).expect_err("there is no block"), AllocError::NoRoom);
    assert_eq!(sim.driver.call_count(Call::AllocateMemory), 0);
    let mut held = vec![sim.allocate(&pinned(MIB))];
    let error = loop {
        match sim.allocator.allocate(&never) {
            Ok(allocation) => held.push(allocation),
            Err(error) => break error,
        }
    };
    assert_eq!((error, held.len()), (AllocError::NoRoom, 16));
    let dedicated = AllocationRequest { strategy: Strategy::Dedicated, ..never };
    assert_eq!(sim.allocator.allocate(&dedicated).expect_err("ruled out"), AllocError::NoRoom);
    assert_eq!(sim.driver.call_count(Call::AllocateMemory), 1);
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

#[test]
fn many_are_all_or_none() {
    let sim = Sim::new(tables::heaps([20 * MIB, 64 * MIB, 64 * MIB]), AllocatorConfig::default());
    let request = AllocationRequest { name: Some("one of many"), ..pinned(100 * KIB) };
    let held = sim.allocator.allocate_many(&request, 100).expect("10 MiB of 20");
    assert_eq!(held.len(), 100);
    assert_eq!(sim.allocator.leaks().len(), 100);
    assert!(sim.allocator.leaks().iter().all(|leak| leak.name.as_deref() == request.name));
    let before = sim.allocator.stats().total_used;
    assert!(sim.allocator.allocate_many(&request, 1000).is_err(), "100 MiB of 20");
    assert!(sim.allocator.allocate_many(&request, usize::MAX).is_err(), "nobody has as many");
    assert_eq!(sim.allocator.stats().total_used, before);
    sim.free_many(held);
    assert_eq!(sim.allocator.allocate_many(&request, 0).expect("none is easy").len(), 0);
    sim.finish();
}

#[test]
fn many_of_several_types_go_back_together_and_strangers_come_back() {
    let sim = Sim::default();
    let other = Sim::default();
    let usages = [UsageFlags::UPLOAD, UsageFlags::DOWNLOAD, UsageFlags::FAST_DEVICE_ACCESS];
    let of = |sim: &Sim, index: usize| {
        let strategy = [Strategy::Auto, Strategy::Dedicated][index % 2];
        let usage = usages[index % 3];
        sim.allocate(&AllocationRequest { size: 5000, usage, strategy, ..Default::default() })
    };
    let mut held: Vec<Allocation> = (0..30).map(|index| of(&sim, index)).collect();
    held.push(of(&other, 0));
    let mut returned = sim.refused_many(held);
    assert_eq!(sim.allocator.stats().allocation_count, 30, "nothing was freed");
    other.free(returned.pop().expect("the last one is the stranger"));
    sim.free_many(returned);
    sim.finish();
    other.finish();
}

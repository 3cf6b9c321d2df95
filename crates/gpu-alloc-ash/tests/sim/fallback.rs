//! What is tried, in which order, when memory runs out.

use ash::vk;
use gpu_alloc_ash::{AllocError, AllocationRequest, AllocatorConfig, Strategy, UsageFlags};
use rstest::rstest;
use vk_sim::{Call, Failure};

use crate::support::{KIB, MIB, Sim};
use crate::tables;

const OUT_OF_MEMORY: vk::Result = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;

fn pinned<'a>(size: u64) -> AllocationRequest<'a> {
    AllocationRequest { size, memory_type_bits: 1, ..Default::default() }
}

fn sizes(sim: &Sim) -> Vec<u64> {
    sim.driver.memories().iter().map(|record| record.size).collect()
}

fn out_of_memory() -> AllocError {
    AllocError::Driver { call: "vkAllocateMemory", result: OUT_OF_MEMORY }
}

/// A heap of 22 MiB, whose blocks may be as large as it is.
fn short_of_memory() -> Sim {
    let mut config = AllocatorConfig::default();
    config.heap_divisor = 0;
    Sim::new(tables::heaps([22 * MIB, 2048 * MIB, 64 * MIB]), config)
}

#[test]
fn blocks_are_halved_down_to_what_is_left() {
    let sim = short_of_memory();
    let first = sim.allocate(&AllocationRequest { strategy: Strategy::Pooled, ..pinned(16 * MIB) });
    let second = sim.allocate(&pinned(1000));
    // Four fifths of 22 MiB are the budget, so 1.6 MiB are left of it: no call is made in vain.
    assert_eq!(sizes(&sim), [16 * MIB, MIB]);
    assert_eq!(sim.driver.call_count(Call::AllocateMemory), 2);
    assert_eq!(sim.allocator.stats().device_allocations, 2);
    sim.free(first);
    sim.free(second);
    sim.finish();
}

#[rstest]
#[case::once(1, 8 * MIB)]
#[case::twice(2, 4 * MIB)]
#[case::to_the_smallest(4, MIB)]
fn each_refusal_halves_once(#[case] refusals: u64, #[case] size: u64) {
    let sim = Sim::default();
    sim.driver
        .fail(Failure { count: refusals, ..Failure::every(Call::AllocateMemory, OUT_OF_MEMORY) });
    let allocation = sim.allocate(&pinned(1000));
    assert_eq!(sizes(&sim), [size]);
    sim.free(allocation);
    sim.finish();
}

#[test]
fn halving_stops_at_what_the_request_needs() {
    let sim = Sim::default();
    sim.driver.fail(Failure::every(Call::AllocateMemory, OUT_OF_MEMORY));
    let pooled = AllocationRequest { strategy: Strategy::Pooled, ..pinned(5 * MIB) };
    assert_eq!(sim.allocator.allocate(&pooled).expect_err("always refused"), out_of_memory());
    assert_eq!(sim.driver.call_count(Call::AllocateMemory), 2, "16 MiB and 8 MiB");
    sim.driver.clear_failures();
    sim.finish();
}

#[test]
fn empty_blocks_of_the_heap_are_given_back_before_it_is_left() {
    let sim = Sim::new(tables::heaps([1024 * MIB, 4 * MIB, 64 * MIB]), AllocatorConfig::default());
    let request = |memory_type_bits, size| AllocationRequest {
        size,
        memory_type_bits,
        strategy: Strategy::Pooled,
        ..Default::default()
    };
    let uploads: Vec<_> = (0..8).map(|_| sim.allocate(&request(0b010, 512 * KIB))).collect();
    assert_eq!(sim.driver.live().memory_bytes_per_heap[1], 4 * MIB, "the heap is full");
    uploads.into_iter().for_each(|allocation| sim.free(allocation));
    let kept = sim.allocator.stats().retained_size;
    assert!(kept > 0);
    // Most of the heap is needed, and the other type may have it.
    let whole = AllocationRequest { strategy: Strategy::Dedicated, ..request(0b1100, 3 * MIB) };
    let whole =
        AllocationRequest { avoided: gpu_alloc_ash::MemoryPropertyFlags::DEVICE_LOCAL, ..whole };
    let allocation = sim.allocate(&whole);
    assert_eq!(allocation.memory_type_index(), 2, "not the next heap");
    assert_eq!(sim.allocator.stats().retained_size, 0);
    sim.check_books();
    sim.free(allocation);
    sim.finish();
}

#[test]
fn blocks_in_use_are_not_given_back() {
    let sim = short_of_memory();
    let used = sim.allocate(&pinned(1000));
    let request = AllocationRequest { strategy: Strategy::Dedicated, ..pinned(22 * MIB) };
    let before = sim.allocator.stats();
    assert_eq!(sim.allocator.allocate(&request).expect_err("no room"), out_of_memory());
    assert_eq!(sim.allocator.stats(), before);
    sim.free(used);
    let whole = sim.allocate(&request);
    assert_eq!(sizes(&sim), [22 * MIB], "the block was empty, and made room");
    sim.free(whole);
    sim.finish();
}

#[rstest]
#[case::device_memory(UsageFlags::empty(), &[0, 1, 2, 3])]
#[case::upload(UsageFlags::UPLOAD, &[1, 2, 3])]
#[case::download(UsageFlags::DOWNLOAD, &[2, 1, 3])]
fn memory_types_have_their_turn_best_first(#[case] usage: UsageFlags, #[case] order: &[u32]) {
    let sim = Sim::default();
    let request = AllocationRequest {
        size: 1000,
        usage,
        strategy: Strategy::Dedicated,
        ..Default::default()
    };
    for (refusals, &expected) in (0..).zip(order) {
        let failure = Failure::every(Call::AllocateMemory, OUT_OF_MEMORY);
        sim.driver.fail(Failure { count: refusals, ..failure });
        let allocation = sim.allocate(&request);
        assert_eq!(allocation.memory_type_index(), expected);
        sim.driver.clear_failures();
        sim.free(allocation);
    }
    sim.finish();
}

/// Fragments of 3 MiB are left where no block of a power of two has room.
#[rstest]
#[case::at_the_floor(MIB, true)]
#[case::above_it(3 * MIB - 9, true)]
#[case::below_it(MIB - 1, false)]
fn the_last_resort_is_an_object_of_its_own(#[case] size: u64, #[case] served: bool) {
    let mut config = AllocatorConfig::default();
    config.smallest_block_size = 4 * MIB;
    config.heap_divisor = 0;
    let sim = Sim::new(tables::heaps([19 * MIB, 0, 0]), config);
    let filler =
        sim.allocate(&AllocationRequest { strategy: Strategy::Pooled, ..pinned(16 * MIB) });
    let request = AllocationRequest { size, ..Default::default() };
    match sim.allocator.allocate(&request) {
        Ok(allocation) => {
            assert!(served && allocation.is_dedicated());
            assert_eq!(sizes(&sim), [16 * MIB, size]);
            sim.free(allocation);
        }
        Err(error) => {
            assert!(!served, "{error}");
            assert_eq!(error, out_of_memory());
        }
    }
    sim.free(filler);
    sim.finish();
}

#[test]
fn what_the_driver_prefers_gives_way_when_there_is_no_such_memory() {
    let sim = Sim::new(tables::prefers_dedicated(), AllocatorConfig::default());
    let info = crate::support::buffer_info(1000);
    let filler = sim.allocate(&AllocationRequest { size: 10, ..Default::default() });
    sim.driver.fail(Failure::every(Call::AllocateMemory, OUT_OF_MEMORY));
    let (buffer, memory) = sim.create_buffer(&info, &Default::default()).expect("a block has room");
    assert_eq!(memory.memory(), filler.memory());
    sim.driver.clear_failures();
    sim.destroy_buffer(buffer, memory);
    sim.free(filler);
    sim.finish();
}

#[rstest]
#[case::not_of_memory(Call::AllocateMemory, vk::Result::ERROR_INVALID_EXTERNAL_HANDLE, 1)]
#[case::failed_map(Call::MapMemory, vk::Result::ERROR_MEMORY_MAP_FAILED, 2)]
fn only_shortage_and_failed_maps_fall_back(
    #[case] call: Call,
    #[case] result: vk::Result,
    #[case] allocations: usize,
) {
    let sim = Sim::default();
    sim.driver.fail_nth_of(call, 1, result);
    let request = AllocationRequest { size: 10, usage: UsageFlags::UPLOAD, ..Default::default() };
    match sim.allocator.allocate(&request) {
        Ok(allocation) => {
            assert_eq!(result, vk::Result::ERROR_MEMORY_MAP_FAILED);
            assert_eq!(sizes(&sim), [2 * MIB], "half of the first block");
            sim.free(allocation);
        }
        Err(error) => assert_eq!(error, AllocError::Driver { call: call.name(), result }),
    }
    assert_eq!(sim.driver.call_count(Call::AllocateMemory), allocations);
    sim.finish();
}

//! Memory made elsewhere: tracked, counted, usable, and left alone.

use ash::vk;
use gpu_alloc_ash::{
    AccessError, AdoptError, AllocError, AllocationRequest, AllocatorConfig, ExternalMemory,
    LeakKind, LimitError, Strategy,
};
use rstest::rstest;

use crate::support::{KIB, Sim};
use crate::tables;

fn external(
    memory: vk::DeviceMemory,
    size: u64,
    memory_type_index: u32,
) -> ExternalMemory<'static> {
    ExternalMemory { memory, size, memory_type_index, mapped_ptr: None, name: None }
}

#[test]
fn external_memory_is_counted_and_never_freed() {
    let sim = Sim::default();
    let memory = sim.raw_memory(12_345, 1);
    let allocation = sim
        .adopt(ExternalMemory { name: Some("swapchain"), ..external(memory, 12_345, 1) })
        .expect("it is described truly");
    assert_eq!(allocation.memory(), memory);
    assert_eq!((allocation.offset(), allocation.size()), (0, 12_345));
    assert!(allocation.is_external() && !allocation.is_dedicated());
    assert_eq!(allocation.memory_type_index(), 1);
    assert_eq!(allocation.mapped_ptr(), None);
    let stats = sim.allocator.stats();
    assert_eq!((stats.external, stats.external_size, stats.allocation_count), (1, 12_345, 1));
    assert_eq!((stats.total_allocated, stats.device_allocations), (0, 0));
    assert_eq!(sim.allocator.heap_usage(1).expect("it exists").external, 12_345);
    let leaks = sim.allocator.leaks();
    assert_eq!((leaks[0].kind, leaks[0].name.as_deref()), (LeakKind::External, Some("swapchain")));
    sim.check_books();
    sim.free(allocation);
    assert_eq!(sim.driver.live().memory, 1, "it is not the allocator's to free");
    assert_eq!(sim.allocator.stats().external, 0);
    sim.free_raw_memory(memory);
    sim.finish();
}

#[rstest]
#[case::odd_end(1001, 1)]
#[case::less_than_an_atom(7, 1)]
#[case::non_coherent(1001, 2)]
#[case::non_coherent_and_less_than_an_atom(7, 2)]
fn a_mapped_external_object_can_be_written_and_read(
    #[case] size: u64,
    #[case] memory_type_index: u32,
) {
    let sim = Sim::default();
    let memory = sim.raw_memory(size, memory_type_index);
    let mapped_ptr = Some(sim.map_raw(memory));
    let mut allocation = sim
        .adopt(ExternalMemory { mapped_ptr, ..external(memory, size, memory_type_index) })
        .expect("it is described truly");
    assert_eq!(allocation.mapped_ptr(), mapped_ptr);
    sim.allocator.write(&mut allocation, size - 3, b"end").expect("it is mapped");
    let mut bytes = [0; 3];
    sim.allocator.read(&allocation, size - 3, &mut bytes).expect("it is mapped");
    assert_eq!(&bytes, b"end");
    sim.free(allocation);
    sim.free_raw_memory(memory);
    sim.finish();
}

#[test]
fn an_external_object_that_is_not_mapped_cannot_be_read() {
    let sim = Sim::default();
    let memory = sim.raw_memory(64, 1);
    let allocation = sim.adopt(external(memory, 64, 1)).expect("it is described truly");
    assert_eq!(
        sim.allocator.read(&allocation, 0, &mut [0]),
        Err(AccessError::NotMapped { memory_type_index: 1 })
    );
    sim.free(allocation);
    sim.free_raw_memory(memory);
    sim.finish();
}

#[test]
fn one_object_may_be_adopted_twice_and_indices_are_used_again() {
    let sim = Sim::default();
    let memory = sim.raw_memory(64, 0);
    let named = |name| ExternalMemory { name: Some(name), ..external(memory, 64, 0) };
    let first = sim.adopt(named("first")).expect("it is described truly");
    let second = sim.adopt(named("second")).expect("it is described truly");
    sim.free(first);
    assert_eq!(sim.allocator.leaks()[0].name.as_deref(), Some("second"));
    let third = sim.adopt(external(memory, 64, 0)).expect("it is described truly");
    let names: Vec<_> = sim.allocator.leaks().into_iter().map(|leak| leak.name).collect();
    assert_eq!(names, [None, Some("second".to_owned())], "the first one's name went with it");
    sim.free(second);
    sim.free(third);
    sim.free_raw_memory(memory);
    sim.finish();
}

#[rstest]
#[case::zero_size(|memory: vk::DeviceMemory| external(memory, 0, 0), AdoptError::ZeroSize)]
#[case::null(|_: vk::DeviceMemory| external(vk::DeviceMemory::null(), 64, 0), AdoptError::NullHandle)]
#[case::no_such_type(
    |memory: vk::DeviceMemory| external(memory, 64, 4),
    AdoptError::NoSuchMemoryType { memory_type_index: 4, memory_type_count: 4 }
)]
#[case::far_beyond(
    |memory: vk::DeviceMemory| external(memory, 64, u32::MAX),
    AdoptError::NoSuchMemoryType { memory_type_index: u32::MAX, memory_type_count: 4 }
)]
fn a_description_that_cannot_be_true_is_refused(
    #[case] describe: fn(vk::DeviceMemory) -> ExternalMemory<'static>,
    #[case] error: AdoptError,
) {
    let sim = Sim::default();
    let memory = sim.raw_memory(64, 0);
    let before = sim.allocator.stats();
    assert_eq!(sim.adopt(describe(memory)).expect_err("it is refused"), error);
    assert_eq!(sim.allocator.stats(), before);
    let allocation = sim.adopt(external(memory, 64, 0)).expect("the next good one is taken");
    sim.free(allocation);
    sim.free_raw_memory(memory);
    sim.finish();
}

#[test]
fn external_objects_count_against_the_limits_and_are_never_refused() {
    let mut config = AllocatorConfig::default();
    config.heap_limits[0] = Some(100 * KIB);
    let sim = Sim::new(tables::objects(2), config);
    let large = sim.raw_memory(90 * KIB, 0);
    let small = sim.raw_memory(20 * KIB, 0);
    let large_one = sim.adopt(external(large, 90 * KIB, 0)).expect("it exists already");
    let request = AllocationRequest {
        size: 20 * KIB,
        memory_type_bits: 1,
        strategy: Strategy::Dedicated,
        ..Default::default()
    };
    let limit =
        LimitError::HeapLimit { heap_index: 0, size: 20 * KIB, in_use: 90 * KIB, limit: 100 * KIB };
    assert_eq!(sim.allocator.allocate(&request).expect_err("no room"), AllocError::Limit(limit));
    let small_one = sim.adopt(external(small, 20 * KIB, 0)).expect("past the limit, but it exists");
    let anywhere = AllocationRequest { memory_type_bits: u32::MAX, ..request };
    assert_eq!(
        sim.allocator.allocate(&anywhere).expect_err("both objects are taken"),
        AllocError::Limit(LimitError::AllocationCount { limit: 2 })
    );
    sim.free(large_one);
    sim.free_raw_memory(large);
    let allocation = sim.allocate(&request);
    sim.check_books();
    sim.free(allocation);
    sim.free(small_one);
    sim.free_raw_memory(small);
    sim.finish();
}

//! Allocations of another allocator: refused, and handed back whole.

use gpu_alloc_ash::{
    AccessError, Allocation, AllocationRequest, AllocatorConfig, FreeError, GpuAllocator, Refused,
    Strategy, UsageFlags,
};
use rstest::rstest;

use crate::support::{
    Sim, allocator_on, buffer_info, destroy_buffer_in, destroy_image_in, free_in, image_info,
};

/// Another allocator on the same device.
fn stranger(sim: &Sim) -> GpuAllocator {
    allocator_on(&sim.driver, AllocatorConfig::default()).expect("the default is consistent")
}

/// Proves that it came back for the right reason, and hands it on.
#[track_caller]
fn refused(result: Result<(), Refused<Allocation>>) -> Allocation {
    let refusal = result.expect_err("it is another allocator's");
    let FreeError::ForeignAllocation { owner, asked } = refusal.error else {
        panic!("another reason: {refusal}")
    };
    assert_ne!(owner, asked);
    refusal.returned
}

#[rstest]
fn a_strangers_allocation_comes_back(
    #[values(Strategy::Pooled, Strategy::Dedicated)] strategy: Strategy,
) {
    let sim = Sim::default();
    let other = stranger(&sim);
    let request = AllocationRequest {
        size: 500,
        usage: UsageFlags::UPLOAD,
        strategy,
        name: Some("mine"),
        ..Default::default()
    };
    let mut allocation = sim.allocate(&request);
    let place = (allocation.memory(), allocation.offset(), allocation.size());
    let (stats, live) = (sim.allocator.stats(), sim.driver.live());
    let others_before = other.stats();
    let foreign = AccessError::ForeignAllocation { owner: 0, asked: 0 };
    for error in [
        other.write(&mut allocation, 0, b"x").expect_err("foreign"),
        other.read(&allocation, 0, &mut [0]).expect_err("foreign"),
        other.flush(&allocation, 0, 1).expect_err("foreign"),
        other.invalidate(&allocation, 0, 1).expect_err("foreign"),
    ] {
        assert_eq!(core::mem::discriminant(&error), core::mem::discriminant(&foreign), "{error}");
    }
    allocation = refused(free_in(&other, allocation));
    assert_eq!((allocation.memory(), allocation.offset(), allocation.size()), place);
    assert_eq!(sim.allocator.stats(), stats);
    assert_eq!(other.stats(), others_before);
    assert_eq!(sim.driver.live(), live);
    assert_eq!(sim.allocator.leaks()[0].name.as_deref(), Some("mine"), "the name is kept too");
    sim.allocator.write(&mut allocation, 0, b"x").expect("its own can be written");
    sim.free(allocation);
    drop(other);
    sim.finish();
}

#[test]
fn resources_live_when_their_memory_is_refused() {
    let sim = Sim::default();
    let other = stranger(&sim);
    let (buffer, buffer_memory) =
        sim.create_buffer(&buffer_info(100), &Default::default()).expect("there is room");
    let info = image_info(16, ash::vk::ImageTiling::OPTIMAL);
    let (image, image_memory) =
        sim.create_image(&info, &Default::default()).expect("there is room");
    let live = sim.driver.live();
    let buffer_memory = refused(destroy_buffer_in(&other, buffer, buffer_memory));
    let image_memory = refused(destroy_image_in(&other, image, image_memory));
    assert_eq!(sim.driver.live(), live, "nothing was destroyed");
    sim.destroy_buffer(buffer, buffer_memory);
    sim.destroy_image(image, image_memory);
    drop(other);
    sim.finish();
}

#[test]
fn an_allocation_of_an_allocator_that_is_gone_comes_back_too() {
    let sim = Sim::default();
    let gone = stranger(&sim);
    let request =
        AllocationRequest { size: 500, strategy: Strategy::Dedicated, ..Default::default() };
    let allocation = gone.allocate(&request).expect("there is room");
    let memory = allocation.memory();
    let leaks = gone.destroy().expect_err("it lives");
    assert_eq!(leaks.leaks.len(), 1);
    let allocation = refused(free_in(&sim.allocator, allocation));
    assert_eq!(allocation.memory(), memory);
    sim.free_raw_memory(memory);
    sim.finish();
}

//! Every function, used as it should be.

use ash::{khr, vk};
use vk_sim::{Call, Dedicated, DriverConfig, SimDriver};

use crate::support::{BAR, CACHED, COHERENT, Calls, VRAM, allocate_info, driver};
use crate::support::{read_byte, write_byte};

const TRANSFER: vk::BufferUsageFlags = vk::BufferUsageFlags::TRANSFER_DST;
const ADDRESS: vk::BufferUsageFlags = vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS;
const SAMPLED: vk::ImageUsageFlags = vk::ImageUsageFlags::SAMPLED;

#[test]
fn memory_comes_from_its_heap_and_goes_back() {
    let driver = driver();
    let vram = driver.allocate(VRAM, 1000).unwrap();
    let bar = driver.allocate(BAR, 500).unwrap();
    assert_ne!(vram, bar);
    assert_eq!(driver.live().memory_bytes_per_heap, [1000, 0, 500]);
    driver.free(vram);
    assert_eq!(driver.live().memory_bytes_per_heap, [0, 0, 500]);
    driver.free(bar);
    driver.free(vk::DeviceMemory::null());
    assert!(driver.live().is_empty());
    assert_eq!(driver.call_count(Call::FreeMemory), 3);
    assert_eq!(driver.finish(), []);
}

#[test]
fn a_full_heap_is_out_of_device_memory_and_recovers() {
    let driver = driver();
    let heap_size = driver.config().memory_heaps[2].0;
    let all = driver.allocate(BAR, heap_size).unwrap();
    assert_eq!(driver.allocate(BAR, 1), Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY));
    driver.free(all);
    let again = driver.allocate(BAR, heap_size).unwrap();
    driver.free(again);
    assert_eq!(driver.finish(), []);
}

#[test]
fn bytes_persist_over_unmapping() {
    let driver = driver();
    let memory = driver.allocate(CACHED, 4096).unwrap();
    let pointer = driver.map(memory, 0, vk::WHOLE_SIZE).unwrap();
    assert_eq!(pointer.align_offset(4096), 0);
    assert_eq!(read_byte(pointer, 4095), 0);
    write_byte(pointer, 4095, 7);
    driver.flush(memory, 4032, 64).unwrap();
    driver.flush(memory, 0, vk::WHOLE_SIZE).unwrap();
    driver.unmap(memory);
    assert_eq!(driver.live().mapped, 0);
    let pointer = driver.map(memory, 4032, 64).unwrap();
    driver.invalidate(memory, 4032, 64).unwrap();
    assert_eq!(read_byte(pointer, 63), 7);
    // Memory may be freed while it is mapped.
    driver.free(memory);
    assert_eq!(driver.finish(), []);
}

#[test]
fn a_range_may_end_at_the_end_of_memory_off_the_atoms() {
    let driver = driver();
    let memory = driver.allocate(CACHED, 1000).unwrap();
    driver.map(memory, 64, vk::WHOLE_SIZE).unwrap();
    driver.flush(memory, 960, 40).unwrap();
    driver.invalidate(memory, 64, vk::WHOLE_SIZE).unwrap();
    driver.free(memory);
    assert_eq!(driver.finish(), []);
}

#[test]
fn mapped_gibibytes_cost_nothing_until_they_are_touched() {
    let config = DriverConfig {
        memory_types: vec![(
            vk::MemoryPropertyFlags::HOST_VISIBLE | vk::MemoryPropertyFlags::HOST_COHERENT,
            0,
        )],
        memory_heaps: vec![(1 << 50, vk::MemoryHeapFlags::empty())],
        max_memory_allocation_size: 1 << 50,
        ..DriverConfig::default()
    };
    let driver = SimDriver::new(config).unwrap();
    let huge = driver.allocate(0, 1 << 49).unwrap();
    let large = driver.allocate(0, 1 << 30).unwrap();
    let pointer = driver.map(large, 0, vk::WHOLE_SIZE).unwrap();
    write_byte(pointer, (1 << 30) - 1, 1);
    assert_eq!(read_byte(pointer, (1 << 30) - 1), 1);
    driver.free(large);
    driver.free(huge);
    assert_eq!(driver.finish(), []);
}

#[test]
fn buffers_and_images_are_bound_by_every_function() {
    let driver = driver();
    let memory = driver.allocate(VRAM, 1 << 20).unwrap();
    let buffers = [0; 3].map(|_: i32| driver.buffer(1000, TRANSFER).unwrap());
    let images = [0; 3].map(|_: i32| driver.image(16, SAMPLED).unwrap());
    driver.bind_buffer(buffers[0], memory, 0).unwrap();
    driver.bind_buffer2(buffers[1], memory, 1024).unwrap();
    driver.bind_image(images[0], memory, 4096).unwrap();
    driver.bind_image2(images[1], memory, 8192).unwrap();
    // The extension's tables load through vkGetDeviceProcAddr.
    let extension = khr::bind_memory2::Device::new(driver.instance(), driver.device());
    let info =
        vk::BindBufferMemoryInfo::default().buffer(buffers[2]).memory(memory).memory_offset(2048);
    // SAFETY: the driver lives.
    let result = unsafe { (extension.fp().bind_buffer_memory2_khr)(extension.device(), 1, &info) };
    assert_eq!(result, vk::Result::SUCCESS);
    let info =
        vk::BindImageMemoryInfo::default().image(images[2]).memory(memory).memory_offset(12288);
    // SAFETY: the driver lives.
    let result = unsafe { (extension.fp().bind_image_memory2_khr)(extension.device(), 1, &info) };
    assert_eq!(result, vk::Result::SUCCESS);
    assert_eq!(driver.memories()[0].bound_count, 6);
    buffers.into_iter().for_each(|buffer| driver.destroy_buffer(buffer));
    images.into_iter().for_each(|image| driver.destroy_image(image));
    assert_eq!(driver.memories()[0].bound_count, 0);
    driver.free(memory);
    assert_eq!(driver.lints(), []);
    assert_eq!(driver.finish(), []);
}

#[test]
fn what_an_allocation_was_told_is_on_record() {
    let driver = driver();
    let buffer = driver.buffer(1000, ADDRESS).unwrap();
    let size = driver.buffer_requirements(buffer).size;
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().buffer(buffer);
    let mut flags = vk::MemoryAllocateFlagsInfo::default()
        .flags(vk::MemoryAllocateFlags::DEVICE_ADDRESS)
        .device_mask(1);
    let mut priority = vk::MemoryPriorityAllocateInfoEXT::default().priority(0.75);
    let info = allocate_info(VRAM, size)
        .push_next(&mut dedicated)
        .push_next(&mut flags)
        .push_next(&mut priority);
    let memory = driver.allocate_with(&info).unwrap();
    driver.bind_buffer(buffer, memory, 0).unwrap();
    let plain = driver.allocate(COHERENT, 64).unwrap();
    driver.map(plain, 0, 64).unwrap();

    let [told, nothing] = driver.memories()[..] else { panic!("two allocations live") };
    assert_eq!((told.memory, told.size, told.memory_type_index), (memory, size, VRAM));
    assert_eq!(told.dedicated, Some(Dedicated::Buffer(buffer)));
    assert_eq!((told.flags, told.device_mask), (vk::MemoryAllocateFlags::DEVICE_ADDRESS, 1));
    assert_eq!((told.priority, told.is_mapped, told.bound_count), (Some(0.75), false, 1));
    assert_eq!((nothing.dedicated, nothing.flags), (None, vk::MemoryAllocateFlags::empty()));
    assert_eq!((nothing.priority, nothing.is_mapped, nothing.bound_count), (None, true, 0));
    assert_eq!(driver.violations(), []);
}

#[test]
fn device_addresses_are_distinct_and_follow_the_offset() {
    let driver = driver();
    let mut flags =
        vk::MemoryAllocateFlagsInfo::default().flags(vk::MemoryAllocateFlags::DEVICE_ADDRESS);
    let memory = driver.allocate_with(&allocate_info(VRAM, 4096).push_next(&mut flags)).unwrap();
    let other = driver.allocate_with(&allocate_info(VRAM, 4096).push_next(&mut flags)).unwrap();
    let [first, second, third] = [0; 3].map(|_: i32| driver.buffer(256, ADDRESS).unwrap());
    driver.bind_buffer(first, memory, 0).unwrap();
    driver.bind_buffer(second, memory, 512).unwrap();
    driver.bind_buffer(third, other, 0).unwrap();
    let base = driver.address(first);
    assert!(base > 0 && base.is_multiple_of(65536));
    assert_eq!(driver.address(second), base + 512);
    assert!(driver.address(third) >= base + 4096);
    let extension = khr::buffer_device_address::Device::new(driver.instance(), driver.device());
    let info = vk::BufferDeviceAddressInfo::default().buffer(first);
    // SAFETY: the driver lives.
    assert_eq!(unsafe { extension.get_buffer_device_address(&info) }, base);
    assert_eq!(driver.violations(), []);
}

#[test]
fn calls_are_logged_in_order_and_counted() {
    let driver = driver();
    let memory = driver.allocate(COHERENT, 64).unwrap();
    driver.map(memory, 0, 64).unwrap();
    driver.unmap(memory);
    driver.free(memory);
    let expected = [Call::AllocateMemory, Call::MapMemory, Call::UnmapMemory, Call::FreeMemory];
    assert_eq!(driver.calls(), expected);
    assert_eq!(driver.fallible_call_count(), 2);
    driver.clear_calls();
    assert_eq!(driver.calls(), []);
}

#[test]
fn every_call_has_a_name_of_its_own() {
    let mut names: Vec<_> = Call::ALL.iter().map(|call| call.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Call::ALL.len());
    assert!(names.iter().all(|name| name.starts_with("vk")));
}

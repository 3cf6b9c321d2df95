//! Requests that no device can serve: refused by name, with nothing left behind.

use ash::vk;
use gpu_alloc_ash::{
    AccessError, AllocError, AllocationRequest, AllocatorConfig, CreateError, GpuAllocator,
    LimitError, MemoryPropertyFlags, Strategy,
};

use crate::buffers;
use crate::raw;
use crate::resources::{Buffer, buffer_info};
use crate::support::{Gpu, on_device, upload};

/// The error of a request that changes nothing.
#[track_caller]
fn refusal(allocator: &GpuAllocator, request: &AllocationRequest<'_>) -> AllocError {
    let before = allocator.stats();
    let error = allocator.allocate(request).unwrap_err();
    assert_eq!(allocator.stats(), before, "{error}");
    error
}

fn sized(size: u64) -> AllocationRequest<'static> {
    AllocationRequest { size, ..Default::default() }
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn numbers_that_break_a_rule_are_named() {
    let gpu = Gpu::new();
    let allocator = &gpu.allocator;
    assert_eq!(refusal(allocator, &sized(0)), AllocError::ZeroSize);
    for alignment in [3, 6, u64::MAX] {
        let request = AllocationRequest { alignment, ..sized(64) };
        assert_eq!(refusal(allocator, &request), AllocError::AlignmentNotPowerOfTwo { alignment });
    }
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn sizes_past_the_device_are_too_large() {
    let gpu = Gpu::new();
    let largest = gpu.boot.max_memory_allocation_size.min(gpu.largest_heap());
    for strategy in [Strategy::Auto, Strategy::Dedicated] {
        for size in [largest + 1, gpu.largest_heap() + 1, 1 << 63, u64::MAX] {
            let error = refusal(&gpu.allocator, &AllocationRequest { strategy, ..sized(size) });
            let AllocError::TooLarge { size: named, limit } = error else {
                panic!("{size} bytes: {error}")
            };
            assert_eq!(named, size);
            assert!(limit < size && limit >= largest, "{limit}");
        }
    }
    let pooled = AllocationRequest { strategy: Strategy::Pooled, ..sized(largest) };
    let error = refusal(&gpu.allocator, &pooled);
    assert!(matches!(error, AllocError::LargerThanBlock { size, .. } if size == largest));
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_buffer_past_the_device_is_destroyed_again() {
    let gpu = Gpu::new();
    let size = gpu.boot.max_memory_allocation_size.min(gpu.largest_heap()) + 4;
    let largest_buffer = largest_buffer(&gpu);
    if size > largest_buffer {
        assert!(!gpu.boot.is_lavapipe, "lavapipe has larger buffers than memory");
        println!("no buffer has {size} bytes on this device, the largest has {largest_buffer}");
        return gpu.finish();
    }
    let info = buffer_info(size, vk::BufferUsageFlags::TRANSFER_DST);
    // SAFETY: the size is one that a buffer may have.
    let created = unsafe { gpu.allocator.create_buffer(&info, &AllocationRequest::default()) };
    let error = created.unwrap_err();
    let CreateError::Alloc(AllocError::TooLarge { size: named, .. }) = error else {
        panic!("{error}")
    };
    assert!(named >= size);
    gpu.finish();
}

/// `maxBufferSize`, or no limit before Vulkan 1.3.
fn largest_buffer(gpu: &Gpu) -> u64 {
    if gpu.boot.api_version < vk::API_VERSION_1_3 {
        return u64::MAX;
    }
    let mut maintenance4 = vk::PhysicalDeviceMaintenance4Properties::default();
    let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut maintenance4);
    let physical_device = gpu.boot.physical_device;
    // SAFETY: the device has Vulkan 1.3, whose core has the structure.
    unsafe { gpu.boot.instance.get_physical_device_properties2(physical_device, &mut properties) };
    maintenance4.max_buffer_size
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn types_and_flags_that_no_memory_has_are_named() {
    let gpu = Gpu::new();
    let count = gpu.boot.memory_properties.memory_type_count;
    let beyond = u32::MAX.checked_shl(count).unwrap_or(0);
    for memory_type_bits in [0, beyond] {
        let request = AllocationRequest { memory_type_bits, ..sized(64) };
        let required = MemoryPropertyFlags::empty();
        assert_eq!(
            refusal(&gpu.allocator, &request),
            AllocError::NoSuitableMemoryType { memory_type_bits, required }
        );
    }
    let required = MemoryPropertyFlags::RDMA_CAPABLE_NV | MemoryPropertyFlags::PROTECTED;
    let error = refusal(&gpu.allocator, &AllocationRequest { required, ..sized(64) });
    assert_eq!(error, AllocError::NoSuitableMemoryType { memory_type_bits: u32::MAX, required });
    let nowhere = AllocationRequest { memory_type_bits: 0, ..on_device(Strategy::Auto) };
    let info = buffer_info(64, buffers::COPIED);
    // SAFETY: valid usage on every device.
    let created = unsafe { gpu.allocator.create_buffer(&info, &nowhere) };
    assert!(matches!(
        created.unwrap_err(),
        CreateError::Alloc(AllocError::NoSuitableMemoryType { memory_type_bits: 0, .. })
    ));
    let ignored = AllocationRequest { memory_type_bits: u32::MAX, ..sized(64) };
    raw::free(&gpu.allocator, gpu.allocator.allocate(&ignored).unwrap());
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn accesses_past_the_end_touch_nothing() {
    let gpu = Gpu::new();
    let mut buffer = Buffer::new(&gpu, 256, buffers::COPIED, &upload());
    let end = buffer.allocation.size();
    let allocator = &gpu.allocator;
    allocator.write(&mut buffer.allocation, 0, &[7; 256]).unwrap();
    for (offset, size) in [(end, 1), (end - 1, 2), (end + 1, 0), (u64::MAX, 2)] {
        let refused = AccessError::OutOfBounds { offset, size, allocation_size: end };
        let mut bytes = vec![9u8; crate::bytes::usize_from(size)];
        let allocation = &mut buffer.allocation;
        assert_eq!(allocator.write(allocation, offset, &bytes), Err(refused.clone()));
        assert_eq!(allocator.read(allocation, offset, &mut bytes), Err(refused.clone()));
        assert_eq!(allocator.flush(allocation, offset, size), Err(refused.clone()));
        assert_eq!(allocator.invalidate(allocation, offset, size), Err(refused));
        assert!(bytes.iter().all(|&byte| byte == 9));
    }
    let mut kept = [0u8; 256];
    allocator.read(&buffer.allocation, 0, &mut kept).unwrap();
    assert_eq!(kept, [7; 256]);
    buffer.destroy(&gpu);
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_limit_on_the_heaps_is_never_passed() {
    const LIMIT: u64 = 24 << 20;
    const SIZE: u64 = 1 << 20;
    let mut config = AllocatorConfig::default();
    config.heap_limits.fill(Some(LIMIT));
    let gpu = Gpu::with_config(config);
    let heap_count = u64::from(gpu.boot.memory_properties.memory_heap_count);
    let mut buffers = Vec::new();
    let error = loop {
        let info = buffer_info(SIZE, buffers::COPIED);
        // SAFETY: valid usage on every device.
        match unsafe { gpu.allocator.create_buffer(&info, &on_device(Strategy::Auto)) } {
            Ok((handle, allocation)) => buffers.push(Buffer { handle, size: SIZE, allocation }),
            Err(error) => break error,
        }
        assert!(gpu.allocator.stats().total_allocated <= heap_count * LIMIT);
    };
    let CreateError::Alloc(AllocError::Limit(LimitError::HeapLimit { limit, .. })) = error else {
        panic!("{error}")
    };
    assert_eq!(limit, LIMIT);
    // The first heap is filled but for what is too small for one more buffer.
    assert!(buffers.len() as u64 >= LIMIT / SIZE - 1, "{} buffers", buffers.len());
    for heap_index in 0..gpu.boot.memory_properties.memory_heap_count {
        let usage = gpu.allocator.heap_usage(heap_index).unwrap();
        assert!(usage.committed <= LIMIT);
    }
    buffers.into_iter().for_each(|buffer| buffer.destroy(&gpu));
    gpu.finish();
}

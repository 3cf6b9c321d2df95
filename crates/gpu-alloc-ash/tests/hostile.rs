//! Numbers that no device has, on the simulated driver: served or refused, never a panic.

use ash::vk;
use gpu_alloc_ash::{
    AllocationRequest, AllocatorConfig, ConfigError, ExternalMemory, GpuAllocator,
};
use vk_sim::{DriverConfig, SimDriver};

/// A device with one heap of 2^63 bytes and one memory type.
fn driver() -> SimDriver {
    let config = DriverConfig {
        memory_types: vec![(vk::MemoryPropertyFlags::DEVICE_LOCAL, 0)],
        memory_heaps: vec![(1 << 63, vk::MemoryHeapFlags::DEVICE_LOCAL)],
        max_memory_allocation_size: u64::MAX,
        ..DriverConfig::default()
    };
    SimDriver::new(config).unwrap()
}

fn allocator(driver: &SimDriver, config: AllocatorConfig) -> Result<GpuAllocator, ConfigError> {
    let (instance, device) = (driver.instance(), driver.device());
    // SAFETY: 1. and 2. All are of one driver, which outlives the allocator. 3. Nothing is named.
    unsafe { GpuAllocator::new(instance, driver.physical_device(), device, config) }
}

#[test]
fn external_bytes_beyond_64_bits_saturate_in_the_statistics() {
    let driver = driver();
    let allocator = allocator(&driver, AllocatorConfig::default()).unwrap();
    let size = 1 << 63;
    let info = vk::MemoryAllocateInfo::default().allocation_size(size);
    // SAFETY: The driver lives.
    let memory = unsafe { driver.device().allocate_memory(&info, None) }.unwrap();
    let external =
        ExternalMemory { memory, size, memory_type_index: 0, mapped_ptr: None, name: None };
    // One object may be tracked several times, so the bytes are not bounded by the heap.
    let adopted: Vec<_> = (0..3)
        // SAFETY: 1. to 3. The object is as described, lives on, and is not mapped.
        .map(|_| unsafe { allocator.adopt_external(external) }.unwrap())
        .collect();
    assert_eq!(allocator.stats().external_size, u64::MAX);
    for allocation in adopted {
        // SAFETY: Nothing was bound to it.
        unsafe { allocator.free(allocation) }.unwrap();
    }
    let usage = allocator.heap_usage(0).unwrap();
    assert_eq!((usage.external, usage.committed), (0, 0));
    assert_eq!(allocator.destroy(), Ok(()));
    // SAFETY: It was allocated above, and nothing uses it.
    unsafe { driver.device().free_memory(memory, None) };
    assert!(driver.finish().is_empty());
}

#[test]
fn a_block_of_too_many_pieces_is_refused_before_anything_is_allocated() {
    let driver = driver();
    let mut config = AllocatorConfig::default();
    config.min_allocation_size = 1;
    config.largest_block_size = 1 << 40;
    let refused = allocator(&driver, config.clone());
    assert!(matches!(refused, Err(ConfigError::Pool(_))), "{refused:?}");
    config.min_allocation_size = 1 << 30;
    config.smallest_block_size = 1 << 40;
    config.first_block_size = 1 << 40;
    config.host_first_block_size = 1 << 40;
    let allocator = allocator(&driver, config).unwrap();
    let request = AllocationRequest { size: 1, ..Default::default() };
    let allocation = allocator.allocate(&request).unwrap();
    assert_eq!(allocator.stats().total_allocated, 1 << 40);
    // SAFETY: Nothing was bound to it.
    unsafe { allocator.free(allocation) }.unwrap();
    assert_eq!(allocator.destroy(), Ok(()));
    assert!(driver.finish().is_empty());
}

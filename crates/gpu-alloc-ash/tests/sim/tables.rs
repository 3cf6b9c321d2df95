//! Devices to run on.

use ash::vk;
use gpu_alloc_ash::AllocatorConfig;
use vk_sim::DriverConfig;

use crate::support::{KIB, MIB};

const DEVICE_LOCAL: vk::MemoryPropertyFlags = vk::MemoryPropertyFlags::DEVICE_LOCAL;
const VISIBLE: vk::MemoryPropertyFlags = vk::MemoryPropertyFlags::HOST_VISIBLE;
const COHERENT: vk::MemoryPropertyFlags = vk::MemoryPropertyFlags::HOST_COHERENT;
const CACHED: vk::MemoryPropertyFlags = vk::MemoryPropertyFlags::HOST_CACHED;

/// One type that is everything, as lavapipe has it.
pub(crate) fn unified() -> DriverConfig {
    DriverConfig {
        memory_types: vec![(DEVICE_LOCAL | VISIBLE | COHERENT | CACHED, 0)],
        memory_heaps: vec![(2048 * MIB, vk::MemoryHeapFlags::DEVICE_LOCAL)],
        buffer_image_granularity: 64,
        device_type: vk::PhysicalDeviceType::CPU,
        ..DriverConfig::default()
    }
}

/// One type that has to be flushed, on coarse atoms, as some mobile GPUs have it.
pub(crate) fn non_coherent(atom: u64) -> DriverConfig {
    DriverConfig {
        memory_types: vec![(DEVICE_LOCAL | VISIBLE | CACHED, 0)],
        memory_heaps: vec![(512 * MIB, vk::MemoryHeapFlags::DEVICE_LOCAL)],
        non_coherent_atom_size: atom,
        buffer_alignment: 16,
        image_alignment: 256,
        device_type: vk::PhysicalDeviceType::INTEGRATED_GPU,
        ..DriverConfig::default()
    }
}

/// The default device with a large `bufferImageGranularity`, and small alignments.
pub(crate) fn granular(granularity: u64) -> DriverConfig {
    DriverConfig {
        buffer_image_granularity: granularity,
        buffer_alignment: 16,
        image_alignment: 256,
        ..DriverConfig::default()
    }
}

/// The default device with this `maxMemoryAllocationCount`.
pub(crate) fn objects(max_memory_allocation_count: u32) -> DriverConfig {
    DriverConfig { max_memory_allocation_count, ..DriverConfig::default() }
}

/// The default types on heaps that run out.
pub(crate) fn tiny_heaps() -> DriverConfig {
    heaps([3 * MIB, 2 * MIB + 300 * KIB, 300 * KIB])
}

/// The default types on heaps of these sizes: the device's, the host's, the BAR.
pub(crate) fn heaps(sizes: [u64; 3]) -> DriverConfig {
    let mut config = DriverConfig::default();
    for (heap, size) in config.memory_heaps.iter_mut().zip(sizes) {
        heap.0 = size;
    }
    config
}

pub(crate) fn prefers_dedicated() -> DriverConfig {
    DriverConfig { prefers_dedicated: true, ..DriverConfig::default() }
}

pub(crate) fn requires_dedicated() -> DriverConfig {
    DriverConfig { requires_dedicated: true, ..DriverConfig::default() }
}

/// A policy of small blocks, so that blocks come and go often.
pub(crate) fn small_blocks() -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    config.first_block_size = 256 * KIB;
    config.host_first_block_size = 64 * KIB;
    config.largest_block_size = 2 * MIB;
    config.smallest_block_size = 16 * KIB;
    config.dedicated_floor = 64 * KIB;
    config.heap_divisor = 2;
    config.retained_bytes = Some(0);
    config.retained_live_divisor = 0;
    config
}

//! Conversions from and to the types of ash (feature `ash`).

use ash::vk;

use crate::flags::{MemoryHeapFlags, MemoryPropertyFlags};
use crate::properties::{DeviceMemoryProperties, MemoryHeap, MemoryType};

impl From<vk::MemoryPropertyFlags> for MemoryPropertyFlags {
    /// Keeps every bit, known or not.
    fn from(flags: vk::MemoryPropertyFlags) -> Self {
        Self::from_bits_retain(flags.as_raw())
    }
}

impl From<MemoryPropertyFlags> for vk::MemoryPropertyFlags {
    /// Keeps every bit, known or not.
    fn from(flags: MemoryPropertyFlags) -> Self {
        Self::from_raw(flags.bits())
    }
}

impl From<vk::MemoryHeapFlags> for MemoryHeapFlags {
    /// Keeps every bit, known or not.
    fn from(flags: vk::MemoryHeapFlags) -> Self {
        Self::from_bits_retain(flags.as_raw())
    }
}

impl From<MemoryHeapFlags> for vk::MemoryHeapFlags {
    /// Keeps every bit, known or not.
    fn from(flags: MemoryHeapFlags) -> Self {
        Self::from_raw(flags.bits())
    }
}

impl From<vk::MemoryType> for MemoryType {
    fn from(memory_type: vk::MemoryType) -> Self {
        Self {
            property_flags: memory_type.property_flags.into(),
            heap_index: memory_type.heap_index,
        }
    }
}

impl From<vk::MemoryHeap> for MemoryHeap {
    fn from(heap: vk::MemoryHeap) -> Self {
        Self { size: heap.size, flags: heap.flags.into() }
    }
}

impl From<&vk::PhysicalDeviceMemoryProperties> for DeviceMemoryProperties {
    /// Takes the counted entries; a count past the end of its array means the whole array.
    fn from(properties: &vk::PhysicalDeviceMemoryProperties) -> Self {
        Self {
            memory_types: (0..properties.memory_type_count)
                .zip(properties.memory_types)
                .map(|(_, memory_type)| memory_type.into())
                .collect(),
            memory_heaps: (0..properties.memory_heap_count)
                .zip(properties.memory_heaps)
                .map(|(_, heap)| heap.into())
                .collect(),
        }
    }
}

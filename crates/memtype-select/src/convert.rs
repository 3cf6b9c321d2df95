//! Conversions from and to the types of ash (feature `ash`).

use ash::vk;

use crate::budget::BudgetSnapshot;
use crate::flags::{MemoryHeapFlags, MemoryPropertyFlags};
use crate::properties::{DeviceMemoryProperties, MAX_MEMORY_HEAPS, MemoryHeap, MemoryType};
use crate::resource::{BufferUsageFlags, ImageTiling, ImageUsageFlags};

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

impl From<vk::BufferUsageFlags> for BufferUsageFlags {
    /// Keeps every bit, known or not.
    fn from(usage: vk::BufferUsageFlags) -> Self {
        Self::from_bits_retain(u64::from(usage.as_raw()))
    }
}

impl From<vk::BufferUsageFlags2KHR> for BufferUsageFlags {
    /// Keeps every bit, known or not.
    fn from(usage: vk::BufferUsageFlags2KHR) -> Self {
        Self::from_bits_retain(usage.as_raw())
    }
}

impl From<vk::ImageUsageFlags> for ImageUsageFlags {
    /// Keeps every bit, known or not.
    fn from(usage: vk::ImageUsageFlags) -> Self {
        Self::from_bits_retain(usage.as_raw())
    }
}

impl From<vk::ImageTiling> for ImageTiling {
    /// Whatever is not linear counts as optimal.
    fn from(tiling: vk::ImageTiling) -> Self {
        if tiling == vk::ImageTiling::LINEAR { Self::Linear } else { Self::Optimal }
    }
}

impl From<&vk::PhysicalDeviceMemoryBudgetPropertiesEXT<'_>> for BudgetSnapshot {
    /// The budget less the usage of each heap. A budget of 0 is taken as not told.
    fn from(reported: &vk::PhysicalDeviceMemoryBudgetPropertiesEXT<'_>) -> Self {
        let mut room = [u64::MAX; MAX_MEMORY_HEAPS];
        let heaps = reported.heap_budget.into_iter().zip(reported.heap_usage);
        for (left, (budget, usage)) in room.iter_mut().zip(heaps) {
            if budget != 0 {
                *left = budget.saturating_sub(usage);
            }
        }
        Self::from_room(&room)
    }
}

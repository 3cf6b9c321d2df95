//! The objects that live on the simulated device.

use std::ops::Range;

use ash::vk;

use crate::backing::Backing;
use crate::violation::ObjectKind;

/// What a dedicated allocation is dedicated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dedicated {
    /// A buffer.
    Buffer(vk::Buffer),
    /// An image.
    Image(vk::Image),
}

/// What `vkAllocateMemory` was told, for one living allocation.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemoryRecord {
    /// The handle.
    pub memory: vk::DeviceMemory,
    /// `allocationSize`, in bytes.
    pub size: u64,
    /// `memoryTypeIndex`.
    pub memory_type_index: u32,
    /// From `VkMemoryDedicatedAllocateInfo`, if it names a resource.
    pub dedicated: Option<Dedicated>,
    /// From `VkMemoryAllocateFlagsInfo`, else empty.
    pub flags: vk::MemoryAllocateFlags,
    /// From `VkMemoryAllocateFlagsInfo`, else 0.
    pub device_mask: u32,
    /// From `VkMemoryPriorityAllocateInfoEXT`.
    pub priority: Option<f32>,
    /// Whether it is mapped now.
    pub is_mapped: bool,
    /// How many living resources are bound to it.
    pub bound_count: u32,
}

/// What `vkAllocateMemory` is told; handles are raw, 0 for null.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AllocateRequest {
    pub(crate) size: u64,
    pub(crate) memory_type_index: u32,
    pub(crate) dedicated_buffer: u64,
    pub(crate) dedicated_image: u64,
    pub(crate) flags: vk::MemoryAllocateFlags,
    pub(crate) device_mask: u32,
    pub(crate) priority: Option<f32>,
}

/// A living `VkDeviceMemory`.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) request: AllocateRequest,
    pub(crate) heap_index: usize,
    /// The address its first byte has on the device.
    pub(crate) address: u64,
    /// `Some` iff it is mapped, and then within the memory.
    pub(crate) mapped: Option<Range<u64>>,
    /// `Some` since it was mapped first.
    pub(crate) backing: Option<Backing>,
    /// How many living resources are bound to it.
    pub(crate) bound_count: u32,
}

impl Memory {
    /// The resource it is dedicated to, as kind and raw handle.
    pub(crate) fn dedicated(&self) -> Option<(ObjectKind, u64)> {
        match (self.request.dedicated_buffer, self.request.dedicated_image) {
            (0, 0) => None,
            (0, image) => Some((ObjectKind::Image, image)),
            (buffer, _) => Some((ObjectKind::Buffer, buffer)),
        }
    }
}

/// What a resource requires of its memory, and what it is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) size: u64,
    pub(crate) alignment: u64,
    pub(crate) memory_type_bits: u32,
    pub(crate) prefers_dedicated: bool,
    pub(crate) requires_dedicated: bool,
    /// Whether it is a buffer with `SHADER_DEVICE_ADDRESS` usage.
    pub(crate) has_device_address: bool,
    /// The raw memory handle, which may be freed since, and the offset.
    pub(crate) bound: Option<(u64, u64)>,
}

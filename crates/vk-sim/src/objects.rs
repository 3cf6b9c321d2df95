//! The objects that live on the simulated device.

use std::collections::BTreeMap;
use std::ops::Range;

use ash::vk;

use crate::backing::Backing;
use crate::requirements::{Form, Requirements};
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
    pub(crate) backing: Backing,
    /// The living resources that are bound to it.
    pub(crate) bound: BTreeMap<Place, Span>,
}

impl Memory {
    /// How many living resources are bound to it.
    pub(crate) fn bound_count(&self) -> u32 {
        u32::try_from(self.bound.len()).expect("fewer resources live than 2^32")
    }

    /// The resource it is dedicated to, as kind and raw handle.
    pub(crate) fn dedicated(&self) -> Option<(ObjectKind, u64)> {
        match (self.request.dedicated_buffer, self.request.dedicated_image) {
            (0, 0) => None,
            (0, image) => Some((ObjectKind::Image, image)),
            (buffer, _) => Some((ObjectKind::Buffer, buffer)),
        }
    }
}

/// A living buffer or image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) form: Form,
    pub(crate) requirements: Requirements,
    /// The raw memory handle, 0 if the memory was freed since, and the offset.
    pub(crate) bound: Option<(u64, u64)>,
}

/// A bound resource by its place: offset, kind and raw handle.
pub(crate) type Place = (u64, ObjectKind, u64);

/// How far a bound resource reaches, and whether it is linear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) size: u64,
    pub(crate) is_linear: bool,
}

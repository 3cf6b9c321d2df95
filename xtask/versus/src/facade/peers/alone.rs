//! Vulkan's own calls for a buffer and its memory, without any allocator: what is in everybody's figure.

use ash::vk;

use super::{Facade, OnDevice, Place, buffer_info};
use crate::facade::gpu::Gpu;
use crate::facade::program::{LARGEST, Request};

/// One memory object, to whose start every buffer is bound.
pub(super) struct Alone {
    device: ash::Device,
    memory: vk::DeviceMemory,
}

impl Alone {
    /// A buffer, and what its memory must be.
    fn create(device: &ash::Device, size: u64) -> Option<(vk::Buffer, vk::MemoryRequirements)> {
        // SAFETY: A size above zero, and usages that need no feature.
        let buffer = unsafe { device.create_buffer(&buffer_info(size), None) }.ok()?;
        let mut dedicated = vk::MemoryDedicatedRequirements::default();
        let mut out = vk::MemoryRequirements2::default().push_next(&mut dedicated);
        let info = vk::BufferMemoryRequirementsInfo2::default().buffer(buffer);
        // SAFETY: It was created above, and whoever versus runs on has Vulkan 1.1.
        unsafe { device.get_buffer_memory_requirements2(&info, &mut out) };
        Some((buffer, out.memory_requirements))
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        // SAFETY: The buffers that were bound to it are destroyed.
        unsafe { self.device.free_memory(self.memory, None) };
    }
}

impl Facade for Alone {
    type Handle = ();

    fn allocate(&self, _: &Request) -> Option<()> {
        None // Nothing is allocated.
    }

    fn free(&self, (): ()) {}

    fn place(&self, (): &()) -> Place {
        Place { memory: 0, offset: 0, size: 0 }
    }
}

impl OnDevice for Alone {
    fn new(gpu: &Gpu) -> Self {
        let device = gpu.boot.device.clone();
        let example = Self::create(&device, u64::from(LARGEST));
        let (buffer, needed) = example.expect("a device has room for a buffer");
        let info = vk::MemoryAllocateInfo::default()
            .allocation_size(needed.size)
            .memory_type_index(needed.memory_type_bits.trailing_zeros());
        // SAFETY: A memory type that the driver allows, and nothing was bound to the buffer.
        let memory = unsafe { device.allocate_memory(&info, None) };
        // SAFETY: It was created above, and nothing was bound to it.
        unsafe { device.destroy_buffer(buffer, None) };
        Self { device, memory: memory.expect("a device has room for one buffer's memory") }
    }

    #[inline]
    fn create_buffer(&self, size: u64) -> Option<(vk::Buffer, ())> {
        let (buffer, _) = Self::create(&self.device, size)?;
        // SAFETY: The memory is as large as the largest buffer needs, of a type that such buffers may
        // have, and buffers may overlap there: none is used.
        unsafe { self.device.bind_buffer_memory(buffer, self.memory, 0) }.ok()?;
        Some((buffer, ()))
    }

    #[inline]
    fn destroy_buffer(&self, buffer: vk::Buffer, (): ()) {
        // SAFETY: It was created above, and nothing was ever submitted.
        unsafe { self.device.destroy_buffer(buffer, None) };
    }
}

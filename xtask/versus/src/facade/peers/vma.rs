//! VMA 3.3 through vk-mem, as it comes: with its own locks, and its own choice of memory.

use ash::vk;
use ash::vk::Handle as _;
use replay::Location;
use vk_mem::{
    Alloc, Allocation, AllocationCreateInfo, Allocator, AllocatorCreateInfo, MemoryUsage,
};

use super::{Facade, OnDevice, Place, buffer_info};
use crate::facade::gpu::Gpu;
use crate::facade::program::Request;

pub(super) struct Vma(Allocator);

/// An allocator for the device, with its default settings.
pub(super) fn allocator(gpu: &Gpu) -> Allocator {
    let boot = &gpu.boot;
    let mut info = AllocatorCreateInfo::new(&boot.instance, &boot.device, boot.physical_device);
    info.vulkan_api_version = boot.api_version;
    // SAFETY: The three are of one boot, which outlives every allocator of a comparison.
    unsafe { Allocator::new(info) }.expect("its default settings fit every device")
}

/// Where an allocation of VMA's is.
pub(super) fn place(allocator: &Allocator, allocation: &Allocation) -> Place {
    let info = allocator.get_allocation_info(allocation);
    Place { memory: info.device_memory.as_raw(), offset: info.offset, size: info.size }
}

impl Facade for Vma {
    type Handle = Allocation;

    #[inline]
    fn allocate(&self, request: &Request) -> Option<Allocation> {
        let requirements = vk::MemoryRequirements {
            size: request.size,
            alignment: request.alignment,
            memory_type_bits: request.memory_type_bits,
        };
        // Its newer usages need to know the buffer or image, and this function does not tell it.
        #[expect(deprecated, reason = "these are the usages that it takes with plain numbers")]
        let usage = match request.location {
            Location::GpuOnly => MemoryUsage::GpuOnly,
            Location::CpuToGpu => MemoryUsage::CpuToGpu,
            Location::GpuToCpu => MemoryUsage::GpuToCpu,
        };
        let info = AllocationCreateInfo { usage, ..Default::default() };
        // SAFETY: The requirements are such as drivers state.
        unsafe { self.0.allocate_memory(&requirements, &info) }.ok()
    }

    #[inline]
    fn free(&self, mut allocation: Allocation) {
        // SAFETY: It lives, and nothing is bound to it.
        unsafe { self.0.free_memory(&mut allocation) };
    }

    fn place(&self, allocation: &Allocation) -> Place {
        place(&self.0, allocation)
    }
}

impl OnDevice for Vma {
    fn new(gpu: &Gpu) -> Self {
        Self(allocator(gpu))
    }

    #[inline]
    fn create_buffer(&self, size: u64) -> Option<(vk::Buffer, Allocation)> {
        let info = AllocationCreateInfo { usage: MemoryUsage::Auto, ..Default::default() };
        // SAFETY: A size above zero, and usages that need no feature.
        unsafe { self.0.create_buffer(&buffer_info(size), &info) }.ok()
    }

    #[inline]
    fn destroy_buffer(&self, buffer: vk::Buffer, mut allocation: Allocation) {
        // SAFETY: The two were made together, and nothing was ever submitted.
        unsafe { self.0.destroy_buffer(buffer, &mut allocation) };
    }
}

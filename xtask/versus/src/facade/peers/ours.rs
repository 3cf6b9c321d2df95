//! Ours, as it comes.

use ash::vk;
use ash::vk::Handle as _;
use gpu_alloc_ash::{
    Allocation, AllocationRequest, AllocatorConfig, GpuAllocator, ResourceKind, UsageFlags,
};
use replay::{Kind, Location};

use super::{Facade, OnDevice, Place, buffer_info};
use crate::facade::gpu::Gpu;
use crate::facade::program::Request;

pub(super) struct Ours(GpuAllocator);

/// An allocator for the device, with its default settings.
pub(super) fn allocator(gpu: &Gpu) -> GpuAllocator {
    let boot = &gpu.boot;
    let mut config = AllocatorConfig::default();
    config.api_version = boot.api_version;
    config.khr_dedicated_allocation = boot.enabled.dedicated_allocation;
    config.buffer_device_address = boot.enabled.buffer_device_address;
    // SAFETY: 1. The three are of one boot. 2. It outlives every allocator of a comparison. 3. It says
    // what it enabled.
    let allocator =
        unsafe { GpuAllocator::new(&boot.instance, boot.physical_device, &boot.device, config) };
    allocator.expect("the default configuration fits every device")
}

/// Where an allocation of ours is.
pub(super) fn place(allocation: &Allocation) -> Place {
    let memory = allocation.memory().as_raw();
    Place { memory, offset: allocation.offset(), size: allocation.size() }
}

impl Facade for Ours {
    type Handle = Allocation;

    #[inline]
    fn allocate(&self, request: &Request) -> Option<Allocation> {
        let request = AllocationRequest {
            size: request.size,
            alignment: request.alignment,
            usage: match request.location {
                Location::GpuOnly => UsageFlags::FAST_DEVICE_ACCESS,
                Location::CpuToGpu => UsageFlags::UPLOAD,
                Location::GpuToCpu => UsageFlags::DOWNLOAD,
            },
            memory_type_bits: request.memory_type_bits,
            kind: match request.kind {
                Kind::Buffer => ResourceKind::Linear,
                Kind::Image => ResourceKind::NonLinear,
            },
            ..AllocationRequest::DEFAULT
        };
        self.0.allocate(&request).ok()
    }

    #[inline]
    fn free(&self, allocation: Allocation) {
        // SAFETY: 1. and 2. Nothing was ever submitted, and what was bound is destroyed.
        unsafe { self.0.free(allocation) }.expect("it is this allocator's");
    }

    fn place(&self, allocation: &Allocation) -> Place {
        place(allocation)
    }
}

impl OnDevice for Ours {
    fn new(gpu: &Gpu) -> Self {
        Self(allocator(gpu))
    }

    #[inline]
    fn create_buffer(&self, size: u64) -> Option<(vk::Buffer, Allocation)> {
        let request = AllocationRequest {
            usage: UsageFlags::FAST_DEVICE_ACCESS,
            ..AllocationRequest::DEFAULT
        };
        // SAFETY: 1. A size above zero, and usages that need no feature.
        unsafe { self.0.create_buffer(&buffer_info(size), &request) }.ok()
    }

    #[inline]
    fn destroy_buffer(&self, buffer: vk::Buffer, allocation: Allocation) {
        // SAFETY: 1. The two were made together. 2. Nothing was ever submitted.
        unsafe { self.0.destroy_buffer(buffer, allocation) }.expect("it is this allocator's");
    }
}

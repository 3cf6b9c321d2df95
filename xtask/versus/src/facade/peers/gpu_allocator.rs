//! gpu-allocator as it comes, behind a mutex.

use std::mem::ManuallyDrop;
use std::sync::Mutex;

use ash::vk;
use ash::vk::Handle as _;
use gpu_allocator::MemoryLocation;
use gpu_allocator::vulkan::{
    Allocation, AllocationCreateDesc, AllocationScheme, Allocator, AllocatorCreateDesc,
};
use replay::{Kind, Location};

use super::{Facade, OnDevice, Place, buffer_info};
use crate::facade::gpu::Gpu;
use crate::facade::program::Request;

pub(super) struct Wrapped {
    device: ash::Device,
    allocator: Mutex<Allocator>,
}

impl Wrapped {
    #[inline]
    fn allocate_for(
        &self,
        requirements: vk::MemoryRequirements,
        location: MemoryLocation,
        linear: bool,
    ) -> Option<ManuallyDrop<Allocation>> {
        let description = AllocationCreateDesc {
            name: "",
            requirements,
            location,
            linear,
            allocation_scheme: AllocationScheme::GpuAllocatorManaged,
        };
        let mut allocator = self.allocator.lock().expect("no call panics");
        allocator.allocate(&description).ok().map(ManuallyDrop::new)
    }
}

impl Facade for Wrapped {
    type Handle = ManuallyDrop<Allocation>;

    #[inline]
    fn allocate(&self, request: &Request) -> Option<Self::Handle> {
        let requirements = vk::MemoryRequirements {
            size: request.size,
            alignment: request.alignment,
            memory_type_bits: request.memory_type_bits,
        };
        let location = match request.location {
            Location::GpuOnly => MemoryLocation::GpuOnly,
            Location::CpuToGpu => MemoryLocation::CpuToGpu,
            Location::GpuToCpu => MemoryLocation::GpuToCpu,
        };
        self.allocate_for(requirements, location, request.kind == Kind::Buffer)
    }

    #[inline]
    fn free(&self, handle: Self::Handle) {
        let mut allocator = self.allocator.lock().expect("no call panics");
        allocator.free(ManuallyDrop::into_inner(handle)).expect("it is this allocator's");
    }

    fn place(&self, handle: &Self::Handle) -> Place {
        // SAFETY: The handle is used for comparison only.
        let memory = unsafe { handle.memory() }.as_raw();
        Place { memory, offset: handle.offset(), size: handle.size() }
    }
}

impl OnDevice for Wrapped {
    fn new(gpu: &Gpu) -> Self {
        let boot = &gpu.boot;
        let description = AllocatorCreateDesc {
            instance: boot.instance.clone(),
            device: boot.device.clone(),
            physical_device: boot.physical_device,
            debug_settings: Default::default(),
            buffer_device_address: boot.enabled.buffer_device_address,
            allocation_sizes: Default::default(),
        };
        let allocator = Allocator::new(&description);
        let allocator = Mutex::new(allocator.expect("its default settings fit every device"));
        Self { device: boot.device.clone(), allocator }
    }

    #[inline]
    fn create_buffer(&self, size: u64) -> Option<(vk::Buffer, Self::Handle)> {
        // SAFETY: A size above zero, and usages that need no feature.
        let buffer = unsafe { self.device.create_buffer(&buffer_info(size), None) }.ok()?;
        // SAFETY: The buffer lives.
        let requirements = unsafe { self.device.get_buffer_memory_requirements(buffer) };
        let handle = self.allocate_for(requirements, MemoryLocation::GpuOnly, true)?;
        // SAFETY: The handle is used while its allocation lives.
        let memory = unsafe { handle.memory() };
        // SAFETY: The buffer is unbound, and the place satisfies its requirements.
        unsafe { self.device.bind_buffer_memory(buffer, memory, handle.offset()) }.ok()?;
        Some((buffer, handle))
    }

    #[inline]
    fn destroy_buffer(&self, buffer: vk::Buffer, handle: Self::Handle) {
        // SAFETY: The buffer lives, and nothing was ever submitted.
        unsafe { self.device.destroy_buffer(buffer, None) };
        self.free(handle);
    }
}

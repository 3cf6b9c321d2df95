//! gpu-alloc on ash, behind a mutex.
//!
//! The crate leaves the device's calls to its users. These are the least that it asks for.

use std::borrow::Cow;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard};

use ash::vk;
use ash::vk::Handle as _;
use gpu_alloc::{
    AllocationFlags, Config, DeviceMapError, DeviceProperties, GpuAllocator, MappedMemoryRange,
    MemoryBlock, MemoryDevice, MemoryHeap, MemoryPropertyFlags, MemoryType, OutOfMemory,
    Request as GpuAllocRequest, UsageFlags,
};
use replay::Location;

use super::{Facade, OnDevice, Place, buffer_info};
use crate::facade::gpu::Gpu;
use crate::facade::program::Request;
use crate::program::UNIT;

/// Chunks of its buddies, and the largest ones of its lists: what VMA's blocks mostly are here.
const CHUNK: u64 = 64 << 20;

/// The calls of the device.
struct Device(ash::Device);

// SAFETY of the calls: gpu-alloc promises what the trait's own clauses say, and these are Vulkan's.
impl MemoryDevice<vk::DeviceMemory> for Device {
    unsafe fn allocate_memory(
        &self,
        size: u64,
        memory_type: u32,
        _: AllocationFlags,
    ) -> Result<vk::DeviceMemory, OutOfMemory> {
        let info =
            vk::MemoryAllocateInfo::default().allocation_size(size).memory_type_index(memory_type);
        // SAFETY: Size and type are such as the device has, by the trait's clause.
        unsafe { self.0.allocate_memory(&info, None) }.map_err(|_| OutOfMemory::OutOfDeviceMemory)
    }

    unsafe fn deallocate_memory(&self, memory: vk::DeviceMemory) {
        // SAFETY: Nothing is bound to it any more, by the trait's clause.
        unsafe { self.0.free_memory(memory, None) };
    }

    unsafe fn map_memory(
        &self,
        memory: &mut vk::DeviceMemory,
        offset: u64,
        size: u64,
    ) -> Result<NonNull<u8>, DeviceMapError> {
        let flags = vk::MemoryMapFlags::empty();
        // SAFETY: The range lies in memory that is not mapped, by the trait's clauses.
        let address = unsafe { self.0.map_memory(*memory, offset, size, flags) };
        let address = address.map_err(|_| DeviceMapError::MapFailed)?;
        NonNull::new(address.cast()).ok_or(DeviceMapError::MapFailed)
    }

    unsafe fn unmap_memory(&self, memory: &mut vk::DeviceMemory) {
        // SAFETY: It is mapped, by the trait's clause.
        unsafe { self.0.unmap_memory(*memory) };
    }

    unsafe fn invalidate_memory_ranges(
        &self,
        _: &[MappedMemoryRange<'_, vk::DeviceMemory>],
    ) -> Result<(), OutOfMemory> {
        unreachable!("nothing is read through the allocator")
    }

    unsafe fn flush_memory_ranges(
        &self,
        _: &[MappedMemoryRange<'_, vk::DeviceMemory>],
    ) -> Result<(), OutOfMemory> {
        unreachable!("nothing is written through the allocator")
    }
}

pub(super) struct Wrapped {
    device: Device,
    allocator: Mutex<GpuAllocator<vk::DeviceMemory>>,
}

impl Wrapped {
    fn lock(&self) -> MutexGuard<'_, GpuAllocator<vk::DeviceMemory>> {
        self.allocator.lock().expect("no call panics")
    }
}

impl Facade for Wrapped {
    type Handle = ManuallyDrop<MemoryBlock<vk::DeviceMemory>>;

    #[inline]
    fn allocate(&self, request: &Request) -> Option<Self::Handle> {
        let usage = match request.location {
            Location::GpuOnly => UsageFlags::FAST_DEVICE_ACCESS,
            Location::CpuToGpu => UsageFlags::UPLOAD,
            Location::GpuToCpu => UsageFlags::DOWNLOAD,
        };
        let request = GpuAllocRequest {
            size: request.size,
            align_mask: request.alignment - 1,
            usage,
            memory_types: request.memory_type_bits,
        };
        // SAFETY: It is the device that the allocator was made for, and the only one.
        unsafe { self.lock().alloc(&self.device, request) }.ok().map(ManuallyDrop::new)
    }

    #[inline]
    fn free(&self, handle: Self::Handle) {
        let block = ManuallyDrop::into_inner(handle);
        // SAFETY: The block is of this allocator and lives; the device is the same.
        unsafe { self.lock().dealloc(&self.device, block) };
    }

    fn place(&self, handle: &Self::Handle) -> Place {
        let memory = handle.memory().as_raw();
        Place { memory, offset: handle.offset(), size: handle.size() }
    }
}

impl OnDevice for Wrapped {
    fn new(gpu: &Gpu) -> Self {
        let config = Config {
            minimal_buddy_size: u64::from(UNIT),
            initial_buddy_dedicated_size: CHUNK,
            ..Config::i_am_prototyping()
        };
        let allocator = Mutex::new(GpuAllocator::new(config, properties(gpu)));
        Self { device: Device(gpu.boot.device.clone()), allocator }
    }

    #[inline]
    fn create_buffer(&self, size: u64) -> Option<(vk::Buffer, Self::Handle)> {
        let device = &self.device.0;
        // SAFETY: A size above zero, and usages that need no feature.
        let buffer = unsafe { device.create_buffer(&buffer_info(size), None) }.ok()?;
        // SAFETY: The buffer lives.
        let requirements = unsafe { device.get_buffer_memory_requirements(buffer) };
        let handle = self.allocate(&Request {
            size: requirements.size,
            alignment: requirements.alignment,
            memory_type_bits: requirements.memory_type_bits,
            kind: replay::Kind::Buffer,
            location: Location::GpuOnly,
        })?;
        // SAFETY: The buffer is unbound, and the place satisfies its requirements.
        unsafe { device.bind_buffer_memory(buffer, *handle.memory(), handle.offset()) }.ok()?;
        Some((buffer, handle))
    }

    #[inline]
    fn destroy_buffer(&self, buffer: vk::Buffer, handle: Self::Handle) {
        // SAFETY: The buffer lives, and nothing was ever submitted.
        unsafe { self.device.0.destroy_buffer(buffer, None) };
        self.free(handle);
    }
}

impl Drop for Wrapped {
    fn drop(&mut self) {
        let allocator = self.allocator.get_mut().expect("no call panics");
        // SAFETY: It is the device that the allocator was made for, and the only one.
        unsafe { allocator.cleanup(&self.device) };
    }
}

/// What gpu-alloc is told of the device.
fn properties(gpu: &Gpu) -> DeviceProperties<'static> {
    let (boot, memory) = (&gpu.boot, &gpu.boot.memory_properties);
    let memory_types = memory.memory_types_as_slice().iter().map(|memory_type| MemoryType {
        heap: memory_type.heap_index,
        // It knows the first six properties, which are the lowest bits.
        props: MemoryPropertyFlags::from_bits_truncate(
            memory_type.property_flags.as_raw().to_le_bytes()[0],
        ),
    });
    let memory_heaps =
        memory.memory_heaps_as_slice().iter().map(|heap| MemoryHeap { size: heap.size });
    DeviceProperties {
        memory_types: Cow::Owned(memory_types.collect()),
        memory_heaps: Cow::Owned(memory_heaps.collect()),
        max_memory_allocation_count: boot.limits.max_memory_allocation_count,
        max_memory_allocation_size: boot.max_memory_allocation_size,
        non_coherent_atom_size: boot.limits.non_coherent_atom_size,
        buffer_device_address: false,
    }
}

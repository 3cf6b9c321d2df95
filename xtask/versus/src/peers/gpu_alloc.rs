//! gpu-alloc on a device that grants exactly one region and is never asked for anything else.
//!
//! Its algorithms cannot be had without its facade, so memory types, `Arc`s and 72-byte blocks are in
//! the figures. Thresholds are set so that no request becomes memory of its own.

use std::borrow::Cow;
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use gpu_alloc::{
    AllocationFlags, Config, DeviceMapError, DeviceProperties, GpuAllocator, MappedMemoryRange,
    MemoryBlock, MemoryDevice, MemoryHeap, MemoryPropertyFlags, MemoryType, OutOfMemory, Request,
    UsageFlags,
};

use super::{Core, Region};
use crate::program::UNIT;

/// Requests that live long go to its buddies,
pub(super) type Buddy = GpuAlloc<true>;
/// and transient ones to its free list.
pub(super) type FreeList = GpuAlloc<false>;

/// A heap must be this many times as large as a chunk, or chunks become smaller.
const CHUNKS_IN_A_HEAP: u64 = 32;

/// A device with one region to grant.
struct Device {
    size: u64,
    is_granted: Cell<bool>,
}

// SAFETY of the calls: none of them touches memory; what they would demand is up to gpu-alloc.
impl MemoryDevice<u64> for Device {
    unsafe fn allocate_memory(
        &self,
        size: u64,
        _: u32,
        _: AllocationFlags,
    ) -> Result<u64, OutOfMemory> {
        if size > self.size || self.is_granted.replace(true) {
            return Err(OutOfMemory::OutOfDeviceMemory);
        }
        Ok(1)
    }

    unsafe fn deallocate_memory(&self, _: u64) {
        self.is_granted.set(false);
    }

    unsafe fn map_memory(
        &self,
        _: &mut u64,
        _: u64,
        _: u64,
    ) -> Result<NonNull<u8>, DeviceMapError> {
        Err(DeviceMapError::MapFailed)
    }

    unsafe fn unmap_memory(&self, _: &mut u64) {}

    unsafe fn invalidate_memory_ranges(
        &self,
        _: &[MappedMemoryRange<'_, u64>],
    ) -> Result<(), OutOfMemory> {
        Ok(())
    }

    unsafe fn flush_memory_ranges(
        &self,
        _: &[MappedMemoryRange<'_, u64>],
    ) -> Result<(), OutOfMemory> {
        Ok(())
    }
}

pub(super) struct GpuAlloc<const BUDDY: bool> {
    device: Device,
    /// Not dropped: it would complain of what lives, and that is not what is measured.
    allocator: ManuallyDrop<GpuAllocator<u64>>,
}

impl<const BUDDY: bool> Core for GpuAlloc<BUDDY> {
    type Handle = ManuallyDrop<MemoryBlock<u64>>;

    fn new(region: Region) -> Self {
        let size = region.size;
        let config = Config {
            dedicated_threshold: size,
            preferred_dedicated_threshold: size,
            transient_dedicated_threshold: size,
            starting_free_list_chunk: size,
            final_free_list_chunk: size,
            minimal_buddy_size: u64::from(UNIT),
            initial_buddy_dedicated_size: size,
        };
        let memory_type = MemoryType { heap: 0, props: MemoryPropertyFlags::DEVICE_LOCAL };
        let properties = DeviceProperties {
            memory_types: Cow::Owned(vec![memory_type]),
            memory_heaps: Cow::Owned(vec![MemoryHeap { size: size * CHUNKS_IN_A_HEAP }]),
            max_memory_allocation_count: 4096,
            max_memory_allocation_size: u64::MAX,
            non_coherent_atom_size: u64::from(UNIT),
            buffer_device_address: false,
        };
        Self {
            device: Device { size, is_granted: Cell::new(false) },
            allocator: ManuallyDrop::new(GpuAllocator::new(config, properties)),
        }
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<Self::Handle> {
        let usage = if BUDDY { UsageFlags::empty() } else { UsageFlags::TRANSIENT };
        let request = Request { size, align_mask: alignment - 1, usage, memory_types: 1 };
        // SAFETY: It is the device that the allocator was made for, and the only one.
        unsafe { self.allocator.alloc(&self.device, request) }.ok().map(ManuallyDrop::new)
    }

    fn free(&mut self, handle: Self::Handle) {
        let block = ManuallyDrop::into_inner(handle);
        // SAFETY: The block is of this allocator and lives; the device is the same.
        unsafe { self.allocator.dealloc(&self.device, block) };
    }

    fn extent(&self, handle: &Self::Handle, _: u64) -> (u64, u64) {
        (handle.offset(), handle.size())
    }
}

impl<const BUDDY: bool> Drop for GpuAlloc<BUDDY> {
    fn drop(&mut self) {
        // The buddies drop in silence, whatever lives.
        if BUDDY {
            // SAFETY: It is dropped here, once, and not used again.
            unsafe { ManuallyDrop::drop(&mut self.allocator) };
        }
    }
}

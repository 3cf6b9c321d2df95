//! The functions of `VkDeviceMemory`; their contract is the parent module's.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use ash::vk::{self, Handle};

use super::{chain, result_code, slice_of, state_of, write_handle};
use crate::call::Call;
use crate::map::Direction;
use crate::objects::AllocateRequest;
use crate::state::{About, CallResult, State};

pub(super) unsafe extern "system" fn allocate_memory(
    device: vk::Device,
    info: *const vk::MemoryAllocateInfo<'_>,
    _allocator: *const vk::AllocationCallbacks<'_>,
    out: *mut vk::DeviceMemory,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let info = unsafe { &*info };
    // SAFETY: clause 2.
    let request = unsafe { allocate_request(info) };
    let about =
        About::Allocation { size: request.size, memory_type_index: request.memory_type_index };
    let result = state.enter_about(Call::AllocateMemory, about).and_then(|mut call| {
        // SAFETY: clause 2.
        call.allocate_memory(&request, || unsafe { new_memory(state, info) })
    });
    // SAFETY: clause 2.
    unsafe { write_handle(out, result) }
}

/// Makes the memory, without a real driver a handle alone.
///
/// # Safety
///
/// Clause 2, for `info` and its chain.
unsafe fn new_memory(state: &State, info: &vk::MemoryAllocateInfo<'_>) -> CallResult<u64> {
    let Some(real) = &state.real else {
        return Ok(state.new_handle());
    };
    let memory_type_index = real.memory_type_index(info.memory_type_index);
    let info = vk::MemoryAllocateInfo { memory_type_index, ..*info };
    // SAFETY: the caller's, and the overlay's that the device lives.
    unsafe { real.device.allocate_memory(&info, None) }.map(Handle::as_raw)
}

/// What the structure and its chain say.
///
/// # Safety
///
/// Clause 2, for the chain of `info`.
unsafe fn allocate_request(info: &vk::MemoryAllocateInfo<'_>) -> AllocateRequest {
    let mut request = AllocateRequest {
        size: info.allocation_size,
        memory_type_index: info.memory_type_index,
        ..AllocateRequest::default()
    };
    // SAFETY: the caller's.
    let dedicated = unsafe { chain::read::<vk::MemoryDedicatedAllocateInfo<'_>>(info.p_next) };
    if let Some(dedicated) = dedicated {
        request.dedicated_buffer = dedicated.buffer.as_raw();
        request.dedicated_image = dedicated.image.as_raw();
    }
    // SAFETY: the caller's.
    if let Some(flags) = unsafe { chain::read::<vk::MemoryAllocateFlagsInfo<'_>>(info.p_next) } {
        request.flags = flags.flags;
        request.device_mask = flags.device_mask;
    }
    // SAFETY: the caller's.
    let priority = unsafe { chain::read::<vk::MemoryPriorityAllocateInfoEXT<'_>>(info.p_next) };
    request.priority = priority.map(|priority| priority.priority);
    request
}

pub(super) unsafe extern "system" fn free_memory(
    device: vk::Device,
    memory: vk::DeviceMemory,
    _allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // The function returns nothing; a breach is on record.
    let free = || {
        if let Some(real) = &state.real {
            // SAFETY: the books have it, so it is the real driver's; the rest is the program's.
            unsafe { real.device.free_memory(memory, None) };
        }
    };
    let _ =
        state.enter(Call::FreeMemory).and_then(|mut call| call.free_memory(memory.as_raw(), free));
}

pub(super) unsafe extern "system" fn map_memory(
    device: vk::Device,
    memory: vk::DeviceMemory,
    offset: vk::DeviceSize,
    size: vk::DeviceSize,
    _flags: vk::MemoryMapFlags,
    out: *mut *mut c_void,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    let result =
        state.enter_about(Call::MapMemory, About::Memory(memory.as_raw())).and_then(|mut call| {
            // SAFETY: clause 1; the books know it as living, host-visible and not mapped.
            call.map_memory(memory.as_raw(), offset, size, || unsafe { map_whole(state, memory) })
        });
    // SAFETY: clause 2.
    unsafe { out.write(result.unwrap_or(ptr::null_mut()).cast()) };
    result_code(&result)
}

/// The real driver's mapping of the whole memory, if there is one.
///
/// # Safety
///
/// 1. In an overlay, the memory lives, is host-visible and not mapped.
unsafe fn map_whole(state: &State, memory: vk::DeviceMemory) -> CallResult<Option<NonNull<u8>>> {
    let Some(real) = &state.real else {
        return Ok(None);
    };
    let flags = vk::MemoryMapFlags::empty();
    // SAFETY: clause 1.
    let mapping = unsafe { real.device.map_memory(memory, 0, vk::WHOLE_SIZE, flags) }?;
    Ok(NonNull::new(mapping.cast()))
}

pub(super) unsafe extern "system" fn unmap_memory(device: vk::Device, memory: vk::DeviceMemory) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // The function returns nothing; a breach is on record.
    let unmap = || {
        if let Some(real) = &state.real {
            // SAFETY: the books know it as mapped.
            unsafe { real.device.unmap_memory(memory) };
        }
    };
    let _ = state
        .enter(Call::UnmapMemory)
        .and_then(|mut call| call.unmap_memory(memory.as_raw(), unmap));
}

pub(super) unsafe extern "system" fn flush_mapped_memory_ranges(
    device: vk::Device,
    count: u32,
    ranges: *const vk::MappedMemoryRange<'_>,
) -> vk::Result {
    // SAFETY: both clauses.
    unsafe { move_ranges(Direction::Flush, device, count, ranges) }
}

pub(super) unsafe extern "system" fn invalidate_mapped_memory_ranges(
    device: vk::Device,
    count: u32,
    ranges: *const vk::MappedMemoryRange<'_>,
) -> vk::Result {
    // SAFETY: both clauses.
    unsafe { move_ranges(Direction::Invalidate, device, count, ranges) }
}

/// # Safety
///
/// Both clauses.
unsafe fn move_ranges(
    direction: Direction,
    device: vk::Device,
    count: u32,
    ranges: *const vk::MappedMemoryRange<'_>,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let ranges: Vec<_> = unsafe { slice_of(count, ranges) }
        .iter()
        .map(|range| (range.memory.as_raw(), range.offset, range.size))
        .collect();
    let call = match direction {
        Direction::Flush => Call::FlushMappedMemoryRanges,
        Direction::Invalidate => Call::InvalidateMappedMemoryRanges,
    };
    result_code(&state.enter(call).and_then(|mut call| {
        call.move_ranges(direction, &ranges, |memory, memory_type_index| {
            // SAFETY: the books know it as living and mapped, which is as a whole.
            unsafe { sync_whole(state, direction, memory, memory_type_index) }
        })
    }))
}

/// Flushes or invalidates the whole mapping of a real driver, if its memory is not coherent.
///
/// # Safety
///
/// 1. In an overlay, the memory lives and is mapped.
unsafe fn sync_whole(
    state: &State,
    direction: Direction,
    memory: u64,
    memory_type_index: u32,
) -> CallResult<()> {
    let Some(real) = state.real.as_ref().filter(|real| real.needs_flushes(memory_type_index))
    else {
        return Ok(());
    };
    let memory = vk::DeviceMemory::from_raw(memory);
    let whole = [vk::MappedMemoryRange::default().memory(memory).size(vk::WHOLE_SIZE)];
    match direction {
        // SAFETY: clause 1.
        Direction::Flush => unsafe { real.device.flush_mapped_memory_ranges(&whole) },
        // SAFETY: clause 1.
        Direction::Invalidate => unsafe { real.device.invalidate_mapped_memory_ranges(&whole) },
    }
}

//! The functions of command pools and command buffers; their contract is the parent module's.

use ash::vk::{self, Handle};

use super::{command_state_of, result_code, slice_of, state_of, write_handle};
use crate::call::Call;

pub(super) unsafe extern "system" fn create_command_pool(
    device: vk::Device,
    info: *const vk::CommandPoolCreateInfo<'_>,
    _allocator: *const vk::AllocationCallbacks<'_>,
    out: *mut vk::CommandPool,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let info = unsafe { &*info };
    let result = state.enter(Call::CreateCommandPool).and_then(|mut call| {
        call.create_command_pool(info.flags, info.queue_family_index, state.new_handle())
    });
    // SAFETY: clause 2.
    unsafe { write_handle(out, result) }
}

pub(super) unsafe extern "system" fn destroy_command_pool(
    device: vk::Device,
    pool: vk::CommandPool,
    _allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // The function returns nothing; a breach is on record.
    let _ = state
        .enter(Call::DestroyCommandPool)
        .and_then(|mut call| call.destroy_command_pool(pool.as_raw()));
}

pub(super) unsafe extern "system" fn reset_command_pool(
    device: vk::Device,
    pool: vk::CommandPool,
    _flags: vk::CommandPoolResetFlags,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    result_code(
        &state
            .enter(Call::ResetCommandPool)
            .and_then(|mut call| call.reset_command_pool(pool.as_raw())),
    )
}

pub(super) unsafe extern "system" fn allocate_command_buffers(
    device: vk::Device,
    info: *const vk::CommandBufferAllocateInfo<'_>,
    out: *mut vk::CommandBuffer,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let info = unsafe { &*info };
    let count = info.command_buffer_count;
    let result = state.enter(Call::AllocateCommandBuffers).and_then(|mut call| {
        call.allocate_command_buffers(state, info.command_pool.as_raw(), count)
    });
    let code = result_code(&result);
    // All are null on an error, as the specification has it.
    let handles = result.unwrap_or_else(|_| vec![0; usize::try_from(count).unwrap_or(0)]);
    for (index, handle) in handles.into_iter().enumerate() {
        // SAFETY: clause 2: `out` has room for as many as were asked for.
        let out = unsafe { out.add(index) };
        // SAFETY: as above.
        unsafe { out.write(vk::CommandBuffer::from_raw(handle)) };
    }
    code
}

pub(super) unsafe extern "system" fn free_command_buffers(
    device: vk::Device,
    pool: vk::CommandPool,
    count: u32,
    command_buffers: *const vk::CommandBuffer,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let handles: Vec<_> = unsafe { slice_of(count, command_buffers) }
        .iter()
        .map(|command_buffer| command_buffer.as_raw())
        .collect();
    // The function returns nothing; a breach is on record.
    let _ = state
        .enter(Call::FreeCommandBuffers)
        .and_then(|mut call| call.free_command_buffers(pool.as_raw(), &handles));
}

pub(super) unsafe extern "system" fn begin_command_buffer(
    command_buffer: vk::CommandBuffer,
    info: *const vk::CommandBufferBeginInfo<'_>,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { command_state_of(command_buffer) };
    // SAFETY: clause 2.
    let usage = unsafe { &*info }.flags;
    result_code(
        &state
            .enter(Call::BeginCommandBuffer)
            .and_then(|mut call| call.begin_command_buffer(command_buffer.as_raw(), usage)),
    )
}

pub(super) unsafe extern "system" fn end_command_buffer(
    command_buffer: vk::CommandBuffer,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { command_state_of(command_buffer) };
    result_code(
        &state
            .enter(Call::EndCommandBuffer)
            .and_then(|mut call| call.end_command_buffer(command_buffer.as_raw())),
    )
}

pub(super) unsafe extern "system" fn reset_command_buffer(
    command_buffer: vk::CommandBuffer,
    _flags: vk::CommandBufferResetFlags,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { command_state_of(command_buffer) };
    result_code(
        &state
            .enter(Call::ResetCommandBuffer)
            .and_then(|mut call| call.reset_command_buffer(command_buffer.as_raw())),
    )
}

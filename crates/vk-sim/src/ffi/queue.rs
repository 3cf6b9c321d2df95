//! The functions of queue and fences; their contract is the parent module's. The one queue has the
//! device's handle.

use ash::vk::{self, Handle};

use super::{handle_of, result_code, slice_of, state_of, write_handle};
use crate::call::Call;
use crate::state::CallResult;
use crate::violation::Rule;

pub(super) unsafe extern "system" fn get_device_queue(
    device: vk::Device,
    family_index: u32,
    index: u32,
    out: *mut vk::Queue,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    let queue = match state.enter(Call::GetDeviceQueue) {
        Ok(mut call) => {
            let wrong = [("queueFamilyIndex", family_index), ("queueIndex", index)]
                .into_iter()
                .find(|&(_, value)| value != 0);
            if let Some((member, value)) = wrong {
                call.record(Rule::QueueOutOfRange { member, value });
                vk::Queue::null()
            } else {
                handle_of(state)
            }
        }
        Err(_) => vk::Queue::null(),
    };
    // SAFETY: clause 2.
    unsafe { out.write(queue) };
}

pub(super) unsafe extern "system" fn queue_submit(
    queue: vk::Queue,
    count: u32,
    submits: *const vk::SubmitInfo<'_>,
    fence: vk::Fence,
) -> vk::Result {
    // SAFETY: clause 2.
    let submits = unsafe { slice_of(count, submits) };
    let mut handles = Vec::new();
    for submit in submits {
        // SAFETY: clause 2.
        let command_buffers =
            unsafe { slice_of(submit.command_buffer_count, submit.p_command_buffers) };
        handles.extend(command_buffers.iter().map(|command_buffer| command_buffer.as_raw()));
    }
    // SAFETY: clause 1.
    unsafe { submit_all(queue, Call::QueueSubmit, &handles, fence) }
}

pub(super) unsafe extern "system" fn queue_submit2(
    queue: vk::Queue,
    count: u32,
    submits: *const vk::SubmitInfo2<'_>,
    fence: vk::Fence,
) -> vk::Result {
    // SAFETY: clause 2.
    let submits = unsafe { slice_of(count, submits) };
    let mut handles = Vec::new();
    for submit in submits {
        // SAFETY: clause 2.
        let infos =
            unsafe { slice_of(submit.command_buffer_info_count, submit.p_command_buffer_infos) };
        handles.extend(infos.iter().map(|info| info.command_buffer.as_raw()));
    }
    // SAFETY: clause 1.
    unsafe { submit_all(queue, Call::QueueSubmit2, &handles, fence) }
}

/// # Safety
///
/// Clause 1.
unsafe fn submit_all(
    queue: vk::Queue,
    call: Call,
    command_buffers: &[u64],
    fence: vk::Fence,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(queue) };
    result_code(
        &state.enter(call).and_then(|mut call| call.submit(command_buffers, fence.as_raw())),
    )
}

pub(super) unsafe extern "system" fn queue_wait_idle(queue: vk::Queue) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(queue) };
    result_code(&state.enter(Call::QueueWaitIdle).and_then(|mut call| call.wait_idle()))
}

pub(super) unsafe extern "system" fn device_wait_idle(device: vk::Device) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    result_code(&state.enter(Call::DeviceWaitIdle).and_then(|mut call| call.wait_idle()))
}

pub(super) unsafe extern "system" fn create_fence(
    device: vk::Device,
    info: *const vk::FenceCreateInfo<'_>,
    _allocator: *const vk::AllocationCallbacks<'_>,
    out: *mut vk::Fence,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let is_signaled = unsafe { &*info }.flags.contains(vk::FenceCreateFlags::SIGNALED);
    let result = state
        .enter(Call::CreateFence)
        .and_then(|mut call| call.create_fence(is_signaled, state.new_handle()));
    // SAFETY: clause 2.
    unsafe { write_handle(out, result) }
}

pub(super) unsafe extern "system" fn destroy_fence(
    device: vk::Device,
    fence: vk::Fence,
    _allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // The function returns nothing; a breach is on record.
    let _ = state.enter(Call::DestroyFence).and_then(|mut call| call.destroy_fence(fence.as_raw()));
}

pub(super) unsafe extern "system" fn reset_fences(
    device: vk::Device,
    count: u32,
    fences: *const vk::Fence,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let fences = unsafe { raw_fences(count, fences) };
    result_code(&state.enter(Call::ResetFences).and_then(|mut call| call.reset_fences(&fences)))
}

pub(super) unsafe extern "system" fn get_fence_status(
    device: vk::Device,
    fence: vk::Fence,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    either(state.enter(Call::GetFenceStatus).and_then(|mut call| call.fence_status(fence.as_raw())))
}

pub(super) unsafe extern "system" fn wait_for_fences(
    device: vk::Device,
    count: u32,
    fences: *const vk::Fence,
    all: vk::Bool32,
    _timeout: u64,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let fences = unsafe { raw_fences(count, fences) };
    either(
        state
            .enter(Call::WaitForFences)
            .and_then(|mut call| call.wait_for_fences(&fences, all == vk::TRUE)),
    )
}

/// # Safety
///
/// Clause 2.
unsafe fn raw_fences(count: u32, fences: *const vk::Fence) -> Vec<u64> {
    // SAFETY: the caller's.
    unsafe { slice_of(count, fences) }.iter().map(|fence| fence.as_raw()).collect()
}

/// The code of a function that has several for success.
fn either(result: CallResult<vk::Result>) -> vk::Result {
    result.unwrap_or_else(|error| error)
}

//! The functions that bind memory; their contract is the parent module's.

use ash::vk::{self, Handle};

use super::{result_code, slice_of, state_of};
use crate::call::Call;
use crate::real::Real;
use crate::state::CallResult;
use crate::violation::ObjectKind;

pub(super) unsafe extern "system" fn bind_buffer_memory(
    device: vk::Device,
    buffer: vk::Buffer,
    memory: vk::DeviceMemory,
    offset: vk::DeviceSize,
) -> vk::Result {
    let bind = [(buffer.as_raw(), memory.as_raw(), offset)];
    // SAFETY: what the books checked.
    let real = |real: &Real, _| unsafe { real.device.bind_buffer_memory(buffer, memory, offset) };
    // SAFETY: clause 1.
    unsafe { bind_all(device, Call::BindBufferMemory, ObjectKind::Buffer, &bind, real) }
}

pub(super) unsafe extern "system" fn bind_image_memory(
    device: vk::Device,
    image: vk::Image,
    memory: vk::DeviceMemory,
    offset: vk::DeviceSize,
) -> vk::Result {
    let bind = [(image.as_raw(), memory.as_raw(), offset)];
    // SAFETY: what the books checked.
    let real = |real: &Real, _| unsafe { real.device.bind_image_memory(image, memory, offset) };
    // SAFETY: clause 1.
    unsafe { bind_all(device, Call::BindImageMemory, ObjectKind::Image, &bind, real) }
}

pub(super) unsafe extern "system" fn bind_buffer_memory2(
    device: vk::Device,
    count: u32,
    infos: *const vk::BindBufferMemoryInfo<'_>,
) -> vk::Result {
    // SAFETY: clause 2.
    let infos = unsafe { slice_of(count, infos) };
    let binds: Vec<_> = infos
        .iter()
        .map(|info| (info.buffer.as_raw(), info.memory.as_raw(), info.memory_offset))
        .collect();
    let real = |real: &Real, index: usize| {
        // SAFETY: what the books checked, and clause 2 for the rest of the chain.
        unsafe { real.device.bind_buffer_memory2(&infos[index..=index]) }
    };
    // SAFETY: clause 1.
    unsafe { bind_all(device, Call::BindBufferMemory2, ObjectKind::Buffer, &binds, real) }
}

pub(super) unsafe extern "system" fn bind_image_memory2(
    device: vk::Device,
    count: u32,
    infos: *const vk::BindImageMemoryInfo<'_>,
) -> vk::Result {
    // SAFETY: clause 2.
    let infos = unsafe { slice_of(count, infos) };
    let binds: Vec<_> = infos
        .iter()
        .map(|info| (info.image.as_raw(), info.memory.as_raw(), info.memory_offset))
        .collect();
    let real = |real: &Real, index: usize| {
        // SAFETY: what the books checked, and clause 2 for the rest of the chain.
        unsafe { real.device.bind_image_memory2(&infos[index..=index]) }
    };
    // SAFETY: clause 1.
    unsafe { bind_all(device, Call::BindImageMemory2, ObjectKind::Image, &binds, real) }
}

/// Binds in turn, in an overlay by `bind_real` with the index.
///
/// # Safety
///
/// Clause 1.
unsafe fn bind_all(
    device: vk::Device,
    call: Call,
    kind: ObjectKind,
    binds: &[(u64, u64, u64)],
    bind_real: impl Fn(&Real, usize) -> CallResult<()>,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    let bind = |index| match &state.real {
        Some(real) => bind_real(real, index),
        None => Ok(()),
    };
    result_code(&state.enter(call).and_then(|mut call| call.bind(kind, binds, bind)))
}

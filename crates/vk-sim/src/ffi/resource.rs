//! The functions of buffers and images; their contract is the parent module's.

use ash::vk::{self, Handle};

use super::{result_code, slice_of, state_of, write_handle};
use crate::call::Call;
use crate::format::TexelBlock;
use crate::image::ImageForm;
use crate::requirements::Form;
use crate::resource::Made;
use crate::state::About;
use crate::violation::ObjectKind;

pub(super) unsafe extern "system" fn create_buffer(
    device: vk::Device,
    info: *const vk::BufferCreateInfo<'_>,
    _allocator: *const vk::AllocationCallbacks<'_>,
    out: *mut vk::Buffer,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let info = unsafe { &*info };
    let make = || Ok(Made { handle: state.new_handle(), requirements: None });
    let result = state
        .enter_about(Call::CreateBuffer, About::Size(info.size))
        .and_then(|mut call| call.create_resource(buffer_form(info), make));
    // SAFETY: clause 2.
    unsafe { write_handle(out, result) }
}

pub(super) unsafe extern "system" fn create_image(
    device: vk::Device,
    info: *const vk::ImageCreateInfo<'_>,
    _allocator: *const vk::AllocationCallbacks<'_>,
    out: *mut vk::Image,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let info = unsafe { &*info };
    let make = || Ok(Made { handle: state.new_handle(), requirements: None });
    let result = state
        .enter(Call::CreateImage)
        .and_then(|mut call| call.create_resource(image_form(info), make));
    // SAFETY: clause 2.
    unsafe { write_handle(out, result) }
}

pub(super) fn buffer_form(info: &vk::BufferCreateInfo<'_>) -> Form {
    Form::Buffer {
        size: info.size,
        usage: info.usage,
        is_protected: info.flags.contains(vk::BufferCreateFlags::PROTECTED),
    }
}

pub(super) fn image_form(info: &vk::ImageCreateInfo<'_>) -> Form {
    Form::Image {
        image: ImageForm {
            block: TexelBlock::of(info.format),
            extent: info.extent,
            mip_levels: info.mip_levels,
            array_layers: info.array_layers,
            // The bits are the numbers of samples.
            samples: info.samples.as_raw().max(1),
            usage: info.usage,
            is_linear: info.tiling == vk::ImageTiling::LINEAR,
        },
        is_protected: info.flags.contains(vk::ImageCreateFlags::PROTECTED),
    }
}

pub(super) unsafe extern "system" fn destroy_buffer(
    device: vk::Device,
    buffer: vk::Buffer,
    _allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // The function returns nothing; a breach is on record.
    let _ = state
        .enter(Call::DestroyBuffer)
        .and_then(|mut call| call.destroy_resource(ObjectKind::Buffer, buffer.as_raw(), || ()));
}

pub(super) unsafe extern "system" fn destroy_image(
    device: vk::Device,
    image: vk::Image,
    _allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // The function returns nothing; a breach is on record.
    let _ = state
        .enter(Call::DestroyImage)
        .and_then(|mut call| call.destroy_resource(ObjectKind::Image, image.as_raw(), || ()));
}

pub(super) unsafe extern "system" fn bind_buffer_memory(
    device: vk::Device,
    buffer: vk::Buffer,
    memory: vk::DeviceMemory,
    offset: vk::DeviceSize,
) -> vk::Result {
    let bind = [(buffer.as_raw(), memory.as_raw(), offset)];
    // SAFETY: clause 1.
    unsafe { bind_all(device, Call::BindBufferMemory, ObjectKind::Buffer, &bind) }
}

pub(super) unsafe extern "system" fn bind_image_memory(
    device: vk::Device,
    image: vk::Image,
    memory: vk::DeviceMemory,
    offset: vk::DeviceSize,
) -> vk::Result {
    let bind = [(image.as_raw(), memory.as_raw(), offset)];
    // SAFETY: clause 1.
    unsafe { bind_all(device, Call::BindImageMemory, ObjectKind::Image, &bind) }
}

pub(super) unsafe extern "system" fn bind_buffer_memory2(
    device: vk::Device,
    count: u32,
    infos: *const vk::BindBufferMemoryInfo<'_>,
) -> vk::Result {
    // SAFETY: clause 2.
    let binds: Vec<_> = unsafe { slice_of(count, infos) }
        .iter()
        .map(|info| (info.buffer.as_raw(), info.memory.as_raw(), info.memory_offset))
        .collect();
    // SAFETY: clause 1.
    unsafe { bind_all(device, Call::BindBufferMemory2, ObjectKind::Buffer, &binds) }
}

pub(super) unsafe extern "system" fn bind_image_memory2(
    device: vk::Device,
    count: u32,
    infos: *const vk::BindImageMemoryInfo<'_>,
) -> vk::Result {
    // SAFETY: clause 2.
    let binds: Vec<_> = unsafe { slice_of(count, infos) }
        .iter()
        .map(|info| (info.image.as_raw(), info.memory.as_raw(), info.memory_offset))
        .collect();
    // SAFETY: clause 1.
    unsafe { bind_all(device, Call::BindImageMemory2, ObjectKind::Image, &binds) }
}

/// # Safety
///
/// Clause 1.
unsafe fn bind_all(
    device: vk::Device,
    call: Call,
    kind: ObjectKind,
    binds: &[(u64, u64, u64)],
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    result_code(&state.enter(call).and_then(|mut call| call.bind(kind, binds, |_| Ok(()))))
}

pub(super) unsafe extern "system" fn get_buffer_device_address(
    device: vk::Device,
    info: *const vk::BufferDeviceAddressInfo<'_>,
) -> vk::DeviceAddress {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let buffer = unsafe { &*info }.buffer.as_raw();
    state
        .enter(Call::GetBufferDeviceAddress)
        .and_then(|mut call| call.buffer_device_address(buffer, || None))
        .unwrap_or(0)
}

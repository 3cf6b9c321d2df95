//! The functions of buffers and images; their contract is the parent module's.

use ash::vk::{self, Handle};

use super::{chain, state_of, write_handle};
use crate::call::Call;
use crate::format::{self, TexelBlock};
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
    // SAFETY: clause 2.
    let form = unsafe { buffer_form(info) };
    let make = || {
        let Some(real) = &state.real else {
            return Ok(Made { handle: state.new_handle(), requirements: None });
        };
        // SAFETY: clause 2.
        let buffer = unsafe { real.device.create_buffer(info, None) }?;
        // SAFETY: the buffer was made above.
        let requirements = unsafe { real.device.get_buffer_memory_requirements(buffer) };
        Ok(Made { handle: buffer.as_raw(), requirements: Some(real.translated(requirements)) })
    };
    let result = state
        .enter_about(Call::CreateBuffer, About::Size(info.size))
        .and_then(|mut call| call.create_resource(form, make));
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
    let make = || {
        let Some(real) = &state.real else {
            return Ok(Made { handle: state.new_handle(), requirements: None });
        };
        // SAFETY: clause 2.
        let image = unsafe { real.device.create_image(info, None) }?;
        // SAFETY: the image was made above.
        let requirements = unsafe { real.device.get_image_memory_requirements(image) };
        Ok(Made { handle: image.as_raw(), requirements: Some(real.translated(requirements)) })
    };
    let result = state
        .enter(Call::CreateImage)
        .and_then(|mut call| call.create_resource(image_form(info), make));
    // SAFETY: clause 2.
    unsafe { write_handle(out, result) }
}

/// What a buffer is.
///
/// # Safety
///
/// Clause 2, for the chain of `info`.
pub(super) unsafe fn buffer_form(info: &vk::BufferCreateInfo<'_>) -> Form {
    // SAFETY: the caller's.
    let newer = unsafe { chain::read::<vk::BufferUsageFlags2CreateInfoKHR<'_>>(info.p_next) };
    // Where it is chained, `usage` is ignored; the flags that both have are the same bits.
    let usage = newer.map_or(info.usage, |newer| {
        let low = u32::try_from(newer.usage.as_raw() & u64::from(u32::MAX));
        vk::BufferUsageFlags::from_raw(low.expect("it has 32 bits"))
    });
    Form::Buffer {
        size: info.size,
        usage,
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
            is_clearable: format::is_clearable(info.format),
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
    let destroy = || {
        if let Some(real) = &state.real {
            // SAFETY: the books have it, so it is the real driver's; the rest is the program's.
            unsafe { real.device.destroy_buffer(buffer, None) };
        }
    };
    // The function returns nothing; a breach is on record.
    let _ = state
        .enter(Call::DestroyBuffer)
        .and_then(|mut call| call.destroy_resource(ObjectKind::Buffer, buffer.as_raw(), destroy));
}

pub(super) unsafe extern "system" fn destroy_image(
    device: vk::Device,
    image: vk::Image,
    _allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    let destroy = || {
        if let Some(real) = &state.real {
            // SAFETY: the books have it, so it is the real driver's; the rest is the program's.
            unsafe { real.device.destroy_image(image, None) };
        }
    };
    // The function returns nothing; a breach is on record.
    let _ = state
        .enter(Call::DestroyImage)
        .and_then(|mut call| call.destroy_resource(ObjectKind::Image, image.as_raw(), destroy));
}

pub(super) unsafe extern "system" fn get_buffer_device_address(
    device: vk::Device,
    info: *const vk::BufferDeviceAddressInfo<'_>,
) -> vk::DeviceAddress {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let info = unsafe { &*info };
    let buffer = info.buffer.as_raw();
    state
        .enter(Call::GetBufferDeviceAddress)
        .and_then(|mut call| {
            call.buffer_device_address(buffer, || {
                let real = state.real.as_ref()?;
                // SAFETY: clause 2; the function is found only where the real driver has it.
                Some(unsafe { real.device.get_buffer_device_address(info) })
            })
        })
        .unwrap_or(0)
}

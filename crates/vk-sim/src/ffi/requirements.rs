//! The functions that say what a resource requires; their contract is the parent module's.

use ash::vk::{self, Handle};

use super::resource::{buffer_form, image_form};
use super::{chain, state_of};
use crate::call::Call;
use crate::requirements::Requirements;
use crate::violation::ObjectKind;

pub(super) unsafe extern "system" fn get_buffer_memory_requirements(
    device: vk::Device,
    buffer: vk::Buffer,
    out: *mut vk::MemoryRequirements,
) {
    let call = Call::GetBufferMemoryRequirements;
    // SAFETY: clause 1.
    let resource = unsafe { resource_of(device, call, ObjectKind::Buffer, buffer.as_raw()) };
    // SAFETY: clause 2.
    unsafe { out.write(requirements_of(resource)) };
}

pub(super) unsafe extern "system" fn get_image_memory_requirements(
    device: vk::Device,
    image: vk::Image,
    out: *mut vk::MemoryRequirements,
) {
    let call = Call::GetImageMemoryRequirements;
    // SAFETY: clause 1.
    let resource = unsafe { resource_of(device, call, ObjectKind::Image, image.as_raw()) };
    // SAFETY: clause 2.
    unsafe { out.write(requirements_of(resource)) };
}

pub(super) unsafe extern "system" fn get_buffer_memory_requirements2(
    device: vk::Device,
    info: *const vk::BufferMemoryRequirementsInfo2<'_>,
    out: *mut vk::MemoryRequirements2<'_>,
) {
    let call = Call::GetBufferMemoryRequirements2;
    // SAFETY: clause 2.
    let buffer = unsafe { &*info }.buffer.as_raw();
    // SAFETY: clause 1.
    let resource = unsafe { resource_of(device, call, ObjectKind::Buffer, buffer) };
    // SAFETY: clause 2.
    unsafe { write_requirements2(resource, out) };
}

pub(super) unsafe extern "system" fn get_image_memory_requirements2(
    device: vk::Device,
    info: *const vk::ImageMemoryRequirementsInfo2<'_>,
    out: *mut vk::MemoryRequirements2<'_>,
) {
    let call = Call::GetImageMemoryRequirements2;
    // SAFETY: clause 2.
    let image = unsafe { &*info }.image.as_raw();
    // SAFETY: clause 1.
    let resource = unsafe { resource_of(device, call, ObjectKind::Image, image) };
    // SAFETY: clause 2.
    unsafe { write_requirements2(resource, out) };
}

pub(super) unsafe extern "system" fn get_device_buffer_memory_requirements(
    device: vk::Device,
    info: *const vk::DeviceBufferMemoryRequirements<'_>,
    out: *mut vk::MemoryRequirements2<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let info = unsafe { &*info };
    // SAFETY: clause 2.
    let create_info = unsafe { &*info.p_create_info };
    // SAFETY: clause 2.
    let form = unsafe { buffer_form(create_info) };
    let real = state.real.as_ref().map(|real| {
        let mut out = vk::MemoryRequirements2::default();
        // SAFETY: clause 2; the function is found only where the real driver has it.
        unsafe { real.device.get_device_buffer_memory_requirements(info, &mut out) };
        real.translated(out.memory_requirements)
    });
    let requirements = state
        .enter(Call::GetDeviceBufferMemoryRequirements)
        .and_then(|mut call| call.requirements_without(&form, real));
    // SAFETY: clause 2.
    unsafe { write_requirements2(requirements.ok(), out) };
}

pub(super) unsafe extern "system" fn get_device_image_memory_requirements(
    device: vk::Device,
    info: *const vk::DeviceImageMemoryRequirements<'_>,
    out: *mut vk::MemoryRequirements2<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let info = unsafe { &*info };
    // SAFETY: clause 2.
    let form = image_form(unsafe { &*info.p_create_info });
    let real = state.real.as_ref().map(|real| {
        let mut out = vk::MemoryRequirements2::default();
        // SAFETY: clause 2; the function is found only where the real driver has it.
        unsafe { real.device.get_device_image_memory_requirements(info, &mut out) };
        real.translated(out.memory_requirements)
    });
    let requirements = state
        .enter(Call::GetDeviceImageMemoryRequirements)
        .and_then(|mut call| call.requirements_without(&form, real));
    // SAFETY: clause 2.
    unsafe { write_requirements2(requirements.ok(), out) };
}

/// The resource whose requirements are asked; `None` on a breach, which is on record.
///
/// # Safety
///
/// Clause 1.
unsafe fn resource_of(
    device: vk::Device,
    call: Call,
    kind: ObjectKind,
    handle: u64,
) -> Option<Requirements> {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    state
        .enter(call)
        .and_then(|mut call| call.resource(kind, handle))
        .ok()
        .map(|resource| resource.requirements)
}

/// Nothing at all is required for a resource that is not there.
fn requirements_of(requirements: Option<Requirements>) -> vk::MemoryRequirements {
    requirements.map_or_else(vk::MemoryRequirements::default, |requirements| {
        vk::MemoryRequirements {
            size: requirements.size,
            alignment: requirements.alignment,
            memory_type_bits: requirements.memory_type_bits,
        }
    })
}

/// Fills the structure and `VkMemoryDedicatedRequirements` behind it.
///
/// # Safety
///
/// Clause 2, for `out` and its chain.
unsafe fn write_requirements2(
    requirements: Option<Requirements>,
    out: *mut vk::MemoryRequirements2<'_>,
) {
    // SAFETY: the caller's.
    let out = unsafe { &mut *out };
    out.memory_requirements = requirements_of(requirements);
    // SAFETY: the caller's.
    let dedicated = unsafe { chain::write::<vk::MemoryDedicatedRequirements<'_>>(out.p_next) };
    if let Some(dedicated) = dedicated {
        dedicated.prefers_dedicated_allocation =
            requirements.is_some_and(|requirements| requirements.prefers_dedicated).into();
        dedicated.requires_dedicated_allocation =
            requirements.is_some_and(|requirements| requirements.requires_dedicated).into();
    }
}

//! The functions of buffers and images; their contract is the parent module's.

use ash::vk::{self, Handle};

use super::{chain, result_code, slice_of, state_of, write_handle};
use crate::call::Call;
use crate::objects::Resource;
use crate::resource::{BufferRequest, ImageRequest};
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
    let request = BufferRequest { flags: info.flags, size: info.size, usage: info.usage };
    let result = state.enter(Call::CreateBuffer).and_then(|mut call| call.create_buffer(&request));
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
    let request = ImageRequest {
        flags: info.flags,
        extent: info.extent,
        mip_levels: info.mip_levels,
        array_layers: info.array_layers,
        samples: info.samples,
        usage: info.usage,
    };
    let result = state.enter(Call::CreateImage).and_then(|mut call| call.create_image(&request));
    // SAFETY: clause 2.
    unsafe { write_handle(out, result) }
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
        .and_then(|mut call| call.destroy_resource(ObjectKind::Buffer, buffer.as_raw()));
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
        .and_then(|mut call| call.destroy_resource(ObjectKind::Image, image.as_raw()));
}

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
) -> Option<Resource> {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    state.enter(call).and_then(|mut call| call.resource(kind, handle)).ok()
}

/// Nothing at all is required for a resource that is not there.
fn requirements_of(resource: Option<Resource>) -> vk::MemoryRequirements {
    resource.map_or_else(vk::MemoryRequirements::default, |resource| vk::MemoryRequirements {
        size: resource.size,
        alignment: resource.alignment,
        memory_type_bits: resource.memory_type_bits,
    })
}

/// Fills the structure and `VkMemoryDedicatedRequirements` behind it.
///
/// # Safety
///
/// Clause 2, for `out` and its chain.
unsafe fn write_requirements2(resource: Option<Resource>, out: *mut vk::MemoryRequirements2<'_>) {
    // SAFETY: the caller's.
    let out = unsafe { &mut *out };
    out.memory_requirements = requirements_of(resource);
    // SAFETY: the caller's.
    let dedicated = unsafe { chain::write::<vk::MemoryDedicatedRequirements<'_>>(out.p_next) };
    if let Some(dedicated) = dedicated {
        dedicated.prefers_dedicated_allocation =
            resource.is_some_and(|resource| resource.prefers_dedicated).into();
        dedicated.requires_dedicated_allocation =
            resource.is_some_and(|resource| resource.requires_dedicated).into();
    }
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
    result_code(state.enter(call).and_then(|mut call| call.bind(kind, binds)))
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
        .and_then(|mut call| call.buffer_device_address(buffer))
        .unwrap_or(0)
}

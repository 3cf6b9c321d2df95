//! Requests, buffers and images out of bytes.

use ash::vk;
use gpu_alloc_ash::{
    AllocationRequest, MemoryPropertyFlags, PoolAllocationRequest, ResourceKind, Strategy,
    UsageFlags,
};

use super::device::Scale;
use crate::input::Input;

/// Any request, most of them sensible.
pub(super) fn request(input: &mut Input<'_>, scale: Scale) -> AllocationRequest<'static> {
    let mut request = AllocationRequest {
        size: scale.bytes(input),
        usage: UsageFlags::from_bits_retain(u32::from(input.byte() & 0x1f)),
        strategy: input.pick(&[Strategy::Auto, Strategy::Pooled, Strategy::Dedicated]),
        kind: input.pick(&[ResourceKind::Unknown, ResourceKind::Linear, ResourceKind::NonLinear]),
        name: input.maybe(4, |input| input.pick(&["", "shadow map", "camera", "camera"])),
        ..AllocationRequest::default()
    };
    match input.below(8) {
        0..=3 => {}
        4 | 5 => request.alignment = input.power(13),
        6 => request.alignment = input.power(63),
        _ => request.alignment = input.word(),
    }
    match input.below(8) {
        0 => request.memory_type_bits = 1 << input.below(8),
        1 => request.memory_type_bits = !(1 << input.below(8)),
        2 if input.one_in(4) => request.required = flags(input),
        2 => request.required = MemoryPropertyFlags::from_bits_retain(1 << input.below(4)),
        3 => request.preferred = flags(input),
        4 => request.avoided = flags(input),
        5 => request.device_address = true,
        _ => {}
    }
    request.zeroed = input.one_in(8);
    request
}

/// Any request to a custom pool.
pub(super) fn pool_request(input: &mut Input<'_>, scale: Scale) -> PoolAllocationRequest<'static> {
    let plain = request(input, scale);
    let rare = input.byte();
    PoolAllocationRequest {
        size: plain.size,
        alignment: plain.alignment,
        kind: plain.kind,
        memory_type_bits: plain.memory_type_bits,
        strategy: plain.strategy,
        upper_end: rare % 8 == 7,
        within_budget: rare & 0x30 == 0x30,
        never_allocate: rare & 0xc0 == 0xc0,
        zeroed: plain.zeroed,
        name: plain.name,
    }
}

/// The flags that a device need not enable.
fn flags(input: &mut Input<'_>) -> MemoryPropertyFlags {
    MemoryPropertyFlags::from_bits_retain(u32::from(input.byte() & 0x1f))
}

/// A request for a resource: of 0 bytes, or of a little more than the resource needs.
pub(super) fn raise(input: &mut Input<'_>, scale: Scale) -> AllocationRequest<'static> {
    let mut request = request(input, scale);
    if !input.one_in(8) {
        request.size = 0;
        request.alignment = request.alignment.max(1);
    }
    if !request.alignment.is_power_of_two() {
        request.alignment = 0;
    }
    request
}

/// A buffer of at least one byte.
pub(super) fn buffer(
    input: &mut Input<'_>,
    scale: Scale,
    addresses: bool,
) -> vk::BufferCreateInfo<'static> {
    let mut usage = vk::BufferUsageFlags::TRANSFER_SRC | vk::BufferUsageFlags::TRANSFER_DST;
    if addresses && input.one_in(4) {
        usage |= vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS;
    }
    vk::BufferCreateInfo::default().size(scale.bytes(input).max(1)).usage(usage)
}

/// An image of at most 4 MiB.
pub(super) fn image(input: &mut Input<'_>) -> vk::ImageCreateInfo<'static> {
    let (width, height) = (1 + u32::from(input.byte()), 1 + u32::from(input.byte()));
    let info = vk::ImageCreateInfo::default()
        .image_type(vk::ImageType::TYPE_2D)
        .format(vk::Format::R8G8B8A8_UNORM)
        .extent(vk::Extent3D { width, height, depth: 1 })
        .mip_levels(1)
        .array_layers(1)
        .samples(vk::SampleCountFlags::TYPE_1)
        .usage(vk::ImageUsageFlags::SAMPLED | vk::ImageUsageFlags::TRANSFER_DST);
    match input.below(4) {
        0 => info.tiling(vk::ImageTiling::LINEAR),
        1 => info.array_layers(1 + u32::from(input.below(8))),
        2 => info.mip_levels(width.max(height).ilog2() + 1),
        _ => info.usage(
            vk::ImageUsageFlags::TRANSIENT_ATTACHMENT | vk::ImageUsageFlags::COLOR_ATTACHMENT,
        ),
    }
}

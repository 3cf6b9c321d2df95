//! Copies on the GPU: from the host into a resource, and back.
//!
//! Basic design: what goes in travels through a staging buffer that `write` fills, what comes out
//! through a readback buffer that `read_slice` empties. The readback buffer is overwritten before,
//! so that bytes which come back came from the resource. Each submission ends with the barrier
//! that its reader needs and is waited for.
//!
//! On a device that executes nothing all the same is allocated, bound, recorded and submitted; then
//! the readback buffer must hold what the host wrote, and the comparison is counted as left out.

use std::fmt::Display;

use ash::vk;

use crate::bytes::{assert_same_bytes, usize_from};
use crate::resources::{Buffer, Image};
use crate::support::{Gpu, download, upload};

/// What a readback buffer holds until the copy; no pattern consists of it.
const NOT_COPIED: u8 = 0xee;

/// Runs the commands that `record` records and waits for them.
pub(crate) fn submit(gpu: &Gpu, record: impl FnOnce(vk::CommandBuffer)) {
    // SAFETY: 1. The validation layer checks what is recorded; threads use resources of their own
    // here. 2. The tests destroy nothing before this returns. 3. No closure of these tests ends
    // or keeps the command buffer.
    unsafe { gpu.boot.submit(record) }.unwrap_or_else(|error| panic!("{error}"));
}

/// Copies `bytes` into the buffer, on the GPU.
pub(crate) fn fill_buffer(gpu: &Gpu, target: vk::Buffer, bytes: &[u8]) {
    let staging = staging(gpu, bytes);
    copy_buffer(gpu, staging.handle, target, staging.size, vk::PipelineStageFlags::TRANSFER);
    staging.destroy(gpu);
}

/// Copies as many bytes of the buffer back, on the GPU, and compares.
#[track_caller]
pub(crate) fn assert_buffer(gpu: &Gpu, what: impl Display, source: vk::Buffer, wanted: &[u8]) {
    let size = wanted.len().try_into().expect("a slice's length fits 64 bits");
    if let Some(got) = read_buffer(gpu, source, size) {
        assert_same_bytes(what, &got, wanted);
    }
}

/// Copies the buffer's first `size` bytes back, on the GPU; `None` if that executes nothing.
fn read_buffer(gpu: &Gpu, source: vk::Buffer, size: u64) -> Option<Vec<u8>> {
    let readback = readback(gpu, size);
    copy_buffer(gpu, source, readback.handle, size, vk::PipelineStageFlags::HOST);
    take_bytes(gpu, readback)
}

fn copy_buffer(
    gpu: &Gpu,
    source: vk::Buffer,
    target: vk::Buffer,
    size: u64,
    reader: vk::PipelineStageFlags,
) {
    let region = vk::BufferCopy::default().size(size);
    submit(gpu, |commands| {
        // SAFETY: both buffers live, are large enough and have the usage.
        unsafe { gpu.device().cmd_copy_buffer(commands, source, target, &[region]) };
        written_then_read(gpu, commands, reader);
    });
}

/// Copies `bytes`, laid out as the shape's regions, into the image, and leaves it ready to be
/// copied from.
pub(crate) fn fill_image(gpu: &Gpu, target: &Image, bytes: &[u8]) {
    let staging = staging(gpu, bytes);
    let copies: Vec<_> = target.shape.regions().iter().map(|region| region.copy).collect();
    let (source, image) = (staging.handle, target.handle);
    let written = vk::ImageLayout::TRANSFER_DST_OPTIMAL;
    submit(gpu, |commands| {
        change_layout(gpu, commands, target, vk::ImageLayout::UNDEFINED, written);
        // SAFETY: buffer and image live, have the usage, and the regions lie in both.
        unsafe {
            gpu.device().cmd_copy_buffer_to_image(commands, source, image, written, &copies);
        }
        change_layout(gpu, commands, target, written, vk::ImageLayout::TRANSFER_SRC_OPTIMAL);
    });
    staging.destroy(gpu);
}

/// Copies the image, whose layout is `TRANSFER_SRC_OPTIMAL`, back as the shape's regions, and
/// compares what the format defines.
#[track_caller]
pub(crate) fn assert_image(gpu: &Gpu, what: &str, image: &Image, wanted: &[u8]) {
    if let Some(mut got) = read_image(gpu, image) {
        assert_same_image(what, image, &mut got, wanted);
    }
}

/// Copies the image back in the same way; `None` if the device executes nothing.
pub(crate) fn read_image(gpu: &Gpu, source: &Image) -> Option<Vec<u8>> {
    let regions = source.shape.regions();
    let size = regions.last().map_or(0, |region| region.copy.buffer_offset + region.size);
    let readback = readback(gpu, size);
    let copies: Vec<_> = regions.iter().map(|region| region.copy).collect();
    let (image, target) = (source.handle, readback.handle);
    let layout = vk::ImageLayout::TRANSFER_SRC_OPTIMAL;
    submit(gpu, |commands| {
        // SAFETY: buffer and image live, have the usage, and the regions lie in both.
        unsafe {
            gpu.device().cmd_copy_image_to_buffer(commands, image, layout, target, &copies);
        }
        written_then_read(gpu, commands, vk::PipelineStageFlags::HOST);
    });
    take_bytes(gpu, readback)
}

/// Bytes for all regions of the image, with values that its format can carry.
pub(crate) fn image_bytes(image: &Image, seed: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (part, region) in (0u64..).zip(image.shape.regions()) {
        bytes.resize(region.range().start, 0);
        bytes.extend(region.values.bytes(seed.wrapping_mul(31).wrapping_add(part), region.size));
    }
    bytes
}

/// Compares what came back from the image with what went in, where the format defines it.
#[track_caller]
fn assert_same_image(what: &str, image: &Image, got: &mut [u8], wanted: &[u8]) {
    for region in image.shape.regions() {
        region.values.clear_undefined(&mut got[region.range()]);
        let subresource = region.copy.image_subresource;
        assert_same_bytes(
            format_args!("{what} {:?} level {}", subresource.aspect_mask, subresource.mip_level),
            &got[region.range()],
            &wanted[region.range()],
        );
    }
}

fn staging(gpu: &Gpu, bytes: &[u8]) -> Buffer {
    let size = bytes.len().try_into().expect("a slice's length fits 64 bits");
    let mut staging = Buffer::new(gpu, size, vk::BufferUsageFlags::TRANSFER_SRC, &upload());
    gpu.allocator.write(&mut staging.allocation, 0, bytes).unwrap();
    staging
}

fn readback(gpu: &Gpu, size: u64) -> Buffer {
    let mut readback = Buffer::new(gpu, size, vk::BufferUsageFlags::TRANSFER_DST, &download());
    let nothing = vec![NOT_COPIED; usize_from(size)];
    gpu.allocator.write(&mut readback.allocation, 0, &nothing).unwrap();
    readback
}

fn take_bytes(gpu: &Gpu, readback: Buffer) -> Option<Vec<u8>> {
    let mut bytes = vec![0u8; usize_from(readback.size)];
    gpu.allocator.read_slice(&readback.allocation, 0, &mut bytes).unwrap();
    readback.destroy(gpu);
    if gpu.executes() {
        return Some(bytes);
    }
    gpu.leave_out_copy();
    let is_untouched = bytes.iter().all(|&byte| byte == NOT_COPIED);
    assert!(is_untouched, "a device that executes nothing leaves what the host wrote");
    None
}

/// What transfers wrote is seen by the stage that reads it: a later copy, or the host.
pub(crate) fn written_then_read(
    gpu: &Gpu,
    commands: vk::CommandBuffer,
    reader: vk::PipelineStageFlags,
) {
    let access = if reader == vk::PipelineStageFlags::HOST {
        vk::AccessFlags::HOST_READ
    } else {
        vk::AccessFlags::TRANSFER_READ
    };
    let barrier = vk::MemoryBarrier::default()
        .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
        .dst_access_mask(access);
    let writer = vk::PipelineStageFlags::TRANSFER;
    let flags = vk::DependencyFlags::empty();
    // SAFETY: the command buffer is being recorded, outside of a render pass.
    unsafe {
        gpu.device().cmd_pipeline_barrier(commands, writer, reader, flags, &[barrier], &[], &[]);
    }
}

/// Moves the whole image between two layouts for copies; the host may have written the first.
pub(crate) fn change_layout(
    gpu: &Gpu,
    commands: vk::CommandBuffer,
    image: &Image,
    from: vk::ImageLayout,
    to: vk::ImageLayout,
) {
    let access = |layout| match layout {
        vk::ImageLayout::TRANSFER_DST_OPTIMAL => vk::AccessFlags::TRANSFER_WRITE,
        vk::ImageLayout::TRANSFER_SRC_OPTIMAL => vk::AccessFlags::TRANSFER_READ,
        vk::ImageLayout::PREINITIALIZED => vk::AccessFlags::HOST_WRITE,
        _ => vk::AccessFlags::empty(),
    };
    let barrier = vk::ImageMemoryBarrier::default()
        .image(image.handle)
        .subresource_range(image.shape.whole())
        .old_layout(from)
        .new_layout(to)
        .src_access_mask(access(from))
        .dst_access_mask(access(to))
        .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED);
    let stage = vk::PipelineStageFlags::TRANSFER;
    let before =
        if from == vk::ImageLayout::PREINITIALIZED { vk::PipelineStageFlags::HOST } else { stage };
    let flags = vk::DependencyFlags::empty();
    // SAFETY: the command buffer is being recorded, outside of a render pass; the image lives.
    unsafe {
        gpu.device().cmd_pipeline_barrier(commands, before, stage, flags, &[], &[], &[barrier]);
    }
}

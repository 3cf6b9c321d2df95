//! The functions that record commands; their contract is the parent module's. What they refuse is
//! on record, and not in the command buffer.

use std::ffi::c_void;

use ash::vk::{self, Handle};

use super::{command_state_of, slice_of};
use crate::call::Call;
use crate::command::TexelCopy;

pub(super) unsafe extern "system" fn cmd_copy_buffer(
    command_buffer: vk::CommandBuffer,
    source: vk::Buffer,
    destination: vk::Buffer,
    count: u32,
    regions: *const vk::BufferCopy,
) {
    // SAFETY: clause 1.
    let state = unsafe { command_state_of(command_buffer) };
    // SAFETY: clause 2.
    let regions = unsafe { slice_of(count, regions) }.to_vec();
    let buffers = (source.as_raw(), destination.as_raw());
    let _ = state
        .enter(Call::CmdCopyBuffer)
        .and_then(|mut call| call.copy_buffer(command_buffer.as_raw(), buffers, regions));
}

pub(super) unsafe extern "system" fn cmd_fill_buffer(
    command_buffer: vk::CommandBuffer,
    buffer: vk::Buffer,
    offset: vk::DeviceSize,
    size: vk::DeviceSize,
    word: u32,
) {
    // SAFETY: clause 1.
    let state = unsafe { command_state_of(command_buffer) };
    let span = (offset, size);
    let _ = state.enter(Call::CmdFillBuffer).and_then(|mut call| {
        call.fill_buffer(command_buffer.as_raw(), buffer.as_raw(), span, word)
    });
}

pub(super) unsafe extern "system" fn cmd_update_buffer(
    command_buffer: vk::CommandBuffer,
    buffer: vk::Buffer,
    offset: vk::DeviceSize,
    size: vk::DeviceSize,
    data: *const c_void,
) {
    // SAFETY: clause 1.
    let state = unsafe { command_state_of(command_buffer) };
    let read = || {
        let count = u32::try_from(size).expect("read only if it is at most 65536");
        // SAFETY: clause 2.
        unsafe { slice_of(count, data.cast::<u8>()) }.to_vec()
    };
    let _ = state.enter(Call::CmdUpdateBuffer).and_then(|mut call| {
        call.update_buffer(command_buffer.as_raw(), buffer.as_raw(), (offset, size), read)
    });
}

pub(super) unsafe extern "system" fn cmd_copy_buffer_to_image(
    command_buffer: vk::CommandBuffer,
    buffer: vk::Buffer,
    image: vk::Image,
    _layout: vk::ImageLayout,
    count: u32,
    regions: *const vk::BufferImageCopy,
) {
    // SAFETY: clause 1.
    let state = unsafe { command_state_of(command_buffer) };
    // SAFETY: clause 2.
    let regions = unsafe { slice_of(count, regions) }.to_vec();
    let ends = (buffer.as_raw(), image.as_raw());
    let _ = state.enter(Call::CmdCopyBufferToImage).and_then(|mut call| {
        call.copy_texels(command_buffer.as_raw(), TexelCopy::ToImage, ends, regions)
    });
}

pub(super) unsafe extern "system" fn cmd_copy_image_to_buffer(
    command_buffer: vk::CommandBuffer,
    image: vk::Image,
    _layout: vk::ImageLayout,
    buffer: vk::Buffer,
    count: u32,
    regions: *const vk::BufferImageCopy,
) {
    // SAFETY: clause 1.
    let state = unsafe { command_state_of(command_buffer) };
    // SAFETY: clause 2.
    let regions = unsafe { slice_of(count, regions) }.to_vec();
    let ends = (buffer.as_raw(), image.as_raw());
    let _ = state.enter(Call::CmdCopyImageToBuffer).and_then(|mut call| {
        call.copy_texels(command_buffer.as_raw(), TexelCopy::ToBuffer, ends, regions)
    });
}

pub(super) unsafe extern "system" fn cmd_clear_color_image(
    command_buffer: vk::CommandBuffer,
    image: vk::Image,
    layout: vk::ImageLayout,
    color: *const vk::ClearColorValue,
    count: u32,
    ranges: *const vk::ImageSubresourceRange,
) {
    // SAFETY: clause 1.
    let state = unsafe { command_state_of(command_buffer) };
    // SAFETY: clause 2.
    let color = unsafe { &*color };
    // SAFETY: Any bytes are a value of each member, and each takes all of them.
    let color = unsafe { color.uint32 };
    // SAFETY: clause 2.
    let ranges = unsafe { slice_of(count, ranges) }.to_vec();
    let _ = state.enter(Call::CmdClearColorImage).and_then(|mut call| {
        call.clear_image(command_buffer.as_raw(), image.as_raw(), layout, color, ranges)
    });
}

pub(super) unsafe extern "system" fn cmd_pipeline_barrier(
    command_buffer: vk::CommandBuffer,
    _from: vk::PipelineStageFlags,
    _to: vk::PipelineStageFlags,
    _flags: vk::DependencyFlags,
    _memory_count: u32,
    _memory: *const vk::MemoryBarrier<'_>,
    buffer_count: u32,
    buffers: *const vk::BufferMemoryBarrier<'_>,
    image_count: u32,
    images: *const vk::ImageMemoryBarrier<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { command_state_of(command_buffer) };
    // SAFETY: clause 2.
    let buffers = unsafe { slice_of(buffer_count, buffers) };
    let buffers = buffers.iter().map(|barrier| barrier.buffer.as_raw()).collect();
    // SAFETY: clause 2.
    let images = unsafe { slice_of(image_count, images) };
    let images = images.iter().map(|barrier| barrier.image.as_raw()).collect();
    let _ = state
        .enter(Call::CmdPipelineBarrier)
        .and_then(|mut call| call.barrier(command_buffer.as_raw(), buffers, images));
}

pub(super) unsafe extern "system" fn cmd_pipeline_barrier2(
    command_buffer: vk::CommandBuffer,
    info: *const vk::DependencyInfo<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { command_state_of(command_buffer) };
    // SAFETY: clause 2.
    let info = unsafe { &*info };
    // SAFETY: clause 2.
    let buffers =
        unsafe { slice_of(info.buffer_memory_barrier_count, info.p_buffer_memory_barriers) };
    let buffers = buffers.iter().map(|barrier| barrier.buffer.as_raw()).collect();
    // SAFETY: clause 2.
    let images = unsafe { slice_of(info.image_memory_barrier_count, info.p_image_memory_barriers) };
    let images = images.iter().map(|barrier| barrier.image.as_raw()).collect();
    let _ = state
        .enter(Call::CmdPipelineBarrier2)
        .and_then(|mut call| call.barrier(command_buffer.as_raw(), buffers, images));
}

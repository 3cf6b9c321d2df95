//! Wrong commands, command buffers, submissions and fences.

use ash::vk;

use super::memory::refused;
use super::program::{IMAGE, Program, Stage, TRANSFER};
use crate::support::Calls;

const SRC: vk::BufferUsageFlags = vk::BufferUsageFlags::TRANSFER_SRC;
const DST: vk::BufferUsageFlags = vk::BufferUsageFlags::TRANSFER_DST;
const NO_FENCE: vk::Fence = vk::Fence::null();

pub(super) const PROGRAMS: &[Program] = &[
    Program {
        name: "copy from a buffer without the usage",
        run: |stage| copy(stage, (DST, TRANSFER), (0, 0, 64)),
    },
    Program {
        name: "copy to a buffer without the usage",
        run: |stage| copy(stage, (TRANSFER, SRC), (0, 0, 64)),
    },
    Program { name: "copy from past the end", run: |stage| copy(stage, (SRC, DST), (1024, 0, 1)) },
    Program { name: "copy to past the end", run: |stage| copy(stage, (SRC, DST), (0, 1024, 1)) },
    Program {
        name: "copy more than there is",
        run: |stage| copy(stage, (SRC, DST), (1000, 0, 25)),
    },
    Program {
        name: "copy more than there is room for",
        run: |stage| copy(stage, (SRC, DST), (0, 1000, 25)),
    },
    Program { name: "copy nothing", run: |stage| copy(stage, (SRC, DST), (0, 0, 0)) },
    Program {
        name: "copy over what is read",
        run: |stage| {
            let buffer = stage.bound_buffer(TRANSFER);
            copy_between(stage, buffer, buffer, (0, 32, 64));
        },
    },
    Program {
        name: "copy from a buffer without memory",
        run: |stage| {
            copy_between(stage, stage.new_buffer(SRC), stage.bound_buffer(DST), (0, 0, 64))
        },
    },
    Program {
        name: "copy to a buffer without memory",
        run: |stage| {
            copy_between(stage, stage.bound_buffer(SRC), stage.new_buffer(DST), (0, 0, 64))
        },
    },
    Program {
        name: "copy from freed memory",
        run: |stage| {
            let (buffer, memory) = (stage.new_buffer(SRC), stage.memory(4096));
            stage.bind_buffer(buffer, memory, 0).unwrap();
            stage.free_early(memory);
            copy_between(stage, buffer, stage.bound_buffer(DST), (0, 0, 64));
        },
    },
    Program { name: "fill off the words", run: |stage| fill(stage, DST, 2, 64) },
    Program { name: "fill half a word", run: |stage| fill(stage, DST, 0, 6) },
    Program { name: "fill nothing", run: |stage| fill(stage, DST, 0, 0) },
    Program { name: "fill from the end", run: |stage| fill(stage, DST, 1024, vk::WHOLE_SIZE) },
    Program { name: "fill past the end", run: |stage| fill(stage, DST, 1020, 8) },
    Program { name: "fill without the usage", run: |stage| fill(stage, SRC, 0, 64) },
    Program { name: "update off the words", run: |stage| update(stage, 2, 4) },
    Program { name: "update half a word", run: |stage| update(stage, 0, 6) },
    Program { name: "update too much", run: |stage| update(stage, 0, 65540) },
    Program { name: "update from the end", run: |stage| update(stage, 1024, 4) },
    Program { name: "update past the end", run: |stage| update(stage, 1020, 8) },
    Program {
        name: "upload an image from too small a buffer",
        run: |stage| upload(stage, IMAGE, |region| region.buffer_offset = 800),
    },
    Program {
        name: "upload past the width of an image",
        run: |stage| upload(stage, IMAGE, |region| region.image_offset.x = 15),
    },
    Program {
        name: "upload to a level that is not there",
        run: |stage| upload(stage, IMAGE, |region| region.image_subresource.mip_level = 1),
    },
    Program {
        name: "upload to a layer that is not there",
        run: |stage| upload(stage, IMAGE, |region| region.image_subresource.base_array_layer = 1),
    },
    Program {
        name: "upload with short rows",
        run: |stage| upload(stage, IMAGE, |region| region.buffer_row_length = 7),
    },
    Program {
        name: "upload from within a texel",
        run: |stage| upload(stage, IMAGE, |region| region.buffer_offset = 2),
    },
    Program {
        name: "upload without the usage",
        run: |stage| upload(stage, vk::ImageUsageFlags::TRANSFER_SRC, |_| {}),
    },
    Program {
        name: "record before the beginning",
        run: |stage| {
            let commands = stage.commands_of(stage.pool(vk::CommandPoolCreateFlags::empty()));
            let buffer = stage.bound_buffer(DST);
            // SAFETY: invalid usage, on purpose, and held back.
            unsafe { stage.device.cmd_fill_buffer(commands, buffer, 0, 64, 0) };
        },
    },
    Program {
        name: "begin twice",
        run: |stage| {
            let commands =
                stage.commands_of(stage.pool(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER));
            stage.begin(commands).unwrap();
            refused(stage.begin(commands));
        },
    },
    Program {
        name: "begin again without the flag",
        run: |stage| {
            let commands = stage.recorded(|_, _| {});
            refused(stage.begin(commands));
        },
    },
    Program {
        name: "end before the beginning",
        run: |stage| {
            let commands = stage.commands_of(stage.pool(vk::CommandPoolCreateFlags::empty()));
            refused(stage.end(commands));
        },
    },
    Program {
        name: "submit before the end",
        run: |stage| {
            let commands = stage.commands_of(stage.pool(vk::CommandPoolCreateFlags::empty()));
            stage.begin(commands).unwrap();
            refused(stage.submit(&[commands], NO_FENCE));
        },
    },
    Program {
        name: "submit a signalled fence",
        run: |stage| refused(stage.submit(&[], stage.fence(vk::FenceCreateFlags::SIGNALED))),
    },
    Program {
        name: "submit a fence in use",
        run: |stage| {
            let fence = stage.fence(vk::FenceCreateFlags::empty());
            stage.pending(fence);
            refused(stage.submit(&[], fence));
        },
    },
    Program {
        name: "reset a fence in use",
        run: |stage| {
            let fence = stage.fence(vk::FenceCreateFlags::empty());
            stage.pending(fence);
            // SAFETY: invalid usage, on purpose, and held back.
            refused(unsafe { stage.device.reset_fences(&[fence]) });
        },
    },
    Program {
        name: "destroy a buffer in use",
        run: |stage| {
            let (buffer, _) = stage.pending(NO_FENCE);
            stage.destroy_buffer(buffer);
        },
    },
    Program {
        name: "submit what uses a destroyed buffer",
        run: |stage| {
            let buffer = stage.bound_buffer(DST);
            // SAFETY: valid usage.
            let commands = stage.recorded(|device, commands| unsafe {
                device.cmd_fill_buffer(commands, buffer, 0, 64, 0);
            });
            stage.destroy_buffer_early(buffer);
            refused(stage.submit(&[commands], NO_FENCE));
        },
    },
    Program {
        name: "copy to a destroyed buffer",
        run: |stage| {
            let buffer = stage.bound_buffer(DST);
            stage.destroy_buffer_early(buffer);
            copy_between(stage, stage.bound_buffer(SRC), buffer, (0, 0, 64));
        },
    },
    Program {
        name: "a barrier for a buffer without memory",
        run: |stage| {
            let barrier = vk::BufferMemoryBarrier::default()
                .buffer(stage.new_buffer(DST))
                .size(vk::WHOLE_SIZE)
                .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
                .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED);
            let (at, flags) = (vk::PipelineStageFlags::TRANSFER, vk::DependencyFlags::empty());
            // SAFETY: invalid usage, on purpose, and held back.
            stage.recorded(|device, commands| unsafe {
                device.cmd_pipeline_barrier(commands, at, at, flags, &[], &[barrier], &[]);
            });
        },
    },
    Program {
        name: "free a command buffer in use",
        run: |stage| {
            let pool = stage.pool(vk::CommandPoolCreateFlags::empty());
            let commands = stage.commands_of(pool);
            stage.begin(commands).unwrap();
            stage.end(commands).unwrap();
            stage.submit(&[commands], NO_FENCE).unwrap();
            // SAFETY: invalid usage, on purpose, and held back.
            unsafe { stage.device.free_command_buffers(pool, &[commands]) };
        },
    },
    Program {
        name: "destroy a fence in use",
        run: |stage| {
            let fence = stage.fence(vk::FenceCreateFlags::empty());
            stage.pending(fence);
            // SAFETY: invalid usage, on purpose, and held back.
            unsafe { stage.device.destroy_fence(fence, None) };
        },
    },
];

fn copy(
    stage: &Stage<'_>,
    (from, to): (vk::BufferUsageFlags, vk::BufferUsageFlags),
    region: (u64, u64, u64),
) {
    copy_between(stage, stage.bound_buffer(from), stage.bound_buffer(to), region);
}

fn copy_between(
    stage: &Stage<'_>,
    from: vk::Buffer,
    to: vk::Buffer,
    (source, target, size): (u64, u64, u64),
) {
    let region = vk::BufferCopy::default().src_offset(source).dst_offset(target).size(size);
    // SAFETY: invalid usage, on purpose, and held back.
    stage.recorded(|device, commands| unsafe {
        device.cmd_copy_buffer(commands, from, to, &[region]);
    });
}

fn fill(stage: &Stage<'_>, usage: vk::BufferUsageFlags, offset: u64, size: u64) {
    let buffer = stage.bound_buffer(usage);
    // SAFETY: invalid usage, on purpose, and held back.
    stage.recorded(|device, commands| unsafe {
        device.cmd_fill_buffer(commands, buffer, offset, size, 0);
    });
}

fn update(stage: &Stage<'_>, offset: u64, size: usize) {
    let buffer = stage.bound_buffer(DST);
    // SAFETY: invalid usage, on purpose, and held back.
    stage.recorded(|device, commands| unsafe {
        device.cmd_update_buffer(commands, buffer, offset, &vec![0; size]);
    });
}

fn extent(width: u32, height: u32) -> vk::Extent3D {
    vk::Extent3D { width, height, depth: 1 }
}

/// Copies 8 by 8 texels, 256 of the buffer's 1024 bytes, but for the change.
fn upload(
    stage: &Stage<'_>,
    usage: vk::ImageUsageFlags,
    change: impl FnOnce(&mut vk::BufferImageCopy),
) {
    let buffer = stage.bound_buffer(SRC);
    let image = stage.new_image(usage);
    let memory = stage.memory(stage.image_requirements(image).size);
    stage.bind_image(image, memory, 0).unwrap();
    let mut region = vk::BufferImageCopy::default()
        .image_subresource(vk::ImageSubresourceLayers {
            aspect_mask: vk::ImageAspectFlags::COLOR,
            mip_level: 0,
            base_array_layer: 0,
            layer_count: 1,
        })
        .image_extent(extent(8, 8));
    change(&mut region);
    let layout = vk::ImageLayout::GENERAL;
    // SAFETY: invalid usage, on purpose, and held back.
    stage.recorded(|device, commands| unsafe {
        device.cmd_copy_buffer_to_image(commands, buffer, image, layout, &[region]);
    });
}

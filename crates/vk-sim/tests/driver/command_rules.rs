//! Breaches of the rules about transfers between buffers: recorded, and not in the command buffer.

use ash::vk::{self, Handle};
use vk_sim::{Call, ObjectKind, Role, Rule};

use crate::recorder::{Recorder, TRANSFER};
use crate::support::{Calls, VRAM};
use crate::violations::check;

const SRC: Role = Role::Source;
const DST: Role = Role::Destination;
const KIND: ObjectKind = ObjectKind::Buffer;

/// What is recorded with two buffers of 256 bytes breaks one rule.
fn check_command(
    record: impl FnOnce(&ash::Device, vk::CommandBuffer, vk::Buffer, vk::Buffer),
    (call, rule, clause): (Call, Rule, &str),
) {
    let recorder = Recorder::new();
    let [first, second] = [0; 2].map(|_: i32| recorder.buffer(VRAM, 256).buffer);
    recorder.run(|device, commands| record(device, commands, first, second));
    check(&recorder.driver, call, rule, &format!("VUID-{clause}"));
}

#[test]
fn copies_out_of_range() {
    let offset = |role, offset| Rule::TransferOffset { role, offset, buffer_size: 256 };
    let size = |role, offset, size| Rule::TransferSize { role, offset, size, buffer_size: 256 };
    for (from, to, bytes, rule, clause) in [
        (256, 0, 1, offset(SRC, 256), "vkCmdCopyBuffer-srcOffset-00113"),
        (0, 256, 1, offset(DST, 256), "vkCmdCopyBuffer-dstOffset-00114"),
        (250, 0, 7, size(SRC, 250, 7), "vkCmdCopyBuffer-size-00115"),
        (0, 1, u64::MAX, size(SRC, 0, u64::MAX), "vkCmdCopyBuffer-size-00115"),
        (0, 250, 7, size(DST, 250, 7), "vkCmdCopyBuffer-size-00116"),
        (0, 0, 0, Rule::ZeroSize, "VkBufferCopy-size-01988"),
    ] {
        let region = vk::BufferCopy::default().src_offset(from).dst_offset(to).size(bytes);
        check_command(
            // SAFETY: the driver lives.
            |device, commands, first, second| unsafe {
                device.cmd_copy_buffer(commands, first, second, &[region]);
            },
            (Call::CmdCopyBuffer, rule, clause),
        );
    }
}

#[test]
fn a_copy_that_overlaps_itself() {
    let recorder = Recorder::new();
    let buffer = recorder.buffer(VRAM, 256).buffer;
    let region = vk::BufferCopy::default().src_offset(0).dst_offset(15).size(16);
    recorder.run(|device, commands| {
        // SAFETY: the driver lives.
        unsafe { device.cmd_copy_buffer(commands, buffer, buffer, &[region]) }
    });
    let rule = Rule::TransferOverlap { buffer: buffer.as_raw(), offset: 0, size: 16 };
    check(&recorder.driver, Call::CmdCopyBuffer, rule, "VUID-vkCmdCopyBuffer-pRegions-00117");
}

#[test]
fn fills_off_the_words_or_out_of_range() {
    let word = |member, value| Rule::TransferNotOnWord { member, value };
    for (offset, size, rule, clause) in [
        (2, 4, word("dstOffset", 2), "dstOffset-00025"),
        (0, 6, word("size", 6), "size-00028"),
        (0, 0, Rule::ZeroSize, "size-00026"),
        (
            256,
            4,
            Rule::TransferOffset { role: DST, offset: 256, buffer_size: 256 },
            "dstOffset-00024",
        ),
        (
            252,
            8,
            Rule::TransferSize { role: DST, offset: 252, size: 8, buffer_size: 256 },
            "size-00027",
        ),
        (
            256,
            vk::WHOLE_SIZE,
            Rule::TransferOffset { role: DST, offset: 256, buffer_size: 256 },
            "dstOffset-00024",
        ),
    ] {
        check_command(
            // SAFETY: the driver lives.
            |device, commands, first, _| unsafe {
                device.cmd_fill_buffer(commands, first, offset, size, 1);
            },
            (Call::CmdFillBuffer, rule, &format!("vkCmdFillBuffer-{clause}")),
        );
    }
}

#[test]
fn updates_off_the_words_too_large_or_out_of_range() {
    let word = |member, value| Rule::TransferNotOnWord { member, value };
    for (offset, size, rule, clause) in [
        (2, 4, word("dstOffset", 2), "dstOffset-00036"),
        (0, 6, word("dataSize", 6), "dataSize-00038"),
        (0, 0, Rule::ZeroSize, "dataSize-arraylength"),
        (0, 65540, Rule::UpdateTooLarge { size: 65540 }, "dataSize-00037"),
        (
            256,
            4,
            Rule::TransferOffset { role: DST, offset: 256, buffer_size: 256 },
            "dstOffset-00032",
        ),
        (
            252,
            8,
            Rule::TransferSize { role: DST, offset: 252, size: 8, buffer_size: 256 },
            "dataSize-00033",
        ),
    ] {
        check_command(
            // SAFETY: the driver lives.
            |device, commands, first, _| unsafe {
                device.cmd_update_buffer(commands, first, offset, &vec![0; size]);
            },
            (Call::CmdUpdateBuffer, rule, &format!("vkCmdUpdateBuffer-{clause}")),
        );
    }
}

#[test]
fn buffers_without_usage_or_memory() {
    let recorder = Recorder::new();
    let driver = &recorder.driver;
    let good = recorder.buffer(VRAM, 256);
    let memory = driver.allocate(VRAM, 1024).unwrap();
    let [only_source, only_target] =
        [(vk::BufferUsageFlags::TRANSFER_SRC, 0), (vk::BufferUsageFlags::TRANSFER_DST, 512)].map(
            |(usage, offset)| {
                let buffer = driver.buffer(256, usage).unwrap();
                driver.bind_buffer(buffer, memory, offset).unwrap();
                buffer
            },
        );
    let unbound = driver.buffer(256, TRANSFER).unwrap();
    let freed = recorder.buffer(VRAM, 256);
    driver.free(freed.memory);
    let copies = [
        (only_target, good.buffer),
        (good.buffer, only_source),
        (unbound, good.buffer),
        (good.buffer, freed.buffer),
    ];
    recorder.run(|device, commands| {
        for (from, to) in copies {
            let region = vk::BufferCopy::default().size(1);
            // SAFETY: the driver lives.
            unsafe { device.cmd_copy_buffer(commands, from, to, &[region]) };
        }
    });
    let found: Vec<_> =
        driver.violations().iter().map(|found| (found.rule, found.vuid().unwrap())).collect();
    let usage = |role, handle: vk::Buffer| Rule::TransferUsage {
        role,
        kind: KIND,
        handle: handle.as_raw(),
    };
    let no_memory = |role, handle: vk::Buffer| Rule::TransferMemory {
        role,
        kind: KIND,
        handle: handle.as_raw(),
    };
    let expected = [
        (usage(SRC, only_target), "VUID-vkCmdCopyBuffer-srcBuffer-00118".to_owned()),
        (usage(DST, only_source), "VUID-vkCmdCopyBuffer-dstBuffer-00120".to_owned()),
        (no_memory(SRC, unbound), "VUID-vkCmdCopyBuffer-srcBuffer-00119".to_owned()),
        (no_memory(DST, freed.buffer), "VUID-vkCmdCopyBuffer-dstBuffer-00121".to_owned()),
    ];
    assert_eq!(found, expected);
}

#[test]
fn transfers_and_barriers_of_destroyed_buffers() {
    let recorder = Recorder::new();
    let driver = &recorder.driver;
    let good = recorder.buffer(VRAM, 256).buffer;
    let gone = driver.buffer(256, TRANSFER).unwrap();
    driver.destroy_buffer(gone);
    let unbound = driver.buffer(256, TRANSFER).unwrap();
    let image = driver.image(8, vk::ImageUsageFlags::SAMPLED).unwrap();
    recorder.run(|device, commands| {
        let region = vk::BufferCopy::default().size(1);
        for (from, to) in [(gone, good), (good, gone)] {
            // SAFETY: the driver lives.
            unsafe { device.cmd_copy_buffer(commands, from, to, &[region]) };
        }
        let stage = vk::PipelineStageFlags::TRANSFER;
        let no_flags = vk::DependencyFlags::empty();
        for buffer in [gone, unbound] {
            let barrier = vk::BufferMemoryBarrier::default().buffer(buffer).size(1);
            // SAFETY: the driver lives.
            unsafe {
                device.cmd_pipeline_barrier(commands, stage, stage, no_flags, &[], &[barrier], &[])
            };
        }
        let barriers = [vk::ImageMemoryBarrier2::default().image(image)];
        let info = vk::DependencyInfo::default().image_memory_barriers(&barriers);
        // SAFETY: the driver lives.
        unsafe { device.cmd_pipeline_barrier2(commands, &info) };
    });
    let found: Vec<_> = driver.violations().iter().map(|found| found.vuid().unwrap()).collect();
    let expected = [
        "VUID-vkCmdCopyBuffer-srcBuffer-parameter",
        "VUID-vkCmdCopyBuffer-dstBuffer-parameter",
        "VUID-VkBufferMemoryBarrier-buffer-parameter",
        "VUID-VkBufferMemoryBarrier-buffer-01931",
        "VUID-VkImageMemoryBarrier2-image-01932",
    ];
    assert_eq!(found, expected);
    assert!(driver.violations().iter().all(|found| !found.to_string().contains('{')));
}

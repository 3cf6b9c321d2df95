//! Transfers between buffers arrive byte for byte.

use ash::vk;
use vk_sim::Call;

use crate::recorder::Recorder;
use crate::support::{BAR, COHERENT, Calls, VRAM, write_byte};

#[test]
fn copies_move_exactly_their_regions() {
    let recorder = Recorder::new();
    let source = recorder.buffer(COHERENT, 200_000);
    let target = recorder.buffer(VRAM, 200_000);
    let pointer = recorder.driver.map(source.memory, 0, vk::WHOLE_SIZE).unwrap();
    for index in 0..200_000 {
        write_byte(pointer, index, u8::try_from(index % 251).unwrap());
    }
    recorder.run(|device, commands| {
        let large = vk::BufferCopy::default().src_offset(3).dst_offset(10).size(150_000);
        let small = vk::BufferCopy::default().src_offset(5).dst_offset(199_999).size(1);
        // SAFETY: the driver lives.
        unsafe { device.cmd_copy_buffer(commands, source.buffer, target.buffer, &[large, small]) }
    });
    let bytes = recorder.device_bytes(target.buffer, 0, 200_000);
    assert_eq!(bytes[..10], [0; 10]);
    for (index, &byte) in bytes[10..150_010].iter().enumerate() {
        assert_eq!(usize::from(byte), (index + 3) % 251, "byte {index}");
    }
    assert!(bytes[150_010..199_999].iter().all(|&byte| byte == 0));
    assert_eq!(bytes[199_999], 5);
    assert_eq!(recorder.driver.violations(), []);
}

#[test]
fn a_copy_within_one_buffer_and_between_two_in_one_memory() {
    let recorder = Recorder::new();
    let driver = &recorder.driver;
    let memory = driver.allocate(BAR, 65536).unwrap();
    let buffers = [0, 1024].map(|offset| {
        let buffer = driver.buffer(1024, crate::recorder::TRANSFER).unwrap();
        driver.bind_buffer(buffer, memory, offset).unwrap();
        buffer
    });
    recorder.run(|device, commands| {
        // SAFETY: the driver lives.
        unsafe { device.cmd_update_buffer(commands, buffers[0], 0, &[1, 2, 3, 4]) };
        let within = vk::BufferCopy::default().src_offset(0).dst_offset(512).size(4);
        // SAFETY: the driver lives.
        unsafe { device.cmd_copy_buffer(commands, buffers[0], buffers[0], &[within]) };
        let between = vk::BufferCopy::default().src_offset(512).dst_offset(8).size(4);
        // SAFETY: the driver lives.
        unsafe { device.cmd_copy_buffer(commands, buffers[0], buffers[1], &[between]) };
    });
    assert_eq!(recorder.device_bytes(buffers[1], 8, 4), [1, 2, 3, 4]);
    assert_eq!(recorder.device_bytes(buffers[0], 512, 8), [1, 2, 3, 4, 0, 0, 0, 0]);
    assert_eq!(recorder.driver.violations(), []);
}

#[test]
fn a_fill_stops_at_the_last_whole_word() {
    let recorder = Recorder::new();
    let buffer = recorder.buffer(VRAM, 103);
    recorder.run(|device, commands| {
        // SAFETY: the driver lives.
        unsafe {
            device.cmd_fill_buffer(
                commands,
                buffer.buffer,
                8,
                vk::WHOLE_SIZE,
                0x0403_0201_u32.to_le(),
            )
        };
    });
    let bytes = recorder.device_bytes(buffer.buffer, 0, 103);
    assert_eq!(bytes[..8], [0; 8]);
    assert!(bytes[8..100].chunks(4).all(|word| word == [1, 2, 3, 4]));
    assert_eq!(bytes[100..], [0; 3]);
}

#[test]
fn barriers_and_both_ways_to_submit_are_taken() {
    let recorder = Recorder::new();
    let buffer = recorder.buffer(VRAM, 64);
    let commands = recorder.recorded(|device, commands| {
        let barrier = vk::BufferMemoryBarrier::default().buffer(buffer.buffer).size(64);
        let stage = vk::PipelineStageFlags::TRANSFER;
        let no_flags = vk::DependencyFlags::empty();
        // SAFETY: the driver lives.
        unsafe {
            device.cmd_pipeline_barrier(commands, stage, stage, no_flags, &[], &[barrier], &[])
        };
        let barriers = [vk::BufferMemoryBarrier2::default().buffer(buffer.buffer).size(64)];
        let info = vk::DependencyInfo::default().buffer_memory_barriers(&barriers);
        // SAFETY: the driver lives.
        unsafe { device.cmd_pipeline_barrier2(commands, &info) };
        // SAFETY: the driver lives.
        unsafe { device.cmd_fill_buffer(commands, buffer.buffer, 0, 64, 0x0101_0101) };
    });
    let infos = [vk::CommandBufferSubmitInfo::default().command_buffer(commands)];
    let submit = vk::SubmitInfo2::default().command_buffer_infos(&infos);
    let device = recorder.driver.device();
    // SAFETY: the driver lives.
    unsafe { device.queue_submit2(recorder.queue, &[submit], recorder.fence) }.unwrap();
    recorder.wait(&[recorder.fence], true).unwrap();
    assert_eq!(recorder.device_bytes(buffer.buffer, 63, 1), [1]);
    assert_eq!(recorder.driver.call_count(Call::CmdPipelineBarrier2), 1);
    assert_eq!(recorder.driver.violations(), []);
}

#[test]
fn commands_run_again_with_every_submission() {
    let recorder = Recorder::new();
    let counter = recorder.buffer(VRAM, 256);
    // Each run moves the first 4 bytes one step on.
    let commands = recorder.recorded(|device, commands| {
        for step in (0..8).rev() {
            let region =
                vk::BufferCopy::default().src_offset(4 * step).dst_offset(4 * step + 4).size(4);
            // SAFETY: the driver lives.
            unsafe { device.cmd_copy_buffer(commands, counter.buffer, counter.buffer, &[region]) };
        }
    });
    recorder.run(|device, commands| {
        // SAFETY: the driver lives.
        unsafe { device.cmd_fill_buffer(commands, counter.buffer, 0, 4, 0x0707_0707) }
    });
    for _ in 0..3 {
        recorder.submit(&[commands], vk::Fence::null()).unwrap();
        recorder.wait_idle().unwrap();
    }
    let bytes = recorder.device_bytes(counter.buffer, 0, 20);
    assert_eq!(bytes, [[7; 16].as_slice(), &[0; 4]].concat());
    assert_eq!(recorder.driver.violations(), []);
}

//! A program that forgets to flush or to invalidate gets wrong bytes; one that does not, right ones.

use ash::vk;

use crate::recorder::Recorder;
use crate::support::{CACHED, COHERENT, Calls, VRAM, read_byte, write_byte};

/// Writes a byte through a mapping, flushes if told to, and copies to VRAM: what arrives there.
fn upload(memory_type_index: u32, flush: bool) -> u8 {
    let recorder = Recorder::new();
    let staging = recorder.buffer(memory_type_index, 256);
    let target = recorder.buffer(VRAM, 256);
    let pointer = recorder.driver.map(staging.memory, 0, vk::WHOLE_SIZE).unwrap();
    write_byte(pointer, 100, 7);
    if flush {
        recorder.driver.flush(staging.memory, 64, 64).unwrap();
    }
    recorder.run(|device, commands| {
        let region = vk::BufferCopy::default().size(256);
        // SAFETY: the driver lives.
        unsafe { device.cmd_copy_buffer(commands, staging.buffer, target.buffer, &[region]) }
    });
    assert_eq!(recorder.driver.violations(), []);
    recorder.device_bytes(target.buffer, 100, 1)[0]
}

#[test]
fn a_forgotten_flush_leaves_the_device_with_old_bytes() {
    assert_eq!(upload(COHERENT, false), 7);
    assert_eq!(upload(CACHED, true), 7);
    assert_eq!(upload(CACHED, false), 0);
}

/// Fills on the device and reads through a mapping, after invalidating if told to.
fn download(memory_type_index: u32, invalidate: bool) -> u8 {
    let recorder = Recorder::new();
    let readback = recorder.buffer(memory_type_index, 256);
    let pointer = recorder.driver.map(readback.memory, 0, vk::WHOLE_SIZE).unwrap();
    recorder.run(|device, commands| {
        // SAFETY: the driver lives.
        unsafe { device.cmd_fill_buffer(commands, readback.buffer, 0, 256, 0x0909_0909) }
    });
    if invalidate {
        recorder.driver.invalidate(readback.memory, 0, vk::WHOLE_SIZE).unwrap();
    }
    assert_eq!(recorder.driver.violations(), []);
    read_byte(pointer, 100)
}

#[test]
fn a_forgotten_invalidation_leaves_the_host_with_old_bytes() {
    assert_eq!(download(COHERENT, false), 9);
    assert_eq!(download(CACHED, true), 9);
    assert_eq!(download(CACHED, false), 0);
}

#[test]
fn a_shared_atom_loses_the_neighbours_bytes() {
    let recorder = Recorder::new();
    let shared = recorder.buffer(CACHED, 256);
    let pointer = recorder.driver.map(shared.memory, 0, vk::WHOLE_SIZE).unwrap();
    // The device writes the second half of the first atom, the host the first half.
    recorder.run(|device, commands| {
        // SAFETY: the driver lives.
        unsafe { device.cmd_fill_buffer(commands, shared.buffer, 32, 32, 0x0505_0505) }
    });
    write_byte(pointer, 0, 1);
    recorder.driver.flush(shared.memory, 0, 64).unwrap();
    let bytes = recorder.device_bytes(shared.buffer, 0, 64);
    assert_eq!((bytes[0], bytes[32]), (1, 0), "the flush carried the host's old bytes over the 5");
    assert_eq!(recorder.driver.violations(), []);
}

#[test]
fn unmapping_and_mapping_again_moves_no_bytes() {
    let recorder = Recorder::new();
    let buffer = recorder.buffer(CACHED, 256);
    let pointer = recorder.driver.map(buffer.memory, 0, vk::WHOLE_SIZE).unwrap();
    write_byte(pointer, 0, 3);
    recorder.driver.unmap(buffer.memory);
    assert_eq!(recorder.device_bytes(buffer.buffer, 0, 1), [0]);
    let pointer = recorder.driver.map(buffer.memory, 0, vk::WHOLE_SIZE).unwrap();
    assert_eq!(read_byte(pointer, 0), 3);
    recorder.driver.flush(buffer.memory, 0, vk::WHOLE_SIZE).unwrap();
    assert_eq!(recorder.device_bytes(buffer.buffer, 0, 1), [3]);
}

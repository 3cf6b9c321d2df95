//! Calls fail by rule, and a failed call has no effect.

use ash::vk;
use vk_sim::{Call, Failure};

use crate::support::{CACHED, COHERENT, Calls, VRAM, driver};

const DEVICE: vk::Result = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
const HOST: vk::Result = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
const MAP: vk::Result = vk::Result::ERROR_MEMORY_MAP_FAILED;
const TRANSFER: vk::BufferUsageFlags = vk::BufferUsageFlags::TRANSFER_DST;
const SAMPLED: vk::ImageUsageFlags = vk::ImageUsageFlags::SAMPLED;

#[test]
fn the_nth_call_of_a_function_fails() {
    let driver = driver();
    driver.fail_nth_of(Call::AllocateMemory, 3, DEVICE);
    driver.allocate(VRAM, 64).unwrap();
    driver.buffer(64, TRANSFER).unwrap();
    driver.allocate(VRAM, 64).unwrap();
    assert_eq!(driver.fired_failure_count(), 0);
    assert_eq!(driver.allocate(VRAM, 64), Err(DEVICE));
    driver.allocate(VRAM, 64).unwrap();
    assert_eq!(driver.fired_failure_count(), 1);
    assert_eq!(driver.live().memory, 3);
}

#[test]
fn the_nth_call_of_any_function_fails() {
    let driver = driver();
    driver.fail_nth(2, HOST);
    let memory = driver.allocate(COHERENT, 64).unwrap();
    driver.free(vk::DeviceMemory::null());
    assert_eq!(driver.map(memory, 0, 64), Err(HOST));
    driver.map(memory, 0, 64).unwrap();
}

#[test]
fn a_failure_counts_only_calls_that_may_return_its_error() {
    let driver = driver();
    driver.fail_nth(1, MAP);
    let memory = driver.allocate(COHERENT, 64).unwrap();
    assert_eq!(driver.map(memory, 0, 64), Err(MAP));
}

#[test]
fn every_call_of_a_function_fails_until_cleared() {
    let driver = driver();
    driver.fail(Failure::every(Call::CreateBuffer, HOST));
    for _ in 0..3 {
        assert_eq!(driver.buffer(64, TRANSFER), Err(HOST));
    }
    driver.clear_failures();
    driver.buffer(64, TRANSFER).unwrap();
    assert_eq!(driver.fired_failure_count(), 3);
}

#[test]
fn failures_count_apart_and_the_first_planted_wins() {
    let driver = driver();
    driver.fail_nth_of(Call::AllocateMemory, 2, HOST);
    driver.fail_nth(2, DEVICE);
    driver.fail_nth_of(Call::AllocateMemory, 3, DEVICE);
    driver.allocate(VRAM, 64).unwrap();
    assert_eq!(driver.allocate(VRAM, 64), Err(HOST));
    assert_eq!(driver.allocate(VRAM, 64), Err(DEVICE));
    driver.allocate(VRAM, 64).unwrap();
}

#[test]
fn a_window_of_calls_fails() {
    let driver = driver();
    let call = Some(Call::AllocateMemory);
    driver.fail(Failure { call, skip: 1, count: 2, result: DEVICE });
    let results = [0; 4].map(|_: i32| driver.allocate(VRAM, 64).is_ok());
    assert_eq!(results, [true, false, false, true]);
}

/// Every fallible function, failed once with each of its errors, changes nothing.
#[test]
fn a_failed_call_has_no_effect() {
    let mut failed = Vec::new();
    for call in Call::ALL {
        for &result in call.errors() {
            let driver = driver();
            let memory = driver.allocate(CACHED, 65536).unwrap();
            let mapped = driver.allocate(CACHED, 65536).unwrap();
            driver.map(mapped, 0, 65536).unwrap();
            let buffer = driver.buffer(4096, TRANSFER).unwrap();
            let image = driver.image(32, SAMPLED).unwrap();
            let attempt = || {
                Some(match call {
                    Call::AllocateMemory => driver.allocate(VRAM, 64).map(drop),
                    Call::MapMemory => driver.map(memory, 0, 64).map(drop),
                    Call::FlushMappedMemoryRanges => driver.flush(mapped, 0, 64),
                    Call::InvalidateMappedMemoryRanges => driver.invalidate(mapped, 0, 64),
                    Call::CreateBuffer => driver.buffer(64, TRANSFER).map(drop),
                    Call::CreateImage => driver.image(16, SAMPLED).map(drop),
                    Call::BindBufferMemory => driver.bind_buffer(buffer, memory, 0),
                    Call::BindBufferMemory2 => driver.bind_buffer2(buffer, memory, 0),
                    Call::BindImageMemory => driver.bind_image(image, memory, 8192),
                    Call::BindImageMemory2 => driver.bind_image2(image, memory, 8192),
                    _ => return None,
                })
            };
            let before = (driver.live(), driver.memories());
            driver.fail_nth_of(call, 1, result);
            let Some(failure) = attempt() else { continue };
            assert_eq!(failure, Err(result), "{call:?}");
            assert_eq!((driver.live(), driver.memories()), before, "{call:?}");
            assert_eq!(attempt(), Some(Ok(())));
            assert_eq!(driver.violations(), []);
            failed.push(call);
        }
    }
    failed.dedup();
    assert_eq!(failed.len(), 10, "the others are in `failed_commands`");
}

#[test]
fn a_breach_is_on_record_also_when_the_call_is_made_to_fail() {
    let driver = driver();
    let memory = driver.allocate(VRAM, 4096).unwrap();
    let buffer = driver.buffer(256, TRANSFER).unwrap();
    driver.fail(Failure::every(Call::BindBufferMemory, DEVICE));
    assert_eq!(driver.bind_buffer(buffer, memory, 3), Err(vk::Result::ERROR_VALIDATION_FAILED_EXT));
    assert_eq!(driver.violations().len(), 1);
    assert_eq!(driver.bind_buffer(buffer, memory, 0), Err(DEVICE));
    assert_eq!(driver.violations().len(), 1);
}

#[test]
#[should_panic(expected = "no function may return that error")]
fn an_error_that_the_function_never_returns_is_refused() {
    driver().fail_nth_of(Call::FlushMappedMemoryRanges, 1, MAP);
}

#[test]
#[should_panic(expected = "calls are numbered from 1")]
fn there_is_no_call_number_zero() {
    driver().fail_nth(0, DEVICE);
}

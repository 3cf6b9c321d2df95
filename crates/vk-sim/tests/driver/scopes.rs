//! Failures by size, memory type and heap, and at random.

use ash::vk;
use vk_sim::{Call, Failure, RandomFailure, Scope, SimDriver};

use crate::support::{BAR, CACHED, COHERENT, Calls, VRAM, driver};

const DEVICE: vk::Result = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
const HOST: vk::Result = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
const MAP: vk::Result = vk::Result::ERROR_MEMORY_MAP_FAILED;

#[test]
fn allocations_fail_by_size_type_and_heap() {
    let all = Scope::default();
    let cases = [
        (
            Scope { min_size: 1000, ..all },
            [(VRAM, 999, true), (VRAM, 1000, false), (BAR, 1001, false)],
        ),
        (
            Scope { memory_type_index: Some(CACHED), ..all },
            [(COHERENT, 64, true), (CACHED, 64, false), (VRAM, 64, true)],
        ),
        (
            Scope { heap_index: Some(1), ..all },
            [(COHERENT, 64, false), (CACHED, 64, false), (BAR, 64, true)],
        ),
        (
            Scope { min_size: 100, heap_index: Some(1), ..all },
            [(COHERENT, 64, true), (CACHED, 100, false), (VRAM, 100, true)],
        ),
    ];
    for (scope, calls) in cases {
        let driver = driver();
        driver.fail_within(Failure::every(Call::AllocateMemory, DEVICE), scope);
        for (memory_type_index, size, works) in calls {
            let result = driver.allocate(memory_type_index, size);
            assert_eq!(result.is_ok(), works, "{scope:?}: {size} bytes of {memory_type_index}");
        }
    }
}

#[test]
fn a_window_counts_only_calls_within_its_scope() {
    let driver = driver();
    let scope = Scope { min_size: 1000, ..Scope::default() };
    driver.fail_within(Failure::nth_of(Call::AllocateMemory, 2, HOST), scope);
    let sizes = [64, 1000, 64, 1000, 1000];
    let results = sizes.map(|size| driver.allocate(VRAM, size).is_ok());
    assert_eq!(results, [true, true, true, false, true]);
}

#[test]
fn mappings_fail_by_their_memory_and_buffers_by_their_size() {
    let driver = driver();
    let scope = Scope { memory_type_index: Some(CACHED), ..Scope::default() };
    driver.fail_within(Failure::every(Call::MapMemory, MAP), scope);
    let scope = Scope { min_size: 1000, ..Scope::default() };
    driver.fail_within(Failure::every(Call::CreateBuffer, HOST), scope);
    let coherent = driver.allocate(COHERENT, 64).unwrap();
    let cached = driver.allocate(CACHED, 64).unwrap();
    driver.map(coherent, 0, 64).unwrap();
    assert_eq!(driver.map(cached, 0, 64), Err(MAP));
    let usage = vk::BufferUsageFlags::TRANSFER_DST;
    driver.buffer(999, usage).unwrap();
    assert_eq!(driver.buffer(1000, usage), Err(HOST));
}

/// Which of 4000 allocations fail, and with what.
fn strike(failure: RandomFailure) -> Vec<Option<vk::Result>> {
    let driver = driver();
    driver.fail_randomly(failure);
    let allocate = |driver: &SimDriver| match driver.allocate(VRAM, 64) {
        Ok(memory) => {
            driver.free(memory);
            None
        }
        Err(result) => Some(result),
    };
    (0..4000).map(|_| allocate(&driver)).collect()
}

#[test]
fn random_failures_have_their_rate_and_repeat_with_the_seed() {
    let failure = RandomFailure { call: None, result: Some(DEVICE), per_million: 250_000, seed: 1 };
    let first = strike(failure);
    assert_eq!(first, strike(failure));
    assert_ne!(first, strike(RandomFailure { seed: 2, ..failure }));
    let failed = first.iter().flatten().count();
    // A quarter of 4000; six standard deviations are 164, and the seed is fixed.
    assert!((836..1164).contains(&failed), "{failed}");
    assert!(first.iter().flatten().all(|&result| result == DEVICE));
    assert!(strike(RandomFailure { per_million: 0, ..failure }).iter().all(Option::is_none));
    assert!(
        strike(RandomFailure { per_million: 1_000_000, ..failure }).iter().all(Option::is_some)
    );
}

#[test]
fn random_failures_take_every_error_that_the_function_may_return() {
    let failure = RandomFailure { call: None, result: None, per_million: 500_000, seed: 3 };
    let results = strike(failure);
    for &error in Call::AllocateMemory.errors() {
        assert!(results.contains(&Some(error)), "{error:?}");
    }
}

#[test]
#[should_panic(expected = "no function may return that error")]
fn a_random_error_that_the_function_never_returns_is_refused() {
    let call = Some(Call::FreeMemory);
    driver().fail_randomly(RandomFailure { call, result: None, per_million: 1, seed: 0 });
}

//! Descriptions that no device could match are refused, with the rule.

use ash::vk;
use vk_sim::{ConfigError, DriverConfig, SimDriver};

const DEVICE: vk::MemoryPropertyFlags = vk::MemoryPropertyFlags::DEVICE_LOCAL;
const COHERENT: vk::MemoryPropertyFlags = vk::MemoryPropertyFlags::HOST_COHERENT;

fn check(change: impl FnOnce(&mut DriverConfig), expected: &ConfigError, words: &str) {
    let mut config = DriverConfig::default();
    change(&mut config);
    let error = SimDriver::new(config).unwrap_err();
    assert_eq!(error, *expected);
    let message = error.to_string();
    assert!(message.contains(words), "`{words}` is not in `{message}`");
}

#[test]
fn tables_that_no_device_has_are_refused() {
    check(
        |config| config.memory_types.clear(),
        &ConfigError::MemoryTypeCount { count: 0 },
        "0 memory types",
    );
    check(
        |config| config.memory_types = vec![(DEVICE, 0); 33],
        &ConfigError::MemoryTypeCount { count: 33 },
        "1 to 32",
    );
    check(
        |config| config.memory_heaps.clear(),
        &ConfigError::MemoryHeapCount { count: 0 },
        "0 memory heaps",
    );
    check(
        |config| config.memory_heaps = vec![(1, vk::MemoryHeapFlags::empty()); 17],
        &ConfigError::MemoryHeapCount { count: 17 },
        "1 to 16",
    );
    check(
        |config| config.memory_types[1].1 = 3,
        &ConfigError::HeapOutOfRange { type_index: 1, heap_index: 3 },
        "type 1 names heap 3",
    );
    check(
        |config| config.memory_types[0].0 = COHERENT,
        &ConfigError::ContradictoryFlags { type_index: 0, flags: COHERENT },
        "flags 0x4",
    );
}

#[test]
fn limits_that_no_device_has_are_refused() {
    check(
        |config| config.non_coherent_atom_size = 48,
        &ConfigError::NotAPowerOfTwo { limit: "nonCoherentAtomSize", value: 48 },
        "nonCoherentAtomSize is 48",
    );
    check(
        |config| config.buffer_image_granularity = 0,
        &ConfigError::NotAPowerOfTwo { limit: "bufferImageGranularity", value: 0 },
        "power of two",
    );
    check(
        |config| config.max_memory_allocation_count = 0,
        &ConfigError::ZeroLimit { limit: "maxMemoryAllocationCount" },
        "at least 1",
    );
    let api_version = vk::make_api_version(0, 1, 4, 0);
    check(
        |config| config.api_version = api_version,
        &ConfigError::ApiVersion { api_version },
        "1.0 to 1.3",
    );
}

#[test]
fn the_most_and_the_least_that_a_device_may_have_are_taken() {
    let most = DriverConfig {
        memory_types: vec![(DEVICE, 15); 32],
        memory_heaps: vec![(0, vk::MemoryHeapFlags::empty()); 16],
        max_memory_allocation_count: 1,
        api_version: vk::make_api_version(0, 1, 3, 281),
        ..DriverConfig::default()
    };
    assert!(SimDriver::new(most).is_ok());
}

//! Legal practices that a careful program avoids are lints: neighbours too close, memory freed with
//! something bound.

use ash::vk::{self, Handle};
use vk_sim::{Call, DriverConfig, Rule, SimDriver, Violation};

use crate::support::{CACHED, Calls, VRAM};

const TRANSFER: vk::BufferUsageFlags = vk::BufferUsageFlags::TRANSFER_DST;
const SAMPLED: vk::ImageUsageFlags = vk::ImageUsageFlags::SAMPLED;

/// Small alignments, so that neighbours can be close.
fn driver() -> SimDriver {
    let config =
        DriverConfig { buffer_alignment: 16, image_alignment: 16, ..DriverConfig::default() };
    SimDriver::new(config).unwrap()
}

fn rules(driver: &SimDriver) -> Vec<Rule> {
    assert_eq!(driver.violations(), []);
    driver.lints().iter().map(|lint| lint.rule).collect()
}

#[test]
fn two_resources_that_overlap() {
    let driver = driver();
    let memory = driver.allocate(VRAM, 4096).unwrap();
    let [first, second, third] = [0; 3].map(|_: i32| driver.buffer(256, TRANSFER).unwrap());
    driver.bind_buffer(second, memory, 240).unwrap();
    driver.bind_buffer(first, memory, 0).unwrap();
    driver.bind_buffer(third, memory, 496).unwrap();
    let expected =
        Rule::Overlap { memory: memory.as_raw(), first: first.as_raw(), second: second.as_raw() };
    assert_eq!(rules(&driver), [expected]);
    assert!(!driver.lints()[0].to_string().contains('{'));
    driver.destroy_buffer(second);
    let again = driver.buffer(240, TRANSFER).unwrap();
    driver.bind_buffer(again, memory, 256).unwrap();
    assert_eq!(rules(&driver).len(), 1, "what was destroyed is no neighbour");
}

#[test]
fn a_buffer_and_an_optimal_image_in_one_granule() {
    let driver = driver();
    let memory = driver.allocate(VRAM, 65536).unwrap();
    let buffer = driver.buffer(256, TRANSFER).unwrap();
    let near = driver.image(4, SAMPLED).unwrap();
    let far = driver.image(4, SAMPLED).unwrap();
    driver.bind_buffer(buffer, memory, 0).unwrap();
    driver.bind_image(far, memory, 1024).unwrap();
    assert_eq!(rules(&driver), []);
    driver.bind_image(near, memory, 1008 - 48).unwrap();
    let expected = Rule::SharedGranule {
        memory: memory.as_raw(),
        linear: buffer.as_raw(),
        optimal: near.as_raw(),
    };
    assert_eq!(rules(&driver), [expected]);
    assert!(!driver.lints()[0].to_string().contains('{'));
}

#[test]
fn two_buffers_in_one_atom_of_memory_that_has_atoms() {
    for (memory_type_index, is_lint) in [(CACHED, true), (VRAM, false)] {
        let driver = driver();
        let memory = driver.allocate(memory_type_index, 4096).unwrap();
        let [first, second] = [0; 2].map(|_: i32| driver.buffer(16, TRANSFER).unwrap());
        driver.bind_buffer(first, memory, 0).unwrap();
        driver.bind_buffer(second, memory, 16).unwrap();
        let shared = Rule::SharedAtom {
            memory: memory.as_raw(),
            first: first.as_raw(),
            second: second.as_raw(),
        };
        assert_eq!(rules(&driver), if is_lint { vec![shared] } else { Vec::new() });
    }
}

#[test]
fn freeing_memory_with_bound_resources_is_a_lint() {
    let driver = driver();
    let memory = driver.allocate(VRAM, 4096).unwrap();
    let buffer = driver.buffer(256, TRANSFER).unwrap();
    driver.bind_buffer(buffer, memory, 0).unwrap();
    driver.free(memory);
    assert_eq!(driver.violations(), []);
    let rule = Rule::FreedWithBound { memory: memory.as_raw(), bound_count: 1 };
    assert_eq!(driver.lints(), [Violation { call: Call::FreeMemory, rule }]);
    driver.destroy_buffer(buffer);
    assert_eq!(driver.finish(), []);
}

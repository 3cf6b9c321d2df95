//! Overruns that are found at the end of an allocator, memory without margins, and margins that are too
//! large.

use ash::vk;
use gpu_alloc_ash::{
    AllocError, AllocationRequest, ConfigError, ExternalMemory, FillBytes, Overrun, Strategy,
};
use rstest::rstest;
use vk_sim::{DriverConfig, SimDriver};

use super::{MARGIN, Memory, Victim, WRONG, assert_only, guarded, named, poke};
use crate::queue::BOTH_ENDS;
use crate::support::{KIB, Sim, allocator_on, image_info};
use crate::tables;

fn names(overruns: &[Overrun]) -> Vec<&str> {
    overruns.iter().filter_map(|overrun| overrun.name.as_deref()).collect()
}

#[rstest]
fn what_was_overrun_is_said_at_the_end(
    #[values(Memory::Coherent, Memory::Atoms(4096))] memory: Memory,
) {
    let sim = Sim::new(memory.device(), guarded(MARGIN));
    let [freed, alive, clean] =
        ["freed", "alive", "clean"].map(|name| sim.allocate(&named(name, 1000)));
    poke(&freed, 1000, WRONG);
    poke(&alive, 1001, WRONG);
    sim.free(freed);
    let Sim { allocator, driver } = sim;
    let error = allocator.destroy().expect_err("two live, and two were overrun");
    assert_eq!(error.leaks.len(), 2);
    assert_eq!(names(&error.overruns), ["freed", "alive"]);
    assert_eq!((error.overruns[0].first_wrong, error.overruns[1].first_wrong), (1000, 1001));
    let said = "2 allocations were alive when their allocator was destroyed, and their memory objects are leaked; 2 overruns were found";
    assert_eq!(error.to_string(), said);
    assert_eq!(driver.live().memory, 1, "the memory of what lives is there");
    poke(&clean, 999, 1);
    assert_eq!(driver.violations(), []);
}

#[test]
fn an_overrun_that_nobody_took_is_an_error_of_its_own_at_the_end() {
    let sim = Sim::with_config(guarded(MARGIN));
    let victim = sim.allocate(&named("victim", 1000));
    poke(&victim, 1000, WRONG);
    sim.free(victim);
    let Sim { allocator, driver } = sim;
    let error = allocator.destroy().expect_err("one was overrun");
    assert_eq!((error.leaks.len(), names(&error.overruns)), (0, vec!["victim"]));
    assert_eq!(driver.finish(), []);
}

#[test]
fn the_first_256_overruns_are_kept() {
    let sim = Sim::with_config(guarded(MARGIN));
    for index in 0..300 {
        let victim = sim.allocate(&named("victim", 1000 + index));
        poke(&victim, 1000 + index, WRONG);
        sim.free(victim);
    }
    let sizes: Vec<_> = sim.allocator.take_overruns().iter().map(|found| found.size).collect();
    assert_eq!(sizes, (1000..1256).collect::<Vec<_>>());
    let victim = sim.allocate(&named("after", 1000));
    poke(&victim, 1000, WRONG);
    sim.free(victim);
    assert_eq!(names(&sim.allocator.take_overruns()), ["after"], "there is room again");
    sim.finish();
}

/// Dedicated memory has exactly its resource's size, so nothing is written behind it: the driver would
/// say so, and the next page might not be there.
#[rstest]
fn memory_of_its_own_has_no_margin(
    #[values(Memory::Coherent, Memory::Atoms(64))] memory: Memory,
    #[values(true, false)] passthrough: bool,
) {
    let mut config = guarded(MARGIN);
    config.fill = Some(FillBytes::default());
    config.passthrough = passthrough;
    let sim = Sim::new(memory.device(), config);
    let strategy = if passthrough { Strategy::Auto } else { Strategy::Dedicated };
    let request = AllocationRequest { strategy, size: 0, ..named("alone", 0) };
    let info = vk::BufferCreateInfo::default().size(3001).usage(BOTH_ENDS);
    let (buffer, of_buffer) = sim.create_buffer(&info, &request).expect("there is room");
    let info = image_info(33, vk::ImageTiling::OPTIMAL);
    let (image, of_image) = sim.create_image(&info, &request).expect("there is room");
    let plain = sim.allocate(&AllocationRequest { size: 777, ..request });
    for allocation in [&of_buffer, &of_image, &plain] {
        assert!(allocation.is_dedicated());
        let memories = sim.driver.memories();
        let record = memories.iter().find(|record| record.memory == allocation.memory());
        assert_eq!(record.expect("it lives").size, allocation.size(), "to the byte");
    }
    assert_eq!(sim.allocator.check_corruption(), []);
    sim.destroy_buffer(buffer, of_buffer);
    sim.destroy_image(image, of_image);
    sim.free(plain);
    assert_eq!(sim.allocator.take_overruns(), []);
    sim.finish();
}

#[test]
fn external_memory_is_left_as_it_is() {
    let mut config = guarded(MARGIN);
    config.fill = Some(FillBytes::default());
    let sim = Sim::with_config(config);
    let memory = sim.raw_memory(1000, 2);
    let mapped_ptr = sim.map_raw(memory);
    let bytes = || {
        // SAFETY: The object is mapped whole, and nobody writes to it now.
        unsafe { std::slice::from_raw_parts(mapped_ptr.as_ptr(), 1000) }.to_vec()
    };
    // SAFETY: As above.
    unsafe { mapped_ptr.as_ptr().write_bytes(0x55, 1000) };
    let allocation = sim
        .adopt(ExternalMemory {
            memory,
            size: 1000,
            memory_type_index: 2,
            mapped_ptr: Some(mapped_ptr),
            name: Some("external"),
        })
        .expect("it is described truly");
    assert_eq!(bytes(), [0x55; 1000]);
    assert!(!allocation.needs_zeroing());
    assert_eq!(sim.allocator.check_corruption(), []);
    sim.free(allocation);
    assert_eq!(bytes(), [0x55; 1000]);
    assert_eq!(sim.allocator.take_overruns(), []);
    sim.free_raw_memory(memory);
    sim.finish();
}

#[rstest]
#[case(64 * KIB + 1)]
#[case(u64::MAX)]
fn a_margin_is_at_most_64_kib(#[case] margin: u64) {
    let driver = SimDriver::new(DriverConfig::default()).expect("a possible device");
    let refused = allocator_on(&driver, guarded(margin)).expect_err("too large");
    assert_eq!(refused, ConfigError::Margin { margin });
}

#[rstest]
fn the_last_byte_of_the_largest_margin_counts(
    #[values(Memory::Coherent, Memory::Atoms(4096))] memory: Memory,
) {
    let sim = Sim::new(memory.device(), guarded(64 * KIB));
    let [victim, after] = ["victim", "after"].map(|name| sim.allocate(&named(name, 1000)));
    assert!(victim.offset().abs_diff(after.offset()) >= 1000 + 64 * KIB);
    poke(&victim, 1000 + 64 * KIB - 1, WRONG);
    let of_victim = Victim::of(&victim);
    sim.free(victim);
    let last = 1000 + 64 * KIB - 1;
    assert_only(&sim.allocator.take_overruns(), Some("victim"), &of_victim, last);
    sim.free(after);
    sim.finish();
}

/// Where a block has no room for a request and its margin, the request gets memory of its own.
#[test]
fn a_margin_larger_than_a_block_leaves_memory_of_its_own() {
    let mut config = tables::small_blocks();
    config.corruption_margin = 64 * KIB;
    config.largest_block_size = 64 * KIB;
    config.first_block_size = 64 * KIB;
    let sim = Sim::with_config(config);
    let allocation = sim.allocate(&named("alone", 1000));
    assert!(allocation.is_dedicated());
    let pooled = AllocationRequest { strategy: Strategy::Pooled, ..named("pooled", 1000) };
    let refused = sim.allocator.allocate(&pooled).expect_err("a block has no room");
    assert!(matches!(refused, AllocError::LargerThanBlock { size: 1000, .. }), "{refused}");
    sim.free(allocation);
    sim.finish();
}

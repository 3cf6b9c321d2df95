//! The bytes of a margin, and margins in leased blocks, which threads of a test reach by their shard.

use vk_sim::{DriverConfig, SimDriver};

use super::*;
use crate::{AllocationRequest, AllocatorConfig, UsageFlags, home};

fn margin(length: usize, wrong: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes: Vec<u8> = MAGIC.into_iter().cycle().take(length).collect();
    wrong.iter().for_each(|&(at, byte)| bytes[at] = byte);
    bytes
}

#[test]
fn the_first_wrong_byte_is_found_with_all_up_to_the_last() {
    assert_eq!(wrong_of(&margin(40, &[])), None);
    assert_eq!(wrong_of(&margin(1, &[(0, 0)])), Some((0, vec![0])));
    assert_eq!(wrong_of(&margin(40, &[(39, 7)])), Some((39, vec![7])));
    let between = margin(40, &[(15, 1), (18, 2)]);
    assert_eq!(wrong_of(&between), Some((15, vec![1, MAGIC[0], MAGIC[1], 2])));
    let (first, found) = wrong_of(&[0; 100]).expect("all are wrong");
    assert_eq!((first, found), (0, vec![0; REPORTED]));
}

/// An overrun that shifts the magic bytes, or writes one value over all, is none that looks right.
#[test]
fn no_shift_and_no_single_value_passes_for_the_magic_bytes() {
    for shift in 1..MAGIC.len() {
        let shifted: Vec<u8> = MAGIC.into_iter().cycle().skip(shift).take(1).collect();
        assert_eq!(wrong_of(&shifted), Some((0, shifted.clone())));
    }
    assert!((0..=u8::MAX).all(|byte| wrong_of(&[byte; 2]).is_some()));
}

#[test]
fn an_overrun_reads_as_a_sentence() {
    let overrun = Overrun {
        name: Some("mesh".into()),
        memory_type_index: 1,
        offset: 512,
        size: 100,
        first_wrong: 103,
        found: vec![0, 0x2a],
    };
    let said = "mesh: 100 bytes at offset 512, memory type 1, were overrun: from byte 103 on there is 00 2a";
    assert_eq!(overrun.to_string(), said);
    let nameless = Overrun { name: None, ..overrun };
    assert!(nameless.to_string().starts_with("(unnamed): 100 bytes"));
}

fn upload(name: &str, size: u64) -> AllocationRequest<'_> {
    AllocationRequest {
        size,
        usage: UsageFlags::UPLOAD,
        name: Some(name),
        ..AllocationRequest::DEFAULT
    }
}

/// Writes the first and the last byte of the margin.
fn overrun(allocation: &Allocation, margin: u64) {
    let mapped = allocation.mapped.expect("it is mapped");
    for at in [0, margin - 1] {
        // SAFETY: 1. The margin is in the mapped block. 2. No other thread is there.
        unsafe { mapped.fill(allocation.size() + at, 1, 0x77) };
    }
}

/// In a span, and by segregated fit, of a block that a shard leases of another's.
#[test]
fn a_byte_past_the_end_is_found_in_a_leased_block() {
    const MARGIN: u64 = 16;
    let driver = SimDriver::new(DriverConfig::default()).expect("the default device is possible");
    let config = AllocatorConfig {
        api_version: driver.config().api_version,
        corruption_margin: MARGIN,
        shards: Some(4),
        ..AllocatorConfig::default()
    };
    let (instance, physical_device) = (driver.instance(), driver.physical_device());
    // SAFETY: 1. to 3. The driver lives longer, and is of that version.
    let allocator =
        unsafe { GpuAllocator::new(instance, physical_device, driver.device(), config) };
    let allocator = allocator.expect("the configuration is consistent");
    let of_trunk = allocator.allocate(&upload("of the trunk", 1000)).expect("there is room");
    let leased = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            home::set(2);
            [("small", 1000), ("large", 60_000), ("clean", 1000)]
                .map(|(name, size)| allocator.allocate(&upload(name, size)).expect("room"))
        });
        thread.join().expect("no panic")
    });
    let stats = allocator.pool_stats(of_trunk.memory_type_index()).expect("the type exists");
    assert!(stats.lent_size > 0, "the trunk has lent room");
    for allocation in &leased {
        assert_eq!((allocation.shard, allocation.memory), (2, of_trunk.memory));
    }
    assert_eq!(allocator.check_corruption(), []);
    leased[..2].iter().for_each(|allocation| overrun(allocation, MARGIN));
    let mut found = allocator.check_corruption();
    found.sort_unstable_by_key(|overrun| overrun.size);
    for allocation in leased.into_iter().chain([of_trunk]) {
        // SAFETY: 1. and 2. Nothing was bound.
        unsafe { allocator.free(allocation) }.expect("it is this allocator's");
    }
    assert_eq!(allocator.take_overruns(), found);
    let names: Vec<_> = found.iter().filter_map(|overrun| overrun.name.as_deref()).collect();
    assert_eq!(names, ["small", "large"]);
    for overrun in &found {
        assert_eq!((overrun.first_wrong, overrun.found.len()), (overrun.size, 16));
    }
    assert_eq!(allocator.destroy(), Ok(()));
    assert_eq!(driver.finish(), []);
}

//! The tables are what the reports said, and each is a device that works.

use ash::vk;
use vk_sim::{DriverConfig, SimDriver, tables};

use crate::recorder::Recorder;
use crate::support::{Calls, read_byte, write_byte};

/// FNV-1a over every number of every table, eight bytes each, the lowest first.
fn checksum() -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut feed = |number: u64| {
        for byte in number.to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for table in tables::all() {
        for &(size, flags) in table.heaps {
            feed(size);
            feed(flags.into());
        }
        for &(flags, heap) in table.types {
            feed(flags.into());
            feed(heap.into());
        }
        feed(table.buffer_image_granularity);
        feed(table.non_coherent_atom_size);
        feed(table.max_memory_allocation_count.into());
        feed(table.max_memory_allocation_size.unwrap_or(0));
    }
    hash
}

#[test]
fn the_numbers_are_those_of_the_reports() {
    assert_eq!(tables::all().count(), 38);
    assert_eq!(tables::all().map(|table| table.types.len()).sum::<usize>(), TYPE_COUNT);
    // Taken over the reports themselves, by another program.
    assert_eq!(checksum(), CHECKSUM);
}

const TYPE_COUNT: usize = 263;
const CHECKSUM: u64 = 0xd8a0_5613_1333_dcd6;

#[test]
fn facts_that_people_know_of_these_devices() {
    let find = |name| tables::find(name).unwrap();
    // The small BAR heap of a GTX 1650, and its first type without any flag.
    let nvidia = find("NVIDIA GeForce GTX 1650");
    assert_eq!((nvidia.heaps[2].0 >> 20, nvidia.types[4]), (214, (7, 2)));
    assert_eq!((nvidia.types[0].0, nvidia.buffer_image_granularity), (0, 1024));
    // MoltenVK: unified memory, atoms of 16 bytes.
    let apple = find("Apple M2");
    assert_eq!((apple.non_coherent_atom_size, apple.max_memory_allocation_count), (16, 1 << 30));
    // Turnip: cached memory that is not coherent, and lazily allocated memory.
    let adreno = find("Turnip Adreno (TM) 740");
    assert_eq!(adreno.types, [(7, 0), (15, 0), (11, 0), (17, 0)]);
    // The mock driver has a protected type and no largest size.
    let mock = find("Vulkan Mock Device");
    assert!(mock.types.iter().any(|&(flags, _)| flags & 0x20 != 0));
    assert_eq!(mock.max_memory_allocation_size, None);
    // AMD on Windows lists the same eight types twice.
    let windows = find("AMD Radeon(TM) Graphics (23.19.10.11)");
    assert_eq!(windows.types[..8], windows.types[8..]);
    // Kepler shows the host nothing of its memory, in granules of 64 KiB.
    let kepler = find("NVK Kepler GK110 (chipset 0xf0)");
    assert_eq!((kepler.types, kepler.buffer_image_granularity), (&[(1, 0), (14, 1)][..], 65_536));
    assert_eq!(find("SwiftShader Device (Subzero)").buffer_image_granularity, 4096);
    assert_eq!(tables::find("AMD Radeon(TM) Graphics"), None);
}

#[test]
fn names_are_unique_and_every_table_has_a_source() {
    let mut names: Vec<_> = tables::all().map(|table| table.name).collect();
    names.extend(tables::hostile().map(|(name, _)| name));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for table in tables::all() {
        assert!(table.source.starts_with("github:") || table.source.starts_with("measured: "));
    }
}

/// Allocates, maps, writes, flushes and copies in every type that can.
fn exercise(name: &str, config: DriverConfig) -> usize {
    let atom = config.non_coherent_atom_size;
    let types = config.memory_types.clone();
    let heaps = config.memory_heaps.clone();
    let driver = SimDriver::new(config).unwrap_or_else(|error| panic!("{name}: {error}"));
    let recorder = Recorder::with(driver, vk::CommandPoolCreateFlags::empty());
    let driver = &recorder.driver;
    let mut mapped_count = 0;
    for (index, &(flags, heap)) in types.iter().enumerate() {
        let index = u32::try_from(index).unwrap();
        let size = atom.max(4096);
        let buffer = driver.buffer(size, crate::recorder::TRANSFER).unwrap();
        let requirements = driver.buffer_requirements(buffer);
        let is_device_coherent = flags.contains(vk::MemoryPropertyFlags::DEVICE_COHERENT_AMD);
        let heap_size = heaps[usize::try_from(heap).unwrap()].0;
        if requirements.memory_type_bits & (1 << index) == 0
            || heap_size < requirements.size
            || is_device_coherent
        {
            driver.destroy_buffer(buffer);
            continue;
        }
        let memory = driver.allocate(index, requirements.size).unwrap();
        driver.bind_buffer(buffer, memory, 0).unwrap();
        if flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE) {
            let pointer = driver.map(memory, 0, vk::WHOLE_SIZE).unwrap();
            recorder.run(|device, commands| {
                // SAFETY: the driver lives.
                unsafe { device.cmd_fill_buffer(commands, buffer, 0, 16, 0x0303_0303) }
            });
            driver.invalidate(memory, 0, vk::WHOLE_SIZE).unwrap();
            assert_eq!(read_byte(pointer, 15), 3, "{name}: type {index}");
            write_byte(pointer, 20, 4);
            driver.flush(memory, 0, vk::WHOLE_SIZE).unwrap();
            mapped_count += 1;
        }
        driver.free(memory);
        driver.destroy_buffer(buffer);
    }
    assert_eq!(recorder.finish(), [], "{name}");
    mapped_count
}

#[test]
fn every_table_is_a_device_whose_types_hold_bytes() {
    let mut mapped_count = 0;
    for table in tables::all() {
        mapped_count += exercise(table.name, DriverConfig::from(table));
    }
    assert!(mapped_count > 100, "{mapped_count} types were mapped");
}

#[test]
fn every_hostile_device_works_within_its_limits() {
    let names: Vec<_> = tables::hostile().map(|(name, _)| name).collect();
    assert!(names.len() >= 8 && names.iter().all(|name| name.starts_with("hostile: ")));
    for (name, config) in tables::hostile() {
        assert_ne!(config, DriverConfig::default(), "{name}");
        assert!(exercise(name, config) > 0, "{name}");
    }
}

#[test]
fn sizes_near_the_largest_number_are_counted_and_never_backed() {
    let config = tables::hostile().find(|(name, _)| name.contains("2^63")).unwrap().1;
    let driver = SimDriver::new(config).unwrap();
    let half = (1 << 63) - 1;
    let memory = driver.allocate(1, half).unwrap();
    assert_eq!(driver.live().memory_bytes_per_heap[1], half);
    let no_memory = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
    assert_eq!(driver.allocate(1, half), Err(no_memory), "the sum passes the heap");
    assert_eq!(driver.allocate(3, u64::MAX), Err(no_memory), "no addresses are left");
    let mapped = driver.map(memory, 0, vk::WHOLE_SIZE);
    assert_eq!(mapped, Err(vk::Result::ERROR_MEMORY_MAP_FAILED));
    assert_eq!(driver.live().mapped, 0);
    driver.free(memory);
    assert_eq!(driver.finish(), []);
}

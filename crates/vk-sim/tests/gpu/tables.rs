//! The tables are what the drivers say: each driver that `cargo xtask test-gpu --driver` knows is
//! compared with its table.
//!
//! The sizes of heaps are left out, since they are those of the machine or of the stand-in for the
//! kernel. A table is of one version of a driver, and another version may differ; that is then said.

use vk_boot::Boot;
use vk_boot::gpu_tests::{FACT, driver, skip};
use vk_sim::tables::{self, MemoryTable};

use crate::stage::boot;

/// Drivers by the names under which the tests are started, and their tables.
const TABLES: [(&str, &str); 12] = [
    ("lavapipe", "llvmpipe (LLVM 15.0.6) Mesa 22.3.6"),
    ("lavapipe-backports", "llvmpipe (LLVM 15.0.6, 256 bits)"),
    ("lavapipe-development", "llvmpipe (LLVM 22.1.8, 256 bits)"),
    ("swiftshader", "SwiftShader Device (Subzero)"),
    ("radv-navi21", "AMD Radeon RX 6800 (RADV NAVI21)"),
    ("radv-navi31", "AMD Radeon Graphics (RADV NAVI31)"),
    ("radv-phoenix", "AMD EPYC (RADV PHOENIX)"),
    ("nvk-ada", "NVK Ada AD102 (chipset 0x192)"),
    ("nvk-kepler", "NVK Kepler GK110 (chipset 0xf0)"),
    ("turnip", "Turnip Adreno (TM) 740"),
    ("honeykrisp", "Apple M1 (G13G A0)"),
    ("mock", "Vulkan Mock Device"),
];

/// What a table has, but for the sizes of heaps.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    heap_flags: Vec<u32>,
    types: Vec<(u32, u32)>,
    granularity: u64,
    atom: u64,
    count: u32,
    /// `None` where there is no limit to compare with.
    size: Option<u64>,
    device_type: ash::vk::PhysicalDeviceType,
}

fn said_by(boot: &Boot, table: &MemoryTable) -> Said {
    let memory = &boot.memory_properties;
    // SAFETY: the physical device is of this instance.
    let properties = unsafe { boot.instance.get_physical_device_properties(boot.physical_device) };
    Said {
        heap_flags: memory.memory_heaps_as_slice().iter().map(|heap| heap.flags.as_raw()).collect(),
        types: memory
            .memory_types_as_slice()
            .iter()
            .map(|memory_type| (memory_type.property_flags.as_raw(), memory_type.heap_index))
            .collect(),
        granularity: boot.limits.buffer_image_granularity,
        atom: boot.limits.non_coherent_atom_size,
        count: boot.limits.max_memory_allocation_count,
        size: table.max_memory_allocation_size.and(Some(boot.max_memory_allocation_size)),
        device_type: properties.device_type,
    }
}

fn said_in(table: &MemoryTable) -> Said {
    Said {
        heap_flags: table.heaps.iter().map(|&(_, flags)| flags).collect(),
        types: table.types.to_vec(),
        granularity: table.buffer_image_granularity,
        atom: table.non_coherent_atom_size,
        count: table.max_memory_allocation_count,
        size: table.max_memory_allocation_size,
        device_type: table.device_type,
    }
}

/// The version of Mesa in the driver's words, such as `26.2.6` of `Mesa 26.2.6-1 (LLVM 22.1.8)`.
fn version_of(driver_info: &str) -> Option<&str> {
    let rest = driver_info.strip_prefix("Mesa ")?;
    rest.split([' ', '-']).next()
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn the_table_of_a_driver_is_what_it_says() {
    let boot = boot();
    let known = driver().and_then(|name| TABLES.into_iter().find(|(known, _)| *known == name));
    let Some((_, name)) = known else {
        return skip("which table is its own is known of named drivers");
    };
    let table = tables::find(name).expect("each name is that of a table");
    let (says, written) = (said_by(&boot, table), said_in(table));
    println!("{:?}\nheaps {:?}", says, boot.memory_properties.memory_heaps_as_slice());
    let is_of_this_version =
        version_of(&boot.driver_info).is_some_and(|version| table.source.contains(version));
    if is_of_this_version {
        assert_eq!(says, written, "{name} is of this version, {}", table.source);
    }
    println!("{FACT}table: {}", if says == written { "same" } else { "differs" });
    assert_eq!(boot.finish(), []);
}

#[test]
fn every_named_driver_has_a_table() {
    for (driver, name) in TABLES {
        assert!(tables::find(name).is_some(), "{driver}");
    }
    assert_eq!(version_of("Mesa 26.2.6-1 (LLVM 22.1.8)"), Some("26.2.6"));
    assert_eq!(version_of("SwiftShader"), None);
}

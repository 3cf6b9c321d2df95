//! The memory tables: those of real devices that `vk-sim` has, and three made-up ones.
//!
//! Flags are Vulkan's numbers: 1 device-local, 2 host-visible, 4 coherent, 8 cached, 16 lazily
//! allocated, 32 protected, 64 and 128 device-coherent and -uncached (AMD).

use memtype_select::{
    DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags, MemoryType,
    MemoryTypeSelector,
};
use vk_sim::tables;

/// The selector for a device by its name, in `vk-sim` or below.
pub(crate) fn selector(name: &str) -> MemoryTypeSelector {
    let made_up = MADE_UP.iter().find(|table| table.0 == name);
    let (types, heaps) = match made_up {
        Some(&(_, types, heaps)) => (types, heaps),
        None => {
            let table = tables::find(name).expect("vk-sim has the table");
            (table.types, table.heaps)
        }
    };
    let types: Vec<MemoryType> = types
        .iter()
        .map(|&(flags, heap_index)| MemoryType {
            property_flags: MemoryPropertyFlags::from_bits_retain(flags),
            heap_index,
        })
        .collect();
    let heaps: Vec<MemoryHeap> = heaps
        .iter()
        .map(|&(size, flags)| MemoryHeap { size, flags: MemoryHeapFlags::from_bits_retain(flags) })
        .collect();
    MemoryTypeSelector::new(DeviceMemoryProperties::new(&types, &heaps))
}

/// Flags and heap of each type, bytes and flags of each heap.
type Table = (&'static str, &'static [(u32, u32)], &'static [(u64, u32)]);

/// Devices that are common and of which there is no report.
const MADE_UP: [Table; 3] = [
    (
        "NVIDIA with resizable BAR",
        &[(0, 1), (1, 0), (6, 1), (14, 1), (7, 0)],
        &[(24 << 30, 1), (16 << 30, 0)],
    ),
    ("Mali with cached memory", &[(7, 0), (11, 0), (17, 0)], &[(4 << 30, 1)]),
    ("Raspberry Pi", &[(7, 0)], &[(4 << 30, 1)]),
];

#[test]
fn every_table_of_a_real_device_has_expected_answers() {
    let sources =
        concat!(include_str!("discrete.rs"), include_str!("partly.rs"), include_str!("unified.rs"));
    let names: Vec<&str> = tables::all().map(|table| table.name).collect();
    assert!(names.len() >= 30, "{} tables", names.len());
    for name in names {
        assert!(sources.contains(&format!("({name:?}, ")), "no expected answers for {name}");
    }
}

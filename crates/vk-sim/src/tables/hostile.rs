//! Devices at the ends of what the specification allows.

use ash::vk;

use crate::config::DriverConfig;

pub(super) const NAMES: [&str; 8] = [
    "hostile: 32 types on 16 heaps",
    "hostile: heaps of 0 bytes",
    "hostile: atom larger than an allocation",
    "hostile: granularity larger than a block",
    "hostile: one allocation",
    "hostile: budget of 0",
    "hostile: type bits beyond the table",
    "hostile: numbers near 2^63",
];

const GIB: u64 = 1 << 30;

/// The device of that name; the default for names that are not listed.
pub(super) fn config(name: &str) -> DriverConfig {
    let device = vk::MemoryPropertyFlags::DEVICE_LOCAL;
    let visible = vk::MemoryPropertyFlags::HOST_VISIBLE;
    let coherent = visible | vk::MemoryPropertyFlags::HOST_COHERENT;
    let cached = visible | vk::MemoryPropertyFlags::HOST_CACHED;
    let local = vk::MemoryHeapFlags::DEVICE_LOCAL;
    let shared = vk::MemoryHeapFlags::empty();
    let plain = DriverConfig::default();
    match name {
        "hostile: 32 types on 16 heaps" => {
            let flags = [device, coherent, cached, device | coherent];
            DriverConfig {
                memory_types: (0..32)
                    .zip(flags.into_iter().cycle())
                    .map(|(index, flags)| (flags, index / 2))
                    .collect(),
                memory_heaps: (0..16)
                    .map(|index| (GIB / 4, if index % 2 == 0 { local } else { shared }))
                    .collect(),
                ..plain
            }
        }
        "hostile: heaps of 0 bytes" => DriverConfig {
            memory_types: vec![
                (device, 0),
                (coherent, 1),
                (device | coherent, 2),
                (cached, 1),
                (coherent, 3),
            ],
            memory_heaps: vec![(0, local), (GIB, shared), (0, local), (0, shared)],
            ..plain
        },
        "hostile: atom larger than an allocation" => DriverConfig {
            non_coherent_atom_size: 1 << 20,
            memory_types: vec![(device, 0), (cached, 1)],
            ..plain
        },
        "hostile: granularity larger than a block" => {
            DriverConfig { buffer_image_granularity: 512 << 20, ..plain }
        }
        "hostile: one allocation" => DriverConfig { max_memory_allocation_count: 1, ..plain },
        "hostile: budget of 0" => DriverConfig { heap_budgets: vec![0; 3], ..plain },
        "hostile: type bits beyond the table" => DriverConfig { stray_type_bits: true, ..plain },
        "hostile: numbers near 2^63" => DriverConfig {
            memory_heaps: vec![((1 << 63) - 1, local), ((1 << 63) + 1, shared), (u64::MAX, local)],
            max_memory_allocation_size: u64::MAX,
            ..plain
        },
        _ => plain,
    }
}

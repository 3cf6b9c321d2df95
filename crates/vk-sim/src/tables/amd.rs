//! AMD by its proprietary driver for Windows.

use ash::vk;

use super::MemoryTable;

pub(super) const TABLES: &[MemoryTable] = &[
    MemoryTable {
        name: "AMD Radeon(TM) Graphics (23.19.10.11)",
        source: "github:heintjepeintje/nexus/vulkaninfo.txt@21326aba53",
        device_type: vk::PhysicalDeviceType::INTEGRATED_GPU,
        heaps: &[(268_435_456, 3), (7_968_129_024, 0), (268_435_456, 3)],
        types: &[
            (1, 0),
            (6, 1),
            (7, 2),
            (14, 1),
            (193, 0),
            (198, 1),
            (199, 2),
            (206, 1),
            (1, 0),
            (6, 1),
            (7, 2),
            (14, 1),
            (193, 0),
            (198, 1),
            (199, 2),
            (206, 1),
        ],
        buffer_image_granularity: 1,
        non_coherent_atom_size: 128,
        max_memory_allocation_count: 4096,
        max_memory_allocation_size: Some(2_147_483_648),
    },
    MemoryTable {
        name: "AMD Radeon(TM) Graphics (22.20.28)",
        source: "github:mohnishunity3ddev/Shoora/vulkaninfo.txt@16e3b15dbb",
        device_type: vk::PhysicalDeviceType::INTEGRATED_GPU,
        heaps: &[(1_879_048_192, 3), (7_170_162_688, 0), (268_435_456, 3)],
        types: &[(1, 0), (6, 1), (7, 2), (14, 1), (193, 0), (198, 1), (199, 2), (206, 1)],
        buffer_image_granularity: 1,
        non_coherent_atom_size: 128,
        max_memory_allocation_count: 4096,
        max_memory_allocation_size: Some(2_147_483_648),
    },
];

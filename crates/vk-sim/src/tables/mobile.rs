//! Apple, Intel, Arm, Imagination and Qualcomm.

use ash::vk;

use super::MemoryTable;

pub(super) const TABLES: &[MemoryTable] = &[
    MemoryTable {
        name: "Apple M1 (G13G A0)",
        source: "measured: Honeykrisp 26.2.6 on asahi shim",
        device_type: vk::PhysicalDeviceType::INTEGRATED_GPU,
        heaps: &[(12_637_437_952, 1)],
        types: &[(15, 0), (7, 0)],
        buffer_image_granularity: 1024,
        non_coherent_atom_size: 64,
        max_memory_allocation_count: 4096,
        max_memory_allocation_size: Some(137_438_953_472),
    },
    MemoryTable {
        name: "Apple M2",
        source: "github:dhkim92-dev/easy-vulkan/vulkaninfo.txt@2119c7feb4",
        device_type: vk::PhysicalDeviceType::INTEGRATED_GPU,
        heaps: &[(17_179_869_184, 1)],
        types: &[(1, 0), (15, 0), (17, 0)],
        buffer_image_granularity: 16,
        non_coherent_atom_size: 16,
        max_memory_allocation_count: 1_073_741_824,
        max_memory_allocation_size: Some(8_589_934_592),
    },
    MemoryTable {
        name: "Intel(R) HD Graphics 5500 (BDW GT2)",
        source: "github:JaydeepGo/debug-dump/vulkaninfo.log@345a75d534",
        device_type: vk::PhysicalDeviceType::INTEGRATED_GPU,
        heaps: &[(9_377_445_888, 1)],
        types: &[(15, 0)],
        buffer_image_granularity: 64,
        non_coherent_atom_size: 64,
        max_memory_allocation_count: u32::MAX,
        max_memory_allocation_size: Some(2_147_483_648),
    },
    MemoryTable {
        name: "Mali-G52 MC4",
        source: "measured: PanVK 26.2.6 arm64 under qemu-user on panfrost shim",
        device_type: vk::PhysicalDeviceType::INTEGRATED_GPU,
        heaps: &[(18_957_205_504, 1)],
        types: &[(1, 0), (7, 0)],
        buffer_image_granularity: 64,
        non_coherent_atom_size: 4,
        max_memory_allocation_count: u32::MAX,
        max_memory_allocation_size: Some(4_294_967_295),
    },
    MemoryTable {
        name: "PowerVR B-Series BXS-4-64 MC1",
        source: "measured: pvr 26.2.6 arm64 under qemu-user on powervr shim",
        device_type: vk::PhysicalDeviceType::INTEGRATED_GPU,
        heaps: &[(18_957_205_504, 1)],
        types: &[(7, 0)],
        buffer_image_granularity: 1,
        non_coherent_atom_size: 1,
        max_memory_allocation_count: 4096,
        max_memory_allocation_size: Some(18_957_205_504),
    },
    MemoryTable {
        name: "Turnip Adreno (TM) 740",
        source: "measured: Turnip 26.2.6 on freedreno shim",
        device_type: vk::PhysicalDeviceType::INTEGRATED_GPU,
        heaps: &[(18_957_205_504, 1)],
        types: &[(7, 0), (15, 0), (11, 0), (17, 0)],
        buffer_image_granularity: 64,
        non_coherent_atom_size: 64,
        max_memory_allocation_count: u32::MAX,
        max_memory_allocation_size: Some(4_294_967_295),
    },
];

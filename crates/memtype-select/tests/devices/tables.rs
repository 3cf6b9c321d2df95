//! The memory tables of real devices, as their drivers reported them.
//!
//! Flags are Vulkan's numbers: 1 device-local, 2 host-visible, 4 coherent, 8 cached, 16 lazily
//! allocated, 32 protected, 64 and 128 device-coherent and -uncached (AMD). "Measured" tables
//! come from the real user-space driver on a kernel interface without a GPU behind it, which
//! makes the sizes of their heaps depend on the machine.

use memtype_select::{
    DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags, MemoryType,
    MemoryTypeSelector,
};

/// One device: what its heaps and types are.
pub(crate) struct Table {
    /// Bytes and flags of each heap.
    pub(crate) heaps: &'static [(u64, u32)],
    /// Flags and heap of each type.
    pub(crate) types: &'static [(u32, u32)],
}

impl Table {
    /// Makes the selector for the device.
    pub(crate) fn selector(&self) -> MemoryTypeSelector {
        let types: Vec<MemoryType> = self
            .types
            .iter()
            .map(|&(flags, heap_index)| MemoryType {
                property_flags: MemoryPropertyFlags::from_bits_retain(flags),
                heap_index,
            })
            .collect();
        let heaps: Vec<MemoryHeap> = self
            .heaps
            .iter()
            .map(|&(size, flags)| MemoryHeap {
                size,
                flags: MemoryHeapFlags::from_bits_retain(flags),
            })
            .collect();
        MemoryTypeSelector::new(DeviceMemoryProperties::new(&types, &heaps))
    }
}

/// The types of RADV where all VRAM is visible to the host.
const RADV: &[(u32, u32)] = &[
    (1, 1),
    (1, 1),
    (6, 0),
    (7, 1),
    (7, 1),
    (14, 0),
    (14, 0),
    (193, 1),
    (198, 0),
    (199, 1),
    (206, 0),
];

/// GeForce GTX 950, NVIDIA 440.66.14. Source:
/// `github:mikew-lunarg/vulkaninfo_history/sysinfo/vulkaninfo.txt@1f4ceb9`.
pub(crate) const GTX_950_BAR: Table = Table {
    heaps: &[(2147483648, 1), (12565969920, 0), (257949696, 1)],
    types: &[
        (0, 1),
        (0, 1),
        (0, 1),
        (0, 1),
        (0, 1),
        (0, 1),
        (0, 1),
        (1, 0),
        (6, 1),
        (14, 1),
        (7, 2),
    ],
};

/// GeForce GTX 950, NVIDIA 440.48.02. Source:
/// `github:mikew-lunarg/vulkaninfo_history/sysinfo/vulkaninfo.txt@6cb4470`.
pub(crate) const GTX_950_NO_BAR: Table = Table {
    heaps: &[(2147483648, 1), (12565979136, 0)],
    types: &[
        (0, 1),
        (0, 1),
        (0, 1),
        (0, 1),
        (0, 1),
        (0, 1),
        (0, 1),
        (1, 0),
        (1, 0),
        (6, 1),
        (14, 1),
    ],
};

/// NVIDIA GeForce GTX 1650, NVIDIA 528.92. Source:
/// `github:mohnishunity3ddev/Shoora/vulkaninfo.txt@16e3b15dbb`.
pub(crate) const GTX_1650: Table = Table {
    heaps: &[(4143972352, 1), (7438626816, 0), (224395264, 1)],
    types: &[(0, 1), (1, 0), (6, 1), (14, 1), (7, 2)],
};

/// NVK Ada AD102 (chipset 0x192), NVK Mesa 26.2.6-1. Source: measured: NVK 26.2.6 on nouveau no-op
/// DRM shim (3 GiB VRAM is the shim's constant).
pub(crate) const NVK_AD102: Table =
    Table { heaps: &[(3221225472, 1), (18957205504, 0)], types: &[(1, 0), (7, 0), (14, 1)] };

/// AMD Radeon RX 6800 (RADV NAVI21), radv Mesa 25.0.7-2~bpo12+1. Source: measured: RADV 25.0.7 on
/// amdgpu no-op DRM shim (host-RAM-derived GTT size).
pub(crate) const RX_6800: Table = Table {
    heaps: &[(16911433728, 1), (16746784768, 0), (268435456, 1)],
    types: &[
        (1, 0),
        (1, 0),
        (6, 1),
        (7, 2),
        (7, 2),
        (14, 1),
        (14, 1),
        (193, 0),
        (198, 1),
        (199, 2),
        (206, 1),
    ],
};

/// AMD Radeon RX 470 Graphics (RADV POLARIS10), radv Mesa 23.2.1-1ubuntu3.1~22.04.3. Source:
/// `github:Soepgroente/scop/vulkaninfo.txt@63a34b7fba`.
pub(crate) const RX_470: Table = Table {
    heaps: &[(4026531840, 1), (4294967296, 0), (268435456, 1)],
    types: &[(1, 0), (1, 0), (6, 1), (7, 2), (7, 2), (14, 1), (14, 1)],
};

/// AMD Radeon Graphics (RADV NAVI33), radv Mesa 26.2.6-1. Source: measured: RADV 26.2.6 on amdgpu
/// no-op DRM shim (host-RAM-derived GTT size).
pub(crate) const RADV_NAVI33: Table =
    Table { heaps: &[(16757649408, 0), (8573157376, 1)], types: RADV };

/// AMD EPYC (RADV REMBRANDT), radv Mesa 26.2.6-1. Source: measured: RADV 26.2.6 on amdgpu no-op
/// DRM shim (host-RAM-derived GTT size).
pub(crate) const RADV_REMBRANDT: Table =
    Table { heaps: &[(3042267136, 0), (6084538368, 1)], types: RADV };

/// AMD Radeon Vega 8 Graphics (RADV RAVEN), radv Mesa 22.2.0-devel (git-e8fc5cc 2022-06-22
/// focal-oibaf-ppa). Source: `github:CGIProgrammer/DSGE/vulkaninfo@49febcaacf`.
pub(crate) const VEGA_8: Table = Table {
    heaps: &[(1789566976, 0), (3579142144, 1)],
    types: &[(1, 1), (6, 0), (7, 1), (14, 0), (193, 1), (198, 0), (199, 1), (206, 0)],
};

/// AMD Radeon(TM) Graphics, AMD proprietary driver 23.19.10.11 (AMD proprietary shader compiler).
/// Source: `github:heintjepeintje/nexus/vulkaninfo.txt@21326aba53`.
pub(crate) const AMD_APU_256_MIB: Table = Table {
    heaps: &[(268435456, 3), (7968129024, 0), (268435456, 3)],
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
};

/// AMD Radeon(TM) Graphics, AMD proprietary driver 22.20.28. Source:
/// `github:mohnishunity3ddev/Shoora/vulkaninfo.txt@16e3b15dbb`.
pub(crate) const AMD_APU_1792_MIB: Table = Table {
    heaps: &[(1879048192, 3), (7170162688, 0), (268435456, 3)],
    types: &[(1, 0), (6, 1), (7, 2), (14, 1), (193, 0), (198, 1), (199, 2), (206, 1)],
};

/// Intel(R) HD Graphics 5500 (BDW GT2), Intel open-source Mesa driver Mesa 21.0.0-devel
/// (git-04c7fce799). Source: `github:JaydeepGo/debug-dump/vulkaninfo.log@345a75d534`.
pub(crate) const INTEL_HD_5500: Table = Table { heaps: &[(9377445888, 1)], types: &[(15, 0)] };

/// llvmpipe (LLVM 22.1.8, 256 bits), llvmpipe Mesa 26.2.6-1 (LLVM 22.1.8). Source: measured:
/// lavapipe 26.2.6.
pub(crate) const LAVAPIPE: Table = Table { heaps: &[(25276510208, 1)], types: &[(15, 0)] };

/// SwiftShader Device (Subzero), SwiftShader driver. Source: measured: SwiftShader from Debian
/// chromium-common 156.
pub(crate) const SWIFTSHADER: Table = Table { heaps: &[(2147483648, 1)], types: &[(15, 0)] };

/// PowerVR B-Series BXS-4-64 MC1, Imagination open-source Mesa driver Mesa 26.2.6-1. Source:
/// measured: pvr 26.2.6 arm64 under qemu-user on powervr shim.
pub(crate) const POWERVR: Table = Table { heaps: &[(18957205504, 1)], types: &[(7, 0)] };

/// Mali-G52 MC4, panvk Mesa 26.2.6-1. Source: measured: PanVK 26.2.6 arm64 under qemu-user on
/// panfrost shim.
pub(crate) const MALI_G52: Table = Table { heaps: &[(18957205504, 1)], types: &[(1, 0), (7, 0)] };

/// Apple M1 (G13G A0), Honeykrisp Mesa 26.2.6-1. Source: measured: Honeykrisp 26.2.6 on asahi
/// shim.
pub(crate) const APPLE_M1: Table = Table { heaps: &[(12637437952, 1)], types: &[(15, 0), (7, 0)] };

/// Apple M2, MoltenVK 1.2.11. Source: `github:dhkim92-dev/easy-vulkan/vulkaninfo.txt@2119c7feb4`.
pub(crate) const APPLE_M2: Table =
    Table { heaps: &[(17179869184, 1)], types: &[(1, 0), (15, 0), (17, 0)] };

/// Turnip Adreno (TM) 740, turnip Mesa driver Mesa 26.2.6-1. Source: measured: Turnip 26.2.6 on
/// freedreno shim.
pub(crate) const ADRENO_740: Table =
    Table { heaps: &[(18957205504, 1)], types: &[(7, 0), (15, 0), (11, 0), (17, 0)] };

/// Vulkan Mock Device. Source: measured: Khronos mock ICD from Debian chromium-common 156.
pub(crate) const MOCK: Table = Table {
    heaps: &[(8000000000, 2), (8000000000, 1)],
    types: &[(6, 0), (10, 0), (15, 1), (17, 1), (33, 1), (1, 1)],
};

/// Made up: the types of NVIDIA's driver for a GPU with resizable BAR.
pub(crate) const NVIDIA_RESIZABLE_BAR: Table = Table {
    heaps: &[(25769803776, 1), (17179869184, 0)],
    types: &[(0, 1), (1, 0), (6, 1), (14, 1), (7, 0)],
};

/// Made up: a Mali whose cached memory is not coherent.
pub(crate) const MALI_CACHED: Table =
    Table { heaps: &[(4294967296, 1)], types: &[(7, 0), (11, 0), (17, 0)] };

/// Made up: the one type of a Raspberry Pi.
pub(crate) const RASPBERRY_PI: Table = Table { heaps: &[(4294967296, 1)], types: &[(7, 0)] };

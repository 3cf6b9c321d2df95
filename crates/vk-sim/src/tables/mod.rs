//! The memory tables of real GPUs, and of some that nobody would want to build.
//!
//! Each table is what one driver reported on one machine: memory types and heaps, and the limits
//! that concern memory. [`MemoryTable::source`] says where the report is from:
//!
//! - `github:owner/repository/path@commit`: a `vulkaninfo` output, or a profile of one, that its
//!   owner published in that repository;
//! - `measured: …`: asked of the named driver. RADV, NVK, Turnip, Honeykrisp, PanVK and the PowerVR
//!   driver ran on Mesa's stand-ins for their kernel drivers ("DRM shim"), which need no GPU: types,
//!   flags and limits are the real driver's, the sizes of heaps are what the stand-in has.
//!
//! Only numbers were taken from the reports. What a report lacks (a limit that came with a later
//! version) is `None`.
//!
//! ```
//! use vk_sim::{DriverConfig, SimDriver, tables};
//!
//! let table = tables::find("AMD Radeon RX 5700 XT (RADV NAVI10)").expect("a table of the crate");
//! let driver = SimDriver::new(DriverConfig::from(table))?;
//! assert_eq!(driver.config().memory_types.len(), 11);
//! # Ok::<(), vk_sim::ConfigError>(())
//! ```

use ash::vk;

use crate::config::DriverConfig;

mod amd;
mod hostile;
mod mobile;
mod nvidia;
mod radv;
mod software;

/// The memory of one device, as its driver reported it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryTable {
    /// The device's name, with the driver's version where several tables have one name.
    pub name: &'static str,
    /// Where the report is from, see the module.
    pub source: &'static str,
    /// `deviceType`.
    pub device_type: vk::PhysicalDeviceType,
    /// Each heap's size in bytes, and its flags as Vulkan numbers them.
    pub heaps: &'static [(u64, u32)],
    /// Each memory type's flags as Vulkan numbers them, and its heap's index.
    pub types: &'static [(u32, u32)],
    /// `bufferImageGranularity`, in bytes.
    pub buffer_image_granularity: u64,
    /// `nonCoherentAtomSize`, in bytes.
    pub non_coherent_atom_size: u64,
    /// `maxMemoryAllocationCount`.
    pub max_memory_allocation_count: u32,
    /// `maxMemoryAllocationSize`, in bytes; `None` if the report has none, or 0.
    pub max_memory_allocation_size: Option<u64>,
}

/// Every table of a real device.
pub fn all() -> impl Iterator<Item = &'static MemoryTable> {
    [radv::TABLES, amd::TABLES, nvidia::TABLES, mobile::TABLES, software::TABLES]
        .into_iter()
        .flatten()
}

/// Devices that the specification allows and that break careless allocators: as many types and
/// heaps as there may be, heaps of nothing, atoms and granules larger than what is allocated, one
/// allocation in all, a budget of 0.
///
/// Their names begin with "hostile: ".
pub fn hostile() -> impl Iterator<Item = (&'static str, DriverConfig)> {
    hostile::NAMES.into_iter().map(|name| (name, hostile::config(name)))
}

/// The table of a real device, by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static MemoryTable> {
    all().find(|table| table.name == name)
}

impl From<&MemoryTable> for DriverConfig {
    /// The rest is the default's; a limit that the report lacks is as large as can be.
    fn from(table: &MemoryTable) -> Self {
        Self {
            memory_types: table
                .types
                .iter()
                .map(|&(flags, heap)| (vk::MemoryPropertyFlags::from_raw(flags), heap))
                .collect(),
            memory_heaps: table
                .heaps
                .iter()
                .map(|&(size, flags)| (size, vk::MemoryHeapFlags::from_raw(flags)))
                .collect(),
            buffer_image_granularity: table.buffer_image_granularity,
            non_coherent_atom_size: table.non_coherent_atom_size,
            max_memory_allocation_count: table.max_memory_allocation_count,
            max_memory_allocation_size: table.max_memory_allocation_size.unwrap_or(u64::MAX),
            device_type: table.device_type,
            ..Self::default()
        }
    }
}

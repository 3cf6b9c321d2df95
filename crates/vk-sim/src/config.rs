//! What the simulated device is like.

use std::ffi::CStr;

use ash::{ext, khr, vk};

use crate::config_error::ConfigError;
use crate::rules::ResourceRule;

/// One mebibyte.
const MIB: u64 = 1 << 20;

/// Describes the simulated device; every field is public, the default is a small discrete GPU.
///
/// Sizes and alignments are bytes.
///
/// ```
/// use ash::vk;
/// use vk_sim::{DriverConfig, SimDriver};
///
/// let config = DriverConfig { max_memory_allocation_count: 8, ..DriverConfig::default() };
/// assert_eq!(config.memory_types[2].0, vk::MemoryPropertyFlags::HOST_VISIBLE
///     | vk::MemoryPropertyFlags::HOST_CACHED);
/// assert!(SimDriver::new(config).is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverConfig {
    /// Each memory type's flags and the index of its heap; 1 to 32 types.
    pub memory_types: Vec<(vk::MemoryPropertyFlags, u32)>,
    /// Each heap's size and flags; 1 to 16 heaps, a size of 0 is allowed.
    pub memory_heaps: Vec<(u64, vk::MemoryHeapFlags)>,
    /// The budget that each heap has at first; none: what other processes leave of it. 0 is taken
    /// literally, as drivers have reported it.
    pub heap_budgets: Vec<u64>,
    /// `bufferImageGranularity`; a power of two.
    pub buffer_image_granularity: u64,
    /// `nonCoherentAtomSize`; a power of two.
    pub non_coherent_atom_size: u64,
    /// `maxMemoryAllocationCount`; at least 1.
    pub max_memory_allocation_count: u32,
    /// `maxMemoryAllocationSize`; at least 1. A larger allocation fails.
    pub max_memory_allocation_size: u64,
    /// The alignment each buffer requires; a power of two.
    pub buffer_alignment: u64,
    /// The alignment each image requires; a power of two.
    pub image_alignment: u64,
    /// Whether buffers and images say `prefersDedicatedAllocation`.
    pub prefers_dedicated: bool,
    /// Whether buffers and images say `requiresDedicatedAllocation` (and then prefer it too).
    pub requires_dedicated: bool,
    /// What some resources require beyond that, by kind and size.
    pub resource_rules: Vec<ResourceRule>,
    /// Whether memory type bits beyond the table are set in every requirement, as Khronos' mock
    /// driver has them.
    pub stray_type_bits: bool,
    /// Whether the device was made with the feature `deviceCoherentMemory`, without which nothing
    /// may be allocated from memory types with `DEVICE_COHERENT_AMD`.
    pub device_coherent_memory: bool,
    /// What `vkEnumerateDeviceExtensionProperties` lists. Functions of KHR extensions are there
    /// iff the extension is listed, budgets are told iff `VK_EXT_memory_budget` is; of others the
    /// driver knows the name only.
    pub extensions: Vec<&'static CStr>,
    /// `apiVersion`: functions of a later core version are not there. 1.0 to 1.3.
    pub api_version: u32,
    /// `deviceType`.
    pub device_type: vk::PhysicalDeviceType,
}

impl Default for DriverConfig {
    /// VRAM of 1 GiB, system memory of 2 GiB with a coherent and a cached non-coherent type, and
    /// a BAR heap of 64 MiB; granularity 1 KiB, atoms of 64 bytes, 4096 allocations.
    fn default() -> Self {
        let device = vk::MemoryPropertyFlags::DEVICE_LOCAL;
        let visible = vk::MemoryPropertyFlags::HOST_VISIBLE;
        let coherent = vk::MemoryPropertyFlags::HOST_COHERENT;
        let cached = vk::MemoryPropertyFlags::HOST_CACHED;
        Self {
            memory_types: vec![
                (device, 0),
                (visible | coherent, 1),
                (visible | cached, 1),
                (device | visible | coherent, 2),
            ],
            memory_heaps: vec![
                (1024 * MIB, vk::MemoryHeapFlags::DEVICE_LOCAL),
                (2048 * MIB, vk::MemoryHeapFlags::empty()),
                (64 * MIB, vk::MemoryHeapFlags::DEVICE_LOCAL),
            ],
            heap_budgets: Vec::new(),
            buffer_image_granularity: 1024,
            non_coherent_atom_size: 64,
            max_memory_allocation_count: 4096,
            max_memory_allocation_size: 1024 * MIB,
            buffer_alignment: 256,
            image_alignment: 4096,
            prefers_dedicated: false,
            requires_dedicated: false,
            resource_rules: Vec::new(),
            stray_type_bits: false,
            device_coherent_memory: false,
            extensions: vec![
                khr::bind_memory2::NAME,
                khr::buffer_device_address::NAME,
                khr::dedicated_allocation::NAME,
                khr::get_memory_requirements2::NAME,
                khr::maintenance3::NAME,
                khr::maintenance4::NAME,
                khr::synchronization2::NAME,
                ext::memory_budget::NAME,
                ext::memory_priority::NAME,
            ],
            api_version: vk::API_VERSION_1_3,
            device_type: vk::PhysicalDeviceType::DISCRETE_GPU,
        }
    }
}

impl DriverConfig {
    /// Whether an extension is listed.
    pub(crate) fn has_extension(&self, name: &CStr) -> bool {
        self.extensions.contains(&name)
    }

    /// Whether a device of this description could be.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.check_table()?;
        self.check_limits()?;
        self.check_lists()
    }

    fn check_table(&self) -> Result<(), ConfigError> {
        let type_count = self.memory_types.len();
        if type_count == 0 || type_count > vk::MAX_MEMORY_TYPES {
            return Err(ConfigError::MemoryTypeCount { count: type_count });
        }
        let heap_count = self.memory_heaps.len();
        if heap_count == 0 || heap_count > vk::MAX_MEMORY_HEAPS {
            return Err(ConfigError::MemoryHeapCount { count: heap_count });
        }
        let budget_count = self.heap_budgets.len();
        if budget_count != 0 && budget_count != heap_count {
            return Err(ConfigError::BudgetCount { budget_count, heap_count });
        }
        for (type_index, &(flags, heap_index)) in self.memory_types.iter().enumerate() {
            if usize::try_from(heap_index).map_or(true, |index| index >= heap_count) {
                return Err(ConfigError::HeapOutOfRange { type_index, heap_index });
            }
            if is_contradictory(flags) {
                return Err(ConfigError::ContradictoryFlags { type_index, flags });
            }
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        for (limit, value) in [
            ("bufferImageGranularity", self.buffer_image_granularity),
            ("nonCoherentAtomSize", self.non_coherent_atom_size),
            ("the alignment of buffers", self.buffer_alignment),
            ("the alignment of images", self.image_alignment),
        ] {
            if !value.is_power_of_two() {
                return Err(ConfigError::NotAPowerOfTwo { limit, value });
            }
        }
        for (limit, value) in [
            ("maxMemoryAllocationCount", u64::from(self.max_memory_allocation_count)),
            ("maxMemoryAllocationSize", self.max_memory_allocation_size),
        ] {
            if value == 0 {
                return Err(ConfigError::ZeroLimit { limit });
            }
        }
        // A 1.3 with a patch number is below 1.4.
        let after_the_last = vk::make_api_version(0, 1, 4, 0);
        if !(vk::API_VERSION_1_0..after_the_last).contains(&self.api_version) {
            return Err(ConfigError::ApiVersion { api_version: self.api_version });
        }
        Ok(())
    }

    fn check_lists(&self) -> Result<(), ConfigError> {
        for (rule_index, rule) in self.resource_rules.iter().enumerate() {
            let memory_type_bits = rule.memory_type_bits;
            if memory_type_bits & self.table_bits() == 0 {
                return Err(ConfigError::NoTypeLeft { rule_index, memory_type_bits });
            }
        }
        for name in &self.extensions {
            let length = name.count_bytes();
            if length == 0 || length >= vk::MAX_EXTENSION_NAME_SIZE {
                return Err(ConfigError::ExtensionName { length });
            }
        }
        Ok(())
    }
}

/// The combinations that the specification forbids (section "Device Memory Properties").
fn is_contradictory(flags: vk::MemoryPropertyFlags) -> bool {
    let host_only = vk::MemoryPropertyFlags::HOST_COHERENT | vk::MemoryPropertyFlags::HOST_CACHED;
    let device_only =
        vk::MemoryPropertyFlags::LAZILY_ALLOCATED | vk::MemoryPropertyFlags::PROTECTED;
    if flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE) {
        flags.intersects(device_only)
    } else {
        flags.intersects(host_only)
    }
}

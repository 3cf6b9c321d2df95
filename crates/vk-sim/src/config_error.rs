//! Which descriptions no device could match.

use std::error::Error;
use std::fmt;

use ash::vk;

/// Why no device could match a [`DriverConfig`](crate::DriverConfig); nothing was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The number of memory types is not 1 to `VK_MAX_MEMORY_TYPES`.
    MemoryTypeCount {
        /// How many there are.
        count: usize,
    },
    /// The number of heaps is not 1 to `VK_MAX_MEMORY_HEAPS`.
    MemoryHeapCount {
        /// How many there are.
        count: usize,
    },
    /// There are budgets, and not one for each heap.
    BudgetCount {
        /// How many budgets there are.
        budget_count: usize,
        /// How many heaps there are.
        heap_count: usize,
    },
    /// A memory type names a heap that is not there.
    HeapOutOfRange {
        /// The memory type.
        type_index: usize,
        /// The heap it names.
        heap_index: u32,
    },
    /// A memory type is coherent or cached but not host-visible, or host-visible but lazily
    /// allocated or protected.
    ContradictoryFlags {
        /// The memory type.
        type_index: usize,
        /// Its flags.
        flags: vk::MemoryPropertyFlags,
    },
    /// An alignment is not a power of two.
    NotAPowerOfTwo {
        /// Which limit.
        limit: &'static str,
        /// Its value.
        value: u64,
    },
    /// A limit of zero allows nothing.
    ZeroLimit {
        /// Which limit.
        limit: &'static str,
    },
    /// A [`ResourceRule`](crate::ResourceRule) leaves its resources no memory type.
    NoTypeLeft {
        /// The rule's index.
        rule_index: usize,
        /// The types that it allows.
        memory_type_bits: u32,
    },
    /// The name of an extension is empty or has 256 characters or more.
    ExtensionName {
        /// How long it is, in bytes.
        length: usize,
    },
    /// The version is not 1.0 to 1.3.
    ApiVersion {
        /// The version, encoded as Vulkan does.
        api_version: u32,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MemoryTypeCount { count } => {
                write!(f, "{count} memory types, but a device has 1 to {}", vk::MAX_MEMORY_TYPES)
            }
            Self::MemoryHeapCount { count } => {
                write!(f, "{count} memory heaps, but a device has 1 to {}", vk::MAX_MEMORY_HEAPS)
            }
            Self::BudgetCount { budget_count, heap_count } => {
                write!(f, "{budget_count} budgets for {heap_count} heaps")
            }
            Self::HeapOutOfRange { type_index, heap_index } => {
                write!(f, "memory type {type_index} names heap {heap_index}, which is not there")
            }
            Self::ContradictoryFlags { type_index, flags } => write!(
                f,
                "memory type {type_index} has flags {:#x}, but coherent or cached needs \
                 host-visible, and lazily allocated or protected excludes it",
                flags.as_raw()
            ),
            Self::NotAPowerOfTwo { limit, value } => {
                write!(f, "{limit} is {value}, but has to be a power of two")
            }
            Self::ZeroLimit { limit } => write!(f, "{limit} is 0, but has to be at least 1"),
            Self::NoTypeLeft { rule_index, memory_type_bits } => write!(
                f,
                "rule {rule_index} allows memory types {memory_type_bits:#x}, of which the table \
                 has none"
            ),
            Self::ExtensionName { length } => {
                write!(f, "the name of an extension has 1 to 255 bytes, not {length}")
            }
            Self::ApiVersion { api_version } => {
                write!(f, "version {api_version:#x} is not one of vulkan 1.0 to 1.3")
            }
        }
    }
}

impl Error for ConfigError {}

/// Why a real driver cannot be laid under a table; nothing was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverlayError {
    /// No device could be as described.
    Config(ConfigError),
    /// The real driver has no memory type that the host can use as this one of the table.
    NoRealType {
        /// The memory type.
        memory_type_index: u32,
    },
    /// One of the handles is under another overlay, which has to be dropped first.
    Taken,
    /// The real device has Vulkan 1.0; an overlay needs 1.1.
    ApiVersion {
        /// The version, encoded as Vulkan does.
        api_version: u32,
    },
}

impl fmt::Display for OverlayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::NoRealType { memory_type_index } => write!(
                f,
                "the real driver has no memory type that the host can use as type \
                 {memory_type_index} of the table"
            ),
            Self::Taken => f.write_str("the real driver is under another overlay"),
            Self::ApiVersion { api_version } => {
                write!(f, "the real device has version {api_version:#x}, an overlay needs 1.1")
            }
        }
    }
}

impl Error for OverlayError {}

impl From<ConfigError> for OverlayError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

//! Limits that are given, and figures that are read, as plain numbers.

/// Limits of the whole device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceLimits {
    /// `maxMemoryAllocationCount`: memory objects that may exist at once.
    pub max_memory_allocation_count: u32,
    /// Memory objects to leave to others (layers, other libraries on the same device).
    pub allocation_count_head_room: u32,
    /// `maxMemoryAllocationSize` in bytes (`VkPhysicalDeviceMaintenance3Properties`).
    pub max_memory_allocation_size: u64,
}

impl Default for DeviceLimits {
    /// 4096 memory objects, the least that Vulkan allows a device to offer; no head-room; any size.
    fn default() -> Self {
        Self {
            max_memory_allocation_count: 4096,
            allocation_count_head_room: 0,
            max_memory_allocation_size: u64::MAX,
        }
    }
}

/// Limits of one heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapLimits {
    /// Bytes of the heap; no single memory object is larger.
    pub size: u64,
    /// The user's limit on all bytes of the heap, in bytes.
    pub limit: Option<u64>,
    /// The user's limit on blocks of the heap. Dedicated memory does not count as a block.
    pub max_block_count: Option<u32>,
}

/// What stands in the books of one heap, in bytes and objects.
///
/// Each number is exact while nobody else makes memory objects or gives them back. While others do, they may be
/// of slightly different instants, and `committed`, which is what the other three leave of all, may be off
/// by what is just moving from one to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapUsage {
    /// Bytes of blocks and dedicated memory that exist.
    pub committed: u64,
    /// Bytes reserved for memory that is being made.
    pub reserved: u64,
    /// Bytes of memory given back that the driver has not freed yet.
    pub returning: u64,
    /// Bytes made elsewhere and only tracked.
    pub external: u64,
    /// Blocks, those being made and on their way back included.
    pub block_count: u32,
}

/// The soft limit of one heap, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapBudget {
    /// Bytes that may be in use: the driver's figure, or four fifths of the heap where it has none.
    pub budget: u64,
    /// Bytes in use, as far as is known: what others used when the driver was asked, and what is in our
    /// books now.
    pub usage: u64,
}

impl HeapBudget {
    /// Bytes left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.budget.saturating_sub(self.usage)
    }
}

//! The memory types and heaps of one device, as the driver reports them.

use smallvec::SmallVec;

use crate::flags::{MemoryHeapFlags, MemoryPropertyFlags};

/// `VK_MAX_MEMORY_TYPES`: the most types a device has, and the bits of a type mask.
pub(crate) const MAX_MEMORY_TYPES: usize = 32;

/// `VK_MAX_MEMORY_HEAPS`: the most heaps a device has.
pub(crate) const MAX_MEMORY_HEAPS: usize = 16;

/// One memory type: `VkMemoryType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct MemoryType {
    /// What the type can do.
    pub property_flags: MemoryPropertyFlags,
    /// The heap its memory is taken from. A type whose heap is not in the table is never chosen.
    pub heap_index: u32,
}

/// One memory heap: `VkMemoryHeap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct MemoryHeap {
    /// Bytes in the heap. A heap of 0 bytes is never chosen from.
    pub size: u64,
    /// What kind of heap it is.
    pub flags: MemoryHeapFlags,
}

/// All memory types and heaps of a device: `VkPhysicalDeviceMemoryProperties`.
///
/// Any content is accepted. What lies past Vulkan's maxima of 32 types and 16 heaps is dropped
/// by [`new`](Self::new) and by [`MemoryTypeSelector::new`](crate::MemoryTypeSelector::new), as
/// no type mask can name it; within the maxima nothing is allocated on the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct DeviceMemoryProperties {
    /// The types, in the driver's order: an index into this list is a memory type index.
    pub memory_types: SmallVec<[MemoryType; MAX_MEMORY_TYPES]>,
    /// The heaps, in the driver's order: an index into this list is a heap index.
    pub memory_heaps: SmallVec<[MemoryHeap; MAX_MEMORY_HEAPS]>,
}

impl DeviceMemoryProperties {
    /// Collects the first 32 types and the first 16 heaps of the slices.
    ///
    /// # Examples
    ///
    /// ```
    /// use memtype_select::{
    ///     DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags, MemoryType,
    /// };
    ///
    /// let unified = DeviceMemoryProperties::new(
    ///     &[MemoryType { property_flags: MemoryPropertyFlags::all(), heap_index: 0 }],
    ///     &[MemoryHeap { size: 8 << 30, flags: MemoryHeapFlags::DEVICE_LOCAL }],
    /// );
    /// assert_eq!(unified.memory_types.len(), 1);
    /// ```
    #[must_use]
    pub fn new(memory_types: &[MemoryType], memory_heaps: &[MemoryHeap]) -> Self {
        Self {
            memory_types: memory_types.iter().take(MAX_MEMORY_TYPES).copied().collect(),
            memory_heaps: memory_heaps.iter().take(MAX_MEMORY_HEAPS).copied().collect(),
        }
    }

    /// Returns the heap of a type, unless the table has no such heap.
    pub(crate) fn heap_of(&self, memory_type: &MemoryType) -> Option<&MemoryHeap> {
        self.memory_heaps.get(usize::try_from(memory_type.heap_index).ok()?)
    }
}

//! The flags of memory types, memory heaps and usages.

use bitflags::bitflags;

bitflags! {
    /// What the memory of a request is for.
    ///
    /// Usages combine. [What each asks for](crate#what-a-usage-asks-for) is on the crate's front
    /// page. Bits that are not named here are ignored.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct UsageFlags: u32 {
        /// Read or written by the device often: render targets, textures, vertex data.
        const FAST_DEVICE_ACCESS = 1;
        /// Read and written by the host, in no stated direction.
        const HOST_ACCESS = 2;
        /// Written by the host, front to back, and read by the device.
        const UPLOAD = 4;
        /// Written by the device and read by the host.
        const DOWNLOAD = 8;
        /// Short-lived; without host access also a transient attachment, which may live in
        /// memory that the device provides only when it has to.
        const TRANSIENT = 16;
    }
}

impl UsageFlags {
    /// The usages in which the host touches the memory.
    pub(crate) const HOST: Self = Self::HOST_ACCESS.union(Self::UPLOAD).union(Self::DOWNLOAD);
}

bitflags! {
    /// The property flags of a memory type: `VkMemoryPropertyFlags` (Vulkan spec, section
    /// "Device Memory").
    ///
    /// The values are Vulkan's. Bits without a name here are kept by
    /// [`from_bits_retain`](Self::from_bits_retain), and keep a memory type from being chosen
    /// unless a request requires them.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct MemoryPropertyFlags: u32 {
        /// The fastest memory for the device.
        const DEVICE_LOCAL = 0x1;
        /// Can be mapped.
        const HOST_VISIBLE = 0x2;
        /// Needs no flush and no invalidate.
        const HOST_COHERENT = 0x4;
        /// Cached on the host: reads are fast.
        const HOST_CACHED = 0x8;
        /// Provided by the device only when it has to; for transient attachments.
        const LAZILY_ALLOCATED = 0x10;
        /// For protected queues only.
        const PROTECTED = 0x20;
        /// Accesses of the device are coherent by themselves (`VK_AMD_device_coherent_memory`).
        const DEVICE_COHERENT_AMD = 0x40;
        /// Not cached on the device, hence slow (`VK_AMD_device_coherent_memory`).
        const DEVICE_UNCACHED_AMD = 0x80;
        /// Reachable by remote direct memory access (`VK_NV_external_memory_rdma`).
        const RDMA_CAPABLE_NV = 0x100;
    }
}

impl MemoryPropertyFlags {
    /// The flags that every program may be given without asking; all others, unknown ones
    /// included, have to be required.
    pub(crate) const UNREMARKABLE: Self = Self::DEVICE_LOCAL
        .union(Self::HOST_VISIBLE)
        .union(Self::HOST_COHERENT)
        .union(Self::HOST_CACHED);

    /// The flags that a use prefers or avoids.
    pub(crate) const WEIGHED: Self = Self::UNREMARKABLE.union(Self::LAZILY_ALLOCATED);

    /// How many flags have a name; they are the lowest bits.
    pub(crate) const NAMED_COUNT: u32 = Self::all().bits().count_ones();

    /// The flags that only host access has a use for.
    pub(crate) const HOST: Self =
        Self::HOST_VISIBLE.union(Self::HOST_COHERENT).union(Self::HOST_CACHED);

    /// Weighs the named flags of a set so that the lowest bit, `DEVICE_LOCAL`, counts most.
    ///
    /// The result is below 2 to the power of [`NAMED_COUNT`](Self::NAMED_COUNT).
    pub(crate) fn in_bit_order(self) -> u32 {
        self.intersection(Self::all()).bits().reverse_bits() >> (u32::BITS - Self::NAMED_COUNT)
    }

    /// Is true for a type without flags that make it special: no opt-in, not lazily allocated.
    pub(crate) fn is_ordinary(self) -> bool {
        Self::UNREMARKABLE.contains(self)
    }
}

bitflags! {
    /// The flags of a memory heap: `VkMemoryHeapFlags` (Vulkan spec, section "Device Memory").
    ///
    /// The values are Vulkan's. Bits without a name here are kept by
    /// [`from_bits_retain`](Self::from_bits_retain) and mean nothing to the selection.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct MemoryHeapFlags: u32 {
        /// The heap is the device's own memory.
        const DEVICE_LOCAL = 0x1;
        /// In a device group each device has an instance of the heap of its own.
        const MULTI_INSTANCE = 0x2;
        /// Protected against single event upsets (Vulkan SC).
        const SEU_SAFE = 0x4;
        /// Tile memory (`VK_QCOM_tile_memory_heap`).
        const TILE_MEMORY_QCOM = 0x8;
    }
}

//! The rules, each with the values of its breach.

use super::ObjectKind;
use crate::record::CommandState;

/// Which side of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What is read.
    Source,
    /// What is written.
    Destination,
}

/// What was wrong, with the values. Sizes, offsets and alignments are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named as in the rule that each variant states")]
pub enum Rule {
    /// The handle is of no living object of this device: null, destroyed, or another device's.
    UnknownHandle { kind: ObjectKind, handle: u64 },
    /// The device was destroyed before the call.
    DeviceDestroyed,
    /// A size is zero.
    ZeroSize,
    /// A number of an image is zero: `width`, `height`, `depth`, `mipLevels` or `arrayLayers`.
    ZeroExtent { member: &'static str },
    /// The memory type is not in the table.
    MemoryTypeOutOfRange { memory_type_index: u32, memory_type_count: u32 },
    /// The allocation is larger than its heap.
    LargerThanHeap { size: u64, heap_size: u64 },
    /// The device has `maxMemoryAllocationCount` allocations already.
    TooManyAllocations { max: u32 },
    /// A dedicated allocation names both a buffer and an image.
    DedicatedToTwo { buffer: u64, image: u64 },
    /// A dedicated allocation has not its resource's size.
    DedicatedSize { kind: ObjectKind, size: u64, required: u64 },
    /// The memory is mapped already.
    MappedTwice { memory: u64 },
    /// The memory type is not host-visible.
    NotHostVisible { memory_type_index: u32 },
    /// The mapping begins at or behind the memory's end.
    MapOffset { offset: u64, memory_size: u64 },
    /// The mapping ends behind the memory's end.
    MapSize { offset: u64, size: u64, memory_size: u64 },
    /// The memory is not mapped.
    NotMapped { memory: u64 },
    /// The range to flush or invalidate leaves the mapped one.
    RangeOutsideMapping { offset: u64, size: u64, mapped_offset: u64, mapped_size: u64 },
    /// The range's offset is not a multiple of `nonCoherentAtomSize`.
    RangeOffsetNotOnAtom { offset: u64, atom: u64 },
    /// The range ends neither on an atom nor at the memory's end.
    RangeEndNotOnAtom { end: u64, atom: u64 },
    /// `VK_WHOLE_SIZE`, and the mapping ends neither on an atom nor at the memory's end.
    MappingEndNotOnAtom { end: u64, atom: u64 },
    /// The resource has memory already.
    BoundTwice { kind: ObjectKind, handle: u64 },
    /// The offset is at or behind the memory's end.
    BindOffset { kind: ObjectKind, offset: u64, memory_size: u64 },
    /// The resource does not fit between the offset and the memory's end.
    BindSize { kind: ObjectKind, offset: u64, required: u64, memory_size: u64 },
    /// The offset is not a multiple of the required alignment.
    BindAlignment { kind: ObjectKind, offset: u64, alignment: u64 },
    /// The memory's type is not one that the resource allows.
    BindMemoryType { kind: ObjectKind, memory_type_index: u32, memory_type_bits: u32 },
    /// The memory is dedicated to another resource, or the offset is not 0.
    BindDedicatedElsewhere { kind: ObjectKind, handle: u64, offset: u64 },
    /// The resource requires dedicated memory, and this is none.
    BindNotDedicated { kind: ObjectKind, handle: u64 },
    /// The buffer has device-address usage, the memory lacks the allocate flag.
    MissingDeviceAddressFlag { buffer: u64, memory: u64 },
    /// The buffer whose address is asked has no memory.
    AddressOfUnbound { buffer: u64 },
    /// The buffer whose address is asked lacks the usage flag.
    AddressWithoutUsage { buffer: u64 },
    /// The memory type is `DEVICE_COHERENT_AMD`, and the feature `deviceCoherentMemory` is off.
    DeviceCoherentMemory { memory_type_index: u32 },
    /// The priority, given as its bits, is not between 0 and 1.
    PriorityOutOfRange { priority_bits: u32 },
    /// The object is used by commands that were submitted and have not been waited for.
    InUse { kind: ObjectKind, handle: u64 },
    /// The device has no such queue family, or no such queue in it.
    QueueOutOfRange { member: &'static str, value: u32 },
    /// The function does not take a command buffer in that state.
    WrongState { command_buffer: u64, state: CommandState },
    /// The command buffer's pool was made without `RESET_COMMAND_BUFFER`.
    NoSingleReset { command_buffer: u64, pool: u64 },
    /// The fence that is to be signalled is signalled already.
    FenceSignaled { fence: u64 },
    /// The buffer that a copy between buffers is to write is no living one of this device.
    UnknownDestination { buffer: u64 },
    /// The resource was made without the transfer usage that the command needs.
    TransferUsage { role: Role, kind: ObjectKind, handle: u64 },
    /// The resource has no memory, or its memory was freed.
    TransferMemory { role: Role, kind: ObjectKind, handle: u64 },
    /// The command begins at or behind the buffer's end.
    TransferOffset { role: Role, offset: u64, buffer_size: u64 },
    /// The command ends behind the buffer's end.
    TransferSize { role: Role, offset: u64, size: u64, buffer_size: u64 },
    /// A number of bytes is not a multiple of 4.
    TransferNotOnWord { member: &'static str, value: u64 },
    /// More bytes than the 65536 that a command buffer takes at once.
    UpdateTooLarge { size: u64 },
    /// Two regions of one copy within a buffer overlap.
    TransferOverlap { buffer: u64, offset: u64, size: u64 },
    /// The image has no such level or layer.
    NoSubresource { member: &'static str, value: u32, count: u32 },
    /// The region leaves the image's level.
    TexelsOutside { axis: &'static str, offset: i32, extent: u32, level_extent: u32 },
    /// Rows or slices in the buffer are shorter than those of the region.
    ShortRows { member: &'static str, value: u32, extent: u32 },
    /// The offset in the buffer is not a multiple of the texel's size.
    TexelOffset { offset: u64, texel_bytes: u64 },
    /// The image is cleared in a layout that clears do not take; the layout's value.
    ClearLayout { layout: i32 },
    /// An aspect other than the colour is cleared; the bits.
    ClearAspect { aspect: u32 },
    /// The format of the image that is cleared is compressed, or of depth or stencil.
    ClearFormat { image: u64 },
    /// The object lives when the device or the instance is destroyed.
    Leak { kind: ObjectKind, handle: u64 },
    /// Practice: the allocation is larger than `maxMemoryAllocationSize`, so it may fail.
    LargerThanMaxSize { size: u64, max: u64 },
    /// Practice: memory is freed while resources are bound to it.
    FreedWithBound { memory: u64, bound_count: u32 },
    /// Practice: what is allocated from the heap passes its budget.
    OverBudget { heap_index: u32, bytes: u64, budget: u64 },
    /// Practice: two resources that are bound to the same memory overlap.
    Overlap { memory: u64, first: u64, second: u64 },
    /// Practice: a linear and a non-linear resource share a page of `bufferImageGranularity`.
    SharedGranule { memory: u64, linear: u64, optimal: u64 },
    /// Practice: two resources in non-coherent memory share an atom.
    SharedAtom { memory: u64, first: u64, second: u64 },
}

impl Rule {
    /// Whether this is legal, and a practice that a careful program avoids.
    #[must_use]
    pub fn is_lint(&self) -> bool {
        matches!(
            self,
            Self::LargerThanMaxSize { .. }
                | Self::FreedWithBound { .. }
                | Self::OverBudget { .. }
                | Self::Overlap { .. }
                | Self::SharedGranule { .. }
                | Self::SharedAtom { .. }
        )
    }
}

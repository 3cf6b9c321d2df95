//! Breaches of valid usage, with the values and the name of the rule.

use std::fmt;

use crate::call::Call;

/// A breach of valid usage, or of good practice, by the program under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The function that was called.
    pub call: Call,
    /// What was wrong.
    pub rule: Rule,
}

/// The kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name is Vulkan's")]
pub enum ObjectKind {
    Memory,
    Buffer,
    Image,
    Device,
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
    /// The object lives when the device or the instance is destroyed.
    Leak { kind: ObjectKind, handle: u64 },
    /// Practice: the allocation is larger than `maxMemoryAllocationSize`, so it may fail.
    LargerThanMaxSize { size: u64, max: u64 },
    /// Practice: memory is freed while resources are bound to it.
    FreedWithBound { memory: u64, bound_count: u32 },
}

impl Rule {
    /// Whether this is legal, and a practice that a careful program avoids.
    #[must_use]
    pub fn is_lint(&self) -> bool {
        matches!(self, Self::LargerThanMaxSize { .. } | Self::FreedWithBound { .. })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call.name(), self.rule)?;
        match self.vuid() {
            Some(vuid) => write!(f, " ({vuid})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Buffer => "buffer",
            Self::Image => "image",
            Self::Device => "device",
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Rule as R;
        match *self {
            R::UnknownHandle { kind, handle } => write!(f, "{handle:#x} is no living {kind}"),
            R::DeviceDestroyed => f.write_str("the device is destroyed"),
            R::ZeroSize => f.write_str("the size is zero"),
            R::ZeroExtent { member } => write!(f, "{member} is zero"),
            R::MemoryTypeOutOfRange { memory_type_index, memory_type_count } => {
                write!(f, "memory type {memory_type_index} of {memory_type_count}")
            }
            R::LargerThanHeap { size, heap_size } => {
                write!(f, "{size} bytes from a heap of {heap_size}")
            }
            R::TooManyAllocations { max } => write!(f, "all {max} allocations are taken"),
            R::DedicatedToTwo { buffer, image } => {
                write!(f, "dedicated to buffer {buffer:#x} and to image {image:#x}")
            }
            R::DedicatedSize { kind, size, required } => {
                write!(f, "{size} bytes dedicated to one {kind}, which requires {required}")
            }
            R::Leak { kind, handle } => write!(f, "{kind} {handle:#x} was left behind"),
            R::LargerThanMaxSize { size, max } => {
                write!(f, "{size} bytes, but maxMemoryAllocationSize is {max}")
            }
            R::FreedWithBound { memory, bound_count } => {
                write!(f, "memory {memory:#x} is freed with {bound_count} resources bound to it")
            }
            R::MappedTwice { .. }
            | R::NotHostVisible { .. }
            | R::MapOffset { .. }
            | R::MapSize { .. }
            | R::NotMapped { .. }
            | R::RangeOutsideMapping { .. }
            | R::RangeOffsetNotOnAtom { .. }
            | R::RangeEndNotOnAtom { .. }
            | R::MappingEndNotOnAtom { .. } => self.fmt_mapping(f),
            _ => self.fmt_binding(f),
        }
    }
}

impl Rule {
    fn fmt_mapping(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Rule as R;
        match *self {
            R::MappedTwice { memory } => write!(f, "memory {memory:#x} is mapped already"),
            R::NotHostVisible { memory_type_index } => {
                write!(f, "memory type {memory_type_index} is not host-visible")
            }
            R::MapOffset { offset, memory_size } => {
                write!(f, "offset {offset} is not in a memory of {memory_size} bytes")
            }
            R::MapSize { offset, size, memory_size } => {
                write!(f, "{size} bytes from offset {offset} leave a memory of {memory_size} bytes")
            }
            R::NotMapped { memory } => write!(f, "memory {memory:#x} is not mapped"),
            R::RangeOutsideMapping { offset, size, mapped_offset, mapped_size } => write!(
                f,
                "{size} bytes from offset {offset} leave the mapped {mapped_size} bytes from \
                 offset {mapped_offset}"
            ),
            R::RangeOffsetNotOnAtom { offset, atom } => {
                write!(f, "offset {offset} is not a multiple of nonCoherentAtomSize, {atom}")
            }
            R::RangeEndNotOnAtom { end, atom } => write!(
                f,
                "end {end} is neither a multiple of nonCoherentAtomSize, {atom}, nor the memory's"
            ),
            R::MappingEndNotOnAtom { end, atom } => write!(
                f,
                "the mapping's end {end} is neither a multiple of nonCoherentAtomSize, {atom}, \
                 nor the memory's"
            ),
            _ => fmt::Debug::fmt(self, f),
        }
    }

    fn fmt_binding(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Rule as R;
        match *self {
            R::BoundTwice { kind, handle } => write!(f, "{kind} {handle:#x} has memory already"),
            R::BindOffset { kind, offset, memory_size } => {
                write!(f, "{kind} at offset {offset} of a memory of {memory_size} bytes")
            }
            R::BindSize { kind, offset, required, memory_size } => write!(
                f,
                "{kind} of {required} bytes at offset {offset} leaves a memory of {memory_size}"
            ),
            R::BindAlignment { kind, offset, alignment } => {
                write!(f, "{kind} at offset {offset}, which is not a multiple of {alignment}")
            }
            R::BindMemoryType { kind, memory_type_index, memory_type_bits } => write!(
                f,
                "{kind} in memory type {memory_type_index}, but it allows {memory_type_bits:#x}"
            ),
            R::BindDedicatedElsewhere { kind, handle, offset } => write!(
                f,
                "{kind} {handle:#x} at offset {offset} of memory dedicated to another or at 0 only"
            ),
            R::BindNotDedicated { kind, handle } => {
                write!(f, "{kind} {handle:#x} requires memory dedicated to it")
            }
            R::MissingDeviceAddressFlag { buffer, memory } => write!(
                f,
                "buffer {buffer:#x} has device-address usage, memory {memory:#x} not the flag"
            ),
            R::AddressOfUnbound { buffer } => write!(f, "buffer {buffer:#x} has no memory"),
            R::AddressWithoutUsage { buffer } => {
                write!(f, "buffer {buffer:#x} has no device-address usage")
            }
            _ => fmt::Debug::fmt(self, f),
        }
    }
}

//! What each rule's breach reads like.

use std::fmt;

use super::Rule;

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
            R::DeviceCoherentMemory { memory_type_index } => {
                write!(f, "memory type {memory_type_index} needs the feature deviceCoherentMemory")
            }
            R::PriorityOutOfRange { priority_bits } => {
                write!(f, "priority {} is not between 0 and 1", f32::from_bits(priority_bits))
            }
            R::Leak { kind, handle } => write!(f, "{kind} {handle:#x} was left behind"),
            R::LargerThanMaxSize { size, max } => {
                write!(f, "{size} bytes, but maxMemoryAllocationSize is {max}")
            }
            R::FreedWithBound { memory, bound_count } => {
                write!(f, "memory {memory:#x} is freed with {bound_count} resources bound to it")
            }
            R::OverBudget { heap_index, bytes, budget } => {
                write!(f, "{bytes} bytes from heap {heap_index}, whose budget is {budget}")
            }
            R::Overlap { memory, first, second } => {
                write!(f, "{first:#x} and {second:#x} overlap in memory {memory:#x}")
            }
            R::SharedGranule { memory, linear, optimal } => write!(
                f,
                "linear {linear:#x} and non-linear {optimal:#x} share a page of \
                 bufferImageGranularity in memory {memory:#x}"
            ),
            R::SharedAtom { memory, first, second } => write!(
                f,
                "{first:#x} and {second:#x} share a non-coherent atom of memory {memory:#x}"
            ),
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
            _ => self.fmt_command(f),
        }
    }
}

//! What the user holds.

use core::num::NonZeroU32;
use core::ptr::NonNull;

use ash::vk;
use vk_pool::{ClassId, Place};

use crate::mapped::MappedPtr;

/// Memory that belongs to its holder until it is given back to
/// [`GpuAllocator::free`](crate::GpuAllocator::free) or `destroy_*`.
///
/// It cannot be copied, so freeing twice does not compile:
///
/// ```compile_fail,E0382
/// # use gpu_alloc_ash::{Allocation, GpuAllocator};
/// # unsafe fn twice(allocator: &GpuAllocator, allocation: Allocation) {
/// unsafe { allocator.free(allocation) };
/// unsafe { allocator.free(allocation) };
/// # }
/// ```
///
/// Nothing happens when it is dropped: the memory stays allocated, and
/// [`leaks`](crate::GpuAllocator::leaks) names it.
#[derive(Debug)]
#[must_use = "an allocation that is dropped stays allocated"]
pub struct Allocation {
    pub(crate) memory: vk::DeviceMemory,
    /// Host address of the allocation's first byte, iff its memory is mapped.
    pub(crate) mapped: Option<MappedPtr>,
    pub(crate) home: Home,
    // Not zero, so that `Option<Allocation>` is told apart by it, and is copied in whole words.
    pub(crate) allocator_id: NonZeroU32,
    /// The class of the pool, if it is in one.
    pub(crate) class: ClassId,
    /// Below 32, by `VK_MAX_MEMORY_TYPES`.
    pub(crate) memory_type_index: u8,
    /// The shard of its memory type that keeps its books.
    pub(crate) shard: u8,
    /// What else there is to know about it.
    pub(crate) notes: Notes,
}

/// What is to be done when an allocation is freed, beyond giving its place back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Notes(u8);

impl Notes {
    pub(crate) const NONE: Self = Self(0);
    /// The side table has a name for it.
    pub(crate) const NAMED: Self = Self(1);
    /// A margin behind it was written, and is in the list of guards.
    pub(crate) const GUARDED: Self = Self(2);
    /// It is filled when it is freed.
    pub(crate) const FILLED: Self = Self(4);
    /// Zeroes were asked for, and the device has to write them. Alone, it asks for nothing.
    pub(crate) const UNZEROED: Self = Self(8);

    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }
}

/// Who keeps the books of an allocation.
#[derive(Debug)]
pub(crate) enum Home {
    /// The pool of the allocation's memory type and class.
    Pool(Place),
    /// The list of external memory objects.
    External { index: u32, size: u64 },
}

const _: () = assert!(size_of::<Allocation>() <= 64);
const _: () = assert!(size_of::<Option<Allocation>>() == size_of::<Allocation>());

impl Allocation {
    /// The memory object to bind to, at [`offset`](Self::offset). It may be shared: never free or
    /// map it.
    #[must_use]
    pub fn memory(&self) -> vk::DeviceMemory {
        self.memory
    }

    /// Bytes from the start of the memory object.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match &self.home {
            Home::Pool(place) => place.offset(),
            Home::External { .. } => 0,
        }
    }

    /// Bytes that may be used: as many as were asked for.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.home {
            Home::Pool(place) => place.size(),
            Home::External { size, .. } => *size,
        }
    }

    /// Whether the memory object holds this allocation alone, and was made for it.
    #[must_use]
    pub fn is_dedicated(&self) -> bool {
        matches!(&self.home, Home::Pool(place) if place.is_dedicated())
    }

    /// Whether the memory object was made elsewhere.
    #[must_use]
    pub fn is_external(&self) -> bool {
        matches!(self.home, Home::External { .. })
    }

    /// The memory type it is of.
    #[must_use]
    pub fn memory_type_index(&self) -> u32 {
        u32::from(self.memory_type_index)
    }

    /// Host address of the first byte; `None` if the memory type is not host-visible.
    ///
    /// Valid until the allocation is freed. Non-coherent memory has to be flushed after writing and
    /// invalidated before reading; [`write`](crate::GpuAllocator::write) and
    /// [`read`](crate::GpuAllocator::read) do that.
    #[must_use]
    pub fn mapped_ptr(&self) -> Option<NonNull<u8>> {
        self.mapped.map(MappedPtr::get)
    }

    /// Whether [`zeroed`](crate::AllocationRequest::zeroed) memory was asked for, and the host could not
    /// write the zeroes: the memory is not host-visible, or it is for an image whose texels only the device
    /// can write. The device has to, for example by
    /// [`record_zeroes`](crate::GpuAllocator::record_zeroes) or
    /// [`record_clear`](crate::GpuAllocator::record_clear), before anything reads it.
    #[must_use]
    pub fn needs_zeroing(&self) -> bool {
        self.notes.contains(Notes::UNZEROED)
    }

    /// Whether it reaches to the end of its memory object, so that a flush range may end there
    /// instead of on an atom.
    pub(crate) fn is_whole_object(&self) -> bool {
        self.is_dedicated() || self.is_external()
    }
}

/// A memory type index as allocations store it.
#[inline]
pub(crate) fn type_number(memory_type_index: u32) -> u8 {
    // A device has at most 32 memory types.
    memory_type_index.to_le_bytes()[0]
}

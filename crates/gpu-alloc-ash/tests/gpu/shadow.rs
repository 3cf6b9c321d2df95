//! What is taken of every memory object, beside the allocator's own books.
//!
//! Basic design: an ordered map from (memory object, first byte) to the end of each live
//! allocation. A new one is compared with its two neighbours: they may not overlap, may not share
//! a granule with a resource of the other kind (Vulkan spec, "Buffer-Image Granularity"), nor an
//! atom of memory that has to be flushed.

use std::collections::BTreeMap;

use ash::vk::Handle;
use gpu_alloc_ash::{Allocation, MemoryPropertyFlags};

use crate::support::Gpu;

/// The live allocations by place.
pub(crate) struct Shadow {
    granularity: u64,
    atom_size: u64,
    taken: BTreeMap<(u64, u64), Taken>,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    start: u64,
    end: u64,
    is_linear: bool,
}

impl Shadow {
    pub(crate) fn new(gpu: &Gpu) -> Self {
        let limits = &gpu.boot.limits;
        let (granularity, atom_size) =
            (limits.buffer_image_granularity.max(1), limits.non_coherent_atom_size.max(1));
        Self { granularity, atom_size, taken: BTreeMap::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.taken.len()
    }

    /// Enters a new allocation.
    #[track_caller]
    pub(crate) fn insert(&mut self, gpu: &Gpu, allocation: &Allocation, is_linear: bool) {
        let key = key(allocation);
        let (start, end) = (key.1, key.1 + allocation.size());
        let new = Taken { start, end, is_linear };
        let flags = gpu.flags_of_type(allocation.memory_type_index()).as_raw();
        let flags = MemoryPropertyFlags::from_bits_retain(flags);
        let is_flushed = flags.contains(MemoryPropertyFlags::HOST_VISIBLE)
            && !flags.contains(MemoryPropertyFlags::HOST_COHERENT);
        let atom_size = if is_flushed { self.atom_size } else { 1 };
        assert_eq!(start % atom_size, 0, "{new:?} starts inside of an atom");
        let object = |&(memory, _): &(u64, u64)| memory == key.0;
        let before = self.taken.range(..=key).next_back().filter(|(key, _)| object(key));
        let after = self.taken.range(key..).next().filter(|(key, _)| object(key));
        if let Some((_, &before)) = before {
            self.assert_apart(before, new, atom_size);
        }
        if let Some((_, &after)) = after {
            self.assert_apart(new, after, atom_size);
        }
        self.taken.insert(key, new);
    }

    /// Takes an allocation out; to be done before it is freed, since another thread may have its
    /// place right after.
    #[track_caller]
    pub(crate) fn remove(&mut self, allocation: &Allocation) {
        assert!(self.taken.remove(&key(allocation)).is_some(), "it was entered");
    }

    #[track_caller]
    fn assert_apart(&self, first: Taken, second: Taken, atom_size: u64) {
        let unit = if first.is_linear == second.is_linear { 1 } else { self.granularity };
        let unit = unit.max(atom_size);
        assert!(
            first.end.next_multiple_of(unit) <= second.start - second.start % unit,
            "{first:?} and {second:?} share {unit} bytes"
        );
    }
}

fn key(allocation: &Allocation) -> (u64, u64) {
    (allocation.memory().as_raw(), allocation.offset())
}

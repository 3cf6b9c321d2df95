//! What every peer is made to do: a list of operations on slots, the same for all.
//!
//! # Basic design
//!
//! A program is made before any clock runs, from a seed, and knows nothing of any allocator: it says
//! "allocate this size at this alignment into slot 7" and "free slot 7". So no peer's answers steer
//! the work of another, and the generator of random numbers is in nobody's figure. An allocation
//! that a peer refuses leaves its slot empty, and freeing an empty slot does nothing; how many were
//! refused is part of the report.

/// One operation: an allocation into a slot, or (of size 0) the release of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) slot: u32,
    /// In bytes, a multiple of [`UNIT`]; 0 frees.
    pub(crate) size: u32,
    /// In bytes, a power of two of at least [`UNIT`].
    pub(crate) alignment: u32,
}

/// All sizes are multiples of this, and all alignments at least this: 256 bytes is what real devices
/// ask for buffers, and the smallest block of every peer that has such a setting.
pub(crate) const UNIT: u32 = 256;

impl Operation {
    pub(crate) fn allocate(slot: u32, size: u32) -> Self {
        Self::allocate_aligned(slot, size, UNIT)
    }

    pub(crate) fn allocate_aligned(slot: u32, size: u32, alignment: u32) -> Self {
        debug_assert!(size != 0 && size.is_multiple_of(UNIT) && alignment >= UNIT);
        Self { slot, size, alignment }
    }

    pub(crate) fn free(slot: u32) -> Self {
        Self { slot, size: 0, alignment: UNIT }
    }

    pub(crate) fn is_allocation(self) -> bool {
        self.size != 0
    }
}

/// In which order a program frees; some peers can do only some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The youngest first, always.
    LastInFirstOut,
    /// The oldest first, always.
    FirstInFirstOut,
    /// In any order, but everything before the next is allocated.
    AllAtOnce,
    Random,
}

/// What is read off a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Time of an allocation and its release, over the measured part.
    Pair,
    /// The slowest single operation, over the whole program.
    WorstOperation,
}

/// A program with its region, and a name under which its figures are known.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Sizes, loads and orders in a line for people.
    pub(crate) about: &'static str,
    pub(crate) figure: Figure,
    pub(crate) order: Order,
    /// In bytes, a power of two.
    pub(crate) region_size: u64,
    pub(crate) slot_count: usize,
    pub(crate) operations: Vec<Operation>,
    /// How many of the operations come first and are not measured.
    pub(crate) prelude: usize,
}

impl Case {
    /// The most allocations that live at once: each has a slot.
    pub(crate) fn max_live(&self) -> usize {
        self.slot_count
    }
}

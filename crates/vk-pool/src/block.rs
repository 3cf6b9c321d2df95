//! One memory object of a pool.

use crate::suballocator::Rooms;
use crate::{BlockId, Lease, Suballocator};

/// A memory object: carved up, or the property of one allocation.
// What every operation reads lies side by side, up to the first of what the suballocator is.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Block {
    /// Where it starts in its memory object: 0 but for leases.
    pub(crate) base: u64,
    /// What its start is aligned to: more than anybody can ask for, but for leases.
    pub(crate) alignment: u64,
    /// What the index knows of the suballocator's rooms.
    pub(crate) rooms: Rooms,
    pub(crate) content: Content,
    pub(crate) size: u64,
    pub(crate) id: BlockId,
    /// Whose room it is, if it is not a memory object.
    pub(crate) lease: Option<Lease>,
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a pointer would cost every allocation a cache miss, and dedicated objects are few"
)]
pub(crate) enum Content {
    Carved(Suballocator),
    Dedicated,
}

/// One memory object, as reports see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockReport {
    /// The name it was handed in with.
    pub id: BlockId,
    /// Its slot in the pool.
    pub slot: u32,
    /// Its bytes.
    pub size: u64,
    /// Bytes taken, rounding and what is lent included; all of them for dedicated memory.
    pub used: u64,
    /// Allocations and leases that live in it.
    pub allocation_count: u64,
    /// Whether it is the property of one allocation.
    pub dedicated: bool,
    /// Whether it is a [`Lease`]: a piece of another pool's block.
    pub leased: bool,
}

/// One live allocation, as the pool's books have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LiveAllocation {
    /// The block it lives in.
    pub block: BlockId,
    /// That block's slot.
    pub slot: u32,
    /// Bytes from the start of the memory object.
    pub offset: u64,
    /// Bytes taken, rounding included.
    pub size: u64,
    /// Whether the memory object is its own.
    pub dedicated: bool,
}

impl Block {
    /// A block that is a lease, or else a memory object.
    pub(crate) fn new(id: BlockId, size: u64, content: Content, lease: Option<Lease>) -> Self {
        let (base, alignment) =
            lease.as_ref().map_or((0, u64::MAX), |lease| (lease.offset(), lease.alignment()));
        let rooms = match &content {
            Content::Carved(suballocator) => suballocator.rooms(),
            Content::Dedicated => Rooms::default(),
        };
        Self { base, alignment, rooms, content, size, id, lease }
    }

    pub(crate) fn report(&self, slot: u32) -> BlockReport {
        let (used, allocation_count, dedicated) = match &self.content {
            Content::Carved(carved) => (carved.used_size(), carved.allocation_count(), false),
            Content::Dedicated => (self.size, 1, true),
        };
        let (id, size, leased) = (self.id, self.size, self.lease.is_some());
        BlockReport { id, slot, size, used, allocation_count, dedicated, leased }
    }

    /// The bookkeeping of a carved block.
    pub(crate) fn suballocator(&self) -> Option<&Suballocator> {
        match &self.content {
            Content::Carved(suballocator) => Some(suballocator),
            Content::Dedicated => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.suballocator().is_some_and(|suballocator| suballocator.allocation_count() == 0)
    }

    /// Live allocations in address order.
    pub(crate) fn live(&self, slot: u32) -> impl Iterator<Item = LiveAllocation> + '_ {
        let (pieces, whole) = match &self.content {
            Content::Carved(suballocator) => (Some(suballocator.pieces()), None),
            Content::Dedicated => (None, Some((0, self.size))),
        };
        let dedicated = whole.is_some();
        pieces.into_iter().flatten().chain(whole).map(move |(offset, size)| LiveAllocation {
            block: self.id,
            slot,
            offset: self.base + offset,
            size,
            dedicated,
        })
    }
}

//! One memory object of a pool.

use crate::{BlockId, Suballocator};

/// A memory object: carved up, or the property of one allocation.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) id: BlockId,
    pub(crate) size: u64,
    pub(crate) content: Content,
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a pointer would cost every allocation a cache miss, and dedicated objects are few"
)]
pub(crate) enum Content {
    Carved {
        suballocator: Suballocator,
        /// Bytes taken, rounding included. Zero iff `allocation_count` is.
        used: u64,
        allocation_count: u64,
    },
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
    /// Bytes taken, rounding included; all of them for dedicated memory.
    pub used: u64,
    /// Allocations that live in it.
    pub allocation_count: u64,
    /// Whether it is the property of one allocation.
    pub dedicated: bool,
}

/// One live allocation, as the pool's books have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LiveAllocation {
    /// The block it lives in.
    pub block: BlockId,
    /// That block's slot.
    pub slot: u32,
    /// Bytes from the start of the block.
    pub offset: u64,
    /// Bytes taken, rounding included.
    pub size: u64,
    /// Whether the memory object is its own.
    pub dedicated: bool,
}

impl Block {
    pub(crate) fn report(&self, slot: u32) -> BlockReport {
        let (used, allocation_count, dedicated) = match self.content {
            Content::Carved { used, allocation_count, .. } => (used, allocation_count, false),
            Content::Dedicated => (self.size, 1, true),
        };
        BlockReport { id: self.id, slot, size: self.size, used, allocation_count, dedicated }
    }

    /// The bookkeeping of a carved block.
    pub(crate) fn suballocator(&self) -> Option<&Suballocator> {
        match &self.content {
            Content::Carved { suballocator, .. } => Some(suballocator),
            Content::Dedicated => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.content, Content::Carved { allocation_count: 0, .. })
    }

    /// Live allocations in address order.
    pub(crate) fn live(&self, slot: u32) -> impl Iterator<Item = LiveAllocation> + '_ {
        let (pieces, whole) = match &self.content {
            Content::Carved { suballocator, .. } => (Some(suballocator.pieces()), None),
            Content::Dedicated => (None, Some((0, self.size))),
        };
        let dedicated = whole.is_some();
        pieces.into_iter().flatten().chain(whole).map(move |(offset, size)| LiveAllocation {
            block: self.id,
            slot,
            offset,
            size,
            dedicated,
        })
    }
}

//! What passes between a pool and its owner. None of it can be copied: each value stands for
//! something that must happen exactly once.

use alloc::sync::Arc;
use core::num::NonZeroU32;

use crate::{BlockId, ClassId, HeapBudgets, Lease, PoolBooks};

/// What a pool answers to a request.
#[derive(Debug)]
#[must_use = "an answer holds a place or a block request that would be lost"]
pub enum Answer {
    /// There it is.
    Placed(Place),
    /// A new memory object is needed: reserve, make it, and hand it in, or cancel.
    NeedBlock(BlockRequest),
    /// A block that will hold this request is on its way: ask again when
    /// [`MemoryPool::is_pending`](crate::MemoryPool::is_pending) says that the ticket is resolved.
    Pending(Ticket),
}

/// Names a block that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(crate) u64);

/// The bytes that one allocation owns: a piece of a block, or a whole memory object.
///
/// Must be given to [`MemoryPool::free`](crate::MemoryPool::free) of the pool that made it; if it is
/// dropped instead, the allocation stays in the pool's books.
#[derive(Debug, PartialEq, Eq, Hash)]
#[must_use = "a place that is dropped stays allocated"]
pub struct Place {
    pub(crate) offset: u64,
    pub(crate) size: u64,
    /// The slot, and [`DEDICATED`](Self::DEDICATED) if the memory object is its own.
    pub(crate) name: u32,
    // Not zero, so that what holds a place or something else is no larger than a place.
    pub(crate) generation: NonZeroU32,
    pub(crate) node: u32,
}

impl Place {
    /// In the name: no slot of a block has it.
    pub(crate) const DEDICATED: u32 = 1 << 31;

    /// Bytes from the start of the memory object.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes that were asked for; what was rounded up on top of it is nobody's.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The block's slot in the pool: dense, below [`MemoryPool::slot_count`], reused after the
    /// block was given back. An index for what the owner keeps beside each block.
    ///
    /// [`MemoryPool::slot_count`]: crate::MemoryPool::slot_count
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.name & !Self::DEDICATED
    }

    /// Whether the allocation has a memory object of its own.
    #[must_use]
    pub fn is_dedicated(&self) -> bool {
        self.name & Self::DEDICATED != 0
    }
}

/// A memory object that the pool needs. Ends in
/// [`add_block`](crate::MemoryPool::add_block),
/// [`add_empty_block`](crate::MemoryPool::add_empty_block) or [`cancel`](crate::MemoryPool::cancel).
#[derive(Debug)]
#[must_use = "a block request that is dropped makes others wait for ever"]
pub struct BlockRequest {
    pub(crate) books: Arc<PoolBooks>,
    pub(crate) memory_type_index: u32,
    pub(crate) heap_index: u32,
    pub(crate) class: ClassId,
    pub(crate) ticket: Ticket,
    /// Bytes of the memory object.
    pub(crate) size: u64,
    /// The smallest block that would still hold the request.
    pub(crate) needed: u64,
    pub(crate) dedicated: bool,
    /// The request that waits for it, rounded as the pool's rules want it; `None` where the pool alone
    /// wants the block.
    pub(crate) fitted: Option<Fitted>,
}

/// A request after the rounding of kind and atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fitted {
    /// Bytes the caller may use.
    pub(crate) requested: u64,
    /// Bytes to be taken.
    pub(crate) size: u64,
    pub(crate) alignment: u64,
    /// From the upper end of a block.
    pub(crate) upper: bool,
}

impl BlockRequest {
    /// Bytes that the memory object must have.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The memory type that it must be of.
    #[must_use]
    pub fn memory_type_index(&self) -> u32 {
        self.memory_type_index
    }

    /// The heap of that type.
    #[must_use]
    pub fn heap_index(&self) -> u32 {
        self.heap_index
    }

    /// What it must be made with beyond type and size.
    #[must_use]
    pub fn class(&self) -> ClassId {
        self.class
    }

    /// Whether it will hold exactly one allocation.
    #[must_use]
    pub fn is_dedicated(&self) -> bool {
        self.dedicated
    }

    /// Whether an allocation waits for it, so that it belongs in
    /// [`add_block`](crate::MemoryPool::add_block), and not in
    /// [`add_empty_block`](crate::MemoryPool::add_empty_block).
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.fitted.is_some()
    }

    /// What others wait for meanwhile.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }
}

/// A memory object that no pool uses any more: free it, then tell
/// [`HeapBudgets::released`](crate::HeapBudgets::released). Or a lease that its borrower does not use
/// any more: see [`into_lease`](Self::into_lease).
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the memory object is to be freed, and its bytes taken out of the books"]
pub struct ReturnedBlock {
    pub(crate) id: BlockId,
    pub(crate) slot: u32,
    pub(crate) heap_index: u32,
    pub(crate) size: u64,
    pub(crate) dedicated: bool,
    pub(crate) lease: Option<Lease>,
    /// Where those lie whose books it is in.
    pub(crate) budgets: usize,
}

impl ReturnedBlock {
    /// Whether it is in the books of these budgets.
    pub(crate) fn is_of(&self, budgets: &HeapBudgets) -> bool {
        self.budgets == core::ptr::from_ref(budgets).addr()
    }

    /// The lease that this is, to be given to [`end_lease`](crate::MemoryPool::end_lease) of its
    /// lender.
    ///
    /// # Errors
    ///
    /// The value itself, if it is a memory object.
    pub fn into_lease(mut self) -> Result<Lease, Self> {
        self.lease.take().ok_or(self)
    }

    /// The name it was handed in with.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// The slot it had.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.slot
    }

    /// Its heap.
    #[must_use]
    pub fn heap_index(&self) -> u32 {
        self.heap_index
    }

    /// Its bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether it held exactly one allocation.
    #[must_use]
    pub fn is_dedicated(&self) -> bool {
        self.dedicated
    }
}

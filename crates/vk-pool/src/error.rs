//! What can go wrong, by operation. Nothing has changed when one of these is returned.

use crate::linear::LinearKind;
use crate::{BlockId, CustomFault};

/// A configuration that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A field that must be a power of two is not.
    #[error("{field} is {value}, which is not a power of two")]
    NotPowerOfTwo {
        /// The field's name.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// One field must not be larger than another, and is.
    #[error("{smaller} is {small} bytes, more than the {large} bytes of {larger}")]
    OutOfOrder {
        /// The field that must not be larger.
        smaller: &'static str,
        /// Its value in bytes.
        small: u64,
        /// The field that bounds it.
        larger: &'static str,
        /// Its value in bytes.
        large: u64,
    },
    /// The largest block would have more pieces than its algorithm can keep the books of. Make the
    /// smallest piece larger.
    #[error(
        "a block of {largest_block_size} bytes has too many pieces of {min_allocation_size} bytes"
    )]
    TooManyPieces {
        /// The largest block in bytes.
        largest_block_size: u64,
        /// The smallest piece in bytes.
        min_allocation_size: u64,
    },
    /// Fewer blocks at most than at least, or none at most.
    #[error(
        "at least {min_block_count} blocks are wanted, and at most {max_block_count}, which must be 1 or more"
    )]
    BlockCounts {
        /// The pool's `min_block_count`.
        min_block_count: u32,
        /// The pool's `max_block_count`.
        max_block_count: u32,
    },
    /// A double stack and a ring make sense on one block only: set `max_block_count` to 1.
    #[error("a linear pool of kind {kind:?} must have max_block_count 1")]
    NeedsOneBlock {
        /// The kind asked for.
        kind: LinearKind,
    },
    /// The heap is not one of the budgets'.
    #[error("heap {heap_index} does not exist, there are {heap_count}")]
    NoSuchHeap {
        /// The index asked for.
        heap_index: u32,
        /// How many heaps the budgets know.
        heap_count: u32,
    },
    /// More heaps than Vulkan's `VK_MAX_MEMORY_HEAPS`.
    #[error("{heap_count} heaps, Vulkan has at most 16")]
    TooManyHeaps {
        /// How many were given.
        heap_count: usize,
    },
}

/// A request that a pool of this configuration cannot serve: ever, or, for
/// [`PoolFull`](Self::PoolFull) and [`WrongAnswer`](Self::WrongAnswer), now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A size of zero bytes.
    #[error("an allocation of 0 bytes was asked for, the smallest is 1")]
    ZeroSize,
    /// The alignment is not a power of two.
    #[error("alignment {alignment} is not a power of two")]
    AlignmentNotPowerOfTwo {
        /// The alignment in bytes.
        alignment: u64,
    },
    /// Larger than the largest block, where a memory object of its own was forbidden. Allow
    /// dedicated memory, or raise the largest block size.
    #[error(
        "{size} bytes at alignment {alignment} do not fit into the largest block of {largest_block_size} bytes, and dedicated memory was ruled out"
    )]
    LargerThanBlock {
        /// Bytes asked for.
        size: u64,
        /// Alignment asked for.
        alignment: u64,
        /// The largest block of the pool in bytes.
        largest_block_size: u64,
    },
    /// A memory object of its own was asked for, and the pool has none such: ask another pool.
    #[error(
        "{size} bytes were to have a memory object of their own, which this pool does not allow"
    )]
    DedicatedNotAllowed {
        /// Bytes asked for.
        size: u64,
    },
    /// The blocks of this pool have no upper end: that takes a linear pool, of the automatic kind or a
    /// double stack, of one block at most.
    #[error(
        "the upper end was asked for, which only automatic and double-stack linear pools with max_block_count 1 have"
    )]
    NoUpperEnd,
    /// No block has room, and the pool has as many as it may have. Free something, or allow more.
    #[error("none of the pool's blocks has room, and it may have no more than {max_block_count}")]
    PoolFull {
        /// The pool's `max_block_count`.
        max_block_count: u32,
    },
    /// The pool's own algorithm has offered a piece that it must not. Nothing was handed out, and the
    /// block serves no further request until it is empty.
    #[error(transparent)]
    WrongAnswer(#[from] CustomFault),
}

/// A hard limit that a new block would pass. A smaller block, another memory type, or freeing
/// something may help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// Larger than the device's `maxMemoryAllocationSize`.
    #[error("{size} bytes are more than maxMemoryAllocationSize, {limit}")]
    AllocationSize {
        /// Bytes of the block.
        size: u64,
        /// The device's limit in bytes.
        limit: u64,
    },
    /// Larger than its whole heap.
    #[error("{size} bytes are more than the {heap_size} bytes of heap {heap_index}")]
    HeapSize {
        /// The heap.
        heap_index: u32,
        /// Bytes of the block.
        size: u64,
        /// Bytes of the heap.
        heap_size: u64,
    },
    /// The limit that the user set for the heap.
    #[error(
        "{size} bytes more would pass the limit of {limit} set for heap {heap_index}, {in_use} are in use"
    )]
    HeapLimit {
        /// The heap.
        heap_index: u32,
        /// Bytes of the block.
        size: u64,
        /// Bytes held or on their way.
        in_use: u64,
        /// The user's limit in bytes.
        limit: u64,
    },
    /// The number of blocks that the user set for the heap.
    #[error("heap {heap_index} has its limit of {limit} blocks")]
    BlockCount {
        /// The heap.
        heap_index: u32,
        /// The user's limit.
        limit: u32,
    },
    /// The device's `maxMemoryAllocationCount`, less the head-room.
    #[error("the device allows {limit} memory objects (head-room taken off), all are in use")]
    AllocationCount {
        /// The device's limit less the head-room.
        limit: u32,
    },
    /// The driver's budget of the heap, which is soft: a smaller block or another heap is better, and
    /// [`reserve_over_budget`](crate::HeapBudgets::reserve_over_budget) passes it.
    #[error(
        "{size} bytes more would pass the budget of {budget} of heap {heap_index}, {usage} are in use"
    )]
    Budget {
        /// The heap.
        heap_index: u32,
        /// Bytes of the block.
        size: u64,
        /// Bytes in use, by everybody.
        usage: u64,
        /// The budget in bytes.
        budget: u64,
    },
    /// The heap is not one of the budgets'.
    #[error("heap {heap_index} does not exist")]
    NoSuchHeap {
        /// The index asked for.
        heap_index: u32,
    },
}

/// Why a block was not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddBlockError {
    /// The request was not made by this pool, or it is not waiting any more.
    #[error("the block request is not one that this pool waits for")]
    UnknownRequest,
    /// The reservation is for another heap, size or set of budgets than the request.
    #[error("a reservation of {reserved} bytes does not belong to a request of {requested} bytes")]
    WrongReservation {
        /// Bytes reserved.
        reserved: u64,
        /// Bytes of the block request.
        requested: u64,
    },
    /// The lease is of another size, memory type, class or alignment than the request.
    #[error("a lease of {leased} bytes does not belong to a request of {requested} bytes")]
    WrongLease {
        /// Bytes leased.
        leased: u64,
        /// Bytes of the block request.
        requested: u64,
    },
    /// No allocation waits for it: it belongs in
    /// [`add_empty_block`](crate::MemoryPool::add_empty_block).
    #[error("no allocation waits for this block")]
    NotAwaited,
    /// It is dedicated memory, which no pool wants empty: it belongs in
    /// [`add_block`](crate::MemoryPool::add_block).
    #[error("dedicated memory cannot be taken in empty")]
    Dedicated,
    /// The pool's own algorithm has no room in an empty block for the request that asked for it, or has
    /// offered a piece that it must not. Cancel the request.
    #[error("the custom suballocator of an empty block of {size} bytes did not serve the request")]
    NotServed {
        /// Bytes of the block.
        size: u64,
        /// What was wrong with its answer; `None` if it had no room.
        fault: Option<CustomFault>,
    },
    /// The pool has a block of this name.
    #[error("block {} is in this pool already", id.0)]
    DuplicateBlock {
        /// The name handed in.
        id: BlockId,
    },
}

/// Why a block request could not be cancelled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CancelError {
    /// The request was not made by this pool, or it is not waiting any more.
    #[error("the block request is not one that this pool waits for")]
    UnknownRequest,
}

/// Why a place was not freed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FreeError {
    /// There is no such block: it was given back, or the place is another pool's.
    #[error("block slot {slot} (generation {generation}) is not in this pool")]
    UnknownBlock {
        /// The slot that the place names.
        slot: u32,
        /// Its generation.
        generation: u32,
    },
    /// The block has no live allocation that starts there.
    #[error("no live allocation starts at offset {offset} of block slot {slot}")]
    NotAllocated {
        /// The block's slot.
        slot: u32,
        /// Offset in bytes.
        offset: u64,
    },
}

/// A refusal that gives back what was handed in, so that nothing is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused<T, E> {
    /// What was handed in, unchanged.
    pub returned: T,
    /// Why it was refused.
    pub error: E,
}

impl<T, E: core::fmt::Display> core::fmt::Display for Refused<T, E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.error.fmt(f)
    }
}

impl<T: core::fmt::Debug, E: core::error::Error + 'static> core::error::Error for Refused<T, E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}

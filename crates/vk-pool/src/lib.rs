//! Which block an allocation goes to, when a new block is needed and how large, when memory
//! deserves an object of its own, and how far the books may grow: the decisions of a Vulkan
//! memory allocator, without a single driver call.
//!
//! ```text
//!  MemoryPool (one memory type, one class)
//!    ├─ block  16 MiB  [ a |   b   |  free        | c |  free ]   carved by a Suballocator
//!    ├─ block  32 MiB  [        d        |         free       ]
//!    └─ dedicated      [ e ]                                      exactly one resource
//! ```
//!
//! # The protocol
//!
//! The pool decides, its owner acts. No call of this crate waits for anything, so a lock around a
//! pool is held for nanoseconds, and the slow driver calls happen between two of them.
//!
//! 1. [`MemoryPool::allocate`] answers [`Answer::Placed`], or [`Answer::NeedBlock`], or, when a
//!    block that will hold this request is already on its way, [`Answer::Pending`].
//! 2. [`HeapBudgets::reserve`] gives a [`Reservation`] or refuses. Refused: try
//!    [`MemoryPool::shrink`], then another memory type. Dropping a reservation undoes it.
//! 3. The owner makes the memory object, with no lock held.
//! 4. [`MemoryPool::add_block`] inserts it *and places the waiting request* in one step, or
//!    [`MemoryPool::cancel`] undoes step 1. Either one resolves the [`Ticket`] that others wait for.
//! 5. [`MemoryPool::free`] answers the block that is superfluous now, if any. Its bytes leave the
//!    books in [`HeapBudgets::released`], after the memory object is gone.
//!
//! Where several pools of one memory type and class are used by a thread each, step 2 to 4 have a second
//! form: [`MemoryPool::lease`] of another pool lets the first one have room of its blocks, and
//! [`MemoryPool::add_lease`] takes that in.
//!
//! # Pools of a fixed shape
//!
//! [`PoolConfig`] says how many blocks there may be and have to be, of which size, and what carves
//! them: [two tiers](two_tier), the [segregated fit](tlsf), [buddies](buddy_core), [in a row](linear), or
//! a [user's own algorithm](CustomSuballocator). Blocks that have to be there from the start are asked for
//! by [`MemoryPool::missing_block`], and taken in by [`MemoryPool::add_empty_block`].
//!
//! Allocations may be made so that they can be lost when such a pool is full: see [`evict`].
//!
//! # Example
//!
//! The owner of the pool is played by a few integers:
//!
//! ```
//! use std::sync::Arc;
//! use vk_pool::{
//!     Answer, BlockId, DeviceLimits, HeapBudget, HeapBudgets, HeapLimits, MemoryPool, PoolBooks, PoolConfig,
//!     PoolRequest,
//! };
//!
//! let heap = HeapLimits { size: 8 << 30, ..HeapLimits::default() };
//! let budgets = Arc::new(HeapBudgets::new(DeviceLimits::default(), &[heap])?);
//! let books = Arc::new(PoolBooks::new());
//! let mut pool = MemoryPool::new(PoolConfig::default(), budgets.clone(), books)?;
//!
//! let request = PoolRequest { size: 1000, alignment: 16, ..PoolRequest::default() };
//! let Answer::NeedBlock(need) = pool.allocate(&request)? else { panic!("the pool is empty") };
//! assert_eq!(need.size(), 16 << 20);
//!
//! let reservation = budgets.reserve(&need)?;
//! let memory_object = 7; // made by the driver, with no lock held
//! let place = pool.add_block(need, reservation, BlockId(memory_object)).expect("both are ours");
//! assert_eq!((place.offset(), place.size()), (0, 1000));
//!
//! // The block stays as a retained empty one, until somebody trims.
//! assert!(pool.free(place).expect("it is live").is_none());
//! let spent = pool.trim().expect("one empty block is retained");
//! assert_eq!(spent.id(), BlockId(memory_object));
//! budgets.released(spent); // after the driver has freed it
//! assert_eq!(budgets.usage(0).expect("heap 0 exists").committed, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Does not
//!
//! - call Vulkan, hold handles or pointers, map anything;
//! - choose memory types: one pool is one type;
//! - lock or wait: it takes `&mut self`, and [`HeapBudgets`] and [`PoolBooks`] are atomics;
//! - know what a [`ClassId`] means: pools of one type that must not share blocks differ in it.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

extern crate alloc;

mod algorithm;
mod answer;
mod block;
mod books;
mod buckets;
mod budgets;
mod candidates;
mod config;
mod custom;
mod error;
pub mod evict;
mod growth;
mod limits;
pub mod linear;
mod live;
mod oldest;
mod pending;
mod pool;
mod request;
mod reservation;
mod rounding;
mod search;
mod slots;
mod stats;
mod suballocator;
pub mod tlsf;
pub mod two_tier;
mod visits;
mod way;
mod window;

pub use algorithm::Algorithm;
pub use answer::{Answer, BlockRequest, Place, ReturnedBlock, Ticket};
pub use block::{BlockReport, LiveAllocation};
pub use books::PoolBooks;
pub use budgets::HeapBudgets;
pub use config::{PoolConfig, Retention};
pub use custom::{
    BlockShape, CustomAlgorithm, CustomBlock, CustomFault, CustomSuballocator, PieceRequest,
};
pub use error::{
    AddBlockError, CancelError, ConfigError, FreeError, LimitError, Refused, RequestError,
};
pub use limits::{DeviceLimits, HeapBudget, HeapLimits, HeapUsage};
pub use pool::{Lease, MemoryPool};
pub use request::{BlockId, ClassId, Dedicated, PoolRequest, ResourceKind};
pub use reservation::Reservation;
pub use stats::PoolStats;
pub use suballocator::{Piece, Suballocator, SuballocatorError};

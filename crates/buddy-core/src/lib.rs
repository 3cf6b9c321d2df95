//! Exact buddy allocation over a range of numbers, without `std`.
//!
//! A [`BuddyAllocator`] hands out pieces of a region `[0, size)`: device memory, shared memory,
//! a file, an address space. It holds none of that, only two bits for each minimum block, and
//! answers with an offset and a size. A request is rounded up to the minimum block size times a
//! power of two, and a larger block is split in halves until one fits. A freed block merges with
//! its other half, its *buddy*, for as long as that is free too, so a region whose blocks are all
//! freed is one whole again. Every free is checked exactly: what is not a live allocation, by
//! offset and size, is refused, and nothing changes.
//!
//! ```text
//! 8 KiB, minimum block 1 KiB            order 3       2       1       0
//!
//!  0                       8 KiB
//! ┌───────────────────────────────┐
//! │             free              │     free
//! └───────────────────────────────┘
//!            allocate(1 KiB): three splits, the left half is split on
//! ┌───┬───┬───────┬───────────────┐
//! │ A │   │ free  │     free      │     split   free    free    A, free
//! └───┴───┴───────┴───────────────┘
//!            allocate(2 KiB): no split, a block of order 1 is there
//! ┌───┬───┬───────┬───────────────┐
//! │ A │   │   B   │     free      │     split   free    B       A, free
//! └───┴───┴───────┴───────────────┘
//!            free(A): one merge, then the buddy B stands in the way
//! ┌───────┬───────┬───────────────┐
//! │ free  │   B   │     free      │     split   free    free, B
//! └───────┴───────┴───────────────┘
//! ```
//!
//! # Example
//!
//! ```
//! use buddy_core::{AllocError, BuddyAllocator, BuddyBlock, FreeError};
//!
//! let mut region = BuddyAllocator::new(8192, 1024)?;
//! let a = region.allocate(700)?;
//! let b = region.allocate(2048)?;
//! assert_eq!(a, BuddyBlock { offset: 0, size: 1024 });
//! assert_eq!(b, BuddyBlock { offset: 2048, size: 2048 });
//!
//! // A refusal says how far off the request was.
//! assert_eq!(
//!     region.allocate(5000),
//!     Err(AllocError::OutOfMemory { size: 5000, alignment: 1, largest_free_block: 4096 })
//! );
//!
//! region.free(a)?;
//! assert_eq!(region.free(a), Err(FreeError::NotAllocated { offset: 0, size: 1024 }));
//! assert!(region.taken_blocks().eq([b]));
//!
//! region.free(b)?;
//! assert_eq!(region.largest_free_block(), 8192);
//! assert_eq!(region.stats().split_count, region.stats().merge_count);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Cost
//!
//! With *n* minimum blocks; a word is 64 bits. Nothing depends on how many allocations live.
//!
//! | operation | time | host memory |
//! |---|---|---|
//! | [`allocate`](BuddyAllocator::allocate), [`allocate_aligned`](BuddyAllocator::allocate_aligned) | one search, at most log2(n) splits | none |
//! | [`free`](BuddyAllocator::free) | at most log2(n) merges | none |
//! | [`resize`](BuddyAllocator::resize) | a step for each order and each free block taken in | none |
//! | [`largest_free_block`](BuddyAllocator::largest_free_block), [`stats`](BuddyAllocator::stats) | at most log2(n) | none |
//! | [`free_blocks`](BuddyAllocator::free_blocks), [`taken_blocks`](BuddyAllocator::taken_blocks) | a whole walk: free and taken blocks × log2(n) | none |
//! | [`fragmentation`](BuddyAllocator::fragmentation) | log2(n) | none |
//! | [`map`](BuddyAllocator::map) | a whole walk | none |
//! | `new`, `with_words`, [`reset`](BuddyAllocator::reset) | n / 32 words | `new`: one slice |
//! | [`validate`](BuddyAllocator::validate) | n | none |
//!
//! A search reads one word for each of at most six layers, a split or merge writes as many. The
//! bits are at most 2.1 for each minimum block, 3.15 where sizes are trimmed, from 22,000 minimum
//! blocks on; below that, the rounding of every order to whole words weighs more, up to a word for
//! an order and a word for each layer of its summaries. The allocator itself has about 1.4 KiB besides, for any size.
//!
//! # Host memory
//!
//! With the feature `arena`, `Arena` and `LockedArena` put a region over a slice of bytes, for the
//! collections of `allocator-api2` and `hashbrown`: `Vec`, `Box` and `HashMap` without a heap.
//!
//! # Choices
//!
//! - **Placement** is a pure function of the calls: the smallest free block that holds the
//!   request, and of those the one with the lowest offset.
//! - **Waiting**: the block freed last is merged only when the next one is freed, and a request of
//!   its size in between takes it as it is. No query can tell, and no request is refused for it.
//!   [`BuddyConfig::waiting`] turns it off, and placement is lowest offset first then without
//!   exception. A pair of calls for one size takes 6 ns with it and 67 ns without in an empty
//!   region of 2^18 minimum blocks; random churn takes the same time.
//! - **Rounding** to powers of two, or to minimum blocks: [`Rounding`] has what that costs.
//! - **Any total size** from one minimum block up will do. The region is cut into the blocks of
//!   its binary digits; a tail shorter than a minimum block is not managed and not counted. In a
//!   region of 3 minimum blocks the largest block has 2.
//! - **Storage**: `Owned` words (feature `alloc`, on by default), [`Fixed`] ones, lent by the
//!   caller, or an array, also in a `static`. None of them allocates after construction. For huge
//!   regions of which little is in use, `Paged` words come page by page, in
//!   [`allocate`](BuddyAllocator::allocate) and [`resize`](BuddyAllocator::resize) only.
//!
//! # Does not
//!
//! - touch, hold or know the memory it manages: it counts, and has no pointer and no `unsafe`, but
//!   for the feature `arena`;
//! - move blocks;
//! - tell a stale block from a live one that was handed out again with the same offset and size:
//!   they are the same value;
//! - lock: every change takes `&mut self`;
//! - store anything for the caller: a block is its offset and its size.
#![no_std]
#![deny(unsafe_code)]
#![deny(clippy::unwrap_used)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;

mod allocator;
#[cfg(feature = "arena")]
#[allow(unsafe_code)]
mod arena;
mod bits;
mod block;
mod config;
mod counters;
mod error;
mod extent;
mod fragmentation;
mod iter;
mod layout;
mod map;
mod storage;
mod summary;
mod tree;
mod validate;
mod view;
mod waiting;

pub use allocator::{Adjacent, BuddyAllocator};
#[cfg(feature = "arena")]
pub use arena::{Arena, ArenaConfig, ArenaError, LockedArena};
pub use block::{BuddyBlock, BuddyStats};
pub use config::{BuddyConfig, Rounding};
pub use error::{AllocError, ConfigError, FreeError, ResizeError};
pub use fragmentation::Fragmentation;
pub use iter::{FreeBlocks, TakenBlocks};
pub use map::RegionMap;
pub use storage::{Fixed, Storage};
#[cfg(feature = "alloc")]
pub use storage::{Owned, Paged};
pub use validate::{Corruption, Counter};

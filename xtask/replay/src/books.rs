//! Whether an allocator holds nothing any more.

use gpu_alloc_ash::{GpuAllocator, Leak, Leaks};
use thiserror::Error;

/// What an allocator still has after everything was freed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotEmpty {
    /// Allocations live.
    #[error("allocations that were not freed: {count}, the first is {first}")]
    Leaks {
        /// How many.
        count: usize,
        /// The first of them.
        first: Box<Leak>,
    },
    /// The statistics do not know of the last free.
    #[error("bytes still in use: {used}, allocations: {count}")]
    InUse {
        /// Bytes in use, by the statistics.
        used: u64,
        /// Live allocations, by the statistics.
        count: u64,
    },
    /// Empty memory could not be given back.
    #[error("bytes still allocated after `trim`: {allocated}, blocks: {blocks}")]
    Kept {
        /// Bytes that are still allocated from the driver.
        allocated: u64,
        /// Blocks among those.
        blocks: u64,
    },
    /// The allocator found a live allocation at its end.
    #[error(transparent)]
    Destroyed(#[from] Leaks),
}

/// Checks that nothing lives, gives empty blocks back, checks that no memory is left, and ends the
/// allocator.
///
/// # Errors
///
/// [`NotEmpty`], the first of its cases that holds; the allocator has ended all the same.
pub fn close(allocator: GpuAllocator) -> Result<(), NotEmpty> {
    let checked = check(&allocator);
    let destroyed = allocator.destroy().map_err(NotEmpty::from);
    checked.and(destroyed)
}

fn check(allocator: &GpuAllocator) -> Result<(), NotEmpty> {
    let leaks = allocator.leaks();
    if let Some(first) = leaks.first() {
        return Err(NotEmpty::Leaks { count: leaks.len(), first: Box::new(first.clone()) });
    }
    let stats = allocator.stats();
    if stats.total_used > 0 || stats.allocation_count > 0 {
        return Err(NotEmpty::InUse { used: stats.total_used, count: stats.allocation_count });
    }
    allocator.trim();
    let stats = allocator.stats();
    if stats.total_allocated > 0 || stats.block_count > 0 {
        return Err(NotEmpty::Kept { allocated: stats.total_allocated, blocks: stats.block_count });
    }
    Ok(())
}

//! The two plain values users get: a block and the counters of a region.

/// A piece of a region: `offset .. offset + size`, both in bytes.
///
/// The size is the whole block's, which may be larger than what was asked for. It is the minimum
/// block size times a power of two, or any multiple of it where sizes are trimmed, and the offset
/// is a multiple of the size or of the power of two that it rounds up to. A block is a plain
/// value without a tie to its region: keep it, and give the same value back to
/// [`free`](crate::BuddyAllocator::free).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuddyBlock {
    /// Where the block starts, in bytes from the start of the region.
    pub offset: u64,
    /// How long the block is, in bytes.
    pub size: u64,
}

/// The counters of a region since it was made or last reset. All are exact.
///
/// A block that was resized counts as if the bytes it grew by had been handed out, or those it
/// shrank by had been freed; each doubling of a block is a merge, each halving a split.
///
/// The two cumulative byte counters wrap around at 2^64; their wrapping difference is
/// `allocated_size` at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BuddyStats {
    /// The bytes the region manages: whole minimum blocks only.
    pub total_size: u64,
    /// The bytes of all live allocations, counted as whole blocks.
    pub allocated_size: u64,
    /// How many allocations are live.
    pub allocation_count: u64,
    /// The highest value `allocated_size` has had.
    pub peak_allocated: u64,
    /// The bytes of all blocks ever handed out, modulo 2^64.
    pub total_allocated: u64,
    /// The bytes of all blocks ever freed, modulo 2^64.
    pub total_freed: u64,
    /// How often a block was split into its two halves.
    pub split_count: u64,
    /// How often two free halves were merged into their block.
    ///
    /// Merges that wait for the next call (see [`BuddyConfig`](crate::BuddyConfig)) count, so this
    /// goes back by as many when the waiting block is handed out again.
    pub merge_count: u64,
}

//! Exact counts of one pool.

/// What a pool holds. `used_size`, `lent_size` and what is free in the blocks add up to `total_size` plus
/// `borrowed_size`, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PoolStats {
    /// Memory objects that are carved up.
    pub block_count: u32,
    /// Bytes of those.
    pub total_size: u64,
    /// Bytes taken in blocks and leases, rounding included.
    pub used_size: u64,
    /// Bytes that were asked for in those, rounding not included.
    pub requested_size: u64,
    /// Allocations that live in blocks and leases.
    pub allocation_count: u64,
    /// Memory objects that hold exactly one allocation.
    pub dedicated_count: u32,
    /// Bytes of those.
    pub dedicated_size: u64,
    /// Blocks among `block_count` that are empty and kept.
    pub retained_count: u32,
    /// Bytes of those.
    pub retained_size: u64,
    /// Bytes of its blocks that other pools carve up, by [`MemoryPool::lease`](crate::MemoryPool::lease).
    pub lent_size: u64,
    /// Bytes of other pools' blocks that it carves up.
    pub borrowed_size: u64,
}

impl core::ops::AddAssign for PoolStats {
    /// Adds another pool's counts to these.
    fn add_assign(&mut self, other: Self) {
        self.block_count += other.block_count;
        self.total_size += other.total_size;
        self.used_size += other.used_size;
        self.requested_size += other.requested_size;
        self.allocation_count += other.allocation_count;
        self.dedicated_count += other.dedicated_count;
        self.dedicated_size += other.dedicated_size;
        self.retained_count += other.retained_count;
        self.retained_size += other.retained_size;
        self.lent_size += other.lent_size;
        self.borrowed_size += other.borrowed_size;
    }
}

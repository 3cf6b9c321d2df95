//! What the allocator holds, in numbers.

use vk_pool::{HeapBudget, HeapUsage, PoolStats};

use crate::GpuAllocator;

/// Sums over all memory types. Exact when nothing else is going on; while other threads allocate,
/// each shard's part is exact, of slightly different instants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AllocatorStats {
    /// Bytes of all memory objects made by this allocator.
    pub total_allocated: u64,
    /// Bytes in use in them: what was carved out, rounding included, and all of the dedicated ones.
    pub total_used: u64,
    /// Bytes that were asked for: `total_used` less what was rounded up.
    pub total_requested: u64,
    /// Live allocations carved out of blocks.
    pub pooled: u64,
    /// Live allocations with a memory object of their own.
    pub dedicated: u64,
    /// Live external allocations.
    pub external: u64,
    /// Live allocations: the sum of the three.
    pub allocation_count: u64,
    /// Bytes of the external ones; not in `total_allocated`. One object may be tracked several
    /// times, so this is bounded by no heap; it saturates.
    pub external_size: u64,
    /// Blocks that are carved up.
    pub block_count: u64,
    /// Bytes of the blocks that are empty and kept; [`GpuAllocator::trim`] gives them back, but for those
    /// that a custom pool is to have at least.
    pub retained_size: u64,
    /// Calls of `vkAllocateMemory` that succeeded, ever.
    pub device_allocations: u64,
}

impl GpuAllocator {
    /// Sums over all memory types. Takes each shard's lock for a moment.
    #[must_use]
    pub fn stats(&self) -> AllocatorStats {
        let mut sum = PoolStats::default();
        self.types.iter().for_each(|pools| sum += pools.stats());
        let external = self.external.snapshot();
        let external_count = external.len() as u64;
        AllocatorStats {
            total_allocated: sum.total_size + sum.dedicated_size,
            total_used: sum.used_size + sum.dedicated_size,
            total_requested: sum.requested_size + sum.dedicated_size,
            pooled: sum.allocation_count,
            dedicated: u64::from(sum.dedicated_count),
            external: external_count,
            allocation_count: sum.allocation_count
                + u64::from(sum.dedicated_count)
                + external_count,
            external_size: external
                .iter()
                .fold(0, |sum: u64, (_, object)| sum.saturating_add(object.size)),
            block_count: u64::from(sum.block_count),
            retained_size: sum.retained_size,
            device_allocations: self.driver.allocation_calls(),
        }
    }

    /// Sums over the pools of one memory type, custom ones included; `None` for a type that does not exist. What its shards
    /// have lent each other is `lent_size` and `borrowed_size`, and is in no other figure twice.
    #[must_use]
    pub fn pool_stats(&self, memory_type_index: u32) -> Option<PoolStats> {
        Some(self.types.get(memory_type_index as usize)?.stats())
    }

    /// The books of one heap, what is on its way to and from the driver included; `None` for a heap
    /// that does not exist.
    #[must_use]
    pub fn heap_usage(&self, heap_index: u32) -> Option<HeapUsage> {
        self.budgets.usage(heap_index)
    }

    /// The budget of one heap and what is in use of it, as far as is known; `None` for a heap that does
    /// not exist.
    #[must_use]
    pub fn heap_budget(&self, heap_index: u32) -> Option<HeapBudget> {
        self.budgets.budget(heap_index)
    }

    /// Asks the driver for its budgets now (`VK_EXT_memory_budget`).
    ///
    /// That happens by itself after each call of `vkAllocateMemory`, and when a budget that was asked
    /// for a while ago refuses; call it once a frame if other programs' usage matters in between. Does nothing where the extension is not enabled.
    pub fn refresh_budgets(&self) {
        let Some(query) = &self.budget_query else { return };
        for (heap_index, (budget, usage)) in (0u32..).zip(query.query()) {
            self.budgets.set_driver_budget(heap_index, budget, usage);
        }
    }

    /// Gives every block that is empty and kept back to the driver; answers the bytes. Custom pools keep as
    /// many blocks as they are to have at least.
    pub fn trim(&self) -> u64 {
        (0..self.budgets.heap_count())
            .map(|heap_index| self.give_back_empty_blocks(heap_index))
            .sum()
    }
}

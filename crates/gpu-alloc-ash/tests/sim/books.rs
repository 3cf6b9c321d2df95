//! The allocator's books against the driver's, byte for byte.

use ash::vk;
use gpu_alloc_ash::{AllocatorStats, LeakKind, PoolStats};

use crate::support::Sim;

impl Sim {
    /// Compares every number that the allocator reports with its parts, and with what the driver
    /// holds. Every memory object on the driver has to be the allocator's or adopted by it.
    #[track_caller]
    pub(crate) fn check_books(&self) {
        let stats = self.allocator.stats();
        self.check_sums(&stats);
        self.check_leaks(&stats);
        let live = self.driver.live();
        assert_eq!(
            live.memory as u64,
            stats.block_count + stats.dedicated + stats.external,
            "memory objects: {stats:?}"
        );
        let bytes: u64 = live.memory_bytes_per_heap.iter().sum();
        assert_eq!(bytes, stats.total_allocated + stats.external_size, "bytes: {stats:?}");
        let heaps = (0u32..).zip(&live.memory_bytes_per_heap);
        let mut block_count = 0;
        for (heap_index, &bytes) in heaps {
            let usage = self.allocator.heap_usage(heap_index).expect("the heap exists");
            assert_eq!((usage.reserved, usage.returning), (0, 0), "nothing is on its way");
            assert_eq!(usage.committed + usage.external, bytes, "heap {heap_index}");
            block_count += u64::from(usage.block_count);
        }
        assert_eq!(block_count, stats.block_count);
        self.check_mappings(&stats);
    }

    /// What is in the allocator's hands whatever it keeps in reserve.
    pub(crate) fn in_use(&self) -> InUse {
        let stats = self.allocator.stats();
        let live = self.driver.live();
        InUse {
            used: stats.total_used,
            requested: stats.total_requested,
            pooled: stats.pooled,
            dedicated: stats.dedicated,
            external: (stats.external, stats.external_size),
            committed_to_use: stats.total_allocated - stats.retained_size,
            resources: (live.buffers, live.images),
        }
    }

    /// The sums over the pools are the totals.
    fn check_sums(&self, stats: &AllocatorStats) {
        let mut sum = PoolStats::default();
        let mut count = 0;
        while let Some(part) = self.allocator.pool_stats(count) {
            assert!(part.requested_size <= part.used_size, "type {count}: {part:?}");
            assert!(part.used_size + part.retained_size <= part.total_size, "{part:?}");
            assert!(part.retained_count <= part.block_count, "type {count}: {part:?}");
            let bytes: u64 = self.memories_of_type(count).map(|record| record.size).sum();
            assert_eq!(bytes, part.total_size + part.dedicated_size + self.external_of_type(count));
            sum += part;
            count += 1;
        }
        assert_eq!(count as usize, self.driver.config().memory_types.len());
        assert_eq!(stats.total_allocated, sum.total_size + sum.dedicated_size);
        assert_eq!(stats.total_used, sum.used_size + sum.dedicated_size);
        assert_eq!(stats.total_requested, sum.requested_size + sum.dedicated_size);
        assert_eq!(stats.pooled, sum.allocation_count);
        assert_eq!(stats.dedicated, u64::from(sum.dedicated_count));
        assert_eq!(stats.block_count, u64::from(sum.block_count));
        assert_eq!(stats.retained_size, sum.retained_size);
        assert_eq!(stats.allocation_count, stats.pooled + stats.dedicated + stats.external);
    }

    /// The list of live allocations adds up to the numbers.
    fn check_leaks(&self, stats: &AllocatorStats) {
        let leaks = self.allocator.leaks();
        let of = |kind: LeakKind| {
            let bytes = leaks.iter().filter(move |leak| leak.kind == kind).map(|leak| leak.size);
            (bytes.clone().count() as u64, bytes.sum::<u64>())
        };
        let (pooled, pooled_bytes) = of(LeakKind::Pooled);
        let (dedicated, dedicated_bytes) = of(LeakKind::Dedicated);
        assert_eq!((pooled, dedicated), (stats.pooled, stats.dedicated));
        assert_eq!(of(LeakKind::External), (stats.external, stats.external_size));
        assert_eq!(pooled_bytes + dedicated_bytes, stats.total_used);
    }

    /// What can be mapped is mapped, once, for life.
    fn check_mappings(&self, stats: &AllocatorStats) {
        if stats.external > 0 {
            return;
        }
        for record in self.driver.memories() {
            let (flags, _) = self.driver.config().memory_types[record.memory_type_index as usize];
            let host_visible = flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE);
            assert_eq!(record.is_mapped, host_visible, "{record:?}");
        }
    }

    pub(crate) fn memories_of_type(
        &self,
        memory_type_index: u32,
    ) -> impl Iterator<Item = vk_sim::MemoryRecord> {
        let records = self.driver.memories().into_iter();
        records.filter(move |record| record.memory_type_index == memory_type_index)
    }

    fn external_of_type(&self, memory_type_index: u32) -> u64 {
        let leaks = self.allocator.leaks().into_iter();
        leaks
            .filter(|leak| leak.kind == LeakKind::External)
            .filter(|leak| leak.memory_type_index == memory_type_index)
            .map(|leak| leak.size)
            .sum()
    }
}

/// What may not change when an operation fails: everything but empty blocks that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InUse {
    used: u64,
    requested: u64,
    pooled: u64,
    dedicated: u64,
    external: (u64, u64),
    /// Bytes of blocks that are not empty, and of dedicated memory.
    committed_to_use: u64,
    resources: (usize, usize),
}

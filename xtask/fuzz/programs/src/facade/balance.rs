//! The books of program, allocator and driver, compared.

use gpu_alloc_ash::{Leak, LeakKind, MemoryPropertyFlags};
use vk_sim::LiveObjects;

use super::Session;
use super::held::{Held, Place, Resource};
use super::losable::Losable;

/// What a call that fails must leave as it was. Empty blocks may have come or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    used: u64,
    requested: u64,
    pooled: u64,
    dedicated: u64,
    external: u64,
    buffers: usize,
    images: usize,
}

/// The program's own books, summed up.
#[derive(Default)]
struct Sum {
    own_bytes: u128,
    external_bytes: u128,
    pooled: u64,
    dedicated: u64,
    external: u64,
    buffers: usize,
    images: usize,
}

impl Sum {
    fn of(held: &[Held], losables: &[Losable]) -> Self {
        let mut sum = Self::default();
        for Losable { place, .. } in losables {
            sum.own_bytes += u128::from(place.size);
            sum.dedicated += u64::from(place.is_dedicated);
            sum.pooled += u64::from(!place.is_dedicated);
        }
        for held in held {
            let size = u128::from(held.allocation.size());
            if is_external(held) {
                sum.external_bytes += size;
                sum.external += 1;
            } else {
                sum.own_bytes += size;
                sum.dedicated += u64::from(is_dedicated(held));
                sum.pooled += u64::from(!is_dedicated(held));
            }
            sum.buffers += usize::from(matches!(held.resource, Resource::Buffer(_)));
            sum.images += usize::from(matches!(held.resource, Resource::Image(_)));
        }
        sum
    }
}

impl Session<'_> {
    pub(super) fn snapshot(&self) -> Snapshot {
        let stats = self.allocator.stats();
        let live = self.driver.live();
        Snapshot {
            used: stats.total_used,
            requested: stats.total_requested,
            pooled: stats.pooled,
            dedicated: stats.dedicated,
            external: stats.external,
            buffers: live.buffers,
            images: live.images,
        }
    }

    /// What must hold between any two steps.
    pub(super) fn check_balance(&self) {
        if let Some(breach) = self.driver.violations().first() {
            panic!("the driver saw a breach: {breach}");
        }
        if let Some(lint) = self.driver.lints().first() {
            panic!("the driver saw a bad practice: {lint}");
        }
        let live = self.driver.live();
        self.check_counts(&live);
        self.check_heaps(&live);
    }

    fn check_counts(&self, live: &LiveObjects) {
        let stats = self.allocator.stats();
        let sum = Sum::of(&self.held, &self.losables);
        let at_driver: u128 = live.memory_bytes_per_heap.iter().copied().map(u128::from).sum();
        assert_eq!(u128::from(stats.total_allocated) + sum.external_bytes, at_driver, "{stats:?}");
        assert_eq!(u128::from(stats.external_size), sum.external_bytes, "{stats:?}");
        assert_eq!(u128::from(stats.total_requested), sum.own_bytes, "{stats:?}");
        let counts = (stats.pooled, stats.dedicated, stats.external);
        assert_eq!(counts, (sum.pooled, sum.dedicated, sum.external), "{stats:?}");
        let count = self.held.len() + self.losables.len();
        assert_eq!(stats.allocation_count, count as u64, "{stats:?}");
        assert!(stats.total_requested <= stats.total_used, "{stats:?}");
        assert!(stats.total_used <= stats.total_allocated - stats.retained_size, "{stats:?}");
        let objects = stats.block_count + stats.dedicated + stats.external;
        assert_eq!(live.memory as u64, objects, "{stats:?}");
        assert!(stats.device_allocations >= stats.block_count + stats.dedicated);
        let config = self.allocator.config();
        let max = self.device.driver.max_memory_allocation_count;
        let max = max.saturating_sub(config.allocation_count_head_room);
        assert!(self.had_external || objects <= u64::from(max), "{objects} of {max} objects");
        assert_eq!((live.buffers, live.images), (sum.buffers, sum.images));
    }

    fn check_heaps(&self, live: &LiveObjects) {
        let config = self.allocator.config();
        for (heap_index, &at_driver) in (0_u32..).zip(&live.memory_bytes_per_heap) {
            let usage = self.allocator.heap_usage(heap_index).expect("the heap is in the table");
            assert_eq!((usage.reserved, usage.returning), (0, 0), "nothing is under way");
            assert_eq!(usage.committed + usage.external, at_driver, "heap {heap_index}: {usage:?}");
            let limit = config.heap_limits[heap_index as usize].unwrap_or(u64::MAX);
            assert!(self.had_external || usage.committed <= limit, "heap {heap_index}: {usage:?}");
            let max_block_count = config.max_blocks_per_heap.unwrap_or(u32::MAX);
            assert!(usage.block_count <= max_block_count, "heap {heap_index}: {usage:?}");
        }
    }

    /// The reports, entry by entry, and that exactly what can be mapped is mapped.
    pub(super) fn check_reports(&self) {
        self.trace.say(|| "reports".into());
        self.check_leaks(&self.allocator.leaks());
        self.pools.iter().for_each(|pool| assert_eq!(pool.custom().check(), Ok(())));
        assert_eq!(self.allocator.check_corruption(), [], "the program stays within its bytes");
        for record in self.driver.memories() {
            let flags = self.type_flags(record.memory_type_index);
            let is_visible = flags.contains(MemoryPropertyFlags::HOST_VISIBLE);
            let mut external = self.held.iter().filter(|held| is_external(held));
            if !external.any(|held| held.allocation.memory() == record.memory) {
                assert_eq!(record.is_mapped, is_visible, "{record:?}");
            }
        }
        let mut sum = gpu_alloc_ash::PoolStats::default();
        for index in 0..self.device.driver.memory_types.len() {
            let index = u32::try_from(index).expect("at most 32 types");
            sum += self.allocator.pool_stats(index).expect("the type is in the table");
        }
        let stats = self.allocator.stats();
        assert_eq!(sum.total_size + sum.dedicated_size, stats.total_allocated);
        assert_eq!(sum.used_size + sum.dedicated_size, stats.total_used);
    }

    /// A report of live allocations names each that the program has.
    pub(super) fn check_leaks(&self, leaks: &[Leak]) {
        let mut found: Vec<_> = leaks
            .iter()
            .map(|leak| (leak.memory_type_index, leak.offset, kind(leak.kind), leak.name.clone()))
            .collect();
        let mut held: Vec<_> = self
            .held
            .iter()
            .map(|held| {
                let type_index = held.allocation.memory_type_index();
                (type_index, held.offset(), own_kind(held), held.name.map(str::to_owned))
            })
            .collect();
        held.extend(self.losables.iter().map(|losable| {
            let Place { memory_type_index, offset, is_dedicated, .. } = losable.place;
            let name = losable.name.map(str::to_owned);
            (memory_type_index, offset, u8::from(is_dedicated), name)
        }));
        found.sort();
        held.sort();
        assert_eq!(found, held, "the report is not what is alive");
    }
}

pub(super) fn is_external(held: &Held) -> bool {
    held.allocation.is_external()
}

fn is_dedicated(held: &Held) -> bool {
    held.allocation.is_dedicated()
}

/// A kind as a number that can be sorted.
fn kind(kind: LeakKind) -> u8 {
    match kind {
        LeakKind::Pooled => 0,
        LeakKind::Dedicated => 1,
        LeakKind::External => 2,
        other => panic!("a kind that is not known here: {other:?}"),
    }
}

fn own_kind(held: &Held) -> u8 {
    if is_external(held) { 2 } else { u8::from(is_dedicated(held)) }
}

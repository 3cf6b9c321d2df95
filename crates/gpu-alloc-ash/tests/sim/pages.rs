//! What VMA's tests ask of pages, statistics and heap limits, asked of ours; written from descriptions
//! of them (VMA, `src/Tests.cpp`).

use std::collections::BTreeSet;

use ash::vk::Handle;
use gpu_alloc_ash::{
    AllocError, AllocationRequest, AllocatorConfig, AllocatorStats, LimitError, Strategy,
};
use rstest::rstest;

use crate::support::{KIB, MIB, Sim};

/// A request to memory type 0 alone.
fn pinned<'a>(size: u64) -> AllocationRequest<'a> {
    AllocationRequest { size, memory_type_bits: 1, ..Default::default() }
}

/// An allocator that may commit so much in heap 0.
fn limited(limit: u64) -> Sim {
    let mut config = AllocatorConfig::default();
    config.heap_limits[0] = Some(limit);
    Sim::with_config(config)
}

#[test]
fn pages_share_a_memory_object_and_lie_apart() {
    let sim = limited(2 * MIB);
    let pages = sim.allocator.allocate_many(&pinned(4 * KIB), 100).expect("400 KiB of 2 MiB");
    let memories: BTreeSet<u64> = pages.iter().map(|page| page.memory().as_raw()).collect();
    assert_eq!((pages.len(), memories.len()), (100, 1));
    let mut offsets: Vec<u64> = pages.iter().map(|page| page.offset()).collect();
    offsets.sort_unstable();
    assert!(offsets.windows(2).all(|pair| pair[1] - pair[0] >= 4 * KIB));
    sim.check_books();
    sim.free_many(pages);
    sim.finish();
}

#[rstest]
#[case::too_large(pinned(100 * KIB))]
#[case::too_far_apart(AllocationRequest { alignment: 128 * KIB, ..pinned(4 * KIB) })]
fn pages_that_do_not_all_fit_leave_nothing_behind(#[case] request: AllocationRequest<'static>) {
    let sim = limited(2 * MIB);
    let live = sim.allocate(&pinned(4 * KIB));
    let before = sim.in_use();
    let error = sim.allocator.allocate_many(&request, 100).expect_err("2 MiB are the limit");
    assert!(
        matches!(error, AllocError::Limit(LimitError::HeapLimit { limit, .. }) if limit == 2 * MIB),
        "{error:?}"
    );
    assert_eq!(sim.in_use(), before);
    sim.check_books();
    sim.free(live);
    sim.finish();
}

#[test]
fn dedicated_pages_have_memory_objects_of_their_own() {
    let sim = Sim::default();
    let request = AllocationRequest { strategy: Strategy::Dedicated, ..pinned(4 * KIB) };
    let pages = sim.allocator.allocate_many(&request, 100).expect("400 KiB");
    let memories: BTreeSet<u64> = pages.iter().map(|page| page.memory().as_raw()).collect();
    assert_eq!((pages.len(), memories.len()), (100, 100));
    assert!(pages.iter().all(|page| page.offset() == 0 && page.is_dedicated()));
    sim.check_books();
    sim.free_many(pages);
    sim.finish();
}

/// What four times 10 MiB add to the books.
#[rstest]
#[case::in_blocks(Strategy::Pooled)]
#[case::dedicated(Strategy::Dedicated)]
fn four_times_ten_mebibytes_are_counted_to_the_byte(#[case] strategy: Strategy) {
    let sim = Sim::default();
    let before = sim.allocator.stats();
    assert_eq!(before, AllocatorStats::default(), "nothing is counted before anything is there");
    let request = AllocationRequest { strategy, ..pinned(10 * MIB) };
    let held: Vec<_> = (0..4).map(|_| sim.allocate(&request)).collect();
    let stats = sim.allocator.stats();
    assert_eq!((stats.total_used, stats.total_requested), (40 * MIB, 40 * MIB));
    assert_eq!(stats.allocation_count, 4);
    let is_dedicated = strategy == Strategy::Dedicated;
    assert_eq!((stats.pooled, stats.dedicated), if is_dedicated { (0, 4) } else { (4, 0) });
    if is_dedicated {
        assert_eq!((stats.block_count, stats.total_allocated), (0, 40 * MIB));
    } else {
        assert!(stats.block_count > 0 && stats.total_allocated >= 40 * MIB);
    }
    // The sums over types and heaps, and the driver's own count.
    sim.check_books();
    sim.free_many(held);
    let after = sim.allocator.stats();
    assert_eq!((after.allocation_count, after.total_used), (0, 0));
    assert_eq!(after.total_allocated, after.retained_size, "what is left is kept on purpose");
    sim.allocator.trim();
    assert_eq!(sim.allocator.stats().total_allocated, 0);
    sim.finish();
}

#[test]
fn a_heap_limit_is_used_up_to_the_last_byte_by_blocks_and_dedicated_memory() {
    let mut config = AllocatorConfig::default();
    config.heap_limits[0] = Some(100 * MIB);
    let sim = Sim::with_config(config);
    let dedicated = AllocationRequest { strategy: Strategy::Dedicated, ..pinned(5 * MIB) };
    let mut held: Vec<_> = (0..2).map(|_| sim.allocate(&dedicated)).collect();
    while let Ok(buffer) = sim.allocator.allocate(&pinned(MIB)) {
        held.push(buffer);
    }
    assert_eq!(sim.allocator.stats().total_used, 100 * MIB);
    let error = sim.allocator.allocate(&pinned(128)).expect_err("not a byte is left");
    let expected =
        LimitError::HeapLimit { heap_index: 0, size: MIB, in_use: 100 * MIB, limit: 100 * MIB };
    assert_eq!(error, AllocError::Limit(expected));
    sim.check_books();
    sim.free_many(held);
    sim.finish();
}

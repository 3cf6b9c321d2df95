//! Allocating and freeing by every strategy, and what an allocation says of itself.

use gpu_alloc_ash::{
    Allocation, AllocationRequest, AllocatorConfig, ResourceKind, Strategy, UsageFlags,
};
use rstest::rstest;

use crate::rng::Rng;
use crate::support::{KIB, MIB, Sim};
use crate::tables;

fn passthrough() -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    config.passthrough = true;
    config
}

#[rstest]
#[case::auto_small(AllocatorConfig::default(), Strategy::Auto, 1000, false, 16 * MIB)]
#[case::auto_at_the_threshold(AllocatorConfig::default(), Strategy::Auto, 32 * MIB, false, 32 * MIB)]
#[case::auto_above_it(AllocatorConfig::default(), Strategy::Auto, 32 * MIB + 1, true, 32 * MIB + 1)]
#[case::dedicated(AllocatorConfig::default(), Strategy::Dedicated, 777, true, 777)]
#[case::pooled_small(AllocatorConfig::default(), Strategy::Pooled, 1, false, 16 * MIB)]
#[case::pooled_largest(AllocatorConfig::default(), Strategy::Pooled, 128 * MIB, false, 128 * MIB)]
#[case::passthrough(passthrough(), Strategy::Auto, 1000, true, 1000)]
#[case::passthrough_pooled(passthrough(), Strategy::Pooled, 1001, true, 1001)]
#[case::classic_small(AllocatorConfig::classic(), Strategy::Auto, 1000, false, 64 * MIB)]
#[case::classic_threshold(AllocatorConfig::classic(), Strategy::Auto, 32 * MIB, false, 64 * MIB)]
#[case::classic_above(AllocatorConfig::classic(), Strategy::Auto, 32 * MIB + 1, true, 32 * MIB + 1)]
fn a_strategy_decides_where_memory_comes_from(
    #[case] config: AllocatorConfig,
    #[case] strategy: Strategy,
    #[case] size: u64,
    #[case] dedicated: bool,
    #[case] object_size: u64,
) {
    let sim = Sim::with_config(config);
    let allocation = sim.allocate(&AllocationRequest { size, strategy, ..Default::default() });
    let [record] = &sim.driver.memories()[..] else { panic!("one memory object was made") };
    assert_eq!(record.size, object_size);
    assert_eq!(allocation.memory(), record.memory);
    assert_eq!((allocation.offset(), allocation.size()), (0, size));
    assert_eq!(allocation.is_dedicated(), dedicated);
    assert!(!allocation.is_external());
    assert_eq!(allocation.memory_type_index(), record.memory_type_index);
    assert_eq!(allocation.memory_type_index(), 0, "memory of the device, for no usage at all");
    assert_eq!(allocation.mapped_ptr(), None);
    let stats = sim.allocator.stats();
    assert_eq!((stats.pooled, stats.dedicated), (u64::from(!dedicated), u64::from(dedicated)));
    assert_eq!((stats.total_allocated, stats.total_requested), (object_size, size));
    assert_eq!(stats.device_allocations, 1);
    sim.check_books();
    sim.free(allocation);
    assert_eq!(sim.allocator.stats().allocation_count, 0);
    sim.finish();
}

#[rstest]
#[case::upload(UsageFlags::UPLOAD, 1)]
#[case::download(UsageFlags::DOWNLOAD, 2)]
#[case::both_sides(UsageFlags::UPLOAD | UsageFlags::FAST_DEVICE_ACCESS, 3)]
fn host_visible_memory_is_mapped_at_its_offset(#[case] usage: UsageFlags, #[case] expected: u32) {
    let sim = Sim::default();
    let request = AllocationRequest { size: 1000, usage, ..Default::default() };
    let (first, second) = (sim.allocate(&request), sim.allocate(&request));
    for allocation in [&first, &second] {
        assert_eq!(allocation.memory_type_index(), expected);
        assert!(allocation.mapped_ptr().is_some());
    }
    assert_eq!(first.memory(), second.memory());
    assert_ne!(first.offset(), second.offset());
    let address = |allocation: &Allocation| {
        allocation.mapped_ptr().expect("checked above").as_ptr().addr() as u64
    };
    assert_eq!(
        address(&second) - address(&first),
        second.offset() - first.offset(),
        "both are in one mapping"
    );
    sim.free(first);
    sim.free(second);
    sim.finish();
}

#[rstest]
#[case(1)]
#[case(4096)]
#[case(64 * KIB)]
#[case(2 * MIB)]
fn offsets_have_the_alignment_asked_for(#[case] alignment: u64) {
    let sim = Sim::default();
    let request = |size| AllocationRequest {
        size,
        alignment,
        kind: ResourceKind::Linear,
        ..Default::default()
    };
    let held: Vec<_> = (1..20).map(|step| sim.allocate(&request(step * 300))).collect();
    for allocation in &held {
        assert!(allocation.offset().is_multiple_of(alignment), "{allocation:?}");
        sim.check_books();
    }
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

#[test]
fn an_alignment_past_every_block_gets_an_object_of_its_own() {
    let sim = Sim::default();
    let request = AllocationRequest { size: 5, alignment: 1 << 40, ..Default::default() };
    let allocation = sim.allocate(&request);
    assert_eq!((allocation.offset(), allocation.is_dedicated()), (0, true));
    sim.free(allocation);
    sim.finish();
}

#[test]
fn empty_blocks_are_kept_up_to_a_bound_and_trim_gives_them_back() {
    let sim = Sim::default();
    let request =
        AllocationRequest { size: 16 * MIB, strategy: Strategy::Pooled, ..Default::default() };
    let held: Vec<_> = (0..6).map(|_| sim.allocate(&request)).collect();
    held.into_iter().for_each(|allocation| sim.free(allocation));
    let stats = sim.allocator.stats();
    assert_eq!(stats.total_allocated, stats.retained_size);
    assert!(stats.retained_size > 0, "at least one block stays");
    assert!(stats.retained_size <= 32 * MIB, "twice the first block, {stats:?}");
    sim.check_books();
    assert_eq!(sim.allocator.trim(), stats.retained_size);
    assert_eq!(sim.driver.live().memory, 0);
    assert_eq!(sim.allocator.trim(), 0);
    sim.finish();
}

#[test]
fn an_allocator_that_is_dropped_gives_its_memory_back() {
    let sim = Sim::default();
    let allocation = sim.allocate(&AllocationRequest { size: 10, ..Default::default() });
    sim.free(allocation);
    assert_eq!(sim.driver.live().memory, 1, "an empty block is kept");
    let Sim { allocator, driver } = sim;
    drop(allocator);
    assert!(driver.live().is_empty());
    assert_eq!(driver.lints(), []);
    assert_eq!(driver.finish(), []);
}

#[rstest]
#[case::discrete(Sim::default())]
#[case::unified(Sim::new(tables::unified(), tables::small_blocks()))]
#[case::non_coherent(Sim::new(tables::non_coherent(256), tables::small_blocks()))]
#[case::classic(Sim::with_config(AllocatorConfig::classic()))]
#[case::passthrough(Sim::with_config(passthrough()))]
fn after_every_step_the_books_are_the_drivers(#[case] sim: Sim) {
    let mut rng = Rng::new(1);
    let mut held: Vec<Allocation> = Vec::new();
    let usages = [UsageFlags::empty(), UsageFlags::UPLOAD, UsageFlags::DOWNLOAD];
    for _ in 0..400 {
        if held.len() > 40 || (!held.is_empty() && rng.chance(45)) {
            let index = rng.index(held.len());
            sim.free(held.swap_remove(index));
        } else {
            held.push(sim.allocate(&AllocationRequest {
                size: rng.magnitude(22),
                alignment: rng.magnitude(10).next_power_of_two(),
                usage: rng.pick(&usages),
                strategy: rng.pick(&[Strategy::Auto, Strategy::Auto, Strategy::Dedicated]),
                ..Default::default()
            }));
        }
        sim.check_books();
        let stats = sim.allocator.stats();
        assert_eq!(stats.allocation_count, held.len() as u64);
        assert_eq!(stats.total_requested, held.iter().map(Allocation::size).sum::<u64>());
    }
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

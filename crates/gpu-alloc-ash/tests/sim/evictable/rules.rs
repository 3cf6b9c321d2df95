//! Which go, which stay, and when.

use gpu_alloc_ash::{
    AccessError, Algorithm, AllocError, CustomPoolConfig, DestroyPoolError, Evictable,
    EvictablePool, FreeError, LinearKind, PoolAllocationRequest, Strategy,
};
use rstest::rstest;

use super::fixture::{KEPT, begin_frame, destroy_in, free_evictable_in};
use crate::custom_pools::fixture::{MAPPED, bytes, fixed};
use crate::support::{KIB, MIB, Sim};

/// A quarter of the block of [`of`].
pub(super) const QUARTER: u64 = 256 * KIB;

/// One block of 1 MiB.
pub(super) fn of(algorithm: Algorithm) -> CustomPoolConfig<'static> {
    CustomPoolConfig { algorithm, max_block_count: Some(1), ..fixed(MAPPED, MIB) }
}

/// Fills the block with four quarters, used in frames 1 to 4.
pub(super) fn fill(sim: &Sim, pool: &EvictablePool<u32>) -> Vec<Evictable<u32>> {
    (1..=4).map(|frame| sim.evictable(pool, &bytes(QUARTER), u64::from(frame), frame)).collect()
}

#[rstest]
#[case(Algorithm::TwoTier)]
#[case(Algorithm::Tlsf)]
#[case(Algorithm::Buddy)]
#[case(Algorithm::Linear(LinearKind::Ring))]
fn the_oldest_untouched_go_and_no_more_than_needed(#[case] algorithm: Algorithm) {
    let sim = Sim::default();
    let (pool, lost) = sim.evictable_pool(&of(algorithm.clone()));
    let held = fill(&sim, &pool);
    let full = AllocError::PoolFull { max_block_count: 1 };
    // Nothing is older than the frames kept: first as no frame has begun, then by one frame.
    assert_eq!(sim.refused_evictable(&pool, &bytes(QUARTER), 4), full);
    begin_frame(&pool, 1 + KEPT);
    assert_eq!(sim.refused_evictable(&pool, &bytes(QUARTER), 4), full);
    begin_frame(&pool, 2 + KEPT);
    let first = sim.evictable(&pool, &bytes(QUARTER), 4, 11);
    assert_eq!(lost.take(), [1]);
    assert_eq!(sim.refused_evictable(&pool, &bytes(QUARTER), 4), full);

    // The second one is touched, and stays; an earlier frame does not take that back.
    begin_frame(&pool, 4 + KEPT);
    assert!(sim.allocator.touch(&held[1], 4 + KEPT) && sim.allocator.touch(&held[1], 2));
    let is_ring = matches!(algorithm, Algorithm::Linear(_));
    if is_ring {
        // What a ring frees first is what it has allocated first.
        assert_eq!(sim.refused_evictable(&pool, &bytes(QUARTER), 4), full);
    } else {
        let second = sim.evictable(&pool, &bytes(QUARTER), 4, 12);
        assert_eq!(lost.take(), [3]);
        assert_eq!(sim.value_in(&second, 6), Some(12));
    }
    assert_eq!(sim.value_in(&held[0], 6), None);
    assert!(held[0].is_lost() && !sim.allocator.touch(&held[0], 6));
    assert_eq!(sim.value_in(&held[1], 6), Some(2));

    // Two neighbours go for what needs both.
    begin_frame(&pool, 100);
    let double = sim.evictable(&pool, &bytes(2 * QUARTER), 100, 13);
    assert_eq!(lost.take().len(), 2);
    assert_eq!(sim.value_in(&double, 100), Some(13));
    let stats = pool.eviction_stats();
    let lost_count = if is_ring { 3 } else { 4 };
    assert_eq!((stats.lost_count, stats.lost_size), (lost_count, lost_count * QUARTER));
    assert_eq!((stats.evictable_count, stats.frame), (3, 100));
    assert_eq!(pool.pool().stats().allocation_count, 3);

    // A frame that is not a later one changes nothing.
    begin_frame(&pool, 5);
    assert_eq!(pool.eviction_stats().frame, 100);
    assert!(sim.free_evictable(first).is_none_or(|value| value == 11));
    assert_eq!(sim.free_evictable(double), Some(13));
    drop(held);
    sim.end_evictable(pool);
    sim.finish();
}

#[rstest]
#[case(Algorithm::TwoTier)]
#[case(Algorithm::Tlsf)]
#[case(Algorithm::Buddy)]
#[case(Algorithm::Linear(LinearKind::Ring))]
fn nothing_goes_for_what_would_not_fit_anyway(#[case] algorithm: Algorithm) {
    let sim = Sim::default();
    let (pool, lost) = sim.evictable_pool(&of(algorithm));
    let before = sim.evictable(&pool, &bytes(QUARTER), 1, 1);
    // A plain allocation stays.
    let plain = sim.allocate_in(pool.pool(), &bytes(QUARTER));
    let behind = sim.evictable(&pool, &bytes(QUARTER), 1, 2);
    begin_frame(&pool, 100);
    let full = AllocError::PoolFull { max_block_count: 1 };
    assert_eq!(sim.refused_evictable(&pool, &bytes(3 * QUARTER), 100), full);
    assert!(matches!(
        sim.refused_evictable(&pool, &bytes(2 * MIB), 100),
        AllocError::LargerThanBlock { .. }
    ));
    assert_eq!(lost.take(), [] as [u32; 0]);
    assert_eq!((sim.value_in(&before, 100), sim.value_in(&behind, 100)), (Some(1), Some(2)));
    sim.free(plain);
    sim.end_evictable(pool);
    assert_eq!(lost.take(), [1, 2]);
    assert_eq!((sim.value_in(&before, 100), sim.free_evictable(behind)), (None, None));
    sim.finish();
}

#[test]
fn what_somebody_looks_at_stays() {
    let sim = Sim::default();
    let (pool, lost) = sim.evictable_pool(&of(Algorithm::Tlsf));
    let mut all = sim.evictable(&pool, &bytes(MIB), 1, 7);
    begin_frame(&pool, 100);
    let write = sim.allocator.with_mut(&mut all, 1, |mut view| {
        assert!(matches!(
            sim.refused_evictable(&pool, &bytes(KIB), 100),
            AllocError::PoolFull { .. }
        ));
        assert_eq!((*view.as_view().value(), view.as_view().allocation().size()), (7, MIB));
        *view.value() = 8;
        view.write(0, &[1, 2, 3, 4])?;
        view.write_slice(4, &[0x0808_0707_u32])
    });
    assert_eq!(write, Some(Ok(())));
    let read = sim.allocator.with(&all, 1, |view| {
        let (mut start, mut values) = ([0; 4], [0u16; 2]);
        view.read(0, &mut start)?;
        view.read_slice(4, &mut values)?;
        // A panic lets go as well as an answer does.
        let again =
            std::panic::AssertUnwindSafe(|| sim.allocator.with(&all, 1, |_| panic!("on purpose")));
        assert!(std::panic::catch_unwind(again).is_err());
        assert!(sim.allocator.allocate_evictable(&pool, &bytes(KIB), 100, 0).is_err());
        Ok::<_, AccessError>((start, values))
    });
    assert_eq!(read, Some(Ok(([1, 2, 3, 4], [0x0707, 0x0808]))));
    let next = sim.evictable(&pool, &bytes(KIB), 100, 9);
    assert_eq!(lost.take(), [8]);
    assert_eq!(sim.allocator.with_mut(&mut all, 1, |_| ()), None);
    assert_eq!(sim.free_evictable(next), Some(9));
    sim.end_evictable(pool);
    sim.finish();
}

#[test]
fn the_oldest_of_several_blocks_and_memory_types_go() {
    let sim = Sim::default();
    let config =
        CustomPoolConfig { memory_types: &[1, 0], max_block_count: Some(2), ..fixed(MAPPED, MIB) };
    let (pool, lost) = sim.evictable_pool(&config);
    // Two blocks of type 1, two of type 0.
    let frames = [9, 8, 3, 7];
    let held: Vec<_> =
        (0..4).map(|n| sim.evictable(&pool, &bytes(MIB), frames[n as usize], n)).collect();
    begin_frame(&pool, 20);
    let of_type_1 = PoolAllocationRequest { memory_type_bits: 2, ..bytes(MIB) };
    let first = sim.evictable(&pool, &bytes(MIB), 20, 10);
    assert_eq!(lost.take(), [2], "the oldest of all");
    let second = sim.evictable(&pool, &of_type_1, 20, 11);
    assert_eq!(lost.take(), [1], "the oldest of its type");
    let type_of = |one: &Evictable<u32>| {
        sim.allocator.with(one, 0, |view| view.allocation().memory_type_index())
    };
    assert_eq!((type_of(&first), type_of(&second)), (Some(0), Some(1)));
    let bits = PoolAllocationRequest { memory_type_bits: 4, ..bytes(MIB) };
    let refused = AllocError::NotOfPool { memory_type_bits: 4, pool_bits: 3 };
    assert_eq!(sim.refused_evictable(&pool, &bits, 20), refused);
    drop(held);
    sim.end_evictable(pool);
    sim.finish();
}

#[test]
fn a_pool_grows_before_it_gives_anything_up_and_never_has_dedicated_memory() {
    let sim = Sim::default();
    let config =
        CustomPoolConfig { memory_types: MAPPED, max_block_count: Some(2), ..of(Algorithm::Tlsf) };
    let (pool, lost) = sim.evictable_pool(&config);
    let first = sim.evictable(&pool, &bytes(MIB), 1, 1);
    begin_frame(&pool, 50);
    let second = sim.evictable(&pool, &bytes(MIB), 1, 2);
    assert_eq!(lost.take(), [] as [u32; 0]);
    let alone = PoolAllocationRequest { strategy: Strategy::Dedicated, ..bytes(KIB) };
    let refused = AllocError::DedicatedNotAllowed { size: KIB };
    assert_eq!(sim.refused_evictable(&pool, &alone, 1), refused);
    assert_eq!(sim.refused_evictable(&pool, &bytes(0), 1), AllocError::ZeroSize);
    // What is freed is not lost.
    assert_eq!(sim.free_evictable(first), Some(1));
    drop(second);
    assert_eq!(pool.eviction_stats().evictable_count, 1, "it stays without its handle");
    let third = sim.evictable(&pool, &bytes(MIB), 50, 3);
    let fourth = sim.evictable(&pool, &bytes(MIB), 50, 4);
    assert_eq!(lost.take(), [2]);
    assert_eq!((sim.free_evictable(third), sim.free_evictable(fourth)), (Some(3), Some(4)));
    sim.end_evictable(pool);
    sim.finish();
}

#[test]
fn names_go_with_what_they_name() {
    let sim = Sim::default();
    let (pool, lost) = sim.evictable_pool(&of(Algorithm::Tlsf));
    let named = |name| PoolAllocationRequest { name: Some(name), ..bytes(2 * QUARTER) };
    let held = [("a", 1), ("b", 2)].map(|(name, n)| sim.evictable(&pool, &named(name), 1, n));
    begin_frame(&pool, 50);
    let names = || -> Vec<_> {
        sim.allocator.leaks().into_iter().map(|leak| leak.name.expect("all are named")).collect()
    };
    assert_eq!(names(), ["a", "b"]);
    let third = sim.evictable(&pool, &named("c"), 50, 3);
    let mut left = names();
    left.sort_unstable();
    assert_eq!((lost.take(), left), (vec![1], vec!["b".to_owned(), "c".to_owned()]));
    drop((held, third));
    sim.end_evictable(pool);
    sim.finish();
}

#[test]
fn another_allocator_is_refused() {
    let (sim, other) = (Sim::default(), Sim::default());
    let (pool, lost) = sim.evictable_pool(&of(Algorithm::Tlsf));
    let held = sim.evictable(&pool, &bytes(MIB), 1, 1);
    begin_frame(&pool, 50);
    let refused = other.allocator.allocate_evictable(&pool, &bytes(KIB), 50, 2);
    assert!(matches!(refused.expect_err("foreign").error, AllocError::ForeignPool { .. }));
    let refused = free_evictable_in(&other.allocator, held).expect_err("foreign");
    assert!(matches!(refused.error, FreeError::ForeignAllocation { .. }));
    let held = refused.returned;
    let read = other.allocator.with(&held, 1, |view| view.read(0, &mut [0]));
    assert!(matches!(read, Some(Err(AccessError::ForeignAllocation { .. }))));
    let refused = destroy_in(&other.allocator, pool).expect_err("foreign");
    assert!(matches!(refused.error, DestroyPoolError::ForeignPool { .. }));
    assert_eq!(sim.value_in(&held, 50), Some(1), "nothing was lost");
    // A plain allocation keeps the pool alive, and nothing else.
    let pool = refused.returned;
    assert_eq!(sim.free_evictable(held), Some(1));
    let plain = sim.allocate_in(pool.pool(), &bytes(KIB));
    let refused = destroy_in(&sim.allocator, pool).expect_err("it is in use");
    assert!(matches!(&refused.error, DestroyPoolError::InUse { live } if live.len() == 1));
    sim.free(plain);
    sim.end_evictable(refused.returned);
    assert_eq!(lost.take(), [] as [u32; 0]);
    other.finish();
    sim.finish();
}

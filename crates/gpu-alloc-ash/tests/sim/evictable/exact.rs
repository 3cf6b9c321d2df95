//! No more goes than has to, at any alignment, and in spans.

use gpu_alloc_ash::{Algorithm, AllocError, AllocatorConfig, PoolAllocationRequest, ResourceKind};
use rstest::rstest;

use super::fixture::begin_frame;
use super::rules::{QUARTER, fill, of};
use crate::custom_pools::fixture::bytes;
use crate::support::{KIB, MIB, Sim};
use crate::tables;

/// No more goes than the request has room in, whatever its alignment and its granules.
#[rstest]
#[case(Algorithm::TwoTier)]
#[case(Algorithm::Tlsf)]
fn what_goes_is_exact_at_any_alignment(#[case] algorithm: Algorithm) {
    let sim = Sim::new(tables::granular(64 * KIB), AllocatorConfig::default());
    let (pool, lost) = sim.evictable_pool(&of(algorithm));
    let of_image = |size, alignment| PoolAllocationRequest {
        kind: ResourceKind::NonLinear,
        alignment,
        ..bytes(size)
    };
    let held = fill(&sim, &pool);
    begin_frame(&pool, 100);
    // In place of one of its size, not of a neighbour as well.
    let one = sim.evictable(&pool, &of_image(QUARTER, QUARTER), 100, 11);
    assert_eq!(lost.take(), [1]);
    // And a whole block is one stretch.
    begin_frame(&pool, 200);
    let all = sim.evictable(&pool, &of_image(MIB - 1, 64 * KIB), 200, 12);
    assert_eq!(lost.take(), [2, 3, 4, 11]);
    assert!(held.iter().chain([&one]).all(|one| one.is_lost()));
    assert_eq!(sim.free_evictable(all), Some(12));
    // A granule less on either side of what stays is not enough.
    let plain = sim.allocate_in(pool.pool(), &bytes(20 * KIB));
    let rest = sim.evictable(&pool, &bytes(MIB - 20 * KIB), 200, 13);
    begin_frame(&pool, 300);
    let full = AllocError::PoolFull { max_block_count: 1 };
    assert_eq!(sim.refused_evictable(&pool, &of_image(MIB - 64 * KIB + 1, 1), 300), full);
    assert!(!rest.is_lost());
    let image = sim.evictable(&pool, &of_image(MIB - 64 * KIB, 1), 300, 14);
    assert_eq!(lost.take(), [13]);
    sim.free(plain);
    assert_eq!(sim.free_evictable(image), Some(14));
    sim.end_evictable(pool);
    sim.finish();
}

/// Spans of a two-tier pool: one small piece goes for another, and all of a span for what is large.
#[test]
fn what_shares_a_span_goes_alone_or_with_its_span() {
    const SMALL: u64 = 16 * KIB;
    let sim = Sim::default();
    let (pool, lost) = sim.evictable_pool(&of(Algorithm::TwoTier));
    let old: Vec<_> =
        (0..64u32).map(|n| sim.evictable(&pool, &bytes(SMALL), u64::from(100 - n), n)).collect();
    assert_eq!(pool.pool().stats().used_size, MIB);
    begin_frame(&pool, 200);
    let small = sim.evictable(&pool, &bytes(SMALL), 200, 100);
    assert_eq!(lost.take(), [63], "the oldest");
    // That span has a young piece by now: of the other three, which are a quarter each, the oldest one goes.
    let large = sim.evictable(&pool, &bytes(QUARTER), 200, 101);
    assert_eq!(lost.take(), (32..48).collect::<Vec<_>>());
    assert_eq!(sim.value_in(&small, 200), Some(100));
    assert_eq!(sim.value_in(&old[31], 200), Some(31));
    // Two spans, of which one has a piece that was just looked at, are not one stretch.
    let full = AllocError::PoolFull { max_block_count: 1 };
    assert_eq!(sim.refused_evictable(&pool, &bytes(2 * QUARTER), 200), full);
    begin_frame(&pool, 300);
    let both = sim.evictable(&pool, &bytes(2 * QUARTER), 300, 102);
    assert_eq!(lost.take(), (0..32).collect::<Vec<_>>());
    assert_eq!(sim.free_evictable(both), Some(102));
    assert_eq!((sim.free_evictable(small), sim.free_evictable(large)), (Some(100), Some(101)));
    sim.end_evictable(pool);
    sim.finish();
}

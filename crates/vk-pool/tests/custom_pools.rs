//! Pools of a fixed shape: block size and counts, alignment, kinds of memory. VMA's tests of custom pools,
//! told anew with their numbers, and the rules they have no test for.

mod support;

use rstest::rstest;
use support::{Bench, KIB, MIB, bytes, fixed, linear, refusal};
use vk_pool::linear::LinearKind;
use vk_pool::{
    AddBlockError, Algorithm, Answer, ConfigError, Dedicated, DeviceLimits, HeapLimits, LimitError,
    Place, PoolConfig, PoolRequest, RequestError, Retention,
};

/// VMA's Pool_SameSize: four blocks of 25 MiB, buffers of 1 MiB. 25 is no power of two.
#[rstest]
fn a_hundred_of_one_size_fill_four_blocks(
    #[values(Algorithm::TwoTier, Algorithm::Tlsf, Algorithm::Buddy)] algorithm: Algorithm,
) {
    let config = PoolConfig { max_block_count: Some(4), ..fixed(algorithm, 25 * MIB) };
    let mut bench = Bench::new(config);
    let mut live: Vec<Place> = (0..100).map(|_| bench.allocate(&bytes(MIB))).collect();
    assert_eq!(bench.pool.stats().block_count, 4);
    let full = RequestError::PoolFull { max_block_count: 4 };
    assert_eq!(refusal(&mut bench, &bytes(MIB)), full);
    for n in 0..100 {
        bench.free(live.swap_remove(n * 37 % 100));
        live.push(bench.allocate(&bytes(MIB)));
        bench.check_books();
    }
    assert_eq!(refusal(&mut bench, &bytes(MIB)), full);
    bench.free(live.swap_remove(50));
    let stats = bench.pool.stats();
    assert_eq!(stats.total_size - stats.used_size, MIB);
    live.push(bench.allocate(&bytes(MIB)));
    assert_eq!(refusal(&mut bench, &bytes(MIB)), full);
    assert!(matches!(
        refusal(&mut bench, &bytes(25 * MIB + 1)),
        RequestError::LargerThanBlock { .. }
    ));
    for place in live {
        bench.free(place);
    }
    assert_eq!(bench.pool.stats().block_count, 0);
    bench.check_books();
}

#[test]
fn an_empty_block_of_an_odd_size_is_found_again() {
    for algorithm in [Algorithm::TwoTier, Algorithm::Linear(LinearKind::Stack)] {
        let retention = Retention { floor_bytes: 25 * MIB, live_divisor: 0 };
        let mut bench = Bench::new(PoolConfig { retention, ..fixed(algorithm, 25 * MIB) });
        for _ in 0..3 {
            // Its next power of two is more than the block.
            let place = bench.allocate(&bytes(20 * MIB));
            bench.free(place);
        }
        assert_eq!((bench.pool.stats().block_count, bench.next_id), (1, 2));
    }
}

/// VMA's Pool_MinBlockCount: a block has room for two, two blocks at least.
#[rstest]
fn blocks_that_are_wanted_from_the_start_come_at_once_and_stay(
    #[values(
        Algorithm::TwoTier,
        Algorithm::Tlsf,
        Algorithm::Buddy,
        Algorithm::Linear(LinearKind::Auto),
        Algorithm::Linear(LinearKind::FreeAtOnce)
    )]
    algorithm: Algorithm,
) {
    let retention = Retention { floor_bytes: 2 * MIB, live_divisor: 0 };
    let config = PoolConfig { min_block_count: 2, retention, ..fixed(algorithm, 2 * MIB) };
    let mut bench = Bench::new(config);
    let first = bench.pool.missing_block().expect("none is there");
    let second = bench.pool.missing_block().expect("only one is on its way");
    assert!(bench.pool.missing_block().is_none());
    assert!(!first.is_awaited());
    // Who comes meanwhile waits for one of them.
    assert!(matches!(bench.pool.allocate(&bytes(MIB)), Ok(Answer::Pending(_))));
    for need in [first, second] {
        let reservation = bench.budgets.reserve(&need).expect("the limits allow it");
        let id = bench.id();
        bench.pool.add_empty_block(need, reservation, id).expect("both are ours");
    }
    bench.check_books();
    assert_eq!(bench.pool.stats().block_count, 2);
    assert!(bench.pool.trim().is_none(), "they stay");

    let mut live: Vec<Place> = (0..5).map(|_| bench.allocate(&bytes(MIB))).collect();
    assert_eq!(bench.pool.stats().block_count, 3);
    // The newest block empties and is kept; then a second one does.
    bench.free(live.pop().expect("five"));
    assert_eq!(bench.pool.stats().block_count, 3);
    let slot = live[3].slot();
    let (emptied, rest): (Vec<_>, Vec<_>) = live.into_iter().partition(|p| p.slot() == slot);
    assert_eq!(emptied.len(), 2);
    let came_back: Vec<u64> = emptied.into_iter().filter_map(|place| bench.free(place)).collect();
    assert_eq!((came_back, bench.pool.stats().block_count), (vec![2 * MIB], 2));
    for place in rest {
        bench.free(place);
    }
    assert_eq!(bench.pool.stats().block_count, 2);
    bench.check_books();
    // The end of the pool.
    while let Some(block) = bench.pool.dissolve() {
        bench.release(block);
    }
    assert_eq!(bench.pool.stats().block_count, 0);
    bench.check_books();
}

#[test]
fn a_block_request_goes_only_where_it_belongs() {
    let config = PoolConfig { min_block_count: 1, ..PoolConfig::default() };
    let mut bench = Bench::new(config);
    let need = bench.pool.missing_block().expect("none is there");
    let reservation = bench.budgets.reserve(&need).expect("the limits allow it");
    let id = bench.id();
    let refused = bench.pool.add_block(need, reservation, id).expect_err("nobody waits");
    assert_eq!(refused.error, AddBlockError::NotAwaited);
    let (need, reservation) = refused.returned;
    drop(reservation);
    bench.pool.cancel(need).expect("it is ours");
    assert!(bench.pool.missing_block().is_some_and(|need| bench.pool.cancel(need).is_ok()));

    let need = bench.need(&PoolRequest { dedicated: Dedicated::Always, ..bytes(MIB) });
    let reservation = bench.budgets.reserve(&need).expect("the limits allow it");
    let refused = bench.pool.add_empty_block(need, reservation, id).expect_err("it is dedicated");
    assert_eq!(refused.error, AddBlockError::Dedicated);
    let (need, reservation) = refused.returned;
    assert!(need.is_awaited());
    let place = bench.pool.add_block(need, reservation, id).expect("it is ours");
    assert!(place.is_dedicated());
    bench.check_books();
}

/// VMA's Pool_MinAllocationAlignment.
#[rstest]
fn every_allocation_of_a_pool_has_its_alignment(
    #[values(
        Algorithm::TwoTier,
        Algorithm::Tlsf,
        Algorithm::Buddy,
        Algorithm::Linear(LinearKind::Ring)
    )]
    algorithm: Algorithm,
) {
    let config = PoolConfig {
        min_alignment: 64 * KIB,
        max_block_count: Some(1),
        ..fixed(algorithm, 4 * MIB)
    };
    let mut bench = Bench::new(config);
    for _ in 0..8 {
        assert_eq!(bench.allocate(&bytes(32)).offset() % (64 * KIB), 0);
    }
    let nonsense = PoolRequest { alignment: 3, ..bytes(32) };
    let error = RequestError::AlignmentNotPowerOfTwo { alignment: 3 };
    assert_eq!(refusal(&mut bench, &nonsense), error);
}

/// VMA's PoolsAndAllocationParameters: an adaptive pool has dedicated memory, a fixed one of a single
/// block of 2.5 MiB has not, and is full at some time.
#[test]
fn a_fixed_pool_has_no_dedicated_memory_and_fills_up() {
    let mut adaptive = Bench::new(PoolConfig::default());
    let place = adaptive.allocate(&PoolRequest { dedicated: Dedicated::Always, ..bytes(MIB) });
    assert!(place.is_dedicated());
    assert_eq!(place.offset(), 0);

    let config = PoolConfig { max_block_count: Some(1), ..fixed(Algorithm::TwoTier, 5 * MIB / 2) };
    let mut bench = Bench::new(config);
    assert!(bench.pool.allocate_placed(&bytes(MIB)).is_none(), "there is no block yet");
    let _first = bench.allocate(&bytes(MIB));
    let second = bench.pool.allocate_placed(&bytes(MIB)).expect("the block has room");
    assert!(bench.pool.allocate_placed(&bytes(MIB)).is_none());
    let full = RequestError::PoolFull { max_block_count: 1 };
    assert_eq!(refusal(&mut bench, &bytes(MIB)), full);
    let always = PoolRequest { dedicated: Dedicated::Always, ..bytes(MIB) };
    assert_eq!(refusal(&mut bench, &always), RequestError::DedicatedNotAllowed { size: MIB });
    let _half = bench.allocate(&bytes(MIB / 2));
    assert_eq!(refusal(&mut bench, &bytes(1)), full);
    bench.free(second);
    let _again = bench.allocate(&bytes(MIB));
    assert_eq!(bench.pool.stats().used_size, 5 * MIB / 2);
    bench.check_books();
}

/// VMA's HeapSizeLimit: 100 MiB, two dedicated of 5 MiB, then a pool of blocks of 10 MiB.
#[test]
fn a_limit_on_the_heap_holds_for_pools_and_dedicated_memory() {
    let heap = HeapLimits { size: 8 << 30, limit: Some(100 * MIB), max_block_count: None };
    let config = PoolConfig { allows_dedicated: true, ..fixed(Algorithm::TwoTier, 10 * MIB) };
    let mut bench = Bench::with_limits(config, DeviceLimits::default(), heap);
    let dedicated = PoolRequest { dedicated: Dedicated::Always, ..bytes(5 * MIB) };
    let mut live: Vec<Place> = (0..2).map(|_| bench.allocate(&dedicated)).collect();
    live.extend((0..18).map(|_| bench.allocate(&bytes(5 * MIB))));
    assert_eq!(bench.budgets.usage(0).expect("heap 0").committed, 100 * MIB);
    let need = bench.need(&bytes(128));
    let error = bench.budgets.reserve(&need).expect_err("the limit is reached");
    let limit = 100 * MIB;
    assert_eq!(
        error,
        LimitError::HeapLimit { heap_index: 0, size: 10 * MIB, in_use: limit, limit }
    );
    bench.pool.cancel(need).expect("it is ours");
    assert_eq!(live.len(), 20);
}

#[test]
fn a_block_size_can_be_checked_before_a_pool_is_made() {
    let heap = HeapLimits { size: 64 * MIB, limit: Some(32 * MIB), max_block_count: None };
    let device = DeviceLimits { max_memory_allocation_size: 48 * MIB, ..DeviceLimits::default() };
    let bench = Bench::with_limits(PoolConfig::default(), device, heap);
    let check = |size| bench.budgets.check_block_size(0, size);
    assert_eq!(check(32 * MIB), Ok(()));
    assert!(matches!(check(33 * MIB), Err(LimitError::HeapLimit { .. })));
    let heap = HeapLimits { limit: None, ..heap };
    let unlimited = Bench::with_limits(PoolConfig::default(), device, heap);
    let check = |size| unlimited.budgets.check_block_size(0, size);
    assert!(matches!(check(49 * MIB), Err(LimitError::AllocationSize { .. })));
    let heap_index = 7;
    let missing = LimitError::NoSuchHeap { heap_index };
    assert_eq!(bench.budgets.check_block_size(heap_index, 1), Err(missing));
}

#[rstest]
#[case::two_tier(fixed(Algorithm::TwoTier, MIB))]
#[case::tlsf(fixed(Algorithm::Tlsf, MIB))]
#[case::buddy(fixed(Algorithm::Buddy, MIB))]
#[case::stack(linear(LinearKind::Stack, MIB))]
#[case::ring(linear(LinearKind::Ring, MIB))]
#[case::several_blocks(fixed(Algorithm::Linear(LinearKind::Auto), MIB))]
fn the_upper_end_is_refused_where_there_is_none(#[case] config: PoolConfig) {
    let mut bench = Bench::new(config);
    let request = PoolRequest { upper: true, ..bytes(KIB) };
    assert_eq!(refusal(&mut bench, &request), RequestError::NoUpperEnd);
    assert!(bench.pool.allocate_in_row(&request).is_none());
    bench.check_books();
}

#[rstest]
#[case(PoolConfig { min_block_count: 3, max_block_count: Some(2), ..PoolConfig::default() },
    ConfigError::BlockCounts { min_block_count: 3, max_block_count: 2 })]
#[case(PoolConfig { max_block_count: Some(0), ..PoolConfig::default() },
    ConfigError::BlockCounts { min_block_count: 0, max_block_count: 0 })]
#[case(fixed(Algorithm::Linear(LinearKind::Ring), MIB), ConfigError::NeedsOneBlock { kind: LinearKind::Ring })]
#[case(PoolConfig { max_block_count: Some(2), ..linear(LinearKind::DoubleStack, MIB) },
    ConfigError::NeedsOneBlock { kind: LinearKind::DoubleStack })]
#[case(PoolConfig { min_alignment: 0, ..PoolConfig::default() },
    ConfigError::NotPowerOfTwo { field: "min_alignment", value: 0 })]
#[case(PoolConfig { smallest_block_size: 3 * MIB, ..PoolConfig::default() },
    ConfigError::NotPowerOfTwo { field: "smallest_block_size", value: 3 * MIB })]
#[case(PoolConfig { allows_dedicated: false, ..PoolConfig::default() },
    ConfigError::OutOfOrder { smaller: "largest_block_size", small: 256 * MIB, larger: "dedicated_above", large: 32 * MIB })]
#[case(fixed(Algorithm::TwoTier, 255),
    ConfigError::OutOfOrder { smaller: "min_allocation_size", small: 256, larger: "smallest_block_size", large: 255 })]
fn a_shape_that_cannot_be_is_refused_with_its_rule(
    #[case] config: PoolConfig,
    #[case] error: ConfigError,
) {
    assert_eq!(config.check(), Err(error));
}

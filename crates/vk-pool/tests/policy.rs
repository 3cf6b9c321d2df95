//! Growth, retention, block choice and the dedicated threshold.

mod support;

use std::sync::Arc;

use rstest::rstest;
use support::{Bench, KIB, MIB, bytes};
use vk_pool::{
    Algorithm, Answer, BlockId, Dedicated, HeapBudgets, HeapLimits, MemoryPool, PoolBooks,
    PoolConfig, PoolRequest, RequestError, ResourceKind, Retention,
};

fn keep(floor_bytes: u64) -> PoolConfig {
    PoolConfig {
        retention: Retention { floor_bytes, live_divisor: 0 },
        growth_divisor: 0,
        ..PoolConfig::default()
    }
}

/// The sizes of the blocks, in MiB, that `count` requests of one MiB bring.
fn loaded(bench: &mut Bench, count: u32) -> Vec<u64> {
    let mut sizes = Vec::new();
    for _ in 0..count {
        let before = bench.pool.stats().total_size;
        let _live = bench.allocate(&bytes(MIB));
        sizes.push((bench.pool.stats().total_size - before) / MIB);
        bench.check_books();
    }
    sizes.retain(|&size| size > 0);
    sizes
}

#[test]
fn blocks_grow_with_a_program_that_loads() {
    let mut bench = Bench::new(PoolConfig::default());
    let sizes = loaded(&mut bench, 1500);
    assert_eq!(sizes, [16, 20, 28, 32, 40, 56, 64, 80, 112, 128, 160, 224, 256, 256, 256]);
}

#[test]
fn a_pool_that_has_not_grown_gets_a_fraction_of_itself() {
    let mut bench = Bench::new(PoolConfig::default());
    // Eight blocks; the last came when 257 MiB were live.
    let places: Vec<_> = (0..320).map(|_| bench.allocate(&bytes(MIB))).collect();
    assert_eq!(bench.pool.stats().total_size, 336 * MIB);
    // Three of four stay, and no hole has two mebibytes but what the last block has left.
    for (index, place) in places.into_iter().enumerate() {
        if index % 4 == 0 {
            bench.free(place);
        }
    }
    let _rest = bench.allocate(&bytes(15 * MIB));
    let _large = bench.allocate(&bytes(4 * MIB));
    // An eleventh, rounded down.
    assert_eq!(bench.pool.stats().total_size, (336 + 28) * MIB);
    bench.check_books();
}

#[test]
fn a_block_for_few_large_requests_leaves_no_rest() {
    let mut bench = Bench::new(PoolConfig::default());
    let texture = bytes(11 * MIB - 64 * KIB);
    for _ in 0..8 {
        let _live = bench.allocate(&texture);
        bench.check_books();
    }
    let sizes: Vec<_> = bench.pool.blocks().skip(1).map(|block| block.size).collect();
    assert!(sizes.iter().all(|size| size.is_multiple_of(11 * MIB)), "{sizes:?}");
}

#[test]
fn what_grows_again_after_blocks_have_gone_gets_growing_blocks() {
    let mut bench = Bench::new(keep_growing(0));
    let mut live: Vec<_> = (0..400).map(|_| bench.allocate(&bytes(MIB))).collect();
    for place in live.split_off(60) {
        bench.free(place);
    }
    assert_eq!(bench.pool.stats().total_size, 64 * MIB, "the young blocks have gone");
    let sizes = loaded(&mut bench, 340);
    assert!(sizes.is_sorted() && sizes.len() <= 12, "{sizes:?}");
}

#[rstest]
#[case::just_below(32 * MIB, Dedicated::BySize, false)]
#[case::just_above(32 * MIB + 1, Dedicated::BySize, true)]
#[case::small_on_request(1, Dedicated::Always, true)]
#[case::large_but_never(100 * MIB, Dedicated::Never, false)]
fn the_threshold_decides_unless_the_request_does(
    #[case] size: u64,
    #[case] dedicated: Dedicated,
    #[case] expected: bool,
) {
    let mut bench = Bench::new(PoolConfig::default());
    let place = bench.allocate(&PoolRequest { dedicated, ..bytes(size) });
    assert_eq!(place.is_dedicated(), expected);
    if expected {
        assert_eq!((place.offset(), bench.pool.stats().dedicated_size), (0, size), "to the byte");
    }
    bench.check_books();
}

#[rstest]
#[case::above_the_threshold(32 * MIB + 1, [false, false, true])]
#[case::twice_it(64 * MIB, [false, true, true])]
#[case::more_than_twice_it(64 * MIB + 1, [true, false, true])]
fn a_large_request_takes_room_that_a_block_has_anyway(
    #[case] size: u64,
    #[case] is_dedicated: [bool; 3],
) {
    let config = PoolConfig { first_block_size: 128 * MIB, ..PoolConfig::default() };
    let mut bench = Bench::new(config);
    let _small = bench.allocate(&bytes(MIB));
    // No block is made for one that finds no room.
    let places = [size, 64 * MIB, 64 * MIB].map(|size| bench.allocate(&bytes(size)));
    assert_eq!(places.map(|place| place.is_dedicated()), is_dedicated);
    assert_eq!(bench.pool.stats().block_count, 1);
    bench.check_books();
}

#[test]
fn a_threshold_that_rules_room_out_holds_to_the_byte() {
    let config = PoolConfig { room_taken_up_to: 32 * MIB, ..PoolConfig::default() };
    let mut bench = Bench::new(PoolConfig { first_block_size: 128 * MIB, ..config });
    let _small = bench.allocate(&bytes(MIB));
    assert!(bench.allocate(&bytes(32 * MIB + 1)).is_dedicated());
    assert!(!bench.allocate(&bytes(32 * MIB)).is_dedicated());
}

#[test]
fn an_alignment_above_the_largest_block_is_served_by_offset_zero_of_its_own_object() {
    let mut bench = Bench::new(PoolConfig::default());
    let place = bench.allocate(&PoolRequest { alignment: 1 << 30, ..bytes(64) });
    assert!(place.is_dedicated());
    assert_eq!(bench.pool.stats().dedicated_size, 64);
}

#[test]
fn dedicated_memory_is_never_rounded() {
    let config =
        PoolConfig { buffer_image_granularity: 65536, atom_size: 256, ..PoolConfig::default() };
    let mut bench = Bench::new(config);
    let request = PoolRequest {
        size: 1001,
        alignment: 1,
        kind: ResourceKind::NonLinear,
        dedicated: Dedicated::Always,
        upper: false,
    };
    let place = bench.allocate(&request);
    assert_eq!((place.size(), bench.pool.stats().dedicated_size), (1001, 1001));
}

/// [`keep`] of a pool that grows.
fn keep_growing(floor_bytes: u64) -> PoolConfig {
    PoolConfig { growth_divisor: PoolConfig::default().growth_divisor, ..keep(floor_bytes) }
}

#[test]
fn an_empty_block_stays_while_the_floor_allows_and_goes_beyond_it() {
    let mut bench = Bench::new(keep(16 * MIB));
    let places: Vec<_> = (0..3).map(|_| bench.allocate(&bytes(16 * MIB))).collect();
    let returned: Vec<_> = places.into_iter().map(|place| bench.free(place)).collect();
    assert_eq!(returned, [None, Some(16 * MIB), Some(16 * MIB)]);
    bench.check_books();
    assert_eq!(bench.pool.stats().retained_size, 16 * MIB);
}

#[test]
fn without_retention_every_empty_block_goes_at_once() {
    let mut bench = Bench::new(keep(0));
    let place = bench.allocate(&bytes(1));
    assert_eq!(bench.free(place), Some(16 * MIB));
    assert_eq!(bench.pool.stats(), vk_pool::PoolStats::default());
}

#[test]
fn a_live_peak_keeps_a_quarter_of_itself() {
    let config = PoolConfig {
        retention: Retention { floor_bytes: 0, live_divisor: 4 },
        growth_divisor: 0,
        ..PoolConfig::default()
    };
    let mut bench = Bench::new(config);
    let places: Vec<_> = (0..8).map(|_| bench.allocate(&bytes(16 * MIB))).collect();
    for place in places {
        bench.free(place);
    }
    assert_eq!(bench.pool.stats().retained_size, 32 * MIB, "a quarter of 128 MiB");
}

#[test]
fn a_swing_beyond_what_is_kept_is_learnt_from() {
    let mut bench = Bench::new(keep(16 * MIB));
    for _ in 0..100 {
        let places: Vec<_> = (0..4).map(|_| bench.allocate(&bytes(16 * MIB))).collect();
        for place in places {
            bench.free(place);
        }
        bench.check_books();
    }
    // Four blocks, of which two to four are made again until what is kept is as large as the swing.
    assert_eq!(bench.pool.stats().retained_size, 64 * MIB);
    assert!(bench.next_id <= 1 + 4 + 3 + 2 + 1, "{} blocks were made", bench.next_id - 1);
}

#[test]
fn ping_pong_of_one_allocation_makes_one_block() {
    let mut bench = Bench::new(PoolConfig::default());
    for _ in 0..1000 {
        let place = bench.allocate(&bytes(4 * KIB));
        assert_eq!(bench.free(place), None);
    }
    assert_eq!(bench.next_id, 2, "one block was ever made");
}

#[test]
fn old_blocks_fill_first_so_that_young_ones_empty() {
    let mut bench = Bench::new(keep(0));
    let old = bench.allocate(&bytes(16 * MIB));
    let young = bench.allocate(&bytes(8 * MIB));
    let (old_slot, young_slot) = (old.slot(), young.slot());
    bench.free(young);
    let young = bench.allocate(&bytes(8 * MIB));
    assert_eq!(young.slot(), young_slot);
    let filler = bench.allocate(&bytes(8 * MIB));
    let third = bench.allocate(&bytes(8 * MIB));
    bench.free(filler);
    // Both the second and the third block have room for it.
    let next = bench.allocate(&bytes(4 * MIB));
    assert_eq!(next.slot(), young_slot);
    assert_ne!(third.slot(), young_slot);
    assert_ne!(old_slot, young_slot);
}

#[test]
fn an_empty_block_is_the_last_choice() {
    let mut bench = Bench::new(keep(64 * MIB));
    let first = bench.allocate(&bytes(16 * MIB));
    let second = bench.allocate(&bytes(MIB));
    let second_slot = second.slot();
    bench.free(first);
    let place = bench.allocate(&bytes(MIB));
    assert_eq!(
        place.slot(),
        second_slot,
        "the older block is empty, so the younger one is asked first"
    );
}

#[test]
fn pools_of_one_type_grow_as_one_through_shared_books() {
    let heap = HeapLimits { size: 8 << 30, ..HeapLimits::default() };
    let budgets =
        Arc::new(HeapBudgets::new(vk_pool::DeviceLimits::default(), &[heap]).expect("one heap"));
    let books = Arc::new(PoolBooks::new());
    let pool = || {
        MemoryPool::new(PoolConfig::default(), Arc::clone(&budgets), Arc::clone(&books))
            .expect("valid")
    };
    let (mut a, mut b) = (pool(), pool());
    let mut sizes = Vec::new();
    let mut places = Vec::new();
    for id in 0..6 {
        let pool = if id % 2 == 0 { &mut a } else { &mut b };
        let Ok(Answer::NeedBlock(need)) = pool.allocate(&bytes(16 * MIB)) else { continue };
        sizes.push(need.size() / MIB);
        let reservation = budgets.reserve(&need).expect("8 GiB are free");
        places.push(pool.add_block(need, reservation, BlockId(id)).expect("both are ours"));
    }
    assert_eq!(sizes, [16, 32, 32, 48]);
    assert_eq!(books.committed(), a.stats().total_size + b.stats().total_size);
}

#[test]
fn the_same_calls_give_the_same_places() {
    let run = || {
        let mut bench = Bench::new(PoolConfig::default());
        let mut live = Vec::new();
        let mut offsets = Vec::new();
        let mut random = 7u64;
        for _ in 0..2000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if random >> 63 == 0 || live.is_empty() {
                let place = bench.allocate(&bytes((random >> 40) % (200 * KIB) + 1));
                offsets.push((place.slot(), place.offset()));
                live.push(place);
            } else {
                let index = (random >> 33) as usize % live.len();
                bench.free(live.swap_remove(index));
            }
        }
        offsets
    };
    assert_eq!(run(), run());
}

/// Whatever the algorithm and the units, so many bytes behind each piece are nobody's.
#[rstest]
fn a_margin_lies_behind_each_piece_of_a_block(
    #[values(Algorithm::TwoTier, Algorithm::Tlsf, Algorithm::Buddy)] algorithm: Algorithm,
    #[values(1, 64, 4096)] atom_size: u64,
    #[values(1, 16, 5000)] margin: u64,
) {
    let mut bench = Bench::new(PoolConfig {
        algorithm,
        atom_size,
        margin,
        buffer_image_granularity: 1024,
        first_block_size: MIB,
        largest_block_size: MIB,
        dedicated_above: MIB,
        ..keep(0)
    });
    let kinds = [ResourceKind::Linear, ResourceKind::NonLinear, ResourceKind::Unknown];
    let sizes = (0..120).map(|step| 1 + step * step * 7);
    let requests = sizes.zip(kinds.into_iter().cycle());
    let mut places: Vec<_> =
        requests.map(|(size, kind)| bench.allocate(&PoolRequest { kind, ..bytes(size) })).collect();
    bench.check_books();
    places.sort_unstable_by_key(|place| (place.slot(), place.offset()));
    let mut neighbours = 0;
    for pair in places.windows(2) {
        let end = pair[0].offset() + pair[0].size() + margin;
        let next = if pair[0].slot() == pair[1].slot() { pair[1].offset() } else { MIB };
        assert!(end <= next, "{pair:?}");
        neighbours += u32::from(pair[0].slot() == pair[1].slot());
    }
    assert!(neighbours >= 100, "{neighbours}");
    assert_eq!(bench.pool.stats().requested_size, places.iter().map(|place| place.size()).sum());
    for place in places {
        bench.free(place);
    }
    bench.check_books();
}

#[test]
fn a_margin_takes_no_part_in_what_is_dedicated() {
    let mut bench = Bench::new(PoolConfig { margin: u64::MAX, ..PoolConfig::default() });
    for dedicated in [Dedicated::Always, Dedicated::BySize] {
        let place = bench.allocate(&PoolRequest { dedicated, ..bytes(1000) });
        assert!(place.is_dedicated(), "no block has room for the margin");
        assert_eq!(bench.pool.stats().dedicated_size, 1000, "to the byte");
        bench.free(place);
    }
    let refused = bench.pool.allocate(&PoolRequest { dedicated: Dedicated::Never, ..bytes(1000) });
    assert!(
        matches!(refused, Err(RequestError::LargerThanBlock { size: 1000, .. })),
        "{refused:?}"
    );
    bench.check_books();
}

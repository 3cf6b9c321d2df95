//! What VMA's tests ask of its algorithms, asked of ours; written from descriptions of them (VMA,
//! `src/Tests.cpp`). What needs pools of the user's own with fixed numbers of blocks is not here.

mod support;

use rstest::rstest;
use support::{Bench, KIB, MIB, bytes};
use vk_pool::{
    Algorithm, Answer, BlockShape, DeviceLimits, HeapLimits, LimitError, Piece, PoolConfig,
    Suballocator,
};

const ALGORITHMS: [Algorithm; 3] = [Algorithm::TwoTier, Algorithm::Tlsf, Algorithm::Buddy];

/// A linear congruential generator is enough for choosing.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(1);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

fn block(algorithm: Algorithm, size: u64, unit: u64) -> Suballocator {
    let shape = BlockShape::new(size, unit);
    Suballocator::new(&algorithm, &shape).expect("the block can be")
}

/// Live pieces overlap nowhere, end within the block, and are what the block says lives in it.
#[track_caller]
fn check(block: &Suballocator, size: u64, live: &[Piece]) {
    let mut sorted: Vec<(u64, u64)> = live.iter().map(|piece| (piece.offset, piece.size)).collect();
    sorted.sort_unstable();
    let end = sorted.iter().fold(0, |end, &(offset, size)| {
        assert!(offset >= end, "{offset} is before {end}, where the one before it ends");
        offset + size
    });
    assert!(end <= size);
    assert!(block.pieces().eq(sorted), "the block reports what lives in it");
}

#[rstest]
fn a_block_is_filled_and_emptied_by_halves_and_quarters(
    #[values(Algorithm::TwoTier, Algorithm::Tlsf, Algorithm::Buddy)] algorithm: Algorithm,
) {
    let mut block = block(algorithm, 16 * MIB, 16);
    let half = block.allocate(8 * MIB, 1).expect("it is empty");
    let quarter = block.allocate(4 * MIB, 1).expect("half of it is free");
    assert_eq!(block.allocate(8 * MIB, 1), None, "a quarter is free");
    assert_eq!(block.free(quarter.offset, quarter.node), Some(4 * MIB));
    let other = block.allocate(8 * MIB, 1).expect("half of it is free again");
    check(&block, 16 * MIB, &[half, other]);
    assert_eq!(block.allocate(1, 1), None, "it is full to the byte");
    for piece in [half, other] {
        assert_eq!(block.free(piece.offset, piece.node), Some(8 * MIB));
    }
    let small: Vec<Piece> =
        (0..10).map(|i| block.allocate(15 + 3 * i, 8).expect("it is nearly empty")).collect();
    assert!(small.iter().all(|piece| piece.offset.is_multiple_of(8)));
    check(&block, 16 * MIB, &small);
    for piece in small {
        assert!(block.free(piece.offset, piece.node).is_some());
    }
    assert!(block.allocate(16 * MIB, 1).is_some(), "one piece again");
}

#[rstest]
fn pieces_of_odd_sizes_overlap_nowhere_in_a_block_of_ten_thousand_units(
    #[values(Algorithm::TwoTier, Algorithm::Tlsf, Algorithm::Buddy)] algorithm: Algorithm,
) {
    const SIZE: u64 = 10_000;
    let mut block = block(algorithm, SIZE, 1);
    assert_eq!(block.allocate(SIZE + 1, 1), None);
    let mut random = Random(3);
    let mut live: Vec<Piece> =
        (5..25).map(|size| block.allocate(size, 1).expect("a few hundred units")).collect();
    for _ in 0..5 {
        let piece = live.swap_remove(random.below(live.len()));
        assert_eq!(block.free(piece.offset, piece.node), Some(piece.size));
    }
    live.extend((0..6).map(|i| block.allocate(10 + 2 * i, 1).expect("a few hundred units")));
    for i in 0..3 {
        let aligned = block.allocate(10 + 2 * i, 16).expect("a few hundred units");
        assert_eq!(aligned.offset % 16, 0);
        live.push(aligned);
    }
    assert_eq!(live.len(), 24);
    check(&block, SIZE, &live);
}

/// Twelve sizes, each half of the one before; pieces are replaced by two halves until all are of the
/// smallest. The block is full at every step, so only exact packing gets through.
#[rstest]
fn a_full_block_stays_full_while_pieces_are_replaced_by_their_halves(
    #[values(Algorithm::TwoTier, Algorithm::Tlsf, Algorithm::Buddy)] algorithm: Algorithm,
    #[values(1, 256, 64 * KIB)] unit: u64,
) {
    let largest = unit << 11;
    let size = 4 * largest;
    let mut block = block(algorithm, size, unit);
    let mut random = Random(unit);
    let mut splittable: Vec<Piece> =
        (0..4).map(|_| block.allocate(largest, 1).expect("four fill it")).collect();
    let mut smallest: Vec<Piece> = Vec::new();
    let mut steps = 0;
    while !splittable.is_empty() {
        let whole = splittable.swap_remove(random.below(splittable.len()));
        assert_eq!(block.allocate(unit, 1), None, "it is full");
        assert_eq!(block.free(whole.offset, whole.node), Some(whole.size));
        for _ in 0..2 {
            let half = block.allocate(whole.size / 2, 1).expect("as much was freed");
            assert_eq!(half.size, whole.size / 2);
            (if half.size == unit { &mut smallest } else { &mut splittable }).push(half);
        }
        steps += 1;
        if steps % 512 == 0 {
            let live: Vec<Piece> = splittable.iter().chain(&smallest).copied().collect();
            assert_eq!(live.iter().map(|piece| piece.size).sum::<u64>(), size);
            check(&block, size, &live);
        }
    }
    assert_eq!((steps, smallest.len() as u64), (4 * 2047, size / unit));
    check(&block, size, &smallest);
    for piece in smallest {
        assert_eq!(block.free(piece.offset, piece.node), Some(unit));
    }
    assert!(block.allocate(size, 1).is_some(), "one piece again");
}

#[test]
fn sizes_that_are_no_multiples_of_their_alignment_pack_into_forty_eight_mebibytes() {
    for algorithm in ALGORITHMS {
        let mut block = block(algorithm, 48 * MIB, 1);
        let mut live: Vec<Piece> = Vec::new();
        for round in 0..3 {
            for size in [576, 648, 720] {
                let piece = block.allocate(size, 2).expect("it is nearly empty");
                assert!(piece.offset.is_multiple_of(2) && piece.size >= size);
                live.push(piece);
            }
            let piece = live.remove(round);
            assert_eq!(block.free(piece.offset, piece.node), Some(piece.size));
        }
        check(&block, 48 * MIB, &live);
    }
}

/// A pool that may commit 128 MiB, in blocks of 32.
fn limited() -> Bench {
    let config = PoolConfig {
        first_block_size: 32 * MIB,
        largest_block_size: 32 * MIB,
        smallest_block_size: 32 * MIB,
        dedicated_above: 32 * MIB,
        growth_divisor: 0,
        ..PoolConfig::default()
    };
    let heap = HeapLimits { size: 8 << 30, limit: Some(128 * MIB), ..HeapLimits::default() };
    Bench::with_limits(config, DeviceLimits::default(), heap)
}

/// The next allocation needs a block, and the limit refuses it.
#[track_caller]
fn check_full(bench: &mut Bench, size: u64) {
    let Ok(Answer::NeedBlock(need)) = bench.pool.allocate(&bytes(size)) else {
        panic!("there is room for {size} bytes")
    };
    let refusal = bench.budgets.reserve(&need).expect_err("the limit is reached");
    assert!(matches!(refusal, LimitError::HeapLimit { limit, .. } if limit == 128 * MIB));
    bench.pool.cancel(need).expect("it was asked for above");
}

#[test]
fn blocks_of_one_size_are_filled_to_the_last_place_and_a_freed_one_is_taken_again() {
    let mut bench = limited();
    let mut live: Vec<_> = (0..128).map(|_| bench.allocate(&bytes(MIB))).collect();
    check_full(&mut bench, MIB);
    let mut random = Random(5);
    for _ in 0..100 {
        let freed = live.swap_remove(random.below(live.len()));
        let place = (freed.slot(), freed.offset());
        bench.free(freed);
        let again = bench.allocate(&bytes(MIB));
        assert_eq!((again.slot(), again.offset()), place, "the only room there is");
        live.push(again);
    }
    check_full(&mut bench, 256);
    let stats = bench.pool.stats();
    assert_eq!((stats.block_count, stats.used_size, stats.total_size), (4, 128 * MIB, 128 * MIB));
    bench.free(live.swap_remove(random.below(128)));
    let stats = bench.pool.stats();
    assert_eq!(stats.total_size - stats.used_size, MIB, "one hole of one place");
    check_full(&mut bench, MIB + 256);
    live.push(bench.allocate(&bytes(MIB)));
    for place in live {
        bench.free(place);
    }
    assert_eq!(bench.pool.stats().used_size, 0);
}

//! Room that a block of two tiers keeps for others is found before a request is refused, or a block is made.

mod support;

use rstest::rstest;
use support::{Bench, KIB, MIB, bytes};
use vk_pool::{Answer, Place, PoolConfig, RequestError};

/// One block of a mebibyte, and no other.
fn one_block() -> PoolConfig {
    PoolConfig { max_block_count: Some(1), ..PoolConfig::default() }.with_block_size(MIB)
}

/// A block full of pieces of one size, in address order.
fn full_of(bench: &mut Bench, size: u64) -> Vec<Place> {
    let mut places: Vec<_> = (0..MIB / size).map(|_| bench.allocate(&bytes(size))).collect();
    places.sort_by_key(Place::offset);
    let refused = bench.pool.allocate(&bytes(size)).expect_err("it is full");
    assert_eq!(refused, RequestError::PoolFull { max_block_count: 1 });
    places
}

/// Freed pieces stay of their size; neighbours are room for larger ones all the same.
#[rstest]
#[case::two_of_8_kib(8, 2, 16)]
#[case::eight_of_1_kib(1, 8, 8)]
#[case::eight_of_1_kib_of_which_two_are_enough(1, 8, 2)]
#[case::four_of_4_kib(4, 4, 16)]
fn freed_neighbours_are_room_for_a_larger_one(
    #[case] size: u64,
    #[case] freed: usize,
    #[case] wanted: u64,
) {
    let mut bench = Bench::new(one_block());
    let mut places = full_of(&mut bench, size * KIB);
    for place in places.drain(..freed) {
        bench.free(place);
    }
    let place = bench.allocate(&bytes(wanted * KIB));
    assert_eq!(place.offset() % (wanted * KIB), 0);
    assert!(place.offset() < size * KIB * freed as u64, "where they lay");
    bench.check_books();
}

/// Freed pieces that are no neighbours are none, and are still found one by one.
#[test]
fn freed_pieces_that_are_no_neighbours_are_no_room() {
    let mut bench = Bench::new(one_block());
    let mut places = full_of(&mut bench, 8 * KIB);
    let second = places.remove(2);
    let first = places.remove(0);
    bench.free(first);
    bench.free(second);
    assert!(bench.pool.allocate(&bytes(16 * KIB)).is_err());
    let offsets = [0, 1].map(|_| bench.allocate(&bytes(8 * KIB)).offset());
    assert!(offsets.contains(&0) && offsets.contains(&(16 * KIB)), "{offsets:?}");
}

/// The span that is kept while nothing lives in it goes when its room is needed.
#[rstest]
#[case::what_is_left_with_it(256)]
#[case::less(200)]
fn a_kept_span_is_room_for_a_large_request(#[case] wanted: u64) {
    let mut bench = Bench::new(one_block());
    let _large = bench.allocate(&bytes(768 * KIB));
    let small = bench.allocate(&bytes(KIB));
    bench.free(small);
    let place = bench.allocate(&bytes(wanted * KIB));
    assert_eq!(place.offset() % (256 * KIB), 0);
    bench.check_books();
}

/// A pool that may grow does not, where that is room.
#[test]
fn no_block_is_made_while_a_kept_span_has_room() {
    let config = PoolConfig {
        first_block_size: MIB,
        smallest_block_size: MIB,
        largest_block_size: MIB,
        dedicated_above: MIB,
        ..PoolConfig::default()
    };
    let mut bench = Bench::new(config);
    let _large = bench.allocate(&bytes(768 * KIB));
    let small = bench.allocate(&bytes(KIB));
    bench.free(small);
    let answer = bench.pool.allocate(&bytes(250 * KIB)).expect("the request is valid");
    assert!(matches!(answer, Answer::Placed(_)), "{answer:?}");
}

//! No operation grows with the region's state: visited nodes counted in the worst states there are.

use alloc::vec::Vec;

use rstest::rstest;

use super::bins::bin_of;
use super::{Tlsf, TlsfBlock};
use crate::visits::{Visits, during};

const KIB: u64 = 1 << 10;

/// As many holes as VMA was probed with; there each request that misses walks them.
const HOLES: u64 = 16_384;

/// A linear congruential generator is enough for choosing.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// A region whose first part is holes of these sizes at 4 KiB beyond multiples of 64 KiB, between
/// taken pieces, and whose last 64 MiB are free.
fn holed(size_of_hole: impl Fn(u64) -> u64) -> Tlsf {
    let cell = 192 * KIB;
    let mut region = Tlsf::new(HOLES * cell + (64 << 20), 256).unwrap();
    let mut holes = Vec::new();
    let mut separator = 4 * KIB;
    for index in 0..HOLES {
        let size = size_of_hole(index);
        region.allocate(separator, 1).unwrap();
        holes.push(region.allocate(size, 1).unwrap());
        separator = cell - size;
    }
    region.allocate(separator, 1).unwrap();
    for hole in holes {
        assert_eq!(hole.offset % (64 * KIB), 4 * KIB);
        region.free(hole.offset, hole.node).unwrap();
    }
    assert_eq!(region.free_ranges().count() as u64, HOLES + 1);
    region
}

/// Sizes that fit the request and miss its alignment, all over its bins.
fn misaligned(index: u64) -> u64 {
    64 * KIB + index * 97 % 224 * 256
}

/// All of one size.
fn equal(_: u64) -> u64 {
    64 * KIB
}

/// Runs a program of such requests and releases; answers the most that an allocation, and that a
/// release, has visited.
fn worst(region: &mut Tlsf, requests: &[(u64, u64)]) -> (Visits, Visits) {
    let mut random = Random(7);
    let mut live: Vec<TlsfBlock> = Vec::new();
    let (mut allocating, mut freeing) = (Visits::default(), Visits::default());
    for _ in 0..4_000 {
        if live.len() > 200 || (!live.is_empty() && random.below(3) == 0) {
            let block = live.swap_remove(random.below(live.len()));
            let (freed, visits) = during(|| region.free(block.offset, block.node));
            assert_eq!(freed, Some(block.size));
            freeing = freeing.max(visits);
        } else {
            let (size, alignment) = requests[random.below(requests.len())];
            let (block, visits) = during(|| region.allocate(size, alignment));
            live.extend(block);
            allocating = allocating.max(visits);
        }
    }
    assert!(live.len() > 100, "requests are served");
    region.validate().unwrap();
    (allocating, freeing)
}

#[rstest]
#[case::holes_that_miss(misaligned, &[(64 * KIB, 64 * KIB), (100 * KIB, 64 * KIB), (120 * KIB, 64 * KIB)])]
#[case::holes_that_miss_and_hit(misaligned, &[(64 * KIB, 64 * KIB), (70 * KIB, 1), (3 * KIB, 1024)])]
#[case::equal_holes_that_just_miss(equal, &[(64 * KIB + 256, 1), (71 * KIB, 1), (64 * KIB, 8 * KIB)])]
#[case::equal_holes_that_fit(equal, &[(64 * KIB, 1), (64 * KIB, 4 * KIB), (60 * KIB, 1)])]
fn no_operation_visits_more_nodes_than_is_stated(
    #[case] size_of_hole: fn(u64) -> u64,
    #[case] requests: &[(u64, u64)],
) {
    let mut region = holed(size_of_hole);
    let (allocating, freeing) = worst(&mut region, requests);
    for visits in [allocating, freeing] {
        assert!(visits.nodes > 0, "the counter ran");
        assert!(visits.nodes <= Tlsf::MAX_NODES_VISITED, "{visits:?}");
    }
}

#[test]
fn a_stretch_behind_a_piece_is_taken_without_a_walk() {
    let mut region = holed(misaligned);
    let pieces: Vec<TlsfBlock> = region.taken_blocks().step_by(61).collect();
    for piece in pieces {
        let at = piece.offset + piece.size + 512;
        let (block, visits) = during(|| region.allocate_at(at, 4 * KIB, Some(piece.node)));
        assert_eq!(block.map(|block| block.offset), Some(at));
        assert!((1..=Tlsf::MAX_NODES_VISITED).contains(&visits.nodes), "{visits:?}");
    }
    region.validate().unwrap();
}

#[test]
fn the_stated_number_is_nearly_reached() {
    let mut region = holed(misaligned);
    let (allocating, _) = worst(&mut region, &[(64 * KIB, 64 * KIB)]);
    assert!(allocating.nodes * 2 > Tlsf::MAX_NODES_VISITED, "{allocating:?}: state less");
}

#[test]
fn a_planted_walk_is_seen() {
    let region = holed(equal);
    let units = 64 * 4 + 1;
    let walk = || region.tightest_among(usize::MAX, bin_of(units), units, 1);
    let (found, visits) = during(walk);
    assert_eq!(found, None, "all holes of the bin miss");
    assert!(visits.nodes >= HOLES, "{visits:?}");
    assert!(visits.nodes > Tlsf::MAX_NODES_VISITED);
}

//! No operation grows with the number of blocks: visited blocks counted in pools of a thousand.

use alloc::sync::Arc;
use alloc::vec::Vec;

use rstest::rstest;

use super::MemoryPool;
use crate::tlsf::Tlsf;
use crate::visits::{Visits, during};
use crate::{
    Algorithm, Answer, BlockId, Dedicated, DeviceLimits, HeapBudgets, HeapLimits, Place, PoolBooks,
    PoolConfig, PoolRequest, ResourceKind, Retention,
};

const KIB: u64 = 1 << 10;
const BLOCK: u64 = 1 << 20;
const BLOCKS: u64 = 1_000;

/// Blocks that a release looks at at most: its own, that again when it has emptied, and one that is
/// given back then.
const MAX_BLOCKS_OF_A_RELEASE: u64 = 4;

/// Both tiers: an allocation of each, a span made, and one given back.
const MAX_NODES_OF_A_BLOCK: u64 = 4 * Tlsf::MAX_NODES_VISITED;

struct Bench {
    pool: MemoryPool,
    budgets: Arc<HeapBudgets>,
    blocks_made: u64,
}

impl Bench {
    fn new(algorithm: Algorithm) -> Self {
        let heap = HeapLimits { size: 64 << 30, ..HeapLimits::default() };
        let budgets = Arc::new(HeapBudgets::new(DeviceLimits::default(), &[heap]).unwrap());
        let config = PoolConfig {
            algorithm,
            first_block_size: BLOCK,
            largest_block_size: BLOCK,
            growth_divisor: 0,
            dedicated_above: BLOCK,
            room_taken_up_to: BLOCK,
            retention: Retention { floor_bytes: 8 * BLOCK, live_divisor: 0 },
            ..PoolConfig::default()
        };
        let books = Arc::new(PoolBooks::new());
        let pool = MemoryPool::new(config, Arc::clone(&budgets), books).unwrap();
        Self { pool, budgets, blocks_made: 0 }
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> (Place, Visits) {
        let (kind, dedicated) = (ResourceKind::Linear, Dedicated::Never);
        let request = PoolRequest { size, alignment, kind, dedicated, upper: false };
        let (answer, visits) = during(|| self.pool.allocate(&request));
        match answer.unwrap() {
            Answer::Placed(place) => (place, visits),
            Answer::NeedBlock(need) => {
                let reservation = self.budgets.reserve(&need).unwrap();
                self.blocks_made += 1;
                let id = BlockId(self.blocks_made);
                let add = || self.pool.add_block(need, reservation, id).ok();
                let (place, more) = during(add);
                assert!(more.blocks <= MAX_BLOCKS_OF_A_RELEASE, "{more:?}");
                (place.unwrap(), visits)
            }
            Answer::Pending(_) => panic!("nothing is on its way"),
        }
    }

    fn free(&mut self, place: Place) -> Visits {
        let (spent, visits) = during(|| self.pool.free(place));
        if let Some(block) = spent.unwrap() {
            self.budgets.released(block);
        }
        visits
    }

    /// Blocks of which each has holes of 64 KiB and more at 4 KiB beyond multiples of 64 KiB, and
    /// nothing else free.
    fn with_holes_that_miss(algorithm: Algorithm) -> Self {
        let mut bench = Self::new(algorithm);
        let mut holes = Vec::new();
        for block in 0..BLOCKS {
            let mut end = 68 * KIB;
            let (_lives_on, _) = bench.allocate(end, 1);
            for cell in 1..5 {
                let size = 64 * KIB + (block * 97 + cell * 13) % 224 * 256;
                holes.push(bench.allocate(size, 1).0);
                let next = if cell == 4 { BLOCK } else { 68 * KIB + cell * 192 * KIB };
                let (_lives_on, _) = bench.allocate(next - end - size, 1);
                end = next;
            }
        }
        assert_eq!((bench.blocks_made, bench.pool.stats().used_size), (BLOCKS, BLOCKS * BLOCK));
        for hole in holes {
            assert_eq!(hole.offset() % (64 * KIB), 4 * KIB);
            bench.free(hole);
        }
        bench
    }
}

#[rstest]
#[case::misses(Algorithm::TwoTier, &[(64 * KIB, 64 * KIB), (100 * KIB, 64 * KIB), (90 * KIB, 64 * KIB)])]
#[case::misses_and_hits(Algorithm::TwoTier, &[(64 * KIB, 64 * KIB), (70 * KIB, 1), (500, 256), (9 * KIB, 4 * KIB)])]
#[case::without_spans(Algorithm::Tlsf, &[(64 * KIB, 64 * KIB), (110 * KIB, 64 * KIB), (300, 1)])]
fn no_operation_asks_more_blocks_than_is_stated(
    #[case] algorithm: Algorithm,
    #[case] requests: &[(u64, u64)],
) {
    let mut bench = Bench::with_holes_that_miss(algorithm);
    let (mut allocating, mut freeing) = (Visits::default(), Visits::default());
    let mut live = Vec::new();
    for step in 0..3_000 {
        let (size, alignment) = requests[step % requests.len()];
        let (place, visits) = bench.allocate(size, alignment);
        live.push(place);
        allocating = allocating.max(visits);
        if live.len() > 300 {
            let oldest = live.swap_remove(step * 31 % 300);
            freeing = freeing.max(bench.free(oldest));
        }
    }
    for place in live {
        freeing = freeing.max(bench.free(place));
    }
    let asked = MemoryPool::MAX_BLOCKS_ASKED as u64;
    assert!(allocating.blocks > 1, "{allocating:?}: no request missed a block");
    assert!(allocating.blocks <= asked, "{allocating:?}");
    assert!(allocating.nodes <= asked * MAX_NODES_OF_A_BLOCK, "{allocating:?}");
    assert!((1..=MAX_BLOCKS_OF_A_RELEASE).contains(&freeing.blocks), "{freeing:?}");
    assert!((1..=MAX_NODES_OF_A_BLOCK).contains(&freeing.nodes), "{freeing:?}");
}

#[test]
fn a_planted_walk_is_seen() {
    let bench = Bench::with_holes_that_miss(Algorithm::TwoTier);
    // What a pool without an index would do.
    let (found, visits) = during(|| bench.pool.blocks().find(|block| block.used == 0));
    assert_eq!(found, None);
    assert!(visits.blocks >= BLOCKS, "{visits:?}");
    assert!(visits.blocks > MemoryPool::MAX_BLOCKS_ASKED as u64);
}

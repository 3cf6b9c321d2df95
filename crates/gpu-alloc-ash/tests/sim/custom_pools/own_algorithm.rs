//! Pools carved up by an algorithm of the user's: it serves as any other, and what it gets wrong is an
//! error and never handed out.

use gpu_alloc_ash::{
    Algorithm, AllocError, BlockShape, CustomAlgorithm, CustomFault, CustomPoolConfig,
    CustomSuballocator, Piece, PieceRequest,
};
use rstest::rstest;

use super::fixture::{MAPPED, bytes, fixed};
use crate::support::{KIB, MIB, Sim};

/// Takes in a row, and starts over when empty.
#[derive(Debug)]
struct Row {
    size: u64,
    next: u64,
    live: u32,
}

impl CustomSuballocator for Row {
    fn allocate(&mut self, request: &PieceRequest) -> Option<Piece> {
        let offset = self.next.next_multiple_of(request.alignment);
        let end = offset.checked_add(request.size).filter(|&end| end <= self.size)?;
        (self.next, self.live) = (end, self.live + 1);
        Some(Piece { offset, size: request.size, node: self.live })
    }

    fn free(&mut self, _: Piece) {
        self.live -= 1;
        if self.live == 0 {
            self.next = 0;
        }
    }

    fn largest_free(&self) -> u64 {
        self.size - self.next
    }
}

/// An algorithm that takes in a row.
pub(crate) fn row() -> Algorithm {
    let make = |shape: &BlockShape| -> Box<dyn CustomSuballocator> {
        Box::new(Row { size: shape.size, next: 0, live: 0 })
    };
    Algorithm::Custom(CustomAlgorithm::new("row", make))
}

/// What a broken one answers: always the same.
#[derive(Debug)]
struct Stuck(Option<Piece>);

impl CustomSuballocator for Stuck {
    fn allocate(&mut self, _: &PieceRequest) -> Option<Piece> {
        self.0
    }

    fn free(&mut self, _: Piece) {}

    fn largest_free(&self) -> u64 {
        u64::MAX
    }
}

fn stuck(piece: Option<Piece>) -> CustomPoolConfig<'static> {
    let algorithm = CustomAlgorithm::new("stuck", move |_| Box::new(Stuck(piece)));
    CustomPoolConfig { algorithm: Algorithm::Custom(algorithm), ..fixed(MAPPED, MIB) }
}

#[test]
fn an_algorithm_of_the_users_own_carves_the_blocks() {
    let sim = Sim::default();
    let pool = sim.pool(&CustomPoolConfig { algorithm: row(), ..fixed(MAPPED, MIB) });
    let live: Vec<_> = (0..6).map(|_| sim.allocate_in(&pool, &bytes(300 * KIB))).collect();
    let offsets: Vec<_> = live.iter().map(|one| one.offset() / KIB).collect();
    assert_eq!(offsets, [0, 300, 600, 0, 300, 600]);
    assert_eq!((pool.stats().block_count, pool.check()), (2, Ok(())));
    sim.free_many(live);
    sim.end_pool(pool);
    sim.finish();
}

/// In a new block, which goes back to the driver.
#[rstest]
#[case::out_of_the_block(
    Piece { offset: MIB - 100, size: 1000, node: 0 },
    CustomFault::OutOfBlock { offset: MIB - 100, size: 1000, block_size: MIB }
)]
#[case::too_small(
    Piece { offset: 0, size: 999, node: 0 }, CustomFault::TooSmall { size: 999, asked: 1000 }
)]
fn a_wrong_answer_in_a_new_block_is_an_error(#[case] piece: Piece, #[case] fault: CustomFault) {
    let sim = Sim::default();
    let pool = sim.pool(&stuck(Some(piece)));
    for _ in 0..2 {
        let error = sim.refusal_in(&pool, &bytes(1000));
        assert_eq!(error, AllocError::WrongAnswer(fault));
        assert_eq!((sim.driver.live().memory, sim.allocator.stats().total_allocated), (0, 0));
    }
    sim.end_pool(pool);
    sim.finish();
}

#[test]
fn an_empty_block_without_room_is_an_error() {
    let sim = Sim::default();
    let pool = sim.pool(&stuck(None));
    let error = sim.refusal_in(&pool, &bytes(1000));
    assert_eq!(error, AllocError::NotServed { block_size: MIB });
    assert!(sim.driver.live().is_empty());
    sim.end_pool(pool);
    sim.finish();
}

/// In a block that is in use: what lives there goes on, and nobody else gets in before it is empty.
#[test]
fn a_wrong_answer_in_a_block_in_use_is_an_error() {
    let sim = Sim::default();
    let first = Piece { offset: 0, size: 1000, node: 7 };
    let pool = sim.pool(&CustomPoolConfig { max_block_count: Some(1), ..stuck(Some(first)) });
    let mut kept = sim.allocate_in(&pool, &bytes(1000));
    sim.allocator.write(&mut kept, 0, &[9; 1000]).expect("it is mapped");
    let error = sim.refusal_in(&pool, &bytes(500));
    let fault = CustomFault::Overlap { offset: 0, size: 1000, live_offset: 0 };
    assert_eq!(error, AllocError::WrongAnswer(fault));
    assert_eq!(sim.refusal_in(&pool, &bytes(500)), AllocError::PoolFull { max_block_count: 1 });
    let mut bytes_read = [0; 1000];
    sim.allocator.read(&kept, 0, &mut bytes_read).expect("it is mapped");
    assert_eq!(bytes_read, [9; 1000]);
    sim.free(kept);
    let again = sim.allocate_in(&pool, &bytes(800));
    sim.free(again);
    sim.end_pool(pool);
    sim.finish();
}

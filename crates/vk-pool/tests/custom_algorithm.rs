//! A user's own algorithm: what is right is handed out, what is wrong never is.

mod support;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use rstest::rstest;
use support::{Bench, Honest, KIB, MIB, bytes};
use vk_pool::{
    AddBlockError, Algorithm, Answer, CustomAlgorithm, CustomFault, CustomSuballocator, Piece,
    PieceRequest, Place, PoolConfig, PoolRequest, PoolStats, RequestError, Retention,
};

/// What the suballocators of a pool answer next, and what they were told.
#[derive(Clone, Debug, Default)]
struct Script(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    answers: VecDeque<Option<Piece>>,
    asked: Vec<PieceRequest>,
    freed: Vec<Piece>,
    made: u32,
}

impl Script {
    fn lines(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.0.lock().expect("no test panics while it holds the script")
    }

    fn answer(&self, offset: u64, size: u64) {
        self.lines().answers.push_back(Some(Piece { offset, size, node: 7 }));
    }

    fn config(&self) -> PoolConfig {
        let script = self.clone();
        let algorithm = CustomAlgorithm::new("scripted", move |shape| {
            assert_eq!((shape.size, shape.min_allocation_size), (MIB, 256));
            script.lines().made += 1;
            Box::new(script.clone())
        });
        let retention = Retention { floor_bytes: 64 * MIB, live_divisor: 0 };
        let algorithm = Algorithm::Custom(algorithm);
        PoolConfig { algorithm, retention, ..PoolConfig::default() }.with_block_size(MIB)
    }
}

impl CustomSuballocator for Script {
    fn allocate(&mut self, request: &PieceRequest) -> Option<Piece> {
        let mut lines = self.lines();
        lines.asked.push(*request);
        lines.answers.pop_front().flatten()
    }

    fn free(&mut self, piece: Piece) {
        self.lines().freed.push(piece);
    }

    fn largest_free(&self) -> u64 {
        MIB
    }
}

/// A pool with a live piece of 64 KiB at 256 KiB.
fn with_one_piece() -> (Script, Bench, Place) {
    let script = Script::default();
    let mut bench = Bench::new(script.config());
    script.answer(256 * KIB, 64 * KIB);
    let place = bench.allocate(&bytes(60_000));
    assert_eq!((place.offset(), place.size()), (256 * KIB, 60_000));
    (script, bench, place)
}

fn overlap(offset: u64, size: u64) -> CustomFault {
    CustomFault::Overlap { offset, size, live_offset: 256 * KIB }
}

#[rstest]
#[case::beyond_the_end(MIB - KIB, 4 * KIB, CustomFault::OutOfBlock { offset: MIB - KIB, size: 4 * KIB, block_size: MIB })]
#[case::beyond_64_bits(u64::MAX - 4095, 4 * KIB, CustomFault::OutOfBlock { offset: u64::MAX - 4095, size: 4 * KIB, block_size: MIB })]
#[case::too_small(0, 4095, CustomFault::TooSmall { size: 4095, asked: 4 * KIB })]
#[case::empty(0, 0, CustomFault::TooSmall { size: 0, asked: 4 * KIB })]
#[case::misaligned(512, 4 * KIB, CustomFault::Misaligned { offset: 512, alignment: KIB })]
#[case::the_same(256 * KIB, 64 * KIB, overlap(256 * KIB, 64 * KIB))]
#[case::its_first_byte(252 * KIB, 4 * KIB + 1, overlap(252 * KIB, 4 * KIB + 1))]
#[case::its_last_bytes(319 * KIB, 4 * KIB, overlap(319 * KIB, 4 * KIB))]
#[case::within(300 * KIB, 4 * KIB, overlap(300 * KIB, 4 * KIB))]
#[case::around(0, MIB, overlap(0, MIB))]
fn a_wrong_answer_is_an_error_and_nothing_is_handed_out(
    #[case] offset: u64,
    #[case] size: u64,
    #[case] fault: CustomFault,
) {
    let (script, mut bench, place) = with_one_piece();
    let before = bench.pool.stats();
    script.answer(offset, size);
    let request = PoolRequest { alignment: KIB, ..bytes(4 * KIB) };
    assert!(bench.pool.allocate_in_row(&request).is_none());
    let error = bench.pool.allocate(&request).expect_err("the answer was wrong");
    assert_eq!(error, RequestError::WrongAnswer(fault));
    assert_eq!(bench.pool.stats(), before);
    bench.check_books();
    assert!(script.lines().freed.is_empty(), "what was refused was never taken");

    // The block serves nobody now: another is asked for.
    let asked = script.lines().asked.len();
    let need = bench.need(&request);
    bench.pool.cancel(need).expect("it is ours");
    assert_eq!(script.lines().asked.len(), asked);

    // Once it is empty, it starts over.
    bench.free(place);
    assert_eq!(script.lines().made, 2);
    script.answer(0, 4 * KIB);
    assert_eq!(bench.allocate(&request).offset(), 0);
    bench.check_books();
}

#[rstest]
#[case::next_to_it_below(192 * KIB, 64 * KIB)]
#[case::next_to_it_above(320 * KIB, 64 * KIB)]
#[case::to_the_end(MIB - 4 * KIB, 4 * KIB)]
fn a_right_answer_beside_a_live_piece_is_handed_out(#[case] offset: u64, #[case] size: u64) {
    let (script, mut bench, place) = with_one_piece();
    script.answer(offset, size);
    let second = bench.allocate(&PoolRequest { alignment: KIB, ..bytes(4 * KIB) });
    assert_eq!(second.offset(), offset);
    bench.check_books();
    let live: Vec<u64> = bench.pool.live().map(|live| live.offset).collect();
    assert!(live.is_sorted() && live.len() == 2);
    bench.free(place);
    bench.free(second);
    let freed: Vec<u64> = script.lines().freed.iter().map(|piece| piece.offset).collect();
    assert_eq!(freed, [256 * KIB, offset]);
    bench.check_books();
}

#[rstest]
#[case::no_room(None, None)]
#[case::wrong(Some((MIB, 4 * KIB)), Some(CustomFault::OutOfBlock { offset: MIB, size: 4 * KIB, block_size: MIB }))]
fn a_block_whose_algorithm_does_not_serve_its_request_comes_back(
    #[case] answer: Option<(u64, u64)>,
    #[case] fault: Option<CustomFault>,
) {
    let script = Script::default();
    let mut bench = Bench::new(script.config());
    if let Some((offset, size)) = answer {
        script.answer(offset, size);
    }
    let need = bench.need(&bytes(4 * KIB));
    let reservation = bench.budgets.reserve(&need).expect("the limits allow it");
    let id = bench.id();
    let refused = bench.pool.add_block(need, reservation, id).expect_err("it is not served");
    assert_eq!(refused.error, AddBlockError::NotServed { size: MIB, fault });
    let (need, reservation) = refused.returned;
    drop(reservation);
    bench.pool.cancel(need).expect("it is ours");
    assert_eq!(bench.pool.stats(), PoolStats::default());
    bench.check_books();
}

#[test]
fn the_upper_end_and_the_alignment_are_passed_on() {
    let (script, mut bench, _place) = with_one_piece();
    script.answer(512 * KIB, 4 * KIB);
    let request = PoolRequest { upper: true, alignment: 2048, ..bytes(1000) };
    let place = bench.allocate(&request);
    assert_eq!(place.offset(), 512 * KIB);
    let asked = script.lines().asked[1];
    assert_eq!((asked.size, asked.alignment, asked.upper), (1000, 2048, true));
}

#[test]
fn a_block_with_no_room_makes_way_for_another() {
    let mut bench = Bench::new(
        PoolConfig { algorithm: Honest::algorithm(), ..PoolConfig::default() }.with_block_size(MIB),
    );
    let mut live: Vec<Place> = (0..33).map(|_| bench.allocate(&bytes(100 * KIB))).collect();
    // Ten in each block.
    assert_eq!(bench.pool.stats().block_count, 4);
    bench.free(live.remove(3));
    assert!(matches!(bench.pool.allocate(&bytes(100 * KIB)), Ok(Answer::Placed(_))));
    bench.check_books();
}

#[test]
fn algorithms_are_told_apart_by_what_makes_them() {
    let (first, second) = (Honest::algorithm(), Honest::algorithm());
    assert_eq!(first, first.clone());
    assert_ne!(first, second);
    assert_eq!(format!("{first:?}"), "Custom(CustomAlgorithm(\"honest\"))");
}

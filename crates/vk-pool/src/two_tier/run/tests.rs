//! Runs by themselves.

use alloc::vec::Vec;

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn groups_are_what_a_scan_finds(bits in any::<u64>(), dense in any::<u64>(), log in 0u32..=6) {
        for bits in [bits, bits | dense, u64::MAX, 0] {
            let is_group = |nth: u32| {
                nth.is_multiple_of(1 << log) && (nth..nth + (1 << log)).all(|bit| bits >> bit & 1 != 0)
            };
            let scan = (0..64).filter(|&nth| is_group(nth)).fold(0u64, |all, nth| all | 1 << nth);
            prop_assert_eq!(groups(bits, log), scan);
        }
    }
}

#[test]
fn a_piece_of_a_higher_order_is_freed_as_what_it_is() {
    let mut run = Run::of_pieces(640, 1, 3);
    assert_eq!(run.take(1), 640);
    assert_eq!(run.take_aligned(1, true), Some(644), "at a multiple of its own size");
    assert_eq!(run.live().collect::<Vec<_>>(), [(640, 1), (644, 2)]);
    for (start, order) in [(644, 1), (646, 1), (644, 3), (640, 2), (642, 1), (648, 1), (640, 0)] {
        assert_eq!(run.give(start, order), None, "{start} {order}");
    }
    assert_eq!(run.take(1), 642);
    assert_eq!(run.take_aligned(2, true), Some(648));
    assert!(run.is_full());
    for (start, order) in [(648, 3), (644, 2), (640, 1), (642, 1)] {
        assert_eq!(run.give(start, order), Some(()), "{start} {order}");
        assert_eq!(run.give(start, order), None, "{start} {order}");
    }
    assert!(run.is_unused() && groups(run.free, 3) == 1);
}

#[test]
fn a_refined_run_knows_its_pieces() {
    let mut run = Run::of_pieces(64, 4, 2);
    assert_eq!([(); 3].map(|()| run.take(4)), [64, 80, 96]);
    assert_eq!(run.take_aligned(0, true), Some(112));
    assert_eq!(run.give(80, 4), Some(()));
    run.refine(2);
    assert_eq!(run.live().collect::<Vec<_>>(), [(64, 4), (96, 4), (112, 4)]);
    assert_eq!((0..4).map(|_| run.take(2)).collect::<Vec<_>>(), [80, 84, 88, 92]);
    assert!(run.is_full());
    for (start, order) in [(64, 2), (64, 3), (80, 4), (84, 3), (96, 5), (100, 2)] {
        assert_eq!(run.give(start, order), None, "{start} {order}");
    }
    let all = [(84, 2), (64, 4), (112, 4), (80, 2), (96, 4)];
    all.iter().for_each(|&(start, order)| assert_eq!(run.give(start, order), Some(())));
    assert_eq!(run.live().collect::<Vec<_>>(), [(88, 2), (92, 2)]);
    assert_eq!(run.order_of_all, 2, "it has pieces of one order again");
}

#[test]
fn one_of_several_is_taken_where_it_is_aligned() {
    let mut run = Run::of_pieces(0, 0, 6);
    let starts = [0; 5].map(|_| run.take_aligned(4, false));
    assert_eq!(starts, [Some(0), Some(16), Some(32), Some(48), None]);
    assert_eq!(run.give(16, 0), Some(()));
    assert_eq!(run.take(0), 1);
}

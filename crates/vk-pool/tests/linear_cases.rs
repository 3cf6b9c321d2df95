//! The linear region, case by case: wrapping at every alignment, the upper end, refusals.

use std::collections::VecDeque;

use rstest::rstest;
use vk_pool::linear::{Linear, LinearBlock, LinearError, LinearKind};

fn end_of(block: &LinearBlock) -> u64 {
    block.offset + block.size
}

/// FIFO through a ring several times its size: pieces of every size in turn, at every alignment and
/// unit; none is refused that the distance between newest and oldest allows.
#[rstest]
fn a_ring_wraps_at_every_alignment_and_unit(
    #[values(1, 2, 16, 64, 256, 1024, 4096, 65_536)] alignment: u64,
    #[values(1, 4, 64, 256, 1024, 65_536)] unit: u64,
    #[values(LinearKind::Ring, LinearKind::Auto)] kind: LinearKind,
) {
    let step = alignment.max(unit);
    // Ten pieces and a bit, so that the end of the region is never the end of a piece.
    let total = 10 * step + unit * (step / unit / 2).max(1);
    let mut region = Linear::new(total, unit, kind).expect("it can be");
    let mut live = VecDeque::new();
    let (mut wraps, mut before) = (0, 0);
    for turn in 0..100 {
        let size = 1 + turn * 37 % step;
        let block = loop {
            match region.allocate(size, alignment) {
                Ok(block) => break block,
                Err(_) => {
                    let oldest: LinearBlock = live.pop_front().expect("an empty ring has room");
                    assert!(live.len() >= 8, "refused with only {} in flight", live.len());
                    region.free(oldest.offset, oldest.node).expect("it is live");
                }
            }
        };
        assert_eq!(block.offset % step, 0);
        wraps += u32::from(block.offset < before);
        before = block.offset;
        live.push_back(block);
        region.validate().expect("every invariant holds");
        let mut taken: Vec<(u64, u64)> = live.iter().map(|b| (b.offset, end_of(b))).collect();
        taken.sort_unstable();
        assert!(taken.windows(2).all(|pair| pair[0].1 <= pair[1].0), "two pieces overlap");
    }
    assert!(wraps >= 9, "{wraps}");
}

#[test]
fn the_upper_end_keeps_alignment_and_unit() {
    for (unit, alignment) in [(1, 1), (1, 64), (64, 1), (256, 4096), (4096, 256), (1, 65_536)] {
        let total = 1_000_003;
        let mut region = Linear::new(total, unit, LinearKind::DoubleStack).expect("it can be");
        let (mut last, mut count) = (total, 0);
        while let Ok(block) = region.allocate_upper(1000, alignment) {
            assert_eq!(
                (block.offset % alignment, block.offset % unit, block.size % unit),
                (0, 0, 0)
            );
            assert!(end_of(&block) <= last, "down from the end");
            assert!(last - end_of(&block) < alignment.max(unit), "no more padding than needed");
            (last, count) = (block.offset, count + 1);
        }
        assert!(count > 10 && last < 1000_u64.next_multiple_of(alignment.max(unit)), "{last}");
    }
}

#[rstest]
#[case::zero(0, 1, LinearError::ZeroSize)]
#[case::not_a_power(1, 24, LinearError::AlignmentNotPowerOfTwo { alignment: 24 })]
#[case::not_a_power_below_the_unit(1, 3, LinearError::AlignmentNotPowerOfTwo { alignment: 3 })]
#[case::too_large((1 << 20) + 1, 1, LinearError::NoRoom { size: (1 << 20) + 1, alignment: 1 })]
#[case::sixty_four_bits(u64::MAX, 1 << 63, LinearError::NoRoom { size: u64::MAX, alignment: 1 << 63 })]
fn a_request_that_cannot_be_served_changes_nothing(
    #[case] size: u64,
    #[case] alignment: u64,
    #[case] error: LinearError,
) {
    let mut region = Linear::new(1 << 20, 256, LinearKind::Auto).expect("it can be");
    let before = region.stats();
    assert_eq!(region.allocate(size, alignment), Err(error));
    assert_eq!(region.allocate_upper(size, alignment), Err(error));
    region.validate().expect("every invariant holds");
    assert_eq!(region.stats(), before);
}

#[rstest]
#[case(1 << 20, 0, LinearError::UnitNotPowerOfTwo { unit: 0 })]
#[case(1 << 20, 3, LinearError::UnitNotPowerOfTwo { unit: 3 })]
#[case(255, 256, LinearError::NoUnit { size: 255, unit: 256 })]
#[case(0, 1, LinearError::NoUnit { size: 0, unit: 1 })]
fn a_region_that_cannot_be_is_refused(
    #[case] size: u64,
    #[case] unit: u64,
    #[case] error: LinearError,
) {
    assert_eq!(Linear::new(size, unit, LinearKind::Auto).expect_err("it cannot be"), error);
}

#[test]
fn an_automatic_region_is_a_double_stack_or_a_ring_but_not_both() {
    let mut region = Linear::new(1000, 1, LinearKind::Auto).expect("it can be");
    let [a, b] = [0, 1].map(|_| region.allocate(400, 1).expect("room"));
    region.free(a.offset, a.node).expect("live");
    let top = region.allocate_upper(100, 1).expect("room");
    // With a piece at the upper end nothing wraps.
    assert!(matches!(region.allocate(300, 1), Err(LinearError::NoRoom { .. })));
    region.free(top.offset, top.node).expect("live");
    let c = region.allocate(300, 1).expect("before b");
    assert_eq!(c.offset, 0);
    assert_eq!(region.allocate_upper(50, 1), Err(LinearError::LiesAsRing));
    region.free(b.offset, b.node).expect("live");
    assert_eq!(region.allocate_upper(50, 1).expect("no ring any more").offset, 950);
}

#[test]
fn a_ring_whose_newest_pieces_go_is_a_stack_again() {
    let mut region = Linear::new(1000, 1, LinearKind::Ring).expect("it can be");
    let [a, _b] = [0, 1].map(|_| region.allocate(400, 1).expect("room"));
    region.free(a.offset, a.node).expect("live");
    let c = region.allocate(300, 1).expect("before b");
    region.free(c.offset, c.node).expect("live");
    assert_eq!(region.allocate(200, 1).expect("behind b").offset, 800);
}

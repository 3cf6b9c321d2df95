//! Both tiers against a shadow map, every invariant checked at every step.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::prelude::*;
use rstest::rstest;

use super::{IN_SPAN, SMALL_LIMIT, TwoTier, span_size};
use crate::Piece;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

fn check(block: &TwoTier, live: &BTreeMap<u64, Piece>) {
    block.validate().unwrap();
    assert!(block.pieces().eq(live.values().map(|piece| (piece.offset, piece.size))));
    let end = live.values().fold(0, |end, piece| {
        assert!(piece.offset >= end, "two pieces overlap");
        piece.offset + piece.size
    });
    assert!(end <= block.tlsf.total_size());
    assert_eq!(block.used_size(), live.values().map(|piece| piece.size).sum::<u64>());
    assert_eq!(block.allocation_count(), live.len() as u64);
}

#[derive(Clone, Debug)]
enum Step {
    Allocate { size: u64, alignment_log: u32 },
    Free(usize),
    Forge { offset: u64, node: u32 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size =
        prop_oneof![4 => 1..SMALL_LIMIT, 2 => 1..300u64, 2 => SMALL_LIMIT..200 * KIB, 1 => 1..MIB];
    let node = prop_oneof![0u32..64, (0u32..256).prop_map(|node| IN_SPAN | node), any::<u32>()];
    let offset = (0..MIB).prop_map(|offset| offset / 256 * 256);
    // Behind the mark of pieces that are the tier's own, in units of any size used here.
    let marked = (0..MIB, 4_u32..=8).prop_map(|(offset, log)| (1 << 31 | offset >> 8) << log);
    let offset = prop_oneof![2 => offset, 1 => marked];
    let step = prop_oneof![
        8 => (size, 0u32..17).prop_map(|(size, alignment_log)| Step::Allocate { size, alignment_log }),
        6 => any::<usize>().prop_map(Step::Free),
        1 => (offset, node).prop_map(|(offset, node)| Step::Forge { offset, node }),
    ];
    prop::collection::vec(step, 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_agree_with_the_shadow_map(
        total in prop_oneof![Just(MIB), Just(4 * MIB), Just(200 * KIB), 300u64..2 * MIB],
        min_log in prop_oneof![Just(4u32), Just(6), Just(8)],
        steps in steps(),
    ) {
        let mut block = TwoTier::new(total, 1 << min_log).unwrap();
        let mut live: BTreeMap<u64, Piece> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Allocate { size, alignment_log } => {
                    let may = block.may_hold(size, 1 << alignment_log);
                    if let Some(piece) = block.allocate(size, 1 << alignment_log) {
                        prop_assert!(may, "what was refused as hopeless succeeds");
                        prop_assert_eq!(piece.offset % (1 << alignment_log), 0);
                        prop_assert!(piece.size >= size);
                        prop_assert!(live.insert(piece.offset, piece).is_none());
                    }
                }
                Step::Free(n) => {
                    let key = live.keys().nth(n % live.len().max(1)).copied();
                    if let Some(piece) = key.and_then(|key| live.remove(&key)) {
                        prop_assert_eq!(block.free(piece.offset, piece.node), Some(piece.size));
                        prop_assert_eq!(block.free(piece.offset, piece.node), None);
                    }
                }
                Step::Forge { offset, node } => {
                    if live.get(&offset).is_none_or(|piece| piece.node != node) {
                        prop_assert_eq!(block.free(offset, node), None);
                    }
                }
            }
            check(&block, &live);
        }
        for piece in live.into_values() {
            prop_assert!(block.free(piece.offset, piece.node).is_some());
        }
        let whole = block.tlsf.total_size();
        prop_assert!(block.allocate(whole, 1).is_some(), "one whole block again");
    }
}

#[rstest]
#[case(128 * MIB, 256, 256 * KIB)]
#[case(MIB, 256, 256 * KIB)]
#[case(512 * KIB, 256, 128 * KIB)]
#[case(256 * KIB, 256, 64 * KIB)]
#[case(255 * KIB, 256, 0)]
#[case(128 * MIB, 64 * KIB, 0)]
#[case(128 * MIB, 16, 64 * KIB)]
#[case(128 * MIB, 1, 4 * KIB)]
#[case(128 * MIB, 16 * KIB, 256 * KIB)]
#[case((1 << 40) - 16 * KIB, 16 * KIB, 256 * KIB)]
fn spans_are_a_quarter_of_a_block_at_most(#[case] block: u64, #[case] min: u64, #[case] span: u64) {
    assert_eq!(span_size(block, min), span);
}

#[test]
fn a_spans_own_node_is_not_freed_by_a_user() {
    let mut block = TwoTier::new(MIB, 256).unwrap();
    let small = block.allocate(100, 1).unwrap();
    let span = block.places[0].unwrap();
    assert_eq!(block.free(span.offset, span.node), None);
    block.validate().unwrap();
    assert_eq!(block.free(small.offset, small.node), Some(256));
}

#[test]
fn one_empty_span_is_kept_while_the_block_is_in_use() {
    let mut block = TwoTier::new(4 * MIB, 256).unwrap();
    let _anchor = block.allocate(MIB, 1).unwrap();
    let small: Vec<Piece> = (0..64).map(|_| block.allocate(SMALL_LIMIT, 1).unwrap()).collect();
    let lying = |block: &TwoTier| block.places.iter().flatten().count();
    assert_eq!(lying(&block), 4);
    for piece in small {
        block.free(piece.offset, piece.node).unwrap();
    }
    assert_eq!((lying(&block), block.empty.is_some()), (1, true));
    // A large request takes its room.
    assert!(block.allocate(3 * MIB, 1).is_some());
    assert!(block.empty.is_none());
    block.validate().unwrap();
}

#[test]
fn the_only_span_keeps_its_unused_runs_until_their_room_is_needed() {
    let mut block = TwoTier::new(MIB, 256).unwrap();
    let _anchor = block.allocate(256 * KIB, 1).unwrap();
    let small = block.allocate(KIB, 1).unwrap();
    let freed = |block: &mut TwoTier, piece: &Piece| {
        block.free(piece.offset, piece.node).unwrap();
        assert!(block.empty.is_some() && block.open_orders != 0);
        assert_eq!((block.used_size(), block.allocation_count()), (256 * KIB, 1));
        block.validate().unwrap();
    };
    freed(&mut block, &small);
    assert_eq!(block.allocate(KIB, 1), Some(small));
    freed(&mut block, &small);
    // Pieces of another order, as many as there are if no run is kept.
    let whole: Vec<Piece> = (0..16)
        .map_while(|_| block.allocate(SMALL_LIMIT, 1).filter(|piece| super::is_in_span(piece.node)))
        .collect();
    assert_eq!((whole.len(), block.span_ranges().count()), (16, 1));
    block.validate().unwrap();
    whole.iter().for_each(|piece| assert!(block.free(piece.offset, piece.node).is_some()));
    // A large request takes its room.
    assert!(block.allocate(3 * 256 * KIB, 1).is_some());
    assert!(block.empty.is_none() && block.open_orders == 0);
    block.validate().unwrap();
}

#[test]
fn small_requests_are_served_where_no_span_fits() {
    let mut block = TwoTier::new(MIB, 256).unwrap();
    let _most = block.allocate(MIB - 10 * KIB, 1).unwrap();
    let small = block.allocate(KIB, 256).unwrap();
    assert_eq!(small.node & IN_SPAN, 0);
    block.validate().unwrap();
}

#[test]
fn what_was_freed_is_taken_again() {
    let mut block = TwoTier::new(MIB, 256).unwrap();
    for size in [256, KIB, 3 * KIB, 16 * KIB] {
        let piece = block.allocate(size, 1).unwrap();
        block.free(piece.offset, piece.node).unwrap();
        assert!(block.open_orders == 0, "no span is there for an unused run alone");
        assert_eq!(block.allocate(size, 1), Some(piece));
        block.free(piece.offset, piece.node).unwrap();
        block.validate().unwrap();
    }
}

#[test]
fn pieces_of_one_size_lie_side_by_side() {
    let mut block = TwoTier::new(MIB, 256).unwrap();
    let offsets: Vec<u64> = (0..16).map(|_| block.allocate(KIB, 1).unwrap().offset).collect();
    assert_eq!(offsets, (0..16).map(|nth| nth * KIB).collect::<Vec<u64>>());
    assert_eq!((block.used_size(), block.allocation_count()), (16 * KIB, 16));
}

/// The number that the offset of a span and its mark make is not taken for an offset.
#[test]
fn a_span_is_not_freed_by_an_offset_with_its_mark() {
    let mut block = TwoTier::new(MIB, 256).unwrap();
    let small = block.allocate(100, 1).unwrap();
    for unit in (0..MIB / 256).step_by(64) {
        for node in 0..8 {
            assert_eq!(block.free((1 << 31 | unit) << 8, node), None, "{unit} {node}");
        }
    }
    block.validate().unwrap();
    assert_eq!(block.pieces().collect::<Vec<_>>(), [(small.offset, 256)]);
}

/// A block of spans alone, full of pieces of one size; answers them in address order.
fn full_of(size: u64) -> (TwoTier, Vec<Piece>) {
    let mut block = TwoTier::new(MIB, 256).unwrap();
    let mut pieces: Vec<Piece> = core::iter::from_fn(|| block.allocate(size, 1)).collect();
    pieces.sort_unstable_by_key(|piece| piece.offset);
    assert!(pieces.iter().all(|piece| super::is_in_span(piece.node)), "all lie in spans");
    assert_eq!(pieces.len() as u64 * size, MIB);
    (block, pieces)
}

/// What is free has another size than what is asked for.
#[rstest]
#[case::several_are_one(KIB, 8, 8 * KIB, 1)]
#[case::several_are_one_for_an_alignment(KIB, 4, 300, 4 * KIB)]
#[case::one_is_several(8 * KIB, 1, KIB, 1)]
#[case::one_is_several_at_an_alignment(8 * KIB, 1, KIB, 2 * KIB)]
#[case::one_is_enough_for_an_alignment(2 * KIB, 1, 300, 2 * KIB)]
#[case::all_of_a_slot(4 * KIB, 4, 16 * KIB, 16 * KIB)]
fn what_a_run_of_another_size_has_free_is_room(
    #[case] size: u64,
    #[case] freed: usize,
    #[case] wanted: u64,
    #[case] alignment: u64,
) {
    let (mut block, mut pieces) = full_of(size);
    for piece in pieces.drain(16..16 + freed) {
        assert_eq!(block.free(piece.offset, piece.node), Some(size));
    }
    assert!(block.may_hold(wanted, alignment));
    let mut made = Vec::new();
    while let Some(piece) = block.allocate(wanted, alignment) {
        assert_eq!(piece.offset % alignment, 0);
        made.push(piece);
        block.validate().unwrap();
    }
    let room = size * freed as u64;
    let each = wanted.max(alignment).next_power_of_two();
    assert_eq!(made.len() as u64, room / each, "nothing of it is lost");
    for piece in made.into_iter().chain(pieces) {
        assert_eq!(block.free(piece.offset, piece.node), Some(piece.size));
        assert_eq!(block.free(piece.offset, piece.node), None);
        block.validate().unwrap();
    }
    assert!(block.allocate(MIB, 1).is_some(), "one whole block again");
}

/// 64 pieces of 16 bytes are a slot, and what is larger goes to the segregated fit.
#[test]
fn spans_of_tiny_pieces_have_small_slots() {
    let mut block = TwoTier::new(MIB, 16).unwrap();
    let tiny: Vec<Piece> = (0..64).map(|_| block.allocate(16, 1).unwrap()).collect();
    assert_eq!(tiny.last().unwrap().offset, tiny[0].offset + 63 * 16);
    let slot = block.allocate(KIB, KIB).unwrap();
    assert_eq!((slot.offset % KIB, super::is_in_span(slot.node)), (0, true));
    let larger = block.allocate(KIB + 16, 16).unwrap();
    assert_eq!((larger.size, super::is_in_span(larger.node)), (KIB + 16, false));
    block.validate().unwrap();
}

/// The books of runs are bounded; what is beyond them goes to the segregated fit.
#[test]
fn a_block_has_as_many_spans_as_were_foreseen() {
    let mut block = TwoTier::new(4 * MIB, 1).unwrap();
    let most = (1 << 15) / 65;
    let in_spans = core::iter::from_fn(|| block.allocate(64, 1))
        .take_while(|piece| super::is_in_span(piece.node))
        .count();
    assert_eq!((in_spans, block.places.len()), (most * 64, most));
    let whole = (block.places.capacity(), block.runs.capacity());
    assert!(block.allocate(64, 1).is_some());
    assert_eq!((block.places.capacity(), block.runs.capacity()), whole, "nothing has moved");
    block.validate().unwrap();
}

//! The two-level segregated fit against a shadow map.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use rstest::rstest;
use vk_pool::tlsf::{Tlsf, TlsfBlock, TlsfConfigError};

/// Checks tiling, counts and every invariant against the live blocks by offset.
fn check(region: &Tlsf, live: &BTreeMap<u64, TlsfBlock>) {
    region.validate().expect("every invariant holds");
    assert!(region.taken_blocks().eq(live.values().copied()));
    assert_eq!(region.used_size(), live.values().map(|block| block.size).sum::<u64>());
    assert_eq!(region.allocation_count() as usize, live.len());
    let mut pieces: Vec<(u64, u64)> = region.free_ranges().collect();
    pieces.extend(live.values().map(|block| (block.offset, block.size)));
    pieces.sort_unstable();
    let end = pieces.iter().fold(0, |end, &(offset, size)| {
        assert_eq!(offset, end, "the pieces tile the region");
        offset + size
    });
    assert_eq!(end, region.total_size());
}

#[derive(Clone, Debug)]
enum Step {
    Allocate {
        size: u64,
        alignment_log: u32,
    },
    Free(usize),
    Forge {
        offset: u64,
        node: u32,
    },
    /// Behind a live piece or the start of the region, so far into what is free there, or to another name.
    AllocateAt {
        behind: Option<usize>,
        shift: u64,
        size: u64,
        forged: Option<u32>,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![3 => 1u64..2000, 2 => 1u64..60_000, 1 => 1u64..600_000];
    let step = prop_oneof![
        6 => (size, 0u32..18).prop_map(|(size, alignment_log)| Step::Allocate { size, alignment_log }),
        5 => any::<usize>().prop_map(Step::Free),
        1 => (0u64..1 << 20, 0u32..300).prop_map(|(offset, node)| Step::Forge { offset, node }),
        3 => (
            prop::option::weighted(0.9, any::<usize>()),
            prop_oneof![Just(0), 0u64..100_000],
            1u64..60_000,
            prop::option::weighted(0.2, prop_oneof![0u32..300, any::<u32>()]),
        ).prop_map(|(behind, shift, size, forged)| Step::AllocateAt { behind, shift, size, forged }),
    ];
    prop::collection::vec(step, 1..300)
}

/// Asks for a stretch behind a piece, which must be granted if it is free and refused if not.
fn allocate_at(
    region: &mut Tlsf,
    live: &mut BTreeMap<u64, TlsfBlock>,
    (behind, forged): (Option<usize>, Option<u32>),
    (shift, size): (u64, u64),
    unit: u64,
) -> Result<(), TestCaseError> {
    let piece = behind.and_then(|n| live.values().nth(n % live.len().max(1)).copied());
    let node = forged.or(piece.map(|piece| piece.node));
    let named = live.values().find(|piece| Some(piece.node) == node);
    let start = named.map_or(0, |piece| piece.offset + piece.size);
    let found = region.free_ranges().find(|&(from, _)| from == start);
    let free = found.filter(|_| node.is_none() || named.is_some());
    // Mostly a whole unit, and within what is free or a little beyond.
    let shift = shift % (found.map_or(0, |(_, bytes)| bytes) + 2 * unit);
    let offset = start + if shift.is_multiple_of(7) { shift } else { shift / unit * unit };
    let rounded = size.next_multiple_of(unit);
    let fits = offset.is_multiple_of(unit)
        && free.is_some_and(|(from, bytes)| offset + rounded <= from + bytes);
    let block = region.allocate_at(offset, size, node);
    prop_assert_eq!(
        block.map(|block| (block.offset, block.size)),
        fits.then_some((offset, rounded))
    );
    if let Some(block) = block {
        prop_assert!(live.insert(offset, block).is_none());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_agree_with_the_shadow_map(
        total in 1u64..3 << 20,
        unit_log in 0u32..12,
        steps in steps(),
    ) {
        let Ok(mut region) = Tlsf::new(total, 1 << unit_log) else {
            prop_assert!(total < 1 << unit_log);
            return Ok(());
        };
        let mut live: BTreeMap<u64, TlsfBlock> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Allocate { size, alignment_log } => {
                    let sure = region.surely_holds(size + (1 << alignment_log));
                    let block = region.allocate(size, 1 << alignment_log);
                    prop_assert!(block.is_some() || !sure);
                    if let Some(block) = block {
                        prop_assert_eq!(block.offset % (1 << alignment_log), 0);
                        prop_assert_eq!(block.size, size.next_multiple_of(1 << unit_log));
                        prop_assert!(live.insert(block.offset, block).is_none());
                    } else {
                        let whole = region.free_ranges().map(|(_, size)| size).max().unwrap_or(0);
                        prop_assert!(alignment_log > unit_log || whole < size + size / 8 + (1 << unit_log));
                    }
                }
                Step::Free(n) => {
                    let key = live.keys().nth(n % live.len().max(1)).copied();
                    if let Some(block) = key.and_then(|key| live.remove(&key)) {
                        prop_assert_eq!(region.free(block.offset, block.node), Some(block.size));
                        prop_assert_eq!(region.free(block.offset, block.node), None);
                    }
                }
                Step::AllocateAt { behind, shift, size, forged } => {
                    allocate_at(&mut region, &mut live, (behind, forged), (shift, size), 1 << unit_log)?;
                }
                Step::Forge { offset, node } => {
                    let is_live = live.get(&offset).is_some_and(|block| block.node == node);
                    if !is_live {
                        prop_assert_eq!(region.free(offset, node), None);
                    }
                }
            }
            check(&region, &live);
        }
        for block in live.into_values() {
            prop_assert!(region.free(block.offset, block.node).is_some());
        }
        let total = region.total_size();
        prop_assert!(region.free_ranges().eq([(0, total)]));
        prop_assert!(region.allocate(total, 1).is_some());
    }
}

#[rstest]
#[case(1 << 20, 0, TlsfConfigError::UnitNotPowerOfTwo { unit: 0 })]
#[case(1 << 20, 3, TlsfConfigError::UnitNotPowerOfTwo { unit: 3 })]
#[case(255, 256, TlsfConfigError::NoUnit { size: 255, unit: 256 })]
#[case(1 << 31, 1, TlsfConfigError::TooManyUnits { size: 1 << 31, unit: 1 })]
#[case(u64::MAX, 1, TlsfConfigError::TooManyUnits { size: u64::MAX, unit: 1 })]
fn a_region_that_cannot_be_is_refused(
    #[case] size: u64,
    #[case] unit: u64,
    #[case] error: TlsfConfigError,
) {
    assert_eq!(Tlsf::new(size, unit).expect_err("it cannot be"), error);
}

#[rstest]
#[case::zero(0, 1)]
#[case::too_large((1 << 20) + 1, 1)]
#[case::not_a_power(1, 24)]
#[case::sixty_four_bits(u64::MAX, 1)]
fn a_request_that_cannot_be_served_changes_nothing(#[case] size: u64, #[case] alignment: u64) {
    let mut region = Tlsf::new(1 << 20, 256).expect("it can be");
    assert_eq!(region.allocate(size, alignment), None);
    check(&region, &BTreeMap::new());
}

#[rstest]
#[case(1 << 20)]
#[case(1 << 40)]
#[case(1 << 63)]
fn an_alignment_above_the_region_is_satisfied_by_offset_zero_alone(#[case] alignment: u64) {
    let mut region = Tlsf::new(1 << 20, 256).expect("it can be");
    let block = region.allocate(1 << 20, alignment).expect("offset 0 is free");
    assert_eq!(block.offset, 0);
    region.free(block.offset, block.node).expect("it is live");
    let small = region.allocate(256, 1).expect("the region is empty");
    assert_eq!(small.offset, 0);
    assert_eq!(region.allocate(256, alignment), None);
}

#[test]
fn an_exact_hole_is_taken_before_fresh_room() {
    let mut region = Tlsf::new(16 << 20, 256).expect("it can be");
    let blocks: Vec<_> = (0..4).map(|_| region.allocate(1 << 20, 1).expect("room")).collect();
    region.free(blocks[0].offset, blocks[0].node).expect("live");
    assert_eq!(region.allocate(1 << 20, 1).expect("room").offset, 0);
}

#[test]
fn reset_forgets_everything() {
    let mut region = Tlsf::new(1 << 20, 256).expect("it can be");
    let block = region.allocate(5000, 4096).expect("room");
    region.reset();
    check(&region, &BTreeMap::new());
    assert_eq!(region.free(block.offset, block.node), None);
}

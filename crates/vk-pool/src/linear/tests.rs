//! Planted faults, and handles that no region has given out.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::nodes::{SENTINEL, UNUSED};
use super::{Linear, LinearBlock, LinearCorruption, LinearError, LinearKind};

/// A double stack with three pieces at each end, the middle one of each freed.
fn busy() -> Linear {
    let mut region = Linear::new(1 << 20, 256, LinearKind::Auto).unwrap();
    let lower: Vec<LinearBlock> = (1..4).map(|i| region.allocate(i * 1000, 512).unwrap()).collect();
    let upper: Vec<LinearBlock> =
        (1..4).map(|i| region.allocate_upper(i * 1000, 512).unwrap()).collect();
    for block in [lower[1], upper[1]] {
        region.free(block.offset, block.node).unwrap();
    }
    region.validate().unwrap();
    region
}

#[test]
fn validate_finds_planted_faults() {
    let mut region = busy();
    let low = region.low;
    region.nodes[low].offset += 1;
    assert!(matches!(region.validate(), Err(LinearCorruption::Row { .. })));

    let mut region = busy();
    let low = region.low;
    region.nodes[low].previous = SENTINEL;
    assert!(matches!(region.validate(), Err(LinearCorruption::Row { .. })));

    let mut region = busy();
    let last = region.nodes[SENTINEL].previous;
    region.nodes[last].end += 512;
    assert!(matches!(region.validate(), Err(LinearCorruption::Length { .. })));

    let mut region = busy();
    region.used -= 256;
    assert!(matches!(region.validate(), Err(LinearCorruption::Counter { .. })));

    let mut region = busy();
    region.allocation_count += 1;
    assert!(matches!(region.validate(), Err(LinearCorruption::Counter { .. })));

    for plant in [
        |region: &mut Linear| region.gap_start += 256,
        |region: &mut Linear| region.gap_end -= 256,
        |region: &mut Linear| region.low = region.oldest(),
        |region: &mut Linear| region.kind = LinearKind::Stack,
        |region: &mut Linear| (region.kind, region.wrapped) = (LinearKind::DoubleStack, true),
    ] {
        let mut region = busy();
        plant(&mut region);
        assert!(matches!(region.validate(), Err(LinearCorruption::Gap { .. })));
    }
}

#[test]
fn what_marks_the_sentinel_and_unused_nodes_is_no_handle() {
    for size in [1 << 20, u64::MAX] {
        let mut region = Linear::new(size, 1, LinearKind::Auto).unwrap();
        let block = region.allocate(100, 1).unwrap();
        for node in [SENTINEL, block.node + 1, 255, 256, u32::MAX] {
            for offset in [0, size, UNUSED] {
                assert_eq!(region.free(offset, node), None, "{offset} {node}");
            }
        }
        assert_eq!(region.free(block.offset, block.node), Some(100));
        assert_eq!(region.free(UNUSED, block.node), None);
        region.validate().unwrap();
    }
}

#[test]
fn the_whole_of_64_bits_can_be_managed() {
    let mut region = Linear::new(u64::MAX, 1, LinearKind::Auto).unwrap();
    let low = region.allocate(1 << 63, 1 << 63).unwrap();
    assert_eq!(low.offset, 0);
    assert!(matches!(region.allocate(u64::MAX, 1), Err(LinearError::NoRoom { .. })));
    assert!(matches!(region.allocate_upper(1 << 63, 1), Err(LinearError::NoRoom { .. })));
    let high = region.allocate_upper((1 << 63) - 1, 1).unwrap();
    assert_eq!(high.offset, 1 << 63);
    assert!(matches!(region.allocate(1, 1), Err(LinearError::NoRoom { .. })));
    region.validate().unwrap();
}

#[test]
fn reset_forgets_everything() {
    let mut region = busy();
    let pieces: Vec<LinearBlock> = region.pieces().collect();
    region.reset();
    region.validate().unwrap();
    assert_eq!(region.pieces().count(), 0);
    for block in pieces {
        assert_eq!(region.free(block.offset, block.node), None);
    }
    let whole = region.allocate(1 << 20, 1).unwrap();
    assert_eq!((whole.offset, region.stats().room), (0, 0));
}

#[test]
fn nodes_are_used_again() {
    let mut region = Linear::new(1 << 20, 1, LinearKind::Ring).unwrap();
    let mut live: Vec<LinearBlock> = (0..1000).map(|_| region.allocate(1000, 1).unwrap()).collect();
    for _ in 0..5000 {
        let oldest = live.remove(0);
        region.free(oldest.offset, oldest.node).unwrap();
        live.push(region.allocate(1000, 1).unwrap());
    }
    assert!(live.iter().all(|block| block.node < 1024), "there were never more than 1001 nodes");
    region.validate().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn as_few_of_the_oldest_go_as_will_do(
        sizes in prop::collection::vec((1u64..400, 0u32..8), 1..120),
        frees in prop::collection::vec(0usize..1000, 0..20),
        (size, alignment_log) in (1u64..1200, 0u32..8),
        stays in prop::option::of(0usize..8),
    ) {
        let mut ring = Linear::new(1000, 1, LinearKind::Ring).unwrap();
        // In the order of age, with holes where something in between was freed.
        let mut live: Vec<LinearBlock> = Vec::new();
        for (size, alignment_log) in sizes {
            let block = loop {
                match ring.allocate(size, 1 << alignment_log) {
                    Ok(block) => break block,
                    Err(_) => {
                        let oldest = live.remove(0);
                        ring.free(oldest.offset, oldest.node).unwrap();
                    }
                }
            };
            live.push(block);
        }
        for n in frees {
            if live.len() > 1 {
                let block = live.remove(n % live.len());
                ring.free(block.offset, block.node).unwrap();
            }
        }
        let alignment = 1 << alignment_log;
        let fits = |count: usize| {
            let mut ring = ring.clone();
            for block in &live[..count] {
                ring.free(block.offset, block.node).unwrap();
            }
            ring.allocate(size, alignment).is_ok()
        };
        let fewest = (0..=live.len()).find(|&count| fits(count));
        let stayer = stays.and_then(|index| live.get(index).copied());
        let plan = ring.plan_ring(size, alignment, |block| Some(block) != stayer);
        let allowed = fewest.filter(|&count| stays.is_none_or(|index| index >= count));
        prop_assert_eq!(plan.as_deref(), allowed.map(|count| &live[..count]));
    }
}

#[test]
fn no_plan_is_made_for_what_is_no_ring() {
    let region = busy();
    assert!(region.plan_ring(1, 1, |_| true).is_none(), "there are pieces at its upper end");
    let mut stack = Linear::new(1000, 1, LinearKind::Stack).unwrap();
    stack.allocate(1000, 1).unwrap();
    assert!(stack.plan_ring(1, 1, |_| true).is_none());
}

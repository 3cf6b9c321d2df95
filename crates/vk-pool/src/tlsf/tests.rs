//! The arithmetic of bins, and planted faults.

use alloc::vec::Vec;

use super::bins::{BIN_COUNT, USED_BIN_COUNT, bin_of, first_bin_all_at_least};
use super::node::{FIRST, NodeIndex};
use super::validate::TlsfCorruption;
use super::{BORDER, Tlsf};

/// Sizes around every power of two, and all small ones.
fn sizes() -> impl Iterator<Item = u32> {
    let around = (4..31).flat_map(|log| {
        let power = 1u32 << log;
        [power - 1, power, power + 1, power + power / 8 - 1, power + power / 8, power + power / 2]
    });
    (1..600).chain(around)
}

#[test]
fn bins_ascend_with_sizes_and_stay_in_range() {
    let mut sorted: Vec<u32> = sizes().collect();
    sorted.sort_unstable();
    assert!(sorted.windows(2).all(|pair| bin_of(pair[0]) <= bin_of(pair[1])));
    assert_eq!(bin_of((1 << 31) - 1) + 1, USED_BIN_COUNT as usize);
    assert!(bin_of(u32::MAX) < BIN_COUNT);
}

#[test]
fn the_bins_of_an_octave_follow_those_of_the_last() {
    let bins: Vec<usize> = (1..=40).map(bin_of).collect();
    assert!(bins.windows(2).all(|pair| pair[1] - pair[0] <= 1), "{bins:?} has a gap");
    assert_eq!((bin_of(15), bin_of(16), bin_of(17), bin_of(18)), (15, 16, 16, 17));
}

#[test]
fn a_bins_largest_size_is_at_most_nine_eighths_of_its_smallest() {
    for size in sizes().filter(|size| (8..1 << 30).contains(size)) {
        assert!(bin_of(size + size / 8 + 1) > bin_of(size), "{size}");
    }
}

#[test]
fn every_size_of_the_first_sure_bin_is_large_enough() {
    for size in sizes() {
        let sure = first_bin_all_at_least(size);
        assert!(size == 1 || bin_of(size - 1) < sure, "a smaller size is in a sure bin of {size}");
        assert!(bin_of(size) + 1 >= sure, "a bin was passed over for {size}");
    }
}

fn busy() -> Tlsf {
    let mut region = Tlsf::new(1 << 20, 256).unwrap();
    let blocks: Vec<_> = (1..20).map(|i| region.allocate(i * 1000, 256).unwrap()).collect();
    for block in blocks.iter().step_by(2) {
        region.free(block.offset, block.node).unwrap();
    }
    region.validate().unwrap();
    region
}

fn some_free(region: &Tlsf) -> NodeIndex {
    region.row().find(|(_, node)| !node.is_taken()).unwrap().0
}

/// A fault planted into the first free node of a busy region.
fn planted(fault: impl Fn(&mut Tlsf, NodeIndex)) -> Result<(), TlsfCorruption> {
    let mut region = busy();
    let index = some_free(&region);
    fault(&mut region, index);
    region.validate()
}

#[test]
fn validate_finds_planted_faults() {
    let found = planted(|region, index| {
        let (offset, size) = region.nodes[index].free_extent();
        region.nodes.all()[index].set_free(offset, size + 1);
    });
    assert!(matches!(found, Err(TlsfCorruption::Row { .. })));

    let found = planted(|region, index| {
        let next = region.nodes[index].next;
        region.nodes.all()[next].previous = BORDER;
    });
    assert!(matches!(found, Err(TlsfCorruption::Row { .. })));

    let found = planted(|region, index| {
        let next = region.nodes[index].next;
        let (offset, size) = (region.nodes[next].offset(), region.nodes[next].size());
        region.nodes.all()[next].set_free(offset, size);
    });
    assert!(matches!(found, Err(TlsfCorruption::FreeNeighbours { .. })));

    let found = planted(|region, index| region.nodes.all().remove(index));
    assert!(matches!(found, Err(TlsfCorruption::Listed { .. })));

    let found = planted(|region, index| {
        region.nodes.all().remove(index);
        let bin = bin_of(region.nodes[index].size());
        region.nodes.all().insert(index, bin + 40);
    });
    assert!(matches!(found, Err(TlsfCorruption::List { .. })));

    let found = planted(|region, index| {
        let bin = bin_of(region.nodes[index].size());
        region.nodes.map_mut().clear_if(true, bin);
    });
    assert!(matches!(found, Err(TlsfCorruption::List { .. })));

    // Whether it is the first node of its bin, or behind one that is.
    let found = planted(|region, index| {
        let first_of = &mut region.nodes.all()[index].first_of;
        *first_of = if *first_of == 0 { 1 } else { 0 };
    });
    assert!(matches!(found, Err(TlsfCorruption::List { .. })));

    let found = planted(|region, _| region.nodes.map_mut().set(231));
    assert!(matches!(found, Err(TlsfCorruption::List { .. })));

    let found = planted(|region, _| region.used_units += 1);
    assert!(matches!(found, Err(TlsfCorruption::Counter { .. })));

    let found = planted(|region, _| region.unit_count += 1);
    assert!(matches!(found, Err(TlsfCorruption::Length { .. })));
}

#[test]
fn a_node_that_is_no_piece_has_no_name() {
    let region = busy();
    assert_eq!(FIRST.name(), 0);
    assert!((0..300).filter_map(NodeIndex::of_name).all(|index| index.0 >= FIRST.0));
    assert_eq!(NodeIndex::of_name(u32::MAX), None);
    assert!(region.row().all(|(index, _)| index != BORDER && index.0 >= FIRST.0));
}

#[test]
fn nodes_come_from_chunks_that_stay() {
    let mut region = Tlsf::new(1 << 20, 256).unwrap();
    let blocks: Vec<_> = (0..4096).map(|_| region.allocate(256, 1).unwrap()).collect();
    assert!(region.allocate(1, 1).is_none());
    for block in blocks {
        region.free(block.offset, block.node).unwrap();
    }
    region.validate().unwrap();
    assert_eq!(region.free_ranges().collect::<Vec<_>>(), [(0, 1 << 20)]);
}

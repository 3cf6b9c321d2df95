//! Faults planted in every bit and counter of a region in use; each must be found.

use rstest::rstest;

use super::*;
use crate::layout::Layout;
use crate::storage::Fixed;

/// A region in use, with counters as the allocator would keep them.
///
/// Every third block is freed again, and what remains of the region is left free, so that there
/// are free, split and taken blocks of many orders.
fn used_region(words: &mut [u64], layout: Layout) -> (Tree<Fixed<'_>>, BuddyStats) {
    let total_size = layout.total_size();
    let top_order = layout.top_order();
    let mut tree = Tree::new(Fixed::new(words), layout);
    let mut stats = BuddyStats { total_size, ..BuddyStats::default() };
    for step in 0..64_u32 {
        let order = (step * 7 % 5).min(top_order);
        let Some(taken) = tree.take(order, order) else { continue };
        let size = tree.layout().block_size(order);
        stats.split_count += u64::from(taken.split_count);
        stats.total_allocated += size;
        if step % 3 == 0 {
            stats.total_freed += size;
            stats.merge_count += u64::from(tree.give(order, taken.index));
        } else {
            stats.allocation_count += 1;
            stats.allocated_size += size;
            stats.peak_allocated = stats.peak_allocated.max(stats.allocated_size);
        }
    }
    (tree, stats)
}

#[rstest]
#[case::one_block(1)]
#[case::within_a_word(33)]
#[case::a_word(64)]
#[case::odd_with_a_layer(1001)]
#[case::two_layers(5000)]
#[case::two_layers_and_a_power(1 << 13)]
fn every_flipped_bit_is_found(#[case] block_count: u64) {
    let layout = Layout::new(block_count, 1).unwrap();
    let word_count = layout.word_count();
    let mut words = alloc::vec![0; word_count];
    let (mut tree, stats) = used_region(&mut words, layout);
    assert_eq!(validate(&tree, &stats), Ok(()));
    for index in 0..word_count {
        for flipped in (0..64).map(|shift| 1_u64 << shift) {
            *tree.parts_mut().0.word_mut(index) ^= flipped;
            assert!(validate(&tree, &stats).is_err(), "bit {flipped:#x} of word {index}");
            *tree.parts_mut().0.word_mut(index) ^= flipped;
        }
    }
    for flipped in (0..64).map(|shift| 1_u64 << shift) {
        *tree.parts_mut().1 ^= flipped;
        let found = validate(&tree, &stats);
        assert!(matches!(found, Err(Corruption::WrongFreeOrders { .. })), "{found:?}");
        *tree.parts_mut().1 ^= flipped;
    }
    assert_eq!(validate(&tree, &stats), Ok(()));
}

#[test]
fn each_kind_of_fault_is_called_by_its_name() {
    // Orders 0 to 6 of 101 blocks lie in a word each, but for order 0, which has two and a
    // layer, as every order has then.
    let layout = Layout::new(101, 1).unwrap();
    let first = |order| Layout::new(101, 1).unwrap().first_word(order);
    let mut words = alloc::vec![0; layout.word_count()];
    let mut tree = Tree::new(Fixed::new(&mut words), layout);
    let stats = BuddyStats { total_size: 101, ..BuddyStats::default() };
    // 101 is 0b110_0101: the last block of order 0 has its buddy outside, at index 101.
    let cases = [
        (first(0) + 1, bit(101), Corruption::OutsideFree { order: 0 }),
        (first(0) + 1, bit(102), Corruption::StrayBit { order: 0, index: 102 }),
        (first(1), 0b11 << 6, Corruption::SplitButNotOccupied { order: 2, index: 3 }),
        (
            first(0) + 2,
            bit(0),
            Corruption::WrongSummary {
                order: 0,
                layer: 1,
                word_index: 0,
                recorded: 0b11,
                derived: 0b10,
            },
        ),
        (
            first(6),
            bit(0),
            Corruption::WrongSummary { order: 6, layer: 1, word_index: 0, recorded: 1, derived: 0 },
        ),
    ];
    for (index, flipped, expected) in cases {
        *tree.parts_mut().0.word_mut(index) ^= flipped;
        assert_eq!(validate(&tree, &stats), Err(expected));
        *tree.parts_mut().0.word_mut(index) ^= flipped;
    }
    assert_eq!(validate(&tree, &stats), Ok(()));
}

#[test]
fn every_wrong_counter_is_found() {
    let layout = Layout::new(1001, 1).unwrap();
    let mut words = alloc::vec![0; layout.word_count()];
    let (tree, right) = used_region(&mut words, layout);
    type Plant = fn(&mut BuddyStats);
    let faults: [(Counter, Plant); 8] = [
        (Counter::TotalSize, |stats| stats.total_size += 1),
        (Counter::AllocatedSize, |stats| stats.allocated_size -= 1),
        (Counter::AllocationCount, |stats| stats.allocation_count += 1),
        (Counter::PeakAllocated, |stats| stats.peak_allocated = stats.allocated_size - 1),
        (Counter::TotalAllocated, |stats| stats.total_allocated += 1),
        (Counter::TotalAllocated, |stats| stats.total_freed -= 1),
        (Counter::SplitCount, |stats| stats.split_count -= 1),
        (Counter::SplitCount, |stats| stats.merge_count += 1),
    ];
    for (expected, plant) in faults {
        let mut stats = right;
        plant(&mut stats);
        let found = validate(&tree, &stats);
        assert!(
            matches!(found, Err(Corruption::WrongCounter { counter, .. }) if counter == expected),
            "{expected:?}: {found:?}"
        );
    }
}

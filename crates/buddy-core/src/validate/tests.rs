//! Faults planted in every bit and counter of a region in use; each must be found.

use rstest::rstest;

use super::*;
use crate::bits::bit;
use crate::config::{BuddyConfig, Rounding};
use crate::extent::pieces;
use crate::layout::Layout;
use crate::storage::{Fixed, reset_slice};

/// A region in use, with counters as the allocator would keep them.
///
/// Every third block is freed again, and what remains of the region is left free, so that there
/// are free, split and taken blocks of many orders, and extents if the region trims.
fn used_region(words: &mut [u64], config: BuddyConfig) -> (Tree<Fixed<'_>>, Counters) {
    let layout = Layout::new(&config).unwrap();
    let (top_order, trims) = (layout.top_order(), layout.trims());
    reset_slice(words, &layout);
    let mut tree: Tree<_> = Tree::new(Fixed::new(words), layout);
    let mut counters = Counters::default();
    for step in 0..64_u32 {
        let order = (step * 7 % 5).min(top_order);
        if !tree.has_free(order) {
            continue;
        }
        let taken = tree.take(order, order);
        let start = taken.index << order;
        let mut length = 1 << order;
        counters.split_count += u64::from(taken.split_count);
        if trims {
            length -= u64::from(step) % (length / 2).max(1);
            counters.split_count += u64::from(tree.trim(order, start, length));
            tree.set_head(start, true);
        }
        counters.count_taken(length);
        if step % 3 == 0 {
            counters.count_freed(length);
            if trims {
                tree.set_head(start, false);
            }
            for (order, index) in pieces(start, length) {
                counters.merge_count += u64::from(tree.give(order, index));
            }
        }
    }
    (tree, counters)
}

#[rstest]
#[case::one_block(1)]
#[case::within_a_word(33)]
#[case::a_word(64)]
#[case::many_words(1001)]
#[case::odd_with_a_layer(4201)]
fn every_flipped_bit_is_found(#[case] block_count: u64, #[values(false, true)] trims: bool) {
    let rounding = if trims { Rounding::Trimmed } else { Rounding::PowerOfTwo };
    let config = BuddyConfig::new(block_count, 1).with_rounding(rounding);
    let word_count = config.word_count().unwrap();
    let mut words = alloc::vec![0; word_count];
    let (mut tree, counters) = used_region(&mut words, config);
    let validate = |tree: &Tree<Fixed<'_>>| validate(tree, Waiting::NONE, &counters);
    assert_eq!(validate(&tree), Ok(()));
    for index in 0..word_count {
        for flipped in (0..64).map(|shift| 1_u64 << shift) {
            *tree.parts_mut().0.word_mut(index) ^= flipped;
            assert!(validate(&tree).is_err(), "bit {flipped:#x} of word {index}");
            *tree.parts_mut().0.word_mut(index) ^= flipped;
        }
    }
    let top_order = block_count.ilog2() as usize;
    for flipped in (0..64).map(|shift| 1_u64 << shift) {
        *tree.parts_mut().1 ^= flipped;
        let found = validate(&tree);
        assert!(matches!(found, Err(Corruption::WrongFreeOrders { .. })), "{found:?}");
        *tree.parts_mut().1 ^= flipped;
        for order in 0..=top_order {
            tree.parts_mut().2[order].root ^= flipped;
            let found = validate(&tree);
            assert!(matches!(found, Err(Corruption::WrongRoot { .. })), "{found:?}");
            tree.parts_mut().2[order].root ^= flipped;
            tree.parts_mut().2[order].free_count ^= flipped;
            let found = validate(&tree);
            assert!(matches!(found, Err(Corruption::WrongFreeCount { .. })), "{found:?}");
            tree.parts_mut().2[order].free_count ^= flipped;
        }
    }
    assert_eq!(validate(&tree), Ok(()));
}

#[test]
fn each_kind_of_fault_is_called_by_its_name() {
    // Orders 0 to 12 of 5001 blocks have a layer each.
    let config = BuddyConfig::new(5001, 1);
    let first = |order| Layout::new(&config).unwrap().first_word(order);
    let mut words = alloc::vec![0; config.word_count().unwrap()];
    let layout = Layout::new(&config).unwrap();
    reset_slice(&mut words, &layout);
    let mut tree: Tree<_> = Tree::new(Fixed::new(&mut words), layout);
    let counters = Counters::default();
    // 5001 is 0b1_0011_1000_1001: the last block of order 0 has its buddy outside, at index 5001,
    // which is bit 9 of word 78.
    let cases = [
        (first(0) + 78, bit(5001), Corruption::OutsideFree { order: 0 }),
        (first(0) + 78, bit(5002), Corruption::StrayBit { order: 0, index: 5002 }),
        (first(1), 0b11 << 6, Corruption::SplitButNotOccupied { order: 2, index: 3 }),
        (
            first(0) + 79,
            bit(0),
            Corruption::WrongSummary { order: 0, layer: 1, word_index: 0, recorded: 1, derived: 0 },
        ),
    ];
    for (index, flipped, expected) in cases {
        *tree.parts_mut().0.word_mut(index) ^= flipped;
        assert_eq!(validate(&tree, Waiting::NONE, &counters), Err(expected));
        *tree.parts_mut().0.word_mut(index) ^= flipped;
    }
    assert_eq!(validate(&tree, Waiting::NONE, &counters), Ok(()));
    for (order, index) in [(0, 4), (0, 5001), (12, 1), (13, 0)] {
        let found = validate(&tree, Waiting { order, offset: index << order }, &counters);
        assert_eq!(found, Err(Corruption::WaitingNotTaken { order, index }));
    }
}

#[test]
fn heads_and_pieces_that_do_not_agree_are_called_by_their_names() {
    let config = BuddyConfig::new(16, 1).with_rounding(Rounding::Trimmed);
    let layout = Layout::new(&config).unwrap();
    let mut words = alloc::vec![0; layout.word_count()];
    reset_slice(&mut words, &layout);
    let mut tree: Tree<_> = Tree::new(Fixed::new(&mut words), layout);
    // An extent of 7, which is pieces of 4, 2 and 1 minimum blocks.
    let split_count = u64::from(tree.take(3, 3).split_count + tree.trim(3, 0, 7));
    let mut counters = Counters { split_count, ..Counters::default() };
    tree.set_head(0, true);
    counters.count_taken(7);
    assert_eq!(validate(&tree, Waiting::NONE, &counters), Ok(()));
    let cases = [
        (0, false, Corruption::WrongPieces { start: 0, length: 7 }),
        (7, true, Corruption::StrayHead { position: 7 }),
        (1, true, Corruption::StrayHead { position: 1 }),
        (20, true, Corruption::StrayHead { position: 20 }),
    ];
    for (position, is_head, expected) in cases {
        tree.set_head(position, is_head);
        assert_eq!(validate(&tree, Waiting::NONE, &counters), Err(expected));
        tree.set_head(position, !is_head);
    }
}

#[test]
fn every_wrong_counter_is_found() {
    let config = BuddyConfig::new(1001, 1);
    let mut words = alloc::vec![0; config.word_count().unwrap()];
    let (tree, right) = used_region(&mut words, config);
    type Plant = fn(&mut Counters);
    let faults: [(Counter, Plant); 5] = [
        (Counter::AllocatedSize, |counters| counters.below_peak += 1),
        (Counter::AllocationCount, |counters| counters.allocation_count += 1),
        (Counter::PeakAllocated, |counters| {
            counters.peak_allocated = counters.allocated_size() - 1;
            counters.below_peak = u64::MAX;
        }),
        (Counter::SplitCount, |counters| counters.split_count -= 1),
        (Counter::SplitCount, |counters| counters.merge_count += 1),
    ];
    for (expected, plant) in faults {
        let mut counters = right;
        plant(&mut counters);
        let found = validate(&tree, Waiting::NONE, &counters);
        assert!(
            matches!(found, Err(Corruption::WrongCounter { counter, .. }) if counter == expected),
            "{expected:?}: {found:?}"
        );
    }
}

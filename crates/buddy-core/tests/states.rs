//! Every state that a small region can be in, and every call that can be made in it.
//!
//! The number of states of 2^k minimum blocks is known. With sizes rounded to powers of two, a
//! block is free, or taken, or split with its two halves in any states but both free, as they
//! would be merged. So with s(n) states for n blocks, s(2n) = 1 + 1 + (s(n)^2 - 1) = s(n)^2 + 1,
//! and s(1) = 2: 5, 26 and 677 follow.
//!
//! With sizes trimmed, a block can also start with an extent of m minimum blocks, more than its
//! half. The rest is then cut into one block for each binary digit 0 of m - 1, each in any state,
//! and the product of their states is added for every such m. So s(2) = 5, s(4) = 26 + s(1) = 28,
//! and s(8) = 28^2 + 1 + s(1) s(2) + s(2) + s(1) = 802.
//!
//! Where a block waits, a state goes with nothing waiting, or with any one of its allocations of
//! a power of two waiting instead of being live. How many allocations of that kind all states
//! have together follows from the same sums, each product term by term: w(1) = 1,
//! w(2n) = 1 + 2 s(n) w(n) with powers of two, so 1, 5, 51 and 2653.
//!
//! A region of another length is cut by its binary digits into pieces that never merge; their
//! states multiply.

mod support;

use std::collections::{HashSet, VecDeque};

use buddy_core::{BuddyAllocator, BuddyBlock, BuddyConfig, FreeError, ResizeError, Rounding};
use rstest::rstest;
use support::Reference;

/// The allocator and the reference in one state.
type State = (BuddyAllocator, Reference);

/// What tells states apart: the live allocations, and the block that waits.
fn key((_, reference): &State) -> (Vec<BuddyBlock>, Option<BuddyBlock>) {
    (reference.taken_blocks(), reference.waiting)
}

/// What a state must answer, and that it refuses every forged block.
fn check((tested, reference): &mut State) {
    check_queries(tested, reference);
    let (total, stats) = (tested.total_size(), tested.stats());
    for offset in (0..=2 * total).chain([u64::MAX]) {
        for size in (0..=2 * total + 2).chain([1 << 63, u64::MAX]) {
            if reference.taken.get(&offset) != Some(&size) {
                let refusal = tested.free(BuddyBlock { offset, size });
                assert_eq!(refusal, Err(FreeError::NotAllocated { offset, size }));
                if size <= total + 1 {
                    let refusal = tested.resize(BuddyBlock { offset, size }, 1);
                    assert_eq!(refusal, Err(ResizeError::NotAllocated { offset, size }));
                }
            }
        }
    }
    assert_eq!(tested.stats(), stats);
    check_queries(tested, reference);
}

fn check_queries(tested: &BuddyAllocator, reference: &Reference) {
    assert_eq!(tested.validate(), Ok(()));
    assert_eq!(tested.stats(), reference.stats());
    assert_eq!(tested.is_empty(), reference.taken.is_empty());
    assert_eq!(tested.largest_free_block(), reference.largest_free_block());
    let mut blocks: Vec<_> = tested.free_blocks().collect();
    assert_eq!(blocks, reference.free_blocks());
    blocks.extend(tested.taken_blocks());
    assert_eq!(blocks[reference.free_blocks().len()..], reference.taken_blocks());
    blocks.sort();
    let end = blocks.iter().fold(0, |end, block| {
        assert_eq!(block.offset, end, "gap or overlap");
        block.offset + block.size
    });
    assert_eq!(end, tested.total_size());
}

/// All states one call away; refusals must be the reference's, too, and change nothing.
fn successors(state: &State) -> Vec<State> {
    let (tested, reference) = state;
    let mut next = Vec::new();
    let total = tested.total_size();
    for size in 0..=total + 1 {
        for alignment in [0, 1, 2, 3, 4, 8, 16] {
            let (mut tested, mut reference) = state.clone();
            let result = tested.allocate_aligned(size, alignment);
            assert_eq!(result, reference.allocate(size, alignment), "{size} at {alignment}");
            if result.is_ok() {
                next.push((tested, reference));
            } else {
                check_queries(&tested, &reference);
            }
        }
    }
    for block in reference.taken_blocks() {
        for size in 0..=total + 1 {
            let (mut tested, mut reference) = state.clone();
            let result = tested.resize(block, size);
            assert_eq!(result, reference.resize(block, size), "{block:?} to {size}");
            if result.is_ok() {
                next.push((tested, reference));
            } else {
                check_queries(&tested, &reference);
            }
        }
        let (mut tested, mut reference) = (tested.clone(), reference.clone());
        assert_eq!(tested.free(block), Ok(()));
        assert_eq!(reference.free(block), Ok(()));
        next.push((tested, reference));
    }
    next
}

/// The number of states of a piece, and of the power-of-two allocations in all of them.
#[derive(Clone, Copy)]
struct Count {
    states: usize,
    allocations: usize,
}

impl Count {
    /// One state, without or with an allocation.
    const FREE: Self = Self { states: 1, allocations: 0 };
    const TAKEN: Self = Self { states: 1, allocations: 1 };

    /// The states of one or the other.
    fn or(self, other: Self) -> Self {
        let allocations = self.allocations + other.allocations;
        Self { states: self.states + other.states, allocations }
    }

    /// The states of both side by side.
    fn and(self, other: Self) -> Self {
        let allocations = self.allocations * other.states + self.states * other.allocations;
        Self { states: self.states * other.states, allocations }
    }
}

/// s and w of 2^order minimum blocks, as the front of this file derives them.
fn expected_of_order(order: u32, trims: bool) -> Count {
    let mut count = Count::FREE.or(Count::TAKEN);
    if order > 0 {
        let half = expected_of_order(order - 1, trims);
        count = count.or(half.and(half));
        // Both halves free are the whole free, which is counted.
        count.states -= 1;
    }
    let half_length = 1_u32 << order >> 1;
    for last in half_length..(1 << order) - 1 {
        let rests = (0..order).filter(|digit| last >> digit & 1 == 0);
        let side_by_side = |rest: Count, digit| rest.and(expected_of_order(digit, trims));
        if trims {
            count = count.or(rests.fold(Count::FREE, side_by_side));
        }
    }
    count
}

fn expected(total: u64, trims: bool) -> Count {
    let digits = (0..4).filter(|order| total >> order & 1 == 1);
    digits.fold(Count::FREE, |count, order| count.and(expected_of_order(order, trims)))
}

fn reach_all(total: u64, rounding: Rounding, waiting: bool) -> usize {
    let config = BuddyConfig::new(total, 1).with_rounding(rounding).with_waiting(waiting);
    let first = (BuddyAllocator::with_config(config).unwrap(), Reference::new(config));
    let mut seen = HashSet::from([key(&first)]);
    let mut queue = VecDeque::from([first]);
    while let Some(mut state) = queue.pop_front() {
        check(&mut state);
        for next in successors(&state) {
            if seen.insert(key(&next)) {
                queue.push_back(next);
            }
        }
    }
    seen.len()
}

#[rstest]
#[case(1, [2, 3, 2, 3])]
#[case(2, [5, 10, 5, 10])]
#[case(3, [10, 25, 10, 25])]
#[case(4, [26, 77, 28, 80])]
#[case(5, [52, 180, 56, 188])]
#[case(6, [130, 515, 140, 540])]
#[case(7, [260, 1160, 280, 1220])]
#[case(8, [677, 3330, 802, 3736])]
fn every_state_is_reached_and_none_that_should_not_be(
    #[case] total: u64,
    #[case] counts: [usize; 4],
    #[values(0, 1, 2, 3)] kind: usize,
) {
    let (trims, waiting) = (kind / 2 == 1, kind % 2 == 1);
    let Count { states, allocations } = expected(total, trims);
    let expected = states + if waiting { allocations } else { 0 };
    assert_eq!(expected, counts[kind], "the recurrence");
    let rounding = if trims { Rounding::Trimmed } else { Rounding::PowerOfTwo };
    assert_eq!(reach_all(total, rounding, waiting), expected);
}

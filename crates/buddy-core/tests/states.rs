//! Every state that a small region can be in, and every call that can be made in it.
//!
//! The number of states of 2^k minimum blocks is known: a block is free, or taken, or split with
//! its two halves in any states but both free, as they would be merged. So with s(n) states for
//! n blocks, s(2n) = 1 + 1 + (s(n)^2 - 1) = s(n)^2 + 1, and s(1) = 2. A region of another length
//! is cut by its binary digits into pieces that never merge; their states multiply.

mod support;

use std::collections::{HashSet, VecDeque};

use buddy_core::{BuddyAllocator, BuddyBlock, FreeError};
use rstest::rstest;
use support::Reference;

/// The allocator and the reference in one state, which the taken blocks tell apart.
type State = (BuddyAllocator, Reference);

/// What a state must answer, and that it refuses every forged block.
fn check((tested, reference): &mut State) {
    assert_eq!(tested.validate(), Ok(()));
    assert!(tested.taken_blocks().eq(reference.taken_blocks()));
    assert!(tested.free_blocks().eq(reference.free_blocks()));
    assert_eq!(tested.largest_free_block(), reference.largest_free_block());
    let (total, stats) = (tested.total_size(), tested.stats());
    for offset in (0..=2 * total).chain([u64::MAX]) {
        for size in (0..=2 * total + 2).chain([1 << 63, u64::MAX]) {
            if reference.taken.get(&offset) != Some(&size) {
                let refusal = tested.free(BuddyBlock { offset, size });
                assert_eq!(refusal, Err(FreeError::NotAllocated { offset, size }));
            }
        }
    }
    assert_eq!(tested.stats(), stats);
    assert_eq!(tested.validate(), Ok(()));
    assert!(tested.taken_blocks().eq(reference.taken_blocks()));
    assert!(tested.free_blocks().eq(reference.free_blocks()));
}

/// All states one call away; refusals must be the reference's, too.
fn successors((tested, reference): &State) -> Vec<State> {
    let mut next = Vec::new();
    let total = tested.total_size();
    for size in 0..=total + 1 {
        for alignment in 0..=2 * total {
            let (mut tested, mut reference) = (tested.clone(), reference.clone());
            let result = tested.allocate_aligned(size, alignment);
            assert_eq!(result, reference.allocate(size, alignment), "{size} at {alignment}");
            if result.is_ok() {
                next.push((tested, reference));
            }
        }
    }
    for block in tested.taken_blocks() {
        let (mut tested, mut reference) = (tested.clone(), reference.clone());
        assert_eq!(tested.free(block), Ok(()));
        assert_eq!(reference.free(block), Ok(()));
        next.push((tested, reference));
    }
    next
}

/// s(n) as the front of this file derives it.
fn expected_state_count(total: u64) -> usize {
    let power = |order: u32| (0..order).fold(2_usize, |states, _| states * states + 1);
    (0..4).filter(|order| total >> order & 1 == 1).map(power).product()
}

#[rstest]
#[case(1, 2)]
#[case(2, 5)]
#[case(3, 10)]
#[case(4, 26)]
#[case(5, 52)]
#[case(6, 130)]
#[case(7, 260)]
#[case(8, 677)]
#[case(9, 1354)]
#[case(10, 3385)]
fn every_state_is_reached_and_none_that_should_not_be(#[case] total: u64, #[case] count: usize) {
    assert_eq!(expected_state_count(total), count, "the recurrence");
    let first = (BuddyAllocator::new(total, 1).unwrap(), Reference::new(total, 1));
    let mut seen = HashSet::from([first.1.taken_blocks()]);
    let mut queue = VecDeque::from([first]);
    while let Some(mut state) = queue.pop_front() {
        check(&mut state);
        for next in successors(&state) {
            if seen.insert(next.1.taken_blocks()) {
                queue.push_back(next);
            }
        }
    }
    assert_eq!(seen.len(), count);
}

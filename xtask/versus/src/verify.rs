//! Checks every answer of a peer before any clock runs.
//!
//! # Basic design
//!
//! The case is replayed with a map that has a bit for each 16 bytes of the region. An allocation
//! must lie inside the region, at the alignment asked, on bits that are all clear; it sets them, its
//! release clears them. At the end everything is freed, and half the region must be there in one
//! piece: a peer that loses memory or does not merge would be fast for nothing.
//!
//! A peer that is too slow to finish is measured on the operations that were checked, and no
//! further. That the checks find anything is proven on peers with planted faults.

use std::fmt;
use std::time::Duration;

use crate::clock;
use crate::peers::{Core, Region};
use crate::program::{Case, Operation};
use crate::replay;

/// Bytes for each bit of the map. No peer places anything at less.
const GRAIN: u64 = 16;

/// How many operations lie between two looks at the clock.
const STRETCH: usize = 256;

/// A wrong answer: which operation of the case it was, and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The block ends behind the region.
    OutOfBounds { operation: usize, offset: u64, size: u64 },
    /// The block is not at the alignment that was asked.
    Misaligned { operation: usize, offset: u64, alignment: u64 },
    /// The block is smaller than asked.
    TooSmall { operation: usize, asked: u64, granted: u64 },
    /// The block overlaps a live one.
    Overlap { operation: usize, offset: u64, size: u64 },
    /// All was freed, and half the region cannot be had in one piece.
    NotMerged { size: u64 },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds { operation, offset, size } => {
                write!(f, "operation {operation}: {size} B at {offset} end behind the region")
            }
            Self::Misaligned { operation, offset, alignment } => {
                write!(f, "operation {operation}: offset {offset} is not aligned to {alignment}")
            }
            Self::TooSmall { operation, asked, granted } => {
                write!(f, "operation {operation}: {granted} B were granted for {asked}")
            }
            Self::Overlap { operation, offset, size } => {
                write!(f, "operation {operation}: {size} B at {offset} overlap a live block")
            }
            Self::NotMerged { size } => {
                write!(
                    f,
                    "all was freed, and {size} B, half the region, are not there in one piece"
                )
            }
        }
    }
}

/// What a replay with correct answers tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verified {
    /// How many operations were checked; all of the case, unless the peer is too slow.
    pub(crate) operation_count: usize,
    /// Allocations of the checked, measured part.
    pub(crate) allocation_count: usize,
    /// How many of them were refused.
    pub(crate) refused_count: usize,
    /// Whether the end (all freed, all merged) was checked, too.
    pub(crate) is_merging_checked: bool,
}

/// Replays the case, and checks each answer; stops when the limit has passed, and half of it again at the end.
pub(crate) fn verify<C: Core>(case: &Case, limit: Duration) -> Result<Verified, Fault> {
    let mut core = C::new(Region::of(case));
    let mut slots = replay::empty_slots(case.slot_count);
    let mut map = Map::new(case.region_size);
    let mut verified = Verified {
        operation_count: 0,
        allocation_count: 0,
        refused_count: 0,
        is_merging_checked: false,
    };
    let start = clock::now();
    for (index, operation) in case.operations.iter().enumerate() {
        if index % STRETCH == 0 && clock::since(start) > limit {
            break;
        }
        apply(&mut core, &mut slots, &mut map, index, operation)?;
        verified.operation_count = index + 1;
        if index >= case.prelude && operation.is_allocation() {
            verified.allocation_count += 1;
            verified.refused_count += usize::from(slots[operation.slot as usize].is_none());
        }
    }
    let start = clock::now();
    // Backwards, as the peers that can free in two orders only have the youngest at the end.
    for (index, slot) in slots.iter_mut().rev().enumerate() {
        if index % STRETCH == 0 && clock::since(start) > limit / 2 {
            core.abandon(slots);
            return Ok(verified);
        }
        if let Some((handle, _)) = slot.take() {
            core.free(handle);
        }
    }
    let size = C::merged(case.region_size);
    let half = core.allocate(size, 256).ok_or(Fault::NotMerged { size })?;
    core.free(half);
    verified.is_merging_checked = true;
    Ok(verified)
}

/// What a live block occupies: first and one past the last bit.
type Extent = (u64, u64);

fn apply<C: Core>(
    core: &mut C,
    slots: &mut [Option<(C::Handle, Extent)>],
    map: &mut Map,
    index: usize,
    operation: &Operation,
) -> Result<(), Fault> {
    let slot = &mut slots[operation.slot as usize];
    let Operation { size, alignment, .. } = *operation;
    if !operation.is_allocation() {
        if let Some((handle, (first, end))) = slot.take() {
            map.clear(first, end);
            core.free(handle);
        }
        return Ok(());
    }
    let (size, alignment) = (u64::from(size), u64::from(alignment));
    let Some(handle) = core.allocate(size, alignment) else {
        return Ok(());
    };
    let (offset, granted) = core.extent(&handle, size);
    let alignment = C::honoured(alignment);
    if granted < size {
        return Err(Fault::TooSmall { operation: index, asked: size, granted });
    }
    if offset.checked_add(granted).is_none_or(|end| end > map.size) {
        return Err(Fault::OutOfBounds { operation: index, offset, size: granted });
    }
    if !offset.is_multiple_of(alignment) || alignment < GRAIN {
        return Err(Fault::Misaligned { operation: index, offset, alignment });
    }
    let extent = (offset / GRAIN, (offset + granted).div_ceil(GRAIN));
    if !map.set(extent.0, extent.1) {
        return Err(Fault::Overlap { operation: index, offset, size: granted });
    }
    *slot = Some((handle, extent));
    Ok(())
}

/// A bit for each grain of the region: set where a live block is.
struct Map {
    /// Of the region, in bytes.
    size: u64,
    words: Vec<u64>,
}

impl Map {
    fn new(size: u64) -> Self {
        let words = usize::try_from(size.div_ceil(64 * GRAIN)).expect("a 64-bit host");
        Self { size, words: vec![0; words] }
    }

    /// Sets the bits from `first` to below `end`; tells whether all were clear.
    fn set(&mut self, first: u64, end: u64) -> bool {
        let mut were_clear = true;
        self.each_word(first, end, |word, mask| {
            were_clear &= *word & mask == 0;
            *word |= mask;
        });
        were_clear
    }

    fn clear(&mut self, first: u64, end: u64) {
        self.each_word(first, end, |word, mask| *word &= !mask);
    }

    /// Calls `change` with each word that has bits in the range, and the mask of these bits.
    fn each_word(&mut self, first: u64, end: u64, mut change: impl FnMut(&mut u64, u64)) {
        let mut at = first;
        while at < end {
            let index = usize::try_from(at / 64).expect("a 64-bit host");
            let low = at % 64;
            let count = (64 - low).min(end - at);
            // `count` is 1 to 64, so the shift is below 64.
            change(&mut self.words[index], (u64::MAX >> (64 - count)) << low);
            at += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::ours::Ours;
    use crate::peers::{self, planted};
    use crate::workloads;

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn every_planted_fault_is_found_as_what_it_is() {
        assert_eq!(planted::prove(), Ok(()));
    }

    #[test]
    fn our_answers_are_correct_and_refusals_are_counted() {
        let case = workloads::core("churn-85", 2_000).unwrap();
        let verified = verify::<Ours>(&case, LIMIT).unwrap();
        assert_eq!(verified.operation_count, case.operations.len());
        assert_eq!(verified.allocation_count, 2_000);
        assert!(verified.is_merging_checked);
        assert!((1..400).contains(&verified.refused_count), "{verified:?}");
    }

    #[test]
    fn every_peer_answers_the_short_cases_correctly() {
        for name in ["lifo-mixed", "churn-85", "frame-fifo", "ping-pong", "live-1k"] {
            let case = workloads::core(name, 2_000).unwrap();
            for peer in peers::ours().into_iter().chain(peers::all()) {
                if peer.refusal(&case).is_none() {
                    let verified = peer.driver.verify(&case, LIMIT);
                    assert!(verified.is_ok(), "{} in {name}: {verified:?}", peer.name);
                }
            }
        }
    }

    #[test]
    fn a_peer_out_of_time_is_checked_as_far_as_it_came() {
        let case = workloads::core("lifo", 2_000).unwrap();
        let verified = verify::<Ours>(&case, Duration::ZERO).unwrap();
        assert!(verified.operation_count < case.operations.len());
        assert!(!verified.is_merging_checked);
    }

    #[test]
    fn the_map_tells_overlaps_across_words() {
        let mut map = Map::new(1 << 20);
        assert!(map.set(60, 200));
        assert!(!map.set(199, 201));
        map.clear(60, 201);
        assert!(map.set(0, 64) && map.set(64, 128) && map.set(128, 129));
        assert!(!map.set(100, 101));
    }
}

//! Which pieces of a block have to go for a request, of a block that merges what is freed.
//!
//! Basic design: the request goes to a stretch of the block, and the pieces that lie in it go. A
//! stretch that starts further right than it has to overlaps the same pieces and perhaps more, so only
//! those are looked at that start right behind a piece (or at 0), at the alignment. Of those in which
//! every piece may go, the one whose youngest piece was used longest ago is taken, then the one that
//! costs the fewest bytes, then the first.
//!
//! What stands in the way is more than pieces where a block has two tiers: a span goes when all that is
//! in it goes, and costs that and not its own size.

use alloc::vec::Vec;
use core::ops::Range;

use crate::rounding::round_up;

/// A live piece of a block, as a plan sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EvictablePiece {
    /// Bytes from the start of the block.
    pub offset: u64,
    /// Bytes taken.
    pub size: u64,
    /// The frame it was used in last, if it may go; `None` if it has to stay.
    pub last_used: Option<u64>,
}

/// What has to go, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EvictionPlan {
    /// Where the request fits then, in bytes.
    pub offset: u64,
    /// The pieces that go, as indices; empty if there is room as it is.
    pub pieces: Range<usize>,
    /// The latest frame that one of them was used in; `None` if none goes.
    pub youngest: Option<u64>,
    /// Bytes that go.
    pub bytes: u64,
}

impl EvictionPlan {
    /// The order of plans, the best first: oldest pieces, fewest bytes, lowest offset.
    #[must_use]
    pub fn rank(&self) -> impl Ord + use<> {
        (self.youngest, self.bytes, self.offset)
    }
}

/// What is lost with pieces that may go.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// The latest frame that one of them was used in; `None` for no piece.
    pub(crate) youngest: Option<u64>,
    /// Their bytes.
    pub(crate) bytes: u64,
}

impl Cost {
    /// That of one piece more.
    pub(crate) fn and(self, last_used: u64, size: u64) -> Self {
        let youngest = self.youngest.max(Some(last_used));
        // No overflow: they lie in one block, side by side.
        Self { youngest, bytes: self.bytes + size }
    }
}

/// What stands in the way in a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Obstacle {
    pub(crate) offset: u64,
    pub(crate) size: u64,
    /// What it costs to have it gone; `None` if it stays.
    pub(crate) cost: Option<Cost>,
}

/// The best stretch of a block for `size` bytes at a multiple of `alignment`, a power of two.
///
/// `pieces` are all live pieces of the block in address order. `None`: there is no such stretch even if
/// everything goes that may. None of the pieces named could stay: the request would not fit at that place.
///
/// For buddies, ask with the size rounded up to its power of two, and that as alignment.
///
/// # Complexity
///
/// Linear in the pieces, times those that a stretch overlaps. For the case that a request found no room.
#[must_use]
pub fn plan(
    pieces: &[EvictablePiece],
    block_size: u64,
    size: u64,
    alignment: u64,
) -> Option<EvictionPlan> {
    let obstacle = |&EvictablePiece { offset, size, last_used }: &EvictablePiece| {
        let cost = last_used.map(|frame| Cost::default().and(frame, size));
        Obstacle { offset, size, cost }
    };
    let obstacles: Vec<Obstacle> = pieces.iter().map(obstacle).collect();
    plan_among(&obstacles, block_size, size, alignment)
}

/// [`plan`] among whatever stands in the way, in address order.
pub(crate) fn plan_among(
    obstacles: &[Obstacle],
    block_size: u64,
    size: u64,
    alignment: u64,
) -> Option<EvictionPlan> {
    if size == 0 || !alignment.is_power_of_two() {
        return None;
    }
    let behind = |index: usize| {
        let before = index.checked_sub(1).map(|before| obstacles[before]);
        before.map_or(0, |obstacle| obstacle.offset + obstacle.size)
    };
    (0..=obstacles.len())
        .filter_map(|first| {
            let offset = round_up(behind(first), alignment)?;
            let end = offset.checked_add(size).filter(|&end| end <= block_size)?;
            stretch(obstacles, first, offset, end)
        })
        .min_by_key(EvictionPlan::rank)
}

/// The plan for one stretch, which starts behind all before `first`; `None` if something there stays.
fn stretch(obstacles: &[Obstacle], first: usize, offset: u64, end: u64) -> Option<EvictionPlan> {
    // What ends before the stretch does not go, though it lies behind the one before: the alignment
    // may have passed it over. From its own end on, the same stretch comes again.
    let mut plan = EvictionPlan { offset, pieces: first..first, youngest: None, bytes: 0 };
    for (index, obstacle) in obstacles.iter().enumerate().skip(first) {
        if obstacle.offset >= end {
            break;
        }
        if obstacle.offset + obstacle.size <= offset {
            plan.pieces = index + 1..index + 1;
            continue;
        }
        let cost = obstacle.cost?;
        plan.youngest = plan.youngest.max(cost.youngest);
        plan.bytes += cost.bytes;
        plan.pieces.end = index + 1;
    }
    Some(plan)
}

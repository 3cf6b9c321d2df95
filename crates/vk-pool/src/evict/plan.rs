//! Which pieces of a block have to go for a request, of a block that merges what is freed.
//!
//! Basic design: the request goes to a stretch of the block, and the pieces that lie in it go. A
//! stretch that starts further right than it has to overlaps the same pieces and perhaps more, so only
//! those are looked at that start right behind a piece (or at 0), at the alignment. Of those in which
//! every piece may go, the one whose youngest piece was used longest ago is taken, then the one that
//! costs the fewest bytes, then the first.

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
    if size == 0 || !alignment.is_power_of_two() {
        return None;
    }
    let behind = |index: usize| {
        let before = index.checked_sub(1).map(|before| pieces[before]);
        before.map_or(0, |piece| piece.offset + piece.size)
    };
    (0..=pieces.len())
        .filter_map(|first| {
            let offset = round_up(behind(first), alignment)?;
            let end = offset.checked_add(size).filter(|&end| end <= block_size)?;
            stretch(pieces, first, offset, end)
        })
        .min_by_key(EvictionPlan::rank)
}

/// The plan for one stretch, which starts behind all pieces before `first`; `None` if one has to stay.
fn stretch(pieces: &[EvictablePiece], first: usize, offset: u64, end: u64) -> Option<EvictionPlan> {
    // What ends before the stretch does not go, though it lies behind the piece before: the alignment
    // may have passed it over. From its own end on, the same stretch comes again.
    let mut plan = EvictionPlan { offset, pieces: first..first, youngest: None, bytes: 0 };
    for (index, piece) in pieces.iter().enumerate().skip(first) {
        if piece.offset >= end {
            break;
        }
        if piece.offset + piece.size <= offset {
            plan.pieces = index + 1..index + 1;
            continue;
        }
        plan.youngest = plan.youngest.max(Some(piece.last_used?));
        plan.bytes += piece.size;
        plan.pieces.end = index + 1;
    }
    Some(plan)
}

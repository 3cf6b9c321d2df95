//! What has to go for a request that found no room in any block, and the room that it gets then.
//!
//! Basic design: each block is asked for its best plan, in the terms of what carves it, and the best of
//! all is answered. A segregated fit is asked for a stretch of free room and pieces that may go, at the
//! alignment, and the request is put exactly there, by the piece that stays in front of it: its search
//! looks at a few pieces only, and might pass that room over. In two tiers a span may go like a piece, with
//! all that is in it, and what is small enough may have an aligned power of two of one. Buddies are asked for
//! the whole power of two, and a ring for the oldest of its pieces: what they search they find.

#[cfg(test)]
mod tests;

use alloc::vec;
use alloc::vec::Vec;

use super::MemoryPool;
use super::fit::fit_carved;
use super::freeing::Freed;
use crate::answer::Fitted;
use crate::block::{Block, Content};
use crate::evict::{Cost, EvictablePiece, Obstacle, plan, plan_among};
use crate::rounding::round_up;
use crate::tlsf::TlsfBlock;
use crate::way::Tiers;
use crate::{FreeError, Place, PoolRequest, Refused, ReturnedBlock, Suballocator};

/// The allocations of one block that have to go for a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PoolEviction {
    /// The block's slot.
    pub slot: u32,
    /// Where the allocations start in it, in bytes. None of them could stay for this plan. None at all if
    /// there is room that the search has passed over.
    pub offsets: Vec<u64>,
    /// The latest frame in which one of them was used; `None` if none has to go.
    pub youngest: Option<u64>,
    /// Bytes that they have.
    pub bytes: u64,
    /// Where the request goes then.
    room: Room,
}

/// The room of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Room {
    /// In a segregated fit.
    Stretch(Stretch),
    /// At an offset in a span, by its number, where a search may look at other runs first.
    InSpan { at: u32, offset: u64 },
    /// Where a search will find it.
    Found,
}

/// Room in a segregated fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Stretch {
    /// Bytes from the start of the block.
    offset: u64,
    /// The piece that stays in front of it; `None` for the start of the block.
    behind: Option<u32>,
}

impl MemoryPool {
    /// Which allocations have to go so that a request finds room in a block that exists: those that
    /// were used longest ago, and of these the fewest bytes. `None` if it would not even without all that
    /// may go: then nothing should go.
    ///
    /// `last_used` tells, by slot and offset, the frame of an allocation that may go, and `None` for one
    /// that has to stay (see [`FrameWord::evictable`](crate::evict::FrameWord::evictable)). Blocks of
    /// linear kinds that do not wrap, or of custom algorithms, are not planned for.
    ///
    /// Carried out by [`free_retaining`](Self::free_retaining) of each of them, then
    /// [`allocate_planned`](Self::allocate_planned), then [`shed`](Self::shed).
    ///
    /// # Complexity
    ///
    /// Looks at every live allocation of the pool: for the case that it is full.
    pub fn plan_eviction(
        &self,
        request: &PoolRequest,
        mut last_used: impl FnMut(u32, u64) -> Option<u64>,
    ) -> Option<PoolEviction> {
        let (fitted, needed) = fit_carved(&self.config, request)?;
        if fitted.upper {
            return None;
        }
        let unit = self.config.min_allocation_size;
        let plans = self.blocks.iter().filter_map(|(slot, block)| {
            // A lease does not start where its memory object does.
            let base = block.base;
            let frame_of = |offset| last_used(slot, base + offset);
            let mut plan = plan_block(slot, block, &fitted, (needed, unit), frame_of)?;
            plan.offsets.iter_mut().for_each(|offset| *offset += base);
            Some(plan)
        });
        plans.min_by_key(PoolEviction::rank)
    }

    /// Takes the room that a plan for the same request has named, once all that the plan names has gone;
    /// `None`, and no allocation has changed, if something there is alive.
    ///
    /// # Complexity
    ///
    /// One block is asked, at the suballocator's own cost: no search in a segregated fit.
    #[cold]
    pub fn allocate_planned(
        &mut self,
        request: &PoolRequest,
        plan: &PoolEviction,
    ) -> Option<Place> {
        let (fitted, _) = fit_carved(&self.config, request)?;
        let slot = plan.slot;
        let (generation, block) = self.blocks.get_mut(slot)?;
        let Room::Stretch(stretch) = plan.room else {
            if let Room::InSpan { at, offset } = plan.room
                && let Content::Carved(Suballocator::TwoTier(tiers)) = &mut block.content
            {
                tiers.prefer(at, offset);
            }
            return self.place_in::<Tiers>(slot, &fitted);
        };
        // The plan may be of another request, or the slot another block's by now.
        if fitted.alignment > block.alignment || stretch.offset & (fitted.alignment - 1) != 0 {
            return None;
        }
        let (size, base, is_leased) = (block.size, block.base, block.lease.is_some());
        let Content::Carved(suballocator) = &mut block.content else { return None };
        let was_empty = suballocator.allocation_count() == 0;
        let piece = suballocator.take_at(stretch.offset, fitted.size, stretch.behind);
        block.rooms = suballocator.rooms();
        self.index.update(slot, Some(block));
        let piece = piece?;
        if was_empty {
            self.empty_taken(size, is_leased);
        }
        Some(self.placed((slot, generation), base, &piece, fitted.requested))
    }

    /// [`free`](Self::free), but that a block which has emptied stays, for whoever needs the room, until
    /// [`shed`](Self::shed) or [`trim`](Self::trim) gives it back. Answers the memory object of a place
    /// that had one of its own.
    ///
    /// # Errors
    ///
    /// Those of [`free`](Self::free).
    ///
    /// # Complexity
    ///
    /// The suballocator's own.
    pub fn free_retaining(
        &mut self,
        place: Place,
    ) -> Result<Option<ReturnedBlock>, Refused<Place, FreeError>> {
        match self.take_back(&place) {
            Ok(Freed::Piece { .. }) => Ok(None),
            Ok(Freed::Object(block)) => Ok(Some(block)),
            Err(error) => Err(Refused { returned: place, error }),
        }
    }
}

impl PoolEviction {
    /// The order of plans, the best first: oldest allocations, fewest bytes, oldest block.
    fn rank(&self) -> impl Ord + use<> {
        (self.youngest, self.bytes, self.slot)
    }
}

fn plan_block(
    slot: u32,
    block: &Block,
    fitted: &Fitted,
    (needed, unit): (u64, u64),
    mut last_used: impl FnMut(u64) -> Option<u64>,
) -> Option<PoolEviction> {
    if fitted.alignment > block.alignment {
        return None;
    }
    let Content::Carved(suballocator) = &block.content else { return None };
    // What a segregated fit hands out.
    let room = (round_up(fitted.size, unit)?, fitted.alignment);
    match suballocator {
        Suballocator::Tlsf(tlsf) => {
            let pieces: Vec<Taken> = tlsf.taken_blocks().map(Taken::whole).collect();
            among_pieces(slot, &pieces, tlsf.total_size(), room, last_used)
        }
        Suballocator::TwoTier(tiers) => {
            let pieces: Vec<Taken> = tiers
                .stretches()
                .map(|(piece, span)| match span {
                    Some(span) => {
                        Taken { piece, users: tiers.live_in(span).collect(), span: Some(span.at) }
                    }
                    None => Taken::whole(piece),
                })
                .collect();
            let small = tiers.needed_in_span(fitted.size, fitted.alignment);
            let in_spans = small.into_iter().flat_map(|needed| {
                pieces.iter().filter_map(move |taken| Some((taken, taken.span?, needed)))
            });
            let in_spans: Vec<PoolEviction> = in_spans
                .filter_map(|(Taken { piece, users, .. }, at, needed)| {
                    let users = users.iter().map(|&(offset, size)| (offset - piece.offset, size));
                    let stretch = (piece.offset, piece.size);
                    let room = |offset| Room::InSpan { at, offset };
                    among_powers_of_two(slot, stretch, users, needed, room, &mut last_used)
                })
                .collect();
            let large = among_pieces(slot, &pieces, tiers.total_size(), room, &mut last_used);
            // The first of equals: what fits into a span goes there.
            in_spans.into_iter().chain(large).min_by_key(PoolEviction::rank)
        }
        Suballocator::Buddy(_) | Suballocator::OnlyBuddy(_) => {
            let whole = (0, block.size);
            let room = |_| Room::Found;
            among_powers_of_two(slot, whole, suballocator.pieces(), needed, room, last_used)
        }
        Suballocator::Linear(linear) => {
            let (mut youngest, mut bytes) = (None, 0);
            let going = linear.plan_ring(fitted.size, fitted.alignment, |piece| {
                let frame = last_used(piece.offset);
                youngest = youngest.max(frame);
                bytes += piece.size;
                frame.is_some()
            })?;
            let offsets = going.into_iter().map(|piece| piece.offset).collect();
            Some(PoolEviction { slot, offsets, youngest, bytes, room: Room::Found })
        }
        Suballocator::Custom(_) => None,
    }
}

/// A piece of a segregated fit.
struct Taken {
    piece: TlsfBlock,
    /// Offsets in the block and bytes of what users have of it: all of it, or what lives in the span that it
    /// is.
    users: Vec<(u64, u64)>,
    /// Its number, if it is a span.
    span: Option<u32>,
}

impl Taken {
    fn whole(piece: TlsfBlock) -> Self {
        Self { piece, users: vec![(piece.offset, piece.size)], span: None }
    }
}

/// The best stretch of a segregated fit for a size at an alignment.
fn among_pieces(
    slot: u32,
    pieces: &[Taken],
    total_size: u64,
    (size, alignment): (u64, u64),
    mut last_used: impl FnMut(u64) -> Option<u64>,
) -> Option<PoolEviction> {
    let obstacles: Vec<Obstacle> = pieces
        .iter()
        .map(|Taken { piece, users, .. }| {
            let (offset, size) = (piece.offset, piece.size);
            let cost = users.iter().try_fold(Cost::default(), |cost, &(at, size)| {
                Some(cost.and(last_used(at)?, size))
            });
            Obstacle { offset, size, cost }
        })
        .collect();
    let plan = plan_among(&obstacles, total_size, size, alignment)?;
    let behind = plan.pieces.start.checked_sub(1).map(|before| pieces[before].piece.node);
    let room = Room::Stretch(Stretch { offset: plan.offset, behind });
    let going = pieces[plan.pieces].iter().flat_map(|taken| &taken.users);
    let offsets = going.map(|&(offset, _)| offset).collect();
    Some(PoolEviction { slot, offsets, youngest: plan.youngest, bytes: plan.bytes, room })
}

/// The best aligned power of two of so many bytes in a stretch of a block: in a span, or among buddies. `room` says
/// where the request goes for where that lies in the block.
fn among_powers_of_two(
    slot: u32,
    (start, total_size): (u64, u64),
    pieces: impl Iterator<Item = (u64, u64)>,
    needed: u64,
    room: impl FnOnce(u64) -> Room,
    mut last_used: impl FnMut(u64) -> Option<u64>,
) -> Option<PoolEviction> {
    let pieces: Vec<EvictablePiece> = pieces
        .map(|(offset, size)| EvictablePiece { offset, size, last_used: last_used(start + offset) })
        .collect();
    let plan = plan(&pieces, total_size, needed, needed)?;
    let offsets = pieces[plan.pieces].iter().map(|piece| start + piece.offset).collect();
    let room = room(start + plan.offset);
    Some(PoolEviction { slot, offsets, youngest: plan.youngest, bytes: plan.bytes, room })
}

//! What has to go for a request that found no room in any block.
//!
//! Basic design: each block is asked for its best plan, in the terms of what carves it, and the best of
//! all is answered. A plan counts only if the suballocator surely serves the request once the pieces
//! named are free: a segregated fit is asked for as much room as it finds without luck, a buddy for its
//! whole power of two, a ring for the oldest of its pieces. Spans, and what is in them, stay.

use alloc::vec::Vec;

use super::MemoryPool;
use super::fit::{Fit, fit};
use crate::answer::Fitted;
use crate::block::{Block, Content};
use crate::evict::{EvictablePiece, plan};
use crate::tlsf::Tlsf;
use crate::{PoolRequest, Suballocator};

/// The allocations of one block that have to go for a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PoolEviction {
    /// The block's slot.
    pub slot: u32,
    /// Where the allocations start in it, in bytes. None of them could stay for this plan.
    pub offsets: Vec<u64>,
    /// The latest frame in which one of them was used; `None` if none has to go.
    pub youngest: Option<u64>,
    /// Bytes that they have.
    pub bytes: u64,
}

impl MemoryPool {
    /// Which allocations have to go so that a request finds room in a block that exists: those that
    /// were used longest ago. `None` if it would not, or not surely, even without all that may go: then
    /// nothing should go.
    ///
    /// `last_used` tells, by slot and offset, the frame of an allocation that may go, and `None` for one
    /// that has to stay (see [`FrameWord::evictable`](crate::evict::FrameWord::evictable)). What is small
    /// enough for the spans of [`Algorithm::TwoTier`](crate::Algorithm::TwoTier), and blocks of linear
    /// kinds that do not wrap or of custom algorithms, are not planned for.
    ///
    /// # Complexity
    ///
    /// Looks at every live allocation of the pool: for the case that it is full.
    pub fn plan_eviction(
        &self,
        request: &PoolRequest,
        mut last_used: impl FnMut(u32, u64) -> Option<u64>,
    ) -> Option<PoolEviction> {
        let (fitted, needed) = match fit(&self.config, request) {
            Ok(Fit::Carved { fitted, needed } | Fit::Either { fitted, needed, .. }) => {
                (fitted, needed)
            }
            Ok(Fit::Dedicated(_)) | Err(_) => return None,
        };
        if fitted.upper {
            return None;
        }
        let plans = self.blocks.iter().filter_map(|(slot, block)| {
            // A lease does not start where its memory object does.
            let base = block.base;
            let frame_of = |offset| last_used(slot, base + offset);
            let mut plan = plan_block(slot, block, &fitted, needed, frame_of)?;
            plan.offsets.iter_mut().for_each(|offset| *offset += base);
            Some(plan)
        });
        plans.min_by_key(|plan| (plan.youngest, plan.bytes, plan.slot))
    }
}

fn plan_block(
    slot: u32,
    block: &Block,
    fitted: &Fitted,
    needed: u64,
    mut last_used: impl FnMut(u64) -> Option<u64>,
) -> Option<PoolEviction> {
    let Content::Carved { suballocator, .. } = &block.content else { return None };
    let tlsf: &Tlsf = match suballocator {
        Suballocator::Tlsf(tlsf) => tlsf,
        Suballocator::TwoTier(tiers) => tiers.large_tier(),
        Suballocator::Buddy(_) | Suballocator::OnlyBuddy(_) => {
            let pieces = suballocator.pieces().map(|(offset, size)| (offset, size, true));
            return stretch(slot, pieces, block.size, (needed, needed), last_used);
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
            return Some(PoolEviction { slot, offsets, youngest, bytes });
        }
        Suballocator::Custom(_) => return None,
    };
    // Any alignment is in the sure size already.
    let size = tlsf.sure_size(fitted.size, fitted.alignment)?;
    stretch(slot, tlsf.taken_by(), tlsf.total_size(), (size, 1), last_used)
}

/// The best stretch of a block that merges what is freed, for a size at an alignment.
fn stretch(
    slot: u32,
    pieces: impl Iterator<Item = (u64, u64, bool)>,
    block_size: u64,
    (size, alignment): (u64, u64),
    mut last_used: impl FnMut(u64) -> Option<u64>,
) -> Option<PoolEviction> {
    let pieces: Vec<EvictablePiece> = pieces
        .map(|(offset, size, is_users)| {
            let last_used = if is_users { last_used(offset) } else { None };
            EvictablePiece { offset, size, last_used }
        })
        .collect();
    let plan = plan(&pieces, block_size, size, alignment)?;
    let offsets = pieces[plan.pieces].iter().map(|piece| piece.offset).collect();
    Some(PoolEviction { slot, offsets, youngest: plan.youngest, bytes: plan.bytes })
}

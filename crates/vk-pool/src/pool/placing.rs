//! Taking room in the blocks that exist.
//!
//! Most of the time the first block that is asked has room, so that way is short: no call on it has
//! an answer that would pass through memory, and what the other ways need is not prepared.

use core::num::NonZeroU32;

use super::MemoryPool;
use crate::answer::Fitted;
use crate::block::Content;
use crate::candidates::Candidates;
use crate::search::{MAX_CANDIDATES, Search, first_choice};
use crate::way::{Tiers, Way};
use crate::{Piece, Place, Suballocator};

impl MemoryPool {
    /// Blocks that one request asks at most, however many the pool has and whatever they have free; a
    /// block that is asked twice counts twice.
    pub const MAX_BLOCKS_ASKED: usize = 1 + MAX_CANDIDATES;

    /// Takes room in the block that most likely has it.
    #[inline]
    pub(super) fn place_first<W: Way>(&mut self, fitted: &Fitted, needed: u64) -> Option<Place> {
        let slot = first_choice(&self.index, &self.config, fitted, needed)?;
        self.place_in::<W>(slot, fitted)
    }

    /// Takes room in a block that exists, if one of those that may have it has.
    #[cold]
    pub(super) fn place(&mut self, fitted: &Fitted, needed: u64) -> Option<Place> {
        let asked = first_choice(&self.index, &self.config, fitted, needed);
        let place = asked.and_then(|slot| self.place_in::<Tiers>(slot, fitted));
        place.or_else(|| self.place_elsewhere(asked, fitted, needed))
    }

    /// Takes room in one of the blocks that may have it beside the one that was asked.
    #[cold]
    fn place_elsewhere(
        &mut self,
        asked: Option<u32>,
        fitted: &Fitted,
        needed: u64,
    ) -> Option<Place> {
        if let Some(slot) = asked {
            self.hear_fault(slot);
        }
        let search = Search::behind(asked, &self.config, fitted, needed);
        let unit = self.config.min_allocation_size;
        // Where all blocks have one size, every empty one has enough, though it be no power of two.
        let of_empty = if self.config.has_fixed_block_size() { 1 } else { needed };
        let mut candidates = Candidates::new(search, of_empty, unit);
        while let Some(slot) = candidates.next(&self.index) {
            let place = self.place_in::<Tiers>(slot, fitted);
            if place.is_some() {
                return place;
            }
            self.hear_fault(slot);
        }
        None
    }

    /// Puts down a wrong answer of a block's own algorithm, for who is told of it.
    fn hear_fault(&mut self, slot: u32) {
        let Some((_, block)) = self.blocks.get_mut(slot) else { return };
        let Content::Carved(suballocator) = &mut block.content else { return };
        let Some(fault) = suballocator.take_fault() else { return };
        self.fault = Some(fault);
        if suballocator.allocation_count() > 0 {
            let known_rooms = core::mem::replace(&mut block.rooms, suballocator.rooms());
            self.index.update_used(slot, known_rooms, block.rooms);
        }
    }

    /// Takes room in one carved block.
    #[inline]
    pub(super) fn place_in<W: Way>(&mut self, slot: u32, fitted: &Fitted) -> Option<Place> {
        let (generation, block) = self.blocks.get_mut(slot)?;
        if fitted.alignment > block.alignment {
            return None;
        }
        let (size, base) = (block.size, block.base);
        let Content::Carved(suballocator) = &mut block.content else { return None };
        let piece = W::take(suballocator, fitted);
        // Before two tiers refuse, they end their empty span, and have other rooms then. A wrong answer
        // counts when it is heard.
        if piece.is_none() && !matches!(suballocator, Suballocator::TwoTier(_)) {
            return None;
        }
        let rooms_now = W::rooms(suballocator);
        let known_rooms = core::mem::replace(&mut block.rooms, rooms_now);
        let was_empty = suballocator.allocation_count() == u64::from(piece.is_some());
        if was_empty {
            piece?;
            let is_leased = block.lease.is_some();
            self.index.update(slot, Some(block));
            self.empty_taken(size, is_leased);
        } else if rooms_now != known_rooms {
            self.index.update_used(slot, known_rooms, rooms_now);
        }
        Some(self.placed((slot, generation), base, &piece?, fitted.requested))
    }

    /// The place that a piece of a block is, counted; the block starts at `base` in its memory object.
    // Always, or it would be written to memory and read from there.
    #[inline(always)]
    pub(super) fn placed(
        &mut self,
        (slot, generation): (u32, NonZeroU32),
        base: u64,
        piece: &Piece,
        requested: u64,
    ) -> Place {
        self.live.placed(piece.size, requested);
        let (offset, node) = (base + piece.offset, piece.node);
        Place { offset, size: requested, name: slot, generation, node }
    }
}

//! Taking room in the blocks that exist.
//!
//! Most of the time the first block that is asked has room, so that way is short: no call on it has
//! an answer that would pass through memory, and what the other ways need is not prepared.

use super::MemoryPool;
use crate::answer::Fitted;
use crate::block::Content;
use crate::search::{Candidates, MAX_CANDIDATES, Search, first_choice};
use crate::way::{Tiers, Way};
use crate::{Piece, Place};

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
        let others: Candidates = self.index.candidates(search, of_empty, unit).collect();
        for slot in others {
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
        let Content::Carved { suballocator, allocation_count, rooms, .. } = &mut block.content
        else {
            return;
        };
        let Some(fault) = suballocator.take_fault() else { return };
        self.fault = Some(fault);
        if *allocation_count > 0 {
            let known_rooms = core::mem::replace(rooms, suballocator.rooms());
            self.index.update_used(slot, known_rooms, *rooms);
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
        let Content::Carved { suballocator, used, allocation_count, rooms } = &mut block.content
        else {
            return None;
        };
        let piece = W::take(suballocator, fitted)?;
        let rooms_now = W::rooms(suballocator);
        let known_rooms = core::mem::replace(rooms, rooms_now);
        let was_empty = *allocation_count == 0;
        *used += piece.size;
        *allocation_count += 1;
        if was_empty {
            let is_leased = block.lease.is_some();
            self.index.update(slot, Some(block));
            self.empty_taken(size, is_leased);
        } else if rooms_now != known_rooms {
            self.index.update_used(slot, known_rooms, rooms_now);
        }
        Some(self.placed((slot, generation), base, &piece, fitted.requested))
    }

    /// The place that a piece of a block is, counted; the block starts at `base` in its memory object.
    // Always, or it would be written to memory and read from there.
    #[inline(always)]
    pub(super) fn placed(
        &mut self,
        (slot, generation): (u32, u32),
        base: u64,
        piece: &Piece,
        requested: u64,
    ) -> Place {
        self.count_placed(piece, requested);
        let (offset, node) = (base + piece.offset, piece.node);
        Place { offset, size: requested, slot, generation, node, dedicated: false }
    }

    /// Puts an allocation into the counts.
    #[inline]
    pub(super) fn count_placed(&mut self, piece: &Piece, requested: u64) {
        self.stats.used_size += piece.size;
        self.stats.requested_size += requested;
        self.stats.allocation_count += 1;
        self.recent.operation(self.stats.used_size);
    }
}

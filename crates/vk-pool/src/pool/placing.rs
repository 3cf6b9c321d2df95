//! Taking room in the blocks that exist.
//!
//! Most of the time the first block that is asked has room, so that way is short: no call on it has
//! an answer that would pass through memory, and what the other ways need is not prepared.

use super::MemoryPool;
use crate::Place;
use crate::answer::Fitted;
use crate::block::Content;
use crate::search::{Candidates, Search, first_choice};

impl MemoryPool {
    /// Takes room in the block that most likely has it.
    #[inline]
    pub(super) fn place_first(&mut self, fitted: &Fitted, needed: u64) -> Option<Place> {
        let slot = first_choice(&self.index, &self.config, fitted, needed)?;
        self.place_in(slot, fitted)
    }

    /// Takes room in a block that exists, if one of those that may have it has.
    pub(super) fn place(&mut self, fitted: &Fitted, needed: u64) -> Option<Place> {
        self.place_first(fitted, needed).or_else(|| self.place_elsewhere(fitted, needed))
    }

    /// Takes room in one of the other blocks that may have it.
    #[cold]
    fn place_elsewhere(&mut self, fitted: &Fitted, needed: u64) -> Option<Place> {
        let search = Search::of(&self.config, fitted, needed);
        let unit = self.config.min_allocation_size;
        let others: Candidates = self.index.candidates(search, needed, unit).collect();
        others.into_iter().find_map(|slot| self.place_in(slot, fitted))
    }

    /// Takes room in one carved block.
    #[inline]
    pub(super) fn place_in(&mut self, slot: u32, fitted: &Fitted) -> Option<Place> {
        let (generation, block) = self.blocks.get_mut(slot)?;
        if fitted.alignment > block.alignment {
            return None;
        }
        let (size, base) = (block.size, block.base);
        let Content::Carved { suballocator, used, allocation_count } = &mut block.content else {
            return None;
        };
        let rooms = suballocator.rooms();
        let piece = suballocator.allocate(fitted.size, fitted.alignment)?;
        let rooms_now = suballocator.rooms();
        let was_empty = *allocation_count == 0;
        *used += piece.size;
        *allocation_count += 1;
        if was_empty {
            self.index.update(slot, Some(block));
            self.empty_taken(slot, size);
        } else if rooms_now != rooms {
            self.index.update_used(slot, rooms_now);
        }
        self.stats.used_size += piece.size;
        self.stats.requested_size += fitted.requested;
        self.stats.allocation_count += 1;
        self.live_peak.record(self.stats.used_size);
        self.remakes.operation();
        Some(Place {
            offset: base + piece.offset,
            size: fitted.requested,
            slot,
            generation,
            node: piece.node,
            dedicated: false,
        })
    }
}

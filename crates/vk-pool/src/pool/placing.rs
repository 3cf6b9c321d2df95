//! Taking room in the blocks that exist.

use super::MemoryPool;
use crate::Place;
use crate::answer::Fitted;
use crate::block::Content;

impl MemoryPool {
    /// Takes room in a block that exists: the oldest one in use, then the smallest empty one.
    pub(super) fn place(&mut self, fitted: &Fitted, needed: u64) -> Option<Place> {
        let mut smallest_empty: Option<(u64, u32)> = None;
        for index in 0..self.carved.len() {
            let slot = self.carved[index];
            let block = self.blocks.get(slot)?;
            if !block.may_hold(needed) {
                continue;
            }
            if block.is_empty() {
                let candidate = (block.size, slot);
                if smallest_empty.is_none_or(|(size, _)| candidate.0 < size) {
                    smallest_empty = Some(candidate);
                }
            } else if let Some(place) = self.place_in(slot, fitted) {
                return Some(place);
            }
        }
        self.place_in(smallest_empty?.1, fitted)
    }

    /// Takes room in one carved block.
    pub(super) fn place_in(&mut self, slot: u32, fitted: &Fitted) -> Option<Place> {
        let generation = self.blocks.generation(slot)?;
        let block = self.blocks.get_mut(slot)?;
        let size = block.size;
        let Content::Carved { suballocator, used, allocation_count } = &mut block.content else {
            return None;
        };
        let piece = suballocator.allocate(fitted.size, fitted.alignment)?;
        let was_empty = *allocation_count == 0;
        *used += piece.size;
        *allocation_count += 1;
        if was_empty {
            self.books.empty_block_taken(size);
            self.stats.retained_count -= 1;
            self.stats.retained_size -= size;
        }
        self.stats.used_size += piece.size;
        self.stats.requested_size += fitted.requested;
        self.stats.allocation_count += 1;
        self.live_peak.record(self.stats.used_size);
        Some(Place {
            offset: piece.offset,
            size: fitted.requested,
            slot,
            generation,
            node: piece.node,
            dedicated: false,
        })
    }
}

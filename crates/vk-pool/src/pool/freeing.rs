//! Places on their way back.
//!
//! Basic design: nearly every place is a piece of a block in which others live as well, so the block
//! stays in use. That way is short, and no answer on it passes through memory. What else a place may be
//! (the last piece of a block, a memory object, a forgery) is left to one that starts over, so the short
//! one changes nothing unless it goes through.

use super::MemoryPool;
use crate::block::Content;
use crate::{FreeError, Place, Refused, ReturnedBlock};

/// What a place was.
pub(super) enum Freed {
    /// A piece of a block, which is empty now or not.
    Piece { emptied: bool },
    /// A memory object of its own.
    Object(ReturnedBlock),
}

impl MemoryPool {
    /// Gives a place back, if it is a piece of a block that stays in use; otherwise the place comes back
    /// and nothing has changed: then [`free`](Self::free) says what there is to do. The way of nearly
    /// every place, and shorter than that.
    ///
    /// # Errors
    ///
    /// The place, if it is the last one of its block, has a memory object of its own, or is refused by
    /// [`free`](Self::free).
    ///
    /// # Complexity
    ///
    /// The suballocator's own.
    // Always, or the place would be written to memory and read from there.
    #[inline(always)]
    pub fn free_at_once(&mut self, place: Place) -> Result<(), Place> {
        match self.take_back_at_once(&place) {
            Some(()) => Ok(()),
            None => Err(place),
        }
    }

    #[inline(always)]
    fn take_back_at_once(&mut self, place: &Place) -> Option<()> {
        let slot = place.slot;
        let block = self.blocks.get_live_mut(slot, place.generation)?;
        let base = block.base;
        let Content::Carved { suballocator, used, allocation_count, rooms } = &mut block.content
        else {
            return None;
        };
        if place.dedicated || *allocation_count <= 1 {
            return None;
        }
        let freed = suballocator.free(place.offset.checked_sub(base)?, place.node)?;
        *used -= freed;
        *allocation_count -= 1;
        let rooms_now = suballocator.rooms();
        if rooms_now != *rooms {
            *rooms = rooms_now;
            self.index.update_used(slot, rooms_now);
        }
        self.count_freed(freed, place.size);
        Some(())
    }

    /// Takes an allocation out of the counts.
    #[inline]
    fn count_freed(&mut self, freed: u64, requested: u64) {
        self.stats.used_size -= freed;
        self.stats.requested_size -= requested;
        self.stats.allocation_count -= 1;
        self.recent.operation(self.stats.used_size);
    }

    /// Gives a place back; answers the memory object that is superfluous now, if there is one.
    ///
    /// # Errors
    ///
    /// The place comes back if its block is not in this pool any more
    /// ([`FreeError::UnknownBlock`]) or has no live allocation there ([`FreeError::NotAllocated`]):
    /// it belongs to another pool, or was forged.
    ///
    /// # Complexity
    ///
    /// The suballocator's own, and O(log blocks) when a block is given back.
    #[inline]
    pub fn free(
        &mut self,
        place: Place,
    ) -> Result<Option<ReturnedBlock>, Refused<Place, FreeError>> {
        match self.take_back(&place) {
            Ok(Freed::Piece { emptied: false }) => Ok(None),
            Ok(Freed::Piece { emptied: true }) => Ok(self.shed()),
            Ok(Freed::Object(block)) => Ok(Some(block)),
            Err(error) => Err(Refused { returned: place, error }),
        }
    }

    /// The whole of what a place may be.
    #[inline]
    pub(super) fn take_back(&mut self, place: &Place) -> Result<Freed, FreeError> {
        let (slot, offset) = (place.slot, place.offset);
        let Some(block) = self.blocks.get_live_mut(slot, place.generation) else {
            return Err(FreeError::UnknownBlock { slot, generation: place.generation });
        };
        let (size, base) = (block.size, block.base);
        let (suballocator, used, allocation_count, rooms) = match &mut block.content {
            Content::Dedicated if place.dedicated => {
                return Ok(Freed::Object(self.remove(slot, true)));
            }
            Content::Carved { suballocator, used, allocation_count, rooms } if !place.dedicated => {
                (suballocator, used, allocation_count, rooms)
            }
            _ => return Err(FreeError::NotAllocated { slot, offset }),
        };
        let freed =
            offset.checked_sub(base).and_then(|offset| suballocator.free(offset, place.node));
        let Some(freed) = freed else {
            return Err(FreeError::NotAllocated { slot, offset });
        };
        *used -= freed;
        *allocation_count -= 1;
        let emptied = *allocation_count == 0;
        let rooms_now = suballocator.rooms();
        let known_rooms = core::mem::replace(rooms, rooms_now);
        if rooms_now != known_rooms && !emptied {
            self.index.update_used(slot, rooms_now);
        }
        self.count_freed(freed, place.size);
        if emptied {
            self.emptied(slot, size);
        }
        Ok(Freed::Piece { emptied })
    }

    /// Puts down that a block has emptied.
    #[cold]
    fn emptied(&mut self, slot: u32, size: u64) {
        let block = self.blocks.get(slot);
        let is_leased = block.is_some_and(|block| block.lease.is_some());
        self.index.update(slot, block);
        self.books.block_emptied(size);
        self.count_empty(size, is_leased);
    }
}

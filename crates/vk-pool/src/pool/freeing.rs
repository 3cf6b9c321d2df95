//! Places on their way back.
//!
//! Basic design: nearly every place is a piece of a block in which others live as well, so the block
//! stays in use. That way is short, and no answer on it passes through memory. What else a place may be
//! (the last piece of a block, a memory object, a forgery) is left to one that starts over, so the short
//! one changes nothing unless it goes through.

use super::MemoryPool;
use crate::block::Content;
use crate::way::{InRow, Tiers, Way};
use crate::{FreeError, Place, Refused, ReturnedBlock};

/// What a place was.
pub(super) enum Freed {
    /// A piece of a block, which is empty now or not.
    Piece { emptied: bool },
    /// A memory object of its own.
    Object(ReturnedBlock),
}

impl MemoryPool {
    /// Gives a place back, if it is a piece of a block of [two tiers](crate::Algorithm::TwoTier) that stays in
    /// use; otherwise the place comes back and nothing has changed: then [`free`](Self::free) says what
    /// there is to do. The way of nearly every place, and shorter than that.
    ///
    /// # Errors
    ///
    /// The place, if it is the last one of its block, if something else carves that, if it has a memory
    /// object of its own, or is refused by [`free`](Self::free).
    ///
    /// # Complexity
    ///
    /// The suballocator's own.
    // Always, or the place would be written to memory and read from there.
    #[inline(always)]
    pub fn free_at_once(&mut self, place: Place) -> Result<(), Place> {
        // Field by field, and put together again for who needs it: as a whole it would be copied, before
        // what was copied here can be read.
        let Place { offset, size, name, generation, node } = place;
        let place = || Place { offset, size, name, generation, node };
        self.take_usual_back(&place()).ok_or_else(place)
    }

    /// [`free_at_once`](Self::free_at_once) of a block of any algorithm; the shortest way where it is
    /// [linear](crate::Algorithm::Linear).
    ///
    /// # Errors
    ///
    /// The place, if it is the last one of its block, has a memory object of its own, or is refused by
    /// [`free`](Self::free).
    // Always, as above.
    #[inline(always)]
    pub fn free_in_row(&mut self, place: Place) -> Result<(), Place> {
        self.free_by::<InRow>(place)
    }

    // Always, as above.
    #[inline(always)]
    fn free_by<W: Way>(&mut self, place: Place) -> Result<(), Place> {
        // Field by field, and put together again for who needs it: as a whole it would be copied, before
        // what was copied here can be read.
        let Place { offset, size, name, generation, node } = place;
        let place = || Place { offset, size, name, generation, node };
        self.take_piece_back::<W>(&place(), 1).map(|_| ()).ok_or_else(place)
    }

    /// Gives back a piece of a block in which at least so many others live; answers whether it was the
    /// last one. `None`, and nothing has changed, if it is no such piece.
    // Always, as above; and the number of others is a constant then.
    #[inline(always)]
    fn take_piece_back<W: Way>(&mut self, place: &Place, others: u64) -> Option<bool> {
        // No block has the name of a memory object of its own.
        let slot = place.name;
        let block = self.blocks.get_live_mut(slot, place.generation)?;
        let (size, base) = (block.size, block.base);
        let Content::Carved(suballocator) = &mut block.content else { return None };
        if suballocator.allocation_count() <= others {
            return None;
        }
        let freed = W::free(suballocator, place.offset.checked_sub(base)?, place.node)?;
        let emptied = suballocator.allocation_count() == 0;
        let rooms_now = W::rooms(suballocator);
        let known_rooms = core::mem::replace(&mut block.rooms, rooms_now);
        if emptied {
            let is_leased = block.lease.is_some();
            self.index.update(slot, Some(block));
            self.books.block_emptied(size);
            self.count_empty(size, is_leased);
        } else if rooms_now != known_rooms {
            self.index.update_used(slot, known_rooms, rooms_now);
        }
        self.live.freed(freed, place.size);
        Some(emptied)
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
        let (slot, offset) = (place.slot(), place.offset);
        let Some(block) = self.blocks.get_live_mut(slot, place.generation) else {
            return Err(FreeError::UnknownBlock { slot, generation: place.generation.get() });
        };
        if place.is_dedicated() && matches!(block.content, Content::Dedicated) {
            return Ok(Freed::Object(self.remove(slot, true)));
        }
        let emptied = self.take_piece_back::<Tiers>(place, 0);
        let emptied = emptied.ok_or(FreeError::NotAllocated { slot, offset })?;
        Ok(Freed::Piece { emptied })
    }
}

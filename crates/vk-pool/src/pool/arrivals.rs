//! Blocks taken in: checked, filled with the request that waits for them, and put into the books.

use super::MemoryPool;
use crate::block::{Block, Content};
use crate::{
    AddBlockError, BlockId, BlockRequest, BlockShape, Lease, Piece, Place, PoolConfig, Refused,
    Reservation, Suballocator,
};

impl MemoryPool {
    /// Takes in the memory object that was asked for, and places the request that asked for it.
    ///
    /// Afterwards the ticket is resolved: those who wait for it ask again.
    ///
    /// # Errors
    ///
    /// Both values come back unchanged, and the block request still waits, if the request is not one
    /// of this pool's, if the reservation is for something else, if the pool has a block of this
    /// name, if no allocation waits for it, or if the pool's own algorithm does not serve that.
    #[expect(
        clippy::result_large_err,
        reason = "what was handed in comes back, and both ways are as rare as the driver's calls"
    )]
    pub fn add_block(
        &mut self,
        request: BlockRequest,
        reservation: Reservation,
        id: BlockId,
    ) -> Result<Place, Refused<(BlockRequest, Reservation), AddBlockError>> {
        match self.check_block(&request, &reservation, id).and_then(|()| self.first_place(&request))
        {
            Ok((content, place)) => {
                reservation.commit();
                self.ids.insert(id);
                let (_, place) = self.take_in(&request, id, content, place, None);
                Ok(place.expect("a place was handed in"))
            }
            Err(error) => Err(Refused { returned: (request, reservation), error }),
        }
    }

    /// Takes in the memory object that [`missing_block`](Self::missing_block) or
    /// [`spare_block`](Self::spare_block) has asked for, as an empty block; answers its slot.
    ///
    /// A block that an allocation waits for may come this way too: it then asks again.
    ///
    /// # Errors
    ///
    /// Both values come back unchanged, and the block request still waits, if the request is not one
    /// of this pool's, if the reservation is for something else, if the pool has a block of this
    /// name, or if it is dedicated memory.
    #[expect(
        clippy::result_large_err,
        reason = "what was handed in comes back, and both ways are as rare as the driver's calls"
    )]
    pub fn add_empty_block(
        &mut self,
        request: BlockRequest,
        reservation: Reservation,
        id: BlockId,
    ) -> Result<u32, Refused<(BlockRequest, Reservation), AddBlockError>> {
        let checked = self.check_block(&request, &reservation, id);
        let checked = match checked {
            Ok(()) if request.dedicated => Err(AddBlockError::Dedicated),
            checked => checked,
        };
        if let Err(error) = checked {
            return Err(Refused { returned: (request, reservation), error });
        }
        let content = Content::Carved(self.new_suballocator(request.size));
        reservation.commit();
        self.ids.insert(id);
        let (slot, _) = self.take_in(&request, id, content, None, None);
        Ok(slot)
    }

    /// What a new block holds, and where in it the request is that waits for it.
    pub(super) fn first_place(
        &self,
        request: &BlockRequest,
    ) -> Result<(Content, Option<(Piece, u64)>), AddBlockError> {
        let fitted = request.fitted.ok_or(AddBlockError::NotAwaited)?;
        if request.dedicated {
            let piece = Piece { offset: 0, size: request.size, node: 0 };
            return Ok((Content::Dedicated, Some((piece, fitted.requested))));
        }
        let mut suballocator = self.new_suballocator(request.size);
        let Some(piece) = suballocator.take(&fitted) else {
            assert!(
                matches!(suballocator, Suballocator::Custom(_)),
                "an empty block of at least `needed` bytes holds the request it was made for"
            );
            let (size, fault) = (request.size, suballocator.take_fault());
            return Err(AddBlockError::NotServed { size, fault });
        };
        Ok((Content::Carved(suballocator), Some((piece, fitted.requested))))
    }

    /// Puts a block or a lease, checked and filled, into the books; answers its slot.
    pub(super) fn take_in(
        &mut self,
        request: &BlockRequest,
        id: BlockId,
        content: Content,
        first: Option<(Piece, u64)>,
        lease: Option<Lease>,
    ) -> (u32, Option<Place>) {
        let BlockRequest { size, dedicated, ticket, .. } = *request;
        self.pending.remove(ticket);
        let is_leased = lease.is_some();
        let block = Block::new(id, size, content, lease);
        let base = block.base;
        let (slot, generation) = self.blocks.insert(block);
        if dedicated {
            self.stats.dedicated_count += 1;
            self.stats.dedicated_size += size;
        } else {
            self.books.block_arrived(size);
            self.stats.block_count += 1;
            self.stats.total_size += size;
            self.index.update(slot, self.blocks.get(slot));
            if first.is_none() {
                self.books.block_emptied(size);
                self.count_empty(size, is_leased);
            }
        }
        if let Some((piece, requested)) = first.filter(|_| !dedicated) {
            self.live.placed(piece.size, requested);
        }
        if !dedicated {
            self.growth.blocks_changed(self.live.used_size());
        }
        let name = if dedicated { slot | Place::DEDICATED } else { slot };
        let place = first.map(|(Piece { offset, node, .. }, size)| {
            let offset = base + offset;
            Place { offset, size, name, generation, node }
        });
        (slot, place)
    }

    fn check_block(
        &self,
        request: &BlockRequest,
        reservation: &Reservation,
        id: BlockId,
    ) -> Result<(), AddBlockError> {
        if !self.waits_for(request) {
            return Err(AddBlockError::UnknownRequest);
        }
        if !reservation.is_for(&self.budgets, request.heap_index, request.size, request.dedicated) {
            return Err(AddBlockError::WrongReservation {
                reserved: reservation.size(),
                requested: request.size,
            });
        }
        if self.ids.contains(&id) {
            return Err(AddBlockError::DuplicateBlock { id });
        }
        Ok(())
    }

    fn new_suballocator(&self, size: u64) -> Suballocator {
        let PoolConfig { min_allocation_size, memory_type_index, class, .. } = self.config;
        let is_only_block = self.config.max_block_count == Some(1);
        let shape =
            BlockShape { size, min_allocation_size, memory_type_index, class, is_only_block };
        let algorithm = self.config.algorithm.of_blocks(self.config.max_block_count);
        Suballocator::new(&algorithm, &shape).expect(
            "a block has at least one and not too many pieces of a power of two, by `PoolConfig::check`",
        )
    }
}

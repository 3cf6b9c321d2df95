//! Blocks coming and going: asked for, made smaller, taken in, given up, given back.

use alloc::sync::Arc;

use super::MemoryPool;
use crate::answer::Fitted;
use crate::block::{Block, Content};
use crate::growth::{next_block_size, smaller_block_size};
use crate::{
    AddBlockError, BlockId, BlockRequest, CancelError, Lease, Place, PoolConfig, Refused,
    Reservation, ReturnedBlock, Suballocator, Ticket,
};

impl MemoryPool {
    /// Makes a block request smaller, after the budgets or the driver refused it. Answers whether
    /// it could; if not, it is as small as it may be.
    pub fn shrink(&mut self, request: &mut BlockRequest) -> bool {
        if request.dedicated || !self.waits_for(request) {
            return false;
        }
        let Some(size) = smaller_block_size(&self.config, request.size, request.needed) else {
            return false;
        };
        self.books.block_not_coming(request.size);
        self.books.block_asked(size);
        self.pending.resize(request.ticket, size);
        request.size = size;
        true
    }

    /// Takes in the memory object that was asked for, and places the request that asked for it.
    ///
    /// Afterwards the ticket is resolved: those who wait for it ask again.
    ///
    /// # Errors
    ///
    /// Both values come back unchanged, and the block request still waits, if the request is not one
    /// of this pool's, if the reservation is for something else, or if the pool has a block of this
    /// name.
    pub fn add_block(
        &mut self,
        request: BlockRequest,
        reservation: Reservation,
        id: BlockId,
    ) -> Result<Place, Refused<(BlockRequest, Reservation), AddBlockError>> {
        if let Err(error) = self.check_block(&request, &reservation, id) {
            return Err(Refused { returned: (request, reservation), error });
        }
        reservation.commit();
        self.ids.insert(id);
        if !request.dedicated {
            return Ok(self.take_in_carved(&request, id, None));
        }
        self.pending.remove(request.ticket);
        let block = Block::new(id, request.size, Content::Dedicated, None);
        let (slot, generation) = self.blocks.insert(block);
        self.stats.dedicated_count += 1;
        self.stats.dedicated_size += request.size;
        let size = request.fitted.requested;
        Ok(Place { offset: 0, size, slot, generation, node: 0, dedicated: true })
    }

    /// Takes in a block or a lease that will be carved, and places the request that asked for it.
    pub(super) fn take_in_carved(
        &mut self,
        request: &BlockRequest,
        id: BlockId,
        lease: Option<Lease>,
    ) -> Place {
        let PoolConfig { algorithm, min_allocation_size, .. } = self.config;
        let suballocator = Suballocator::new(algorithm, request.size, min_allocation_size).expect(
            "sizes are ordered powers of two, of few enough pieces, by `PoolConfig::check`",
        );
        let content = Content::Carved { suballocator, used: 0, allocation_count: 0 };
        self.pending.remove(request.ticket);
        let (slot, _) = self.blocks.insert(Block::new(id, request.size, content, lease));
        self.books.block_arrived(request.size);
        self.books.block_emptied(request.size);
        self.stats.block_count += 1;
        self.stats.total_size += request.size;
        self.count_empty(slot, request.size);
        let place = self.place_in(slot, &request.fitted);
        place.expect("an empty block of at least `needed` bytes holds the request it was made for")
    }

    /// Counts a block among the empty ones.
    pub(super) fn count_empty(&mut self, slot: u32, size: u64) {
        self.stats.retained_count += 1;
        self.stats.retained_size += size;
        if self.is_leased(slot) {
            self.borrowed_empty.0 += 1;
            self.borrowed_empty.1 += size;
        }
    }

    /// Counts a block no more among the empty ones.
    #[cold]
    pub(super) fn empty_taken(&mut self, slot: u32, size: u64) {
        self.books.empty_block_taken(size);
        self.stats.retained_count -= 1;
        self.stats.retained_size -= size;
        if self.is_leased(slot) {
            self.borrowed_empty.0 -= 1;
            self.borrowed_empty.1 -= size;
        }
    }

    fn is_leased(&self, slot: u32) -> bool {
        self.blocks.get(slot).is_some_and(|block| block.lease.is_some())
    }

    /// Gives up a block request: no block will come for it.
    ///
    /// Afterwards the ticket is resolved: those who wait for it ask again.
    ///
    /// # Errors
    ///
    /// The request comes back if it is not one that this pool waits for.
    pub fn cancel(
        &mut self,
        request: BlockRequest,
    ) -> Result<(), Refused<BlockRequest, CancelError>> {
        if !self.waits_for(&request) {
            return Err(Refused { returned: request, error: CancelError::UnknownRequest });
        }
        self.pending.remove(request.ticket);
        if !request.dedicated {
            self.books.block_not_coming(request.size);
        }
        Ok(())
    }

    /// Gives back the largest empty block that is kept; `None` when there is none left.
    #[must_use = "the memory object is to be freed, and its bytes taken out of the books"]
    pub fn trim(&mut self) -> Option<ReturnedBlock> {
        let slot = self.index.largest_empty()?;
        let block = self.blocks.get(slot)?;
        let size = block.size;
        self.books.block_left(size);
        self.index.update(slot, None);
        self.stats.block_count -= 1;
        self.stats.total_size -= size;
        self.empty_taken(slot, size);
        Some(self.remove(slot, false))
    }

    pub(super) fn ask_block(&mut self, fitted: Fitted, needed: u64) -> BlockRequest {
        let committed = self.books.committed().saturating_add(self.books.pending());
        let size = next_block_size(&self.config, committed, needed);
        self.remakes.block_needed();
        self.books.block_asked(size);
        let claim = self.claim(&fitted, needed);
        self.ask(fitted, size, needed, Some(claim))
    }

    pub(super) fn ask_dedicated(&mut self, fitted: Fitted) -> BlockRequest {
        self.ask(fitted, fitted.requested, fitted.requested, None)
    }

    /// Asks for a memory object: one that others may share, of which the request claims so much, or
    /// a dedicated one.
    fn ask(&mut self, fitted: Fitted, size: u64, needed: u64, claim: Option<u64>) -> BlockRequest {
        let ticket = Ticket(self.books.next_ticket());
        self.pending.add(ticket, size, claim);
        BlockRequest {
            books: Arc::clone(&self.books),
            memory_type_index: self.config.memory_type_index,
            heap_index: self.config.heap_index,
            class: self.config.class,
            ticket,
            size,
            needed,
            dedicated: claim.is_none(),
            fitted,
        }
    }

    /// What a request may cost in a block on its way.
    pub(super) fn claim(&self, fitted: &Fitted, needed: u64) -> u64 {
        self.config.algorithm.claim(fitted.alignment, needed)
    }

    pub(super) fn waits_for(&self, request: &BlockRequest) -> bool {
        Arc::ptr_eq(&request.books, &self.books) && self.pending.contains(request.ticket)
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

    /// Gives back a block when more is retained than the policy allows; [`free`](Self::free) does so by
    /// itself, [`end_lease`](Self::end_lease) does not.
    #[must_use = "the memory object is to be freed, and its bytes taken out of the books"]
    pub fn shed(&mut self) -> Option<ReturnedBlock> {
        let retention = self.config.retention;
        let of_live = self.live_peak.peak().checked_div(retention.live_divisor).unwrap_or(0);
        let retained = self.books.retained();
        let allowed = retention.floor_bytes.max(of_live);
        if retained <= allowed {
            return None;
        }
        // Who asked for nothing to be kept gets what was asked for.
        if allowed > 0 {
            if retained <= self.remakes.worth_keeping() {
                return None;
            }
            self.remakes.block_goes(retained);
        }
        self.trim()
    }

    /// Takes a memory object out of the slab; the callers have taken it out of the counts.
    pub(super) fn remove(&mut self, slot: u32, dedicated: bool) -> ReturnedBlock {
        let block = self.blocks.remove(slot);
        let Block { id, size, lease, .. } = block.expect("the callers have found it there");
        let heap_index = self.config.heap_index;
        if dedicated {
            self.stats.dedicated_count -= 1;
            self.stats.dedicated_size -= size;
        }
        if lease.is_some() {
            self.borrowed_count -= 1;
            self.borrowed_size -= size;
        } else {
            self.ids.remove(&id);
            self.budgets.returning(heap_index, size);
        }
        ReturnedBlock { id, slot, heap_index, size, dedicated, lease }
    }
}

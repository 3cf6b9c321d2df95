//! Blocks coming and going: asked for, made smaller, given up, given back.

use alloc::sync::Arc;

use super::MemoryPool;
use crate::answer::Fitted;
use crate::block::Block;
use crate::growth::smaller_block_size;
use crate::{BlockRequest, CancelError, Refused, RequestError, ReturnedBlock, Ticket};

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

    /// Counts a block among the empty ones.
    pub(super) fn count_empty(&mut self, size: u64, is_leased: bool) {
        self.stats.retained_count += 1;
        self.stats.retained_size += size;
        if is_leased {
            self.borrowed_empty.0 += 1;
            self.borrowed_empty.1 += size;
        }
    }

    /// Counts a block no more among the empty ones.
    #[cold]
    pub(super) fn empty_taken(&mut self, size: u64, is_leased: bool) {
        self.books.empty_block_taken(size);
        self.stats.retained_count -= 1;
        self.stats.retained_size -= size;
        if is_leased {
            self.borrowed_empty.0 -= 1;
            self.borrowed_empty.1 -= size;
        }
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

    /// Gives back one of the largest empty blocks that are kept, none being an eighth larger; `None` when
    /// there is none left, or as few blocks as the pool is to have at least.
    #[must_use = "the memory object is to be freed, and its bytes taken out of the books"]
    pub fn trim(&mut self) -> Option<ReturnedBlock> {
        if self.is_at_minimum() { None } else { self.dissolve() }
    }

    /// Whether there are only blocks that the pool is to have at least.
    fn is_at_minimum(&self) -> bool {
        self.stats.block_count <= self.config.min_block_count
    }

    /// Gives back one of the largest empty blocks, one of those that the pool is to have at least if it comes to
    /// that; `None` when there is none left. For the end of a pool.
    #[must_use = "the memory object is to be freed, and its bytes taken out of the books"]
    pub fn dissolve(&mut self) -> Option<ReturnedBlock> {
        let slot = self.index.largest_empty()?;
        let block = self.blocks.get(slot)?;
        let (size, is_leased) = (block.size, block.lease.is_some());
        self.books.block_left(size);
        self.index.update(slot, None);
        self.stats.block_count -= 1;
        self.stats.total_size -= size;
        self.empty_taken(size, is_leased);
        self.growth.blocks_changed(self.live.used_size());
        Some(self.remove(slot, false))
    }

    /// Asks for a block, while the pool has fewer than `min_block_count`, those on their way included.
    /// Call it when the pool is made, until it answers `None`; each block goes to
    /// [`add_empty_block`](Self::add_empty_block).
    pub fn missing_block(&mut self) -> Option<BlockRequest> {
        if self.coming_count() >= self.config.min_block_count {
            return None;
        }
        let size = self.next_size(0, self.config.min_allocation_size);
        self.books.block_asked(size);
        Some(self.ask(None, size, self.config.smallest_block_size, Some(0)))
    }

    /// Asks for a block that no allocation waits for, with room for a [lease](Self::lease) of `size`
    /// bytes; it goes to [`add_empty_block`](Self::add_empty_block). `None` while another is on its
    /// way or an empty block has the room, and where no block is that large or the pool may have no more of them.
    pub fn spare_block(&mut self, size: u64) -> Option<BlockRequest> {
        let unit = self.config.min_allocation_size;
        let needed = self.config.algorithm.needed(size, 1, unit)?;
        let is_possible = needed <= self.config.largest_block_size
            && self.pending.carved_count() == 0
            && !self.index.has_empty(needed, unit)
            && self.check_block_count().is_ok();
        if !is_possible {
            return None;
        }
        // Retention learns nothing of it: no request has missed a block.
        let block_size = self.next_size(size, needed);
        self.books.block_asked(block_size);
        Some(self.ask(None, block_size, needed, Some(needed)))
    }

    /// Blocks that there are or that are on their way.
    fn coming_count(&self) -> u32 {
        self.stats.block_count.saturating_add(self.pending.carved_count())
    }

    /// Refuses a further block, if there are as many as there may be.
    pub(super) fn check_block_count(&self) -> Result<(), RequestError> {
        match self.config.max_block_count {
            Some(max_block_count) if self.coming_count() >= max_block_count => {
                Err(RequestError::PoolFull { max_block_count })
            }
            _ => Ok(()),
        }
    }

    /// Bytes of the next block, for so many more bytes in a block of at least `needed`.
    fn next_size(&self, more: u64, needed: u64) -> u64 {
        let committed = self.books.committed().saturating_add(self.books.pending());
        let live = self.live.used_size().saturating_add(more);
        let live_peak = self.live.peak();
        self.growth.next_block_size(&self.config, committed, live, live_peak, needed)
    }

    pub(super) fn ask_block(&mut self, fitted: Fitted, needed: u64) -> BlockRequest {
        let size = self.next_size(fitted.size, needed);
        self.live.block_needed();
        self.books.block_asked(size);
        let claim = self.claim(&fitted, needed);
        self.ask(Some(fitted), size, needed, Some(claim))
    }

    pub(super) fn ask_dedicated(&mut self, fitted: Fitted) -> BlockRequest {
        self.ask(Some(fitted), fitted.requested, fitted.requested, None)
    }

    /// Asks for a memory object: one that others may share, of which the request claims so much, or
    /// a dedicated one.
    fn ask(
        &mut self,
        fitted: Option<Fitted>,
        size: u64,
        needed: u64,
        claim: Option<u64>,
    ) -> BlockRequest {
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

    /// Gives back a block when more is retained than the policy allows; [`free`](Self::free) does so by
    /// itself, [`end_lease`](Self::end_lease) does not.
    #[must_use = "the memory object is to be freed, and its bytes taken out of the books"]
    pub fn shed(&mut self) -> Option<ReturnedBlock> {
        let retention = self.config.retention;
        let of_live = self.live.peak().checked_div(retention.live_divisor).unwrap_or(0);
        let retained = self.books.retained();
        let allowed = retention.floor_bytes.max(of_live);
        if retained <= allowed || self.is_at_minimum() {
            return None;
        }
        // Who asked for nothing to be kept gets what was asked for.
        let may_learn = allowed > 0;
        if may_learn && retained <= self.live.worth_keeping() {
            return None;
        }
        // What is retained may be another pool's.
        let block = self.trim()?;
        if may_learn {
            self.live.block_goes(retained);
        }
        Some(block)
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
        let budgets = Arc::as_ptr(&self.budgets).addr();
        ReturnedBlock { id, slot, heap_index, size, dedicated, lease, budgets }
    }
}

//! The blocks of one memory type and class.
//!
//! Basic design: a request is first rounded as granularity and atom want it. Above a threshold it
//! gets a memory object of its own, unless a block has room anyway. Else a few blocks that may hold it are asked, the oldest first
//! and empty ones last, so that others can empty and be given back. If none has room, a block that is
//! on its way may have; else a new one is asked for. The pool never learns how its owner gets one.

mod arrivals;
mod blocks;
#[cfg(test)]
mod bounded;
mod evicting;
mod fit;
#[cfg(test)]
mod forged;
mod freeing;
mod lease;
mod placing;
#[cfg(test)]
mod refusals;
mod usual;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;

pub use self::evicting::PoolEviction;
use self::fit::{Fit, fit, fit_carved};
pub use self::lease::Lease;
use self::usual::Usual;
use crate::block::Block;
use crate::growth::Growth;
use crate::live::Live;
use crate::pending::PendingBlocks;
use crate::search::BlockIndex;
use crate::slots::Slots;
use crate::way::InRow;
use crate::{
    Answer, BlockId, BlockReport, ConfigError, CustomFault, HeapBudgets, LiveAllocation, Place,
    PoolBooks, PoolConfig, PoolRequest, PoolStats, RequestError, Ticket,
};

/// The blocks and dedicated memory objects of one memory type and class.
///
/// See the [crate's front page](crate) for the protocol.
///
/// On every error the pool is as it was.
#[derive(Debug)]
pub struct MemoryPool {
    usual: Usual,
    live: Live,
    config: PoolConfig,
    budgets: Arc<HeapBudgets>,
    books: Arc<PoolBooks>,
    blocks: Slots<Block>,
    /// The names of `blocks`.
    ids: BTreeSet<BlockId>,
    /// The carved ones among `blocks`, by what they can still serve.
    index: BlockIndex,
    pending: PendingBlocks,
    /// Equals the sums over `blocks` at all times, leases of both kinds included, but for what is live.
    stats: PoolStats,
    /// Bytes that other pools carve up, by slot and offset.
    lent: BTreeMap<(u32, u64), u64>,
    lent_size: u64,
    /// Those of `blocks` that are leases, and their bytes; and of these, the empty ones.
    borrowed_count: u32,
    borrowed_size: u64,
    borrowed_empty: (u32, u64),
    growth: Growth,
    /// A wrong answer of the pool's own algorithm that the next request to find no room is told of.
    fault: Option<CustomFault>,
}

impl MemoryPool {
    /// An empty pool.
    ///
    /// `books` are shared with the other pools of this memory type and class, if there are any.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the field of `config` that breaks its rule, or the heap that `budgets`
    /// does not know.
    pub fn new(
        config: PoolConfig,
        budgets: Arc<HeapBudgets>,
        books: Arc<PoolBooks>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let heap_count = budgets.heap_count();
        if config.heap_index >= heap_count {
            return Err(ConfigError::NoSuchHeap { heap_index: config.heap_index, heap_count });
        }
        Ok(Self {
            usual: Usual::new(&config),
            live: Live::default(),
            config,
            budgets,
            books,
            blocks: Slots::new(),
            ids: BTreeSet::new(),
            index: BlockIndex::new(),
            pending: PendingBlocks::default(),
            stats: PoolStats::default(),
            lent: BTreeMap::new(),
            lent_size: 0,
            borrowed_count: 0,
            borrowed_size: 0,
            borrowed_empty: (0, 0),
            growth: Growth::default(),
            fault: None,
        })
    }

    /// Answers a request: a place, a block to be made, or a block to wait for.
    ///
    /// # Errors
    ///
    /// - [`RequestError::ZeroSize`], [`RequestError::AlignmentNotPowerOfTwo`]: the request makes no
    ///   sense.
    /// - [`RequestError::LargerThanBlock`]: dedicated memory was ruled out and no block of this pool
    ///   will ever be large enough.
    /// - [`RequestError::DedicatedNotAllowed`], [`RequestError::NoUpperEnd`]: the pool has no such memory.
    /// - [`RequestError::PoolFull`]: it may have no further block.
    /// - [`RequestError::WrongAnswer`]: its own algorithm has answered wrongly.
    ///
    /// # Complexity
    ///
    /// At most [`MAX_BLOCKS_ASKED`](Self::MAX_BLOCKS_ASKED) blocks are asked, each at the suballocator's
    /// own cost: no walk over all of them.
    pub fn allocate(&mut self, request: &PoolRequest) -> Result<Answer, RequestError> {
        let (fitted, needed) = match fit(&self.config, request)? {
            Fit::Dedicated(fitted) => return Ok(Answer::NeedBlock(self.ask_dedicated(fitted))),
            Fit::Either { whole, fitted, needed } => {
                let place = self.place(&fitted, needed).map(Answer::Placed);
                return Ok(place.unwrap_or_else(|| Answer::NeedBlock(self.ask_dedicated(whole))));
            }
            Fit::Carved { fitted, needed } => (fitted, needed),
        };
        if let Some(place) = self.place(&fitted, needed) {
            return Ok(Answer::Placed(place));
        }
        if let Some(fault) = self.fault.take() {
            return Err(fault.into());
        }
        let claim = self.claim(&fitted, needed);
        if let Some(ticket) = self.pending.promise(claim) {
            return Ok(Answer::Pending(ticket));
        }
        self.check_block_count()?;
        Ok(Answer::NeedBlock(self.ask_block(fitted, needed)))
    }

    /// Takes room in a block that exists, or `None`, and no block is asked for or waited for. `None`
    /// also for requests that would be refused or dedicated.
    ///
    /// # Complexity
    ///
    /// That of [`allocate`](Self::allocate).
    pub fn allocate_placed(&mut self, request: &PoolRequest) -> Option<Place> {
        let (fitted, needed) = fit_carved(&self.config, request)?;
        self.place(&fitted, needed)
    }

    /// Takes room in the block of [two tiers](crate::Algorithm::TwoTier) that most likely has it, or `None`: then
    /// [`allocate`](Self::allocate) says what there is to do. The way of nearly every request, and
    /// shorter than that. In pools of other algorithms always `None`.
    ///
    /// # Complexity
    ///
    /// One block is asked.
    // Always, or its answer would be written to memory and read from there.
    #[inline(always)]
    pub fn allocate_at_once(&mut self, request: &PoolRequest) -> Option<Place> {
        self.place_usual(request)
    }

    /// [`allocate_at_once`](Self::allocate_at_once) in a pool of any algorithm; the shortest way where it is
    /// [linear](crate::Algorithm::Linear).
    ///
    /// # Complexity
    ///
    /// One block is asked.
    // Always, as above.
    #[inline(always)]
    pub fn allocate_in_row(&mut self, request: &PoolRequest) -> Option<Place> {
        let (fitted, needed) = fit_carved(&self.config, request)?;
        self.place_first::<InRow>(&fitted, needed)
    }

    /// Whether the block that `ticket` names is still on its way.
    #[must_use]
    pub fn is_pending(&self, ticket: Ticket) -> bool {
        self.pending.contains(ticket)
    }

    /// Exact counts of this moment. O(1).
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let lent_count = self.lent.len() as u64;
        let (empty_count, empty_size) = self.borrowed_empty;
        PoolStats {
            block_count: self.stats.block_count - self.borrowed_count,
            total_size: self.stats.total_size - self.borrowed_size,
            used_size: self.live.used_size() - self.lent_size,
            requested_size: self.live.requested_size() - self.lent_size,
            allocation_count: self.live.allocation_count() - lent_count,
            retained_count: self.stats.retained_count - empty_count,
            retained_size: self.stats.retained_size - empty_size,
            lent_size: self.lent_size,
            borrowed_size: self.borrowed_size,
            ..self.stats
        }
    }

    /// The configuration it was made with.
    #[must_use]
    pub fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// One more than the highest slot that a block ever had.
    #[must_use]
    pub fn slot_count(&self) -> usize {
        self.blocks.len()
    }

    /// Every memory object, by slot.
    pub fn blocks(&self) -> impl Iterator<Item = BlockReport> + '_ {
        self.blocks.iter().map(|(slot, block)| block.report(slot))
    }

    /// Every live allocation, by slot and then by offset; what is lent is none.
    pub fn live(&self) -> impl Iterator<Item = LiveAllocation> + '_ {
        let pieces = self.blocks.iter().flat_map(|(slot, block)| block.live(slot));
        pieces.filter(|live| !self.lent.contains_key(&(live.slot, live.offset)))
    }
}

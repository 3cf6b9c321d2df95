//! Which blocks are asked for a request, and in which order: no walk over all of them.
//!
//! Basic design: blocks in use hang in lists by the bin of their largest free piece, so the first list
//! that may hold a request is found in a bitmap. A few blocks from there on are asked, the tightest
//! first, so that full blocks fill up and others can empty; if none of them has room at the right
//! alignment, one whose largest piece is enough with the worst padding is. Small requests look first
//! among the blocks that have room in a span. Empty blocks come last, the smallest that is enough.
//!
//! Linear blocks all hang in one list, as the newest one is meant to be filled and left: the few that
//! were taken into use last are asked, the last one first.

use smallvec::SmallVec;

use crate::answer::Fitted;
use crate::block::Block;
use crate::buckets::Buckets;
use crate::rounding::units_of;
use crate::suballocator::Rooms;
use crate::tlsf::bins::{BIN_COUNT, bin_of, first_bin_all_at_least};
use crate::two_tier::{LARGEST_SPAN, is_small, search_order};
use crate::{Algorithm, PoolConfig, Suballocator};

/// How many blocks that may hold a request are asked before one that surely does.
pub(crate) const BLOCKS_LOOKED_AT: usize = 4;

/// Blocks to ask, in order.
pub(crate) type Candidates = SmallVec<[u32; 2 * BLOCKS_LOOKED_AT + 3]>;

/// The carved blocks of a pool, by what they can still serve.
#[derive(Debug)]
pub(crate) struct BlockIndex {
    /// Blocks in use, by the bin of their largest free piece.
    rooms: Buckets<BIN_COUNT>,
    /// Blocks in use, by the largest order of which a span has a free block.
    small_rooms: Buckets<64>,
    /// Empty blocks, by log2 of their size.
    empty: Buckets<64>,
}

/// Where a request looks for blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    /// The order in a span, for a small request.
    small: Option<usize>,
    /// The first bin that may hold it.
    from: usize,
    /// The first bin that surely holds it.
    sure: usize,
}

impl Search {
    pub(crate) fn of(config: &PoolConfig, fitted: &Fitted, needed: u64) -> Self {
        let unit = config.min_allocation_size;
        // Beyond 32 bits of units no block is large enough, and the highest bin says so.
        let units = |bytes: u64| u32::try_from(units_of(bytes, unit)).unwrap_or(u32::MAX);
        match &config.algorithm {
            Algorithm::Buddy => {
                let bin = bin_of(units(needed));
                Self { small: None, from: bin, sure: bin }
            }
            // One list, by age.
            Algorithm::Linear(_) => Self { small: None, from: 0, sure: 0 },
            algorithm => {
                let padding = units(fitted.alignment).saturating_sub(1);
                let small = matches!(algorithm, Algorithm::TwoTier)
                    && is_small(fitted.size, fitted.alignment);
                Self {
                    small: small.then(|| search_order(fitted.size, fitted.alignment, unit)),
                    from: bin_of(units(fitted.size)),
                    sure: first_bin_all_at_least(units(fitted.size).saturating_add(padding)),
                }
            }
        }
    }
}

/// The block that most likely has room: the first of [`BlockIndex::candidates`] that are in use.
#[inline]
pub(crate) fn first_choice(
    index: &BlockIndex,
    config: &PoolConfig,
    fitted: &Fitted,
    needed: u64,
) -> Option<u32> {
    let unit = config.min_allocation_size;
    let small = matches!(config.algorithm, Algorithm::TwoTier);
    if small && is_small(fitted.size, fitted.alignment) {
        let order = search_order(fitted.size, fitted.alignment, unit);
        if let Some(slot) = index.small_rooms.first_from(order) {
            return Some(slot);
        }
    }
    let size = if matches!(config.algorithm, Algorithm::Buddy) { needed } else { fitted.size };
    let units = u32::try_from(units_of(size, unit)).unwrap_or(u32::MAX);
    index.rooms.first_from(bin_of(units))
}

impl BlockIndex {
    pub(crate) fn new() -> Self {
        Self { rooms: Buckets::new(), small_rooms: Buckets::new(), empty: Buckets::new() }
    }

    /// [`update`](Self::update) of a block that was in use, and known here, and is in use still.
    #[inline(never)]
    pub(crate) fn update_used(&mut self, slot: u32, rooms: Rooms) {
        self.rooms.put(slot, rooms.bin());
        self.small_rooms.put(slot, rooms.order());
    }

    /// Puts a block where it belongs now; `None` takes it out.
    pub(crate) fn update(&mut self, slot: u32, block: Option<&Block>) {
        let count = slot as usize + 1;
        self.rooms.grow(count);
        self.small_rooms.grow(count);
        self.empty.grow(count);
        let empty = block.filter(|block| block.is_empty());
        let used = block.filter(|block| !block.is_empty()).and_then(Block::suballocator);
        let rooms = used.map_or(Rooms::default(), Suballocator::rooms);
        self.rooms.put(slot, rooms.bin());
        self.small_rooms.put(slot, rooms.order());
        // Below 64.
        self.empty.put(slot, empty.map(|block| block.size.ilog2().to_le_bytes()[0]));
    }

    /// The blocks to ask, in order: at most `2 * BLOCKS_LOOKED_AT + 3`.
    pub(crate) fn candidates(
        &self,
        search: Search,
        needed: u64,
        unit: u64,
    ) -> impl Iterator<Item = u32> + '_ {
        let Search { small, from, sure } = search;
        let in_span = small.and_then(|order| self.small_rooms.first_from(order));
        // A small request that needs a span of its own looks for room for one.
        let span = bin_of(u32::try_from(LARGEST_SPAN / unit).unwrap_or(u32::MAX));
        let for_span = small.into_iter().flat_map(move |_| self.some_from(span.max(from)));
        let sure = self.rooms.first_from(sure);
        // Log2 rounded up: every block of that list is large enough.
        let large = needed.checked_next_power_of_two().map(|size| size.ilog2() as usize);
        let empty = large.and_then(|log| self.empty.first_from(log));
        in_span.into_iter().chain(for_span).chain(self.some_from(from)).chain(sure).chain(empty)
    }

    /// The largest empty block; of several, the one that emptied last.
    pub(crate) fn largest_empty(&self) -> Option<u32> {
        self.empty.head(self.empty.highest()?)
    }

    fn some_from(&self, bin: usize) -> impl Iterator<Item = u32> + '_ {
        let first = self.rooms.first_from(bin);
        core::iter::successors(first, |&slot| self.rooms.next(slot)).take(BLOCKS_LOOKED_AT)
    }
}

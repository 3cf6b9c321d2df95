//! Which blocks are asked for a request, and in which order: no walk over all of them.
//!
//! Basic design: a byte for each block in use, the bin of its largest free piece, is kept in a tree by
//! slot, so the oldest block that may hold a request is found without a walk. It and a few from there on
//! are asked, oldest first, so that old blocks fill up and young ones can empty; if none of them has room
//! at the right alignment, the oldest whose largest piece is enough with the worst padding is. That one
//! is asked first where the alignment is not small beside the size, as a hole that may do mostly misses
//! there, and where the size is small, as nothing is won; to find out costs as much as placing. Small
//! requests look first among the blocks that have room in a span, which hang in lists by the order that
//! they have free. If all have refused, some are asked that keep room for others: a span that is empty,
//! runs that nobody uses, neighbours among smaller pieces. Empty blocks come last, the smallest that is enough.
//!
//! A slot is used again when its block has gone, so age is meant by slot and not by time; what matters
//! is that the same blocks come first whenever they have room.
//!
//! Linear blocks are the other way round, as the newest one is meant to be filled and left: they hang in
//! one list, and the few that were taken into use last are asked, the last one first.

use core::hint::select_unpredictable;

use crate::answer::Fitted;
use crate::block::Block;
use crate::buckets::Buckets;
use crate::oldest::Oldest;
use crate::rounding::units_of;
use crate::suballocator::Rooms;
use crate::tlsf::bins::{BIN_COUNT, Bins, bin_of, first_bin_all_at_least};
use crate::two_tier::{SMALL_LIMIT, is_small, order_of_span, search_order};
use crate::{Algorithm, PoolConfig, Suballocator};

/// How many blocks with room for a span, how many of the newest, how many that keep room for others and how
/// many empty ones are asked.
pub(crate) const BLOCKS_LOOKED_AT: usize = 4;

/// How many blocks that may hold a request are asked behind the first choice. A third one has room so
/// seldom that leaving it out changes nothing in what programs commit.
pub(crate) const OTHERS_LOOKED_AT: usize = 2;

/// The most blocks that are asked for one request behind the first choice: one with room in a span, some
/// with room for a span, others that may hold it and one that surely does, some that keep room for other
/// requests, and empty ones.
pub(crate) const MAX_CANDIDATES: usize = 3 * BLOCKS_LOOKED_AT + OTHERS_LOOKED_AT + 3;

/// A request of at most this many times its alignment, or of [`SMALL_LIMIT`], goes where it surely fits.
/// Beyond that the worst padding is less than the width of a bin, and what counts is that holes of the
/// same size are filled again.
const SURE_UP_TO: u64 = 8;

/// The carved blocks of a pool, by what they can still serve.
#[derive(Debug)]
pub(crate) struct BlockIndex {
    /// The bin of the largest free piece of each block in use; 0, which is no piece's, for the others.
    pub(crate) rooms: Oldest,
    /// Blocks in use, by the largest order of which a span surely has a piece.
    pub(crate) small_rooms: Buckets<64>,
    /// Empty blocks, by the bin of the one piece that they are.
    pub(crate) empty: Buckets<BIN_COUNT>,
}

/// Where a request looks for blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    /// The order in a span, for a small request.
    pub(crate) small: Option<usize>,
    /// Whether blocks are asked by when they were taken into use, and nothing else counts.
    pub(crate) by_age: bool,
    /// The first bin that may hold it.
    pub(crate) from: u8,
    /// The first bin that surely holds it.
    pub(crate) sure: u8,
    /// The first choice, which was asked before, and how many others may be asked that may hold it.
    pub(crate) asked: Option<u32>,
    pub(crate) others: usize,
    pub(crate) kept: Kept,
}

/// Which blocks of two tiers may have room that they keep for others, before an empty one is taken into use:
/// they give it up when they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// None.
    Nowhere,
    /// Those that surely have pieces of lower orders than this alone: there may be neighbours among them, or runs
    /// that nobody uses.
    Below(usize),
    /// Those in which a span of this order, or a higher one, is whole, and so is kept empty.
    From(usize),
}

impl Kept {
    fn of(config: &PoolConfig, small: Option<usize>) -> Self {
        let whole = || order_of_span(config.largest_block_size, config.min_allocation_size);
        match (&config.algorithm, small) {
            (Algorithm::TwoTier, Some(order)) => Self::Below(order),
            (Algorithm::TwoTier, None) => whole().map_or(Self::Nowhere, Self::From),
            _ => Self::Nowhere,
        }
    }
}

impl Search {
    /// The search behind `asked`, the first choice, in which there was no room.
    pub(crate) fn behind(
        asked: Option<u32>,
        config: &PoolConfig,
        fitted: &Fitted,
        needed: u64,
    ) -> Self {
        let unit = config.min_allocation_size;
        // Beyond 32 bits of units no block is large enough, and the highest bin says so.
        let units = |bytes: u64| u32::try_from(units_of(bytes, unit)).unwrap_or(u32::MAX);
        let (by_age, others) = (false, OTHERS_LOOKED_AT);
        match &config.algorithm {
            Algorithm::Buddy => {
                let bin = byte(bin_of(units(needed)));
                Self {
                    small: None,
                    by_age,
                    from: bin,
                    sure: bin,
                    asked,
                    others,
                    kept: Kept::Nowhere,
                }
            }
            Algorithm::Linear(_) => {
                let (from, sure) = (u8::MAX, u8::MAX);
                Self { small: None, by_age: true, from, sure, asked, others, kept: Kept::Nowhere }
            }
            algorithm @ (Algorithm::TwoTier | Algorithm::Tlsf | Algorithm::Custom(_)) => {
                let padding = units(fitted.alignment).saturating_sub(1);
                let small = matches!(algorithm, Algorithm::TwoTier)
                    && is_small(fitted.size, fitted.alignment, unit);
                let small = small.then(|| search_order(fitted.size, fitted.alignment, unit));
                Self {
                    small,
                    by_age,
                    from: byte(bin_of(units(fitted.size))),
                    sure: byte(first_bin_all_at_least(units(fitted.size).saturating_add(padding))),
                    asked,
                    others: if goes_where_sure(config, fitted) { 1 } else { others },
                    kept: Kept::of(config, small),
                }
            }
        }
    }
}

/// Whether the request goes first where it surely fits: if the alignment is so large beside the size that
/// a piece which may hold it mostly does not, and if it is small, as no memory is won by a tight fit then.
/// Not where a custom algorithm carves: what it has room for is not known.
#[inline]
fn goes_where_sure(config: &PoolConfig, fitted: &Fitted) -> bool {
    is_better_sure(fitted.size, fitted.alignment)
        && matches!(config.algorithm, Algorithm::TwoTier | Algorithm::Tlsf)
}

/// [`goes_where_sure`] in blocks of a segregated fit.
#[inline(always)]
pub(crate) fn is_better_sure(size: u64, alignment: u64) -> bool {
    size / SURE_UP_TO <= alignment.max(SMALL_LIMIT)
}

/// The block that most likely has room.
//
// Always: the fields of the request are in registers where it is asked.
#[inline(always)]
pub(crate) fn first_choice(
    index: &BlockIndex,
    config: &PoolConfig,
    fitted: &Fitted,
    needed: u64,
) -> Option<u32> {
    let unit = config.min_allocation_size;
    let small = matches!(config.algorithm, Algorithm::TwoTier);
    if small && is_small(fitted.size, fitted.alignment, unit) {
        let order = search_order(fitted.size, fitted.alignment, unit);
        if let Some(slot) = index.small_rooms.first_from(order) {
            return Some(slot);
        }
    }
    let size = match config.algorithm {
        Algorithm::Buddy => needed,
        Algorithm::Linear(_) => return index.small_rooms.first_from(0),
        _ => fitted.size,
    };
    let is_sure = goes_where_sure(config, fitted);
    // No underflow, and whole units.
    let padding = if is_sure { fitted.alignment.max(unit) - unit } else { 0 };
    let units = u32::try_from(units_of(size.saturating_add(padding), unit)).unwrap_or(u32::MAX);
    let bin = if is_sure { first_bin_all_at_least(units) } else { bin_of(units) };
    index.rooms.first(byte(bin))
}

/// A bin as it is kept: there are fewer than 256.
#[inline]
pub(crate) fn byte(bin: usize) -> u8 {
    bin.to_le_bytes()[0]
}

impl BlockIndex {
    pub(crate) fn new() -> Self {
        Self { rooms: Oldest::default(), small_rooms: Buckets::new(), empty: Buckets::new() }
    }

    /// [`update`](Self::update) of a block that was in use, and known here to have had the first rooms, and is
    /// in use still.
    #[inline(never)]
    pub(crate) fn update_used(&mut self, slot: u32, known: Rooms, rooms: Rooms) {
        // Where small pieces come and go the largest one stays, and the other way round.
        if known.large != rooms.large {
            self.rooms.set(slot, rooms.large);
        }
        if known.small != rooms.small {
            self.small_rooms.put(slot, rooms.order());
        }
    }

    /// Whether an empty block surely has so many bytes, in units of `unit` bytes.
    pub(crate) fn has_empty(&self, needed: u64, unit: u64) -> bool {
        let units = u32::try_from(units_of(needed, unit)).unwrap_or(u32::MAX);
        self.empty.first_from(first_bin_all_at_least(units)).is_some()
    }

    /// Puts down that the largest free piece of a block in use is of a higher bin now.
    #[inline(never)]
    pub(crate) fn large_raised(&mut self, slot: u32, large: u8) {
        self.rooms.raise(slot, large);
    }

    /// Puts down that the largest free piece of a block in use is of a lower bin now.
    #[inline(never)]
    pub(crate) fn large_lowered(&mut self, slot: u32, large: u8) {
        self.rooms.lower(slot, large);
    }

    /// Puts a block where it belongs now; `None` takes it out.
    pub(crate) fn update(&mut self, slot: u32, block: Option<&Block>) {
        let count = slot as usize + 1;
        self.rooms.grow(count);
        self.small_rooms.grow(count);
        self.empty.grow(count);
        let rooms = block.and_then(Block::suballocator).map(Suballocator::rooms);
        let is_empty = block.is_some_and(Block::is_empty);
        let used = rooms.filter(|_| !is_empty).unwrap_or_default();
        self.rooms.set(slot, used.large);
        self.small_rooms.put(slot, used.order());
        self.empty.put(slot, rooms.filter(|_| is_empty).map(|rooms| rooms.large));
    }

    /// A block with a span that has a piece of this order free.
    #[inline(always)]
    pub(crate) fn with_order(&self, order: u32) -> Option<u32> {
        self.small_rooms.first_from(order as usize)
    }

    /// The oldest block in use with room for so many units at a multiple of `alignment` units, where blocks
    /// are carved by segregated fit: which surely has it, or else which may have it. `bins` are those of
    /// `units`.
    #[inline(always)]
    pub(crate) fn first_for(
        &self,
        units: u32,
        alignment: u32,
        bins: Bins,
        is_sure: bool,
    ) -> Option<u32> {
        let sure = match alignment {
            0 | 1 => bins.sure,
            // With the worst padding.
            _ => first_bin_all_at_least(units.saturating_add(alignment - 1)),
        };
        // Nobody can guess which.
        self.rooms.first(byte(select_unpredictable(is_sure, sure, bins.own)))
    }

    /// Moves a block in use whose rooms in spans have changed.
    #[inline(never)]
    pub(crate) fn small_changed(&mut self, slot: u32, small: u8) {
        self.small_rooms.put(slot, small.checked_sub(1));
    }

    /// One of the largest empty blocks: none is an eighth larger. Of several, the one that emptied last.
    pub(crate) fn largest_empty(&self) -> Option<u32> {
        self.empty.head(self.empty.highest()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_with_a_large_alignment_goes_first_where_it_surely_fits() {
        let mut index = BlockIndex::new();
        // 640 and 1270 KiB, in units of 256 bytes.
        for (slot, units) in [(0, 2560), (1, 5080)] {
            index.update(slot, None);
            let rooms = Rooms { large: byte(bin_of(units)), small: 0 };
            index.update_used(slot, Rooms::default(), rooms);
        }
        let config = PoolConfig::default();
        let first = |size, alignment| {
            let fitted = Fitted { requested: size, size, alignment, upper: false };
            first_choice(&index, &config, &fitted, size)
        };
        assert_eq!(first(639 << 10, 256), Some(0), "it is large, and its hole may be there");
        assert_eq!(first(639 << 10, 64 << 10), Some(0), "the padding is less than a bin is wide");
        assert_eq!(first(639 << 10, 128 << 10), Some(1));
        assert_eq!(first(639 << 10, 1 << 20), None, "no block surely holds it");
    }
}

//! The blocks that are asked behind the first choice, one after the other.

use crate::rounding::units_of;
use crate::search::{BLOCKS_LOOKED_AT, BlockIndex, Kept, OTHERS_LOOKED_AT, Search, byte};
use crate::tlsf::bins::{bin_of, first_bin_all_at_least};
use crate::two_tier::largest_span;

/// Finds the blocks to ask, at most [`MAX_CANDIDATES`](crate::search::MAX_CANDIDATES) of them.
///
/// Each is looked for when those before it had no room, as mostly the first one has; what was asked
/// before may have changed the index meanwhile.
pub(crate) struct Candidates {
    search: Search,
    /// Units of a block that is large enough.
    needed: u32,
    /// The bin of a span.
    span: u8,
    stage: Stage,
    /// Blocks of this stage that were looked at, the last of them, and how many of them were new.
    looked_at: usize,
    last: u32,
    new: usize,
    /// Those that may hold it and were asked.
    others: [Option<u32>; OTHERS_LOOKED_AT],
}

/// What is asked, in this order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A block with room in a span.
    InSpan,
    /// Those that were taken into use last.
    Newest,
    /// Some with room for a span.
    ForSpan,
    /// The oldest that may hold it.
    MayHold,
    /// The oldest that surely does.
    Sure,
    /// Some that keep room for others.
    Keeping,
    /// Empty ones of the bin of what is needed, which may be smaller, and of those above.
    Empty,
    /// An empty one that is large enough.
    LargeEmpty,
    Over,
}

impl Candidates {
    /// The search goes on behind its first choice; empty blocks have at least `needed` bytes, in units of
    /// `unit` bytes.
    pub(crate) fn new(search: Search, needed: u64, unit: u64) -> Self {
        let units = |bytes: u64| u32::try_from(units_of(bytes, unit)).unwrap_or(u32::MAX);
        Self {
            search,
            needed: units(needed),
            span: byte(bin_of(units(largest_span(unit)))),
            stage: Stage::InSpan,
            looked_at: 0,
            last: 0,
            new: 0,
            others: [None; OTHERS_LOOKED_AT],
        }
    }

    /// The next block to ask.
    pub(crate) fn next(&mut self, index: &BlockIndex) -> Option<u32> {
        while self.stage != Stage::Over {
            let Some(slot) = self.of_stage(index) else {
                self.stage = self.stage.next();
                (self.looked_at, self.new) = (0, 0);
                continue;
            };
            (self.last, self.looked_at) = (slot, self.looked_at + 1);
            let is_known = self.others.contains(&Some(slot)) && self.stage == Stage::Sure;
            if Some(slot) == self.search.asked || is_known {
                continue;
            }
            if self.stage == Stage::MayHold {
                self.others[self.new % OTHERS_LOOKED_AT] = Some(slot);
            }
            self.new += 1;
            return Some(slot);
        }
        None
    }

    /// The next block of this stage, if it has one.
    fn of_stage(&self, index: &BlockIndex) -> Option<u32> {
        let Search { small, by_age, from, sure, others, kept, .. } = self.search;
        let is_first = self.looked_at == 0;
        let may_go_on = self.looked_at < BLOCKS_LOOKED_AT;
        let room = |bin: u8| match is_first {
            true => index.rooms.first(bin),
            false => index.rooms.next(self.last, bin),
        };
        match self.stage {
            Stage::InSpan if is_first => index.small_rooms.first_from(small?),
            Stage::Newest if by_age && is_first => index.small_rooms.first_from(0),
            Stage::Newest if by_age && may_go_on => index.small_rooms.next(self.last),
            // A small request that needs a span of its own looks for room for one.
            Stage::ForSpan if small.is_some() && may_go_on => room(self.span.max(from)),
            Stage::MayHold if may_go_on && self.new < others => room(from),
            Stage::Sure if is_first => index.rooms.first(sure),
            Stage::Keeping if may_go_on => match kept {
                Kept::Nowhere => None,
                Kept::Below(order) if is_first => index.small_rooms.first_below(order),
                Kept::Below(_) => index.small_rooms.next_below(self.last),
                Kept::From(order) if is_first => index.small_rooms.first_from(order),
                Kept::From(_) => index.small_rooms.next(self.last),
            },
            Stage::Empty if is_first => index.empty.first_from(bin_of(self.needed)),
            Stage::Empty if may_go_on => index.empty.next(self.last),
            // Every block of that list is large enough.
            Stage::LargeEmpty if is_first => {
                index.empty.first_from(first_bin_all_at_least(self.needed))
            }
            _ => None,
        }
    }
}

impl Stage {
    fn next(self) -> Self {
        match self {
            Self::InSpan => Self::Newest,
            Self::Newest => Self::ForSpan,
            Self::ForSpan => Self::MayHold,
            Self::MayHold => Self::Sure,
            Self::Sure => Self::Keeping,
            Self::Keeping => Self::Empty,
            Self::Empty => Self::LargeEmpty,
            Self::LargeEmpty | Self::Over => Self::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::search::MAX_CANDIDATES;
    use crate::suballocator::Rooms;

    fn asked_by(index: &BlockIndex, search: Search) -> Vec<u32> {
        let mut candidates = Candidates::new(search, 1 << 30, 256);
        core::iter::from_fn(|| candidates.next(index)).collect()
    }

    #[test]
    fn no_more_blocks_are_asked_however_many_there_are() {
        for count in [1, 10, 100, 1000, 4096] {
            let mut index = BlockIndex::new();
            for slot in 0..count {
                index.update(slot, None);
                index.update_used(slot, Rooms::default(), Rooms { large: 200, small: 5 });
            }
            // Each may hold it, and none surely does.
            let search = Search {
                small: Some(0),
                by_age: false,
                from: 200,
                sure: 201,
                asked: Some(0),
                others: OTHERS_LOOKED_AT,
                kept: Kept::From(0),
            };
            let asked: Vec<u32> = asked_by(&index, search);
            assert!(asked.len() <= MAX_CANDIDATES, "{} of {count}", asked.len());
            assert!(!asked.contains(&0), "the first choice is not asked twice");
            assert!(count == 1 || asked.contains(&1), "the oldest behind it is asked");
        }
    }

    #[test]
    fn the_oldest_block_with_room_is_the_first_choice() {
        let mut index = BlockIndex::new();
        for (slot, large) in [(0, 40), (1, 90), (2, 60), (3, 0)] {
            index.update(slot, None);
            index.update_used(slot, Rooms::default(), Rooms { large, small: 0 });
        }
        let search = |from, sure, asked| {
            let search = Search {
                small: None,
                by_age: false,
                from,
                sure,
                asked,
                others: 2,
                kept: Kept::Nowhere,
            };
            asked_by(&index, search)
        };
        assert_eq!(search(30, 61, Some(0)), [1, 2]);
        assert_eq!(search(30, 31, None), [0, 1]);
        assert_eq!(search(30, 61, None), [0, 1]);
        assert_eq!(search(30, 91, None), [0, 1]);
        assert_eq!(search(50, 61, Some(1)), [2]);
        assert_eq!(search(91, 92, None), []);
    }
}

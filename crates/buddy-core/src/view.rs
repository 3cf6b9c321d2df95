//! The bits of a region for those who only read them, and the region as if nothing waited.

use crate::bits::{bit, pair};
use crate::layout::{Layout, word_position};
use crate::storage::sealed::Words;
use crate::summary::Order;
use crate::waiting::Waiting;

/// The words of a region and where its orders lie in them.
pub(crate) struct Bits<'a, W: ?Sized> {
    pub(crate) words: &'a W,
    pub(crate) layout: &'a Layout,
    pub(crate) orders: &'a [Order],
}

impl<W: ?Sized> Clone for Bits<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W: ?Sized> Copy for Bits<'_, W> {}

impl<W: Words + ?Sized> Bits<'_, W> {
    /// The word that holds block `index` of `order`.
    #[inline]
    pub(crate) fn word(self, order: u32, index: u64) -> u64 {
        self.words.word(self.orders[order as usize].first_word + word_position(index))
    }

    /// The pair of block `index` of `order` and its buddy.
    #[inline]
    pub(crate) fn pair(self, order: u32, index: u64) -> u64 {
        pair(self.word(order, index), index)
    }

    /// Whether the bit of a block inside the region is set.
    #[inline]
    pub(crate) fn is_occupied(self, order: u32, index: u64) -> bool {
        self.word(order, index) & bit(index) != 0
    }

    /// Whether the pair of a block's children is not 00. A minimum block has none.
    #[inline]
    pub(crate) fn is_split(self, order: u32, index: u64) -> bool {
        order > 0 && self.pair(order - 1, index * 2) != 0
    }

    /// Whether a block inside the region is taken.
    #[inline]
    pub(crate) fn is_taken(self, order: u32, index: u64) -> bool {
        self.is_occupied(order, index) && !self.is_split(order, index)
    }

    /// The order of the free or taken block that starts with minimum block `position`, and
    /// whether it is taken. `None` only where the bits contradict themselves.
    ///
    /// The orders are climbed from 0 until the pair is not 00: the bits below a block that is
    /// not split are zero, so this is the block's own order. A block that starts at a position
    /// has all smaller blocks at that position inside the region, so no bit is read that is not
    /// there.
    pub(crate) fn block_at(self, position: u64) -> Option<(u32, bool)> {
        (0..=self.layout.top_order())
            .map(|order| (order, self.pair(order, position >> order)))
            .find(|&(_, pair)| pair != 0)
            .map(|(order, pair)| (order, (pair >> ((position >> order) & 1)) & 1 == 1))
    }

    /// What the waiting block would become if it were merged now, or `None` if nothing waits.
    #[inline]
    pub(crate) fn merged(self, waiting: Waiting) -> Option<Merged> {
        if waiting.is_none() {
            return None;
        }
        let (mut order, mut index) = (waiting.order, waiting.index(self.layout));
        // The block is occupied, so its buddy is free if it has the only bit of the pair. At the
        // end of an order the bit of the outside ends the walk.
        while self.pair(order, index) & !(1 << (index & 1)) == 0 {
            order += 1;
            index /= 2;
        }
        Some(Merged { order, index, merge_count: order - waiting.order })
    }
}

/// The free block that the waiting one would become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Merged {
    /// Its order.
    pub(crate) order: u32,
    /// Its index in the order.
    pub(crate) index: u64,
    /// How many merges that would take.
    pub(crate) merge_count: u32,
}

impl Merged {
    /// The minimum block it starts with.
    pub(crate) fn start(self) -> u64 {
        self.index << self.order
    }
}

//! Where the free blocks of an order are: layers of bits above the order's own words.
//!
//! Basic design: layer 1 has a bit for each word of the order, set iff the word has a free
//! block; each further layer has a bit for each word of the one below, set iff that is not zero.
//! The last layer is one word, the root, which lies beside the order's other numbers. A search
//! descends from there by lowest set bits, and never has to turn back, as all layers are exact
//! at all times.
//!
//! Every order of a region has the same number of layers, also where fewer would do, and an
//! update writes them all, also where nothing changes from some layer up. So no branch depends
//! on how full a word is or which order is at hand. In random churn such branches cannot be
//! predicted: updates that stop early took a tenth more time, and a remembered lower bound of
//! the first word with a free block, whose misses are such a branch too, up to a tenth more
//! (64 MiB of 256-byte blocks, on a Zen 5). How many layers there are is a parameter of the code,
//! 1 or 2 or read from the layout, so that it is asked once for an operation and not at each step.
//!
//! The count of free blocks says the same as the root about an order without any. It is there
//! because it is known at once, where the root waits for the words below it, and the search of
//! the next request waits for the mask of orders that follows from it.

use crate::bits::{bit, free_pairs};
use crate::layout::{Layout, MAX_LAYER_COUNT};
use crate::storage::sealed::Words;

/// Where an order lies in the words, and what is kept of it outside of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    /// Where its bits start.
    pub(crate) first_word: usize,
    /// Where its first layer of summaries starts, behind its bits.
    pub(crate) first_layer: usize,
    /// The last layer.
    pub(crate) root: u64,
    /// How many of its blocks are free.
    pub(crate) free_count: u64,
}

impl Order {
    /// The order in a region that is wholly free: its last block is free if its number is odd.
    pub(crate) const fn new(layout: &Layout, order: u32) -> Self {
        let first_word = layout.first_word(order);
        let first_layer = first_word + layout.order_word_count(order);
        let mut of_order = Self { first_word, first_layer, root: 0, free_count: 0 };
        of_order.reset(layout, order);
        of_order
    }

    /// Makes it that of a region that is wholly free.
    pub(crate) const fn reset(&mut self, layout: &Layout, order: u32) {
        let block_count = layout.order_block_count(order);
        self.free_count = block_count % 2;
        // Each layer, and the words themselves, take six binary digits of the index. At most
        // 36 digits, as `MAX_LAYER_COUNT` is 5.
        self.root = self.free_count << ((block_count >> (6 * (layout.layer_count() + 1))) % 64);
    }

    /// Occupies the lowest free block of this order, `order`, which has one. Returns its index,
    /// and 1 if the order has none left, otherwise 0.
    ///
    /// What was read on the way down is what is written on the way up: where a lowest set bit has
    /// to go, the number less 1 has it cleared, and all above it kept.
    #[inline(always)]
    pub(crate) fn take_lowest<const LAYERS: u32, W: Words>(
        &mut self,
        words: &mut W,
        layout: &Layout,
        order: u32,
    ) -> (u64, u64) {
        let top = self.root.trailing_zeros() as usize;
        let (index, empty) = match layout.layers::<LAYERS>() {
            1 => {
                let first = self.first_layer + top;
                let summary = words.word(first);
                let position = top * 64 + summary.trailing_zeros() as usize;
                let (index, empty) = occupy_lowest(words, self.first_word, position);
                let left = summary & summary.wrapping_sub(empty);
                *words.word_mut(first) = left;
                (index, u64::from(left == 0))
            }
            2 => {
                let second = self.second_layer(layout, order) + top;
                let above = words.word(second);
                let middle = top * 64 + above.trailing_zeros() as usize;
                let first = self.first_layer + middle;
                let summary = words.word(first);
                let position = middle * 64 + summary.trailing_zeros() as usize;
                let (index, empty) = occupy_lowest(words, self.first_word, position);
                let left = summary & summary.wrapping_sub(empty);
                *words.word_mut(first) = left;
                let left = above & above.wrapping_sub(u64::from(left == 0));
                *words.word_mut(second) = left;
                (index, u64::from(left == 0))
            }
            _ => {
                let position = self.lowest_word(words, layout, order);
                let (index, empty) = occupy_lowest(words, self.first_word, position);
                let (_, empty) = self.unmark_layers(words, layout, order, (position, empty));
                (index, empty)
            }
        };
        self.root &= self.root.wrapping_sub(empty);
        // Cannot underflow: the block that is not free any more was counted.
        self.free_count -= 1;
        (index, u64::from(self.free_count == 0))
    }

    /// Where the second layer of summaries starts.
    #[inline(always)]
    fn second_layer(&self, layout: &Layout, order: u32) -> usize {
        self.first_layer + layout.order_word_count(order).div_ceil(64)
    }

    /// The first word with a free block, counted from the order's first. There must be one.
    #[inline(never)]
    pub(crate) fn lowest_word<W: Words>(&self, words: &W, layout: &Layout, order: u32) -> usize {
        let layer_count = layout.layer_count() as usize;
        let mut starts = [0; MAX_LAYER_COUNT];
        let mut start = self.first_layer;
        let mut word_count = layout.order_word_count(order);
        for layer_start in &mut starts[..layer_count] {
            *layer_start = start;
            word_count = word_count.div_ceil(64);
            start += word_count;
        }
        let top = self.root.trailing_zeros() as usize;
        starts[..layer_count].iter().rev().fold(top, |position, layer_start| {
            position * 64 + words.word(layer_start + position).trailing_zeros() as usize
        })
    }

    /// Counts a free block in the word at `position` of this order, `order`.
    #[inline(always)]
    pub(crate) fn mark<const LAYERS: u32, W: Words>(
        &mut self,
        words: &mut W,
        layout: &Layout,
        order: u32,
        position: usize,
    ) {
        let top = match layout.layers::<LAYERS>() {
            1 => {
                *words.word_mut(self.first_layer + position / 64) |= 1 << (position % 64);
                position / 64
            }
            2 => {
                *words.word_mut(self.first_layer + position / 64) |= 1 << (position % 64);
                let position = position / 64;
                let second = self.second_layer(layout, order);
                *words.word_mut(second + position / 64) |= 1 << (position % 64);
                position / 64
            }
            _ => self.mark_layers(words, layout, order, position),
        };
        self.root |= 1 << (top % 64);
        self.free_count += 1;
    }

    /// [`mark`](Self::mark) for an order without any free block: what the layers hold is known
    /// to be zero, and is not read.
    #[inline(always)]
    pub(crate) fn mark_first<const LAYERS: u32, W: Words>(
        &mut self,
        words: &mut W,
        layout: &Layout,
        order: u32,
        position: usize,
    ) {
        let top = match layout.layers::<LAYERS>() {
            1 => {
                *words.word_mut(self.first_layer + position / 64) = 1 << (position % 64);
                position / 64
            }
            2 => {
                *words.word_mut(self.first_layer + position / 64) = 1 << (position % 64);
                let position = position / 64;
                let second = self.second_layer(layout, order);
                *words.word_mut(second + position / 64) = 1 << (position % 64);
                position / 64
            }
            _ => self.mark_layers(words, layout, order, position),
        };
        self.root = 1 << (top % 64);
        self.free_count = 1;
    }

    /// Sets the bit of a word in each layer. Returns its position in the last.
    ///
    /// Out of line, as the next: only regions of more than 2^24 minimum blocks come here, and in
    /// line the loops would cost the others registers.
    #[inline(never)]
    fn mark_layers<W: Words>(
        &self,
        words: &mut W,
        layout: &Layout,
        order: u32,
        mut position: usize,
    ) -> usize {
        let mut start = self.first_layer;
        let mut word_count = layout.order_word_count(order);
        for _ in 0..layout.layer_count() {
            *words.word_mut(start + position / 64) |= 1 << (position % 64);
            position /= 64;
            word_count = word_count.div_ceil(64);
            start += word_count;
        }
        position
    }

    /// Counts a free block less in the word at `position` of this order, `order`, which has none
    /// left iff `is_empty`. Returns 1 if the order has none left, otherwise 0.
    #[inline(always)]
    pub(crate) fn unmark<const LAYERS: u32, W: Words>(
        &mut self,
        words: &mut W,
        layout: &Layout,
        order: u32,
        position: usize,
        is_empty: bool,
    ) -> u64 {
        // 0 or 1 and not `bool`, so that what follows is arithmetic and not a branch.
        let empty = u64::from(is_empty);
        let (top, empty) = match layout.layers::<LAYERS>() {
            1 => {
                let word = words.word_mut(self.first_layer + position / 64);
                *word -= empty << (position % 64);
                (position / 64, u64::from(*word == 0))
            }
            2 => {
                let word = words.word_mut(self.first_layer + position / 64);
                *word -= empty << (position % 64);
                let (position, empty) = (position / 64, u64::from(*word == 0));
                let second = self.second_layer(layout, order);
                let word = words.word_mut(second + position / 64);
                *word -= empty << (position % 64);
                (position / 64, u64::from(*word == 0))
            }
            _ => self.unmark_layers(words, layout, order, (position, empty)),
        };
        self.root -= empty << (top % 64);
        // Cannot underflow: the block that is not free any more was counted.
        self.free_count -= 1;
        u64::from(self.free_count == 0)
    }

    /// Clears the bit of a word, which is empty iff that is 1 and not 0, in the first layer, and
    /// in those above as far as they get empty. Returns its position in the last layer, and
    /// whether that is empty there.
    #[inline(never)]
    fn unmark_layers<W: Words>(
        &self,
        words: &mut W,
        layout: &Layout,
        order: u32,
        (mut position, mut empty): (usize, u64),
    ) -> (usize, u64) {
        let mut start = self.first_layer;
        let mut word_count = layout.order_word_count(order);
        for _ in 0..layout.layer_count() {
            let word = words.word_mut(start + position / 64);
            *word -= empty << (position % 64);
            empty = u64::from(*word == 0);
            position /= 64;
            word_count = word_count.div_ceil(64);
            start += word_count;
        }
        (position, empty)
    }
}

/// Occupies the lowest free block of the word at `position`, counted from the order's first,
/// which has one. Returns its index in its order, and 1 if the word has none left, otherwise 0.
#[inline(always)]
fn occupy_lowest<W: Words>(words: &mut W, first_word: usize, position: usize) -> (u64, u64) {
    let slot = words.word_mut(first_word + position);
    let word = *slot;
    let free = free_pairs(word);
    let low = u64::from(free.trailing_zeros());
    // The low block of the pair is the free one, unless its bit is set.
    let index_in_word = low + ((word >> low) & 1);
    *slot = word | bit(index_in_word);
    // The lowest pair is used up; the subtraction clears its bit, which is there.
    let empty = u64::from(free & (free - 1) == 0);
    (position as u64 * 64 + index_in_word, empty)
}

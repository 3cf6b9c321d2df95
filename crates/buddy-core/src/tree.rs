//! The exact state of a region: which blocks are free, split or taken.
//!
//! Basic design: every block of every order has one bit, *occupied*, which is two bits for each
//! minimum block. `bits.rs` says how pairs are read. With them, for a block `x`,
//!
//! - free(x)  = not occupied(x), and occupied(buddy(x)),
//! - split(x) = the pair of its children is not 00,
//! - taken(x) = occupied(x), and not split(x).
//!
//! Below a block that is not split all bits are zero. What lies outside the region is occupied
//! for ever: at the end of an order with an odd number of blocks this bit stands in for the last
//! one's buddy. It stops merges there, at the top order as at any other, so no operation asks
//! whether it has come to the end.
//!
//! Taking a block turns one pair into 11 and then, order by order, one pair 00 into 01: the left
//! half is split on, the right half is free. Giving a block back clears its bit: if the pair is
//! 00 then, both halves were free, and the walk goes on with the parent; otherwise the block is
//! free, and the walk ends.
//!
//! Where free blocks are is kept in the summaries, see `summary.rs`, and in `free_orders`.

mod resize;

pub(crate) use resize::Steps;

use crate::bits::{bit, free_pairs, pair};
use crate::layout::{ANY_LAYERS, Layout, ORDER_COUNT, word_position};
use crate::storage::sealed::Words;
use crate::summary::Order;
use crate::view::Bits;

/// Bits, summaries and mask of a region.
#[derive(Clone)]
pub(crate) struct Tree<S, const ORDERS: usize = ORDER_COUNT> {
    /// The words of all orders and summaries, placed as `layout` says.
    storage: S,
    /// The shape; never changes.
    layout: Layout,
    /// Bit `o` is set iff order `o` has a free block.
    free_orders: u64,
    /// Each order by itself. Those above the top order are never looked at.
    orders: [Order; ORDERS],
}

/// A block that was taken out of a free one.
pub(crate) struct Taken {
    /// Its index in its order.
    pub(crate) index: u64,
    /// How many splits made it.
    pub(crate) split_count: u32,
}

impl<S, const ORDERS: usize> Tree<S, ORDERS> {
    /// A region that is wholly free. `storage` has the layout's count of words, and they are as
    /// [`Words::reset`] leaves them.
    pub(crate) const fn new(storage: S, layout: Layout) -> Self {
        let (orders, free_orders) = (free_orders_of(&layout), layout.block_count());
        Self { storage, layout, free_orders, orders }
    }

    /// The shape of the region.
    #[inline]
    pub(crate) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The mask of orders that have a free block.
    #[inline]
    pub(crate) const fn free_orders(&self) -> u64 {
        self.free_orders
    }

    /// The words and the rest, for tests that plant faults.
    #[cfg(test)]
    pub(crate) fn parts_mut(&mut self) -> (&mut S, &mut u64, &mut [Order; ORDERS]) {
        (&mut self.storage, &mut self.free_orders, &mut self.orders)
    }
}

/// The orders of a region that is wholly free. It is cut into the largest blocks that fit, which
/// are the binary digits of its length; so the length is also the mask of orders with a block.
const fn free_orders_of<const ORDERS: usize>(layout: &Layout) -> [Order; ORDERS] {
    let mut orders = [Order { first_word: 0, first_layer: 0, root: 0, free_count: 0 }; ORDERS];
    let mut order = 0;
    while order <= layout.top_order() {
        orders[order as usize] = Order::new(layout, order);
        order += 1;
    }
    orders
}

impl<S: Words, const ORDERS: usize> Tree<S, ORDERS> {
    /// The words, for what only they know.
    #[inline]
    pub(crate) fn words(&self) -> &S {
        &self.storage
    }

    /// The words, for what is not the tree's.
    #[inline]
    pub(crate) fn words_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    /// Frees everything.
    pub(crate) fn reset(&mut self) {
        self.storage.reset(&self.layout);
        for (order, of_order) in (0..=self.layout.top_order()).zip(&mut self.orders) {
            of_order.reset(&self.layout, order);
        }
        self.free_orders = self.layout.block_count();
    }

    /// What readers need.
    #[inline]
    pub(crate) fn bits(&self) -> Bits<'_, S> {
        Bits { words: &self.storage, layout: &self.layout, orders: &self.orders }
    }

    /// Whether there is a free block of `order`, which is at most the top order, or above.
    #[inline]
    pub(crate) fn has_free(&self, order: u32) -> bool {
        self.free_orders >> order != 0
    }

    /// Makes all words writable that a [`take`](Self::take) and a trim to `length` minimum blocks
    /// write, and the word of the head if there is one. `false` if the host refuses the memory
    /// for that; what was prepared before is of no consequence.
    #[cold]
    pub(crate) fn prepare(&mut self, search_order: u32, length: u64) -> bool {
        let candidates = self.free_orders & (u64::MAX << search_order);
        let found_order = candidates.trailing_zeros();
        let state = &self.orders[found_order as usize];
        let position = state.lowest_word(&self.storage, &self.layout, found_order);
        let word = self.storage.word(state.first_word + position);
        let low = free_pairs(word).trailing_zeros();
        let index = position as u64 * 64 + u64::from(low) + ((word >> low) & 1);
        let start = index << found_order;
        let is_prepared = self.prepare_splits(found_order, start, length);
        let head_word = self.layout.first_head_word() + word_position(start);
        is_prepared && (!self.layout.trims() || self.storage.prepare(head_word))
    }

    /// Makes the words writable that are written when a block of `order` is split so that
    /// `start .. start + length`, which ends in it, ends with a piece. `false` if the host refuses.
    pub(crate) fn prepare_splits(&mut self, order: u32, start: u64, length: u64) -> bool {
        // The splits follow the last minimum block, down to the smallest piece.
        let last = start + length - 1;
        (length.trailing_zeros()..order).all(|lower| self.prepare_block(lower, last >> lower))
    }

    /// Makes the words writable that hold the bit of a block and sum it up.
    fn prepare_block(&mut self, order: u32, mut index: u64) -> bool {
        let mut start = self.orders[order as usize].first_word;
        let mut word_count = self.layout.order_word_count(order);
        for _ in 0..=self.layout.layer_count() {
            if !self.storage.prepare(start + word_position(index)) {
                return false;
            }
            index /= 64;
            start += word_count;
            word_count = word_count.div_ceil(64);
        }
        true
    }

    /// Takes a block of `order` out of the lowest free block of the smallest order that has one,
    /// from `search_order` upwards, where [`has_free`](Self::has_free).
    /// `order <= search_order <= top_order`.
    pub(crate) fn take(&mut self, search_order: u32, order: u32) -> Taken {
        let (found_order, mut index) = self.take_lowest::<ANY_LAYERS>(search_order);
        if found_order > order {
            index = self.split::<ANY_LAYERS>(index, found_order, search_order, order);
        }
        Taken { index, split_count: found_order - order }
    }

    /// Splits a taken block down to `order`. There was no free block from `search_order` up to
    /// below `found_order`.
    #[inline(always)]
    pub(crate) fn split<const LAYERS: u32>(
        &mut self,
        mut index: u64,
        found_order: u32,
        search_order: u32,
        order: u32,
    ) -> u64 {
        for lower_order in (search_order..found_order).rev() {
            index *= 2;
            self.occupy_first_half::<LAYERS>(lower_order, index);
        }
        // Now each of these orders has a free block. Cannot underflow: `search_order` is at most
        // `found_order`.
        self.free_orders |= (1 << found_order) - (1 << search_order);
        for lower_order in (order..search_order).rev() {
            index *= 2;
            self.occupy_half(lower_order, index);
        }
        index
    }

    /// Splits a taken block into taken ones of a lower order. There are at most 64 of them.
    #[inline]
    pub(crate) fn divide(&mut self, order: u32, index: u64, into_order: u32) {
        for lower_order in into_order..order {
            // All blocks of that order in it, which no word ends between.
            let log = order - lower_order;
            let first = index << log;
            let bits = u64::MAX >> (u64::BITS - (1 << log)) << (first & 63);
            let start = self.orders[lower_order as usize].first_word;
            *self.storage.word_mut(start + word_position(first)) |= bits;
        }
    }

    /// Gives a taken block back and merges it upwards. Returns the count of merges.
    pub(crate) fn give(&mut self, order: u32, index: u64) -> u32 {
        if self.release::<ANY_LAYERS>(order, index) {
            0
        } else {
            self.merge::<ANY_LAYERS>(order, index)
        }
    }

    /// Clears the bit of a taken block. `true` if that makes it a free block; `false` if its buddy
    /// is free, and they are to be [merged](Self::merge). `true` also of an order that there is
    /// not, of which nothing can be given back.
    #[inline(always)]
    pub(crate) fn release<const LAYERS: u32>(&mut self, order: u32, index: u64) -> bool {
        let Some(state) = self.orders.get_mut(order as usize) else {
            return true;
        };
        let position = word_position(index);
        let slot = self.storage.word_mut(state.first_word + position);
        let word = *slot & !bit(index);
        *slot = word;
        if word & bit(index ^ 1) == 0 {
            return false;
        }
        state.mark::<LAYERS, _>(&mut self.storage, &self.layout, order, position);
        self.free_orders |= 1 << order;
        true
    }

    /// Merges a block whose pair is 00 with its buddy, and on upwards. Returns the count of
    /// merges.
    #[inline(always)]
    pub(crate) fn merge<const LAYERS: u32>(&mut self, block_order: u32, mut index: u64) -> u32 {
        let mut order = block_order;
        // Kept out of `self` during the walk, so that no step waits for the store of the last.
        let mut free_orders = self.free_orders;
        loop {
            // The buddy was free, and is part of the parent from here on.
            let position = word_position(index);
            let state = &mut self.orders[order as usize];
            let is_empty = free_pairs(self.storage.word(state.first_word + position)) == 0;
            let emptied = state.unmark::<LAYERS, _>(
                &mut self.storage,
                &self.layout,
                order,
                position,
                is_empty,
            );
            free_orders -= emptied << order;
            // The pair had no bit from outside, so the parent lies inside and has an order.
            index /= 2;
            order += 1;
            let position = word_position(index);
            let state = &mut self.orders[order as usize];
            let slot = self.storage.word_mut(state.first_word + position);
            let word = *slot & !bit(index);
            *slot = word;
            if pair(word, index) != 0 {
                state.mark::<LAYERS, _>(&mut self.storage, &self.layout, order, position);
                self.free_orders = free_orders | 1 << order;
                return order - block_order;
            }
        }
    }

    /// Occupies the lowest free block of the smallest order that has one, from `search_order`
    /// upwards, where [`has_free`](Self::has_free). Returns its order and index.
    #[inline(always)]
    pub(crate) fn take_lowest<const LAYERS: u32>(&mut self, search_order: u32) -> (u32, u64) {
        let order = search_order + (self.free_orders >> search_order).trailing_zeros();
        let state = &mut self.orders[order as usize];
        let (index, emptied) =
            state.take_lowest::<LAYERS, _>(&mut self.storage, &self.layout, order);
        self.free_orders -= emptied << order;
        (order, index)
    }

    /// Sets both bits of a pair that is 00.
    pub(crate) fn occupy_pair(&mut self, order: u32, index: u64) {
        let state = &self.orders[order as usize];
        let word = self.storage.word_mut(state.first_word + word_position(index));
        *word |= bit(index) | bit(index ^ 1);
    }

    /// Sets a bit of a pair that is 00, which frees the other block of the pair.
    #[inline]
    pub(crate) fn occupy_half(&mut self, order: u32, index: u64) {
        let position = word_position(index);
        let state = &mut self.orders[order as usize];
        *self.storage.word_mut(state.first_word + position) |= bit(index);
        state.mark::<ANY_LAYERS, _>(&mut self.storage, &self.layout, order, position);
        self.free_orders |= 1 << order;
    }

    /// [`occupy_half`](Self::occupy_half) for an order without any free block, but for
    /// `free_orders`, which the caller sets.
    #[inline(always)]
    fn occupy_first_half<const LAYERS: u32>(&mut self, order: u32, index: u64) {
        let position = word_position(index);
        let state = &mut self.orders[order as usize];
        *self.storage.word_mut(state.first_word + position) |= bit(index);
        state.mark_first::<LAYERS, _>(&mut self.storage, &self.layout, order, position);
    }
}

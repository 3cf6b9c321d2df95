//! A live extent becomes a longer or shorter one that starts where it started.
//!
//! Basic design: an allocation is an extent, see `extent.rs`; in a region that does not trim it is
//! one of a single piece. To grow, the free blocks behind it are taken one by one, and what the
//! last of them has too much is given back. Then the pieces around the old end may be buddies. A
//! pair 11 of two taken blocks is cleared, which makes the parent, occupied already, a taken block.
//! That is done from the smallest piece upwards, for as long as the parent lies inside the extent,
//! and leaves the pieces that the new length has.
//!
//! Only pairs that contain the old end's last minimum block can be such. To the left of it lie
//! pieces, which are as large as they can be. What lies to the right of it was free, and of free
//! blocks no two are buddies.
//!
//! To shrink, the pieces behind the new end are given back, and the one that it lies in is trimmed.

use super::Tree;
use crate::bits::{bit, free_pairs};
use crate::extent::pieces;
use crate::layout::{ANY_LAYERS, word_position};
use crate::storage::sealed::Words;
use crate::view::{Bits, Merged};

/// How many splits and merges a change took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) split_count: u32,
    pub(crate) merge_count: u32,
}

impl<W: Words + ?Sized> Bits<'_, W> {
    /// The order of the last of the free blocks that `position .. end`, in minimum blocks, lies
    /// in, or `None` if it is not free. `merged` counts as one free block.
    ///
    /// An extent ends at `position`, and `end` is at most where the block ends that the extent
    /// would be the first part of, which lies inside the region.
    pub(crate) fn free_run(
        self,
        mut position: u64,
        end: u64,
        merged: Option<Merged>,
    ) -> Option<u32> {
        let mut order = 0;
        while position < end {
            order = self.free_order_at(position, merged)?;
            position += 1 << order;
        }
        Some(order)
    }

    /// The order of the free block that starts with minimum block `position`, which is not the
    /// first of a larger block that is free or taken.
    ///
    /// The largest block that can start there is the right half of its parent, which is split,
    /// since its left half has something to it. From there the walk goes down through the left
    /// halves of what is split. Where several free blocks follow each other, each walk after one
    /// that went down starts at the order where that ended, so no order is seen more than twice.
    fn free_order_at(self, position: u64, merged: Option<Merged>) -> Option<u32> {
        for order in (0..=position.trailing_zeros()).rev() {
            let index = position >> order;
            let is_merged =
                merged.is_some_and(|block| (block.order, block.index) == (order, index));
            if is_merged || !self.is_occupied(order, index) {
                return Some(order);
            }
            if !self.is_split(order, index) {
                return None;
            }
        }
        None
    }
}

impl<S: Words, const ORDERS: usize> Tree<S, ORDERS> {
    /// Grows the extent `start .. start + length` to `new_length`. What lies in between is free
    /// in the bits.
    pub(crate) fn grow(&mut self, start: u64, length: u64, new_length: u64) -> Steps {
        let (mut position, end) = (start + length, start + new_length);
        let mut steps = Steps::default();
        while position < end {
            let order = self.bits().free_order_at(position, None);
            let order = order.expect("the blocks up to the new end are free");
            self.occupy_free(order, position >> order);
            let left = end - position;
            if left < 1 << order {
                steps.split_count += self.trim(order, position, left);
            }
            position += 1 << order;
        }
        steps.merge_count = self.join_pieces(start, length, end);
        steps
    }

    /// Joins the smallest piece of `start .. start + length` with its buddy, and what they become
    /// with the next, for as long as that lies within `start .. end`. Returns the count of joins.
    fn join_pieces(&mut self, start: u64, length: u64, end: u64) -> u32 {
        let smallest_order = length.trailing_zeros();
        let mut order = smallest_order;
        let mut index = (start + length - 1) >> order;
        loop {
            // The extent lies inside the region, so this is at most twice 2^40.
            let parent = (index / 2) << (order + 1);
            if parent < start || parent + (2 << order) > end {
                return order - smallest_order;
            }
            let position = self.orders[order as usize].first_word + word_position(index);
            *self.storage.word_mut(position) &= !(bit(index) | bit(index ^ 1));
            index /= 2;
            order += 1;
        }
    }

    /// Makes all words writable that [`shrink`](Self::shrink) writes. `false` if the host refuses.
    pub(crate) fn prepare_shrink(&mut self, start: u64, length: u64, new_length: u64) -> bool {
        let end = start + new_length;
        let trimmed = pieces(start, length).find(|&(order, index)| index << order < end);
        trimmed.is_none_or(|(order, _)| self.prepare_splits(order, start, new_length))
    }

    /// Shrinks the extent `start .. start + length` to `new_length`, which is not zero.
    pub(crate) fn shrink(&mut self, start: u64, length: u64, new_length: u64) -> Steps {
        let end = start + new_length;
        let mut steps = Steps::default();
        for (order, index) in pieces(start, length) {
            let piece = index << order;
            if piece < end {
                let left = end - piece;
                if left < 1 << order {
                    steps.split_count += self.trim(order, piece, left);
                }
                break;
            }
            steps.merge_count += self.give(order, index);
        }
        steps
    }

    /// Occupies free block `index` of `order`.
    fn occupy_free(&mut self, order: u32, index: u64) {
        let position = word_position(index);
        let state = &mut self.orders[order as usize];
        let slot = self.storage.word_mut(state.first_word + position);
        let word = *slot | bit(index);
        *slot = word;
        let is_empty = free_pairs(word) == 0;
        let emptied = state.unmark::<ANY_LAYERS, _>(
            &mut self.storage,
            &self.layout,
            order,
            position,
            is_empty,
        );
        self.free_orders -= emptied << order;
    }
}

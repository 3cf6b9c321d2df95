//! Allocations that are not powers of two: extents, made of taken blocks of several orders.
//!
//! Basic design: an extent of `length` minimum blocks starts where a block of the order that
//! holds it does, and is the first part of that block. The binary digits of `length`, from the
//! highest down, are its pieces, each a taken block; the rest of the block lies behind as free
//! blocks of ascending orders. So the pieces can be told from the length alone, and a piece is
//! always the left half of its pair.
//!
//! The bits of the tree do not say where one extent ends and the next begins. For that there is
//! one more bit for each minimum block, the *head*: set where an extent starts, and nowhere else.
//! An extent `start .. start + length` lives iff
//!
//! - there is a head at `start`, and the pieces of `length` are taken there,
//! - no further piece starts with a head, or these would be several extents, and
//! - what lies behind is not a taken block without a head, or it would be a piece of this one.
//!
//! The heads lie behind all words of the tree. A block that waits to be merged keeps its head.

use crate::bits::bit;
use crate::layout::word_position;
use crate::storage::sealed::Words;
use crate::tree::Tree;
use crate::view::Bits;

/// The pieces of an extent, as pairs of order and index, from the last to the first, which is
/// from the smallest to the largest.
pub(crate) fn pieces(start: u64, length: u64) -> impl Iterator<Item = (u32, u64)> {
    let mut left = length;
    core::iter::from_fn(move || {
        let order = left.checked_ilog2().map(|_| left.trailing_zeros())?;
        left -= 1 << order;
        Some((order, (start + left) >> order))
    })
}

impl<W: Words + ?Sized> Bits<'_, W> {
    /// Whether an extent starts with minimum block `position`, in a region that has heads.
    #[inline]
    pub(crate) fn is_head(self, position: u64) -> bool {
        let word = self.words.word(self.layout.first_head_word() + word_position(position));
        word & bit(position) != 0
    }

    /// Whether `start .. start + length`, in minimum blocks and inside the region, is exactly a
    /// live extent. `start` is a multiple of the power of two that `length` rounds up to.
    pub(crate) fn is_extent(self, start: u64, length: u64) -> bool {
        let has_pieces = |(order, index): (u32, u64)| {
            let is_first = index << order == start;
            self.is_taken(order, index) && self.is_head(index << order) == is_first
        };
        pieces(start, length).all(has_pieces) && !self.is_continued(start + length)
    }

    /// Whether `position`, behind a piece or at the region's end, is a further piece of the same
    /// extent.
    pub(crate) fn is_continued(self, position: u64) -> bool {
        position < self.layout.block_count()
            && !self.is_head(position)
            && self.block_at(position).is_some_and(|(_, is_taken)| is_taken)
    }
}

impl<S: Words, const ORDERS: usize> Tree<S, ORDERS> {
    /// Gives the tail of a taken block of `order` that starts with minimum block `start` back, all
    /// but the first `length` minimum blocks, which are more than half of it. Returns the count
    /// of splits.
    pub(crate) fn trim(&mut self, order: u32, start: u64, length: u64) -> u32 {
        let last = start + length - 1;
        let last_order = length.trailing_zeros();
        for lower_order in (last_order..order).rev() {
            let index = last >> lower_order;
            // The half that the last minimum block is in; what lies to its left is a piece, what
            // lies to its right is free.
            if index % 2 == 1 {
                self.occupy_pair(lower_order, index);
            } else {
                self.occupy_half(lower_order, index);
            }
        }
        // The loop is empty iff the extent is the whole block, whose order is `last_order` then.
        order - last_order
    }

    /// Says that an extent starts with minimum block `position`, or that none does any more.
    pub(crate) fn set_head(&mut self, position: u64, is_head: bool) {
        let index = self.layout().first_head_word() + word_position(position);
        let word = self.words_mut().word_mut(index);
        *word = *word & !bit(position) | u64::from(is_head) << (position % 64);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn the_pieces_of_an_extent_are_its_binary_digits_from_behind() {
        let found: Vec<_> = pieces(16, 0b1101).collect();
        assert_eq!(found, [(0, 28), (2, 6), (3, 2)]);
        assert!(pieces(16, 16).eq([(4, 1)]));
        for length in 1..500_u64 {
            let mut end = 512 + length;
            for (order, index) in pieces(512, length) {
                assert_eq!((index + 1) << order, end, "each lies before the one last seen");
                end = index << order;
            }
            assert_eq!(end, 512);
        }
    }
}

//! Where the free blocks of an order are: layers of bits above the order's own words.
//!
//! Basic design: layer 1 has a bit for each word of the order, set iff the word has a free
//! block; each further layer has a bit for each word of the one below, set iff that is not zero.
//! The last layer is one word, and the order has a free block iff it is not zero. A search
//! descends from there by lowest set bits, and never has to turn back, as all layers are exact
//! at all times.
//!
//! Every order of a region has the same number of layers, also where fewer would do, and an
//! update writes them all, also where nothing changes from some layer up. So no branch depends
//! on how full a word is or which order is at hand. Random churn, where such branches cannot be
//! predicted, took an eighth less time than with layers fitted to each order, and a quarter less
//! than with updates that also stop early (64 MiB of 256-byte blocks, on a Zen 5). Where they can
//! be predicted, as when one size comes and goes, it takes longer, up to twice for middle sizes.

use crate::layout::{Layout, MAX_LAYER_COUNT};
use crate::storage::sealed::Words;

/// The first word of `order` with a free block, counted from the order's first word. The order
/// has a free block.
#[inline]
pub(crate) fn lowest_word<W: Words>(words: &W, layout: &Layout, order: u32) -> usize {
    let layer_count = layout.layer_count();
    let mut layer_starts = [0; MAX_LAYER_COUNT];
    let mut start = layout.first_word(order);
    let mut word_count = layout.order_word_count(order);
    for layer_start in &mut layer_starts[..layer_count] {
        start += word_count;
        word_count = word_count.div_ceil(64);
        *layer_start = start;
    }
    let mut position = 0;
    for layer_start in layer_starts[..layer_count].iter().rev() {
        let summary = words.word(layer_start + position);
        position = position * 64 + summary.trailing_zeros() as usize;
    }
    position
}

/// Notes that a word of `order` has a free block. Returns the bit of the order, to be set in the
/// mask of orders.
#[inline]
pub(crate) fn mark<W: Words>(
    words: &mut W,
    layout: &Layout,
    order: u32,
    mut position: usize,
) -> u64 {
    let mut start = layout.first_word(order);
    let mut word_count = layout.order_word_count(order);
    for _ in 0..layout.layer_count() {
        start += word_count;
        word_count = word_count.div_ceil(64);
        *words.word_mut(start + position / 64) |= 1 << (position % 64);
        position /= 64;
    }
    1 << order
}

/// [`mark`] for an order without any free block: what the layers hold is known to be zero, and
/// is not read.
#[inline]
pub(crate) fn mark_first<W: Words>(
    words: &mut W,
    layout: &Layout,
    order: u32,
    mut position: usize,
) {
    let mut start = layout.first_word(order);
    let mut word_count = layout.order_word_count(order);
    for _ in 0..layout.layer_count() {
        start += word_count;
        word_count = word_count.div_ceil(64);
        *words.word_mut(start + position / 64) = 1 << (position % 64);
        position /= 64;
    }
}

/// Notes that a word of `order` has lost a free block, and whether it `is_empty` now, without
/// any. Returns the bit of the order, to be cleared in the mask of orders, if the order has none
/// left; otherwise 0.
#[inline]
pub(crate) fn unmark<W: Words>(
    words: &mut W,
    layout: &Layout,
    order: u32,
    mut position: usize,
    is_empty: bool,
) -> u64 {
    let mut start = layout.first_word(order);
    let mut word_count = layout.order_word_count(order);
    // 0 or 1 and not `bool`, so that what follows is arithmetic and not a branch.
    let mut empty = u64::from(is_empty);
    for _ in 0..layout.layer_count() {
        start += word_count;
        word_count = word_count.div_ceil(64);
        let slot = words.word_mut(start + position / 64);
        *slot &= !(empty << (position % 64));
        empty = u64::from(*slot == 0);
        position /= 64;
    }
    empty << order
}

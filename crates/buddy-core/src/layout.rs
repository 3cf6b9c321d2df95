//! How a region's orders are laid out in its words, computed once.
//!
//! Basic design: a region has `block_count` minimum blocks and the orders `0 ..= top_order`,
//! where `top_order` is the largest whose block still fits. Order `o` has `block_count >> o`
//! blocks that lie wholly inside, one bit each. If their number is odd, the last one's buddy
//! lies at least partly outside and gets a bit too, which is set for ever. So an order has
//! `(block_count >> o) / 2` pairs, rounded up, and needs `(block_count >> o) / 64` words,
//! rounded up.
//!
//! Behind the words of an order lie the layers of its summaries, which `summary.rs` explains:
//! one bit for each word, then one bit for each of those words, until a layer is a single word.
//! Order 0 decides how many layers that takes, and all orders have as many.
//!
//! ```text
//! order:   top                …   1                  0
//! words:  │ w │ s │ s │           │ w … w │ s s │ s │ w … … … … w │ s … s │ s │
//! ```
//!
//! The orders lie in the words from the top down, so that the small, hot ones share cache lines.

use crate::error::ConfigError;

/// How many orders a region can have.
///
/// With fewer than 2^36 minimum blocks, the bits of all orders are 2^37 at most, the summaries a
/// 63rd of that, and rounding adds at most a word for each order and layer. So all words are
/// fewer than 2^32, and word positions fit in 32 bits.
pub(crate) const ORDER_COUNT: usize = 36;

/// How many layers of summaries an order can have: 2^30 words, summed up by 64, 64, 64, 64, 64.
pub(crate) const MAX_LAYER_COUNT: usize = 5;

/// The largest number of minimum blocks a region can have.
pub(crate) const MAX_BLOCK_COUNT: u64 = (1 << ORDER_COUNT) - 1;

// Word positions are kept in 32 bits and used as `usize`.
const _: () = assert!(usize::BITS >= 32);

/// The shape of a region. Cannot hold sizes that a region cannot have.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// The number of minimum blocks, within `1 ..= MAX_BLOCK_COUNT`.
    block_count: u64,
    /// log2 of the minimum block size in bytes.
    min_shift: u32,
    /// The largest order with a block inside the region: floor(log2(block_count)).
    top_order: u32,
    /// How many layers of summaries each order has, at most `MAX_LAYER_COUNT`.
    layer_count: u32,
    /// The number of words of all orders and summaries.
    word_count: u32,
    /// Where each order's words start. Zero above `top_order`, as the next.
    first_words: [u32; ORDER_COUNT],
    /// How many words hold the bits of each order, without its summaries.
    order_word_counts: [u32; ORDER_COUNT],
}

impl Layout {
    /// Checks the two sizes, in bytes, and lays the orders out.
    pub(crate) const fn new(total_size: u64, min_block_size: u64) -> Result<Self, ConfigError> {
        if total_size == 0 || min_block_size == 0 {
            return Err(ConfigError::ZeroSize { total_size, min_block_size });
        }
        if !min_block_size.is_power_of_two() {
            return Err(ConfigError::MinBlockSizeNotPowerOfTwo { min_block_size });
        }
        if total_size < min_block_size {
            return Err(ConfigError::BelowMinBlock { total_size, min_block_size });
        }
        let min_shift = min_block_size.trailing_zeros();
        let block_count = total_size >> min_shift;
        if block_count > MAX_BLOCK_COUNT {
            let max_block_count = MAX_BLOCK_COUNT;
            return Err(ConfigError::TooManyBlocks { block_count, max_block_count });
        }
        Ok(Self::of(block_count, min_shift))
    }

    /// Lays out `block_count` minimum blocks, which is within `1 ..= MAX_BLOCK_COUNT`.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "positions are at most the count of all words, which is below 2^32: ORDER_COUNT"
    )]
    const fn of(block_count: u64, min_shift: u32) -> Self {
        let top_order = block_count.ilog2();
        let mut layer_count = 0;
        let mut layer_words = block_count.div_ceil(64);
        while layer_words > 1 {
            layer_words = layer_words.div_ceil(64);
            layer_count += 1;
        }
        let mut first_words = [0; ORDER_COUNT];
        let mut order_word_counts = [0; ORDER_COUNT];
        let mut next_word: u64 = 0;
        let mut order = top_order;
        loop {
            first_words[order as usize] = next_word as u32;
            let mut layer_words = (block_count >> order).div_ceil(64);
            next_word += layer_words;
            order_word_counts[order as usize] = layer_words as u32;
            let mut layer = 0;
            while layer < layer_count {
                layer_words = layer_words.div_ceil(64);
                next_word += layer_words;
                layer += 1;
            }
            if order == 0 {
                break;
            }
            order -= 1;
        }
        Self {
            block_count,
            min_shift,
            top_order,
            layer_count,
            word_count: next_word as u32,
            first_words,
            order_word_counts,
        }
    }

    /// The bytes managed: whole minimum blocks. At most the size given, so it cannot overflow.
    #[inline]
    pub(crate) const fn total_size(&self) -> u64 {
        self.block_count << self.min_shift
    }

    /// The bytes of a block of `order`, which is at most the top order, so it cannot overflow.
    #[inline]
    pub(crate) const fn block_size(&self, order: u32) -> u64 {
        1 << (self.min_shift + order)
    }

    /// log2 of the minimum block size in bytes.
    #[inline]
    pub(crate) const fn min_shift(&self) -> u32 {
        self.min_shift
    }

    /// The largest order with a block inside the region.
    #[inline]
    pub(crate) const fn top_order(&self) -> u32 {
        self.top_order
    }

    /// The number of minimum blocks.
    #[inline]
    pub(crate) const fn block_count(&self) -> u64 {
        self.block_count
    }

    /// The number of blocks of `order` that lie wholly inside the region.
    #[inline]
    pub(crate) const fn order_block_count(&self, order: u32) -> u64 {
        self.block_count >> order
    }

    /// The number of words of all orders and summaries.
    #[inline]
    pub(crate) const fn word_count(&self) -> usize {
        self.word_count as usize
    }

    /// How many layers of summaries each order has.
    #[inline]
    pub(crate) const fn layer_count(&self) -> usize {
        self.layer_count as usize
    }

    /// Where the words of `order` start.
    #[inline]
    pub(crate) const fn first_word(&self, order: u32) -> usize {
        self.first_words[order as usize] as usize
    }

    /// The number of words that hold the bits of `order`, without its summaries.
    #[inline]
    pub(crate) const fn order_word_count(&self, order: u32) -> usize {
        self.order_word_counts[order as usize] as usize
    }

    /// The smallest order whose blocks hold `size` bytes, which is above zero. It may be above
    /// the top order.
    #[inline]
    pub(crate) const fn order_for(&self, size: u64) -> u32 {
        // The blocks spanned, less one, have as many binary digits as the order that holds them.
        u64::BITS - ((size - 1) >> self.min_shift).leading_zeros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_layers_lie_side_by_side_and_fill_the_words() {
        for block_count in (1..5000).chain([4096 * 64 + 1, (1 << 30) + 12_345, MAX_BLOCK_COUNT]) {
            let layout = Layout::new(block_count, 1).unwrap();
            let mut next_word = 0;
            for order in (0..=layout.top_order()).rev() {
                assert_eq!(layout.first_word(order), next_word);
                let mut word_count = layout.order_word_count(order);
                // A bit for each block inside, and one for the buddy of an odd last one.
                let bit_count = layout.order_block_count(order).next_multiple_of(2);
                assert!((word_count as u64 - 1) * 64 < bit_count);
                assert!(bit_count <= word_count as u64 * 64);
                next_word += word_count;
                for _ in 0..layout.layer_count() {
                    word_count = word_count.div_ceil(64);
                    next_word += word_count;
                }
                assert_eq!(word_count, 1, "the last layer is a single word");
            }
            assert_eq!(next_word, layout.word_count());
            assert!(layout.layer_count() <= MAX_LAYER_COUNT);
        }
    }

    #[test]
    fn an_order_is_the_smallest_that_holds_the_size() {
        let layout = Layout::new(1 << 20, 16).unwrap();
        for size in 1..5000 {
            let order = layout.order_for(size);
            assert!(layout.block_size(order) >= size);
            assert!(order == 0 || layout.block_size(order - 1) < size);
        }
    }
}

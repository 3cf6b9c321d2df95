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
//! one bit for each word, then one bit for each of those words, until a layer has 64 words or
//! fewer; the word that sums up these is the order's root and lies elsewhere, in its `Order`.
//! Order 0 decides how many layers that takes, and all orders have as many. There is one layer
//! also where none would do, up to 2^12 minimum blocks: so all regions of up to 2^18 go the same
//! way, which is compiled for one layer. It costs a word for each order, a hundred bytes at most.
//!
//! ```text
//! order:   top                …   1                  0
//! words:  │ w │ s │               │ w … w │ s … s │  │ w … … … … w │ s … … s │
//! ```
//!
//! The orders lie in the words from the top down, so that the small, hot ones share cache lines.
//! In a region that trims, the heads (see `extent.rs`) follow, a bit for each minimum block.

use crate::config::{BuddyConfig, Rounding};
use crate::error::ConfigError;

/// The largest number of minimum blocks a region can have.
///
/// With 2^40, the bits of all orders are 2^41, the summaries less than a 63rd of that, and
/// rounding adds at most a word for each order and layer: fewer than 2^36 words. Where `usize`
/// has 32 bits, 2^32 minimum blocks take fewer than 2^28 words.
pub(crate) const MAX_BLOCK_COUNT: u64 = if usize::BITS >= 64 { 1 << 40 } else { 1 << 32 };

/// How many orders a region can have.
pub(crate) const ORDER_COUNT: usize = 41;

/// How many layers of summaries lie in the words at most: 2^34 words of order 0 take 2^28, 2^22,
/// 2^16, 2^10 and 2^4 words, and the root sums up the last.
pub(crate) const MAX_LAYER_COUNT: usize = 5;

/// Stands for a number of layers that is read from the layout.
pub(crate) const ANY_LAYERS: u32 = u32::MAX;

// Word positions are kept as `usize`, which has to hold 2^28 of them or 2^36.
const _: () = assert!(usize::BITS >= 32);

/// The shape of a region. Cannot hold sizes that a region cannot have.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// The number of minimum blocks, within `1 ..= MAX_BLOCK_COUNT`.
    block_count: u64,
    /// The bytes of all minimum blocks.
    total_size: u64,
    /// log2 of the minimum block size in bytes.
    min_shift: u32,
    /// The largest order with a block inside the region: floor(log2(block_count)).
    top_order: u32,
    /// How many layers of summaries each order has in the words, within `1 ..= MAX_LAYER_COUNT`.
    layer_count: u32,
    /// Whether there are heads.
    trims: bool,
    /// Whether freed blocks wait.
    waits: bool,
    /// `total_size` if there is one layer and no head, otherwise 0: what a request is compared
    /// with that may go the short way, see `allocator/power_of_two.rs`.
    usual_size: u64,
    /// The same if freed blocks wait, otherwise 0.
    usual_waiting_size: u64,
    /// Where the heads start, or would.
    first_head_word: usize,
}

impl Layout {
    /// Checks the sizes and lays the orders out.
    pub(crate) const fn new(config: &BuddyConfig) -> Result<Self, ConfigError> {
        let BuddyConfig { total_size, min_block_size, rounding, waiting: waits } = *config;
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
        let mut layer_count = 1;
        let mut layer_words = block_count.div_ceil(64 * 64);
        while layer_words > 64 {
            layer_words = layer_words.div_ceil(64);
            layer_count += 1;
        }
        let trims = matches!(rounding, Rounding::Trimmed);
        let top_order = block_count.ilog2();
        let usual_size = if layer_count == 1 && !trims { block_count << min_shift } else { 0 };
        let mut layout = Self {
            block_count,
            total_size: block_count << min_shift,
            min_shift,
            top_order,
            layer_count,
            trims,
            waits,
            usual_size,
            usual_waiting_size: if waits { usual_size } else { 0 },
            first_head_word: 0,
        };
        layout.first_head_word = layout.first_word(0) + layout.order_word_count_with_layers(0);
        Ok(layout)
    }

    /// The bytes managed: whole minimum blocks. At most the size given, so it cannot overflow.
    #[inline]
    pub(crate) const fn total_size(&self) -> u64 {
        self.total_size
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

    /// How many layers of summaries each order has in the words.
    #[inline]
    pub(crate) const fn layer_count(&self) -> u32 {
        self.layer_count
    }

    /// [`layer_count`](Self::layer_count) in code that is compiled for `LAYERS` of them, which is
    /// that or [`ANY_LAYERS`].
    #[inline]
    pub(crate) const fn layers<const LAYERS: u32>(&self) -> u32 {
        if LAYERS == ANY_LAYERS { self.layer_count } else { LAYERS }
    }

    /// The number of words that hold the bits of `order`, without its summaries.
    #[inline]
    pub(crate) const fn order_word_count(&self, order: u32) -> usize {
        word_position(self.order_block_count(order).div_ceil(64) * 64)
    }

    /// The number of words of `order` with its summaries.
    const fn order_word_count_with_layers(&self, order: u32) -> usize {
        let mut layer_words = self.order_word_count(order);
        let mut word_count = layer_words;
        let mut layer = 0;
        while layer < self.layer_count {
            layer_words = layer_words.div_ceil(64);
            word_count += layer_words;
            layer += 1;
        }
        word_count
    }

    /// Where the words of `order` start.
    pub(crate) const fn first_word(&self, order: u32) -> usize {
        let mut first_word = 0;
        let mut above = self.top_order;
        while above > order {
            first_word += self.order_word_count_with_layers(above);
            above -= 1;
        }
        first_word
    }

    /// Whether sizes are rounded to minimum blocks only, and the region has heads.
    #[inline]
    pub(crate) const fn trims(&self) -> bool {
        self.trims
    }

    /// The bytes managed, if the region has one layer and does not trim; otherwise 0.
    #[inline]
    pub(crate) const fn usual_size(&self) -> u64 {
        self.usual_size
    }

    /// Whether freed blocks wait.
    #[inline]
    pub(crate) const fn waits(&self) -> bool {
        self.waits
    }

    /// [`usual_size`](Self::usual_size) if freed blocks wait, otherwise 0.
    #[inline]
    pub(crate) const fn usual_waiting_size(&self) -> u64 {
        self.usual_waiting_size
    }

    /// Where the heads start, behind the words of all orders and summaries.
    pub(crate) const fn first_head_word(&self) -> usize {
        self.first_head_word
    }

    /// The number of words of all orders and summaries, and of the heads.
    pub(crate) const fn word_count(&self) -> usize {
        let head_word_count = if self.trims { self.order_word_count(0) } else { 0 };
        self.first_head_word + head_word_count
    }

    /// The order and the index of the block that has this offset and size, if there is one that
    /// ends at `end`, the region's or 0, or before.
    #[inline]
    pub(crate) const fn block_of(&self, offset: u64, size: u64, end: u64) -> Option<(u32, u64)> {
        let size_less_one = size.wrapping_sub(1);
        // The first is zero iff the size is a power of two that the offset is a multiple of, or
        // zero. Then the last byte of the block has the offset's bits and those of the size less
        // one; of a size of zero, it would be the last of all numbers, which no region has.
        if (offset | size) & size_less_one != 0 || offset | size_less_one >= end {
            return None;
        }
        let shift = size.trailing_zeros();
        match shift.checked_sub(self.min_shift) {
            Some(order) => Some((order, offset >> shift)),
            None => None,
        }
    }

    /// The smallest order whose blocks hold `size` bytes, which is above zero. It may be above
    /// the top order.
    #[inline]
    pub(crate) const fn order_for(&self, size: u64) -> u32 {
        // The blocks spanned, less one, have as many binary digits as the order that holds them.
        // One digit more is counted, so that there always is one. No digit is lost above, but for
        // sizes above any region.
        (((size - 1) >> self.min_shift) << 1 | 1).ilog2()
    }
}

/// The word that holds bit `index` of an order or of a layer, counted from its first word.
#[inline]
pub(crate) const fn word_position(index: u64) -> usize {
    // An index is at most MAX_BLOCK_COUNT, a 64th of which fits in a usize.
    (index / 64) as usize
}

#[cfg(test)]
mod tests;

//! What a region is made with.

use crate::layout::Layout;

/// The sizes of a region, and the choices it is made with.
///
/// # Examples
///
/// ```
/// use buddy_core::{BuddyAllocator, BuddyConfig};
///
/// let config = BuddyConfig::new(1 << 20, 256).with_waiting(false);
/// let region = BuddyAllocator::with_config(config)?;
/// assert_eq!(region.total_size(), 1 << 20);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BuddyConfig {
    /// The length of the region in bytes, from one minimum block up. A tail shorter than a
    /// minimum block is never handed out and not counted.
    pub total_size: u64,
    /// The size of the smallest block in bytes, a power of two.
    pub min_block_size: u64,
    /// What sizes are rounded up to; powers of two by default.
    pub rounding: Rounding,
    /// Whether the block freed last waits un-merged for a request of its size; on by default.
    ///
    /// A program that frees and allocates one size again and again then does no splits and
    /// merges. No query can tell, and no request is refused for it; only the placement differs,
    /// which is lowest offset first without exception when this is off.
    pub waiting: bool,
}

impl BuddyConfig {
    /// A region of `total_size` bytes with minimum blocks of `min_block_size` bytes, where sizes
    /// are rounded to powers of two and freed blocks wait.
    ///
    /// The sizes are checked where the region is made.
    #[must_use]
    pub const fn new(total_size: u64, min_block_size: u64) -> Self {
        Self { total_size, min_block_size, rounding: Rounding::PowerOfTwo, waiting: true }
    }

    /// The same with another [`rounding`](Self::rounding).
    #[must_use]
    pub const fn with_rounding(mut self, rounding: Rounding) -> Self {
        self.rounding = rounding;
        self
    }

    /// The same with [`waiting`](Self::waiting) on or off.
    #[must_use]
    pub const fn with_waiting(mut self, waiting: bool) -> Self {
        self.waiting = waiting;
        self
    }

    /// The count of words that a region of this kind keeps its bits in, or `None` if there can
    /// be no such region.
    ///
    /// About two bits a minimum block, three where sizes are trimmed, and at least two words for
    /// each order.
    #[must_use]
    pub const fn word_count(&self) -> Option<usize> {
        match Layout::new(self) {
            Ok(layout) => Some(layout.word_count()),
            Err(_) => None,
        }
    }
}

/// What the sizes of allocations are rounded up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Rounding {
    /// To the minimum block size times a power of two: a block.
    ///
    /// The fastest, and the least fragmented where sizes are powers of two anyway.
    #[default]
    PowerOfTwo,
    /// To the minimum block size. A block that holds the size is taken, and its unused tail goes
    /// back as smaller free blocks.
    ///
    /// Nothing but the last minimum block is wasted by rounding. 64 MiB of 256-byte blocks, filled
    /// with sizes of all magnitudes from 1 KiB to 4 MiB until 64 requests were refused, held 96 %
    /// of payload instead of 75 %; after freeing a random half and filling up again, ten times,
    /// 82 % instead of 75 %: small allocations in the tails keep the blocks around them from
    /// merging. A pair of calls for small sizes takes three times as long (54 ns instead of 16),
    /// as each piece is split off and merged again, and a third bit is kept for each minimum block.
    Trimmed,
}

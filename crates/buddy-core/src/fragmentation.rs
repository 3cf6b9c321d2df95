//! How the free bytes of a region are scattered, in figures.

use core::fmt;

use crate::layout::ORDER_COUNT;

/// How the free bytes of a region lie: how many blocks of each size, and what follows from that.
///
/// A copy of the numbers at the time of the call; see
/// [`fragmentation`](crate::BuddyAllocator::fragmentation).
///
/// # Examples
///
/// ```
/// use buddy_core::BuddyAllocator;
///
/// let mut region = BuddyAllocator::new(4096, 256)?;
/// region.allocate(256)?;
/// let figures = region.fragmentation();
/// assert_eq!((figures.free_size(), figures.free_block_count()), (3840, 4));
/// // 2048 of the 3840 free bytes are in one block.
/// assert_eq!(figures.external(), 1.0 - 2048.0 / 3840.0);
/// // A request of 1 KiB can be served from 3 KiB of them.
/// assert_eq!(figures.unusable_for(1024), 1.0 - 3072.0 / 3840.0);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragmentation {
    /// How many free blocks each order has.
    pub(crate) free_counts: [u64; ORDER_COUNT],
    /// log2 of the minimum block size in bytes.
    pub(crate) min_shift: u32,
}

impl Fragmentation {
    /// The free blocks by size: pairs of a block size in bytes, ascending, and how many free
    /// blocks have it, for all sizes that have one.
    pub fn free_blocks_by_size(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.free_counts
            .iter()
            .enumerate()
            .filter(|&(_, &count)| count > 0)
            // An order with a block lies inside the region, so its size is a 64-bit number.
            .map(|(order, &count)| (1 << (self.min_shift as usize + order), count))
    }

    /// The bytes of all free blocks.
    #[must_use]
    pub fn free_size(&self) -> u64 {
        // Disjoint blocks of one region, so the sum is at most its size.
        self.free_blocks_by_size().map(|(size, count)| size * count).sum()
    }

    /// How many free blocks there are.
    #[must_use]
    pub fn free_block_count(&self) -> u64 {
        self.free_counts.iter().sum()
    }

    /// The size of the largest free block in bytes; 0 when the region is full.
    #[must_use]
    pub fn largest_free_block(&self) -> u64 {
        self.free_blocks_by_size().last().map_or(0, |(size, _)| size)
    }

    /// The share of the free bytes that lie outside the largest free block, within 0 ..= 1:
    /// `1 - largest free block / free bytes`, and 0 when nothing is free.
    #[must_use]
    pub fn external(&self) -> f64 {
        missing(self.largest_free_block(), self.free_size())
    }

    /// The share of the free bytes that no request of `size` bytes can use, as they lie in
    /// blocks that are too small for it, within 0 ..= 1:
    /// `1 - bytes of free blocks of at least size / free bytes`, and 0 when nothing is free.
    ///
    /// This is the unusable free space index of Gorman and Whitcroft (The What, The Why and the
    /// Where To of Anti-Fragmentation, Ottawa Linux Symposium 2006).
    #[must_use]
    pub fn unusable_for(&self, size: u64) -> f64 {
        let large = self.free_blocks_by_size().filter(|&(block_size, _)| block_size >= size);
        missing(large.map(|(block_size, count)| block_size * count).sum(), self.free_size())
    }
}

/// The share of `whole` that is not in `part`, which is at most as much; 0 of nothing.
fn missing(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 1.0 - part as f64 / whole as f64 }
}

/// One line: `3840 free in 4 blocks, largest 2048, external 46.7 %`.
impl fmt::Display for Fragmentation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (free, count) = (self.free_size(), self.free_block_count());
        let (largest, percent) = (self.largest_free_block(), self.external() * 100.0);
        write!(
            formatter,
            "{free} free in {count} blocks, largest {largest}, external {percent:.1} %"
        )
    }
}

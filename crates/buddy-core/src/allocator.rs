//! The allocator: sizes in bytes on the outside, orders and indices within.
//!
//! Basic design: everything that can be wrong with a call is checked here, before anything
//! changes. `Tree` holds the state and moves it; this file translates and counts.

mod queries;

use crate::block::{BuddyBlock, BuddyStats};
use crate::error::{AllocError, ConfigError, FreeError};
use crate::layout::Layout;
#[cfg(feature = "alloc")]
use crate::storage::Owned;
use crate::storage::{Fixed, Storage};
use crate::tree::{Taken, Tree};

/// A region `[0, total_size)` that hands out power-of-two blocks of itself.
///
/// It holds no memory, only numbers: what lies behind an offset is the caller's business. `S` is
/// where its own bits are kept; see the [crate's front page](crate) for what it does and costs.
#[derive(Clone)]
pub struct BuddyAllocator<#[cfg(feature = "alloc")] S = Owned, #[cfg(not(feature = "alloc"))] S> {
    /// Which blocks are free, split or taken.
    tree: Tree<S>,
    /// The counters; `total_size` is the tree's.
    stats: BuddyStats,
}

#[cfg(feature = "alloc")]
impl BuddyAllocator<Owned> {
    /// Makes a region of `total_size` bytes, wholly free, with words on the host's heap.
    ///
    /// `min_block_size` is a power of two and the size of the smallest block. Any total from one
    /// minimum block up will do; a tail shorter than a minimum block is never handed out, and
    /// [`total_size`](Self::total_size) does not count it. The host's allocator is asked once,
    /// here, and never again.
    ///
    /// # Errors
    ///
    /// - [`ConfigError::ZeroSize`], [`ConfigError::MinBlockSizeNotPowerOfTwo`],
    ///   [`ConfigError::BelowMinBlock`]: the sizes contradict the rules above.
    /// - [`ConfigError::TooManyBlocks`]: 2^36 minimum blocks or more. Take larger ones.
    /// - [`ConfigError::OutOfHostMemory`]: the host refused. Take larger minimum blocks, or lend
    ///   the words with [`with_words`](BuddyAllocator::with_words).
    ///
    /// # Complexity
    ///
    /// Linear in the number of words, which is a 32nd of the number of minimum blocks.
    pub fn new(total_size: u64, min_block_size: u64) -> Result<Self, ConfigError> {
        let layout = Layout::new(total_size, min_block_size)?;
        let storage = Owned::new(layout.word_count())?;
        Ok(Self::over(storage, layout))
    }
}

impl<'a> BuddyAllocator<Fixed<'a>> {
    /// Makes a region as `new` does, wholly free, in words lent by the caller.
    ///
    /// What the words hold does not matter; they are cleared.
    ///
    /// # Errors
    ///
    /// - [`ConfigError::ZeroSize`], [`ConfigError::MinBlockSizeNotPowerOfTwo`],
    ///   [`ConfigError::BelowMinBlock`], [`ConfigError::TooManyBlocks`]: the sizes are not those
    ///   of a region, as for `new`.
    /// - [`ConfigError::WrongWordCount`]: the slice is not exactly as long as
    ///   [`words_needed`](Self::words_needed) tells. The words are untouched.
    ///
    /// # Examples
    ///
    /// ```
    /// use buddy_core::{BuddyAllocator, Fixed};
    ///
    /// const WORDS: usize = BuddyAllocator::<Fixed>::words_needed(1 << 20, 256).unwrap();
    /// let mut words = [0; WORDS];
    /// let mut region = BuddyAllocator::with_words(1 << 20, 256, &mut words)?;
    /// assert_eq!(region.allocate(5000)?.size, 8192);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn with_words(
        total_size: u64,
        min_block_size: u64,
        words: &'a mut [u64],
    ) -> Result<Self, ConfigError> {
        let layout = Layout::new(total_size, min_block_size)?;
        let words_needed = layout.word_count();
        if words.len() != words_needed {
            return Err(ConfigError::WrongWordCount { word_count: words.len(), words_needed });
        }
        Ok(Self::over(Fixed::new(words), layout))
    }

    /// The count of words a region needs, or `None` if there can be no such region.
    ///
    /// About two bits a minimum block, and at least one word for each order.
    #[must_use]
    pub const fn words_needed(total_size: u64, min_block_size: u64) -> Option<usize> {
        match Layout::new(total_size, min_block_size) {
            Ok(layout) => Some(layout.word_count()),
            Err(_) => None,
        }
    }
}

impl<S: Storage> BuddyAllocator<S> {
    /// A free region in a storage with as many words as the layout has.
    fn over(storage: S, layout: Layout) -> Self {
        let stats = BuddyStats { total_size: layout.total_size(), ..BuddyStats::default() };
        Self { tree: Tree::new(storage, layout), stats }
    }

    /// Reserves a block of at least `size` bytes.
    ///
    /// The block is taken from the smallest order that has a free block of sufficient size, and
    /// among those from the lowest offset. It has the size of the request, rounded up to the
    /// minimum block size times a power of two, and starts at a multiple of that size.
    ///
    /// # Errors
    ///
    /// - [`AllocError::InvalidSize`]: the size is zero, or larger than the region. Do not retry.
    /// - [`AllocError::OutOfMemory`]: no free block is large enough now. Freeing, or another
    ///   region, may help.
    ///
    /// On error the region is unchanged.
    ///
    /// # Complexity
    ///
    /// One descent through the summaries and at most one split for each order; independent of
    /// the number of live allocations. Touches no host allocator.
    ///
    /// # Examples
    ///
    /// ```
    /// use buddy_core::BuddyAllocator;
    ///
    /// let mut region = BuddyAllocator::new(1 << 20, 256)?;
    /// let block = region.allocate(1000)?;
    /// assert_eq!((block.offset, block.size), (0, 1024));
    /// region.free(block)?;
    /// assert_eq!(region.largest_free_block(), 1 << 20);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[inline]
    pub fn allocate(&mut self, size: u64) -> Result<BuddyBlock, AllocError> {
        self.allocate_aligned(size, 1)
    }

    /// Reserves a block of at least `size` bytes whose offset is a multiple of `alignment`.
    ///
    /// An alignment of 0 or 1 asks for nothing; others are powers of two. A block is aligned to
    /// its own size anyway, so an alignment up to that changes nothing. A larger one is served
    /// from a free block of at least `alignment` bytes, of which only the first part, of the
    /// size [`allocate`](Self::allocate) would take, is reserved; the rest stays free. So no
    /// byte is wasted on alignment, and the search stays bounded. The price: an aligned offset
    /// in a free block shorter than `alignment` is not found.
    ///
    /// # Errors
    ///
    /// - [`AllocError::InvalidSize`]: the size is zero, or larger than the region. Do not retry.
    /// - [`AllocError::InvalidAlignment`]: the alignment is not a power of two, or is larger
    ///   than the region. Do not retry.
    /// - [`AllocError::OutOfMemory`]: no free block of the larger of the two is there now.
    ///   Freeing, or another region, may help.
    ///
    /// On error the region is unchanged.
    ///
    /// # Complexity
    ///
    /// That of [`allocate`](Self::allocate).
    ///
    /// # Examples
    ///
    /// ```
    /// use buddy_core::{BuddyAllocator, BuddyBlock};
    ///
    /// let mut region = BuddyAllocator::new(1 << 20, 256)?;
    /// region.allocate(256)?;
    /// let page = region.allocate_aligned(256, 4096)?;
    /// assert_eq!(page, BuddyBlock { offset: 4096, size: 256 });
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[inline]
    pub fn allocate_aligned(
        &mut self,
        size: u64,
        alignment: u64,
    ) -> Result<BuddyBlock, AllocError> {
        let layout = self.tree.layout();
        let total_size = self.stats.total_size;
        if size == 0 || size > total_size {
            return Err(AllocError::InvalidSize { size, total_size });
        }
        if alignment > total_size || alignment & alignment.wrapping_sub(1) != 0 {
            return Err(AllocError::InvalidAlignment { alignment });
        }
        let order = layout.order_for(size);
        let search_order = layout.order_for(size.max(alignment));
        if search_order > layout.top_order() {
            return Err(self.out_of_memory(size, alignment));
        }
        let block_size = layout.block_size(order);
        let shift = layout.min_shift() + order;
        let Some(Taken { index, split_count }) = self.tree.take(search_order, order) else {
            return Err(self.out_of_memory(size, alignment));
        };
        self.count_taken(block_size, split_count);
        // The block lies inside the region, so its offset is below `total_size`.
        Ok(BuddyBlock { offset: index << shift, size: block_size })
    }

    /// Gives a block back, and merges it with its buddy for as long as that is free.
    ///
    /// The block must be exactly one that was handed out and not freed since: offset and size.
    /// This is checked exactly, against the state of the region and not against a list. What no
    /// check can tell is a stale block whose place was handed out again in the same size: it is
    /// the same value.
    ///
    /// # Errors
    ///
    /// [`FreeError::NotAllocated`]: no live allocation has this offset and size. The caller has
    /// freed twice, or mixed two regions up. The region is unchanged.
    ///
    /// # Complexity
    ///
    /// At most one merge for each order, independent of the number of live allocations.
    #[inline]
    pub fn free(&mut self, block: BuddyBlock) -> Result<(), FreeError> {
        let BuddyBlock { offset, size } = block;
        let layout = self.tree.layout();
        let shift = size.trailing_zeros();
        let min_shift = layout.min_shift();
        // A size of zero is not a power of two, so `shift` is below 64 where it is used.
        if !size.is_power_of_two() || shift < min_shift || offset & (size - 1) != 0 {
            return Err(FreeError::NotAllocated { offset, size });
        }
        let (order, index) = (shift - min_shift, offset >> shift);
        let is_inside = order <= layout.top_order() && index < layout.order_block_count(order);
        if !is_inside || !self.tree.is_taken(order, index) {
            return Err(FreeError::NotAllocated { offset, size });
        }
        let merge_count = self.tree.give(order, index);
        let stats = &mut self.stats;
        // Cannot underflow: the block was live, and was counted when it was handed out.
        stats.allocated_size -= size;
        stats.allocation_count -= 1;
        stats.total_freed = stats.total_freed.wrapping_add(size);
        stats.merge_count += u64::from(merge_count);
        Ok(())
    }

    /// Frees every allocation and starts all counters anew: the region is as it was when made.
    ///
    /// Blocks handed out before are no longer allocated.
    ///
    /// # Complexity
    ///
    /// Linear in the number of words.
    pub fn reset(&mut self) {
        self.tree.reset();
        let total_size = self.stats.total_size;
        self.stats = BuddyStats { total_size, ..BuddyStats::default() };
    }

    /// The refusal of a request that is valid in itself.
    #[cold]
    fn out_of_memory(&self, size: u64, alignment: u64) -> AllocError {
        let largest_free_block = self.largest_free_block();
        AllocError::OutOfMemory { size, alignment, largest_free_block }
    }

    /// Counts a block that was handed out.
    #[inline]
    fn count_taken(&mut self, block_size: u64, split_count: u32) {
        let stats = &mut self.stats;
        // Live blocks do not overlap, so their sum is at most `total_size`.
        stats.allocated_size += block_size;
        stats.allocation_count += 1;
        stats.peak_allocated = stats.peak_allocated.max(stats.allocated_size);
        stats.total_allocated = stats.total_allocated.wrapping_add(block_size);
        stats.split_count += u64::from(split_count);
    }
}

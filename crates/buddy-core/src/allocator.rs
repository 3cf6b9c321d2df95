//! The allocator: sizes in bytes on the outside, orders and indices within.
//!
//! Basic design: everything that can be wrong with a call is checked here, before anything
//! changes. `Tree` holds the state and moves it; this file translates and counts.

mod adjacent;
mod by_order;
mod construct;
mod power_of_two;
mod queries;
mod resize;
mod trimmed;

pub use adjacent::Adjacent;

use core::num::NonZeroU64;

use crate::block::BuddyBlock;
use crate::counters::Counters;
use crate::error::{AllocError, FreeError};
use crate::layout::ORDER_COUNT;
#[cfg(feature = "alloc")]
use crate::storage::Owned;
use crate::storage::Storage;
use crate::tree::Tree;
use crate::waiting::Waiting;

/// A region `[0, total_size)` that hands out power-of-two blocks of itself.
///
/// It holds no memory, only numbers: what lies behind an offset is the caller's business. `S` is
/// where its own bits are kept; see the [crate's front page](crate) for what it does and costs.
/// `ORDERS` is the number of orders that it keeps books of: 41, which are all that a region can have, if
/// it was not made [`compact`](Self::compact).
#[derive(Clone)]
pub struct BuddyAllocator<
    #[cfg(feature = "alloc")] S = Owned,
    #[cfg(not(feature = "alloc"))] S,
    const ORDERS: usize = ORDER_COUNT,
> {
    /// Which blocks are free, split or taken.
    tree: Tree<S, ORDERS>,
    /// The block freed last, which the tree still has as taken.
    waiting: Waiting,
    /// What was done so far.
    counters: Counters,
}

impl<S: Storage, const ORDERS: usize> BuddyAllocator<S, ORDERS> {
    /// Reserves a block of at least `size` bytes.
    ///
    /// It has the size of the request, rounded up to the minimum block size times a power of two,
    /// and starts at a multiple of that size. If the block freed last has this very size, it is
    /// taken as it is; see [`BuddyConfig::waiting`](crate::BuddyConfig::waiting). Otherwise the
    /// block is taken from the smallest order that has a free block of sufficient size, and among
    /// those from the lowest offset.
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
    #[inline(always)]
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
    #[inline(always)]
    pub fn allocate_aligned(
        &mut self,
        size: u64,
        alignment: u64,
    ) -> Result<BuddyBlock, AllocError> {
        if let Some(block) = self.place_shortly(size, alignment) {
            return Ok(block);
        }
        match self.place(size, alignment) {
            Some(Placed { offset, size }) => Ok(BuddyBlock { offset, size: size.get() }),
            None => Err(self.refusal(size, alignment)),
        }
    }

    /// Gives a block back, and merges it with its buddy for as long as that is free.
    ///
    /// The block freed last may in fact wait for the next call before it is merged, which no
    /// query can tell; see [`BuddyConfig::waiting`](crate::BuddyConfig::waiting).
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
    #[inline(always)]
    pub fn free(&mut self, block: BuddyBlock) -> Result<(), FreeError> {
        let BuddyBlock { offset, size } = block;
        if self.take_back(offset, size) {
            Ok(())
        } else {
            Err(FreeError::NotAllocated { offset, size })
        }
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
        self.waiting = Waiting::NONE;
        self.counters = Counters::default();
    }

    /// Merges the block that waits. There must be one.
    fn merge_waiting(&mut self) {
        let (order, index) = (self.waiting.order, self.waiting.index(self.tree.layout()));
        self.waiting = Waiting::NONE;
        if self.tree.layout().trims() {
            self.tree.set_head(index << order, false);
        }
        let merge_count = self.tree.give(order, index);
        self.counters.merge_count += u64::from(merge_count);
    }

    /// Why a request was refused.
    #[cold]
    #[inline(never)]
    fn refusal(&self, size: u64, alignment: u64) -> AllocError {
        let total_size = self.total_size();
        if size == 0 || size > total_size {
            return AllocError::InvalidSize { size, total_size };
        }
        if !is_alignment(alignment) || alignment > total_size {
            return AllocError::InvalidAlignment { alignment };
        }
        let largest_free_block = self.largest_free_block();
        let order_for = |size| self.tree.layout().order_for(size);
        if largest_free_block > 0 && order_for(size.max(alignment)) <= order_for(largest_free_block)
        {
            // There is a block for it, so only its words can have been refused.
            return AllocError::OutOfHostMemory { size };
        }
        AllocError::OutOfMemory { size, alignment, largest_free_block }
    }
}

/// Where an allocation was placed. Small enough, with an `Option` around it, to be returned in
/// registers; what is returned in memory and copied on from there is slow to read again.
struct Placed {
    offset: u64,
    size: NonZeroU64,
}

impl Placed {
    /// The same as a block, whose size is never zero.
    #[inline(always)]
    fn new(block: BuddyBlock) -> Option<Self> {
        NonZeroU64::new(block.size).map(|size| Self { offset: block.offset, size })
    }
}

/// Whether `alignment` is a power of two, or zero.
#[inline]
const fn is_alignment(alignment: u64) -> bool {
    alignment & alignment.wrapping_sub(1) == 0
}

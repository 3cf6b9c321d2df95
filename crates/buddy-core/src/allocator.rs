//! The allocator: sizes in bytes on the outside, orders and indices within.
//!
//! Basic design: everything that can be wrong with a call is checked here, before anything
//! changes. `Tree` holds the state and moves it; this file translates and counts.

mod construct;
mod queries;
mod resize;
mod trimmed;

use core::num::NonZeroU64;

use crate::block::BuddyBlock;
use crate::counters::Counters;
use crate::error::{AllocError, FreeError};
#[cfg(feature = "alloc")]
use crate::storage::Owned;
use crate::storage::Storage;
use crate::tree::{Taken, Tree};
use crate::waiting::Waiting;

/// A region `[0, total_size)` that hands out power-of-two blocks of itself.
///
/// It holds no memory, only numbers: what lies behind an offset is the caller's business. `S` is
/// where its own bits are kept; see the [crate's front page](crate) for what it does and costs.
#[derive(Clone)]
pub struct BuddyAllocator<#[cfg(feature = "alloc")] S = Owned, #[cfg(not(feature = "alloc"))] S> {
    /// Which blocks are free, split or taken.
    tree: Tree<S>,
    /// The block freed last, which the tree still has as taken.
    waiting: Waiting,
    /// Whether freed blocks wait.
    waits: bool,
    /// What was done so far.
    counters: Counters,
}

impl<S: Storage> BuddyAllocator<S> {
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

    /// Reserves a block; `None`, and nothing has changed, if the request has to be refused.
    #[inline]
    fn place(&mut self, size: u64, alignment: u64) -> Option<Placed> {
        let layout = self.tree.layout();
        // Zero wraps around to the largest number.
        if size.wrapping_sub(1) >= layout.total_size() || !is_alignment(alignment) {
            return None;
        }
        if layout.trims() {
            return self.place_trimmed(size, alignment);
        }
        let order = layout.order_for(size);
        if order > layout.top_order() {
            return None;
        }
        // The order lies inside the region, so this is at most the total size.
        let shift = layout.min_shift() + order;
        let block_size = NonZeroU64::new(1 << shift)?;
        let index = if alignment > block_size.get() {
            self.split_aligned(alignment, order)?
        } else if self.waiting.order == order {
            self.waiting.order = Waiting::NONE.order;
            self.waiting.index
        } else {
            self.split_for(order, order, 1 << order)?
        };
        self.counters.count_taken(block_size.get());
        Some(Placed { offset: index << shift, size: block_size })
    }

    /// Takes a block of `order` at a multiple of `alignment`, which is above its size.
    #[inline(never)]
    fn split_aligned(&mut self, alignment: u64, order: u32) -> Option<u64> {
        self.split_for(self.tree.layout().order_for(alignment), order, 1 << order)
    }

    /// Takes a block of `order` out of a free one of `search_order` or above, to be trimmed to
    /// `length` minimum blocks.
    #[inline(always)]
    fn split_for(&mut self, search_order: u32, order: u32, length: u64) -> Option<u64> {
        if search_order > self.tree.layout().top_order() {
            return None;
        }
        if !self.tree.has_free(search_order) {
            self.merge_waiting_for(search_order)?;
        }
        if self.tree.words().is_sparse() && !self.tree.prepare(search_order, length) {
            return None;
        }
        let Taken { index, split_count } = self.tree.take(search_order, order);
        if split_count > 0 {
            self.counters.split_count += u64::from(split_count);
        }
        Some(index)
    }

    /// Merges the block that waits, if a free block of `order` or above comes of it; `None`, and
    /// nothing has changed, if not.
    #[cold]
    #[inline(never)]
    fn merge_waiting_for(&mut self, order: u32) -> Option<()> {
        self.merged().filter(|merged| merged.order >= order)?;
        self.merge_waiting();
        Some(())
    }

    /// Merges the block that waits. There must be one.
    fn merge_waiting(&mut self) {
        let Waiting { order, index } = self.waiting;
        self.waiting = Waiting::NONE;
        if self.tree.layout().trims() {
            self.tree.set_head(index << order, false);
        }
        let merge_count = self.tree.give(order, index);
        self.counters.merge_count += u64::from(merge_count);
    }

    /// Frees what `offset` and `size` name; `false`, and nothing has changed, if that is not
    /// exactly a live allocation.
    #[inline]
    fn take_back(&mut self, offset: u64, size: u64) -> bool {
        if self.tree.layout().trims() {
            return self.take_back_trimmed(offset, size);
        }
        let Some((order, index)) = self.taken_block(offset, size) else {
            return false;
        };
        let (mut merged_order, mut merged_index) = (order, index);
        if self.waits {
            (merged_order, merged_index) = (self.waiting.order, self.waiting.index);
            if (merged_order, merged_index) == (order, index) {
                return false;
            }
            (self.waiting.order, self.waiting.index) = (order, index);
        }
        if merged_order != Waiting::NONE.order {
            let merge_count = self.tree.give(merged_order, merged_index);
            self.counters.merge_count += u64::from(merge_count);
        }
        self.counters.count_freed(size);
        true
    }

    /// The order and index of the block that `offset` and `size` name, if the bits have it as
    /// taken: it is a live allocation, or waits. For a region that does not trim.
    #[inline(always)]
    fn taken_block(&self, offset: u64, size: u64) -> Option<(u32, u64)> {
        let layout = self.tree.layout();
        let shift = size.trailing_zeros();
        let min_shift = layout.min_shift();
        // A size of zero is not a power of two, so `shift` is below 64 where it is used.
        if !size.is_power_of_two() || shift < min_shift || offset & (size - 1) != 0 {
            return None;
        }
        let (order, index) = (shift - min_shift, offset >> shift);
        let is_inside = order <= layout.top_order() && index < layout.order_block_count(order);
        (is_inside && self.tree.is_taken(order, index)).then_some((order, index))
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

/// Whether `alignment` is a power of two, or zero.
#[inline]
const fn is_alignment(alignment: u64) -> bool {
    alignment & alignment.wrapping_sub(1) == 0
}

//! Limits of heaps and of the device, calls in flight included.
//!
//! Basic design: for each heap one counter of all bytes that may be at the driver (held, on their
//! way in, on their way out) is raised by compare-and-swap only as far as the limit allows, so the
//! limit holds at every instant, from any number of threads, without a lock. The other counters
//! only say which part of those bytes is in which state.
//!
//! The driver's budget is soft: it is what the driver said some time ago, plus what changed in our own
//! books since. A reservation asks for it first; who has tried everything else reserves over budget.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use smallvec::SmallVec;

use crate::limits::{DeviceLimits, HeapBudget, HeapLimits, HeapUsage};
use crate::{BlockRequest, ConfigError, LimitError, Reservation, ReturnedBlock};

/// `VK_MAX_MEMORY_HEAPS`.
const MAX_HEAPS: usize = 16;

/// One heap's counters.
#[derive(Debug, Default)]
struct HeapBook {
    limits: HeapLimits,
    /// committed + reserved + returning + external; never above `limits.limit`, except by external
    /// bytes, which exist already when they are told.
    in_use: AtomicU64,
    reserved: AtomicU64,
    returning: AtomicU64,
    external: AtomicU64,
    block_count: AtomicU32,
    /// Bytes that may be in use before the driver would rather not, by the driver; 0: not known.
    driver_budget: AtomicU64,
    /// Bytes that everybody else used when the driver was asked.
    others_usage: AtomicU64,
}

/// The limits of a device and its heaps, shared by all pools and threads.
///
/// Atomics only: nothing here waits.
#[derive(Debug)]
pub struct HeapBudgets {
    heaps: SmallVec<[HeapBook; MAX_HEAPS]>,
    max_object_count: u32,
    max_memory_allocation_size: u64,
    /// Memory objects that exist, are being made, are being freed, or are external.
    object_count: AtomicU32,
}

impl HeapBudgets {
    /// Empty books for the heaps of a device, in Vulkan's order.
    ///
    /// # Errors
    ///
    /// [`ConfigError::TooManyHeaps`] for more than 16.
    pub fn new(device: DeviceLimits, heaps: &[HeapLimits]) -> Result<Self, ConfigError> {
        if heaps.len() > MAX_HEAPS {
            return Err(ConfigError::TooManyHeaps { heap_count: heaps.len() });
        }
        let books = heaps.iter().map(|&limits| HeapBook { limits, ..HeapBook::default() });
        Ok(Self {
            heaps: books.collect(),
            max_object_count: device
                .max_memory_allocation_count
                .saturating_sub(device.allocation_count_head_room),
            max_memory_allocation_size: device.max_memory_allocation_size,
            object_count: AtomicU32::new(0),
        })
    }

    /// Takes the bytes and the memory object that `request` needs out of what is left, within the
    /// driver's budget.
    ///
    /// The reservation is undone when it is dropped, and becomes permanent in
    /// [`MemoryPool::add_block`](crate::MemoryPool::add_block).
    ///
    /// # Errors
    ///
    /// The [`LimitError`] that the memory object would break; nothing is reserved then. A smaller
    /// block helps against all but [`LimitError::BlockCount`] and [`LimitError::AllocationCount`];
    /// [`reserve_over_budget`](Self::reserve_over_budget) against [`LimitError::Budget`].
    pub fn reserve(self: &Arc<Self>, request: &BlockRequest) -> Result<Reservation, LimitError> {
        let (heap_index, size) = (request.heap_index(), request.size());
        let HeapBudget { budget, usage } = self.budget_of(self.book(heap_index)?);
        let reservation = self.reserve_over_budget(request)?;
        // Two threads may both find room and pass the budget together: it is soft, and a driver's
        // figure that is a while old.
        if usage.saturating_add(size) > budget {
            return Err(LimitError::Budget { heap_index, size, usage, budget });
        }
        Ok(reservation)
    }

    /// [`reserve`](Self::reserve) without a look at the driver's budget: hard limits only.
    ///
    /// # Errors
    ///
    /// Those of [`reserve`](Self::reserve), but for [`LimitError::Budget`].
    pub fn reserve_over_budget(
        self: &Arc<Self>,
        request: &BlockRequest,
    ) -> Result<Reservation, LimitError> {
        let heap_index = request.heap_index();
        let size = request.size();
        let book = self.book(heap_index)?;
        self.check_size(heap_index, book, size)?;
        raise(&self.object_count, 1, self.max_object_count)
            .map_err(|_| LimitError::AllocationCount { limit: self.max_object_count })?;
        if !request.is_dedicated() {
            let limit = book.limits.max_block_count.unwrap_or(u32::MAX);
            if raise(&book.block_count, 1, limit).is_err() {
                self.object_count.fetch_sub(1, Ordering::Relaxed);
                return Err(LimitError::BlockCount { heap_index, limit });
            }
        }
        let limit = book.limits.limit.unwrap_or(u64::MAX);
        if let Err(in_use) = raise_bytes(&book.in_use, size, limit) {
            self.object_count.fetch_sub(1, Ordering::Relaxed);
            if !request.is_dedicated() {
                book.block_count.fetch_sub(1, Ordering::Relaxed);
            }
            return Err(LimitError::HeapLimit { heap_index, size, in_use, limit });
        }
        book.reserved.fetch_add(size, Ordering::Relaxed);
        Ok(Reservation::new(Arc::clone(self), heap_index, size, request.is_dedicated()))
    }

    /// Whether a memory object of `size` bytes could ever be reserved, were nothing else there.
    ///
    /// # Errors
    ///
    /// [`LimitError::AllocationSize`], [`LimitError::HeapSize`], [`LimitError::HeapLimit`] or
    /// [`LimitError::NoSuchHeap`].
    pub fn check_block_size(&self, heap_index: u32, size: u64) -> Result<(), LimitError> {
        let book = self.book(heap_index)?;
        let limit = book.limits.limit.unwrap_or(u64::MAX);
        if size > limit {
            return Err(LimitError::HeapLimit { heap_index, size, in_use: 0, limit });
        }
        self.check_size(heap_index, book, size)
    }

    /// Tells what the driver says of a heap now (`VK_EXT_memory_budget`): how much may be in use, and
    /// how much is, by everybody.
    ///
    /// A `budget` of 0 means that the driver does not know. Does nothing for a heap that does not
    /// exist.
    pub fn set_driver_budget(&self, heap_index: u32, budget: u64, usage: u64) {
        let Some(book) = self.heaps.get(heap_index as usize) else { return };
        let ours = book.in_use.load(Ordering::Relaxed);
        book.others_usage.store(usage.saturating_sub(ours), Ordering::Relaxed);
        book.driver_budget.store(budget, Ordering::Relaxed);
    }

    /// The soft limit of a heap and what is in use; `None` for a heap that does not exist.
    #[must_use]
    pub fn budget(&self, heap_index: u32) -> Option<HeapBudget> {
        Some(self.budget_of(self.heaps.get(heap_index as usize)?))
    }

    /// Whether a quarter of each hard limit is left when the block is there, too: of the user's bytes and blocks of
    /// its heap, and of the device's memory objects. For a block that no request depends on.
    #[must_use]
    pub fn leaves_room(&self, request: &BlockRequest) -> bool {
        let Ok(book) = self.book(request.heap_index()) else { return false };
        let bytes = book.in_use.load(Ordering::Relaxed).saturating_add(request.size());
        let blocks = book.block_count.load(Ordering::Relaxed).saturating_add(1);
        let objects = self.object_count().saturating_add(1);
        let most_blocks = book.limits.max_block_count.unwrap_or(u32::MAX);
        bytes <= three_quarters(book.limits.limit.unwrap_or(u64::MAX))
            && u64::from(blocks) <= three_quarters(most_blocks.into())
            && u64::from(objects) <= three_quarters(self.max_object_count.into())
    }

    /// Takes a block out of the books, after the driver has freed it. A lease is in the books of its
    /// lender's block, so nothing happens for one.
    ///
    /// # Panics
    ///
    /// If the block is of a pool with other budgets.
    pub fn released(&self, block: ReturnedBlock) {
        if block.lease.is_some() {
            return;
        }
        assert!(block.is_of(self), "a block goes back to the budgets of its pool");
        let book = &self.heaps[block.heap_index() as usize];
        book.returning.fetch_sub(block.size(), Ordering::Relaxed);
        self.forget(block.heap_index(), block.size(), block.is_dedicated());
    }

    /// Counts a memory object that was made elsewhere.
    ///
    /// It exists already, so no limit refuses it; it counts against every limit from now on.
    ///
    /// # Errors
    ///
    /// [`LimitError::NoSuchHeap`], and [`LimitError::HeapSize`] for more bytes than the heap has.
    pub fn adopt_external(&self, heap_index: u32, size: u64) -> Result<(), LimitError> {
        let book = self.book(heap_index)?;
        if size > book.limits.size {
            let heap_size = book.limits.size;
            return Err(LimitError::HeapSize { heap_index, size, heap_size });
        }
        book.in_use.fetch_add(size, Ordering::Relaxed);
        book.external.fetch_add(size, Ordering::Relaxed);
        self.object_count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Stops counting a memory object that [`adopt_external`](Self::adopt_external) has counted.
    ///
    /// # Errors
    ///
    /// [`LimitError::NoSuchHeap`].
    pub fn forget_external(&self, heap_index: u32, size: u64) -> Result<(), LimitError> {
        let book = self.book(heap_index)?;
        book.external.fetch_sub(size, Ordering::Relaxed);
        self.forget(heap_index, size, true);
        Ok(())
    }

    /// What stands in the books of a heap; `None` for a heap that does not exist.
    #[must_use]
    pub fn usage(&self, heap_index: u32) -> Option<HeapUsage> {
        let book = self.heaps.get(heap_index as usize)?;
        let reserved = book.reserved.load(Ordering::Relaxed);
        let returning = book.returning.load(Ordering::Relaxed);
        let external = book.external.load(Ordering::Relaxed);
        let elsewhere = reserved.saturating_add(returning).saturating_add(external);
        Some(HeapUsage {
            // Saturating: another thread may move bytes between the loads.
            committed: book.in_use.load(Ordering::Relaxed).saturating_sub(elsewhere),
            reserved,
            returning,
            external,
            block_count: book.block_count.load(Ordering::Relaxed),
        })
    }

    /// Memory objects that exist, are being made or freed, or are external.
    #[must_use]
    pub fn object_count(&self) -> u32 {
        self.object_count.load(Ordering::Relaxed)
    }

    /// The number of heaps.
    #[must_use]
    pub fn heap_count(&self) -> u32 {
        // At most 16, by the check in `new`.
        u32::try_from(self.heaps.len()).unwrap_or(u32::MAX)
    }

    /// The limits a heap was given; `None` for a heap that does not exist.
    #[must_use]
    pub fn heap_limits(&self, heap_index: u32) -> Option<HeapLimits> {
        Some(self.heaps.get(heap_index as usize)?.limits)
    }

    fn book(&self, heap_index: u32) -> Result<&HeapBook, LimitError> {
        self.heaps.get(heap_index as usize).ok_or(LimitError::NoSuchHeap { heap_index })
    }

    fn budget_of(&self, book: &HeapBook) -> HeapBudget {
        let ours = book.in_use.load(Ordering::Relaxed);
        let usage = ours.saturating_add(book.others_usage.load(Ordering::Relaxed));
        let size = book.limits.size;
        let budget = match book.driver_budget.load(Ordering::Relaxed) {
            // Without a figure: some of the heap is used by others, and some by the driver itself.
            0 => size - size / 5,
            budget => budget.min(size),
        };
        HeapBudget { budget, usage }
    }

    fn check_size(&self, heap_index: u32, book: &HeapBook, size: u64) -> Result<(), LimitError> {
        if size > self.max_memory_allocation_size {
            return Err(LimitError::AllocationSize {
                size,
                limit: self.max_memory_allocation_size,
            });
        }
        if size > book.limits.size {
            return Err(LimitError::HeapSize { heap_index, size, heap_size: book.limits.size });
        }
        Ok(())
    }

    /// The bytes of a reservation belong to a block that exists now.
    pub(crate) fn commit(&self, heap_index: u32, size: u64) {
        self.heaps[heap_index as usize].reserved.fetch_sub(size, Ordering::Relaxed);
    }

    /// A reservation was dropped.
    pub(crate) fn unreserve(&self, heap_index: u32, size: u64, dedicated: bool) {
        self.heaps[heap_index as usize].reserved.fetch_sub(size, Ordering::Relaxed);
        self.forget(heap_index, size, dedicated);
    }

    /// A pool has given a block up; the driver still holds it.
    pub(crate) fn returning(&self, heap_index: u32, size: u64) {
        self.heaps[heap_index as usize].returning.fetch_add(size, Ordering::Relaxed);
    }

    fn forget(&self, heap_index: u32, size: u64, dedicated: bool) {
        let book = &self.heaps[heap_index as usize];
        book.in_use.fetch_sub(size, Ordering::Relaxed);
        self.object_count.fetch_sub(1, Ordering::Relaxed);
        if !dedicated {
            book.block_count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn three_quarters(limit: u64) -> u64 {
    limit - limit.div_ceil(4)
}

/// Adds `amount` if the sum stays within `limit`; else answers the value that stands there.
fn raise(counter: &AtomicU32, amount: u32, limit: u32) -> Result<u32, u32> {
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |value| {
        value.checked_add(amount).filter(|&sum| sum <= limit)
    })
}

/// [`raise`] for bytes.
fn raise_bytes(counter: &AtomicU64, amount: u64, limit: u64) -> Result<u64, u64> {
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |value| {
        value.checked_add(amount).filter(|&sum| sum <= limit)
    })
}

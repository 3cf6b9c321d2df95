//! A region and the memory behind it: offsets become addresses here, and back.

use core::cell::RefCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use allocator_api2::alloc::{AllocError, Layout};

use super::config::{ArenaConfig, ArenaError};
use super::place::{Placed, place, place_apart};
use crate::block::{BuddyBlock, BuddyStats};
use crate::error::ResizeError;
use crate::storage::Fixed;
use crate::{BuddyAllocator, FreeError};

/// A region with its bytes. It has no lock; see [`Exclusive`].
pub(super) struct Heap<'m> {
    /// Which blocks are taken.
    region: BuddyAllocator<Fixed<'m>>,
    /// Where offset 0 is: a multiple of `max_alignment`, with provenance over the region's bytes.
    base: NonNull<u8>,
    /// Larger alignments are refused, as `base` need not have them.
    max_alignment: usize,
    /// The bytes are lent for `'m`.
    memory: PhantomData<&'m mut [MaybeUninit<u8>]>,
}

// SAFETY: `base` stands for a `&'m mut [MaybeUninit<u8>]`, which may be sent; nothing else of the
// heap is tied to a thread.
unsafe impl Send for Heap<'_> {}

impl<'m> Heap<'m> {
    pub(super) fn new(
        memory: &'m mut [MaybeUninit<u8>],
        config: ArenaConfig,
    ) -> Result<Self, ArenaError> {
        Ok(Self::over(place(memory, config)?, config))
    }

    pub(super) fn with_words(
        memory: &'m mut [MaybeUninit<u8>],
        words: &'m mut [u64],
        config: ArenaConfig,
    ) -> Result<Self, ArenaError> {
        Ok(Self::over(place_apart(memory, words, config)?, config))
    }

    fn over(placed: Placed<'m>, config: ArenaConfig) -> Self {
        let Placed { region: bytes, words } = placed;
        let min_block_size = config.min_block_size as u64;
        let region = BuddyAllocator::with_words(bytes.len() as u64, min_block_size, words)
            .expect("the words are as many as a region of these sizes needs");
        let base = NonNull::from(bytes).cast();
        Self { region, base, max_alignment: config.max_alignment, memory: PhantomData }
    }

    pub(super) fn region(&self) -> &BuddyAllocator<Fixed<'m>> {
        &self.region
    }

    /// Frees everything. Whoever calls this has proven by `&mut` that nothing is in use.
    pub(super) fn reset(&mut self) {
        self.region.reset();
    }

    /// A block that holds the layout, whose size is not zero.
    #[inline]
    pub(super) fn allocate(&mut self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if layout.align() > self.max_alignment {
            return Err(AllocError);
        }
        let block = self.region.allocate_aligned(layout.size() as u64, layout.align() as u64);
        block.map(|block| self.bytes(block)).map_err(|_| AllocError)
    }

    /// Frees a block.
    ///
    /// # Safety
    ///
    /// 1. `ptr` denotes a block currently allocated by this heap.
    /// 2. `layout` fits that block; its size is not zero.
    ///
    /// # Panics
    ///
    /// If the region has no such block; nothing has changed then.
    #[inline]
    pub(super) unsafe fn deallocate(&mut self, ptr: NonNull<u8>, layout: Layout) {
        let block = self.block(ptr, layout);
        if let Err(FreeError::NotAllocated { offset, size }) = self.region.free(block) {
            broken_contract(offset, size);
        }
    }

    /// Resizes a block in place so that it holds `new_layout`, whose size is not zero. `None`: it
    /// cannot stay where it is, and is as it was.
    ///
    /// # Safety
    ///
    /// Those of [`deallocate`](Self::deallocate) for `layout`. If a block is returned, it takes
    /// the place of the one that `ptr` denotes: bytes beyond its end are no longer the caller's.
    ///
    /// # Panics
    ///
    /// As [`deallocate`](Self::deallocate).
    #[inline]
    pub(super) unsafe fn resize(
        &mut self,
        ptr: NonNull<u8>,
        layout: Layout,
        new_layout: Layout,
    ) -> Option<NonNull<[u8]>> {
        let alignment = new_layout.align();
        if alignment > self.max_alignment || ptr.addr().get() & (alignment - 1) != 0 {
            return None;
        }
        let block = self.block(ptr, layout);
        match self.region.resize(block, new_layout.size() as u64) {
            Ok(block) => Some(self.bytes(block)),
            Err(ResizeError::NotAllocated { offset, size }) => broken_contract(offset, size),
            Err(_) => None,
        }
    }

    /// The memory of a live block.
    #[inline]
    fn bytes(&self, block: BuddyBlock) -> NonNull<[u8]> {
        let inside = "a block lies inside a slice of bytes, whose length is a `usize`";
        let offset = usize::try_from(block.offset).expect(inside);
        let size = usize::try_from(block.size).expect(inside);
        // SAFETY: the offset is below the region's size, which is at most the count of bytes that
        // `base` has provenance over.
        let start = unsafe { self.base.add(offset) };
        NonNull::slice_from_raw_parts(start, size)
    }

    /// The block that a pointer denotes if the layout fits it; anything if it does not.
    #[inline]
    fn block(&self, ptr: NonNull<u8>, layout: Layout) -> BuddyBlock {
        // A pointer from elsewhere may wrap around, which is no offset of this region: they are
        // all below `isize::MAX`.
        let offset = ptr.addr().get().wrapping_sub(self.base.addr().get());
        // The size of a layout is at most `isize::MAX`, so its power of two is a `u64`.
        let size = (layout.size() as u64).next_power_of_two().max(self.region.min_block_size());
        BuddyBlock { offset: offset as u64, size }
    }

    /// What `Debug` says of an arena of the given name.
    pub(super) fn describe(&self, name: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats: BuddyStats = self.region.stats();
        formatter
            .debug_struct(name)
            .field("base", &self.base)
            .field("min_block_size", &self.region.min_block_size())
            .field("max_alignment", &self.max_alignment)
            .field("largest_free_block", &self.region.largest_free_block())
            .field("stats", &stats)
            .finish_non_exhaustive()
    }
}

/// Ends a call that broke its contract. To go on would be to hand out memory that is in use.
#[cold]
fn broken_contract(offset: u64, size: u64) -> ! {
    panic!(
        "contract of `Allocator`: no block of {size} bytes is allocated at offset {offset} of the \
         arena; it was freed twice, or is another's, or the layout is not its own"
    );
}

/// Something that lets one caller at a time at a heap.
///
/// What is passed in is this module's code only: it calls the heap, and nothing of the user's.
pub(super) trait Exclusive<'m> {
    /// Runs `act` while nobody else has the heap.
    fn with<T>(&self, act: impl FnOnce(&mut Heap<'m>) -> T) -> T;
}

impl<'m> Exclusive<'m> for RefCell<Heap<'m>> {
    #[inline]
    fn with<T>(&self, act: impl FnOnce(&mut Heap<'m>) -> T) -> T {
        act(&mut self.borrow_mut())
    }
}

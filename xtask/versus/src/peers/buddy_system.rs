//! buddy_system_allocator: its heap, and its allocator of frame numbers.

use std::alloc::Layout;
use std::ptr::NonNull;

use buddy_system_allocator::{FrameAllocator, Heap as BuddyHeap};

use super::arena::Lent;
use super::{Core, Region};
use crate::program::UNIT;

/// Free lists inside host memory, unsorted.
pub(super) struct Heap {
    heap: BuddyHeap<33>,
    arena: Lent,
}

impl Core for Heap {
    type Handle = (NonNull<u8>, Layout);

    fn new(region: Region) -> Self {
        let size = usize::try_from(region.size).expect("a 64-bit host");
        let arena = Lent::new(size);
        let mut heap = BuddyHeap::empty();
        // SAFETY: The arena is valid memory of at least this size, lent until this value is dropped.
        unsafe { heap.init(arena.start().addr().get(), size) };
        Self { heap, arena }
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<Self::Handle> {
        let size = usize::try_from(size).ok()?;
        let layout = Layout::from_size_align(size, usize::try_from(alignment).ok()?).ok()?;
        Some((self.heap.alloc(layout).ok()?, layout))
    }

    fn free(&mut self, (address, layout): Self::Handle) {
        // SAFETY: The block is of this heap, lives, and was made with this layout.
        unsafe { self.heap.dealloc(address, layout) };
    }

    fn extent(&self, handle: &Self::Handle, asked: u64) -> (u64, u64) {
        let start = self.arena.start().addr().get();
        (handle.0.addr().get().wrapping_sub(start) as u64, asked)
    }
}

/// Sorted trees of frame numbers; a frame is 256 bytes.
pub(super) struct Frames(FrameAllocator<33>);

impl Core for Frames {
    type Handle = (usize, Layout);

    fn new(region: Region) -> Self {
        let frames = usize::try_from(region.size / u64::from(UNIT)).expect("a 64-bit host");
        let mut allocator = FrameAllocator::new();
        allocator.add_frame(0, frames);
        Self(allocator)
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<Self::Handle> {
        let frames = |bytes: u64| usize::try_from(bytes / u64::from(UNIT)).ok();
        let layout = Layout::from_size_align(frames(size)?, frames(alignment)?).ok()?;
        Some((self.0.alloc_aligned(layout)?, layout))
    }

    fn free(&mut self, (start, layout): Self::Handle) {
        self.0.dealloc_aligned(start, layout);
    }

    fn extent(&self, handle: &Self::Handle, _: u64) -> (u64, u64) {
        let (start, layout) = handle;
        let frames = layout.size().next_power_of_two().max(layout.align());
        (*start as u64 * u64::from(UNIT), frames as u64 * u64::from(UNIT))
    }
}

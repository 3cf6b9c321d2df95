//! Host memory for the peers that keep their books inside what they manage.
//!
//! One arena for the process, made once in the largest size asked so far and lent to one region at a
//! time; every page of it has been touched, so that no peer pays for the operating system.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The largest region that is given host memory.
pub(crate) const LARGEST: u64 = 1 << 30;

const PAGE: usize = 4096;

static ARENA: Mutex<Arena> = Mutex::new(Arena { start: None, size: 0 });

/// Memory of `size` bytes, aligned to `size`.
pub(super) struct Arena {
    start: Option<NonNull<u8>>,
    size: usize,
}

// SAFETY: The arena owns its memory; nobody else has a pointer to it but who holds the lock.
unsafe impl Send for Arena {}

/// The loan of an arena of at least the size asked, aligned to that size.
pub(super) struct Lent(MutexGuard<'static, Arena>);

impl Lent {
    /// Borrows `size` bytes, a power of two; waits until no other region has them.
    pub(super) fn new(size: usize) -> Self {
        let mut arena = ARENA.lock().unwrap_or_else(PoisonError::into_inner);
        if arena.size < size {
            arena.grow(size);
        }
        Self(arena)
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.0.start.expect("a lent arena has memory")
    }
}

impl Arena {
    fn grow(&mut self, size: usize) {
        if let Some(start) = self.start.take() {
            // SAFETY: It was allocated with this layout, below, and nothing points to it.
            unsafe { dealloc(start.as_ptr(), Self::layout(self.size)) };
        }
        let layout = Self::layout(size);
        // SAFETY: The size of the layout is not zero.
        let start = unsafe { alloc_zeroed(layout) };
        let start = NonNull::new(start).unwrap_or_else(|| handle_alloc_error(layout));
        for at in (0..size).step_by(PAGE) {
            // SAFETY: `at` lies inside the allocation.
            let byte = unsafe { start.add(at) };
            // SAFETY: The byte is valid for writes; volatile, so that the touch is not optimised away.
            unsafe { byte.write_volatile(1) };
        }
        *self = Self { start: Some(start), size };
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, size).expect("a power of two below half the address space")
    }
}

//! The `Allocator` trait for both arenas: what is zero-sized, what stays, what moves.

use core::num::NonZeroUsize;
use core::ptr::NonNull;

use allocator_api2::alloc::{AllocError, Allocator, Layout};
use lock_api::RawMutex;

use super::heap::Exclusive;
use super::{Arena, LockedArena};

/// No bytes at an aligned address that is nobody's.
fn no_bytes(layout: Layout) -> NonNull<[u8]> {
    let address = NonZeroUsize::new(layout.align()).expect("an alignment is a power of two");
    NonNull::slice_from_raw_parts(NonNull::without_provenance(address), 0)
}

#[inline]
fn allocate<'m>(heap: &impl Exclusive<'m>, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
    if layout.size() == 0 {
        return Ok(no_bytes(layout));
    }
    heap.with(|heap| heap.allocate(layout))
}

/// # Safety
///
/// 1. `ptr` denotes a block currently allocated by this heap.
/// 2. `layout` fits that block.
#[inline]
unsafe fn deallocate<'m>(heap: &impl Exclusive<'m>, ptr: NonNull<u8>, layout: Layout) {
    if layout.size() != 0 {
        // SAFETY: clauses 1 and 2 are the caller's, and the size is not zero.
        heap.with(|heap| unsafe { heap.deallocate(ptr, layout) });
    }
}

/// Resizes in place, or moves what is there. On an error the old block is as it was.
///
/// # Safety
///
/// 1. `ptr` denotes a block currently allocated by this heap.
/// 2. `layout` fits that block; its size is not zero, nor is that of `new_layout`.
#[inline]
unsafe fn reallocate<'m>(
    heap: &impl Exclusive<'m>,
    ptr: NonNull<u8>,
    layout: Layout,
    new_layout: Layout,
) -> Result<NonNull<[u8]>, AllocError> {
    let (new, has_moved) = heap.with(|heap| {
        // SAFETY: clauses 1 and 2 are the caller's; the old pointer is not used if it succeeds.
        match unsafe { heap.resize(ptr, layout, new_layout) } {
            Some(block) => Ok((block, false)),
            None => heap.allocate(new_layout).map(|block| (block, true)),
        }
    })?;
    if has_moved {
        let byte_count = layout.size().min(new_layout.size());
        // SAFETY: both blocks are allocated, so they do not overlap, and no one but the caller,
        // and this call, uses their bytes. Each holds its layout, and so this many bytes.
        unsafe { ptr.copy_to_nonoverlapping(new.cast(), byte_count) };
        // SAFETY: clauses 1 and 2 are the caller's, and still hold.
        unsafe { deallocate(heap, ptr, layout) };
    }
    Ok(new)
}

/// # Safety
///
/// 1. `ptr` denotes a block currently allocated by this heap.
/// 2. `layout` fits that block.
/// 3. The size of `new_layout` is not below that of `layout`.
#[inline]
unsafe fn grow<'m>(
    heap: &impl Exclusive<'m>,
    ptr: NonNull<u8>,
    layout: Layout,
    new_layout: Layout,
) -> Result<NonNull<[u8]>, AllocError> {
    debug_assert!(new_layout.size() >= layout.size(), "what grows does not get smaller");
    if layout.size() == 0 {
        return allocate(heap, new_layout);
    }
    // SAFETY: clauses 1 and 2 are the caller's; by clause 3 the new size is not zero either.
    unsafe { reallocate(heap, ptr, layout, new_layout) }
}

/// # Safety
///
/// Those of [`grow`].
#[inline]
unsafe fn grow_zeroed<'m>(
    heap: &impl Exclusive<'m>,
    ptr: NonNull<u8>,
    layout: Layout,
    new_layout: Layout,
) -> Result<NonNull<[u8]>, AllocError> {
    // SAFETY: the clauses are the caller's.
    let block = unsafe { grow(heap, ptr, layout, new_layout)? };
    // The block holds the new layout, whose size is not below the old one, by clause 3.
    let byte_count = block.len() - layout.size();
    // SAFETY: by the same, the bytes from the old size on are inside the block.
    let added = unsafe { block.cast::<u8>().add(layout.size()) };
    // SAFETY: they end where the block ends, and the block is nobody's yet.
    unsafe { added.write_bytes(0, byte_count) };
    Ok(block)
}

/// # Safety
///
/// 1. `ptr` denotes a block currently allocated by this heap.
/// 2. `layout` fits that block.
/// 3. The size of `new_layout` is not above that of `layout`.
#[inline]
unsafe fn shrink<'m>(
    heap: &impl Exclusive<'m>,
    ptr: NonNull<u8>,
    layout: Layout,
    new_layout: Layout,
) -> Result<NonNull<[u8]>, AllocError> {
    debug_assert!(new_layout.size() <= layout.size(), "what shrinks does not get larger");
    if new_layout.size() == 0 {
        // SAFETY: clauses 1 and 2 are the caller's.
        unsafe { deallocate(heap, ptr, layout) };
        return Ok(no_bytes(new_layout));
    }
    // SAFETY: clauses 1 and 2 are the caller's; by clause 3 the old size is not zero either.
    unsafe { reallocate(heap, ptr, layout, new_layout) }
}

/// The trait's methods, all of them by the functions above.
macro_rules! methods {
    () => {
        #[inline]
        fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
            allocate(&self.heap, layout)
        }

        #[inline]
        unsafe fn deallocate(&self, ptr: NonNull<u8>, layout: Layout) {
            // SAFETY: the trait's clauses are those of the function.
            unsafe { deallocate(&self.heap, ptr, layout) }
        }

        #[inline]
        unsafe fn grow(
            &self,
            ptr: NonNull<u8>,
            layout: Layout,
            new_layout: Layout,
        ) -> Result<NonNull<[u8]>, AllocError> {
            // SAFETY: the trait's clauses are those of the function.
            unsafe { grow(&self.heap, ptr, layout, new_layout) }
        }

        #[inline]
        unsafe fn grow_zeroed(
            &self,
            ptr: NonNull<u8>,
            layout: Layout,
            new_layout: Layout,
        ) -> Result<NonNull<[u8]>, AllocError> {
            // SAFETY: the trait's clauses are those of the function.
            unsafe { grow_zeroed(&self.heap, ptr, layout, new_layout) }
        }

        #[inline]
        unsafe fn shrink(
            &self,
            ptr: NonNull<u8>,
            layout: Layout,
            new_layout: Layout,
        ) -> Result<NonNull<[u8]>, AllocError> {
            // SAFETY: the trait's clauses are those of the function.
            unsafe { shrink(&self.heap, ptr, layout, new_layout) }
        }
    };
}

// SAFETY: the trait asks for three things.
// 1. A block is valid until the allocator and its clones are gone: these are borrows of the
//    arena, and the bytes are lent to the arena for longer than it can be borrowed. A reset needs
//    the arena unborrowed.
// 2. Moving or cloning the allocator leaves blocks valid: the bytes are not in the arena, and a
//    copy of the borrow is the same arena.
// 3. A block that is allocated can be handed to any method: they all know it by address and size.
unsafe impl Allocator for &Arena<'_> {
    methods!();
}

// SAFETY: as for `Arena`; the lock makes changes from several threads one after the other.
unsafe impl<R: RawMutex> Allocator for &LockedArena<'_, R> {
    methods!();
}

//! rlsf: a two-level segregated fit with headers in the memory it manages.
//!
//! A reference for time only: GPU memory has no place for headers, and asked for 256-byte alignment it
//! would double small blocks, so it is asked for 16.

use std::alloc::Layout;
use std::ptr::NonNull;

use rlsf::Tlsf;

use super::arena::Lent;
use super::{Core, Region};

const ALIGNMENT: usize = 16;

pub(super) struct Rlsf {
    tlsf: Tlsf<'static, u32, u32, 28, 32>,
    arena: Lent,
}

impl Core for Rlsf {
    type Handle = NonNull<u8>;

    fn new(region: Region) -> Self {
        let size = usize::try_from(region.size).expect("a 64-bit host");
        let arena = Lent::new(size);
        let mut tlsf = Tlsf::new();
        let pool = NonNull::slice_from_raw_parts(arena.start(), size);
        // SAFETY: The arena is valid memory of at least this size, lent until this value is dropped.
        let inserted = unsafe { tlsf.insert_free_block_ptr(pool) };
        inserted.expect("the arena is large enough for a block");
        Self { tlsf, arena }
    }

    fn allocate(&mut self, size: u64, _: u64) -> Option<Self::Handle> {
        let layout = Layout::from_size_align(usize::try_from(size).ok()?, ALIGNMENT).ok()?;
        self.tlsf.allocate(layout)
    }

    fn free(&mut self, handle: Self::Handle) {
        // SAFETY: The block is of this pool, lives, and was made with this alignment.
        unsafe { self.tlsf.deallocate(handle, ALIGNMENT) };
    }

    fn extent(&self, handle: &Self::Handle, asked: u64) -> (u64, u64) {
        let start = self.arena.start().addr().get();
        (handle.addr().get().wrapping_sub(start) as u64, asked)
    }

    fn honoured(alignment: u64) -> u64 {
        alignment.min(ALIGNMENT as u64)
    }
}

//! Zeroed host memory, page-aligned, which costs nothing until it is touched.
//!
//! Basic design: zeroed memory is asked of the host's allocator with a small alignment and a page
//! more than needed, and the first page boundary in it is used. A request with a large alignment
//! would be zeroed by hand; this one comes untouched from the operating system when it is large, so
//! that a mapping of gibibytes costs nothing until it is written.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::{self, NonNull};

/// The alignment of the memory's first byte: `minMemoryMapAlignment`.
pub(crate) const MAP_ALIGNMENT: usize = 4096;

/// Zeroed host memory, freed when dropped.
#[derive(Debug)]
pub(crate) struct HostMemory {
    base: NonNull<u8>,
    layout: Layout,
    /// Where the first page boundary is; less than `MAP_ALIGNMENT`.
    start: usize,
}

// SAFETY: the memory belongs to this value alone and is tied to no thread.
unsafe impl Send for HostMemory {}

impl HostMemory {
    /// `size` zeroed bytes; `None` if the host has not as many.
    pub(crate) fn new(size: u64) -> Option<Self> {
        let size = usize::try_from(size).ok()?.checked_add(MAP_ALIGNMENT)?;
        let layout = Layout::from_size_align(size, 16).ok()?;
        // SAFETY: the size is at least `MAP_ALIGNMENT`, not zero.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        let start = base.as_ptr().align_offset(MAP_ALIGNMENT);
        // With 16-byte steps the next boundary is always in reach; this keeps `at` sound even so.
        assert!(start < MAP_ALIGNMENT, "a page has a boundary within its own length");
        Some(Self { base, layout, start })
    }

    /// The address of byte `offset`.
    ///
    /// # Panics
    ///
    /// If `offset` is past the end.
    pub(crate) fn at(&self, offset: u64) -> NonNull<u8> {
        let offset = usize::try_from(offset).expect("the caller checked the offset");
        let size = self.layout.size() - MAP_ALIGNMENT;
        assert!(offset <= size, "offset {offset} of {size} bytes");
        // SAFETY: `start < MAP_ALIGNMENT` and `offset <= size`, so the sum is within the layout's
        // `size + MAP_ALIGNMENT` bytes.
        unsafe { self.base.add(self.start + offset) }
    }

    /// Reads the bytes from `offset` on.
    ///
    /// # Panics
    ///
    /// If they pass the end.
    pub(crate) fn read(&self, offset: u64, out: &mut [u8]) {
        let from = self.span(offset, out.len());
        // SAFETY: `span` checked the range, the bytes are initialised, and nobody has `out`.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), out.as_mut_ptr(), out.len()) };
    }

    /// Writes the bytes from `offset` on.
    ///
    /// # Panics
    ///
    /// If they pass the end.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let to = self.span(offset, bytes.len());
        // SAFETY: `span` checked the range, and `bytes` is borrowed, so it is other memory.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to.as_ptr(), bytes.len()) };
    }

    /// The address of `count` bytes from `offset` on, all within the memory.
    fn span(&self, offset: u64, count: usize) -> NonNull<u8> {
        let end = u64::try_from(count).ok().and_then(|count| offset.checked_add(count));
        self.at(end.expect("a range within an allocation ends below 2^64"));
        self.at(offset)
    }
}

impl Drop for HostMemory {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, and freed once.
        unsafe { dealloc(self.base.as_ptr(), self.layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_aligned_zeroed_and_writable_to_the_last_byte() {
        for size in [1, 4095, 4096, 1 << 20] {
            let memory = HostMemory::new(size).unwrap();
            assert_eq!(memory.at(0).as_ptr().align_offset(MAP_ALIGNMENT), 0);
            let last = memory.at(size - 1);
            // SAFETY: in bounds and initialised by the host's allocator.
            assert_eq!(unsafe { last.read() }, 0);
            // SAFETY: in bounds, and nobody else has the address.
            unsafe { last.write(0xff) };
        }
    }

    #[test]
    fn a_size_that_no_host_has_is_refused() {
        assert!(HostMemory::new(u64::MAX).is_none());
        assert!(HostMemory::new(u64::MAX - 4096).is_none());
        assert!(HostMemory::new(1 << 62).is_none());
    }
}

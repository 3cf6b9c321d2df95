//! Host addresses of mapped memory, and the only copies through them.
#![allow(unsafe_code)]

use core::ptr::NonNull;

/// A host address inside a memory object that stays mapped for its whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MappedPtr(NonNull<u8>);

// SAFETY: It is an address. Every access through it is in an `unsafe` function below, whose callers
// answer for exclusion; the mapping itself belongs to the device, not to a thread.
unsafe impl Send for MappedPtr {}
// SAFETY: As above.
unsafe impl Sync for MappedPtr {}

impl MappedPtr {
    pub(crate) fn new(address: NonNull<u8>) -> Self {
        Self(address)
    }

    pub(crate) fn get(self) -> NonNull<u8> {
        self.0
    }

    /// The address `offset` bytes further.
    ///
    /// # Safety
    ///
    /// 1. The mapping reaches at least `offset` bytes further.
    pub(crate) unsafe fn add(self, offset: u64) -> Self {
        let offset = usize::try_from(offset).expect("a mapping fits into the address space");
        // SAFETY: 1. Promised by our caller: the address stays within the mapping.
        Self(unsafe { self.0.add(offset) })
    }

    /// Copies `bytes` to `offset`.
    ///
    /// # Safety
    ///
    /// 1. The mapping reaches at least `offset + bytes.len()` bytes further.
    /// 2. No other host thread accesses those bytes meanwhile.
    pub(crate) unsafe fn copy_in(self, offset: u64, bytes: &[u8]) {
        // SAFETY: 1. Promised by our caller.
        let target = unsafe { self.add(offset) };
        // SAFETY: The target is valid for the length, by our clause 1, and nobody else touches it, by
        // clause 2. Safe code has no reference into mapped memory, so `bytes` is elsewhere.
        unsafe { target.0.as_ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }

    /// Writes `size` bytes of one value to `offset`.
    ///
    /// # Safety
    ///
    /// 1. The mapping reaches at least `offset + size` bytes further.
    /// 2. No other host thread accesses those bytes meanwhile.
    pub(crate) unsafe fn fill(self, offset: u64, size: u64, byte: u8) {
        let size = usize::try_from(size).expect("a mapping fits into the address space");
        // SAFETY: 1. Promised by our caller.
        let target = unsafe { self.add(offset) };
        // SAFETY: The target is valid for the size, by our clause 1, and nobody else touches it, by
        // clause 2.
        unsafe { target.0.as_ptr().write_bytes(byte, size) };
    }

    /// Copies `size` bytes at `offset` to `target`.
    ///
    /// # Safety
    ///
    /// 1. The mapping reaches at least `offset + size` bytes further.
    /// 2. No other host thread writes those bytes meanwhile.
    /// 3. `target` is valid for writing `size` bytes, and outside of the mapping.
    pub(crate) unsafe fn copy_out(self, offset: u64, target: *mut u8, size: usize) {
        // SAFETY: 1. Promised by our caller.
        let source = unsafe { self.add(offset) };
        // SAFETY: Source and target are valid for the size, by our clauses 1 and 3, nobody writes the
        // source, by clause 2, and they do not overlap, by clause 3.
        unsafe { source.0.as_ptr().copy_to_nonoverlapping(target, size) };
    }
}

//! Getting at what may be lost.
#![allow(unsafe_code)]

use bytemuck::{AnyBitPattern, NoUninit};

use super::{Content, Evictable};
use crate::{AccessError, Allocation, GpuAllocator};

/// An evictable allocation that is there as long as this is.
#[derive(Debug)]
pub struct View<'a, T> {
    allocator: &'a GpuAllocator,
    allocation: &'a Allocation,
    value: &'a T,
}

/// The same, to be written to.
#[derive(Debug)]
pub struct ViewMut<'a, T> {
    allocator: &'a GpuAllocator,
    allocation: &'a mut Allocation,
    value: &'a mut T,
}

impl GpuAllocator {
    /// Says that it is used in a frame. `false` if it is lost, and then it stays so; else it is there in
    /// that frame, and in as many after it as are [kept](super::EvictablePool::frames_kept).
    ///
    /// Takes no lock. A frame before the one that it was used in last changes nothing.
    #[inline]
    pub fn touch<T>(&self, evictable: &Evictable<T>, frame: u64) -> bool {
        evictable.entry.word().touch(frame)
    }

    /// [Touches](Self::touch) it, and shows it to `look`; it is not lost before that has returned. `None`
    /// if it is lost.
    ///
    /// Takes no lock. Several threads may look at once; so many that 2^23 of them would not be counted get
    /// `None`.
    #[inline]
    pub fn with<T, R>(
        &self,
        evictable: &Evictable<T>,
        frame: u64,
        look: impl FnOnce(View<'_, T>) -> R,
    ) -> Option<R> {
        evictable.entry.with(frame, |Content { allocation, value }| {
            look(View { allocator: self, allocation, value })
        })
    }

    /// [`with`](Self::with), to write to it.
    #[inline]
    pub fn with_mut<T, R>(
        &self,
        evictable: &mut Evictable<T>,
        frame: u64,
        change: impl FnOnce(ViewMut<'_, T>) -> R,
    ) -> Option<R> {
        let change = |content: &mut Content<T>| {
            let Content { allocation, value } = content;
            change(ViewMut { allocator: self, allocation, value })
        };
        // SAFETY: 1. Others would need the handle, of which there is one, and which is borrowed.
        unsafe { evictable.entry.with_mut(frame, change) }
    }
}

impl<T> View<'_, T> {
    /// The memory. Nothing of it may be kept for longer than the frame: see clause 3 of
    /// [`begin_frame`](super::EvictablePool::begin_frame).
    pub fn allocation(&self) -> &Allocation {
        self.allocation
    }

    /// What is bound there.
    #[must_use]
    pub fn value(&self) -> &T {
        self.value
    }

    /// [`GpuAllocator::read`].
    ///
    /// # Errors
    ///
    /// [`AccessError`]; `bytes` are untouched then.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<(), AccessError> {
        self.allocator.read(self.allocation, offset, bytes)
    }

    /// [`GpuAllocator::read_slice`].
    ///
    /// # Errors
    ///
    /// [`AccessError`]; `values` are untouched then.
    pub fn read_slice<V: AnyBitPattern>(
        &self,
        offset: u64,
        values: &mut [V],
    ) -> Result<(), AccessError> {
        self.allocator.read_slice(self.allocation, offset, values)
    }
}

impl<T> ViewMut<'_, T> {
    /// The same, for looking only.
    #[must_use]
    pub fn as_view(&self) -> View<'_, T> {
        View { allocator: self.allocator, allocation: self.allocation, value: self.value }
    }

    /// What is bound there.
    #[must_use]
    pub fn value(&mut self) -> &mut T {
        self.value
    }

    /// [`GpuAllocator::write`].
    ///
    /// # Errors
    ///
    /// [`AccessError`]; nothing is written then, except if the flush itself failed.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        self.allocator.write(self.allocation, offset, bytes)
    }

    /// [`GpuAllocator::write_slice`].
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    pub fn write_slice<V: NoUninit>(
        &mut self,
        offset: u64,
        values: &[V],
    ) -> Result<(), AccessError> {
        self.allocator.write_slice(self.allocation, offset, values)
    }
}

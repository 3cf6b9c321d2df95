//! Frames that begin: the promise that makes it sound to give memory up.
#![allow(unsafe_code)]

use std::sync::atomic::Ordering;

use super::EvictablePool;

impl<T> EvictablePool<T> {
    /// Begins a frame: from now on, requests may give up what was used last more than
    /// [`frames_kept`](Self::frames_kept) frames before it. Frames are numbered upwards; one before the
    /// latest does nothing.
    ///
    /// # Safety
    ///
    /// 1. The device has finished with all uses of this pool's evictable allocations, and of what is bound
    ///    to them, that belong to frames before `frame - frames_kept`.
    /// 2. What the device is told to use in a frame, [`touch`](crate::GpuAllocator::touch),
    ///    [`with`](crate::GpuAllocator::with) or [`with_mut`](crate::GpuAllocator::with_mut) has said to
    ///    be there in that frame or a later one, before the device was told; or it was allocated in it. That
    ///    holds until the pool is destroyed.
    /// 3. Addresses, memory handles and offsets that a view has shown are used by the host only while it
    ///    lasts, or as long as clause 2 lets the device use them.
    ///
    /// With `frames_kept` as large as the number of frames in flight, a program that waits for the fence of
    /// frame `n - frames_kept - 1` before it begins frame `n` keeps clause 1.
    pub unsafe fn begin_frame(&self, frame: u64) {
        // The clauses are what others rely on who read it; nothing else is published by it.
        self.shared.frame.fetch_max(frame, Ordering::Relaxed);
    }
}

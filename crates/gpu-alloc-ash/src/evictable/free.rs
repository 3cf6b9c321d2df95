//! The end of evictable allocations, and of their pools.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{Content, Evictable, EvictablePool};
use crate::{DestroyPoolError, FreeError, GpuAllocator, Refused};

impl GpuAllocator {
    /// Hands what is bound there to `take`, which may destroy it, and gives the memory back; answers what
    /// `take` does, or `None` if it is lost: that went, or is just going, to the callback.
    ///
    /// # Errors
    ///
    /// It comes back, untouched, if another allocator made it.
    ///
    /// # Panics
    ///
    /// If `take` does; the memory is given back then.
    ///
    /// # Safety
    ///
    /// 1. The device has finished with everything that was bound to it.
    /// 2. What was bound to it is destroyed by `take`, or will only be destroyed.
    pub unsafe fn free_evictable<T, R>(
        &self,
        evictable: Evictable<T>,
        take: impl FnOnce(T) -> R,
    ) -> Result<Option<R>, Refused<Evictable<T>, FreeError>> {
        let (owner, asked) = (evictable.shared.owner, self.id.get());
        if owner != asked {
            let error = FreeError::ForeignAllocation { owner, asked };
            return Err(Refused { returned: evictable, error });
        }
        // Nobody looks at it, as that would borrow the handle.
        let Some(Content { allocation, value }) = evictable.entry.retire() else { return Ok(None) };
        evictable.shared.forget([evictable.key]);
        // What is bound goes before its memory.
        let taken = catch_unwind(AssertUnwindSafe(|| take(value)));
        // SAFETY: 1. and 2. Our clauses.
        let freed = unsafe { self.free(allocation) };
        debug_assert!(freed.is_ok(), "its owner was checked");
        Ok(Some(taken.unwrap_or_else(|payload| resume_unwind(payload))))
    }

    /// Ends a pool: all evictable allocations that are left are lost, what was bound to them goes to the
    /// callback, and all memory goes back to the driver. Handles that are left stay lost.
    ///
    /// # Errors
    ///
    /// The pool comes back if another allocator made it, and nothing was lost then; or if there are plain
    /// allocations in it, or a thread looks at an evictable one just now.
    ///
    /// # Panics
    ///
    /// If the callback does; the pool has gone then, or is as if it had been dropped.
    ///
    /// # Safety
    ///
    /// 1. The device has finished with everything that was bound to evictable allocations of the pool.
    /// 2. What was bound to them is destroyed, or will only be destroyed.
    pub unsafe fn destroy_evictable_pool<T>(
        &self,
        pool: EvictablePool<T>,
    ) -> Result<(), Refused<EvictablePool<T>, DestroyPoolError>> {
        let (owner, asked) = (pool.shared.owner, self.id.get());
        if owner != asked {
            let error = DestroyPoolError::ForeignPool { owner, asked };
            return Err(Refused { returned: pool, error });
        }
        let EvictablePool { pool, shared } = pool;
        let (mut values, mut allocations) = (Vec::new(), Vec::new());
        for (key, entry) in shared.snapshot().into_values() {
            let Some(Content { allocation, value }) = entry.retire() else { continue };
            shared.forget([key]);
            shared.count_loss(allocation.size());
            values.push(value);
            allocations.push(allocation);
        }
        // What is bound goes before its memory.
        let panicked = shared.tell(values);
        for allocation in allocations {
            // SAFETY: 1. and 2. Our clauses.
            let freed = unsafe { self.free(allocation) };
            debug_assert!(freed.is_ok(), "its owner was checked");
        }
        let ended = self.destroy_pool(pool);
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
        ended.map_err(|Refused { returned, error }| {
            let returned = EvictablePool { pool: returned, shared };
            Refused { returned, error }
        })
    }
}

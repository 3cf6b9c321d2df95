//! Buffers and images that may be lost with their memory.
//!
//! Basic design: the resource is bound before its memory is on the pool's list, so nobody can lose one that
//! is not ready; and it is bound after the callback had what was lost for it, so that it never shares memory
//! with that. What the pool holds of it is the handle and a value of the program's.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use ash::vk;

use super::{Evictable, EvictablePool};
use crate::resource::{Resource, kind_of_image, refuse_image_in_parts, refuse_sparse_buffer};
use crate::{
    AllocError, Allocation, CreateError, FreeError, GpuAllocator, PoolAllocationRequest, Refused,
    Strategy,
};

/// A buffer that may be lost with its memory, and what belongs to it.
pub type EvictableBuffer<T> = Evictable<(vk::Buffer, T)>;

/// An image that may be lost with its memory, and what belongs to it.
pub type EvictableImage<T> = Evictable<(vk::Image, T)>;

impl GpuAllocator {
    /// Creates a buffer that may be lost, used in `frame`, with memory of a pool that is bound to it. If it is
    /// lost, the pool's callback gets it with `value`, and has to destroy it.
    ///
    /// As [`allocate_evictable`](Self::allocate_evictable); `request.size` and `alignment` raise what the
    /// driver asks for, `memory_type_bits` are intersected with the driver's, and the kind is linear.
    ///
    /// # Errors
    ///
    /// [`CreateError`], and the value comes back; the buffer and its memory are gone then.
    /// [`AllocError::DedicatedRequired`] where the driver wants memory of its own for it.
    ///
    /// # Panics
    ///
    /// If the callback does; the buffer and its memory are gone then.
    ///
    /// # Safety
    ///
    /// The clauses of [`create_buffer_in`](Self::create_buffer_in):
    ///
    /// 1. `info` is valid usage on this allocator's device (Vulkan spec, vkCreateBuffer), its `pNext`
    ///    chain included.
    /// 2. If the pool was made by [`create_pool_with`](Self::create_pool_with), memory made so may be
    ///    bound to such a buffer.
    pub unsafe fn create_evictable_buffer<T>(
        &self,
        pool: &EvictablePool<(vk::Buffer, T)>,
        info: &vk::BufferCreateInfo<'_>,
        request: &PoolAllocationRequest<'_>,
        frame: u64,
        value: T,
    ) -> Result<EvictableBuffer<T>, Refused<T, CreateError>> {
        let create = || {
            refuse_sparse_buffer(info)?;
            self.check_evictable(pool, request)?;
            // SAFETY: 1. Our clause 1.
            let request = unsafe { pool.pool().request_for_buffer(info, request) }?;
            // SAFETY: 1. Our clause 1.
            let buffer = unsafe { self.driver.create_buffer(info) }?;
            // SAFETY: 1. It was created above.
            let backed = unsafe { self.back_evictable(pool, Resource::Buffer(buffer), &request) }?;
            Ok((buffer, backed))
        };
        match create() {
            Ok((buffer, allocation)) => Ok(pool.shared.enter(frame, allocation, (buffer, value))),
            Err(error) => Err(Refused { returned: value, error }),
        }
    }

    /// Creates an image that may be lost.
    ///
    /// As [`create_evictable_buffer`](Self::create_evictable_buffer); the kind follows from the tiling.
    ///
    /// # Errors
    ///
    /// [`CreateError`], and the value comes back; the image and its memory are gone then.
    ///
    /// # Panics
    ///
    /// If the callback does; the image and its memory are gone then.
    ///
    /// # Safety
    ///
    /// 1. `info` is valid usage on this allocator's device (Vulkan spec, vkCreateImage), its `pNext`
    ///    chain included.
    /// 2. If the pool was made by [`create_pool_with`](Self::create_pool_with), memory made so may be
    ///    bound to such an image.
    pub unsafe fn create_evictable_image<T>(
        &self,
        pool: &EvictablePool<(vk::Image, T)>,
        info: &vk::ImageCreateInfo<'_>,
        request: &PoolAllocationRequest<'_>,
        frame: u64,
        value: T,
    ) -> Result<EvictableImage<T>, Refused<T, CreateError>> {
        let create = || {
            refuse_image_in_parts(info)?;
            self.check_evictable(pool, request)?;
            let request = PoolAllocationRequest { kind: kind_of_image(info), ..*request };
            // SAFETY: 1. Our clause 1.
            let image = unsafe { self.driver.create_image(info) }?;
            // SAFETY: 1. It was created above.
            let backed = unsafe { self.back_evictable(pool, Resource::Image(image), &request) }?;
            Ok((image, backed))
        };
        match create() {
            Ok((image, allocation)) => Ok(pool.shared.enter(frame, allocation, (image, value))),
            Err(error) => Err(Refused { returned: value, error }),
        }
    }

    /// Destroys a buffer with its memory and answers the value, or `None` if it is lost: it went, or is just
    /// going, to the callback.
    ///
    /// # Errors
    ///
    /// It comes back, untouched, if another allocator made it.
    ///
    /// # Safety
    ///
    /// 1. The device has finished with the buffer and with everything else bound to its memory.
    /// 2. The buffer was not destroyed, and is not used any more.
    pub unsafe fn destroy_evictable_buffer<T>(
        &self,
        evictable: EvictableBuffer<T>,
    ) -> Result<Option<T>, Refused<EvictableBuffer<T>, FreeError>> {
        let destroy = |(buffer, value): (vk::Buffer, T)| {
            // SAFETY: 1. Our clauses.
            unsafe { self.driver.destroy(Resource::Buffer(buffer)) };
            value
        };
        // SAFETY: 1. Our clause 1. 2. It is destroyed by the closure.
        unsafe { self.free_evictable(evictable, destroy) }
    }

    /// [`destroy_evictable_buffer`](Self::destroy_evictable_buffer), for an image.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Safety
    ///
    /// 1. The device has finished with the image and with everything else bound to its memory.
    /// 2. The image was not destroyed, and is not used any more.
    pub unsafe fn destroy_evictable_image<T>(
        &self,
        evictable: EvictableImage<T>,
    ) -> Result<Option<T>, Refused<EvictableImage<T>, FreeError>> {
        let destroy = |(image, value): (vk::Image, T)| {
            // SAFETY: 1. Our clauses.
            unsafe { self.driver.destroy(Resource::Image(image)) };
            value
        };
        // SAFETY: 1. Our clause 1. 2. It is destroyed by the closure.
        unsafe { self.free_evictable(evictable, destroy) }
    }

    /// What can be refused before a resource is made.
    fn check_evictable<T>(
        &self,
        pool: &EvictablePool<T>,
        request: &PoolAllocationRequest<'_>,
    ) -> Result<(), AllocError> {
        self.check_owner(&pool.pool)?;
        match request.strategy {
            Strategy::Dedicated => Err(AllocError::DedicatedNotAllowed { size: request.size }),
            _ => Ok(()),
        }
    }

    /// Gives a new resource memory that may be lost, or destroys it.
    ///
    /// # Safety
    ///
    /// 1. `resource` was just created, and nobody else has seen it.
    unsafe fn back_evictable<T>(
        &self,
        pool: &EvictablePool<T>,
        resource: Resource,
        request: &PoolAllocationRequest<'_>,
    ) -> Result<Allocation, CreateError> {
        // SAFETY: 1. Our clause 1; what is bound in parts was refused.
        let asked = unsafe { self.driver.requirements(resource) };
        let request = request.raised_to(&asked.memory);
        let allocate = || {
            let terms = resource.terms(&asked, request.size)?;
            self.memory_for(pool, &request, &terms)
        };
        let (allocated, panicked) = match catch_unwind(AssertUnwindSafe(allocate)) {
            Ok(Ok((allocation, losses))) => {
                // What was bound to that memory goes before the new resource comes.
                let tell = || self.tell_losses(&pool.shared, losses);
                (Some(Ok(allocation)), catch_unwind(AssertUnwindSafe(tell)).err())
            }
            Ok(Err(error)) => (Some(Err(error)), None),
            Err(payload) => (None, Some(payload)),
        };
        if let Some(payload) = panicked {
            // SAFETY: 1. Our clause 1.
            unsafe { self.driver.destroy(resource) };
            if let Some(Ok(allocation)) = allocated {
                // SAFETY: 1. and 2. Nothing was bound to it.
                let freed = unsafe { self.free(allocation) };
                debug_assert!(freed.is_ok(), "the allocation was made above");
            }
            resume_unwind(payload);
        }
        let allocated = allocated.expect("who has not panicked has answered");
        // SAFETY: 1. Our clause 1. 2. The allocation was made for it.
        unsafe { self.bind_or_destroy(resource, allocated) }
    }
}

//! Runs one command buffer and waits for it, from any thread.
//!
//! Basic design: each call has a command pool and a fence of its own, so threads record and wait
//! side by side; only `vkQueueSubmit`, which wants the queue for itself, is under the lock.

use std::mem;
use std::slice;
use std::sync::PoisonError;

use ash::vk;

use crate::boot::Boot;
use crate::error::BootError;

impl Boot {
    /// Records commands with `record`, runs them and waits until the device has finished them.
    ///
    /// The command buffer is begun before `record` and ended after it. Several threads may call
    /// this at once; each waits for its own commands only, without a time limit.
    ///
    /// # Errors
    ///
    /// [`BootError::DeviceLost`] when the commands killed the device,
    /// [`BootError::OutOfMemory`] or [`BootError::Call`] when a function on the way failed.
    /// The device uses nothing of what was recorded any more, unless the function was
    /// `vkWaitForFences` and the device is not lost: then the commands may still run.
    ///
    /// # Safety
    ///
    /// 1. What `record` records is valid usage, also beside what other threads submit.
    /// 2. What the commands name lives until they have finished: until this function returns, but
    ///    for the error described above.
    /// 3. `record` neither ends nor submits the command buffer, and does not keep it.
    pub unsafe fn submit<R>(
        &self,
        record: impl FnOnce(vk::CommandBuffer) -> R,
    ) -> Result<R, BootError> {
        let one_shot = OneShot::new(&self.device, self.queue_family_index)?;
        let commands = one_shot.allocate()?;
        let begin = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        // SAFETY: the command buffer is new.
        unsafe { self.device.begin_command_buffer(commands, &begin) }
            .map_err(|result| BootError::from_call("vkBeginCommandBuffer", result))?;
        let answer = record(commands);
        // SAFETY: begun above, and not ended by `record` (clause 3).
        unsafe { self.device.end_command_buffer(commands) }
            .map_err(|result| BootError::from_call("vkEndCommandBuffer", result))?;
        let submit = vk::SubmitInfo::default().command_buffers(slice::from_ref(&commands));
        // SAFETY: clauses 1 and 2; the closure runs under the queue's lock, the fence is new.
        self.with_queue(|queue| unsafe {
            self.device.queue_submit(queue, slice::from_ref(&submit), one_shot.fence)
        })
        .map_err(|result| BootError::from_call("vkQueueSubmit", result))?;
        // SAFETY: the fence was submitted above.
        match unsafe { self.device.wait_for_fences(&[one_shot.fence], true, u64::MAX) } {
            Ok(()) => Ok(answer),
            Err(result) => {
                if result != vk::Result::ERROR_DEVICE_LOST {
                    // The commands may still run, so their pool and fence are left behind.
                    mem::forget(one_shot);
                }
                Err(BootError::from_call("vkWaitForFences", result))
            }
        }
    }

    /// Calls `use_queue` with the queue while no other thread has it.
    pub fn with_queue<R>(&self, use_queue: impl FnOnce(vk::Queue) -> R) -> R {
        // The lock guards no data that a panic could leave half changed.
        let _guard = self.queue_lock.lock().unwrap_or_else(PoisonError::into_inner);
        use_queue(self.queue)
    }
}

/// A pool for one command buffer, and a fence; destroys both.
///
/// It is dropped only before the submission, after the wait, or on a lost device: each time the
/// device has no use for the two, also when `record` panics or a call fails.
struct OneShot<'a> {
    device: &'a ash::Device,
    pool: vk::CommandPool,
    /// Null until it is made.
    fence: vk::Fence,
}

impl<'a> OneShot<'a> {
    fn new(device: &'a ash::Device, queue_family_index: u32) -> Result<Self, BootError> {
        let create_info = vk::CommandPoolCreateInfo::default()
            .flags(vk::CommandPoolCreateFlags::TRANSIENT)
            .queue_family_index(queue_family_index);
        // SAFETY: the device lives and has a queue of this family.
        let pool = unsafe { device.create_command_pool(&create_info, None) }
            .map_err(|result| BootError::from_call("vkCreateCommandPool", result))?;
        let mut one_shot = Self { device, pool, fence: vk::Fence::null() };
        // SAFETY: the device lives.
        one_shot.fence = unsafe { device.create_fence(&vk::FenceCreateInfo::default(), None) }
            .map_err(|result| BootError::from_call("vkCreateFence", result))?;
        Ok(one_shot)
    }

    fn allocate(&self) -> Result<vk::CommandBuffer, BootError> {
        let allocate_info = vk::CommandBufferAllocateInfo::default()
            .command_pool(self.pool)
            .level(vk::CommandBufferLevel::PRIMARY)
            .command_buffer_count(1);
        // SAFETY: the pool is this value's own.
        let buffers = unsafe { self.device.allocate_command_buffers(&allocate_info) }
            .map_err(|result| BootError::from_call("vkAllocateCommandBuffers", result))?;
        Ok(*buffers.first().expect("one command buffer was asked for"))
    }
}

impl Drop for OneShot<'_> {
    fn drop(&mut self) {
        // SAFETY: made in `new`, used by nobody any more (see the type); null is allowed.
        unsafe { self.device.destroy_fence(self.fence, None) };
        // SAFETY: as above; the command buffer goes with its pool.
        unsafe { self.device.destroy_command_pool(self.pool, None) };
    }
}

//! A frame that the device may be busy with: commands, and a fence that says when they have ended.

use std::error::Error;

use gpu_alloc_ash::ash::{self, vk};
use vk_boot::Boot;

/// Commands and a fence, used over and over.
pub(crate) struct Frame<'a> {
    boot: &'a Boot,
    pool: vk::CommandPool,
    commands: vk::CommandBuffer,
    fence: vk::Fence,
    /// Whether the fence will be signalled.
    is_submitted: bool,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(boot: &'a Boot) -> Result<Self, Box<dyn Error>> {
        let device = &boot.device;
        let pool = vk::CommandPoolCreateInfo::default()
            .flags(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER)
            .queue_family_index(boot.queue_family_index);
        // SAFETY: The device lives, and has a queue of this family.
        let pool = unsafe { device.create_command_pool(&pool, None) }?;
        // From here on it is destroyed when something fails.
        let mut frame = Self {
            boot,
            pool,
            commands: vk::CommandBuffer::null(),
            fence: vk::Fence::null(),
            is_submitted: false,
        };
        let info =
            vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(1);
        // SAFETY: The pool is the frame's own.
        frame.commands = unsafe { device.allocate_command_buffers(&info) }?[0];
        // SAFETY: The device lives.
        frame.fence = unsafe { device.create_fence(&vk::FenceCreateInfo::default(), None) }?;
        Ok(frame)
    }

    /// Waits for the commands that were submitted last, if there are any.
    pub(crate) fn wait(&mut self) -> Result<(), Box<dyn Error>> {
        if !self.is_submitted {
            return Ok(());
        }
        // SAFETY: The fence was submitted.
        unsafe { self.boot.device.wait_for_fences(&[self.fence], true, u64::MAX) }?;
        // SAFETY: The device has finished with it.
        unsafe { self.boot.device.reset_fences(&[self.fence]) }?;
        self.is_submitted = false;
        Ok(())
    }

    /// Records commands and hands them to the device, which goes on with them by itself.
    ///
    /// # Safety
    ///
    /// 1. What is recorded is valid usage, and lives until [`wait`](Self::wait) has returned.
    pub(crate) unsafe fn submit(
        &mut self,
        record: impl FnOnce(vk::CommandBuffer),
    ) -> Result<(), Box<dyn Error>> {
        self.wait()?;
        let device = &self.boot.device;
        let begin = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        // SAFETY: The device has finished with the commands, and beginning resets them.
        unsafe { device.begin_command_buffer(self.commands, &begin) }?;
        record(self.commands);
        // SAFETY: Begun above.
        unsafe { device.end_command_buffer(self.commands) }?;
        let commands = [self.commands];
        let info = [vk::SubmitInfo::default().command_buffers(&commands)];
        // SAFETY: Our clause 1; the fence is reset, and no other thread has the queue.
        self.boot.with_queue(|queue| unsafe { device.queue_submit(queue, &info, self.fence) })?;
        self.is_submitted = true;
        Ok(())
    }
}

impl Drop for Frame<'_> {
    fn drop(&mut self) {
        let device = &self.boot.device;
        if self.is_submitted {
            // SAFETY: No other thread has the device. On an error it is lost, and nothing is used.
            let _ = unsafe { device.device_wait_idle() };
        }
        // SAFETY: The device has finished with it; null is allowed.
        unsafe { device.destroy_fence(self.fence, None) };
        // SAFETY: As above; the commands go with it.
        unsafe { device.destroy_command_pool(self.pool, None) };
    }
}

/// Records that what was copied before can be read by the host afterwards.
pub(crate) fn make_visible_to_the_host(device: &ash::Device, commands: vk::CommandBuffer) {
    let (copied, read) = (vk::PipelineStageFlags::TRANSFER, vk::PipelineStageFlags::HOST);
    let written = [vk::MemoryBarrier::default()
        .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
        .dst_access_mask(vk::AccessFlags::HOST_READ)];
    let none = vk::DependencyFlags::empty();
    // SAFETY: The command buffer is being recorded, and the stages are on every queue that copies.
    unsafe { device.cmd_pipeline_barrier(commands, copied, read, none, &written, &[], &[]) };
}

//! The queue of a simulated device: what the device sees of memory, and what it writes there.
//!
//! Each submission is waited for before the function returns. The functions of the queue may fail,
//! so a test that plants failures takes them away first.

use ash::vk;

use crate::support::Sim;

/// Usage for both ends of a copy.
pub(crate) const BOTH_ENDS: vk::BufferUsageFlags = vk::BufferUsageFlags::from_raw(
    vk::BufferUsageFlags::TRANSFER_SRC.as_raw() | vk::BufferUsageFlags::TRANSFER_DST.as_raw(),
);

/// A queue with one command buffer. It has to go before the driver.
pub(crate) struct Queue {
    device: ash::Device,
    queue: vk::Queue,
    pool: vk::CommandPool,
    commands: vk::CommandBuffer,
}

impl Queue {
    pub(crate) fn new(sim: &Sim) -> Self {
        let device = sim.driver.device().clone();
        // SAFETY: The driver lives.
        let queue = unsafe { device.get_device_queue(0, 0) };
        let info = vk::CommandPoolCreateInfo::default();
        // SAFETY: The driver lives.
        let pool = unsafe { device.create_command_pool(&info, None) }.expect("nothing is planted");
        let info =
            vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(1);
        // SAFETY: The driver lives.
        let made = unsafe { device.allocate_command_buffers(&info) }.expect("nothing is planted");
        let [commands] = made[..] else { panic!("one command buffer was asked for") };
        Self { device, queue, pool, commands }
    }

    /// Records, submits and waits.
    pub(crate) fn run(&self, record: impl FnOnce(&ash::Device, vk::CommandBuffer)) {
        let (device, commands) = (&self.device, self.commands);
        let flags = vk::CommandPoolResetFlags::empty();
        // SAFETY: The driver lives, and nothing is pending.
        unsafe { device.reset_command_pool(self.pool, flags) }.expect("nothing is planted");
        let info = vk::CommandBufferBeginInfo::default();
        // SAFETY: The driver lives.
        unsafe { device.begin_command_buffer(commands, &info) }.expect("nothing is planted");
        record(device, commands);
        // SAFETY: The driver lives.
        unsafe { device.end_command_buffer(commands) }.expect("what was recorded is valid usage");
        let submitted = [commands];
        let submit = vk::SubmitInfo::default().command_buffers(&submitted);
        // SAFETY: The driver lives.
        unsafe { device.queue_submit(self.queue, &[submit], vk::Fence::null()) }
            .expect("nothing is planted");
        // SAFETY: The driver lives.
        unsafe { device.queue_wait_idle(self.queue) }.expect("nothing is planted");
    }

    /// Copies between two buffers, or within one.
    pub(crate) fn copy(&self, from: (vk::Buffer, u64), to: (vk::Buffer, u64), size: u64) {
        let region = vk::BufferCopy { src_offset: from.1, dst_offset: to.1, size };
        self.run(|device, commands| {
            // SAFETY: The driver lives, and checks what is recorded.
            unsafe { device.cmd_copy_buffer(commands, from.0, to.0, &[region]) };
        });
    }

    /// Writes bytes, by the device, at a multiple of 4; their number is one, too.
    pub(crate) fn update(&self, buffer: vk::Buffer, offset: u64, bytes: &[u8]) {
        self.run(|device, commands| {
            // SAFETY: The driver lives, and checks what is recorded.
            unsafe { device.cmd_update_buffer(commands, buffer, offset, bytes) };
        });
    }

    /// Copies texels, which lie in the buffer as `regions` say, into the image.
    pub(crate) fn write_texels(
        &self,
        buffer: vk::Buffer,
        image: vk::Image,
        regions: &[vk::BufferImageCopy],
    ) {
        let layout = vk::ImageLayout::GENERAL;
        self.run(|device, commands| {
            // SAFETY: The driver lives, and checks what is recorded.
            unsafe { device.cmd_copy_buffer_to_image(commands, buffer, image, layout, regions) };
        });
    }

    /// Copies texels from the image into the buffer.
    pub(crate) fn read_texels(
        &self,
        image: vk::Image,
        buffer: vk::Buffer,
        regions: &[vk::BufferImageCopy],
    ) {
        let layout = vk::ImageLayout::GENERAL;
        self.run(|device, commands| {
            // SAFETY: The driver lives, and checks what is recorded.
            unsafe { device.cmd_copy_image_to_buffer(commands, image, layout, buffer, regions) };
        });
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: The driver outlives the queue, and nothing is pending.
        unsafe { self.device.destroy_command_pool(self.pool, None) };
    }
}

//! Commands in short, safe for the same reason as the calls in `support`.

use ash::prelude::VkResult;
use ash::vk;
use vk_sim::SimDriver;

use crate::support::{Calls, driver};

pub(crate) const TRANSFER: vk::BufferUsageFlags = vk::BufferUsageFlags::from_raw(
    vk::BufferUsageFlags::TRANSFER_SRC.as_raw() | vk::BufferUsageFlags::TRANSFER_DST.as_raw(),
);

/// A driver with a queue, a command pool and a fence.
pub(crate) struct Recorder {
    pub(crate) driver: SimDriver,
    pub(crate) queue: vk::Queue,
    pub(crate) pool: vk::CommandPool,
    pub(crate) fence: vk::Fence,
}

/// A buffer of its own size, bound to memory of its own.
#[derive(Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) buffer: vk::Buffer,
    pub(crate) memory: vk::DeviceMemory,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self::with(driver(), vk::CommandPoolCreateFlags::empty())
    }

    pub(crate) fn with(driver: SimDriver, flags: vk::CommandPoolCreateFlags) -> Self {
        // SAFETY: the driver lives.
        let queue = unsafe { driver.device().get_device_queue(0, 0) };
        let info = vk::CommandPoolCreateInfo::default().flags(flags);
        // SAFETY: the driver lives.
        let pool = unsafe { driver.device().create_command_pool(&info, None) }.unwrap();
        let fence = fence(&driver, false);
        Self { driver, queue, pool, fence }
    }

    /// A new command buffer, not begun.
    pub(crate) fn allocate(&self) -> vk::CommandBuffer {
        let info = vk::CommandBufferAllocateInfo::default()
            .command_pool(self.pool)
            .command_buffer_count(1);
        // SAFETY: the driver lives.
        unsafe { self.driver.device().allocate_command_buffers(&info) }.unwrap()[0]
    }

    pub(crate) fn begin(&self, commands: vk::CommandBuffer) -> VkResult<()> {
        self.begin_with(commands, vk::CommandBufferUsageFlags::empty())
    }

    pub(crate) fn begin_with(
        &self,
        commands: vk::CommandBuffer,
        flags: vk::CommandBufferUsageFlags,
    ) -> VkResult<()> {
        let info = vk::CommandBufferBeginInfo::default().flags(flags);
        // SAFETY: the driver lives.
        unsafe { self.driver.device().begin_command_buffer(commands, &info) }
    }

    pub(crate) fn end(&self, commands: vk::CommandBuffer) -> VkResult<()> {
        // SAFETY: the driver lives.
        unsafe { self.driver.device().end_command_buffer(commands) }
    }

    /// A command buffer with what `record` records.
    pub(crate) fn recorded(
        &self,
        record: impl FnOnce(&ash::Device, vk::CommandBuffer),
    ) -> vk::CommandBuffer {
        let commands = self.allocate();
        self.begin(commands).unwrap();
        record(self.driver.device(), commands);
        self.end(commands).unwrap();
        commands
    }

    pub(crate) fn submit(&self, commands: &[vk::CommandBuffer], fence: vk::Fence) -> VkResult<()> {
        let info = vk::SubmitInfo::default().command_buffers(commands);
        // SAFETY: the driver lives.
        unsafe { self.driver.device().queue_submit(self.queue, &[info], fence) }
    }

    /// Records, submits, and waits for the queue.
    pub(crate) fn run(&self, record: impl FnOnce(&ash::Device, vk::CommandBuffer)) {
        let commands = self.recorded(record);
        self.submit(&[commands], vk::Fence::null()).unwrap();
        self.wait_idle().unwrap();
    }

    pub(crate) fn wait_idle(&self) -> VkResult<()> {
        // SAFETY: the driver lives.
        unsafe { self.driver.device().queue_wait_idle(self.queue) }
    }

    pub(crate) fn wait(&self, fences: &[vk::Fence], all: bool) -> VkResult<()> {
        // SAFETY: the driver lives.
        unsafe { self.driver.device().wait_for_fences(fences, all, u64::MAX) }
    }

    pub(crate) fn buffer(&self, memory_type_index: u32, size: u64) -> Bound {
        let buffer = self.driver.buffer(size, TRANSFER).unwrap();
        let size = self.driver.buffer_requirements(buffer).size;
        let memory = self.driver.allocate(memory_type_index, size).unwrap();
        self.driver.bind_buffer(buffer, memory, 0).unwrap();
        Bound { buffer, memory }
    }

    /// What the device sees: the bytes of `buffer`, copied to coherent memory.
    pub(crate) fn device_bytes(&self, buffer: vk::Buffer, offset: u64, size: u64) -> Vec<u8> {
        let readback = self.buffer(crate::support::COHERENT, size);
        self.run(|device, commands| {
            let region = vk::BufferCopy::default().src_offset(offset).size(size);
            // SAFETY: the driver lives.
            unsafe { device.cmd_copy_buffer(commands, buffer, readback.buffer, &[region]) }
        });
        let bytes = self.host_bytes(readback.memory, size);
        self.driver.destroy_buffer(readback.buffer);
        self.driver.free(readback.memory);
        bytes
    }

    /// What the host sees in memory that is not mapped.
    pub(crate) fn host_bytes(&self, memory: vk::DeviceMemory, size: u64) -> Vec<u8> {
        let pointer = self.driver.map(memory, 0, size).unwrap();
        let size = usize::try_from(size).unwrap();
        let bytes = (0..size).map(|index| crate::support::read_byte(pointer, index)).collect();
        self.driver.unmap(memory);
        bytes
    }

    /// Destroys what the recorder made; the breaches on record.
    pub(crate) fn finish(self) -> Vec<vk_sim::Violation> {
        let device = self.driver.device();
        // SAFETY: the driver lives.
        unsafe { device.destroy_fence(self.fence, None) };
        // SAFETY: the driver lives.
        unsafe { device.destroy_command_pool(self.pool, None) };
        self.driver.finish()
    }
}

pub(crate) fn fence(driver: &SimDriver, is_signaled: bool) -> vk::Fence {
    let flags =
        if is_signaled { vk::FenceCreateFlags::SIGNALED } else { vk::FenceCreateFlags::empty() };
    let info = vk::FenceCreateInfo::default().flags(flags);
    // SAFETY: the driver lives.
    unsafe { driver.device().create_fence(&info, None) }.unwrap()
}

//! What a wrong program has to work with.

use std::cell::RefCell;

use ash::prelude::VkResult;
use ash::vk;

use crate::support::Calls;

/// A wrong program, by the rule it breaks.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) run: fn(&Stage<'_>),
}

/// A device with one memory type, which has every flag, and what the program made of it.
pub(super) struct Stage<'a> {
    pub(super) device: &'a ash::Device,
    pub(super) queue: vk::Queue,
    pub(super) queue_family_index: u32,
    /// Destroyed from the last to the first when the program is done.
    made: RefCell<Vec<Made>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Made {
    Memory(vk::DeviceMemory),
    Buffer(vk::Buffer),
    Image(vk::Image),
    Pool(vk::CommandPool),
    Fence(vk::Fence),
}

pub(super) const TRANSFER: vk::BufferUsageFlags = crate::stage::TRANSFER;
pub(super) const ADDRESS: vk::BufferUsageFlags = vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS;
pub(super) const IMAGE: vk::ImageUsageFlags = vk::ImageUsageFlags::from_raw(
    vk::ImageUsageFlags::TRANSFER_SRC.as_raw() | vk::ImageUsageFlags::TRANSFER_DST.as_raw(),
);

impl Calls for Stage<'_> {
    fn device(&self) -> &ash::Device {
        self.device
    }
}

impl<'a> Stage<'a> {
    pub(super) fn new(device: &'a ash::Device, queue: vk::Queue, queue_family_index: u32) -> Self {
        Self { device, queue, queue_family_index, made: RefCell::default() }
    }

    /// Memory that is freed at the end.
    pub(super) fn memory(&self, size: u64) -> vk::DeviceMemory {
        let memory = self.allocate(0, size).unwrap();
        self.made.borrow_mut().push(Made::Memory(memory));
        memory
    }

    /// Memory with something chained, freed at the end.
    pub(super) fn memory_with(&self, info: &vk::MemoryAllocateInfo<'_>) -> vk::DeviceMemory {
        let memory = self.allocate_with(info).unwrap();
        self.made.borrow_mut().push(Made::Memory(memory));
        memory
    }

    /// A buffer of 1024 bytes that is destroyed at the end.
    pub(super) fn new_buffer(&self, usage: vk::BufferUsageFlags) -> vk::Buffer {
        let buffer = self.buffer(1024, usage).unwrap();
        self.made.borrow_mut().push(Made::Buffer(buffer));
        buffer
    }

    /// An image of 16 by 16 texels that is destroyed at the end.
    pub(super) fn new_image(&self, usage: vk::ImageUsageFlags) -> vk::Image {
        let image = self.image(16, usage).unwrap();
        self.made.borrow_mut().push(Made::Image(image));
        image
    }

    /// A buffer with memory of its own.
    pub(super) fn bound_buffer(&self, usage: vk::BufferUsageFlags) -> vk::Buffer {
        let buffer = self.new_buffer(usage);
        let memory = self.memory(self.buffer_requirements(buffer).size);
        self.bind_buffer(buffer, memory, 0).unwrap();
        buffer
    }

    /// Frees or destroys something early, which the program does on purpose.
    pub(super) fn free_early(&self, memory: vk::DeviceMemory) {
        self.free(memory);
        self.forget(Made::Memory(memory));
    }

    pub(super) fn destroy_buffer_early(&self, buffer: vk::Buffer) {
        self.destroy_buffer(buffer);
        self.forget(Made::Buffer(buffer));
    }

    fn forget(&self, gone: Made) {
        self.made.borrow_mut().retain(|&made| made != gone);
    }

    pub(super) fn fence(&self, flags: vk::FenceCreateFlags) -> vk::Fence {
        let info = vk::FenceCreateInfo::default().flags(flags);
        // SAFETY: valid usage.
        let fence = unsafe { self.device.create_fence(&info, None) }.unwrap();
        self.made.borrow_mut().push(Made::Fence(fence));
        fence
    }

    pub(super) fn pool(&self, flags: vk::CommandPoolCreateFlags) -> vk::CommandPool {
        let info = vk::CommandPoolCreateInfo::default()
            .flags(flags)
            .queue_family_index(self.queue_family_index);
        // SAFETY: valid usage.
        let pool = unsafe { self.device.create_command_pool(&info, None) }.unwrap();
        self.made.borrow_mut().push(Made::Pool(pool));
        pool
    }

    pub(super) fn commands_of(&self, pool: vk::CommandPool) -> vk::CommandBuffer {
        let info =
            vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(1);
        // SAFETY: valid usage.
        unsafe { self.device.allocate_command_buffers(&info) }.unwrap()[0]
    }

    pub(super) fn begin(&self, commands: vk::CommandBuffer) -> VkResult<()> {
        let info = vk::CommandBufferBeginInfo::default();
        // SAFETY: valid usage, or held back.
        unsafe { self.device.begin_command_buffer(commands, &info) }
    }

    pub(super) fn end(&self, commands: vk::CommandBuffer) -> VkResult<()> {
        // SAFETY: valid usage, or held back.
        unsafe { self.device.end_command_buffer(commands) }
    }

    /// A command buffer with what `record` records.
    pub(super) fn recorded(
        &self,
        record: impl FnOnce(&ash::Device, vk::CommandBuffer),
    ) -> vk::CommandBuffer {
        let commands = self.commands_of(self.pool(vk::CommandPoolCreateFlags::empty()));
        self.begin(commands).unwrap();
        record(self.device, commands);
        self.end(commands).unwrap();
        commands
    }

    pub(super) fn submit(&self, commands: &[vk::CommandBuffer], fence: vk::Fence) -> VkResult<()> {
        let info = vk::SubmitInfo::default().command_buffers(commands);
        // SAFETY: valid usage, or held back.
        unsafe { self.device.queue_submit(self.queue, &[info], fence) }
    }

    /// Submits commands that fill a buffer, and does not wait: the buffer and its memory.
    pub(super) fn pending(&self, fence: vk::Fence) -> (vk::Buffer, vk::DeviceMemory) {
        let buffer = self.new_buffer(TRANSFER);
        let memory = self.memory(self.buffer_requirements(buffer).size);
        self.bind_buffer(buffer, memory, 0).unwrap();
        // SAFETY: valid usage.
        let commands = self.recorded(|device, commands| unsafe {
            device.cmd_fill_buffer(commands, buffer, 0, 1024, 0);
        });
        self.submit(&[commands], fence).unwrap();
        (buffer, memory)
    }

    /// Waits for the device and destroys everything that was made.
    pub(super) fn clear(&self) {
        // SAFETY: valid usage.
        unsafe { self.device.device_wait_idle() }.unwrap();
        for made in self.made.take().into_iter().rev() {
            match made {
                Made::Memory(memory) => self.free(memory),
                Made::Buffer(buffer) => self.destroy_buffer(buffer),
                Made::Image(image) => self.destroy_image(image),
                // SAFETY: the device is idle.
                Made::Pool(pool) => unsafe { self.device.destroy_command_pool(pool, None) },
                // SAFETY: the device is idle.
                Made::Fence(fence) => unsafe { self.device.destroy_fence(fence, None) },
            }
        }
    }
}

/// The rules without repetitions, in the order in which they were broken.
pub(super) fn without_repetitions(rules: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for rule in rules {
        if !found.contains(&rule) {
            found.push(rule);
        }
    }
    found
}

//! Finds out whether the device does what it is told.
//!
//! A driver can answer every query, grant memory and signal every fence, and yet have nothing behind
//! it: mock drivers, and real ones on a stand-in for their kernel side. The only honest question is
//! to let it fill a buffer and to look.

use ash::vk;

use crate::boot::Boot;
use crate::error::BootError;

const SIZE: u64 = 4096;
/// What the host writes into the buffer.
const BEFORE: u32 = 0x5a5a_5a5a;
/// What the device is told to fill it with.
const AFTER: u32 = 0xa5c3_3c5a;

impl Boot {
    /// Whether commands are executed: whether a buffer that the device is told to fill is full.
    ///
    /// Makes a buffer with memory of its own, and destroys both.
    ///
    /// # Errors
    ///
    /// [`BootError`] of the first function that fails; whatever was made has been destroyed again,
    /// but for what [`submit`](Self::submit) describes.
    pub fn executes(&self) -> Result<bool, BootError> {
        let mut target = Target { boot: self, buffer: vk::Buffer::null(), memory: None };
        target.make()?;
        let flags = vk::MemoryMapFlags::empty();
        let memory = target.memory.expect("`make` has succeeded");
        // SAFETY: host-visible, as large as that, and not mapped.
        let mapped = unsafe { self.device.map_memory(memory, 0, SIZE, flags) }
            .map_err(|result| BootError::from_call("vkMapMemory", result))?
            .cast::<u32>();
        let words = 0..usize::try_from(SIZE / 4).expect("the size is a small constant");
        for word in words.clone() {
            // SAFETY: inside of the mapping.
            let place = unsafe { mapped.add(word) };
            // SAFETY: mapped and aligned, and the device does not use it yet.
            unsafe { place.write_volatile(BEFORE) };
        }
        let buffer = target.buffer;
        // SAFETY: the buffer has the usage and the size, and lives until the wait is over.
        unsafe { self.submit(|commands| self.record_fill(commands, buffer)) }?;
        let is_filled = words.into_iter().all(|word| {
            // SAFETY: inside of the mapping.
            let place = unsafe { mapped.add(word) };
            // SAFETY: mapped, aligned and written above; the device has finished.
            unsafe { place.read_volatile() == AFTER }
        });
        Ok(is_filled)
    }

    fn record_fill(&self, commands: vk::CommandBuffer, buffer: vk::Buffer) {
        // SAFETY: the buffer has the usage and the size; the command buffer is being recorded.
        unsafe { self.device.cmd_fill_buffer(commands, buffer, 0, SIZE, AFTER) };
        let barrier = vk::MemoryBarrier::default()
            .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
            .dst_access_mask(vk::AccessFlags::HOST_READ);
        let (from, to) = (vk::PipelineStageFlags::TRANSFER, vk::PipelineStageFlags::HOST);
        let flags = vk::DependencyFlags::empty();
        // SAFETY: as above, outside of a render pass.
        unsafe {
            self.device.cmd_pipeline_barrier(commands, from, to, flags, &[barrier], &[], &[])
        };
    }
}

/// The buffer that is filled; destroys what of it was made.
struct Target<'a> {
    boot: &'a Boot,
    buffer: vk::Buffer,
    memory: Option<vk::DeviceMemory>,
}

impl Target<'_> {
    fn make(&mut self) -> Result<(), BootError> {
        let device = &self.boot.device;
        let create_info =
            vk::BufferCreateInfo::default().size(SIZE).usage(vk::BufferUsageFlags::TRANSFER_DST);
        // SAFETY: valid usage.
        self.buffer = unsafe { device.create_buffer(&create_info, None) }
            .map_err(|result| BootError::from_call("vkCreateBuffer", result))?;
        // SAFETY: the buffer lives.
        let requirements = unsafe { device.get_buffer_memory_requirements(self.buffer) };
        let wanted = vk::MemoryPropertyFlags::HOST_VISIBLE | vk::MemoryPropertyFlags::HOST_COHERENT;
        let memory_type_index = (0u32..)
            .zip(self.boot.memory_properties.memory_types_as_slice())
            .find(|(index, memory_type)| {
                requirements.memory_type_bits & (1 << index) != 0
                    && memory_type.property_flags.contains(wanted)
            })
            .map(|(index, _)| index)
            .expect("buffers can always be in such memory (Vulkan spec, \"Device Memory\")");
        let allocate_info = vk::MemoryAllocateInfo::default()
            .allocation_size(requirements.size)
            .memory_type_index(memory_type_index);
        // SAFETY: valid usage.
        let memory = unsafe { device.allocate_memory(&allocate_info, None) }
            .map_err(|result| BootError::from_call("vkAllocateMemory", result))?;
        self.memory = Some(memory);
        // SAFETY: the type is allowed, the offset 0 aligned, the size the required one.
        unsafe { device.bind_buffer_memory(self.buffer, memory, 0) }
            .map_err(|result| BootError::from_call("vkBindBufferMemory", result))
    }
}

impl Drop for Target<'_> {
    fn drop(&mut self) {
        // SAFETY: made here or null, and the device has finished with it.
        unsafe { self.boot.device.destroy_buffer(self.buffer, None) };
        // SAFETY: as above; nothing is bound any more, and a mapping ends with its memory.
        unsafe { self.boot.device.free_memory(self.memory.unwrap_or_default(), None) };
    }
}

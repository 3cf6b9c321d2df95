//! Calls in short, with the one reason why they are sound: the driver lives, and every structure
//! is on the stack. Breaches of valid usage are recorded and harmless by the driver's own contract.

use ash::prelude::VkResult;
use ash::vk;
use vk_sim::{DriverConfig, SimDriver};

/// Memory types of the default device.
pub(crate) const VRAM: u32 = 0;
pub(crate) const COHERENT: u32 = 1;
pub(crate) const CACHED: u32 = 2;
pub(crate) const BAR: u32 = 3;

pub(crate) fn driver() -> SimDriver {
    SimDriver::new(DriverConfig::default()).unwrap()
}

pub(crate) fn allocate_info(memory_type_index: u32, size: u64) -> vk::MemoryAllocateInfo<'static> {
    vk::MemoryAllocateInfo::default().allocation_size(size).memory_type_index(memory_type_index)
}

/// The calls of a device, each safe as said above.
pub(crate) trait Calls {
    fn device(&self) -> &ash::Device;

    fn allocate(&self, memory_type_index: u32, size: u64) -> VkResult<vk::DeviceMemory> {
        self.allocate_with(&allocate_info(memory_type_index, size))
    }

    fn allocate_with(&self, info: &vk::MemoryAllocateInfo<'_>) -> VkResult<vk::DeviceMemory> {
        // SAFETY: see the module.
        unsafe { self.device().allocate_memory(info, None) }
    }

    fn free(&self, memory: vk::DeviceMemory) {
        // SAFETY: see the module.
        unsafe { self.device().free_memory(memory, None) }
    }

    fn map(&self, memory: vk::DeviceMemory, offset: u64, size: u64) -> VkResult<*mut u8> {
        let flags = vk::MemoryMapFlags::empty();
        // SAFETY: see the module.
        unsafe { self.device().map_memory(memory, offset, size, flags) }.map(<*mut _>::cast)
    }

    fn unmap(&self, memory: vk::DeviceMemory) {
        // SAFETY: see the module.
        unsafe { self.device().unmap_memory(memory) }
    }

    fn flush(&self, memory: vk::DeviceMemory, offset: u64, size: u64) -> VkResult<()> {
        let range = vk::MappedMemoryRange::default().memory(memory).offset(offset).size(size);
        // SAFETY: see the module.
        unsafe { self.device().flush_mapped_memory_ranges(&[range]) }
    }

    fn invalidate(&self, memory: vk::DeviceMemory, offset: u64, size: u64) -> VkResult<()> {
        let range = vk::MappedMemoryRange::default().memory(memory).offset(offset).size(size);
        // SAFETY: see the module.
        unsafe { self.device().invalidate_mapped_memory_ranges(&[range]) }
    }

    fn buffer(&self, size: u64, usage: vk::BufferUsageFlags) -> VkResult<vk::Buffer> {
        let info = vk::BufferCreateInfo::default().size(size).usage(usage);
        // SAFETY: see the module.
        unsafe { self.device().create_buffer(&info, None) }
    }

    fn destroy_buffer(&self, buffer: vk::Buffer) {
        // SAFETY: see the module.
        unsafe { self.device().destroy_buffer(buffer, None) }
    }

    fn image(&self, extent: u32, usage: vk::ImageUsageFlags) -> VkResult<vk::Image> {
        let info = vk::ImageCreateInfo::default()
            .image_type(vk::ImageType::TYPE_2D)
            .format(vk::Format::R8G8B8A8_UNORM)
            .extent(vk::Extent3D { width: extent, height: extent, depth: 1 })
            .mip_levels(1)
            .array_layers(1)
            .samples(vk::SampleCountFlags::TYPE_1)
            .usage(usage);
        // SAFETY: see the module.
        unsafe { self.device().create_image(&info, None) }
    }

    fn destroy_image(&self, image: vk::Image) {
        // SAFETY: see the module.
        unsafe { self.device().destroy_image(image, None) }
    }

    fn bind_buffer(
        &self,
        buffer: vk::Buffer,
        memory: vk::DeviceMemory,
        offset: u64,
    ) -> VkResult<()> {
        // SAFETY: see the module.
        unsafe { self.device().bind_buffer_memory(buffer, memory, offset) }
    }

    fn bind_buffer2(
        &self,
        buffer: vk::Buffer,
        memory: vk::DeviceMemory,
        offset: u64,
    ) -> VkResult<()> {
        let info =
            vk::BindBufferMemoryInfo::default().buffer(buffer).memory(memory).memory_offset(offset);
        // SAFETY: see the module.
        unsafe { self.device().bind_buffer_memory2(&[info]) }
    }

    fn bind_image(&self, image: vk::Image, memory: vk::DeviceMemory, offset: u64) -> VkResult<()> {
        // SAFETY: see the module.
        unsafe { self.device().bind_image_memory(image, memory, offset) }
    }

    fn bind_image2(&self, image: vk::Image, memory: vk::DeviceMemory, offset: u64) -> VkResult<()> {
        let info =
            vk::BindImageMemoryInfo::default().image(image).memory(memory).memory_offset(offset);
        // SAFETY: see the module.
        unsafe { self.device().bind_image_memory2(&[info]) }
    }

    fn buffer_requirements(&self, buffer: vk::Buffer) -> vk::MemoryRequirements {
        // SAFETY: see the module.
        unsafe { self.device().get_buffer_memory_requirements(buffer) }
    }

    fn image_requirements(&self, image: vk::Image) -> vk::MemoryRequirements {
        // SAFETY: see the module.
        unsafe { self.device().get_image_memory_requirements(image) }
    }

    fn address(&self, buffer: vk::Buffer) -> u64 {
        let info = vk::BufferDeviceAddressInfo::default().buffer(buffer);
        // SAFETY: see the module.
        unsafe { self.device().get_buffer_device_address(&info) }
    }
}

impl Calls for SimDriver {
    fn device(&self) -> &ash::Device {
        self.device()
    }
}

/// Writes one byte through a mapping.
pub(crate) fn write_byte(pointer: *mut u8, index: usize, byte: u8) {
    // SAFETY: each test passes a pointer that it mapped, and an index within the mapping.
    let pointer = unsafe { pointer.add(index) };
    // SAFETY: as above; each test has its memory to itself.
    unsafe { pointer.write(byte) };
}

/// Reads one byte through a mapping.
pub(crate) fn read_byte(pointer: *mut u8, index: usize) -> u8 {
    // SAFETY: as in `write_byte`.
    let pointer = unsafe { pointer.add(index) };
    // SAFETY: as in `write_byte`; the memory is zeroed when it is made.
    unsafe { pointer.read() }
}

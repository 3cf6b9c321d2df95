//! A real device under an overlay, and transfers that it executes.

use ash::vk;
use vk_boot::gpu_tests::{executes, skip};
use vk_boot::{Boot, BootOptions};
use vk_sim::{DriverConfig, RealDriver, SimDriver};

pub(crate) const TRANSFER: vk::BufferUsageFlags = vk::BufferUsageFlags::from_raw(
    vk::BufferUsageFlags::TRANSFER_SRC.as_raw() | vk::BufferUsageFlags::TRANSFER_DST.as_raw(),
);

pub(crate) fn boot() -> Boot {
    Boot::new(&BootOptions::for_gpu_tests()).unwrap()
}

/// A booted device that does what is submitted to it; says so if it does not.
pub(crate) fn boot_that_executes() -> Option<Boot> {
    let boot = boot();
    if executes(&boot) {
        return Some(boot);
    }
    skip("the device executes nothing");
    None
}

/// An overlay over the booted device, which has to outlive it.
pub(crate) fn overlay(boot: &Boot, config: DriverConfig) -> SimDriver {
    let real = RealDriver {
        entry: &boot.entry,
        instance: &boot.instance,
        physical_device: boot.physical_device,
        device: &boot.device,
    };
    // SAFETY: 1. all are the boot's. 2. Each test drops the overlay before the boot. 3. Each test
    // uses the overlay alone.
    unsafe { SimDriver::over(&real, config) }.unwrap()
}

/// A buffer in memory of its own.
#[derive(Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) buffer: vk::Buffer,
    pub(crate) memory: vk::DeviceMemory,
    pub(crate) size: u64,
}

impl Bound {
    pub(crate) fn new(device: &ash::Device, memory_type_index: u32, size: u64) -> Self {
        let info = vk::BufferCreateInfo::default().size(size).usage(TRANSFER);
        // SAFETY: valid usage.
        let buffer = unsafe { device.create_buffer(&info, None) }.unwrap();
        // SAFETY: the buffer lives.
        let requirements = unsafe { device.get_buffer_memory_requirements(buffer) };
        assert_ne!(requirements.memory_type_bits & (1 << memory_type_index), 0);
        let info = vk::MemoryAllocateInfo::default()
            .allocation_size(requirements.size)
            .memory_type_index(memory_type_index);
        // SAFETY: valid usage.
        let memory = unsafe { device.allocate_memory(&info, None) }.unwrap();
        // SAFETY: the type is allowed, the size the required one.
        unsafe { device.bind_buffer_memory(buffer, memory, 0) }.unwrap();
        Self { buffer, memory, size }
    }

    pub(crate) fn map(&self, device: &ash::Device) -> *mut u8 {
        let flags = vk::MemoryMapFlags::empty();
        // SAFETY: each test maps host-visible memory, once.
        unsafe { device.map_memory(self.memory, 0, vk::WHOLE_SIZE, flags) }.unwrap().cast()
    }

    pub(crate) fn flush(&self, device: &ash::Device) {
        let whole = vk::MappedMemoryRange::default().memory(self.memory).size(vk::WHOLE_SIZE);
        // SAFETY: it is mapped.
        unsafe { device.flush_mapped_memory_ranges(&[whole]) }.unwrap();
    }

    pub(crate) fn invalidate(&self, device: &ash::Device) {
        let whole = vk::MappedMemoryRange::default().memory(self.memory).size(vk::WHOLE_SIZE);
        // SAFETY: it is mapped.
        unsafe { device.invalidate_mapped_memory_ranges(&[whole]) }.unwrap();
    }

    pub(crate) fn destroy(self, device: &ash::Device) {
        // SAFETY: every submission has been waited for.
        unsafe { device.destroy_buffer(self.buffer, None) };
        // SAFETY: as above, and nothing is bound any more.
        unsafe { device.free_memory(self.memory, None) };
    }
}

/// Lets the real driver copy all of one buffer to another, and waits for it.
pub(crate) fn copy(boot: &Boot, device: &ash::Device, from: &Bound, to: &Bound) {
    let region = vk::BufferCopy::default().size(from.size);
    let barrier = vk::MemoryBarrier::default()
        .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
        .dst_access_mask(vk::AccessFlags::HOST_READ);
    let (transfer, host) = (vk::PipelineStageFlags::TRANSFER, vk::PipelineStageFlags::HOST);
    let record = |commands| {
        // SAFETY: both buffers live and have memory.
        unsafe { device.cmd_copy_buffer(commands, from.buffer, to.buffer, &[region]) };
        let no_flags = vk::DependencyFlags::empty();
        // SAFETY: valid usage.
        unsafe {
            device.cmd_pipeline_barrier(commands, transfer, host, no_flags, &[barrier], &[], &[]);
        };
    };
    // SAFETY: what is recorded is valid usage, and lives until this has returned.
    unsafe { boot.submit(record) }.unwrap();
}

/// Writes a byte through a mapping.
pub(crate) fn write_byte(pointer: *mut u8, byte: u8) {
    // SAFETY: each test passes the start of a mapping that it has to itself.
    unsafe { pointer.write_volatile(byte) };
}

/// Reads a byte through a mapping.
pub(crate) fn read_byte(pointer: *mut u8) -> u8 {
    // SAFETY: as in `write_byte`; what is read was written by a copy or a fill.
    unsafe { pointer.read_volatile() }
}

//! What the examples share: a headless device, the allocator on it, and the tables of devices.
//!
//! Does not: stand for how an application boots Vulkan; it has an instance and a device already.

pub mod memory_types;

use gpu_alloc_ash::{AllocatorConfig, ConfigError, GpuAllocator};
use vk_boot::Boot;

/// An allocator that is told what the device was booted with.
///
/// # Errors
///
/// [`ConfigError`], if the device reports limits that Vulkan does not allow.
pub fn allocator(boot: &Boot) -> Result<GpuAllocator, ConfigError> {
    let mut config = AllocatorConfig::default();
    config.api_version = boot.api_version;
    config.khr_dedicated_allocation = boot.enabled.dedicated_allocation;
    config.buffer_device_address = boot.enabled.buffer_device_address;
    // SAFETY: The three belong together, and the configuration says what was enabled. The examples
    // end the allocator before the boot.
    unsafe { GpuAllocator::new(&boot.instance, boot.physical_device, &boot.device, config) }
}

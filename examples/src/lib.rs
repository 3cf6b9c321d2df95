//! What the examples share: a headless device, the allocator on it, and the tables of devices.
//!
//! Does not: stand for how an application boots Vulkan; it has an instance and a device already.

mod frame;
pub mod frame_ring;
pub mod loading_stack;
pub mod memory_types;
pub mod streaming_pool;

use std::error::Error;

use gpu_alloc_ash::{AllocatorConfig, ConfigError, GpuAllocator};
use vk_boot::{Boot, BootOptions, DeviceChoice, Validation};

/// Runs an example on the device that the environment names, under validation if the layer is installed.
///
/// # Errors
///
/// The example's own, and if the layer had something to say.
pub fn headless(
    example: impl FnOnce(&Boot) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let options =
        BootOptions { validation: Validation::IfPresent, device: DeviceChoice::from_environment() };
    let boot = Boot::new(&options)?;
    println!("{} ({}), validation: {}", boot.device_name, boot.driver_name, boot.validation);
    let result = example(&boot);
    let messages = boot.finish();
    messages.iter().for_each(|message| eprintln!("{message}"));
    result?;
    if messages.is_empty() {
        Ok(())
    } else {
        Err("the validation layer had something to say".into())
    }
}

/// Bytes that tell where they belong: other ones for each seed.
fn pattern(seed: u64, size: u64) -> Vec<u8> {
    // The middle of a multiplicative hash, as its lowest bits hardly change.
    let byte = |at: u64| {
        let mixed = (seed << 32 | at).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed.to_be_bytes()[0]
    };
    (0..size).map(byte).collect()
}

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

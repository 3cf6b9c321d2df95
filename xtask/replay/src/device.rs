//! From the command line's options to a device with an allocator.

use gpu_alloc_ash::ash::vk;
use gpu_alloc_ash::{AllocatorConfig, ConfigError, GpuAllocator};
use replay::{IMAGE_USAGE, Machine, Replay, ResourceLimits, Texel, Watched};
use vk_boot::{Boot, BootError, BootOptions, DeviceChoice, Validation};

/// An allocator for a booted device, and what the device allows.
pub(crate) struct Session {
    pub(crate) allocator: GpuAllocator,
    pub(crate) limits: ResourceLimits,
}

pub(crate) fn boot(options: &Replay) -> Result<Boot, BootError> {
    Boot::new(&BootOptions {
        validation: if options.validation { Validation::IfPresent } else { Validation::Off },
        device: match &options.device {
            Some(name) => DeviceChoice::from_name(name),
            None => DeviceChoice::from_environment(),
        },
    })
}

/// What the summary says about the device.
pub(crate) fn machine(boot: &Boot, validation_wanted: bool) -> Machine {
    Machine {
        device_name: boot.device_name.trim().into(),
        driver_name: boot.driver_name.trim().into(),
        api_version: (
            vk::api_version_major(boot.api_version),
            vk::api_version_minor(boot.api_version),
        ),
        max_memory_allocation_count: boot.limits.max_memory_allocation_count,
        validation: match (validation_wanted, boot.validation) {
            (false, _) => Watched::Off,
            (true, false) => Watched::Missing,
            (true, true) => Watched::On { synchronization: boot.synchronization_validation },
        },
    }
}

/// Makes an allocator with the default policy; the device must outlive it.
pub(crate) fn open(boot: &Boot) -> Result<Session, ConfigError> {
    let mut config = AllocatorConfig::default();
    config.api_version = boot.api_version;
    config.khr_dedicated_allocation = boot.enabled.dedicated_allocation;
    config.buffer_device_address = boot.enabled.buffer_device_address;
    // SAFETY: 1. The three are of one boot. 2. `main` closes the allocator before the boot ends.
    // 3. The boot says what it enabled.
    let allocator =
        unsafe { GpuAllocator::new(&boot.instance, boot.physical_device, &boot.device, config) }?;
    Ok(Session { allocator, limits: resource_limits(boot) })
}

fn resource_limits(boot: &Boot) -> ResourceLimits {
    let mut limits = ResourceLimits {
        max_image_width: boot.limits.max_image_dimension2_d,
        max_image_height: boot.limits.max_image_dimension2_d,
        max_image_layers: boot.limits.max_image_array_layers,
        max_buffer_size: max_buffer_size(boot),
    };
    for texel in Texel::ALL {
        // SAFETY: the physical device is of this instance.
        let allowed = unsafe {
            boot.instance.get_physical_device_image_format_properties(
                boot.physical_device,
                texel.format(),
                vk::ImageType::TYPE_2D,
                vk::ImageTiling::OPTIMAL,
                IMAGE_USAGE,
                vk::ImageCreateFlags::empty(),
            )
        };
        // Every device supports these formats as sampled images; one that only runs out of memory
        // while it is asked keeps its general limits.
        if let Ok(allowed) = allowed {
            limits.max_image_width = limits.max_image_width.min(allowed.max_extent.width);
            limits.max_image_height = limits.max_image_height.min(allowed.max_extent.height);
            limits.max_image_layers = limits.max_image_layers.min(allowed.max_array_layers);
        }
    }
    limits
}

/// `maxBufferSize`, which Vulkan 1.3 brought; before it no limit is stated.
fn max_buffer_size(boot: &Boot) -> u64 {
    if boot.api_version < vk::API_VERSION_1_3 {
        return u64::MAX;
    }
    let mut maintenance4 = vk::PhysicalDeviceMaintenance4Properties::default();
    let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut maintenance4);
    // SAFETY: the device has Vulkan 1.3, which has the structure in its core.
    unsafe {
        boot.instance.get_physical_device_properties2(boot.physical_device, &mut properties);
    }
    match maintenance4.max_buffer_size {
        // The specification guarantees 2^30, so this is a driver that does not fill the structure
        // in, as the Khronos mock driver.
        0 => u64::MAX,
        size => size,
    }
}

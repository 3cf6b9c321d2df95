//! Makes the logical device, with the extensions and features that an allocator can use.

use std::ffi::CStr;

use ash::{ext, vk};

use crate::choose::Candidate;
use crate::error::BootError;

/// What is switched on, beside the core of [`Boot::api_version`](crate::Boot::api_version).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Enabled {
    /// The feature `bufferDeviceAddress` of Vulkan 1.2.
    pub buffer_device_address: bool,
    /// Dedicated allocation, which Vulkan 1.1 has in its core: always.
    pub dedicated_allocation: bool,
    /// The extension `VK_EXT_memory_budget`.
    pub memory_budget: bool,
    /// The extension `VK_EXT_memory_priority` and its feature.
    pub memory_priority: bool,
}

/// A logical device; waits for it and destroys it.
pub(crate) struct DeviceOwner {
    pub(crate) device: ash::Device,
    pub(crate) queue: vk::Queue,
    pub(crate) enabled: Enabled,
}

impl DeviceOwner {
    /// `api_version` is what the program may use: no more than the device has.
    pub(crate) fn new(
        instance: &ash::Instance,
        candidate: &Candidate,
        api_version: u32,
    ) -> Result<Self, BootError> {
        let enabled = what_can_be_enabled(instance, candidate.physical_device, api_version)?;
        let priorities = [1.0];
        let queues = [vk::DeviceQueueCreateInfo::default()
            .queue_family_index(candidate.queue_family_index)
            .queue_priorities(&priorities)];
        let mut extensions = Vec::new();
        let mut address =
            vk::PhysicalDeviceBufferDeviceAddressFeatures::default().buffer_device_address(true);
        let mut priority =
            vk::PhysicalDeviceMemoryPriorityFeaturesEXT::default().memory_priority(true);
        let mut create_info = vk::DeviceCreateInfo::default().queue_create_infos(&queues);
        if enabled.buffer_device_address {
            create_info = create_info.push_next(&mut address);
        }
        if enabled.memory_budget {
            extensions.push(ext::memory_budget::NAME.as_ptr());
        }
        if enabled.memory_priority {
            extensions.push(ext::memory_priority::NAME.as_ptr());
            create_info = create_info.push_next(&mut priority);
        }
        create_info = create_info.enabled_extension_names(&extensions);
        // SAFETY: the physical device is of this instance, extensions and features are offered,
        // and what the create info points to lives.
        let device =
            unsafe { instance.create_device(candidate.physical_device, &create_info, None) }
                .map_err(|result| BootError::from_call("vkCreateDevice", result))?;
        // SAFETY: the device was made with one queue of this family.
        let queue = unsafe { device.get_device_queue(candidate.queue_family_index, 0) };
        Ok(Self { device, queue, enabled })
    }
}

impl Drop for DeviceOwner {
    fn drop(&mut self) {
        // A lost device may be destroyed too, so nothing depends on the answer.
        // SAFETY: the owner is dropped once, and no other thread can hold it then.
        let _ = unsafe { self.device.device_wait_idle() };
        // SAFETY: as above. Objects that the program left behind are named by validation.
        unsafe { self.device.destroy_device(None) };
    }
}

fn what_can_be_enabled(
    instance: &ash::Instance,
    physical_device: vk::PhysicalDevice,
    api_version: u32,
) -> Result<Enabled, BootError> {
    // SAFETY: the physical device is of this instance.
    let extensions = unsafe { instance.enumerate_device_extension_properties(physical_device) }
        .map_err(|result| BootError::from_call("vkEnumerateDeviceExtensionProperties", result))?;
    let has =
        |name: &CStr| extensions.iter().any(|offer| offer.extension_name_as_c_str() == Ok(name));
    let has_priority = has(ext::memory_priority::NAME);
    let mut address = vk::PhysicalDeviceBufferDeviceAddressFeatures::default();
    let mut priority = vk::PhysicalDeviceMemoryPriorityFeaturesEXT::default();
    let mut features = vk::PhysicalDeviceFeatures2::default();
    // A structure may be chained only where its version or its extension is there.
    if api_version >= vk::API_VERSION_1_2 {
        features = features.push_next(&mut address);
    }
    if has_priority {
        features = features.push_next(&mut priority);
    }
    // SAFETY: the device has Vulkan 1.1, and the chained structures live.
    unsafe { instance.get_physical_device_features2(physical_device, &mut features) };
    Ok(Enabled {
        buffer_device_address: address.buffer_device_address == vk::TRUE,
        dedicated_allocation: true,
        memory_budget: has(ext::memory_budget::NAME),
        memory_priority: priority.memory_priority == vk::TRUE,
    })
}

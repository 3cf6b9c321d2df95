//! Picks the physical device.
//!
//! Basic design: every device with Vulkan 1.1 and a usable queue is a candidate, in the loader's
//! order. A choice is a rank for each candidate, or none; the lowest rank wins, of equals the first.

use std::ffi::CStr;

use ash::vk;

use crate::error::BootError;
use crate::options::DeviceChoice;

/// A physical device that could be used.
pub(crate) struct Candidate {
    pub(crate) physical_device: vk::PhysicalDevice,
    pub(crate) queue_family_index: u32,
    pub(crate) properties: vk::PhysicalDeviceProperties,
    pub(crate) identity: Identity,
}

/// What a choice looks at.
pub(crate) struct Identity {
    pub(crate) device_name: String,
    /// Empty before Vulkan 1.2, which brought the property.
    pub(crate) driver_name: String,
    /// Empty as the name.
    pub(crate) driver_info: String,
    pub(crate) driver_id: vk::DriverId,
    pub(crate) device_type: vk::PhysicalDeviceType,
}

impl Identity {
    /// Mesa's lavapipe; before Vulkan 1.2 it is known by its device name alone.
    pub(crate) fn is_lavapipe(&self) -> bool {
        self.driver_id == vk::DriverId::MESA_LLVMPIPE || self.device_name.starts_with("llvmpipe")
    }
}

/// The best of the instance's devices for `choice`.
pub(crate) fn choose(
    instance: &ash::Instance,
    choice: &DeviceChoice,
) -> Result<Candidate, BootError> {
    // SAFETY: the instance lives.
    let devices = unsafe { instance.enumerate_physical_devices() }
        .map_err(|result| BootError::from_call("vkEnumeratePhysicalDevices", result))?;
    if devices.is_empty() {
        return Err(BootError::NoDriver);
    }
    let device_count = devices.len();
    let candidates: Vec<_> =
        devices.into_iter().filter_map(|device| candidate(instance, device)).collect();
    if candidates.is_empty() {
        return Err(BootError::NoUsableDevice { device_count });
    }
    let device_count = candidates.len();
    candidates
        .into_iter()
        .filter_map(|candidate| Some((rank(choice, &candidate.identity)?, candidate)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, candidate)| candidate)
        .ok_or_else(|| BootError::NoMatchingDevice { wanted: words(choice).into(), device_count })
}

fn candidate(instance: &ash::Instance, physical_device: vk::PhysicalDevice) -> Option<Candidate> {
    // SAFETY: the device is of this instance.
    let properties = unsafe { instance.get_physical_device_properties(physical_device) };
    if properties.api_version < vk::API_VERSION_1_1 {
        return None;
    }
    // SAFETY: as above.
    let families = unsafe { instance.get_physical_device_queue_family_properties(physical_device) };
    let with = |flags| families.iter().position(|family| family.queue_flags.contains(flags));
    // Both kinds can transfer; graphics first, since render passes need it.
    let family = with(vk::QueueFlags::GRAPHICS).or_else(|| with(vk::QueueFlags::COMPUTE))?;
    let mut driver = vk::PhysicalDeviceDriverProperties::default();
    if properties.api_version >= vk::API_VERSION_1_2 {
        let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
        // SAFETY: instance and device have Vulkan 1.1 for the call and 1.2 for the structure.
        unsafe { instance.get_physical_device_properties2(physical_device, &mut properties) };
    }
    Some(Candidate {
        physical_device,
        queue_family_index: u32::try_from(family).ok()?,
        identity: Identity {
            device_name: words_of(properties.device_name_as_c_str()),
            driver_name: words_of(driver.driver_name_as_c_str()),
            driver_info: words_of(driver.driver_info_as_c_str()),
            driver_id: driver.driver_id,
            device_type: properties.device_type,
        },
        properties,
    })
}

fn words_of<E>(name: Result<&CStr, E>) -> String {
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// How good a device is for the choice, 0 best; `None` if it is not what was chosen.
fn rank(choice: &DeviceChoice, identity: &Identity) -> Option<u8> {
    let matches = match choice {
        DeviceChoice::Any => true,
        DeviceChoice::PreferHardware => {
            return Some(match identity.device_type {
                vk::PhysicalDeviceType::DISCRETE_GPU => 0,
                vk::PhysicalDeviceType::INTEGRATED_GPU => 1,
                vk::PhysicalDeviceType::CPU => 3,
                _ => 2,
            });
        }
        DeviceChoice::Software => identity.device_type == vk::PhysicalDeviceType::CPU,
        DeviceChoice::Lavapipe => identity.is_lavapipe(),
        DeviceChoice::NameContains(part) => {
            let part = part.to_lowercase();
            identity.device_name.to_lowercase().contains(&part)
                || identity.driver_name.to_lowercase().contains(&part)
        }
    };
    matches.then_some(0)
}

/// The choice in the words of the environment variable.
fn words(choice: &DeviceChoice) -> &str {
    match choice {
        DeviceChoice::Any => "any",
        DeviceChoice::PreferHardware => "hardware",
        DeviceChoice::Software => "software",
        DeviceChoice::Lavapipe => "lavapipe",
        DeviceChoice::NameContains(part) => part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(
        device_name: &str,
        driver_id: vk::DriverId,
        device_type: vk::PhysicalDeviceType,
    ) -> Identity {
        Identity {
            device_name: device_name.into(),
            driver_name: "the driver".into(),
            driver_info: String::new(),
            driver_id,
            device_type,
        }
    }

    #[test]
    fn each_choice_ranks_the_devices_it_names() {
        use vk::{DriverId as Id, PhysicalDeviceType as Type};
        let devices = [
            identity("llvmpipe (LLVM 15)", Id::MESA_LLVMPIPE, Type::CPU),
            identity("SwiftShader", Id::GOOGLE_SWIFTSHADER, Type::CPU),
            identity("Iris Xe", Id::INTEL_OPEN_SOURCE_MESA, Type::INTEGRATED_GPU),
            identity("RTX 3060", Id::NVIDIA_PROPRIETARY, Type::DISCRETE_GPU),
        ];
        for (name, expected) in [
            ("any", [Some(0), Some(0), Some(0), Some(0)]),
            ("hardware", [Some(3), Some(3), Some(1), Some(0)]),
            ("software", [Some(0), Some(0), None, None]),
            ("lavapipe", [Some(0), None, None, None]),
            ("rtx", [None, None, None, Some(0)]),
            ("The Driver", [Some(0), Some(0), Some(0), Some(0)]),
            ("Radeon", [None, None, None, None]),
        ] {
            let choice = DeviceChoice::from_name(name);
            let ranks: Vec<_> = devices.iter().map(|device| rank(&choice, device)).collect();
            assert_eq!(ranks, expected, "{name}");
        }
    }
}

//! The booted device and its end.

use std::sync::{Mutex, PoisonError};

use ash::vk;

use crate::choose::{Candidate, choose};
use crate::device::{DeviceOwner, Enabled};
use crate::error::BootError;
use crate::instance::InstanceOwner;
use crate::messages::{Message, MessageSink};
use crate::options::BootOptions;

/// A Vulkan device with one queue, ready for use from several threads.
///
/// Dropping it waits for the device and destroys it; messages of the validation layer that nobody
/// took are then printed to standard error. [`finish`](Self::finish) does the same and hands them
/// over instead. Whatever the program made from the device has to be destroyed before.
pub struct Boot {
    /// The functions that need no instance.
    pub entry: ash::Entry,
    /// The instance, made for Vulkan 1.3.
    pub instance: ash::Instance,
    /// The physical device that the options chose.
    pub physical_device: vk::PhysicalDevice,
    /// The logical device.
    pub device: ash::Device,
    /// The one queue; use [`submit`](Self::submit) or [`with_queue`](Self::with_queue) where
    /// several threads run.
    pub queue: vk::Queue,
    /// The queue's family.
    pub queue_family_index: u32,
    /// The version that may be used: the device's, but at most 1.3.
    pub api_version: u32,
    /// The device's name, such as `llvmpipe (LLVM 15.0.6, 256 bits)`.
    pub device_name: String,
    /// The driver's name, such as `llvmpipe`; empty before Vulkan 1.2.
    pub driver_name: String,
    /// The driver's words about its version, such as `Mesa 22.3.6`; empty before Vulkan 1.2.
    pub driver_info: String,
    /// Whether the driver is Mesa's lavapipe.
    pub is_lavapipe: bool,
    /// The memory types and heaps.
    pub memory_properties: vk::PhysicalDeviceMemoryProperties,
    /// The limits of Vulkan 1.0.
    pub limits: vk::PhysicalDeviceLimits,
    /// The largest size of one `vkAllocateMemory`, in bytes (`VkPhysicalDeviceMaintenance3Properties`).
    pub max_memory_allocation_size: u64,
    /// Extensions and features that are switched on.
    pub enabled: Enabled,
    /// Whether the validation layer is on.
    pub validation: bool,
    /// The version of Vulkan that the layer was written for; `None` without the layer.
    pub layer_version: Option<u32>,
    /// Whether the layer checks synchronisation too.
    pub synchronization_validation: bool,
    pub(crate) queue_lock: Mutex<()>,
    /// `None` only inside [`finish`](Self::finish) and `drop`.
    owned: Option<Owned>,
}

/// Held while a device boots. The loader may be asked by several threads at once, but what stands in for the
/// kernel's side of some drivers (Mesa's drm-shim) mixes up the folders that they read: about one in a hundred
/// runs of seven tests then misses the validation layer.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What is destroyed, in this order.
struct Owned {
    _device: DeviceOwner,
    instance: InstanceOwner,
}

impl Boot {
    /// Boots the device that `options` choose.
    ///
    /// # Errors
    ///
    /// [`BootError`]; each of its messages is one line that says what to do.
    pub fn new(options: &BootOptions) -> Result<Self, BootError> {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = InstanceOwner::new(options.validation)?;
        let instance = owner.instance.clone();
        let chosen = choose(&instance, &options.device)?;
        let api_version = chosen.properties.api_version.min(vk::API_VERSION_1_3);
        let device = DeviceOwner::new(&instance, &chosen, api_version)?;
        let Candidate { physical_device, queue_family_index, properties, identity } = chosen;
        // SAFETY: the physical device is of this instance.
        let memory_properties =
            unsafe { instance.get_physical_device_memory_properties(physical_device) };
        let mut maintenance3 = vk::PhysicalDeviceMaintenance3Properties::default();
        let mut properties2 = vk::PhysicalDeviceProperties2::default().push_next(&mut maintenance3);
        // SAFETY: the device has Vulkan 1.1, which has the structure in its core.
        unsafe { instance.get_physical_device_properties2(physical_device, &mut properties2) };
        Ok(Self {
            entry: owner.entry.clone(),
            instance,
            physical_device,
            device: device.device.clone(),
            queue: device.queue,
            queue_family_index,
            api_version,
            is_lavapipe: identity.is_lavapipe(),
            device_name: identity.device_name,
            driver_name: identity.driver_name,
            driver_info: identity.driver_info,
            memory_properties,
            limits: properties.limits,
            max_memory_allocation_size: maintenance3.max_memory_allocation_size,
            enabled: device.enabled,
            validation: owner.validation,
            layer_version: owner.layer_version,
            synchronization_validation: owner.synchronization_validation,
            queue_lock: Mutex::new(()),
            owned: Some(Owned { _device: device, instance: owner }),
        })
    }

    /// Where the validation layer's messages are.
    #[must_use]
    pub fn messages(&self) -> &MessageSink {
        let owned = self.owned.as_ref().expect("only `finish` and `drop` take it out, by value");
        &owned.instance.sink
    }

    /// Destroys device and instance, and hands over every message that was not taken, those at
    /// destruction included: objects that were left behind are named there.
    #[must_use]
    pub fn finish(mut self) -> Vec<Message> {
        self.destroy()
    }

    fn destroy(&mut self) -> Vec<Message> {
        let Some(owned) = self.owned.take() else {
            return Vec::new();
        };
        let sink = owned.instance.sink.clone();
        drop(owned);
        sink.take()
    }
}

impl Drop for Boot {
    fn drop(&mut self) {
        for message in self.destroy() {
            eprintln!("{message}");
        }
    }
}

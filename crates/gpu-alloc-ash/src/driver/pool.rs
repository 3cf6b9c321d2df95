//! What custom pools ask the driver for: blocks with more to say, and what a resource would need.
#![allow(unsafe_code)]

use ash::vk;

use super::Driver;
use crate::AllocError;

/// What the memory objects of a custom pool are made with, beyond size and type.
#[derive(Default)]
pub(crate) struct BlockInfo {
    pub(crate) device_address: bool,
    /// Between 0 and 1, where `VK_EXT_memory_priority` is enabled.
    pub(crate) priority: Option<f32>,
    /// Chains the user's structures, by the clauses of `create_pool_with`.
    pub(crate) extend: Option<Box<ExtendBlock>>,
}

/// Calls its second argument with the first one, to which it has chained structures.
pub(crate) type ExtendBlock =
    dyn Fn(vk::MemoryAllocateInfo<'_>, &mut dyn FnMut(&vk::MemoryAllocateInfo<'_>)) + Send + Sync;

impl core::fmt::Debug for BlockInfo {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BlockInfo")
            .field("device_address", &self.device_address)
            .field("priority", &self.priority)
            .field("is_extended", &self.extend.is_some())
            .finish()
    }
}

impl Driver {
    /// [`allocate_memory`](Self::allocate_memory) with the structures of a user, who may run any code
    /// meanwhile: so what is asked for is looked at again, and asked for once.
    pub(super) fn allocate_extended(
        &self,
        create: vk::MemoryAllocateInfo<'_>,
        extend: &ExtendBlock,
    ) -> Result<vk::DeviceMemory, AllocError> {
        let (size, memory_type_index) = (create.allocation_size, create.memory_type_index);
        let mut answer = None;
        extend(create, &mut |create| {
            let is_as_given =
                create.allocation_size == size && create.memory_type_index == memory_type_index;
            if answer.is_none() && is_as_given {
                answer = Some(self.allocate_memory(create));
            }
        });
        answer.unwrap_or(Err(AllocError::NotExtended))
    }

    /// Asks what a buffer would need, without creating it; `None` before Vulkan 1.3.
    ///
    /// # Safety
    ///
    /// 1. `info` is valid usage on the device.
    pub(crate) unsafe fn requirements_of_buffer(
        &self,
        info: &vk::BufferCreateInfo<'_>,
    ) -> Option<vk::MemoryRequirements> {
        if !self.asks_without_resource {
            return None;
        }
        let question = vk::DeviceBufferMemoryRequirements::default().create_info(info);
        let mut out = vk::MemoryRequirements2::default();
        // SAFETY: Promised by our caller; the device is of Vulkan 1.3.
        unsafe { self.device.get_device_buffer_memory_requirements(&question, &mut out) };
        Some(out.memory_requirements)
    }

    /// The same of an image.
    ///
    /// # Safety
    ///
    /// 1. `info` is valid usage on the device.
    /// 2. It is not disjoint.
    pub(crate) unsafe fn requirements_of_image(
        &self,
        info: &vk::ImageCreateInfo<'_>,
    ) -> Option<vk::MemoryRequirements> {
        if !self.asks_without_resource {
            return None;
        }
        let question = vk::DeviceImageMemoryRequirements::default().create_info(info);
        let mut out = vk::MemoryRequirements2::default();
        // SAFETY: Promised by our caller; the device is of Vulkan 1.3.
        unsafe { self.device.get_device_image_memory_requirements(&question, &mut out) };
        Some(out.memory_requirements)
    }
}

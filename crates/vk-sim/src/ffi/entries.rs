//! The functions by name, each checked against its Vulkan type, and since when it is there.

use std::ffi::{CStr, c_void};

use ash::{khr, vk};

use super::{bind, command, memory, physical, pool, queue, requirements, resource, table};

/// A function that was found.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) since: Since,
    /// Whether the device has it, not only the instance.
    pub(super) is_of_device: bool,
    pub(super) function: *const c_void,
}

/// When a function is there.
#[derive(Clone, Copy)]
pub(super) enum Since {
    /// From a core version on.
    Core(u32),
    /// With an extension of the device.
    Extension(&'static CStr),
}

const V1_0: Since = Since::Core(vk::API_VERSION_1_0);
const V1_1: Since = Since::Core(vk::API_VERSION_1_1);
const V1_2: Since = Since::Core(vk::API_VERSION_1_2);
const V1_3: Since = Since::Core(vk::API_VERSION_1_3);
const BIND2: Since = Since::Extension(khr::bind_memory2::NAME);
const REQUIREMENTS2: Since = Since::Extension(khr::get_memory_requirements2::NAME);
const ADDRESS: Since = Since::Extension(khr::buffer_device_address::NAME);
const MAINTENANCE4: Since = Since::Extension(khr::maintenance4::NAME);
const SYNCHRONIZATION2: Since = Since::Extension(khr::synchronization2::NAME);
/// An extension of the instance, which is always there.
const OF_INSTANCE: Since = V1_0;

/// A `match` from names to entries.
macro_rules! entries {
    ($name:expr, $is_of_device:literal; $($since:ident $word:literal
        => $type:ident, $function:path;)+) => {
        match $name {
            $($word => {
                let function: vk::$type = $function;
                Some(Entry {
                    since: $since,
                    is_of_device: $is_of_device,
                    function: function as *const c_void,
                })
            })+
            _ => None,
        }
    };
}

pub(super) fn memory_entry(name: &[u8]) -> Option<Entry> {
    entries! { name, true;
        V1_0 b"vkAllocateMemory" => PFN_vkAllocateMemory, memory::allocate_memory;
        V1_0 b"vkFreeMemory" => PFN_vkFreeMemory, memory::free_memory;
        V1_0 b"vkMapMemory" => PFN_vkMapMemory, memory::map_memory;
        V1_0 b"vkUnmapMemory" => PFN_vkUnmapMemory, memory::unmap_memory;
        V1_0 b"vkFlushMappedMemoryRanges"
            => PFN_vkFlushMappedMemoryRanges, memory::flush_mapped_memory_ranges;
        V1_0 b"vkInvalidateMappedMemoryRanges"
            => PFN_vkInvalidateMappedMemoryRanges, memory::invalidate_mapped_memory_ranges;
        V1_0 b"vkDestroyDevice" => PFN_vkDestroyDevice, physical::destroy_device;
        V1_0 b"vkGetDeviceProcAddr" => PFN_vkGetDeviceProcAddr, table::get_device_proc_addr;
    }
}

pub(super) fn resource_entry(name: &[u8]) -> Option<Entry> {
    entries! { name, true;
        V1_0 b"vkCreateBuffer" => PFN_vkCreateBuffer, resource::create_buffer;
        V1_0 b"vkDestroyBuffer" => PFN_vkDestroyBuffer, resource::destroy_buffer;
        V1_0 b"vkCreateImage" => PFN_vkCreateImage, resource::create_image;
        V1_0 b"vkDestroyImage" => PFN_vkDestroyImage, resource::destroy_image;
        V1_0 b"vkBindBufferMemory" => PFN_vkBindBufferMemory, bind::bind_buffer_memory;
        V1_0 b"vkBindImageMemory" => PFN_vkBindImageMemory, bind::bind_image_memory;
        V1_1 b"vkBindBufferMemory2" => PFN_vkBindBufferMemory2, bind::bind_buffer_memory2;
        BIND2 b"vkBindBufferMemory2KHR" => PFN_vkBindBufferMemory2, bind::bind_buffer_memory2;
        V1_1 b"vkBindImageMemory2" => PFN_vkBindImageMemory2, bind::bind_image_memory2;
        BIND2 b"vkBindImageMemory2KHR" => PFN_vkBindImageMemory2, bind::bind_image_memory2;
        V1_2 b"vkGetBufferDeviceAddress"
            => PFN_vkGetBufferDeviceAddress, resource::get_buffer_device_address;
        ADDRESS b"vkGetBufferDeviceAddressKHR"
            => PFN_vkGetBufferDeviceAddress, resource::get_buffer_device_address;
    }
}

pub(super) fn requirements_entry(name: &[u8]) -> Option<Entry> {
    entries! { name, true;
        V1_0 b"vkGetBufferMemoryRequirements"
            => PFN_vkGetBufferMemoryRequirements, requirements::get_buffer_memory_requirements;
        V1_0 b"vkGetImageMemoryRequirements"
            => PFN_vkGetImageMemoryRequirements, requirements::get_image_memory_requirements;
        V1_1 b"vkGetBufferMemoryRequirements2"
            => PFN_vkGetBufferMemoryRequirements2, requirements::get_buffer_memory_requirements2;
        REQUIREMENTS2 b"vkGetBufferMemoryRequirements2KHR"
            => PFN_vkGetBufferMemoryRequirements2, requirements::get_buffer_memory_requirements2;
        V1_1 b"vkGetImageMemoryRequirements2"
            => PFN_vkGetImageMemoryRequirements2, requirements::get_image_memory_requirements2;
        REQUIREMENTS2 b"vkGetImageMemoryRequirements2KHR"
            => PFN_vkGetImageMemoryRequirements2, requirements::get_image_memory_requirements2;
        V1_3 b"vkGetDeviceBufferMemoryRequirements"
            => PFN_vkGetDeviceBufferMemoryRequirements,
            requirements::get_device_buffer_memory_requirements;
        MAINTENANCE4 b"vkGetDeviceBufferMemoryRequirementsKHR"
            => PFN_vkGetDeviceBufferMemoryRequirements,
            requirements::get_device_buffer_memory_requirements;
        V1_3 b"vkGetDeviceImageMemoryRequirements"
            => PFN_vkGetDeviceImageMemoryRequirements,
            requirements::get_device_image_memory_requirements;
        MAINTENANCE4 b"vkGetDeviceImageMemoryRequirementsKHR"
            => PFN_vkGetDeviceImageMemoryRequirements,
            requirements::get_device_image_memory_requirements;
    }
}

pub(super) fn pool_entry(name: &[u8]) -> Option<Entry> {
    entries! { name, true;
        V1_0 b"vkCreateCommandPool" => PFN_vkCreateCommandPool, pool::create_command_pool;
        V1_0 b"vkDestroyCommandPool" => PFN_vkDestroyCommandPool, pool::destroy_command_pool;
        V1_0 b"vkResetCommandPool" => PFN_vkResetCommandPool, pool::reset_command_pool;
        V1_0 b"vkAllocateCommandBuffers"
            => PFN_vkAllocateCommandBuffers, pool::allocate_command_buffers;
        V1_0 b"vkFreeCommandBuffers" => PFN_vkFreeCommandBuffers, pool::free_command_buffers;
        V1_0 b"vkBeginCommandBuffer" => PFN_vkBeginCommandBuffer, pool::begin_command_buffer;
        V1_0 b"vkEndCommandBuffer" => PFN_vkEndCommandBuffer, pool::end_command_buffer;
        V1_0 b"vkResetCommandBuffer" => PFN_vkResetCommandBuffer, pool::reset_command_buffer;
        V1_0 b"vkCmdCopyBuffer" => PFN_vkCmdCopyBuffer, command::cmd_copy_buffer;
        V1_0 b"vkCmdFillBuffer" => PFN_vkCmdFillBuffer, command::cmd_fill_buffer;
        V1_0 b"vkCmdUpdateBuffer" => PFN_vkCmdUpdateBuffer, command::cmd_update_buffer;
        V1_0 b"vkCmdCopyBufferToImage"
            => PFN_vkCmdCopyBufferToImage, command::cmd_copy_buffer_to_image;
        V1_0 b"vkCmdCopyImageToBuffer"
            => PFN_vkCmdCopyImageToBuffer, command::cmd_copy_image_to_buffer;
        V1_0 b"vkCmdClearColorImage" => PFN_vkCmdClearColorImage, command::cmd_clear_color_image;
        V1_0 b"vkCmdPipelineBarrier" => PFN_vkCmdPipelineBarrier, command::cmd_pipeline_barrier;
        V1_3 b"vkCmdPipelineBarrier2" => PFN_vkCmdPipelineBarrier2, command::cmd_pipeline_barrier2;
        SYNCHRONIZATION2 b"vkCmdPipelineBarrier2KHR"
            => PFN_vkCmdPipelineBarrier2, command::cmd_pipeline_barrier2;
    }
}

pub(super) fn queue_entry(name: &[u8]) -> Option<Entry> {
    entries! { name, true;
        V1_0 b"vkGetDeviceQueue" => PFN_vkGetDeviceQueue, queue::get_device_queue;
        V1_0 b"vkQueueSubmit" => PFN_vkQueueSubmit, queue::queue_submit;
        V1_3 b"vkQueueSubmit2" => PFN_vkQueueSubmit2, queue::queue_submit2;
        SYNCHRONIZATION2 b"vkQueueSubmit2KHR" => PFN_vkQueueSubmit2, queue::queue_submit2;
        V1_0 b"vkQueueWaitIdle" => PFN_vkQueueWaitIdle, queue::queue_wait_idle;
        V1_0 b"vkDeviceWaitIdle" => PFN_vkDeviceWaitIdle, queue::device_wait_idle;
        V1_0 b"vkCreateFence" => PFN_vkCreateFence, queue::create_fence;
        V1_0 b"vkDestroyFence" => PFN_vkDestroyFence, queue::destroy_fence;
        V1_0 b"vkResetFences" => PFN_vkResetFences, queue::reset_fences;
        V1_0 b"vkGetFenceStatus" => PFN_vkGetFenceStatus, queue::get_fence_status;
        V1_0 b"vkWaitForFences" => PFN_vkWaitForFences, queue::wait_for_fences;
    }
}

pub(super) fn instance_entry(name: &[u8]) -> Option<Entry> {
    entries! { name, false;
        V1_0 b"vkGetInstanceProcAddr" => PFN_vkGetInstanceProcAddr, table::get_instance_proc_addr;
        V1_0 b"vkDestroyInstance" => PFN_vkDestroyInstance, physical::destroy_instance;
        V1_0 b"vkGetPhysicalDeviceProperties"
            => PFN_vkGetPhysicalDeviceProperties, physical::get_properties;
        V1_1 b"vkGetPhysicalDeviceProperties2"
            => PFN_vkGetPhysicalDeviceProperties2, physical::get_properties2;
        OF_INSTANCE b"vkGetPhysicalDeviceProperties2KHR"
            => PFN_vkGetPhysicalDeviceProperties2, physical::get_properties2;
        V1_0 b"vkGetPhysicalDeviceMemoryProperties"
            => PFN_vkGetPhysicalDeviceMemoryProperties, physical::get_memory_properties;
        V1_1 b"vkGetPhysicalDeviceMemoryProperties2"
            => PFN_vkGetPhysicalDeviceMemoryProperties2, physical::get_memory_properties2;
        OF_INSTANCE b"vkGetPhysicalDeviceMemoryProperties2KHR"
            => PFN_vkGetPhysicalDeviceMemoryProperties2, physical::get_memory_properties2;
        V1_0 b"vkEnumerateDeviceExtensionProperties"
            => PFN_vkEnumerateDeviceExtensionProperties, physical::enumerate_extensions;
    }
}

/// What a simulated physical device says of its queues; a real one's are its own.
pub(super) fn family_entry(name: &[u8]) -> Option<Entry> {
    entries! { name, false;
        V1_0 b"vkGetPhysicalDeviceQueueFamilyProperties"
            => PFN_vkGetPhysicalDeviceQueueFamilyProperties, physical::get_queue_families;
    }
}

/// The null instance has the functions that need none.
pub(super) fn global_entry(name: &[u8]) -> Option<Entry> {
    entries! { name, false;
        V1_0 b"vkGetInstanceProcAddr" => PFN_vkGetInstanceProcAddr, table::get_instance_proc_addr;
        V1_0 b"vkEnumerateInstanceVersion"
            => PFN_vkEnumerateInstanceVersion, physical::enumerate_instance_version;
    }
}

//! Which name is which function, and from which version on.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use ash::vk;

use super::{memory, physical, resource, state_of};

/// A function that was found.
#[derive(Clone, Copy)]
struct Entry {
    /// The core version that has it; Vulkan 1.0 for the KHR names, whose extensions are all there.
    since: u32,
    /// Whether the device has it, not only the instance.
    is_of_device: bool,
    function: *const c_void,
}

/// A `match` from names to entries; each function is checked against its Vulkan type.
macro_rules! entries {
    ($name:expr; $($since:ident $is_of_device:literal
        $($word:literal)|+ => $type:ident, $function:path;)+) => {
        match $name {
            $($($word)|+ => {
                let function: vk::$type = $function;
                Some(Entry {
                    since: vk::$since,
                    is_of_device: $is_of_device,
                    function: function as *const c_void,
                })
            })+
            _ => None,
        }
    };
}

fn device_memory_entry(name: &[u8]) -> Option<Entry> {
    entries! { name;
        API_VERSION_1_0 true b"vkAllocateMemory" => PFN_vkAllocateMemory, memory::allocate_memory;
        API_VERSION_1_0 true b"vkFreeMemory" => PFN_vkFreeMemory, memory::free_memory;
        API_VERSION_1_0 true b"vkMapMemory" => PFN_vkMapMemory, memory::map_memory;
        API_VERSION_1_0 true b"vkUnmapMemory" => PFN_vkUnmapMemory, memory::unmap_memory;
        API_VERSION_1_0 true b"vkFlushMappedMemoryRanges"
            => PFN_vkFlushMappedMemoryRanges, memory::flush_mapped_memory_ranges;
        API_VERSION_1_0 true b"vkInvalidateMappedMemoryRanges"
            => PFN_vkInvalidateMappedMemoryRanges, memory::invalidate_mapped_memory_ranges;
        API_VERSION_1_0 true b"vkBindBufferMemory"
            => PFN_vkBindBufferMemory, resource::bind_buffer_memory;
        API_VERSION_1_0 true b"vkBindImageMemory"
            => PFN_vkBindImageMemory, resource::bind_image_memory;
        API_VERSION_1_1 true b"vkBindBufferMemory2"
            => PFN_vkBindBufferMemory2, resource::bind_buffer_memory2;
        API_VERSION_1_0 true b"vkBindBufferMemory2KHR"
            => PFN_vkBindBufferMemory2, resource::bind_buffer_memory2;
        API_VERSION_1_1 true b"vkBindImageMemory2"
            => PFN_vkBindImageMemory2, resource::bind_image_memory2;
        API_VERSION_1_0 true b"vkBindImageMemory2KHR"
            => PFN_vkBindImageMemory2, resource::bind_image_memory2;
    }
}

fn device_resource_entry(name: &[u8]) -> Option<Entry> {
    entries! { name;
        API_VERSION_1_0 true b"vkCreateBuffer" => PFN_vkCreateBuffer, resource::create_buffer;
        API_VERSION_1_0 true b"vkDestroyBuffer" => PFN_vkDestroyBuffer, resource::destroy_buffer;
        API_VERSION_1_0 true b"vkCreateImage" => PFN_vkCreateImage, resource::create_image;
        API_VERSION_1_0 true b"vkDestroyImage" => PFN_vkDestroyImage, resource::destroy_image;
        API_VERSION_1_0 true b"vkGetBufferMemoryRequirements"
            => PFN_vkGetBufferMemoryRequirements, resource::get_buffer_memory_requirements;
        API_VERSION_1_0 true b"vkGetImageMemoryRequirements"
            => PFN_vkGetImageMemoryRequirements, resource::get_image_memory_requirements;
        API_VERSION_1_1 true b"vkGetBufferMemoryRequirements2"
            => PFN_vkGetBufferMemoryRequirements2, resource::get_buffer_memory_requirements2;
        API_VERSION_1_0 true b"vkGetBufferMemoryRequirements2KHR"
            => PFN_vkGetBufferMemoryRequirements2, resource::get_buffer_memory_requirements2;
        API_VERSION_1_1 true b"vkGetImageMemoryRequirements2"
            => PFN_vkGetImageMemoryRequirements2, resource::get_image_memory_requirements2;
        API_VERSION_1_0 true b"vkGetImageMemoryRequirements2KHR"
            => PFN_vkGetImageMemoryRequirements2, resource::get_image_memory_requirements2;
        API_VERSION_1_2 true b"vkGetBufferDeviceAddress"
            => PFN_vkGetBufferDeviceAddress, resource::get_buffer_device_address;
        API_VERSION_1_0 true b"vkGetBufferDeviceAddressKHR"
            => PFN_vkGetBufferDeviceAddress, resource::get_buffer_device_address;
        API_VERSION_1_0 true b"vkDestroyDevice" => PFN_vkDestroyDevice, physical::destroy_device;
        API_VERSION_1_0 true b"vkGetDeviceProcAddr"
            => PFN_vkGetDeviceProcAddr, get_device_proc_addr;
    }
}

fn instance_entry(name: &[u8]) -> Option<Entry> {
    entries! { name;
        API_VERSION_1_0 false b"vkGetInstanceProcAddr"
            => PFN_vkGetInstanceProcAddr, get_instance_proc_addr;
        API_VERSION_1_0 false b"vkDestroyInstance"
            => PFN_vkDestroyInstance, physical::destroy_instance;
        API_VERSION_1_0 false b"vkGetPhysicalDeviceProperties"
            => PFN_vkGetPhysicalDeviceProperties, physical::get_properties;
        API_VERSION_1_1 false b"vkGetPhysicalDeviceProperties2"
            => PFN_vkGetPhysicalDeviceProperties2, physical::get_properties2;
        API_VERSION_1_0 false b"vkGetPhysicalDeviceProperties2KHR"
            => PFN_vkGetPhysicalDeviceProperties2, physical::get_properties2;
        API_VERSION_1_0 false b"vkGetPhysicalDeviceMemoryProperties"
            => PFN_vkGetPhysicalDeviceMemoryProperties, physical::get_memory_properties;
        API_VERSION_1_1 false b"vkGetPhysicalDeviceMemoryProperties2"
            => PFN_vkGetPhysicalDeviceMemoryProperties2, physical::get_memory_properties2;
        API_VERSION_1_0 false b"vkGetPhysicalDeviceMemoryProperties2KHR"
            => PFN_vkGetPhysicalDeviceMemoryProperties2, physical::get_memory_properties2;
    }
}

fn find(name: &[u8]) -> Option<Entry> {
    device_memory_entry(name)
        .or_else(|| device_resource_entry(name))
        .or_else(|| instance_entry(name))
}

/// The null instance has the functions that need none.
fn global_entry(name: &[u8]) -> Option<Entry> {
    entries! { name;
        API_VERSION_1_0 false b"vkGetInstanceProcAddr"
            => PFN_vkGetInstanceProcAddr, get_instance_proc_addr;
        API_VERSION_1_0 false b"vkEnumerateInstanceVersion"
            => PFN_vkEnumerateInstanceVersion, physical::enumerate_instance_version;
    }
}

/// `vkGetDeviceProcAddr`: null for what is not there, or not in the device's version.
pub(crate) unsafe extern "system" fn get_device_proc_addr(
    device: vk::Device,
    name: *const c_char,
) -> vk::PFN_vkVoidFunction {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let name = unsafe { CStr::from_ptr(name) };
    find(name.to_bytes())
        .filter(|entry| entry.is_of_device && entry.since <= state.config.api_version)
        .and_then(as_function)
}

/// `vkGetInstanceProcAddr`: null for what is not there, or not in the device's version.
pub(crate) unsafe extern "system" fn get_instance_proc_addr(
    instance: vk::Instance,
    name: *const c_char,
) -> vk::PFN_vkVoidFunction {
    // SAFETY: clause 2.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    if instance == vk::Instance::null() {
        return global_entry(name).and_then(as_function);
    }
    // SAFETY: clause 1, and not null.
    let state = unsafe { state_of(instance) };
    find(name).filter(|entry| entry.since <= state.config.api_version).and_then(as_function)
}

/// The type that Vulkan returns every function as.
fn as_function(entry: Entry) -> vk::PFN_vkVoidFunction {
    let function = ptr::from_ref(&entry.function).cast::<vk::PFN_vkVoidFunction>();
    // SAFETY: `PFN_vkVoidFunction` is a nullable function pointer, as wide as a pointer; the value
    // was made from a function, and the caller turns it into that function's type again.
    unsafe { function.read() }
}

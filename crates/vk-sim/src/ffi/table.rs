//! Which name is which function, and whether the device has it.

use std::ffi::{CStr, c_char};
use std::ptr;

use ash::vk;

use super::entries::{self, Entry, Since};
use super::state_of;
use crate::config::DriverConfig;

fn find(name: &[u8]) -> Option<Entry> {
    entries::memory_entry(name)
        .or_else(|| entries::resource_entry(name))
        .or_else(|| entries::requirements_entry(name))
        .or_else(|| entries::instance_entry(name))
        .or_else(|| entries::pool_entry(name))
        .or_else(|| entries::queue_entry(name))
        .or_else(|| entries::family_entry(name))
}

fn is_there(entry: &Entry, config: &DriverConfig) -> bool {
    match entry.since {
        Since::Core(version) => version <= config.api_version,
        Since::Extension(name) => config.has_extension(name),
    }
}

/// `vkGetDeviceProcAddr`: null for what is not there, in the device's version or an extension.
pub(crate) unsafe extern "system" fn get_device_proc_addr(
    device: vk::Device,
    name: *const c_char,
) -> vk::PFN_vkVoidFunction {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // SAFETY: clause 2.
    let name = unsafe { CStr::from_ptr(name) };
    find(name.to_bytes())
        .filter(|entry| entry.is_of_device && is_there(entry, &state.config))
        .and_then(as_function)
}

/// `vkGetInstanceProcAddr`: null for what is not there, in the device's version or an extension.
pub(crate) unsafe extern "system" fn get_instance_proc_addr(
    instance: vk::Instance,
    name: *const c_char,
) -> vk::PFN_vkVoidFunction {
    // SAFETY: clause 2.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    if instance == vk::Instance::null() {
        return entries::global_entry(name).and_then(as_function);
    }
    // SAFETY: clause 1, and not null.
    let state = unsafe { state_of(instance) };
    find(name).filter(|entry| is_there(entry, &state.config)).and_then(as_function)
}

/// The type that Vulkan returns every function as.
fn as_function(entry: Entry) -> vk::PFN_vkVoidFunction {
    let function = ptr::from_ref(&entry.function).cast::<vk::PFN_vkVoidFunction>();
    // SAFETY: `PFN_vkVoidFunction` is a nullable function pointer, as wide as a pointer; the value
    // was made from a function, and the caller turns it into that function's type again.
    unsafe { function.read() }
}

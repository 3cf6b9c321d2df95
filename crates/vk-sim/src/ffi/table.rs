//! Which name is which function, and whether the device has it.

use std::ffi::{CStr, CString, c_char};
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

/// Functions that speak of a real driver's memory types, or map behind the overlay's back.
const HIDDEN: [&[u8]; 6] = [
    b"vkGetMemoryFdPropertiesKHR",
    b"vkGetMemoryHostPointerPropertiesEXT",
    b"vkGetMemoryWin32HandlePropertiesKHR",
    b"vkGetMemoryRemoteAddressNV",
    b"vkMapMemory2KHR",
    b"vkUnmapMemory2KHR",
];

/// What an overlay has of its own: all that concerns memory, and nothing that runs commands.
fn find_overlaid(name: &[u8]) -> Option<Entry> {
    entries::memory_entry(name)
        .or_else(|| entries::resource_entry(name))
        .or_else(|| entries::requirements_entry(name))
        .or_else(|| entries::instance_entry(name))
}

/// A function of a real driver, or the overlay's for it, where the real driver has it too.
///
/// A KHR name is the overlay's only where the driver has the core function, which it calls.
fn over(
    name: &CStr,
    is_wanted: impl Fn(&Entry) -> bool,
    find_real: impl Fn(&CStr) -> vk::PFN_vkVoidFunction,
) -> vk::PFN_vkVoidFunction {
    let bytes = name.to_bytes();
    if HIDDEN.contains(&bytes) {
        return None;
    }
    let real = find_real(name)?;
    let Some(entry) = find_overlaid(bytes) else {
        return Some(real);
    };
    let core = CString::new(bytes.strip_suffix(b"KHR").unwrap_or(bytes)).ok()?;
    find_real(&core)?;
    Some(entry).filter(is_wanted).and_then(as_function)
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
    if let Some(real) = &state.real {
        return over(
            name,
            |entry| entry.is_of_device,
            // SAFETY: clause 2, and the overlay's that the device lives.
            |name| unsafe { real.instance.get_device_proc_addr(device, name.as_ptr()) },
        );
    }
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
    let name = unsafe { CStr::from_ptr(name) };
    if instance == vk::Instance::null() {
        return entries::global_entry(name.to_bytes()).and_then(as_function);
    }
    // SAFETY: clause 1, and not null.
    let state = unsafe { state_of(instance) };
    if let Some(real) = &state.real {
        let find = real.static_fn.get_instance_proc_addr;
        // SAFETY: clause 2, and the overlay's that the instance lives.
        return over(name, |_| true, |name| unsafe { find(instance, name.as_ptr()) });
    }
    find(name.to_bytes()).filter(|entry| is_there(entry, &state.config)).and_then(as_function)
}

/// The type that Vulkan returns every function as.
fn as_function(entry: Entry) -> vk::PFN_vkVoidFunction {
    let function = ptr::from_ref(&entry.function).cast::<vk::PFN_vkVoidFunction>();
    // SAFETY: `PFN_vkVoidFunction` is a nullable function pointer, as wide as a pointer; the value
    // was made from a function, and the caller turns it into that function's type again.
    unsafe { function.read() }
}

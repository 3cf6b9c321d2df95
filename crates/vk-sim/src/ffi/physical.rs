//! The functions of instance and physical device, and the ends of device and instance; their
//! contract is the parent module's.

use std::ffi::{CStr, c_char};

use ash::{ext, vk};

use super::{chain, state_of};
use crate::call::Call;
use crate::config::DriverConfig;
use crate::host_memory::MAP_ALIGNMENT;

const BUDGET: &CStr = ext::memory_budget::NAME;

pub(super) unsafe extern "system" fn enumerate_instance_version(out: *mut u32) -> vk::Result {
    // SAFETY: clause 2.
    unsafe { out.write(vk::API_VERSION_1_3) };
    vk::Result::SUCCESS
}

pub(super) unsafe extern "system" fn get_properties(
    physical_device: vk::PhysicalDevice,
    out: *mut vk::PhysicalDeviceProperties,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(physical_device) };
    let call = state.enter_instance(Call::GetPhysicalDeviceProperties);
    let real = state.real.as_ref().map(|real| {
        // SAFETY: the overlay's, that the instance lives.
        unsafe { real.instance.get_physical_device_properties(physical_device) }
    });
    // SAFETY: clause 2.
    unsafe { out.write(properties_of(call.config, real)) };
}

pub(super) unsafe extern "system" fn get_properties2(
    physical_device: vk::PhysicalDevice,
    out: *mut vk::PhysicalDeviceProperties2<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(physical_device) };
    let call = state.enter_instance(Call::GetPhysicalDeviceProperties2);
    // SAFETY: clause 2.
    let out = unsafe { &mut *out };
    let real = state.real.as_ref().map(|real| {
        // SAFETY: clause 2, and the overlay's, that the instance lives.
        unsafe { real.instance.get_physical_device_properties2(physical_device, out) };
        out.properties
    });
    out.properties = properties_of(call.config, real);
    let max_size = call.config.max_memory_allocation_size;
    // SAFETY: clause 2.
    let chained =
        unsafe { chain::write::<vk::PhysicalDeviceMaintenance3Properties<'_>>(out.p_next) };
    if let Some(chained) = chained {
        chained.max_memory_allocation_size = max_size;
        if state.real.is_none() {
            chained.max_per_set_descriptors = 1024;
        }
    }
    // SAFETY: clause 2.
    let chained = unsafe { chain::write::<vk::PhysicalDeviceVulkan11Properties<'_>>(out.p_next) };
    if let Some(chained) = chained {
        chained.max_memory_allocation_size = max_size;
        if state.real.is_none() {
            chained.max_per_set_descriptors = 1024;
        }
    }
}

pub(super) unsafe extern "system" fn get_memory_properties(
    physical_device: vk::PhysicalDevice,
    out: *mut vk::PhysicalDeviceMemoryProperties,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(physical_device) };
    let call = state.enter_instance(Call::GetPhysicalDeviceMemoryProperties);
    // SAFETY: clause 2.
    unsafe { out.write(memory_properties_of(call.config)) };
}

pub(super) unsafe extern "system" fn get_memory_properties2(
    physical_device: vk::PhysicalDevice,
    out: *mut vk::PhysicalDeviceMemoryProperties2<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(physical_device) };
    let call = state.enter_instance(Call::GetPhysicalDeviceMemoryProperties2);
    // SAFETY: clause 2.
    let out = unsafe { &mut *out };
    if let Some(real) = &state.real {
        // SAFETY: clause 2, and the overlay's, that the instance lives.
        unsafe { real.instance.get_physical_device_memory_properties2(physical_device, out) };
    }
    out.memory_properties = memory_properties_of(call.config);
    if !call.config.has_extension(BUDGET) {
        return;
    }
    // SAFETY: clause 2.
    let chained =
        unsafe { chain::write::<vk::PhysicalDeviceMemoryBudgetPropertiesEXT<'_>>(out.p_next) };
    if let Some(chained) = chained {
        call.books.write_budgets(call.config, chained);
    }
}

/// One family with one queue, for transfers.
pub(super) unsafe extern "system" fn get_queue_families(
    physical_device: vk::PhysicalDevice,
    count: *mut u32,
    out: *mut vk::QueueFamilyProperties,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(physical_device) };
    let _call = state.enter_instance(Call::GetPhysicalDeviceQueueFamilyProperties);
    let family = vk::QueueFamilyProperties {
        queue_flags: vk::QueueFlags::TRANSFER,
        queue_count: 1,
        min_image_transfer_granularity: vk::Extent3D { width: 1, height: 1, depth: 1 },
        ..vk::QueueFamilyProperties::default()
    };
    // Less room than one is no error here.
    // SAFETY: clause 2.
    let _ = unsafe { write_array(&[family], count, out) };
}

pub(super) unsafe extern "system" fn enumerate_extensions(
    physical_device: vk::PhysicalDevice,
    layer: *const c_char,
    count: *mut u32,
    out: *mut vk::ExtensionProperties,
) -> vk::Result {
    // SAFETY: clause 1.
    let state = unsafe { state_of(physical_device) };
    let call = state.enter_instance(Call::EnumerateDeviceExtensionProperties);
    if let Err(result) = call.fail_if_planted() {
        return result;
    }
    if !layer.is_null() {
        return vk::Result::ERROR_LAYER_NOT_PRESENT;
    }
    let mut extensions = Vec::new();
    let mut listed = call.config.extensions.clone();
    if let Some(real) = &state.real {
        // SAFETY: the overlay's, that the instance lives.
        let real = unsafe { real.instance.enumerate_device_extension_properties(physical_device) };
        match real {
            Ok(real) => extensions = real,
            Err(result) => return result,
        }
        // Of its own an overlay has budgets alone.
        let has_budget =
            |known: &vk::ExtensionProperties| known.extension_name_as_c_str() == Ok(BUDGET);
        listed.retain(|&name| name == BUDGET && !extensions.iter().any(has_budget));
    }
    let listed = listed.iter().map(|name| {
        vk::ExtensionProperties::default()
            .extension_name(name)
            .expect("the length was checked when the driver was made")
            .spec_version(1)
    });
    extensions.extend(listed);
    // SAFETY: clause 2.
    unsafe { write_array(&extensions, count, out) }
}

/// What a function does that lists things: with `out` null it says how many there are, else it
/// writes as many as there is room for, and says how many it wrote.
///
/// # Safety
///
/// Clause 2: `count` is valid, and `out` null or with room for `count` values.
unsafe fn write_array<T: Copy>(values: &[T], count: *mut u32, out: *mut T) -> vk::Result {
    // SAFETY: the caller's.
    let count = unsafe { &mut *count };
    let all = u32::try_from(values.len()).expect("lists here are short");
    if out.is_null() {
        *count = all;
        return vk::Result::SUCCESS;
    }
    let written = all.min(*count);
    for (index, &value) in values.iter().enumerate().take(usize::try_from(written).unwrap_or(0)) {
        // SAFETY: the caller's: below the room that there is.
        let out = unsafe { out.add(index) };
        // SAFETY: as above.
        unsafe { out.write(value) };
    }
    *count = written;
    if written < all { vk::Result::INCOMPLETE } else { vk::Result::SUCCESS }
}

/// The limits that concern memory are the configuration's, all others a real driver's; without one
/// images may be 16384 texels wide, and all other limits are zero.
fn properties_of(
    config: &DriverConfig,
    real: Option<vk::PhysicalDeviceProperties>,
) -> vk::PhysicalDeviceProperties {
    let mut properties = real.unwrap_or_else(|| simulated_properties(config));
    properties.device_type = config.device_type;
    let limits = &mut properties.limits;
    limits.buffer_image_granularity = config.buffer_image_granularity;
    limits.non_coherent_atom_size = config.non_coherent_atom_size;
    limits.max_memory_allocation_count = config.max_memory_allocation_count;
    properties
}

fn simulated_properties(config: &DriverConfig) -> vk::PhysicalDeviceProperties {
    let limits = vk::PhysicalDeviceLimits {
        min_memory_map_alignment: MAP_ALIGNMENT,
        max_image_dimension1_d: 16384,
        max_image_dimension2_d: 16384,
        max_image_dimension3_d: 2048,
        max_image_dimension_cube: 16384,
        max_image_array_layers: 2048,
        ..vk::PhysicalDeviceLimits::default()
    };
    vk::PhysicalDeviceProperties {
        api_version: config.api_version,
        limits,
        ..vk::PhysicalDeviceProperties::default()
    }
    .device_name(c"vk-sim")
    .expect("the name is shorter than VK_MAX_PHYSICAL_DEVICE_NAME_SIZE")
}

fn memory_properties_of(config: &DriverConfig) -> vk::PhysicalDeviceMemoryProperties {
    let mut properties = vk::PhysicalDeviceMemoryProperties {
        memory_type_count: config.memory_type_count(),
        memory_heap_count: u32::try_from(config.memory_heaps.len())
            .expect("checked when the driver was made"),
        ..vk::PhysicalDeviceMemoryProperties::default()
    };
    // The arrays are as long as the most types and heaps that the configuration may have.
    for (out, &(property_flags, heap_index)) in
        properties.memory_types.iter_mut().zip(&config.memory_types)
    {
        *out = vk::MemoryType { property_flags, heap_index };
    }
    for (out, &(size, flags)) in properties.memory_heaps.iter_mut().zip(&config.memory_heaps) {
        *out = vk::MemoryHeap { size, flags };
    }
    properties
}

pub(super) unsafe extern "system" fn destroy_device(
    device: vk::Device,
    _allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(device) };
    // A second time is on record.
    if let Ok(mut call) = state.enter(Call::DestroyDevice) {
        call.destroy_device();
        if let Some(real) = &state.real {
            // SAFETY: clause 2; the books had it as living.
            unsafe { real.device.destroy_device(None) };
        }
    }
}

pub(super) unsafe extern "system" fn destroy_instance(
    instance: vk::Instance,
    _allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: clause 1.
    let state = unsafe { state_of(instance) };
    state.enter_instance(Call::DestroyInstance).destroy_instance();
    if let Some(real) = &state.real {
        // SAFETY: clause 2.
        unsafe { real.instance.destroy_instance(None) };
    }
}

//! Devices that say what Vulkan does not allow: refused by name, or treated as a failure.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::OnceLock;

use ash::vk;
use gpu_alloc_ash::{
    AllocError, AllocationRequest, AllocatorConfig, ConfigError, GpuAllocator, UsageFlags,
};
use rstest::rstest;
use vk_sim::{DriverConfig, SimDriver};

use crate::support::{Sim, allocator_on_device};

/// The simulated functions, which are the same for every simulated instance.
static PROPERTIES: OnceLock<vk::PFN_vkGetPhysicalDeviceProperties> = OnceLock::new();
static MEMORY: OnceLock<vk::PFN_vkGetPhysicalDeviceMemoryProperties> = OnceLock::new();

/// What the simulated device says, to be changed.
///
/// # Safety
///
/// 1. The arguments of `vkGetPhysicalDeviceProperties`.
unsafe fn limits_of<'a>(
    device: vk::PhysicalDevice,
    out: *mut vk::PhysicalDeviceProperties,
) -> &'a mut vk::PhysicalDeviceLimits {
    let function = PROPERTIES.get().expect("set when the instance was made");
    // SAFETY: Our clause.
    unsafe { function(device, out) };
    // SAFETY: Our clause; the function has written it.
    unsafe { &mut (*out).limits }
}

unsafe extern "system" fn odd_atoms(
    device: vk::PhysicalDevice,
    out: *mut vk::PhysicalDeviceProperties,
) {
    // SAFETY: The caller's arguments.
    unsafe { limits_of(device, out) }.non_coherent_atom_size = 48;
}

unsafe extern "system" fn odd_granularity(
    device: vk::PhysicalDevice,
    out: *mut vk::PhysicalDeviceProperties,
) {
    // SAFETY: The caller's arguments.
    unsafe { limits_of(device, out) }.buffer_image_granularity = 1000;
}

unsafe extern "system" fn no_limits(
    device: vk::PhysicalDevice,
    out: *mut vk::PhysicalDeviceProperties,
) {
    // SAFETY: The caller's arguments.
    let limits = unsafe { limits_of(device, out) };
    (limits.non_coherent_atom_size, limits.buffer_image_granularity) = (0, 0);
}

unsafe extern "system" fn missing_heap(
    device: vk::PhysicalDevice,
    out: *mut vk::PhysicalDeviceMemoryProperties,
) {
    let function = MEMORY.get().expect("set when the instance was made");
    // SAFETY: The caller's arguments.
    unsafe { function(device, out) };
    // SAFETY: The caller's; the function has written it.
    unsafe { &mut *out }.memory_types[2].heap_index = 7;
}

/// Succeeds, and maps to nowhere.
unsafe extern "system" fn map_nowhere(
    _: vk::Device,
    _: vk::DeviceMemory,
    _: vk::DeviceSize,
    _: vk::DeviceSize,
    _: vk::MemoryMapFlags,
    out: *mut *mut c_void,
) -> vk::Result {
    // SAFETY: The caller's pointer.
    unsafe { out.write(ptr::null_mut()) };
    vk::Result::SUCCESS
}

/// Succeeds, and maps to what a failed `mmap` returns.
unsafe extern "system" fn map_failed(
    _: vk::Device,
    _: vk::DeviceMemory,
    _: vk::DeviceSize,
    _: vk::DeviceSize,
    _: vk::MemoryMapFlags,
    out: *mut *mut c_void,
) -> vk::Result {
    // SAFETY: The caller's pointer.
    unsafe { out.write(ptr::without_provenance_mut(usize::MAX)) };
    vk::Result::SUCCESS
}

/// An allocator on an instance with one function replaced.
fn allocator_with(
    driver: &SimDriver,
    replaced: &'static CStr,
    function: *const c_void,
) -> Result<GpuAllocator, ConfigError> {
    let functions = driver.instance().fp_v1_0();
    PROPERTIES.get_or_init(|| functions.get_physical_device_properties);
    MEMORY.get_or_init(|| functions.get_physical_device_memory_properties);
    let handle = driver.instance().handle();
    let find = |name: &CStr| {
        if name == replaced {
            return function;
        }
        // SAFETY: The instance lives, and the name ends in a zero byte.
        let found = unsafe { driver.entry().get_instance_proc_addr(handle, name.as_ptr()) };
        found.map_or(ptr::null(), |found| found as *const c_void)
    };
    // SAFETY: Each function found has the signature that its name stands for.
    let instance = unsafe { ash::Instance::load_with(find, handle) };
    let (physical_device, device) = (driver.physical_device(), driver.device());
    // SAFETY: 1. The handles are one driver's. 2. It outlives the allocator. 3. Nothing is enabled.
    unsafe { GpuAllocator::new(&instance, physical_device, device, AllocatorConfig::default()) }
}

const PROPERTIES_NAME: &CStr = c"vkGetPhysicalDeviceProperties";

#[rstest]
#[case::atoms(
    PROPERTIES_NAME, odd_atoms as *const c_void,
    ConfigError::DeviceLimit { limit: "nonCoherentAtomSize", value: 48 }
)]
#[case::granularity(
    PROPERTIES_NAME, odd_granularity as *const c_void,
    ConfigError::DeviceLimit { limit: "bufferImageGranularity", value: 1000 }
)]
#[case::heap(
    c"vkGetPhysicalDeviceMemoryProperties", missing_heap as *const c_void,
    ConfigError::MemoryTable { memory_type_index: 2, heap_index: 7 }
)]
fn what_no_device_may_say_is_refused_by_name(
    #[case] replaced: &'static CStr,
    #[case] function: *const c_void,
    #[case] error: ConfigError,
) {
    let driver = SimDriver::new(DriverConfig::default()).expect("the default device is possible");
    assert_eq!(allocator_with(&driver, replaced, function).expect_err("impossible"), error);
    assert!(driver.live().is_empty());
    assert_eq!(driver.finish(), []);
}

/// Some simple drivers leave limits out that mean nothing to them.
#[test]
fn limits_of_zero_mean_no_limit() {
    let driver = SimDriver::new(DriverConfig::default()).expect("the default device is possible");
    let allocator = allocator_with(&driver, PROPERTIES_NAME, no_limits as *const c_void)
        .expect("zero counts as one");
    let error = allocator.allocate(&AllocationRequest { size: 100, ..Default::default() });
    let sim = Sim { allocator, driver };
    sim.free(error.expect("there is room"));
    sim.finish();
}

#[rstest]
#[case::null(map_nowhere as *const c_void)]
#[case::failed_mmap(map_failed as *const c_void)]
fn a_mapping_without_an_address_is_a_failed_one(#[case] function: *const c_void) {
    let driver = SimDriver::new(DriverConfig::default()).expect("the default device is possible");
    let handle = driver.device().handle();
    let find = |name: &CStr| {
        if name == c"vkMapMemory" {
            return function;
        }
        // SAFETY: The device lives, and the name ends in a zero byte.
        let found = unsafe { driver.instance().get_device_proc_addr(handle, name.as_ptr()) };
        found.map_or(ptr::null(), |found| found as *const c_void)
    };
    // SAFETY: Each function found has the signature that its name stands for.
    let device = unsafe { ash::Device::load_with(find, handle) };
    let allocator =
        allocator_on_device(&driver, &device, AllocatorConfig::default()).expect("consistent");
    let request = AllocationRequest { size: 10, usage: UsageFlags::UPLOAD, ..Default::default() };
    let result = vk::Result::ERROR_MEMORY_MAP_FAILED;
    assert_eq!(
        allocator.allocate(&request).expect_err("nothing can be mapped"),
        AllocError::Driver { call: "vkMapMemory", result }
    );
    assert!(driver.live().is_empty(), "what could not be mapped was freed");
    Sim { allocator, driver }.finish();
}

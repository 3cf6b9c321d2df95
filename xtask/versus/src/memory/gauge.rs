//! What passes between an allocator and the simulated driver: how often, how long, and which
//! requirements a resource has.
//!
//! # Basic design
//!
//! Both allocators get the simulated driver's device with four functions wrapped: those that make,
//! free, map and unmap memory read the clock, so that their time can be taken out of an operation's.
//! Resources are nobody's business here; a buffer or image is a handle that is never looked at, and its
//! requirements are those that the harness has set for the next call. So the trace's own numbers reach an
//! allocator that only takes resources, and it learns what is linear and what is not.
//!
//! All of it is kept by thread: a replay is one thread's work.

use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::ptr;
use std::time::{Duration, Instant};

use ash::vk::{self, Handle};
use vk_sim::SimDriver;

/// The driver's own functions behind the wrapped ones.
#[derive(Clone, Copy)]
struct Real {
    allocate_memory: vk::PFN_vkAllocateMemory,
    free_memory: vk::PFN_vkFreeMemory,
    map_memory: vk::PFN_vkMapMemory,
    unmap_memory: vk::PFN_vkUnmapMemory,
}

const NO_REQUIREMENTS: vk::MemoryRequirements =
    vk::MemoryRequirements { size: 0, alignment: 1, memory_type_bits: 0 };

thread_local! {
    static REAL: Cell<Option<Real>> = const { Cell::new(None) };
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static TIME: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static REQUIREMENTS: Cell<vk::MemoryRequirements> = const { Cell::new(NO_REQUIREMENTS) };
}

/// The driver's device with the gauge in between. The driver must outlive it.
pub(super) fn device(driver: &SimDriver) -> ash::Device {
    let functions = driver.device().fp_v1_0();
    // The functions are the same for every simulated device: the handle says which is meant.
    REAL.set(Some(Real {
        allocate_memory: functions.allocate_memory,
        free_memory: functions.free_memory,
        map_memory: functions.map_memory,
        unmap_memory: functions.unmap_memory,
    }));
    let handle = driver.device().handle();
    let find = |name: &CStr| {
        wrapped(name).unwrap_or_else(|| {
            // SAFETY: The device lives, and the name ends in a zero byte.
            let real = unsafe { driver.instance().get_device_proc_addr(handle, name.as_ptr()) };
            real.map_or(ptr::null(), |function| function as *const c_void)
        })
    };
    // SAFETY: Each function found is of the type that its name stands for.
    unsafe { ash::Device::load_with(find, handle) }
}

/// How many wrapped calls there were so far.
pub(super) fn calls() -> u64 {
    CALLS.get()
}

/// Time in the driver since this was last asked.
pub(super) fn take_time() -> Duration {
    TIME.replace(Duration::ZERO)
}

/// Sets what the next resource is said to require.
pub(super) fn require(requirements: vk::MemoryRequirements) {
    REQUIREMENTS.set(requirements);
}

/// A wrapped function, as Vulkan returns it.
fn wrapped(name: &CStr) -> Option<*const c_void> {
    macro_rules! functions {
        ($($word:literal => $type:ident, $function:path;)+) => {
            match name.to_bytes() {
                $($word => {
                    let function: vk::$type = $function;
                    Some(function as *const c_void)
                })+
                _ => None,
            }
        };
    }
    functions! {
        b"vkAllocateMemory" => PFN_vkAllocateMemory, allocate_memory;
        b"vkFreeMemory" => PFN_vkFreeMemory, free_memory;
        b"vkMapMemory" => PFN_vkMapMemory, map_memory;
        b"vkUnmapMemory" => PFN_vkUnmapMemory, unmap_memory;
        b"vkCreateBuffer" => PFN_vkCreateBuffer, create_buffer;
        b"vkDestroyBuffer" => PFN_vkDestroyBuffer, destroy_buffer;
        b"vkCreateImage" => PFN_vkCreateImage, create_image;
        b"vkDestroyImage" => PFN_vkDestroyImage, destroy_image;
        b"vkGetBufferMemoryRequirements"
            => PFN_vkGetBufferMemoryRequirements, get_buffer_memory_requirements;
        b"vkGetImageMemoryRequirements"
            => PFN_vkGetImageMemoryRequirements, get_image_memory_requirements;
    }
}

/// Counts and times a call of the driver.
fn through<T>(call: impl FnOnce(Real) -> T) -> T {
    let before = Instant::now();
    let real = REAL.get().expect("the device that is called was made by `device`, on this thread");
    let answer = call(real);
    CALLS.set(CALLS.get() + 1);
    TIME.set(TIME.get() + before.elapsed());
    answer
}

unsafe extern "system" fn allocate_memory(
    device: vk::Device,
    info: *const vk::MemoryAllocateInfo<'_>,
    callbacks: *const vk::AllocationCallbacks<'_>,
    memory: *mut vk::DeviceMemory,
) -> vk::Result {
    // SAFETY: The caller's promises are the driver's.
    through(|real| unsafe { (real.allocate_memory)(device, info, callbacks, memory) })
}

unsafe extern "system" fn free_memory(
    device: vk::Device,
    memory: vk::DeviceMemory,
    callbacks: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: As above.
    through(|real| unsafe { (real.free_memory)(device, memory, callbacks) });
}

unsafe extern "system" fn map_memory(
    device: vk::Device,
    memory: vk::DeviceMemory,
    offset: vk::DeviceSize,
    size: vk::DeviceSize,
    flags: vk::MemoryMapFlags,
    data: *mut *mut c_void,
) -> vk::Result {
    // SAFETY: As above.
    through(|real| unsafe { (real.map_memory)(device, memory, offset, size, flags, data) })
}

unsafe extern "system" fn unmap_memory(device: vk::Device, memory: vk::DeviceMemory) {
    // SAFETY: As above.
    through(|real| unsafe { (real.unmap_memory)(device, memory) });
}

unsafe extern "system" fn create_buffer(
    _: vk::Device,
    _: *const vk::BufferCreateInfo<'_>,
    _: *const vk::AllocationCallbacks<'_>,
    buffer: *mut vk::Buffer,
) -> vk::Result {
    // SAFETY: The caller has a place for the handle.
    unsafe { buffer.write(vk::Buffer::from_raw(1)) };
    vk::Result::SUCCESS
}

unsafe extern "system" fn destroy_buffer(
    _: vk::Device,
    _: vk::Buffer,
    _: *const vk::AllocationCallbacks<'_>,
) {
}

unsafe extern "system" fn create_image(
    _: vk::Device,
    _: *const vk::ImageCreateInfo<'_>,
    _: *const vk::AllocationCallbacks<'_>,
    image: *mut vk::Image,
) -> vk::Result {
    // SAFETY: The caller has a place for the handle.
    unsafe { image.write(vk::Image::from_raw(1)) };
    vk::Result::SUCCESS
}

unsafe extern "system" fn destroy_image(
    _: vk::Device,
    _: vk::Image,
    _: *const vk::AllocationCallbacks<'_>,
) {
}

unsafe extern "system" fn get_buffer_memory_requirements(
    _: vk::Device,
    _: vk::Buffer,
    requirements: *mut vk::MemoryRequirements,
) {
    // SAFETY: The caller has a place for them.
    unsafe { requirements.write(REQUIREMENTS.get()) };
}

unsafe extern "system" fn get_image_memory_requirements(
    _: vk::Device,
    _: vk::Image,
    requirements: *mut vk::MemoryRequirements,
) {
    // SAFETY: The caller has a place for them.
    unsafe { requirements.write(REQUIREMENTS.get()) };
}

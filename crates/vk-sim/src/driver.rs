//! The simulated driver, as a test sees it.

use std::ffi::CStr;
use std::fmt;
use std::ptr;
use std::sync::Arc;

use ash::vk::{self, Handle};

use crate::call::Call;
use crate::config::DriverConfig;
use crate::config_error::{ConfigError, OverlayError};
use crate::ffi;
use crate::objects::{Dedicated, Memory, MemoryRecord};
use crate::real::{self, Real, RealDriver};
use crate::state::State;
use crate::violation::Violation;

/// One simulated physical device and its device, behind ash's function tables.
///
/// Several may live at once, and each may be used from several threads. What ash's tables do with
/// the handles is valid only while the driver lives; everything that holds a clone of
/// [`device`](Self::device) has to go before.
pub struct SimDriver {
    /// Both tables hold its address.
    pub(crate) state: Arc<State>,
    entry: ash::Entry,
    instance: ash::Instance,
    device: ash::Device,
}

/// What lives on the device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveObjects {
    /// How many allocations there are.
    pub memory: usize,
    /// How many of them are mapped.
    pub mapped: usize,
    /// How many buffers there are.
    pub buffers: usize,
    /// How many images there are.
    pub images: usize,
    /// How many command pools there are.
    pub command_pools: usize,
    /// How many fences there are.
    pub fences: usize,
    /// The bytes allocated from each heap.
    pub memory_bytes_per_heap: Vec<u64>,
}

impl LiveObjects {
    /// Whether no object lives.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.memory == 0
            && self.buffers == 0
            && self.images == 0
            && self.command_pools == 0
            && self.fences == 0
    }
}

impl SimDriver {
    /// Makes a driver for a device as described.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: no device could be as described.
    pub fn new(config: DriverConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let state = Arc::new(State::new(config, None));
        let (instance, device) = (ffi::handle_of(&state), ffi::handle_of(&state));
        Ok(Self::load(state, instance, device))
    }

    /// Lays the table over a real driver, which goes on executing commands: an overlay.
    ///
    /// Memory types, heaps, the limits that concern memory, budgets, requirements and extensions
    /// that tell of memory are as described; allocations come out of the described heaps and are
    /// backed by whatever real type the host can use alike. Breaches, calls and failures are on
    /// record as in a simulation, and a breach never reaches the real driver. Memory that is not
    /// coherent in the table has a host's copy here as well, so that a forgotten flush shows in
    /// what the real driver computes. All other functions are the real driver's own, among them
    /// those of queues and commands, which the books therefore do not see: what is in use is not
    /// known.
    ///
    /// The program uses [`instance`](Self::instance), [`device`](Self::device) and
    /// [`physical_device`](Self::physical_device) instead of what it has made; the handles are the
    /// same. [`finish`](Self::finish) leaves the real device and instance to their owner.
    ///
    /// # Errors
    ///
    /// [`OverlayError`]: the table is impossible, or this driver cannot be laid under it.
    ///
    /// # Safety
    ///
    /// 1. Entry, instance, physical device and device belong together, and the device's table is
    ///    the one that was loaded for it.
    /// 2. They live as long as the overlay and everything made from it.
    /// 3. Memory, buffers and images of the device are made and destroyed through the overlay only.
    pub unsafe fn over(
        driver: &RealDriver<'_>,
        config: DriverConfig,
    ) -> Result<Self, OverlayError> {
        config.check()?;
        let physical_device = driver.physical_device;
        // SAFETY: clauses 1 and 2.
        let properties = unsafe { driver.instance.get_physical_device_properties(physical_device) };
        let api_version = properties.api_version;
        if api_version < vk::API_VERSION_1_1 {
            return Err(OverlayError::ApiVersion { api_version });
        }
        // SAFETY: clauses 1 and 2.
        let memory =
            unsafe { driver.instance.get_physical_device_memory_properties(physical_device) };
        let real = Real::new(driver, memory, &config)?;
        let state = Arc::new(State::new(config, Some(real)));
        let address = Arc::as_ptr(&state).expose_provenance();
        real::register(state.real.as_ref().expect("given above"), address)?;
        Ok(Self::load(state, driver.instance.handle(), driver.device.handle()))
    }

    /// Loads the tables for handles that lead to the state.
    fn load(state: Arc<State>, instance: vk::Instance, device: vk::Device) -> Self {
        let static_fn = ash::StaticFn { get_instance_proc_addr: ffi::get_instance_proc_addr };
        // SAFETY: the function is Vulkan's in signature and meaning, and lives for ever.
        let entry = unsafe { ash::Entry::from_static_fn(static_fn.clone()) };
        // SAFETY: the handle is the state's, which this driver holds.
        let instance = unsafe { ash::Instance::load(&static_fn, instance) };
        let find = |name: &CStr| {
            // SAFETY: the handle is the state's, the name ends in a zero byte.
            let function = unsafe { ffi::get_device_proc_addr(device, name.as_ptr()) };
            function.map_or(ptr::null(), |function| function as *const _)
        };
        // SAFETY: each function found is the one that its name stands for.
        let device = unsafe { ash::Device::load_with(find, device) };
        Self { state, entry, instance, device }
    }

    /// An entry that knows `vkGetInstanceProcAddr` and `vkEnumerateInstanceVersion`, for extension
    /// tables that want one. It cannot create instances.
    #[must_use]
    pub fn entry(&self) -> &ash::Entry {
        &self.entry
    }

    /// The instance.
    #[must_use]
    pub fn instance(&self) -> &ash::Instance {
        &self.instance
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &ash::Device {
        &self.device
    }

    /// The physical device.
    #[must_use]
    pub fn physical_device(&self) -> vk::PhysicalDevice {
        match &self.state.real {
            Some(real) => real.physical_device,
            None => ffi::handle_of(&self.state),
        }
    }

    /// What the device is like.
    #[must_use]
    pub fn config(&self) -> &DriverConfig {
        &self.state.config
    }

    /// Every call since the driver was made or [`clear_calls`](Self::clear_calls), in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state.books().calls.clone()
    }

    /// How many of [`calls`](Self::calls) are of this function.
    #[must_use]
    pub fn call_count(&self, call: Call) -> usize {
        self.state.books().calls.iter().filter(|&&made| made == call).count()
    }

    /// How many of [`calls`](Self::calls) could have failed.
    #[must_use]
    pub fn fallible_call_count(&self) -> usize {
        self.state.books().calls.iter().filter(|call| call.is_fallible()).count()
    }

    /// Forgets the calls so far; planted failures go on counting.
    pub fn clear_calls(&self) {
        self.state.books().calls.clear();
    }

    /// What lives on the device.
    #[must_use]
    pub fn live(&self) -> LiveObjects {
        let books = self.state.books();
        LiveObjects {
            memory: books.memories.len(),
            mapped: books.memories.values().filter(|memory| memory.mapped.is_some()).count(),
            buffers: books.buffers.len(),
            images: books.images.len(),
            command_pools: books.pools.len(),
            fences: books.fences.len(),
            memory_bytes_per_heap: books.heaps.iter().map(|heap| heap.bytes).collect(),
        }
    }

    /// Every living allocation, the oldest first, as `vkAllocateMemory` was told of it.
    #[must_use]
    pub fn memories(&self) -> Vec<MemoryRecord> {
        self.state.books().memories.iter().map(|(&handle, memory)| record(handle, memory)).collect()
    }

    /// The breaches of valid usage so far.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.state.books().violations.clone()
    }

    /// The legal practices so far that a careful program avoids, see
    /// [`Rule::is_lint`](crate::Rule::is_lint).
    #[must_use]
    pub fn lints(&self) -> Vec<Violation> {
        self.state.books().lints.clone()
    }

    /// Destroys device and instance, if the program did not, and hands over every breach of valid
    /// usage, leaks included.
    ///
    /// The device and the instance under an overlay stay as they are.
    #[must_use]
    pub fn finish(self) -> Vec<Violation> {
        let (device_is_destroyed, instance_is_destroyed) = {
            let books = self.state.books();
            (books.device_is_destroyed, books.instance_is_destroyed)
        };
        if self.state.real.is_some() {
            if !device_is_destroyed && let Ok(mut call) = self.state.enter(Call::DestroyDevice) {
                call.destroy_device();
            }
            return self.violations();
        }
        if !device_is_destroyed {
            // SAFETY: the driver lives, and is the last to use the device.
            unsafe { self.device.destroy_device(None) };
        }
        if !instance_is_destroyed {
            // SAFETY: as above.
            unsafe { self.instance.destroy_instance(None) };
        }
        self.violations()
    }
}

impl Drop for SimDriver {
    fn drop(&mut self) {
        if let Some(real) = &self.state.real {
            real::unregister(real);
        }
    }
}

impl fmt::Debug for SimDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimDriver").field("live", &self.live()).finish_non_exhaustive()
    }
}

fn record(handle: u64, memory: &Memory) -> MemoryRecord {
    let request = &memory.request;
    let dedicated = match (request.dedicated_buffer, request.dedicated_image) {
        (0, 0) => None,
        (0, image) => Some(Dedicated::Image(vk::Image::from_raw(image))),
        (buffer, _) => Some(Dedicated::Buffer(vk::Buffer::from_raw(buffer))),
    };
    MemoryRecord {
        memory: vk::DeviceMemory::from_raw(handle),
        size: request.size,
        memory_type_index: request.memory_type_index,
        dedicated,
        flags: request.flags,
        device_mask: request.device_mask,
        priority: request.priority,
        is_mapped: memory.mapped.is_some(),
        bound_count: memory.bound_count(),
    }
}

//! Every Vulkan call of the allocator.
//!
//! The functions that take no handle from outside are safe: what they need is promised once, by the
//! clauses of `GpuAllocator::new`, and held by [`Driver`] from then on.
#![allow(unsafe_code)]

mod pool;

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};

use ash::vk;

use crate::mapped::MappedPtr;
use crate::resource::Resource;
use crate::{AllocError, AllocatorConfig, CreateError};

pub(crate) use self::pool::BlockInfo;

/// What `mmap` returns when it fails, which is no address of anything.
const MAP_FAILED: usize = usize::MAX;

/// The device and the functions that may be called on it.
pub(crate) struct Driver {
    device: ash::Device,
    requirements: RequirementsQuery,
    /// Whether what a resource would need can be asked without one, as of Vulkan 1.3.
    asks_without_resource: bool,
    /// Calls of `vkAllocateMemory` that succeeded.
    allocations: AtomicU64,
}

/// How the driver is asked what a resource needs.
enum RequirementsQuery {
    /// Vulkan 1.0: dedicated memory is not known.
    V1_0,
    /// Vulkan 1.1.
    V1_1,
    /// `VK_KHR_get_memory_requirements2` and `VK_KHR_dedicated_allocation`.
    Khr(ash::khr::get_memory_requirements2::Device),
}

/// What a resource needs.
#[derive(Clone, Copy)]
pub(crate) struct Requirements {
    pub(crate) memory: vk::MemoryRequirements,
    pub(crate) dedicated: DedicatedWish,
}

/// What the driver says about dedicated memory for a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DedicatedWish {
    #[default]
    None,
    Prefers,
    Requires,
}

/// What `vkAllocateMemory` is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObjectInfo<'a> {
    pub(crate) size: u64,
    pub(crate) memory_type_index: u32,
    pub(crate) device_address: bool,
    /// The resource that the object is dedicated to, where the driver can be told.
    pub(crate) dedicated_to: Option<Resource>,
    /// What the custom pool says that it is for.
    pub(crate) of_pool: Option<&'a BlockInfo>,
}

fn failed(call: &'static str) -> impl Fn(vk::Result) -> AllocError {
    move |result| AllocError::Driver { call, result }
}

impl Driver {
    /// # Safety
    ///
    /// 1. The three clauses of [`GpuAllocator::new`](crate::GpuAllocator::new).
    pub(crate) unsafe fn new(
        instance: &ash::Instance,
        device: &ash::Device,
        config: &AllocatorConfig,
    ) -> Self {
        let requirements = if config.api_version >= vk::API_VERSION_1_1 {
            RequirementsQuery::V1_1
        } else if config.khr_dedicated_allocation {
            RequirementsQuery::Khr(ash::khr::get_memory_requirements2::Device::new(
                instance, device,
            ))
        } else {
            RequirementsQuery::V1_0
        };
        Self {
            device: device.clone(),
            requirements,
            asks_without_resource: config.api_version >= vk::API_VERSION_1_3,
            allocations: AtomicU64::new(0),
        }
    }

    /// Calls of `vkAllocateMemory` that succeeded so far.
    pub(crate) fn allocation_calls(&self) -> u64 {
        self.allocations.load(Ordering::Relaxed)
    }

    pub(crate) fn allocate(&self, info: &ObjectInfo<'_>) -> Result<vk::DeviceMemory, AllocError> {
        let mut dedicated = vk::MemoryDedicatedAllocateInfo::default();
        let mut flags =
            vk::MemoryAllocateFlagsInfo::default().flags(vk::MemoryAllocateFlags::DEVICE_ADDRESS);
        let mut create = vk::MemoryAllocateInfo::default()
            .allocation_size(info.size)
            .memory_type_index(info.memory_type_index);
        match info.dedicated_to {
            Some(Resource::Buffer(buffer)) => dedicated = dedicated.buffer(buffer),
            Some(Resource::Image(image)) => dedicated = dedicated.image(image),
            None => {}
        }
        if info.dedicated_to.is_some() {
            create = create.push_next(&mut dedicated);
        }
        if info.device_address || info.of_pool.is_some_and(|pool| pool.device_address) {
            create = create.push_next(&mut flags);
        }
        let mut priority = vk::MemoryPriorityAllocateInfoEXT::default();
        if let Some(value) = info.of_pool.and_then(|pool| pool.priority) {
            priority = priority.priority(value);
            create = create.push_next(&mut priority);
        }
        let memory = match info.of_pool.and_then(|pool| pool.extend.as_ref()) {
            None => self.allocate_memory(&create),
            Some(extend) => self.allocate_extended(create, extend),
        }?;
        self.allocations.fetch_add(1, Ordering::Relaxed);
        Ok(memory)
    }

    fn allocate_memory(
        &self,
        create: &vk::MemoryAllocateInfo<'_>,
    ) -> Result<vk::DeviceMemory, AllocError> {
        // SAFETY: The device lives, by clause 2 of `GpuAllocator::new`; size, type index and the count of
        // objects were checked against the device's limits by the caller. What a user has chained is
        // valid, by clause 1 of `create_pool_with`.
        unsafe { self.device.allocate_memory(create, None) }.map_err(failed("vkAllocateMemory"))
    }

    /// # Safety
    ///
    /// 1. `memory` came from [`allocate`](Self::allocate) and was not freed since.
    /// 2. The device has finished with everything bound to it.
    pub(crate) unsafe fn free(&self, memory: vk::DeviceMemory) {
        // SAFETY: Promised by our caller. A mapping ends with the object (Vulkan spec, vkFreeMemory).
        unsafe { self.device.free_memory(memory, None) };
    }

    /// Maps a whole object.
    ///
    /// # Safety
    ///
    /// 1. `memory` came from [`allocate`](Self::allocate), of a host-visible type, and is not mapped.
    /// 2. Nobody else uses `memory` meanwhile.
    pub(crate) unsafe fn map(&self, memory: vk::DeviceMemory) -> Result<MappedPtr, AllocError> {
        let flags = vk::MemoryMapFlags::empty();
        // SAFETY: Promised by our caller.
        let address = unsafe { self.device.map_memory(memory, 0, vk::WHOLE_SIZE, flags) }
            .map_err(failed("vkMapMemory"))?;
        // A null address with a success code is a broken driver. So is the -1 of a failed `mmap`,
        // which lavapipe 25.0.7 hands out. Both are treated as a failed map. Alignment is no proof:
        // the mock driver maps to whatever `malloc` returns.
        let address = NonNull::new(address.cast::<u8>())
            .filter(|address| address.addr().get() != MAP_FAILED)
            .ok_or(vk::Result::ERROR_MEMORY_MAP_FAILED);
        address.map(MappedPtr::new).map_err(failed("vkMapMemory"))
    }

    /// Makes host writes visible to the device.
    ///
    /// # Safety
    ///
    /// 1. `range` lies in a live, mapped object and starts and ends on atoms or at its end.
    pub(crate) unsafe fn flush(&self, range: vk::MappedMemoryRange<'_>) -> Result<(), vk::Result> {
        // SAFETY: Promised by our caller.
        unsafe { self.device.flush_mapped_memory_ranges(&[range]) }
    }

    /// Makes device writes visible to the host.
    ///
    /// # Safety
    ///
    /// 1. That of [`flush`](Self::flush).
    pub(crate) unsafe fn invalidate(
        &self,
        range: vk::MappedMemoryRange<'_>,
    ) -> Result<(), vk::Result> {
        // SAFETY: Promised by our caller.
        unsafe { self.device.invalidate_mapped_memory_ranges(&[range]) }
    }

    /// # Safety
    ///
    /// 1. The clauses of [`GpuAllocator::record_zeroes`](crate::GpuAllocator::record_zeroes).
    pub(crate) unsafe fn fill_buffer_with_zeroes(
        &self,
        command_buffer: vk::CommandBuffer,
        buffer: vk::Buffer,
    ) {
        // SAFETY: Promised by our caller.
        unsafe { self.device.cmd_fill_buffer(command_buffer, buffer, 0, vk::WHOLE_SIZE, 0) };
    }

    /// # Safety
    ///
    /// 1. The clauses of [`GpuAllocator::record_clear`](crate::GpuAllocator::record_clear).
    pub(crate) unsafe fn clear_image(
        &self,
        command_buffer: vk::CommandBuffer,
        image: vk::Image,
        layout: vk::ImageLayout,
    ) {
        let zeroes = vk::ClearColorValue::default();
        let whole = vk::ImageSubresourceRange::default()
            .aspect_mask(vk::ImageAspectFlags::COLOR)
            .level_count(vk::REMAINING_MIP_LEVELS)
            .layer_count(vk::REMAINING_ARRAY_LAYERS);
        // SAFETY: Promised by our caller.
        unsafe {
            self.device.cmd_clear_color_image(command_buffer, image, layout, &zeroes, &[whole]);
        }
    }

    /// # Safety
    ///
    /// 1. `info` is valid usage on the device.
    pub(crate) unsafe fn create_buffer(
        &self,
        info: &vk::BufferCreateInfo<'_>,
    ) -> Result<vk::Buffer, CreateError> {
        // SAFETY: Promised by our caller.
        unsafe { self.device.create_buffer(info, None) }
            .map_err(|result| CreateError::Driver { call: "vkCreateBuffer", result })
    }

    /// # Safety
    ///
    /// 1. `info` is valid usage on the device.
    pub(crate) unsafe fn create_image(
        &self,
        info: &vk::ImageCreateInfo<'_>,
    ) -> Result<vk::Image, CreateError> {
        // SAFETY: Promised by our caller.
        unsafe { self.device.create_image(info, None) }
            .map_err(|result| CreateError::Driver { call: "vkCreateImage", result })
    }

    /// # Safety
    ///
    /// 1. `resource` is of this device and lives, and the device has finished with it.
    pub(crate) unsafe fn destroy(&self, resource: Resource) {
        match resource {
            // SAFETY: Promised by our caller.
            Resource::Buffer(buffer) => unsafe { self.device.destroy_buffer(buffer, None) },
            // SAFETY: Promised by our caller.
            Resource::Image(image) => unsafe { self.device.destroy_image(image, None) },
        }
    }

    /// # Safety
    ///
    /// 1. `resource` is of this device, lives, and has no memory.
    /// 2. `memory` is of this device, and `offset` satisfies the resource's requirements.
    pub(crate) unsafe fn bind(
        &self,
        resource: Resource,
        memory: vk::DeviceMemory,
        offset: u64,
    ) -> Result<(), (&'static str, vk::Result)> {
        match resource {
            Resource::Buffer(buffer) => {
                // SAFETY: Promised by our caller.
                let bound = unsafe { self.device.bind_buffer_memory(buffer, memory, offset) };
                bound.map_err(|result| ("vkBindBufferMemory", result))
            }
            Resource::Image(image) => {
                // SAFETY: Promised by our caller.
                let bound = unsafe { self.device.bind_image_memory(image, memory, offset) };
                bound.map_err(|result| ("vkBindImageMemory", result))
            }
        }
    }

    /// Asks what a resource needs, and whether it should have memory of its own.
    ///
    /// # Safety
    ///
    /// 1. `resource` is of this device and lives.
    pub(crate) unsafe fn requirements(&self, resource: Resource) -> Requirements {
        if matches!(self.requirements, RequirementsQuery::V1_0) {
            // SAFETY: Promised by our caller.
            let memory = unsafe { self.requirements_v1_0(resource) };
            return Requirements { memory, dedicated: DedicatedWish::None };
        }
        let mut dedicated = vk::MemoryDedicatedRequirements::default();
        let mut out = vk::MemoryRequirements2::default().push_next(&mut dedicated);
        // SAFETY: Promised by our caller.
        unsafe { self.requirements_v1_1(resource, &mut out) };
        let memory = out.memory_requirements;
        let dedicated = if dedicated.requires_dedicated_allocation == vk::TRUE {
            DedicatedWish::Requires
        } else if dedicated.prefers_dedicated_allocation == vk::TRUE {
            DedicatedWish::Prefers
        } else {
            DedicatedWish::None
        };
        Requirements { memory, dedicated }
    }

    /// # Safety
    ///
    /// 1. `resource` is of this device and lives.
    unsafe fn requirements_v1_0(&self, resource: Resource) -> vk::MemoryRequirements {
        match resource {
            // SAFETY: Promised by our caller.
            Resource::Buffer(buffer) => unsafe {
                self.device.get_buffer_memory_requirements(buffer)
            },
            // SAFETY: Promised by our caller.
            Resource::Image(image) => unsafe { self.device.get_image_memory_requirements(image) },
        }
    }

    /// # Safety
    ///
    /// 1. `resource` is of this device and lives.
    unsafe fn requirements_v1_1(&self, resource: Resource, out: &mut vk::MemoryRequirements2<'_>) {
        match resource {
            Resource::Buffer(buffer) => {
                let info = vk::BufferMemoryRequirementsInfo2::default().buffer(buffer);
                match &self.requirements {
                    // SAFETY: Promised by our caller; the extension is enabled, by clause 3 of `GpuAllocator::new`.
                    RequirementsQuery::Khr(khr) => unsafe {
                        khr.get_buffer_memory_requirements2(&info, out)
                    },
                    // SAFETY: Promised by our caller; the device is of Vulkan 1.1, by the same clause.
                    _ => unsafe { self.device.get_buffer_memory_requirements2(&info, out) },
                }
            }
            Resource::Image(image) => {
                let info = vk::ImageMemoryRequirementsInfo2::default().image(image);
                match &self.requirements {
                    // SAFETY: Promised by our caller; the extension is enabled, by clause 3 of `GpuAllocator::new`.
                    RequirementsQuery::Khr(khr) => unsafe {
                        khr.get_image_memory_requirements2(&info, out)
                    },
                    // SAFETY: Promised by our caller; the device is of Vulkan 1.1, by the same clause.
                    _ => unsafe { self.device.get_image_memory_requirements2(&info, out) },
                }
            }
        }
    }
}

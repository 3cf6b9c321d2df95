//! Buffers and images with their memory: created, allocated, bound, and undone on the way if
//! something fails.
#![allow(unsafe_code)]

use ash::vk::{self, TaggedStructure as _};
use vk_pool::ResourceKind;

use crate::resource::{Resource, kind_of_image, refuse_image_in_parts, refuse_sparse_buffer};
use crate::{AllocError, Allocation, AllocationRequest, CreateError, GpuAllocator, Refused};

impl GpuAllocator {
    /// Memory for a buffer that exists. It is not bound.
    ///
    /// Follows what the driver says about dedicated memory. `request.kind` is taken as linear.
    ///
    /// # Errors
    ///
    /// Those of [`allocate`](Self::allocate), and [`AllocError::DedicatedRequired`].
    ///
    /// # Safety
    ///
    /// 1. `buffer` is of this allocator's device, lives, and has no memory.
    /// 2. If `request.device_address` is false, `buffer` was made without `SHADER_DEVICE_ADDRESS`.
    pub unsafe fn allocate_for_buffer(
        &self,
        buffer: vk::Buffer,
        request: &AllocationRequest<'_>,
    ) -> Result<Allocation, AllocError> {
        let terms = (ResourceKind::Linear, request.device_address);
        // SAFETY: 1. Our clause 1.
        unsafe { self.allocate_for(Resource::Buffer(buffer), request, terms) }
    }

    /// Memory for an image that exists. It is not bound.
    ///
    /// Follows what the driver says about dedicated memory. `request.kind` should state the image's
    /// tiling; unknown is safe.
    ///
    /// # Errors
    ///
    /// Those of [`allocate`](Self::allocate), and [`AllocError::DedicatedRequired`].
    ///
    /// # Safety
    ///
    /// 1. `image` is of this allocator's device, lives, has no memory, and is not bound in parts
    ///    (sparse, disjoint).
    /// 2. `request.kind` is not [`ResourceKind::Linear`] if the image's tiling is optimal.
    pub unsafe fn allocate_for_image(
        &self,
        image: vk::Image,
        request: &AllocationRequest<'_>,
    ) -> Result<Allocation, AllocError> {
        let terms = (request.kind, request.device_address);
        // SAFETY: 1. Our clause 1.
        unsafe { self.allocate_for(Resource::Image(image), request, terms) }
    }

    /// Creates a buffer, allocates its memory and binds it.
    ///
    /// `request.size` and `alignment` raise what the driver asks for, `memory_type_bits` are
    /// intersected with the driver's; kind and device address follow from `info`.
    ///
    /// # Errors
    ///
    /// [`CreateError`]; the buffer and its memory are gone then.
    ///
    /// # Safety
    ///
    /// 1. `info` is valid usage on this allocator's device (Vulkan spec, vkCreateBuffer), its
    ///    `pNext` chain included.
    pub unsafe fn create_buffer(
        &self,
        info: &vk::BufferCreateInfo<'_>,
        request: &AllocationRequest<'_>,
    ) -> Result<(vk::Buffer, Allocation), CreateError> {
        refuse_sparse_buffer(info)?;
        // SAFETY: 1. Our clause 1.
        let device_address = request.device_address || unsafe { has_device_address(info) };
        if device_address && !self.config.buffer_device_address {
            return Err(AllocError::FeatureNotEnabled { feature: "bufferDeviceAddress" }.into());
        }
        // SAFETY: 1. Our clause 1.
        let buffer = unsafe { self.driver.create_buffer(info) }?;
        let terms = (ResourceKind::Linear, device_address);
        // SAFETY: 1. It was created above.
        let allocation = unsafe { self.back(Resource::Buffer(buffer), request, terms) }?;
        Ok((buffer, allocation))
    }

    /// Creates an image, allocates its memory and binds it.
    ///
    /// As [`create_buffer`](Self::create_buffer); the kind follows from the tiling.
    ///
    /// # Errors
    ///
    /// [`CreateError`]; the image and its memory are gone then.
    ///
    /// # Safety
    ///
    /// 1. `info` is valid usage on this allocator's device (Vulkan spec, vkCreateImage), its `pNext`
    ///    chain included.
    pub unsafe fn create_image(
        &self,
        info: &vk::ImageCreateInfo<'_>,
        request: &AllocationRequest<'_>,
    ) -> Result<(vk::Image, Allocation), CreateError> {
        refuse_image_in_parts(info)?;
        // SAFETY: 1. Our clause 1.
        let image = unsafe { self.driver.create_image(info) }?;
        let terms = (kind_of_image(info), request.device_address);
        // SAFETY: 1. It was created above.
        let allocation = unsafe { self.back(Resource::Image(image), request, terms) }?;
        Ok((image, allocation))
    }

    /// Destroys a buffer and frees its memory.
    ///
    /// # Errors
    ///
    /// The allocation comes back if another allocator made it; the buffer lives then.
    ///
    /// # Safety
    ///
    /// 1. `buffer` is of this allocator's device, lives, and is bound to `allocation` alone, or null.
    /// 2. The device has finished with the buffer and with everything else bound to the allocation.
    pub unsafe fn destroy_buffer(
        &self,
        buffer: vk::Buffer,
        allocation: Allocation,
    ) -> Result<(), Refused<Allocation>> {
        // SAFETY: Our clauses.
        unsafe { self.destroy_resource(Resource::Buffer(buffer), allocation) }
    }

    /// Destroys an image and frees its memory.
    ///
    /// # Errors
    ///
    /// The allocation comes back if another allocator made it; the image lives then.
    ///
    /// # Safety
    ///
    /// 1. `image` is of this allocator's device, lives, and is bound to `allocation` alone, or null.
    /// 2. The device has finished with the image and with everything else bound to the allocation.
    pub unsafe fn destroy_image(
        &self,
        image: vk::Image,
        allocation: Allocation,
    ) -> Result<(), Refused<Allocation>> {
        // SAFETY: Our clauses.
        unsafe { self.destroy_resource(Resource::Image(image), allocation) }
    }

    /// Memory for a resource of that kind, with a device address or without, whatever the request says of these.
    ///
    /// # Safety
    ///
    /// 1. `resource` is of this device, lives, has no memory, and is not bound in parts.
    // Always: the request is written once then, and not before the driver is called.
    #[inline(always)]
    unsafe fn allocate_for(
        &self,
        resource: Resource,
        request: &AllocationRequest<'_>,
        (kind, device_address): (ResourceKind, bool),
    ) -> Result<Allocation, AllocError> {
        // SAFETY: 1. Our clause 1.
        let asked = unsafe { self.driver.requirements(resource) };
        let raised = request.raised_to(&asked.memory);
        let request = AllocationRequest { kind, device_address, ..raised };
        let terms = resource.terms(&asked, request.size)?;
        self.allocate_within(&request, &terms)
    }

    /// Gives a new resource its memory, or destroys it.
    ///
    /// # Safety
    ///
    /// 1. `resource` was just created, and nobody else has seen it.
    unsafe fn back(
        &self,
        resource: Resource,
        request: &AllocationRequest<'_>,
        terms: (ResourceKind, bool),
    ) -> Result<Allocation, CreateError> {
        // SAFETY: 1. Our clause 1; what is bound in parts was refused.
        let allocated = unsafe { self.allocate_for(resource, request, terms) };
        // SAFETY: 1. Our clause 1. 2. The allocation was made for the resource.
        unsafe { self.bind_or_destroy(resource, allocated) }
    }

    /// Binds a new resource to the memory made for it; without memory, or if that fails, destroys it.
    ///
    /// # Safety
    ///
    /// 1. `resource` was just created, and nobody else has seen it.
    /// 2. The allocation satisfies its requirements.
    pub(crate) unsafe fn bind_or_destroy(
        &self,
        resource: Resource,
        allocated: Result<Allocation, AllocError>,
    ) -> Result<Allocation, CreateError> {
        // Looked at where it is: moved, it would be copied once more.
        let bound = allocated.as_ref().ok().map(|allocation| {
            let (memory, offset) = (allocation.memory(), allocation.offset());
            // SAFETY: 1. Our clause 1. 2. Our clause 2.
            unsafe { self.driver.bind(resource, memory, offset) }
        });
        match bound {
            Some(Ok(())) => Ok(allocated?),
            // SAFETY: 1. Our clause 1.
            _ => Err(unsafe { self.undo(resource, allocated, bound) }),
        }
    }

    /// Destroys a new resource that could not be bound, and frees the memory that was made for it; answers
    /// why.
    ///
    /// # Safety
    ///
    /// 1. `resource` was just created, and nobody else has seen it.
    #[cold]
    #[inline(never)]
    unsafe fn undo(
        &self,
        resource: Resource,
        allocated: Result<Allocation, AllocError>,
        bound: Option<Result<(), (&'static str, vk::Result)>>,
    ) -> CreateError {
        // SAFETY: 1. Our clause 1.
        unsafe { self.driver.destroy(resource) };
        match (allocated, bound) {
            (Err(error), _) => error.into(),
            (Ok(allocation), bound) => {
                // SAFETY: 1. and 2. The device was never told of the resource.
                let freed = unsafe { self.free(allocation) };
                debug_assert!(freed.is_ok(), "the allocation was made above");
                let refused = bound.and_then(Result::err);
                let (call, result) = refused.expect("what is undone was refused");
                CreateError::Driver { call, result }
            }
        }
    }

    /// # Safety
    ///
    /// 1. Clauses 1 and 2 of [`destroy_buffer`](Self::destroy_buffer).
    unsafe fn destroy_resource(
        &self,
        resource: Resource,
        allocation: Allocation,
    ) -> Result<(), Refused<Allocation>> {
        if allocation.allocator_id != self.id {
            return Err(self.foreign(allocation));
        }
        // SAFETY: 1. Our clause.
        unsafe { self.driver.destroy(resource) };
        // SAFETY: 1. and 2. Our clause; the resource is destroyed.
        unsafe { self.free(allocation) }
    }
}

/// Whether shaders may ask for the address of the buffer, so that its memory has to be made for that.
///
/// # Safety
///
/// 1. The structures of the `pNext` chain of `info` are there, and are what they say.
pub(crate) unsafe fn has_device_address(info: &vk::BufferCreateInfo<'_>) -> bool {
    let mut next = info.p_next.cast::<vk::BaseInStructure<'_>>();
    // SAFETY: Our clause 1; every structure of a chain begins with these two fields.
    while let Some(structure) = unsafe { next.as_ref() } {
        if structure.s_type == vk::BufferUsageFlags2CreateInfoKHR::STRUCTURE_TYPE {
            // SAFETY: Our clause 1; it says that it is this one.
            let flags = unsafe { &*next.cast::<vk::BufferUsageFlags2CreateInfoKHR<'_>>() };
            // Where it is chained, `usage` is ignored (Vulkan spec, VkBufferCreateInfo).
            return flags.usage.contains(vk::BufferUsageFlags2KHR::SHADER_DEVICE_ADDRESS);
        }
        next = structure.p_next;
    }
    info.usage.contains(vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS)
}

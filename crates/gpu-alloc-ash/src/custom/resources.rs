//! Buffers and images in custom pools, and memory types found from examples of them.
#![allow(unsafe_code)]

use ash::vk;
use vk_pool::ResourceKind;

use super::{CreatePoolError, CustomPool, CustomPoolConfig, PoolAllocationRequest};
use crate::create::has_device_address;
use crate::driver::{BlockInfo, Requirements};
use crate::resource::{
    Resource, kind_of_image, refuse_disjoint, refuse_image_in_parts, refuse_sparse_buffer,
};
use crate::{AllocError, Allocation, AllocationRequest, CreateError, GpuAllocator};

impl GpuAllocator {
    /// [`create_pool`](Self::create_pool) with structures of your own for `vkAllocateMemory`, such as
    /// `VkExportMemoryAllocateInfo`.
    ///
    /// `extend` is called for each memory object of the pool, by the thread that needs it, with no lock held.
    /// It must not allocate in this pool, where it may wait for the very object. It chains its structures, which live no longer than the call, and goes on:
    ///
    /// ```
    /// use gpu_alloc_ash::ash::vk;
    ///
    /// let extend = |info: vk::MemoryAllocateInfo<'_>, go_on: &mut dyn FnMut(&vk::MemoryAllocateInfo<'_>)| {
    ///     let handles = vk::ExternalMemoryHandleTypeFlags::OPAQUE_FD;
    ///     let mut export = vk::ExportMemoryAllocateInfo::default().handle_types(handles);
    ///     go_on(&info.push_next(&mut export));
    /// };
    /// # extend(vk::MemoryAllocateInfo::default(), &mut |info| assert!(!info.p_next.is_null()));
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`create_pool`](Self::create_pool). Where `extend` does not go on, or changes size or memory
    /// type, an allocation that needs a block is refused with [`AllocError::NotExtended`].
    ///
    /// # Safety
    ///
    /// 1. What `extend` goes on with is valid usage of `vkAllocateMemory` on this allocator's device, its
    ///    `pNext` chain included: extensions enabled, structures alive, handles valid.
    /// 2. It begins with the chain that was given, and adds no `VkMemoryDedicatedAllocateInfo`, and no
    ///    `VkMemoryAllocateFlagsInfo` or `VkMemoryPriorityAllocateInfoEXT` where `config` asks for one.
    /// 3. Host-visible memory made so can be mapped: it has one instance, and is not imported.
    pub unsafe fn create_pool_with(
        &self,
        config: &CustomPoolConfig<'_>,
        extend: impl Fn(vk::MemoryAllocateInfo<'_>, &mut dyn FnMut(&vk::MemoryAllocateInfo<'_>))
        + Send
        + Sync
        + 'static,
    ) -> Result<CustomPool, CreatePoolError> {
        let block_info = BlockInfo { extend: Some(Box::new(extend)), ..BlockInfo::default() };
        self.make_pool(config, block_info)
    }

    /// The memory types for buffers like an example, best first, for
    /// [`CustomPoolConfig::memory_types`].
    ///
    /// From Vulkan 1.3 on the driver is asked without a buffer; before, one is created and destroyed.
    ///
    /// # Errors
    ///
    /// [`CreateError`]: no memory type suits, or the driver refused to create the example.
    ///
    /// # Safety
    ///
    /// 1. `info` is valid usage on this allocator's device (Vulkan spec, vkCreateBuffer), its `pNext` chain
    ///    included; from Vulkan 1.3 on also as vkGetDeviceBufferMemoryRequirements wants it.
    pub unsafe fn memory_types_for_buffer(
        &self,
        info: &vk::BufferCreateInfo<'_>,
        request: &AllocationRequest<'_>,
    ) -> Result<Vec<u32>, CreateError> {
        // SAFETY: 1. Our clause 1.
        let asked = unsafe { self.driver.requirements_of_buffer(info) };
        let memory = match asked {
            Some(memory) => memory,
            None => {
                // SAFETY: 1. Our clause 1.
                let buffer = unsafe { self.driver.create_buffer(info) }?;
                // SAFETY: 1. It was created above, and nobody else has seen it.
                unsafe { self.requirements_of_example(Resource::Buffer(buffer)) }
            }
        };
        Ok(self.memory_types(&request.raised_to(&memory))?)
    }

    /// The memory types for images like an example, best first.
    ///
    /// As [`memory_types_for_buffer`](Self::memory_types_for_buffer).
    ///
    /// # Errors
    ///
    /// [`CreateError`]: no memory type suits, the driver refused to create the example, or it is bound in
    /// parts.
    ///
    /// # Safety
    ///
    /// 1. `info` is valid usage on this allocator's device (Vulkan spec, vkCreateImage), its `pNext` chain
    ///    included; from Vulkan 1.3 on also as vkGetDeviceImageMemoryRequirements wants it, which takes no
    ///    images of swapchains and none of explicit DRM modifiers.
    pub unsafe fn memory_types_for_image(
        &self,
        info: &vk::ImageCreateInfo<'_>,
        request: &AllocationRequest<'_>,
    ) -> Result<Vec<u32>, CreateError> {
        refuse_disjoint(info)?;
        // SAFETY: 1. Our clause 1. 2. It was looked at above.
        let asked = unsafe { self.driver.requirements_of_image(info) };
        let memory = match asked {
            Some(memory) => memory,
            None => {
                // SAFETY: 1. Our clause 1.
                let image = unsafe { self.driver.create_image(info) }?;
                // SAFETY: 1. It was created above, and nobody else has seen it.
                unsafe { self.requirements_of_example(Resource::Image(image)) }
            }
        };
        Ok(self.memory_types(&request.raised_to(&memory))?)
    }

    /// Creates a buffer, allocates its memory in a custom pool and binds it.
    ///
    /// `request.size` and `alignment` raise what the driver asks for, `memory_type_bits` are intersected
    /// with the driver's; the kind follows from `info`.
    ///
    /// # Errors
    ///
    /// [`CreateError`]; the buffer and its memory are gone then. [`AllocError::NotOfPool`] if it may not have
    /// the pool's memory types.
    ///
    /// # Safety
    ///
    /// 1. `info` is valid usage on this allocator's device (Vulkan spec, vkCreateBuffer), its `pNext`
    ///    chain included.
    /// 2. If the pool was made by [`create_pool_with`](Self::create_pool_with), memory made so may be
    ///    bound to such a buffer.
    pub unsafe fn create_buffer_in(
        &self,
        pool: &CustomPool,
        info: &vk::BufferCreateInfo<'_>,
        request: &PoolAllocationRequest<'_>,
    ) -> Result<(vk::Buffer, Allocation), CreateError> {
        refuse_sparse_buffer(info)?;
        self.check_owner(pool)?;
        // SAFETY: 1. Our clause 1.
        let request = unsafe { pool.request_for_buffer(info, request) }?;
        // SAFETY: 1. Our clause 1.
        let buffer = unsafe { self.driver.create_buffer(info) }?;
        let resource = Resource::Buffer(buffer);
        // SAFETY: 1. It was created above.
        let allocated = unsafe { self.allocate_for_in(pool, resource, &request) };
        // SAFETY: 1. It was created above. 2. The allocation was made for it.
        let allocation = unsafe { self.bind_or_destroy(resource, allocated) }?;
        Ok((buffer, allocation))
    }

    /// Creates an image, allocates its memory in a custom pool and binds it.
    ///
    /// As [`create_buffer_in`](Self::create_buffer_in); the kind follows from the tiling.
    ///
    /// # Errors
    ///
    /// [`CreateError`]; the image and its memory are gone then.
    ///
    /// # Safety
    ///
    /// 1. `info` is valid usage on this allocator's device (Vulkan spec, vkCreateImage), its `pNext`
    ///    chain included.
    /// 2. Clause 2 of [`create_buffer_in`](Self::create_buffer_in), for such an image.
    pub unsafe fn create_image_in(
        &self,
        pool: &CustomPool,
        info: &vk::ImageCreateInfo<'_>,
        request: &PoolAllocationRequest<'_>,
    ) -> Result<(vk::Image, Allocation), CreateError> {
        refuse_image_in_parts(info)?;
        self.check_owner(pool)?;
        let request = PoolAllocationRequest { kind: kind_of_image(info), ..*request };
        // SAFETY: 1. Our clause 1.
        let image = unsafe { self.driver.create_image(info) }?;
        let resource = Resource::Image(image);
        // SAFETY: 1. It was created above.
        let allocated = unsafe { self.allocate_for_in(pool, resource, &request) };
        // SAFETY: 1. It was created above. 2. The allocation was made for it.
        let allocation = unsafe { self.bind_or_destroy(resource, allocated) }?;
        Ok((image, allocation))
    }

    /// Memory of a custom pool for a buffer that exists. It is not bound. `request.kind` is taken as linear.
    ///
    /// # Errors
    ///
    /// Those of [`allocate_in`](Self::allocate_in).
    ///
    /// # Safety
    ///
    /// 1. `buffer` is of this allocator's device, lives, and has no memory.
    /// 2. If it was made with `SHADER_DEVICE_ADDRESS`, the pool has
    ///    [`device_address`](CustomPoolConfig::device_address).
    pub unsafe fn allocate_for_buffer_in(
        &self,
        pool: &CustomPool,
        buffer: vk::Buffer,
        request: &PoolAllocationRequest<'_>,
    ) -> Result<Allocation, AllocError> {
        let request = PoolAllocationRequest { kind: ResourceKind::Linear, ..*request };
        // SAFETY: 1. Our clause 1.
        unsafe { self.allocate_for_in(pool, Resource::Buffer(buffer), &request) }
    }

    /// Memory of a custom pool for an image that exists. It is not bound. `request.kind` should state the
    /// image's tiling; unknown is safe.
    ///
    /// # Errors
    ///
    /// Those of [`allocate_in`](Self::allocate_in).
    ///
    /// # Safety
    ///
    /// 1. `image` is of this allocator's device, lives, has no memory, and is not bound in parts (sparse,
    ///    disjoint).
    /// 2. `request.kind` is not [`ResourceKind::Linear`] if the image's tiling is optimal.
    pub unsafe fn allocate_for_image_in(
        &self,
        pool: &CustomPool,
        image: vk::Image,
        request: &PoolAllocationRequest<'_>,
    ) -> Result<Allocation, AllocError> {
        // SAFETY: 1. Our clause 1.
        unsafe { self.allocate_for_in(pool, Resource::Image(image), request) }
    }

    /// # Safety
    ///
    /// 1. `resource` is of this device, lives, has no memory, and is not bound in parts.
    unsafe fn allocate_for_in(
        &self,
        pool: &CustomPool,
        resource: Resource,
        request: &PoolAllocationRequest<'_>,
    ) -> Result<Allocation, AllocError> {
        // SAFETY: 1. Our clause 1.
        let asked = unsafe { self.driver.requirements(resource) };
        let request = request.raised_to(&asked.memory);
        let terms = resource.terms(&asked, request.size)?;
        self.allocate_in_within(pool, &request, &terms)
    }

    /// What an example needs, which is destroyed then.
    ///
    /// # Safety
    ///
    /// 1. `resource` was just created, and nobody else has seen it.
    unsafe fn requirements_of_example(&self, resource: Resource) -> vk::MemoryRequirements {
        // SAFETY: 1. Our clause 1.
        let Requirements { memory, .. } = unsafe { self.driver.requirements(resource) };
        // SAFETY: 1. Our clause 1.
        unsafe { self.driver.destroy(resource) };
        memory
    }
}

impl CustomPool {
    /// A request for memory of a buffer that is to be made.
    ///
    /// # Errors
    ///
    /// [`AllocError::NoDeviceAddress`]: it has a device address, and the pool's memory has none.
    ///
    /// # Safety
    ///
    /// 1. The structures of the `pNext` chain of `info` are there, and are what they say.
    pub(crate) unsafe fn request_for_buffer<'a>(
        &self,
        info: &vk::BufferCreateInfo<'_>,
        request: &PoolAllocationRequest<'a>,
    ) -> Result<PoolAllocationRequest<'a>, AllocError> {
        // SAFETY: 1. Our clause 1.
        let has_address = unsafe { has_device_address(info) };
        if has_address && !self.block_info().device_address {
            return Err(AllocError::NoDeviceAddress);
        }
        Ok(PoolAllocationRequest { kind: ResourceKind::Linear, ..*request })
    }
}

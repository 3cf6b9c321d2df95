//! What the tests of custom pools share: the unsafe calls, and pools of the usual shapes.

use ash::vk;
use gpu_alloc_ash::{
    Algorithm, AllocError, Allocation, AllocationRequest, CreateError, CreatePoolError, CustomPool,
    CustomPoolConfig, LinearKind, PoolAllocationRequest, ResourceKind,
};

use crate::support::Sim;

/// The memory type of the default device that is the device's own, and one that is mapped and coherent.
pub(crate) const OF_DEVICE: &[u32] = &[0];
pub(crate) const MAPPED: &[u32] = &[1];

/// Blocks of exactly so many bytes.
pub(crate) fn fixed(memory_types: &[u32], block_size: u64) -> CustomPoolConfig<'_> {
    CustomPoolConfig { memory_types, block_size: Some(block_size), ..Default::default() }
}

/// One linear block of exactly so many bytes.
pub(crate) fn linear(
    memory_types: &[u32],
    kind: LinearKind,
    block_size: u64,
) -> CustomPoolConfig<'_> {
    let algorithm = Algorithm::Linear(kind);
    CustomPoolConfig { algorithm, max_block_count: Some(1), ..fixed(memory_types, block_size) }
}

/// A request for so many bytes of what is linear, as buffers are.
pub(crate) fn bytes(size: u64) -> PoolAllocationRequest<'static> {
    PoolAllocationRequest { size, kind: ResourceKind::Linear, ..Default::default() }
}

impl Sim {
    #[track_caller]
    pub(crate) fn pool(&self, config: &CustomPoolConfig<'_>) -> CustomPool {
        self.allocator.create_pool(config).expect("the pool can be")
    }

    #[track_caller]
    pub(crate) fn allocate_in(
        &self,
        pool: &CustomPool,
        request: &PoolAllocationRequest<'_>,
    ) -> Allocation {
        let allocation = self.allocator.allocate_in(pool, request).expect("there is room");
        assert!(pool.contains(&allocation));
        allocation
    }

    /// Why a request to a pool is refused, which changes nothing.
    #[track_caller]
    pub(crate) fn refusal_in(
        &self,
        pool: &CustomPool,
        request: &PoolAllocationRequest<'_>,
    ) -> AllocError {
        let (before, live) = (pool.stats(), self.driver.live());
        let error = self.allocator.allocate_in(pool, request).expect_err("it is refused");
        assert_eq!((pool.stats(), self.driver.live()), (before, live));
        error
    }

    /// Ends a pool of which nothing is alive.
    #[track_caller]
    pub(crate) fn end_pool(&self, pool: CustomPool) {
        assert_eq!(pool.check(), Ok(()));
        self.allocator.destroy_pool(pool).expect("nothing of it is alive");
    }

    pub(crate) fn create_buffer_in(
        &self,
        pool: &CustomPool,
        info: &vk::BufferCreateInfo<'_>,
        request: &PoolAllocationRequest<'_>,
    ) -> Result<(vk::Buffer, Allocation), CreateError> {
        // SAFETY: 1. The infos of these tests are valid usage; the driver would record if not. 2. No
        // structure of these tests says what may be bound.
        unsafe { self.allocator.create_buffer_in(pool, info, request) }
    }

    pub(crate) fn create_image_in(
        &self,
        pool: &CustomPool,
        info: &vk::ImageCreateInfo<'_>,
        request: &PoolAllocationRequest<'_>,
    ) -> Result<(vk::Image, Allocation), CreateError> {
        // SAFETY: 1. and 2. As above.
        unsafe { self.allocator.create_image_in(pool, info, request) }
    }

    pub(crate) fn allocate_for_buffer_in(
        &self,
        pool: &CustomPool,
        buffer: vk::Buffer,
    ) -> Result<Allocation, AllocError> {
        // SAFETY: 1. The tests hand in live, unbound buffers. 2. Without a device address.
        unsafe { self.allocator.allocate_for_buffer_in(pool, buffer, &Default::default()) }
    }

    pub(crate) fn allocate_for_image_in(
        &self,
        pool: &CustomPool,
        image: vk::Image,
    ) -> Result<Allocation, AllocError> {
        // SAFETY: 1. The tests hand in live, unbound images. 2. And leave the kind unknown.
        unsafe { self.allocator.allocate_for_image_in(pool, image, &Default::default()) }
    }

    pub(crate) fn types_for_buffer(
        &self,
        info: &vk::BufferCreateInfo<'_>,
        request: &AllocationRequest<'_>,
    ) -> Result<Vec<u32>, CreateError> {
        // SAFETY: 1. The infos of these tests are valid usage.
        unsafe { self.allocator.memory_types_for_buffer(info, request) }
    }

    pub(crate) fn types_for_image(
        &self,
        info: &vk::ImageCreateInfo<'_>,
        request: &AllocationRequest<'_>,
    ) -> Result<Vec<u32>, CreateError> {
        // SAFETY: 1. The infos of these tests are valid usage.
        unsafe { self.allocator.memory_types_for_image(info, request) }
    }

    pub(crate) fn pool_with(
        &self,
        config: &CustomPoolConfig<'_>,
        extend: impl Fn(vk::MemoryAllocateInfo<'_>, &mut dyn FnMut(&vk::MemoryAllocateInfo<'_>))
        + Send
        + Sync
        + 'static,
    ) -> Result<CustomPool, CreatePoolError> {
        // SAFETY: 1. to 3. The tests chain structures of extensions that the driver has, or none at all.
        unsafe { self.allocator.create_pool_with(config, extend) }
    }
}

//! Custom pools of one block: ours, linear and of buddies, and VMA's linear one.

use std::marker::PhantomData;
use std::sync::Arc;

use ash::vk;
use gpu_alloc_ash::{
    Algorithm, Allocation, CustomPool, CustomPoolConfig, GpuAllocator, LinearKind,
    PoolAllocationRequest, ResourceKind,
};
use vk_mem::{Alloc, AllocationCreateInfo, PoolCreateInfo};

use super::{Facade, OnDevice, Place, ours, vma};
use crate::facade::gpu::Gpu;
use crate::facade::program::Request;

/// Bytes of the one block.
pub(crate) const BLOCK: u64 = 64 << 20;

/// What carves up a pool of ours.
pub(super) trait Carver: Send + Sync + 'static {
    fn algorithm() -> Algorithm;
}

/// Recognised from use, as VMA's is.
pub(super) struct Linear;

impl Carver for Linear {
    fn algorithm() -> Algorithm {
        Algorithm::Linear(LinearKind::Auto)
    }
}

pub(super) struct Buddies;

impl Carver for Buddies {
    fn algorithm() -> Algorithm {
        Algorithm::Buddy
    }
}

/// Ours.
pub(super) struct Ours<C> {
    /// Goes before the allocator.
    pool: CustomPool,
    allocator: GpuAllocator,
    carver: PhantomData<C>,
}

/// VMA's linear algorithm.
pub(super) struct Vma {
    /// Goes before the allocator.
    pool: vk_mem::AllocatorPool,
    allocator: Arc<vk_mem::Allocator>,
}

fn memory_type_index(gpu: &Gpu) -> u32 {
    gpu.memory_type_bits().trailing_zeros()
}

impl<C: Carver> Facade for Ours<C> {
    type Handle = Allocation;

    #[inline]
    fn allocate(&self, request: &Request) -> Option<Allocation> {
        let request = PoolAllocationRequest {
            size: request.size,
            alignment: request.alignment,
            kind: ResourceKind::Linear,
            ..PoolAllocationRequest::DEFAULT
        };
        self.allocator.allocate_in(&self.pool, &request).ok()
    }

    #[inline]
    fn free(&self, allocation: Allocation) {
        // SAFETY: 1. and 2. Nothing was ever submitted or bound.
        unsafe { self.allocator.free(allocation) }.expect("it is this allocator's");
    }

    fn place(&self, allocation: &Allocation) -> Place {
        ours::place(allocation)
    }
}

impl<C: Carver> OnDevice for Ours<C> {
    fn new(gpu: &Gpu) -> Self {
        let allocator = ours::allocator(gpu);
        let pool = allocator.create_pool(&CustomPoolConfig {
            memory_types: &[memory_type_index(gpu)],
            algorithm: C::algorithm(),
            block_size: Some(BLOCK),
            min_block_count: 1,
            max_block_count: Some(1),
            ..CustomPoolConfig::default()
        });
        let pool = pool.expect("a device has room for one block");
        Self { pool, allocator, carver: PhantomData }
    }

    fn create_buffer(&self, _: u64) -> Option<(vk::Buffer, Allocation)> {
        None // No case of pools makes buffers.
    }

    fn destroy_buffer(&self, _: vk::Buffer, allocation: Allocation) {
        self.free(allocation);
    }
}

impl Facade for Vma {
    type Handle = vk_mem::Allocation;

    #[inline]
    fn allocate(&self, request: &Request) -> Option<vk_mem::Allocation> {
        let requirements = vk::MemoryRequirements {
            size: request.size,
            alignment: request.alignment,
            memory_type_bits: request.memory_type_bits,
        };
        let info = AllocationCreateInfo::default();
        // SAFETY: The requirements are such as drivers state.
        unsafe { self.pool.allocate_memory(&requirements, &info) }.ok()
    }

    #[inline]
    fn free(&self, mut allocation: vk_mem::Allocation) {
        // SAFETY: It lives, and nothing is bound to it.
        unsafe { self.allocator.free_memory(&mut allocation) };
    }

    fn place(&self, allocation: &vk_mem::Allocation) -> Place {
        vma::place(&self.allocator, allocation)
    }
}

impl OnDevice for Vma {
    fn new(gpu: &Gpu) -> Self {
        let allocator = Arc::new(vma::allocator(gpu));
        let pool = allocator.create_pool(&PoolCreateInfo {
            memory_type_index: memory_type_index(gpu),
            flags: vk_mem::AllocatorPoolCreateFlags::LINEAR_ALGORITHM,
            block_size: BLOCK,
            min_block_count: 1,
            max_block_count: 1,
            ..PoolCreateInfo::default()
        });
        Self { pool: pool.expect("a device has room for one block"), allocator }
    }

    fn create_buffer(&self, _: u64) -> Option<(vk::Buffer, vk_mem::Allocation)> {
        None // No case of pools makes buffers.
    }

    fn destroy_buffer(&self, _: vk::Buffer, allocation: vk_mem::Allocation) {
        self.free(allocation);
    }
}

//! The two whole allocators: ours, and VMA 3.3 through vk-mem.
//!
//! Both are as they come, with Vulkan 1.0 and no extension, on the same simulated device. VMA makes
//! resources, so that it knows buffers from images; it is told not to bind them.

use std::sync::Arc;

use ash::vk;
use gpu_alloc_ash::{AllocationRequest, AllocatorConfig, GpuAllocator, ResourceKind};
use vk_mem::{
    Alloc, AllocationCreateFlags, AllocationCreateInfo, AllocatorCreateInfo, PoolCreateInfo,
};
use vk_sim::SimDriver;

use super::gauge;
use super::program::Request;

/// How an allocator is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// As it comes.
    Default,
    /// As it comes, with one shard; for VMA the same as the default.
    #[cfg(test)]
    OneShard,
    /// Memory type 0 in blocks of so many bytes, however many, and no memory of its own for anything.
    FixedBlocks(u64),
}

/// A whole allocator.
pub(super) trait Facade: Sized {
    /// What it hands out.
    type Held;

    /// An allocator on a device, which outlives it.
    fn open(driver: &SimDriver, device: &ash::Device, policy: Policy) -> Result<Self, String>;

    /// `None` if it is refused.
    fn allocate(&self, request: &Request) -> Option<Self::Held>;

    /// Gives one back.
    fn free(&self, held: Self::Held);

    /// The memory object and the offset in it.
    fn place(&self, held: &Self::Held) -> (vk::DeviceMemory, u64);
}

/// Ours.
pub(super) struct Ours(GpuAllocator);

impl Facade for Ours {
    type Held = gpu_alloc_ash::Allocation;

    fn open(driver: &SimDriver, device: &ash::Device, policy: Policy) -> Result<Self, String> {
        let mut config = AllocatorConfig::default();
        if let Policy::FixedBlocks(size) = policy {
            config.first_block_size = size;
            config.host_first_block_size = size;
            config.largest_block_size = size;
            config.heap_divisor = 0;
            config.growth_divisor = 0;
            config.dedicated_above = Some(size);
        }
        #[cfg(test)]
        if policy == Policy::OneShard {
            config.shards = Some(1);
        }
        // SAFETY: 1. The device is the driver's. 2. The caller's promise. 3. Nothing is named.
        let allocator = unsafe {
            GpuAllocator::new(driver.instance(), driver.physical_device(), device, config)
        };
        allocator.map(Self).map_err(|error| error.to_string())
    }

    fn allocate(&self, request: &Request) -> Option<Self::Held> {
        let kind = if request.is_image { ResourceKind::NonLinear } else { ResourceKind::Linear };
        let request = AllocationRequest {
            size: request.size,
            alignment: request.alignment,
            memory_type_bits: 1 << request.memory_type_index,
            kind,
            ..AllocationRequest::DEFAULT
        };
        self.0.allocate(&request).ok()
    }

    fn free(&self, held: Self::Held) {
        // SAFETY: 1. No device ever used it. 2. Nothing was bound to it.
        unsafe { self.0.free(held) }.expect("it is this allocator's own");
    }

    fn place(&self, held: &Self::Held) -> (vk::DeviceMemory, u64) {
        (held.memory(), held.offset())
    }
}

/// VMA.
pub(super) struct Vma {
    /// The default pools, or one of its own. Goes before the allocator.
    pool: vk_mem::AllocatorPool,
    allocator: Arc<vk_mem::Allocator>,
}

impl Facade for Vma {
    type Held = vk_mem::Allocation;

    fn open(driver: &SimDriver, device: &ash::Device, policy: Policy) -> Result<Self, String> {
        let mut info =
            AllocatorCreateInfo::new(driver.instance(), device, driver.physical_device());
        info.vulkan_api_version = vk::API_VERSION_1_0;
        // SAFETY: Instance and device are the driver's, which outlives the allocator.
        let allocator = unsafe { vk_mem::Allocator::new(info) }.map_err(|e| e.to_string())?;
        let allocator = Arc::new(allocator);
        let pool = match policy {
            Policy::Default => allocator.default_pool(),
            #[cfg(test)]
            Policy::OneShard => allocator.default_pool(),
            Policy::FixedBlocks(block_size) => allocator
                .create_pool(&PoolCreateInfo { block_size, ..PoolCreateInfo::default() })
                .map_err(|error| error.to_string())?,
        };
        Ok(Self { pool, allocator })
    }

    fn allocate(&self, request: &Request) -> Option<Self::Held> {
        gauge::require(vk::MemoryRequirements {
            size: request.size,
            alignment: request.alignment,
            memory_type_bits: 1 << request.memory_type_index,
        });
        let info = AllocationCreateInfo {
            flags: AllocationCreateFlags::DONT_BIND,
            ..AllocationCreateInfo::default()
        };
        if request.is_image {
            // VMA looks at nothing here but that there is something, and the tiling.
            let image = vk::ImageCreateInfo::default()
                .extent(vk::Extent3D { width: 1, height: 1, depth: 1 })
                .mip_levels(1)
                .array_layers(1)
                .tiling(vk::ImageTiling::OPTIMAL);
            // SAFETY: The gauge's functions look at nothing of it.
            unsafe { self.pool.create_image(&image, &info) }.ok().map(|(_, held)| held)
        } else {
            let buffer = vk::BufferCreateInfo::default().size(request.size);
            // SAFETY: As above.
            unsafe { self.pool.create_buffer(&buffer, &info) }.ok().map(|(_, held)| held)
        }
    }

    fn free(&self, mut held: Self::Held) {
        // SAFETY: It lives: what is held is freed once.
        unsafe { self.allocator.free_memory(&mut held) };
    }

    fn place(&self, held: &Self::Held) -> (vk::DeviceMemory, u64) {
        let info = self.allocator.get_allocation_info(held);
        (info.device_memory, info.offset)
    }
}

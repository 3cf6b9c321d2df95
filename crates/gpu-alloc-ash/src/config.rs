//! What the allocator is told once: what the device was made with, and the policy.

use ash::vk;
use vk_pool::{Algorithm, ClassId, PoolConfig, Retention};

use crate::ConfigError;
use crate::home::MOST_SHARDS;

/// Requests of more bytes than this get memory of their own, if the user does not say otherwise: as a
/// part of a block they would decide on its size.
const DEDICATED_ABOVE: u64 = 32 << 20;

/// How an allocator behaves. Public fields, checked by [`GpuAllocator::new`](crate::GpuAllocator::new).
///
/// ```
/// let mut config = gpu_alloc_ash::AllocatorConfig::default();
/// config.api_version = ash::vk::API_VERSION_1_3;
/// config.heap_limits[0] = Some(2 << 30);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AllocatorConfig {
    /// The lower of `VkApplicationInfo::apiVersion` and `VkPhysicalDeviceProperties::apiVersion`. Nothing
    /// newer is called. Default 1.0, with which the driver is not asked whether a resource should have
    /// dedicated memory, nor for `maxMemoryAllocationSize`.
    pub api_version: u32,
    /// Whether `VK_KHR_dedicated_allocation` and `VK_KHR_get_memory_requirements2` are enabled on
    /// the device; implied by API version 1.1.
    pub khr_dedicated_allocation: bool,
    /// Whether the feature `bufferDeviceAddress` is enabled on the device. Buffers with a device address have
    /// blocks of their own, as their memory has to be made for it.
    pub buffer_device_address: bool,
    /// Whether `VK_EXT_memory_budget` is enabled on the device; needs API version 1.1. Without it, a
    /// heap's budget is four fifths of it.
    pub ext_memory_budget: bool,
    /// Whether `VK_EXT_memory_priority` and its feature `memoryPriority` are enabled on the device. Only
    /// [`CustomPoolConfig::priority`](crate::CustomPoolConfig::priority) needs it.
    pub ext_memory_priority: bool,
    /// Every request gets its own `vkAllocateMemory`. For debugging: the layers and tools of the
    /// driver then see each allocation. Custom pools of a fixed block size stay as they are.
    pub passthrough: bool,
    /// Bytes of the first block of a memory type, a power of two. Default 16 MiB.
    pub first_block_size: u64,
    /// The same for host-visible types that are not device-local. Default 4 MiB.
    pub host_first_block_size: u64,
    /// Bytes of the largest block, a power of two. Default 256 MiB.
    pub largest_block_size: u64,
    /// No block is larger than its heap divided by this, so that small heaps are not taken by one
    /// block; 0 for no such bound. Default 8.
    pub heap_divisor: u64,
    /// Bytes of the smallest block that is tried when memory is short, a power of two, at most the
    /// smaller of the first blocks. Default 1 MiB.
    pub smallest_block_size: u64,
    /// How fast the blocks of a memory type grow: none after the first is smaller than what the type has
    /// committed, divided by this, rounded down to quarters of a power of two. 0 makes all blocks as large as
    /// the first. Default 11.
    ///
    /// A block is larger where the program grows faster: 1.4 times what its live bytes have grown by since the
    /// last block came or went; but on the way back to a recent peak no more than the larger of eight times
    /// what is missing to it and a quarter of what is committed. With 110 MiB committed and 20 MiB more live
    /// since the last block, the next has 28 MiB; with 2 MiB more, 10 MiB.
    pub growth_divisor: u64,
    /// The smallest piece of a block, in bytes, a power of two. Default 256.
    pub min_allocation_size: u64,
    /// Requests of more bytes than this get memory of their own. `None`, the default, is a quarter
    /// of the largest block of the memory type, at most 32 MiB; requests up to twice that then still take
    /// room that a block has anyway.
    pub dedicated_above: Option<u64>,
    /// A request that finds no block gets memory of its own, as the last resort, only from this
    /// many bytes on. Default 1 MiB.
    pub dedicated_floor: u64,
    /// Empty blocks are kept up to this many bytes for each memory type. `None`, the default, is
    /// one and a half times [`first_block_size`](Self::first_block_size), or that of the largest block of a
    /// type whose heap is so small that it is less.
    pub retained_bytes: Option<u64>,
    /// Empty blocks are also kept up to the peak of live bytes over the last few thousand operations
    /// divided by this; 0 for none. Default 4.
    pub retained_live_divisor: u64,
    /// Bytes behind each piece of a block of host-visible memory, which are written when it is made, and
    /// checked when it is freed, by [`check_corruption`](crate::GpuAllocator::check_corruption) and at the
    /// end: who wrote past an allocation is found, and named. Memory of its own has none, as it has exactly
    /// its resource's size.
    ///
    /// At most 64 KiB. 0, the default, is off and costs nothing. On, it costs these bytes (a power of two
    /// becomes a bit more than one), and for each allocation two turns of a lock, an entry of a map, and the
    /// writing and reading of the bytes, with a flush and an invalidation where memory is not coherent.
    pub corruption_margin: u64,
    /// What host-visible memory is filled with when it is allocated, and pieces of blocks when they are
    /// freed, so that who relies on either shows. `None`, the default, is off and costs nothing. On, each
    /// byte is written twice, and flushed where memory is not coherent.
    pub fill: Option<FillBytes>,
    /// Limits in bytes on what this allocator holds of each heap.
    pub heap_limits: [Option<u64>; vk::MAX_MEMORY_HEAPS],
    /// Limit on the blocks of each heap. Dedicated memory does not count. Default none.
    pub max_blocks_per_heap: Option<u32>,
    /// Shards of each memory type, 1 to 64: as many threads can allocate of it at once without waiting
    /// for each other. All but the first stay empty until threads collide. `None`, the default, is as
    /// many as the host runs threads at once, at least 8 and at most 16; 1 gives the plain allocator.
    pub shards: Option<u32>,
    /// Memory objects of the device's `maxMemoryAllocationCount` that are left to others. Default 0.
    pub allocation_count_head_room: u32,
}

/// The bytes that memory is filled with, by [`AllocatorConfig::fill`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FillBytes {
    /// When it is allocated.
    pub created: u8,
    /// When it is freed.
    pub destroyed: u8,
}

impl Default for FillBytes {
    /// 0xDC and 0xEF, as VMA's.
    fn default() -> Self {
        Self { created: 0xdc, destroyed: 0xef }
    }
}

/// The largest [`AllocatorConfig::corruption_margin`].
const LARGEST_MARGIN: u64 = 64 << 10;

impl Default for AllocatorConfig {
    fn default() -> Self {
        Self {
            api_version: vk::API_VERSION_1_0,
            khr_dedicated_allocation: false,
            buffer_device_address: false,
            ext_memory_budget: false,
            ext_memory_priority: false,
            passthrough: false,
            first_block_size: 16 << 20,
            host_first_block_size: 4 << 20,
            largest_block_size: 256 << 20,
            heap_divisor: 8,
            smallest_block_size: 1 << 20,
            growth_divisor: 11,
            min_allocation_size: 256,
            dedicated_above: None,
            dedicated_floor: 1 << 20,
            retained_bytes: None,
            retained_live_divisor: 4,
            corruption_margin: 0,
            fill: None,
            heap_limits: [None; vk::MAX_MEMORY_HEAPS],
            max_blocks_per_heap: None,
            shards: None,
            allocation_count_head_room: 0,
        }
    }
}

impl AllocatorConfig {
    /// Blocks of 64 MiB, pieces from 256 bytes, memory of their own for requests above 32 MiB, at
    /// most 8 blocks a heap: the classic fixed policy.
    ///
    /// Eight blocks are 512 MiB: when a heap has them, requests of less than
    /// [`dedicated_floor`](Self::dedicated_floor) go to the next memory type or are refused, however much the
    /// heap has left.
    #[must_use]
    pub fn classic() -> Self {
        Self {
            first_block_size: 64 << 20,
            host_first_block_size: 64 << 20,
            largest_block_size: 64 << 20,
            heap_divisor: 0,
            growth_divisor: 0,
            dedicated_above: Some(32 << 20),
            max_blocks_per_heap: Some(8),
            ..Self::default()
        }
    }

    /// How many shards each memory type has.
    pub(crate) fn shard_count(&self) -> usize {
        let by_host =
            || std::thread::available_parallelism().map_or(8, |count| count.get().clamp(8, 16));
        self.shards.map_or_else(by_host, |count| count as usize)
    }

    /// Whether the driver can be asked for, and told of, dedicated memory.
    pub(crate) fn knows_dedicated(&self) -> bool {
        self.api_version >= vk::API_VERSION_1_1 || self.khr_dedicated_allocation
    }

    /// Checks the rules that concern several fields; those of one field are checked by the pools.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if vk::api_version_variant(self.api_version) != 0 || self.api_version < vk::API_VERSION_1_0
        {
            return Err(ConfigError::ApiVersion { api_version: self.api_version });
        }
        if self.ext_memory_budget && self.api_version < vk::API_VERSION_1_1 {
            return Err(ConfigError::BudgetNeedsVulkan11 { api_version: self.api_version });
        }
        if self.corruption_margin > LARGEST_MARGIN {
            return Err(ConfigError::Margin { margin: self.corruption_margin });
        }
        let is_possible = |shards: u32| (1..=MOST_SHARDS).contains(&(shards as usize));
        if let Some(shards) = self.shards.filter(|&shards| !is_possible(shards)) {
            return Err(ConfigError::Shards { shards });
        }
        if let Some(above) = self.dedicated_above.filter(|&above| above > self.largest_block_size) {
            let largest_block_size = self.largest_block_size;
            return Err(ConfigError::DedicatedAbove { dedicated_above: above, largest_block_size });
        }
        // The pools see sizes that are already bounded by their heap, so the user's own are checked here.
        let heap = TypeFacts {
            memory_type_index: 0,
            heap_index: 0,
            heap_size: u64::MAX,
            class: ClassId(0),
            host_only: false,
            host_visible: true,
            buffer_image_granularity: 1,
            atom_size: 1,
        };
        for host_only in [false, true] {
            let facts = TypeFacts { host_only, ..heap };
            let config = self.pool_config_within(&facts, self.largest_block_size);
            // As the user gave it: a type's own is bounded by its first block.
            PoolConfig { smallest_block_size: self.smallest_block_size, ..config }.check()?;
        }
        Ok(())
    }

    /// The configuration of the pools of one memory type.
    pub(crate) fn pool_config(&self, facts: &TypeFacts) -> PoolConfig {
        let bound = match self.heap_divisor {
            0 => self.largest_block_size,
            divisor => {
                power_of_two_at_most(facts.heap_size / divisor).max(self.min_allocation_size)
            }
        };
        self.pool_config_within(facts, self.largest_block_size.min(bound))
    }

    fn pool_config_within(&self, facts: &TypeFacts, largest: u64) -> PoolConfig {
        let first =
            if facts.host_only { self.host_first_block_size } else { self.first_block_size };
        // A user's first block above the user's largest stays so, and is refused by the check.
        let first = if largest < self.largest_block_size { first.min(largest) } else { first };
        let floor_bytes = self
            .retained_bytes
            .unwrap_or((self.first_block_size.min(largest) / 2).saturating_mul(3));
        let own = (largest / 4).min(DEDICATED_ABOVE);
        PoolConfig {
            memory_type_index: facts.memory_type_index,
            heap_index: facts.heap_index,
            class: facts.class,
            algorithm: Algorithm::TwoTier,
            buffer_image_granularity: facts.buffer_image_granularity,
            atom_size: facts.atom_size,
            margin: if facts.host_visible { self.corruption_margin } else { 0 },
            min_allocation_size: self.min_allocation_size,
            first_block_size: first,
            largest_block_size: largest,
            smallest_block_size: self.smallest_block_size.min(first),
            growth_divisor: self.growth_divisor,
            dedicated_above: self.dedicated_above.unwrap_or(own).min(largest),
            // What the user states holds to the byte.
            room_taken_up_to: self.dedicated_above.unwrap_or(2 * own).min(largest),
            retention: Retention { floor_bytes, live_divisor: self.retained_live_divisor },
            ..PoolConfig::default()
        }
    }
}

/// What a memory type contributes to the configuration of its pools.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypeFacts {
    pub(crate) memory_type_index: u32,
    pub(crate) heap_index: u32,
    pub(crate) heap_size: u64,
    pub(crate) class: ClassId,
    /// Host-visible and not device-local.
    pub(crate) host_only: bool,
    pub(crate) host_visible: bool,
    pub(crate) buffer_image_granularity: u64,
    pub(crate) atom_size: u64,
}

/// The largest power of two that is at most `value`; 1 for 0.
fn power_of_two_at_most(value: u64) -> u64 {
    value.checked_ilog2().map_or(1, |log| 1 << log)
}

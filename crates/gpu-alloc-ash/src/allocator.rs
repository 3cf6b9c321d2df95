//! The allocator: its parts, and the way in and out.
#![allow(unsafe_code)]

use core::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use ash::vk;
use memtype_select::{
    CachedSelector, DeviceMemoryProperties, MemoryPropertyFlags, MemoryTypeSelector,
};
use vk_pool::{ClassId, DeviceLimits, HeapBudgets, HeapLimits};

use crate::allocation::{Home, Notes};
use crate::config::TypeFacts;
use crate::driver::Driver;
use crate::external::ExternalObjects;
use crate::facts::{BudgetQuery, DeviceFacts};
use crate::guards::Guards;
use crate::names::Names;
use crate::place::Terms;
use crate::pools::{MemoryObject, TypePools};
use crate::{
    AllocError, Allocation, AllocationRequest, AllocatorConfig, ConfigError, FreeError, Refused,
};

/// A thread-safe Vulkan memory allocator for one device.
///
/// Every method takes `&self`: share it by reference or `Arc`, and do not wrap it in a mutex. No
/// lock that another allocation may need is held while the driver is called.
///
/// Dropping it gives all memory back to the driver, except for what live allocations hold: that is
/// leaked and logged. [`destroy`](Self::destroy) does the same and says so.
pub struct GpuAllocator {
    pub(crate) driver: Driver,
    pub(crate) config: AllocatorConfig,
    pub(crate) selector: CachedSelector,
    pub(crate) budgets: Arc<HeapBudgets>,
    /// Where the device has `VK_EXT_memory_budget`.
    pub(crate) budget_query: Option<BudgetQuery>,
    /// By memory type index.
    pub(crate) types: Box<[TypePools]>,
    pub(crate) external: ExternalObjects,
    pub(crate) names: Names,
    pub(crate) guards: Guards,
    /// Tells the allocations of this allocator from those of others in this process.
    pub(crate) id: NonZeroU32,
    pub(crate) next_block_id: AtomicU64,
    pub(crate) max_memory_allocation_size: u64,
    /// Three quarters of what the device and the head-room allow: beyond it, what the driver merely
    /// prefers is not followed.
    pub(crate) many_objects: u32,
    /// Whether the configuration has new allocations of mapped memory written to.
    pub(crate) alters: bool,
    /// Whether requests may be usual: those without device addresses, and those with.
    pub(crate) usual_for: [bool; 2],
    pub(crate) torn_down: bool,
}

impl core::fmt::Debug for GpuAllocator {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("GpuAllocator")
            .field("id", &self.id)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl GpuAllocator {
    /// An allocator for `device`. Allocates nothing on it yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the field of `config`, or the limit of the device, that breaks its rule.
    ///
    /// # Safety
    ///
    /// 1. `physical_device` is of `instance`, and `device` was made from `physical_device`.
    /// 2. `device` and `instance` outlive the allocator.
    /// 3. The API version, extensions and features that `config` names are enabled on `device`, and
    ///    `instance` was made with at least that API version.
    pub unsafe fn new(
        instance: &ash::Instance,
        physical_device: vk::PhysicalDevice,
        device: &ash::Device,
        config: AllocatorConfig,
    ) -> Result<Self, ConfigError> {
        static NEXT_ID: AtomicU32 = AtomicU32::new(1);
        config.check()?;
        // SAFETY: 1. Our clauses 1 and 3.
        let facts = unsafe { DeviceFacts::query(instance, physical_device, config.api_version) };
        let properties = DeviceMemoryProperties::from(&facts.memory);
        let budgets = Arc::new(budgets(&properties, &facts, &config)?);
        let types = type_pools(&properties, &facts, &config, &budgets)?;
        // SAFETY: 1. Our own clauses; `check` refused budgets below Vulkan 1.1.
        let budget_query = config
            .ext_memory_budget
            .then(|| unsafe { BudgetQuery::new(instance, physical_device) });
        let max_objects = facts.limits.max_memory_allocation_count;
        let allocator = Self {
            // SAFETY: 1. Our own clauses.
            driver: unsafe { Driver::new(instance, device, &config) },
            selector: CachedSelector::new(MemoryTypeSelector::new(properties)),
            budgets,
            budget_query,
            types,
            external: ExternalObjects::new(),
            names: Names::new(),
            guards: Guards::new(),
            id: NonZeroU32::new(NEXT_ID.fetch_add(1, Ordering::Relaxed)).unwrap_or(NonZeroU32::MIN),
            next_block_id: AtomicU64::new(0),
            max_memory_allocation_size: facts.max_memory_allocation_size,
            many_objects: max_objects.saturating_sub(config.allocation_count_head_room) / 4 * 3,
            usual_for: [false, true].map(|device_address| {
                !config.passthrough && (!device_address || config.buffer_device_address)
            }),
            alters: config.fill.is_some() || config.corruption_margin > 0,
            torn_down: false,
            config,
        };
        allocator.refresh_budgets();
        Ok(allocator)
    }

    /// Memory for a resource that is not known to the allocator: from plain numbers, or from
    /// `vk::MemoryRequirements`.
    ///
    /// The memory types are tried best first. Within one, a block with room, then a new block, then
    /// smaller ones; at last, for requests of at least
    /// [`dedicated_floor`](AllocatorConfig::dedicated_floor), memory of its own.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; if several memory types were tried, the error of the best one. Nothing is
    /// allocated then.
    pub fn allocate(&self, request: &AllocationRequest<'_>) -> Result<Allocation, AllocError> {
        self.allocate_within(request, &Terms::UNKNOWN)
    }

    /// Gives memory back.
    ///
    /// # Errors
    ///
    /// The allocation comes back, untouched, if another allocator made it.
    ///
    /// # Safety
    ///
    /// 1. The device has finished with everything that was bound to the allocation.
    /// 2. What was bound to it is destroyed, or will not be used again.
    pub unsafe fn free(&self, mut allocation: Allocation) -> Result<(), Refused<Allocation>> {
        if allocation.allocator_id != self.id {
            return Err(self.foreign(allocation));
        }
        if allocation.notes != Notes::NONE {
            self.settle_notes(&mut allocation);
        }
        let home = match allocation.home {
            Home::Pool(place) => {
                let pools = &self.types[usize::from(allocation.memory_type_index)];
                match pools.free_at_once(allocation.shard, allocation.class, place) {
                    Ok(()) => return Ok(()),
                    Err(place) => Home::Pool(place),
                }
            }
            external @ Home::External { .. } => external,
        };
        self.free_for_good(Allocation { home, ..allocation })
    }

    /// [`free`](Self::free) of an allocation with which something else may go, or that is refused.
    #[inline(never)]
    fn free_for_good(&self, allocation: Allocation) -> Result<(), Refused<Allocation>> {
        let place = match allocation.home {
            Home::Pool(place) => place,
            Home::External { index, .. } => {
                self.forget_external(index);
                return Ok(());
            }
        };
        let pools = &self.types[usize::from(allocation.memory_type_index)];
        match pools.free(allocation.shard, allocation.class, place) {
            Ok(None) => Ok(()),
            Ok(Some((block, object))) => {
                self.give_back(block, object);
                Ok(())
            }
            Err(refused) => {
                let returned = Allocation { home: Home::Pool(refused.returned), ..allocation };
                Err(Refused { returned, error: refused.error.into() })
            }
        }
    }

    /// Frees the memory object of a block that has left the books of its pool.
    #[cold]
    pub(crate) fn give_back(&self, block: vk_pool::ReturnedBlock, object: MemoryObject) {
        // SAFETY: 1. The pool answers each block once, and it was ours. 2. It has no live allocation,
        // and who freed the last one promised that the device has finished, by clause 1 of `free`.
        unsafe { self.driver.free(object.memory) };
        self.budgets.released(block);
    }

    /// The refusal of another allocator's allocation.
    #[cold]
    pub(crate) fn foreign(&self, allocation: Allocation) -> Refused<Allocation> {
        let (owner, asked) = (allocation.allocator_id.get(), self.id.get());
        Refused { returned: allocation, error: FreeError::ForeignAllocation { owner, asked } }
    }

    /// The selector that ranks the device's memory types.
    #[must_use]
    pub fn selector(&self) -> &MemoryTypeSelector {
        self.selector.selector()
    }

    /// The configuration it was made with.
    #[must_use]
    pub fn config(&self) -> &AllocatorConfig {
        &self.config
    }
}

fn budgets(
    properties: &DeviceMemoryProperties,
    facts: &DeviceFacts,
    config: &AllocatorConfig,
) -> Result<HeapBudgets, ConfigError> {
    let limit = facts.limits.max_memory_allocation_count;
    let head_room = config.allocation_count_head_room;
    if head_room >= limit {
        return Err(ConfigError::HeadRoom { head_room, limit });
    }
    let device = DeviceLimits {
        max_memory_allocation_count: facts.limits.max_memory_allocation_count,
        allocation_count_head_room: config.allocation_count_head_room,
        max_memory_allocation_size: facts.max_memory_allocation_size,
    };
    let limits = properties.memory_heaps.iter().zip(config.heap_limits);
    let heaps: Vec<HeapLimits> = limits
        .map(|(heap, limit)| HeapLimits {
            size: heap.size,
            limit,
            max_block_count: config.max_blocks_per_heap,
        })
        .collect();
    Ok(HeapBudgets::new(device, &heaps)?)
}

fn type_pools(
    properties: &DeviceMemoryProperties,
    facts: &DeviceFacts,
    config: &AllocatorConfig,
    budgets: &Arc<HeapBudgets>,
) -> Result<Box<[TypePools]>, ConfigError> {
    let atom_size = power_of_two("nonCoherentAtomSize", facts.limits.non_coherent_atom_size)?;
    let buffer_image_granularity =
        power_of_two("bufferImageGranularity", facts.limits.buffer_image_granularity)?;
    let shard = |(memory_type_index, memory_type): (u32, &memtype_select::MemoryType)| {
        let heap_index = memory_type.heap_index;
        let Some(heap) = properties.memory_heaps.get(heap_index as usize) else {
            return Err(ConfigError::MemoryTable { memory_type_index, heap_index });
        };
        let flags = memory_type.property_flags;
        let host_visible = flags.contains(MemoryPropertyFlags::HOST_VISIBLE);
        let coherent = flags.contains(MemoryPropertyFlags::HOST_COHERENT);
        let pool_config = config.pool_config(&TypeFacts {
            memory_type_index,
            heap_index,
            heap_size: heap.size,
            class: ClassId(0),
            host_visible,
            host_only: host_visible && !flags.contains(MemoryPropertyFlags::DEVICE_LOCAL),
            buffer_image_granularity,
            atom_size: if host_visible && !coherent { atom_size } else { 1 },
        });
        let budgets = Arc::clone(budgets);
        TypePools::new(host_visible, coherent, pool_config, budgets, config.shard_count())
    };
    (0u32..).zip(&properties.memory_types).map(shard).collect()
}

/// A limit of the device that must be a power of two; 0, which Vulkan does not allow, counts as 1.
fn power_of_two(limit: &'static str, value: u64) -> Result<u64, ConfigError> {
    let value = value.max(1);
    if value.is_power_of_two() { Ok(value) } else { Err(ConfigError::DeviceLimit { limit, value }) }
}

//! What a device says about itself: once, and of its budgets whenever a block is needed.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ash::vk;

/// What the device says about itself.
pub(crate) struct DeviceFacts {
    pub(crate) memory: vk::PhysicalDeviceMemoryProperties,
    pub(crate) limits: vk::PhysicalDeviceLimits,
    pub(crate) max_memory_allocation_size: u64,
}

impl DeviceFacts {
    /// # Safety
    ///
    /// 1. `physical_device` is of `instance`, and both are of `api_version` at least.
    pub(crate) unsafe fn query(
        instance: &ash::Instance,
        physical_device: vk::PhysicalDevice,
        api_version: u32,
    ) -> Self {
        // SAFETY: Promised by our caller.
        let memory = unsafe { instance.get_physical_device_memory_properties(physical_device) };
        // SAFETY: Promised by our caller.
        let properties = unsafe { instance.get_physical_device_properties(physical_device) };
        let mut maintenance3 = vk::PhysicalDeviceMaintenance3Properties::default();
        if api_version >= vk::API_VERSION_1_1 {
            let mut out = vk::PhysicalDeviceProperties2::default().push_next(&mut maintenance3);
            // SAFETY: Promised by our caller: the function is of Vulkan 1.1.
            unsafe { instance.get_physical_device_properties2(physical_device, &mut out) };
        }
        let max_memory_allocation_size = match maintenance3.max_memory_allocation_size {
            // Vulkan 1.0 has no such limit to ask for.
            0 => u64::MAX,
            size => size,
        };
        Self { memory, limits: properties.limits, max_memory_allocation_size }
    }
}

/// Asks the driver for its budgets.
pub(crate) struct BudgetQuery {
    instance: ash::Instance,
    physical_device: vk::PhysicalDevice,
    made: Instant,
    /// Milliseconds from `made` to the last query.
    last_query: AtomicU64,
}

/// How long an answer stands before a refusal asks again: drivers have been seen to take 5 ms.
const STALE_AFTER_MS: u64 = 20;

impl BudgetQuery {
    /// # Safety
    ///
    /// 1. The three clauses of [`GpuAllocator::new`](crate::GpuAllocator::new), with
    ///    `VK_EXT_memory_budget` enabled and Vulkan 1.1.
    pub(crate) unsafe fn new(
        instance: &ash::Instance,
        physical_device: vk::PhysicalDevice,
    ) -> Self {
        let instance = instance.clone();
        Self { instance, physical_device, made: Instant::now(), last_query: AtomicU64::new(0) }
    }

    /// Whether the last answer is old enough to ask again.
    pub(crate) fn is_stale(&self) -> bool {
        self.now().saturating_sub(self.last_query.load(Ordering::Relaxed)) >= STALE_AFTER_MS
    }

    /// Milliseconds since it was made.
    fn now(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Budget and usage of each heap, in bytes.
    pub(crate) fn query(&self) -> impl Iterator<Item = (u64, u64)> + use<> {
        self.last_query.store(self.now(), Ordering::Relaxed);
        let mut budgets = vk::PhysicalDeviceMemoryBudgetPropertiesEXT::default();
        let mut out = vk::PhysicalDeviceMemoryProperties2::default().push_next(&mut budgets);
        // SAFETY: The instance lives and is of Vulkan 1.1, by the clause of `new`.
        unsafe {
            self.instance.get_physical_device_memory_properties2(self.physical_device, &mut out);
        }
        let heap_count = out.memory_properties.memory_heap_count as usize;
        budgets.heap_budget.into_iter().zip(budgets.heap_usage).take(heap_count)
    }
}

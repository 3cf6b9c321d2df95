//! Heaps: what is taken, what others take, and the budget.

use ash::vk;

use crate::config::DriverConfig;
use crate::state::Books;

/// What changes about one heap; all numbers are bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heap {
    /// The sum of the living memories' sizes.
    pub(crate) bytes: u64,
    /// What other processes take of it.
    pub(crate) other_bytes: u64,
    /// The budget; `None`: what others leave.
    pub(crate) budget: Option<u64>,
}

impl Heap {
    /// The most that may be allocated from a heap of `size` bytes.
    pub(crate) fn capacity(&self, size: u64) -> u64 {
        size.saturating_sub(self.other_bytes)
    }

    /// What the driver says the process may take from a heap of `size` bytes.
    pub(crate) fn budget(&self, size: u64) -> u64 {
        self.budget.unwrap_or_else(|| self.capacity(size))
    }
}

impl DriverConfig {
    /// The heaps when the device is made.
    pub(crate) fn heaps(&self) -> Vec<Heap> {
        (0..self.memory_heaps.len())
            .map(|index| Heap { budget: self.heap_budgets.get(index).copied(), ..Heap::default() })
            .collect()
    }
}

impl Books {
    /// `VkPhysicalDeviceMemoryBudgetPropertiesEXT`: heaps that are not there have zeros.
    pub(crate) fn write_budgets(
        &self,
        config: &DriverConfig,
        out: &mut vk::PhysicalDeviceMemoryBudgetPropertiesEXT<'_>,
    ) {
        out.heap_budget = [0; vk::MAX_MEMORY_HEAPS];
        out.heap_usage = [0; vk::MAX_MEMORY_HEAPS];
        for (index, (heap, &(size, _))) in self.heaps.iter().zip(&config.memory_heaps).enumerate() {
            out.heap_budget[index] = heap.budget(size);
            out.heap_usage[index] = heap.bytes;
        }
    }
}

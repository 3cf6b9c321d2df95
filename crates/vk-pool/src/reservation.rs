//! Bytes taken out of the budgets before the driver is asked.

use alloc::sync::Arc;

use crate::HeapBudgets;

/// A promise that one memory object of this size breaks no hard limit.
///
/// Dropping it gives the bytes back; [`MemoryPool::add_block`](crate::MemoryPool::add_block) makes
/// them permanent.
#[derive(Debug)]
#[must_use = "dropping a reservation gives its bytes back"]
pub struct Reservation {
    budgets: Arc<HeapBudgets>,
    heap_index: u32,
    size: u64,
    dedicated: bool,
    /// Whether dropping undoes it: until `commit`.
    live: bool,
}

impl Reservation {
    pub(crate) fn new(
        budgets: Arc<HeapBudgets>,
        heap_index: u32,
        size: u64,
        dedicated: bool,
    ) -> Self {
        Self { budgets, heap_index, size, dedicated, live: true }
    }

    /// Bytes reserved.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The heap they are reserved of.
    #[must_use]
    pub fn heap_index(&self) -> u32 {
        self.heap_index
    }

    pub(crate) fn is_for(
        &self,
        budgets: &Arc<HeapBudgets>,
        heap_index: u32,
        size: u64,
        dedicated: bool,
    ) -> bool {
        Arc::ptr_eq(&self.budgets, budgets)
            && (self.heap_index, self.size, self.dedicated) == (heap_index, size, dedicated)
    }

    pub(crate) fn commit(mut self) {
        self.live = false;
        self.budgets.commit(self.heap_index, self.size);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.live {
            self.budgets.unreserve(self.heap_index, self.size, self.dedicated);
        }
    }
}

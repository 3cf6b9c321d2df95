//! Making the memory object that a pool needs, and what to do when there is none to be had.
#![allow(unsafe_code)]

#[cfg(test)]
mod tests;

use std::sync::atomic::Ordering;

use vk_pool::{BlockId, BlockRequest, ClassId, LimitError, Reservation};

use crate::allocation::{Home, Notes, type_number};
use crate::attempts::Attempt;
use crate::driver::ObjectInfo;
use crate::facts::BudgetQuery;
use crate::pools::{MemoryObject, NotServed, Placed, WantedBlock};
use crate::{AllocError, Allocation, CustomPool, GpuAllocator};

impl GpuAllocator {
    /// Gets the block that a pool needs, and the allocation that waits for it.
    pub(crate) fn grow(
        &self,
        attempt: &Attempt<'_>,
        mut wanted: WantedBlock<'_>,
    ) -> Result<Allocation, AllocError> {
        let (reservation, object) = self.make_or_shrink(attempt, &mut wanted)?;
        match wanted.take_in(reservation, object, self.new_block_id()) {
            Ok(placed) => Ok(self.allocation(attempt.class, attempt.memory_type_index, placed)),
            Err(NotServed { reservation, block_size, fault }) => {
                // SAFETY: 1. It was allocated above. 2. Nothing was ever bound to it.
                unsafe { self.driver.free(object.memory) };
                drop(reservation);
                Err(fault.map_or(AllocError::NotServed { block_size }, AllocError::WrongAnswer))
            }
        }
    }

    /// Gets an empty block that a custom pool is to have from the start, by whatever it takes.
    pub(crate) fn grow_empty(
        &self,
        attempt: &Attempt<'_>,
        mut wanted: WantedBlock<'_>,
    ) -> Result<(), AllocError> {
        let (reservation, object) = self.make_or_shrink(attempt, &mut wanted)?;
        wanted.take_in_empty(reservation, object, self.new_block_id());
        Ok(())
    }

    /// Gets the trunk an empty block for a branch to lease of, if it is to be had at once: nobody's room depends
    /// on it, so nothing is given back for it.
    pub(crate) fn grow_spare(
        &self,
        attempt: &Attempt<'_>,
        wanted: WantedBlock<'_>,
    ) -> Result<(), AllocError> {
        let (reservation, object) = self.make_object(attempt, &wanted)?;
        wanted.take_in_empty(reservation, object, self.new_block_id());
        Ok(())
    }

    fn new_block_id(&self) -> BlockId {
        BlockId(self.next_block_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Makes the memory object, or a smaller one; or, as a last try, what there is once the heap's empty
    /// blocks are gone.
    fn make_or_shrink(
        &self,
        attempt: &Attempt<'_>,
        wanted: &mut WantedBlock<'_>,
    ) -> Result<(Reservation, MemoryObject), AllocError> {
        let mut last_try = false;
        loop {
            let error = match self.make_object(attempt, wanted) {
                Ok(made) => return Ok(made),
                Err(error) => error,
            };
            if !error.may_fall_back() || last_try {
                return Err(error);
            }
            if !wanted.shrink() {
                if self.give_back_empty_blocks(wanted.pools().heap_index()) == 0 {
                    return Err(error);
                }
                last_try = true;
            }
        }
    }

    /// Reserves, allocates and maps one memory object, with no lock held.
    fn make_object(
        &self,
        attempt: &Attempt<'_>,
        wanted: &WantedBlock<'_>,
    ) -> Result<(Reservation, MemoryObject), AllocError> {
        let request = wanted.request();
        let reservation = if attempt.over_budget {
            self.budgets.reserve_over_budget(request)?
        } else {
            self.reserve_within_budget(request)?
        };
        let dedicated_to =
            attempt.resource.filter(|_| request.is_dedicated() && self.config.knows_dedicated());
        let memory = self.driver.allocate(&ObjectInfo {
            size: request.size(),
            memory_type_index: request.memory_type_index(),
            device_address: is_device_address(request.class()),
            dedicated_to,
            of_pool: attempt.pool.map(CustomPool::block_info),
        })?;
        // The call was slow anyway, and the next decision knows what it cost.
        self.refresh_budgets();
        if !wanted.pools().host_visible {
            return Ok((reservation, MemoryObject { memory, mapped: None }));
        }
        // SAFETY: 1. It was allocated above, of a host-visible type. 2. Nobody else has seen it.
        match unsafe { self.driver.map(memory) } {
            Ok(mapped) => Ok((reservation, MemoryObject { memory, mapped: Some(mapped) })),
            Err(error) => {
                // SAFETY: 1. It was allocated above. 2. Nothing was ever bound to it.
                unsafe { self.driver.free(memory) };
                Err(error)
            }
        }
    }

    /// Reserves within the driver's budgets, as they are now if those that are known refuse.
    fn reserve_within_budget(&self, request: &BlockRequest) -> Result<Reservation, LimitError> {
        let refused = match self.budgets.reserve(request) {
            Err(refused @ LimitError::Budget { .. }) => refused,
            answer => return answer,
        };
        let stale = self.budget_query.as_ref().is_some_and(BudgetQuery::is_stale);
        if !stale {
            return Err(refused);
        }
        self.refresh_budgets();
        self.budgets.reserve(request)
    }

    /// What the user gets for a place in a memory object.
    #[inline]
    pub(crate) fn allocation(
        &self,
        class: ClassId,
        memory_type_index: u32,
        placed: Placed,
    ) -> Allocation {
        let Placed { place, object: MemoryObject { memory, mapped }, shard } = placed;
        // SAFETY: 1. The whole object is mapped, and the place lies in it.
        let mapped = mapped.map(|first| unsafe { first.add(place.offset()) });
        Allocation {
            memory,
            mapped,
            home: Home::Pool(place),
            allocator_id: self.id,
            class,
            memory_type_index: type_number(memory_type_index),
            shard,
            notes: Notes::NONE,
        }
    }

    /// Gives back every empty block of a heap; answers the bytes.
    pub(crate) fn give_back_empty_blocks(&self, heap_index: u32) -> u64 {
        let mut bytes = 0;
        for pools in self.types.iter().filter(|pools| pools.heap_index() == heap_index) {
            for branch in 1..pools.shards().len() {
                pools.end_empty_leases(branch);
            }
            let of_trunk = core::iter::from_fn(|| pools.trim());
            let seats = pools.custom().seats();
            let of_custom = seats.flat_map(|seat| core::iter::from_fn(|| seat.trim()));
            for (block, object) in of_trunk.chain(of_custom) {
                bytes += block.size();
                self.give_back(block, object);
            }
        }
        bytes
    }
}

/// Whether ordinary blocks of a class are made with `VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT`.
fn is_device_address(class: ClassId) -> bool {
    class.0 == 1
}

//! Making the memory object that a pool needs, and what to do when there is none to be had.
#![allow(unsafe_code)]

use std::sync::atomic::Ordering;

use vk_pool::{BlockId, BlockRequest, ClassId, LimitError, Reservation};

use crate::allocation::{Home, type_number};
use crate::driver::ObjectInfo;
use crate::facts::BudgetQuery;
use crate::place::Attempt;
use crate::shard::{MemoryObject, TypeShard};
use crate::{AllocError, Allocation, GpuAllocator};

impl GpuAllocator {
    /// Gets the block that a pool needs, and the allocation that waits for it.
    pub(crate) fn grow(
        &self,
        attempt: &Attempt,
        shard: &TypeShard,
        request: BlockRequest,
    ) -> Result<Allocation, AllocError> {
        let mut wanted = WantedBlock { shard, class: attempt.class, request: Some(request) };
        if attempt.never_allocate {
            return Err(AllocError::NoRoom);
        }
        let mut last_try = false;
        loop {
            let error = match self.make_object(attempt, shard, wanted.request()) {
                Ok((reservation, object)) => {
                    return Ok(self.take_in(attempt, wanted, reservation, object));
                }
                Err(error) => error,
            };
            if !error.may_fall_back() || last_try {
                return Err(error);
            }
            if !wanted.shrink() {
                if self.give_back_empty_blocks(shard.heap_index()) == 0 {
                    return Err(error);
                }
                last_try = true;
            }
        }
    }

    /// Reserves, allocates and maps one memory object, with no lock held.
    fn make_object(
        &self,
        attempt: &Attempt,
        shard: &TypeShard,
        request: &BlockRequest,
    ) -> Result<(Reservation, MemoryObject), AllocError> {
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
        })?;
        // The call was slow anyway, and the next decision knows what it cost.
        self.refresh_budgets();
        if !shard.host_visible {
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

    /// Hands a new memory object to the pool, and takes the allocation that it was made for.
    fn take_in(
        &self,
        attempt: &Attempt,
        mut wanted: WantedBlock<'_>,
        reservation: Reservation,
        object: MemoryObject,
    ) -> Allocation {
        let id = BlockId(self.next_block_id.fetch_add(1, Ordering::Relaxed));
        let request = wanted.request.take().expect("it is taken only here and when dropped");
        let mut pools = wanted.shard.lock();
        let entry = pools.class(wanted.class);
        let place = entry.pool.add_block(request, reservation, id);
        let place = place.expect("request and reservation are for this pool, and the id is new");
        entry.put_object(place.slot(), object);
        drop(pools);
        wanted.shard.notify();
        self.allocation(attempt.class, attempt.memory_type_index, object, place)
    }

    /// What the user gets for a place in a memory object.
    #[inline]
    pub(crate) fn allocation(
        &self,
        class: ClassId,
        memory_type_index: u32,
        object: MemoryObject,
        place: vk_pool::Place,
    ) -> Allocation {
        let MemoryObject { memory, mapped } = object;
        // SAFETY: 1. The whole object is mapped, and the place lies in it.
        let mapped = mapped.map(|first| unsafe { first.add(place.offset()) });
        Allocation {
            memory,
            mapped,
            home: Home::Pool(place),
            allocator_id: self.id,
            class,
            memory_type_index: type_number(memory_type_index),
            named: false,
        }
    }

    /// Gives back every empty block of a heap; answers the bytes.
    pub(crate) fn give_back_empty_blocks(&self, heap_index: u32) -> u64 {
        let mut bytes = 0;
        for shard in self.types.iter().filter(|shard| shard.heap_index() == heap_index) {
            while let Some((block, object)) = shard.trim() {
                bytes += block.size();
                self.give_back(block, object);
            }
        }
        bytes
    }
}

/// A block request on its way through the driver: cancelled if it is dropped, also by a panic, so
/// that nobody waits for ever.
struct WantedBlock<'a> {
    shard: &'a TypeShard,
    class: ClassId,
    /// `None` once it was handed to the pool.
    request: Option<BlockRequest>,
}

impl WantedBlock<'_> {
    fn request(&self) -> &BlockRequest {
        self.request.as_ref().expect("it is taken only when this value is used up")
    }

    /// Asks for a smaller block, if the pool allows.
    fn shrink(&mut self) -> bool {
        let Some(request) = &mut self.request else {
            return false;
        };
        self.shard.lock().class(self.class).pool.shrink(request)
    }
}

impl Drop for WantedBlock<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            let cancelled = self.shard.lock().class(self.class).pool.cancel(request);
            debug_assert!(cancelled.is_ok(), "the request is this pool's, and waits");
            self.shard.notify();
        }
    }
}

/// Whether blocks of a class are made with `VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT`.
fn is_device_address(class: ClassId) -> bool {
    class.0 == 1
}

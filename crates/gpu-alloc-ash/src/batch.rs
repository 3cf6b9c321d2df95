//! Many allocations at once: all or none, and one turn of the lock instead of many.
#![allow(unsafe_code)]

use crate::allocation::Home;
use crate::place::Terms;
use crate::shard::MemoryObject;
use crate::{AllocError, Allocation, AllocationRequest, FreeError, GpuAllocator, Refused};

impl GpuAllocator {
    /// `count` allocations of one kind, as by [`allocate`](Self::allocate) for each.
    ///
    /// What the blocks of the best memory type have room for is taken under one lock.
    ///
    /// # Errors
    ///
    /// Those of [`allocate`](Self::allocate), of the first that failed; none is allocated then.
    pub fn allocate_many(
        &self,
        request: &AllocationRequest<'_>,
        count: usize,
    ) -> Result<Vec<Allocation>, AllocError> {
        let mut made = Vec::with_capacity(count);
        while made.len() < count {
            match self.allocate(request) {
                Ok(allocation) => made.push(allocation),
                Err(error) => {
                    // SAFETY: 1. and 2. Nobody has seen these allocations.
                    let freed = unsafe { self.free_many(made) };
                    debug_assert!(freed.is_ok(), "they were made above");
                    return Err(error);
                }
            }
            let left = count - made.len();
            self.place_more(request, &Terms::default(), left, &mut made);
        }
        Ok(made)
    }

    /// Gives many allocations back, as by [`free`](Self::free) for each; neighbours in the list that
    /// are of one memory type share a turn of its lock.
    ///
    /// # Errors
    ///
    /// All of them come back, untouched, if another allocator made any of them.
    ///
    /// # Safety
    ///
    /// 1. The clauses of [`free`](Self::free), for each of them.
    pub unsafe fn free_many(
        &self,
        allocations: Vec<Allocation>,
    ) -> Result<(), Refused<Vec<Allocation>>> {
        if let Some(foreign) =
            allocations.iter().find(|allocation| allocation.allocator_id != self.id)
        {
            let error =
                FreeError::ForeignAllocation { owner: foreign.allocator_id, asked: self.id };
            return Err(Refused { returned: allocations, error });
        }
        let mut allocations = allocations.into_iter().peekable();
        while let Some(first) = allocations.next() {
            let memory_type_index = first.memory_type_index;
            let mut spent = Vec::new();
            let mut others = Vec::new();
            {
                let mut pools = self.types[usize::from(memory_type_index)].lock();
                let mut next = Some(first);
                while let Some(allocation) = next {
                    if allocation.named || allocation.is_external() {
                        others.push(allocation);
                    } else if let Home::Pool(place) = allocation.home {
                        let entry = pools.class(allocation.class);
                        // An allocation of ours is in its pool's books until it is given here.
                        let freed = entry.pool.free(place);
                        let block = freed.expect("the pool that made the place has it");
                        spent.extend(block.map(|block| {
                            let object: MemoryObject = entry.take_object(block.slot());
                            (block, object)
                        }));
                    }
                    next = allocations.next_if(|next| next.memory_type_index == memory_type_index);
                }
            }
            for (block, object) in spent {
                self.give_back(block, object);
            }
            for allocation in others {
                // SAFETY: 1. and 2. Our clause 1.
                let freed = unsafe { self.free(allocation) };
                debug_assert!(freed.is_ok(), "the owner was checked above");
            }
        }
        Ok(())
    }
}

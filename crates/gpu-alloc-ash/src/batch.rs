//! Many allocations at once: all or none, and one turn of the lock instead of many.
#![allow(unsafe_code)]

use vk_pool::ClassId;

use crate::allocation::{Home, Notes};
use crate::place::Terms;
use crate::pools::is_custom;
use crate::{
    AllocError, Allocation, AllocationRequest, CustomPool, FreeError, GpuAllocator,
    PoolAllocationRequest, Refused,
};

/// Room in a list for so many is asked for at once; beyond, it grows with what there turns out to be.
const MOST_FORESEEN: usize = 1 << 16;

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
        self.all_or_none(count, |made| {
            made.push(self.allocate(request)?);
            let first = made.len();
            self.place_more(request, &Terms::UNKNOWN, count - first, made);
            if !self.prepares(request.name, request.zeroed) {
                return Ok(());
            }
            made[first..].iter_mut().try_for_each(|more| self.prepare(more, request))
        })
    }

    /// `count` allocations of one kind from a custom pool, as by [`allocate_in`](Self::allocate_in) for
    /// each.
    ///
    /// # Errors
    ///
    /// Those of [`allocate_in`](Self::allocate_in), of the first that failed; none is allocated then.
    pub fn allocate_many_in(
        &self,
        pool: &CustomPool,
        request: &PoolAllocationRequest<'_>,
        count: usize,
    ) -> Result<Vec<Allocation>, AllocError> {
        self.all_or_none(count, |made| {
            made.push(self.allocate_in(pool, request)?);
            Ok(())
        })
    }

    /// Goes on until there are `count`; frees them all if a step fails.
    fn all_or_none(
        &self,
        count: usize,
        mut step: impl FnMut(&mut Vec<Allocation>) -> Result<(), AllocError>,
    ) -> Result<Vec<Allocation>, AllocError> {
        let mut made = Vec::with_capacity(count.min(MOST_FORESEEN));
        while made.len() < count {
            if let Err(error) = step(&mut made) {
                // SAFETY: 1. Nobody has seen these allocations, some of which may not be prepared.
                let freed = unsafe { self.free_many(made) };
                debug_assert!(freed.is_ok(), "they were made above");
                return Err(error);
            }
        }
        Ok(made)
    }

    /// Gives many allocations back, as by [`free`](Self::free) for each; neighbours in the list that
    /// are of one memory type and shard, or of one custom pool, share a turn of its lock.
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
            let error = FreeError::ForeignAllocation {
                owner: foreign.allocator_id.get(),
                asked: self.id.get(),
            };
            return Err(Refused { returned: allocations, error });
        }
        // What has notes or is external goes one by one; the rest by runs of one shard.
        let (mut others, mut pieces) = (Vec::new(), Vec::new());
        for allocation in allocations {
            match allocation.home {
                Home::Pool(place) if allocation.notes == Notes::NONE => {
                    let class = allocation.class;
                    let custom = if is_custom(class) { class } else { ClassId(0) };
                    let shard = (allocation.memory_type_index, allocation.shard, custom);
                    pieces.push((shard, (class, place)));
                }
                home => others.push(Allocation { home, ..allocation }),
            }
        }
        let mut pieces = pieces.into_iter().peekable();
        while let Some(&(run, _)) = pieces.peek() {
            let (memory_type_index, shard, custom) = run;
            let places = core::iter::from_fn(|| pieces.next_if(|&(shard, _)| shard == run));
            let pools = &self.types[usize::from(memory_type_index)];
            let places = places.map(|(_, place)| place);
            for (block, object) in pools.free_many(shard, custom, places) {
                self.give_back(block, object);
            }
        }
        for allocation in others {
            // SAFETY: 1. and 2. Our clause 1.
            let freed = unsafe { self.free(allocation) };
            debug_assert!(freed.is_ok(), "the owner was checked above");
        }
        Ok(())
    }
}

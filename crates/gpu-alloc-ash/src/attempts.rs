//! The attempts at a request for which no block that exists was found at once: which memory types, in
//! which order, and on which terms.
//!
//! Basic design: passes over the ranking of memory types. For each type the pool is asked under its
//! lock; if it needs a block, the lock is let go and the driver is asked. On out-of-memory the block is
//! halved down to a floor, then empty blocks of the heap are given back and the driver is asked once
//! more, then the next memory type has its turn. The first pass over the types stays within the driver's
//! budgets, the second does not. Only when all that is through does a request that is large enough get
//! memory of its own.

use smallvec::SmallVec;
use vk_pool::{ClassId, Dedicated, PoolRequest};

use crate::driver::DedicatedWish;
use crate::place::{Terms, class, pool_request};
use crate::pools::Asked;
use crate::resource::Resource;
use crate::{AllocError, Allocation, AllocationRequest, CustomPool, GpuAllocator, Strategy};

/// One attempt in one memory type.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) memory_type_index: u32,
    pub(crate) class: ClassId,
    /// The custom pool, if it is not an ordinary one.
    pub(crate) pool: Option<&'a CustomPool>,
    pub(crate) request: PoolRequest,
    /// The resource that the memory may be dedicated to.
    pub(crate) resource: Option<Resource>,
    /// Whether the driver's budget may be passed.
    pub(crate) over_budget: bool,
    /// Whether the driver must not be asked at all.
    pub(crate) never_allocate: bool,
}

/// One round over the memory types.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    pub(crate) dedicated: Dedicated,
    pub(crate) over_budget: bool,
    /// Whether this is memory of its own for a request that found no block.
    pub(crate) last_resort: bool,
}

impl GpuAllocator {
    /// Makes each pass over the memory types, of which there is one at least, until one attempt succeeds or
    /// nothing else may help.
    pub(crate) fn in_turn(
        &self,
        ranking: impl IntoIterator<Item = u32> + Clone,
        passes: SmallVec<[Pass; 6]>,
        size: u64,
        attempt: impl Fn(u32, Pass) -> Result<Allocation, AllocError>,
    ) -> Result<Allocation, AllocError> {
        let mut best_error: Option<AllocError> = None;
        // Memory types that nothing but their budget has refused, a bit each.
        let mut over_budget_may_help = 0u32;
        for pass in passes {
            for memory_type_index in ranking.clone() {
                let above = self.types[memory_type_index as usize].dedicated_above();
                if pass.last_resort && above < size {
                    continue; // It had no other choice than memory of its own before.
                }
                let bit = 1 << memory_type_index;
                if pass.over_budget && over_budget_may_help & bit == 0 {
                    continue; // The same calls would be refused once more.
                }
                match attempt(memory_type_index, pass) {
                    Ok(allocation) => return Ok(allocation),
                    Err(error) if error.may_fall_back() => {
                        if error.is_budget() {
                            over_budget_may_help |= bit;
                        }
                        // What a later pass hits is the limit that really stands in the way.
                        let soft = best_error.as_ref().is_none_or(AllocError::is_budget);
                        best_error = if soft { Some(error) } else { best_error };
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Err(best_error
            .expect("the ranking is not empty, and each attempt returned or left its error"))
    }

    /// What is tried, in this order, on every memory type before the next.
    pub(crate) fn passes(
        &self,
        first: Dedicated,
        request: &AllocationRequest<'_>,
        terms: &Terms,
    ) -> SmallVec<[Pass; 6]> {
        let prefers = first == Dedicated::Always
            && terms.wish == DedicatedWish::Prefers
            && request.strategy == Strategy::Auto
            && !self.config.passthrough;
        let resort = first == Dedicated::BySize && request.size >= self.config.dedicated_floor;
        let budgets = if request.within_budget { &[false][..] } else { &[false, true] };
        let mut passes = SmallVec::new();
        for &over_budget in budgets {
            let pass = Pass { dedicated: first, over_budget, last_resort: false };
            passes.push(pass);
            if prefers {
                passes.push(Pass { dedicated: Dedicated::BySize, ..pass });
            }
        }
        if resort {
            passes.extend(budgets.iter().map(|&over_budget| Pass {
                dedicated: Dedicated::Always,
                over_budget,
                last_resort: true,
            }));
        }
        passes
    }

    /// Asks one memory type, and makes a block for it if it needs one.
    pub(crate) fn attempt(&self, attempt: &Attempt<'_>) -> Result<Allocation, AllocError> {
        let answer = self.ask_or_grow(attempt);
        let pools = &self.types[attempt.memory_type_index as usize];
        while let Some((block, object)) = pools.shed_surplus() {
            self.give_back(block, object);
        }
        answer
    }

    fn ask_or_grow(&self, attempt: &Attempt<'_>) -> Result<Allocation, AllocError> {
        let Attempt { class, memory_type_index, .. } = *attempt;
        let pools = &self.types[memory_type_index as usize];
        loop {
            match pools.ask(class, &attempt.request)? {
                Asked::Placed(placed) => {
                    return Ok(self.allocation(class, memory_type_index, placed));
                }
                // What helps others is no reason to break a rule, and without it the request is served as
                // any other.
                Asked::NeedRoom(_) if attempt.never_allocate || attempt.over_budget => {}
                // Whoever needs a block comes first.
                Asked::NeedRoom(wanted) if !self.budgets.leaves_room(wanted.request()) => {
                    drop(wanted);
                    pools.room_refused(class);
                }
                Asked::NeedRoom(wanted) => match self.grow_spare(attempt, wanted) {
                    Err(error) if !error.may_fall_back() => return Err(error),
                    Err(_) => pools.room_refused(class),
                    Ok(()) => {}
                },
                _ if attempt.never_allocate => return Err(AllocError::NoRoom),
                Asked::NeedBlock(wanted) => return self.grow(attempt, wanted),
                Asked::Pending(ticket) => pools.wait(class, ticket),
            }
        }
    }
}

impl Attempt<'static> {
    pub(crate) fn new(
        request: &AllocationRequest<'_>,
        terms: &Terms,
        memory_type_index: u32,
        pass: Pass,
    ) -> Self {
        let AllocationRequest { size, never_allocate, .. } = *request;
        let Pass { dedicated, over_budget, .. } = pass;
        Self {
            memory_type_index,
            class: class(request.device_address),
            pool: None,
            request: pool_request(request, dedicated),
            // With any other size the driver must not be told of the resource.
            resource: terms.resource.filter(|_| size == terms.object_size),
            over_budget,
            never_allocate,
        }
    }
}

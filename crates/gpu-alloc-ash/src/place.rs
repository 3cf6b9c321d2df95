//! From a request to an allocation: which memory type, which block, and what to do when there is
//! none.
//!
//! Basic design: the ranking of memory types is computed first. For each type the pool is asked under
//! its lock; if it needs a block, the lock is let go and the driver is asked. On out-of-memory the
//! block is halved down to a floor, then empty blocks of the heap are given back and the driver is
//! asked once more, then the next memory type has its turn. Only when all types are through does a
//! request that is large enough get memory of its own.

use memtype_select::MemoryRequest;
use vk_pool::{Answer, ClassId, Dedicated, PoolRequest};

use crate::driver::DedicatedWish;
use crate::resource::Resource;
use crate::{AllocError, Allocation, AllocationRequest, GpuAllocator, Strategy};

/// What is known about a request beyond its numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    /// The resource it is for.
    pub(crate) resource: Option<Resource>,
    /// Bytes that the driver asks for the resource: a memory object that is dedicated to it has
    /// exactly as many (VUID-VkMemoryDedicatedAllocateInfo-buffer-02965 and -image-02964).
    pub(crate) object_size: u64,
    /// What the driver says about dedicated memory for it.
    pub(crate) wish: DedicatedWish,
}

/// One attempt in one memory type.
#[derive(Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) memory_type_index: u32,
    pub(crate) class: ClassId,
    request: PoolRequest,
    /// The resource that the memory may be dedicated to.
    pub(crate) resource: Option<Resource>,
}

impl GpuAllocator {
    /// [`allocate`](Self::allocate), for a resource that may be known.
    pub(crate) fn allocate_within(
        &self,
        request: &AllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<Allocation, AllocError> {
        self.check(request)?;
        let first_choice = self.dedicated_choice(request, terms)?;
        let ranking = self.selector.rank(&request.type_question());
        if ranking.is_empty() {
            return Err(self.no_memory_type(request));
        }
        let mut choices = [Some(first_choice), None];
        if first_choice == Dedicated::Always
            && terms.wish == DedicatedWish::Prefers
            && request.strategy == Strategy::Auto
            && !self.config.passthrough
        {
            choices[1] = Some(Dedicated::BySize);
        } else if first_choice == Dedicated::BySize && request.size >= self.config.dedicated_floor {
            choices[1] = Some(Dedicated::Always);
        }
        let mut best_error = None;
        for (round, dedicated) in choices.into_iter().flatten().enumerate() {
            let last_resort = round > 0 && dedicated == Dedicated::Always;
            for memory_type_index in ranking {
                if last_resort
                    && self.types[memory_type_index as usize].dedicated_above() < request.size
                {
                    continue; // It had no other choice than memory of its own the first time.
                }
                let attempt = Attempt::new(request, terms, memory_type_index, dedicated);
                match self.attempt(&attempt) {
                    Ok(allocation) => return Ok(self.named(allocation, request.name)),
                    Err(error) if error.may_fall_back() => best_error = best_error.or(Some(error)),
                    Err(error) => return Err(error),
                }
            }
        }
        Err(best_error
            .expect("the ranking is not empty, and each attempt returned or left its error"))
    }

    fn check(&self, request: &AllocationRequest<'_>) -> Result<(), AllocError> {
        if request.size == 0 {
            return Err(AllocError::ZeroSize);
        }
        if !request.alignment.max(1).is_power_of_two() {
            return Err(AllocError::AlignmentNotPowerOfTwo { alignment: request.alignment });
        }
        if request.size > self.max_memory_allocation_size {
            return Err(AllocError::TooLarge {
                size: request.size,
                limit: self.max_memory_allocation_size,
            });
        }
        if request.device_address && !self.config.buffer_device_address {
            return Err(AllocError::FeatureNotEnabled { feature: "bufferDeviceAddress" });
        }
        Ok(())
    }

    /// Whether the request gets memory of its own, by what user, driver and configuration say.
    fn dedicated_choice(
        &self,
        request: &AllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<Dedicated, AllocError> {
        match (request.strategy, terms.wish) {
            (Strategy::Pooled, DedicatedWish::Requires) if !self.config.passthrough => {
                Err(AllocError::DedicatedRequired)
            }
            (Strategy::Dedicated, _) | (_, DedicatedWish::Requires) => Ok(Dedicated::Always),
            _ if self.config.passthrough => Ok(Dedicated::Always),
            (Strategy::Pooled, _) => Ok(Dedicated::Never),
            (Strategy::Auto, DedicatedWish::Prefers)
                if self.budgets.object_count() < self.many_objects =>
            {
                Ok(Dedicated::Always)
            }
            (Strategy::Auto, _) => Ok(Dedicated::BySize),
        }
    }

    /// Why the ranking is empty: no type is allowed, or no heap is large enough.
    fn no_memory_type(&self, request: &AllocationRequest<'_>) -> AllocError {
        let any_size = MemoryRequest { size: 0, ..request.type_question() };
        let selector = self.selector();
        let heaps = selector
            .rank(&any_size)
            .into_iter()
            .filter_map(|index| selector.heap_size(selector.memory_type(index)?.heap_index))
            .max();
        match heaps {
            Some(limit) if limit < request.size => {
                AllocError::TooLarge { size: request.size, limit }
            }
            _ => AllocError::NoSuitableMemoryType {
                memory_type_bits: request.memory_type_bits,
                required: request.required,
            },
        }
    }

    /// Asks one memory type, and makes a block for it if it needs one.
    fn attempt(&self, attempt: &Attempt) -> Result<Allocation, AllocError> {
        let shard = &self.types[attempt.memory_type_index as usize];
        loop {
            let answer = {
                let mut pools = shard.lock();
                let entry = pools.class(attempt.class);
                match entry.pool.allocate(&attempt.request)? {
                    Answer::Placed(place) => return Ok(self.allocation(attempt, entry, place)),
                    answer => answer,
                }
            };
            match answer {
                Answer::NeedBlock(request) => return self.grow(attempt, shard, request),
                Answer::Pending(ticket) => shard.wait(attempt.class, ticket),
                Answer::Placed(_) => unreachable!("returned above"),
            }
        }
    }

    fn named(&self, mut allocation: Allocation, name: Option<&str>) -> Allocation {
        if let Some(name) = name {
            self.names.insert(&allocation, name);
            allocation.named = true;
        }
        allocation
    }
}

impl Attempt {
    fn new(
        request: &AllocationRequest<'_>,
        terms: &Terms,
        memory_type_index: u32,
        dedicated: Dedicated,
    ) -> Self {
        let AllocationRequest { size, alignment, kind, .. } = *request;
        Self {
            memory_type_index,
            class: class(request.device_address),
            request: PoolRequest { size, alignment, kind, dedicated },
            // With any other size the driver must not be told of the resource.
            resource: terms.resource.filter(|_| size == terms.object_size),
        }
    }
}

/// The class of blocks that requests of this kind share.
fn class(device_address: bool) -> ClassId {
    ClassId(u32::from(device_address))
}

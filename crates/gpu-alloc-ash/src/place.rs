//! From a request to an allocation: which memory type and which block.
//!
//! Basic design: nearly every request is placed in a block that exists, of the best memory type, and that
//! is tried first, with nothing prepared for the case that it fails. All else is one cold function, which
//! starts over with the attempts of `attempts.rs`.

use memtype_select::MemoryRequest;
use vk_pool::{ClassId, Dedicated, Place, PoolRequest};

use crate::allocation::Notes;
use crate::attempts::Attempt;
use crate::driver::DedicatedWish;
use crate::pools::ClassPool;
use crate::resource::Resource;
use crate::{AllocError, Allocation, AllocationRequest, GpuAllocator, Strategy};

/// What is known about a request beyond its numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// The resource it is for.
    pub(crate) resource: Option<Resource>,
    /// Bytes that the driver asks for the resource: a memory object that is dedicated to it has
    /// exactly as many (VUID-VkMemoryDedicatedAllocateInfo-buffer-02965 and -image-02964).
    pub(crate) object_size: u64,
    /// What the driver says about dedicated memory for it.
    pub(crate) wish: DedicatedWish,
}

impl Terms {
    /// Of a resource that is not known.
    pub(crate) const UNKNOWN: Self =
        Self { resource: None, object_size: 0, wish: DedicatedWish::None };
}

impl GpuAllocator {
    /// [`allocate`](Self::allocate), for a resource that may be known.
    pub(crate) fn allocate_within(
        &self,
        request: &AllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<Allocation, AllocError> {
        if self.prepares(request.name, request.zeroed) {
            return self.allocate_prepared(request, terms);
        }
        self.allocate_plain(request, terms)
    }

    /// Memory without a name, whose bytes are whatever they are.
    #[inline]
    fn allocate_plain(
        &self,
        request: &AllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<Allocation, AllocError> {
        if !self.is_usual(request, terms) {
            return self.allocate_by_choice(request, terms);
        }
        self.place_or_grow(request, terms, Dedicated::BySize)
    }

    /// [`allocate_plain`](Self::allocate_plain) of a request that is not usual.
    #[cold]
    #[inline(never)]
    fn allocate_by_choice(
        &self,
        request: &AllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<Allocation, AllocError> {
        self.check(request)?;
        match self.dedicated_choice(request, terms)? {
            Dedicated::Always => self.allocate_anywhere(request, terms, Dedicated::Always),
            dedicated => self.place_or_grow(request, terms, dedicated),
        }
    }

    /// Room of a block that exists, in the best memory type and in this thread's shard, or else whatever
    /// it takes.
    #[inline(always)]
    fn place_or_grow(
        &self,
        request: &AllocationRequest<'_>,
        terms: &Terms,
        dedicated: Dedicated,
    ) -> Result<Allocation, AllocError> {
        if let Some(memory_type_index) = self.selector.select(&request.type_question()) {
            let class = class(request.device_address);
            let (shard, mut locked) = self.types[memory_type_index as usize].lock_home();
            if let Some(entry) = locked.class(class) {
                let at_once = entry.pool.allocate_at_once(&pool_request(request, dedicated));
                if let Some(place) = at_once {
                    let placed = entry.placed(place, shard);
                    // Written out before the lock is let go: that waits for what was written, and who
                    // copies the answer does not have to wait again.
                    return Ok(self.allocation(class, memory_type_index, placed));
                }
                if let Some(place) = place_elsewhere(entry, request, dedicated) {
                    let placed = entry.placed(place, shard);
                    return Ok(self.allocation(class, memory_type_index, placed));
                }
            }
        }
        self.allocate_anywhere(request, terms, dedicated)
    }

    /// [`allocate_within`](Self::allocate_within) with a name, or with bytes to be written, for which no
    /// lock is held.
    #[cold]
    #[inline(never)]
    fn allocate_prepared(
        &self,
        request: &AllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<Allocation, AllocError> {
        let plain = AllocationRequest { name: None, zeroed: false, ..*request };
        let allocation = self.allocate_plain(&plain, terms)?;
        self.prepared(allocation, request)
    }

    /// Every memory type in turn, with new blocks, smaller ones, and memory of its own at last.
    #[cold]
    #[inline(never)]
    fn allocate_anywhere(
        &self,
        request: &AllocationRequest<'_>,
        terms: &Terms,
        first_choice: Dedicated,
    ) -> Result<Allocation, AllocError> {
        self.check(request)?;
        let ranking = self.selector.rank(&request.type_question());
        if ranking.is_empty() {
            return Err(self.no_memory_type(request));
        }
        let passes = self.passes(first_choice, request, terms);
        self.in_turn(ranking, passes, request.size, |memory_type_index, pass| {
            self.attempt(&Attempt::new(request, terms, memory_type_index, pass))
        })
    }

    /// Whether nothing but its size says whether the request gets memory of its own, and nothing stands
    /// against it but what the pool, too, refuses: then it need not be [checked](Self::check) before a
    /// block that exists is asked.
    #[inline]
    fn is_usual(&self, request: &AllocationRequest<'_>, terms: &Terms) -> bool {
        // Not one after the other: they are nearly always all so.
        (request.strategy == Strategy::Auto)
            & (terms.wish == DedicatedWish::None)
            & self.usual_for[usize::from(request.device_address)]
    }

    pub(crate) fn check(&self, request: &AllocationRequest<'_>) -> Result<(), AllocError> {
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
        if request.never_allocate && request.strategy == Strategy::Dedicated {
            return Err(AllocError::NoRoom);
        }
        Ok(())
    }

    /// Whether the request gets memory of its own, by what user, driver and configuration say.
    pub(crate) fn dedicated_choice(
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
    pub(crate) fn no_memory_type(&self, request: &AllocationRequest<'_>) -> AllocError {
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

    /// Takes up to `count` more of a request out of blocks of its best memory type that exist, under
    /// one lock. They are not [prepared](Self::prepare) yet.
    pub(crate) fn place_more(
        &self,
        request: &AllocationRequest<'_>,
        terms: &Terms,
        count: usize,
        made: &mut Vec<Allocation>,
    ) {
        let best = self.selector.select(&request.type_question());
        let choice = self.dedicated_choice(request, terms);
        let (Some(memory_type_index), Ok(dedicated)) = (best, choice) else { return };
        let pool_request = pool_request(request, dedicated);
        let class = class(request.device_address);
        let (shard, mut locked) = self.types[memory_type_index as usize].lock_home();
        let Some(entry) = locked.class(class) else { return };
        for _ in 0..count {
            let Some(place) = entry.pool.allocate_placed(&pool_request) else { break };
            let placed = entry.placed(place, shard);
            made.push(self.allocation(class, memory_type_index, placed));
        }
    }

    /// Puts a name down in the side table; with no lock held.
    pub(crate) fn name(&self, allocation: &mut Allocation, name: &str) {
        self.names.insert(allocation, name);
        allocation.notes.insert(Notes::NAMED);
    }
}

/// What a pool is asked for a request.
#[inline]
pub(crate) fn pool_request(request: &AllocationRequest<'_>, dedicated: Dedicated) -> PoolRequest {
    let AllocationRequest { size, alignment, kind, .. } = *request;
    PoolRequest { size, alignment, kind, dedicated, upper: false }
}

/// Room in a block of a pool behind the first that was asked.
#[cold]
#[inline(never)]
fn place_elsewhere(
    entry: &mut ClassPool,
    request: &AllocationRequest<'_>,
    dedicated: Dedicated,
) -> Option<Place> {
    entry.pool.allocate_placed(&pool_request(request, dedicated))
}

/// The class of blocks that requests of this kind share.
pub(crate) fn class(device_address: bool) -> ClassId {
    ClassId(u32::from(device_address))
}

//! Allocations from a custom pool.

use vk_pool::{Dedicated, PoolRequest};

use super::{CustomPool, Member, PoolAllocationRequest};
use crate::attempts::{Attempt, Pass};
use crate::driver::DedicatedWish;
use crate::place::Terms;
use crate::pools::{CUSTOM_SHARD, custom_pool};
use crate::{AllocError, Allocation, AllocationRequest, GpuAllocator, Strategy};

impl GpuAllocator {
    /// Memory of a custom pool, for a resource that is not known to the allocator.
    ///
    /// The pool's memory types are tried best first, in each of them a block with room, then a new block;
    /// and at last, if the pool has no fixed block size, memory of its own, for requests of at least
    /// [`dedicated_floor`](crate::AllocatorConfig::dedicated_floor).
    ///
    /// # Errors
    ///
    /// [`AllocError`]; if several memory types were tried, the error of the best one. Nothing is
    /// allocated then.
    pub fn allocate_in(
        &self,
        pool: &CustomPool,
        request: &PoolAllocationRequest<'_>,
    ) -> Result<Allocation, AllocError> {
        self.allocate_in_within(pool, request, &Terms::UNKNOWN)
    }

    /// [`allocate_in`](Self::allocate_in), for a resource that may be known.
    pub(crate) fn allocate_in_within(
        &self,
        pool: &CustomPool,
        request: &PoolAllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<Allocation, AllocError> {
        self.check_owner(pool)?;
        if self.prepares(request.name, request.zeroed) {
            return self.allocate_prepared_in(pool, request, terms);
        }
        self.allocate_plain_in(pool, request, terms)
    }

    /// [`allocate_in_within`](Self::allocate_in_within) with a name, or with bytes to be written, for which
    /// no lock is held.
    #[cold]
    #[inline(never)]
    fn allocate_prepared_in(
        &self,
        pool: &CustomPool,
        request: &PoolAllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<Allocation, AllocError> {
        let plain = PoolAllocationRequest { name: None, zeroed: false, ..*request };
        let allocation = self.allocate_plain_in(pool, &plain, terms)?;
        self.prepared(allocation, &request.plain())
    }

    /// Memory without a name, whose bytes are whatever they are.
    ///
    /// Nearly every request is placed in a block of the best memory type, and that is tried first, with
    /// nothing else prepared: what vk-pool would refuse goes the long way, and is refused there by name.
    #[inline]
    fn allocate_plain_in(
        &self,
        pool: &CustomPool,
        request: &PoolAllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<Allocation, AllocError> {
        let may_be_carved = match terms.wish {
            DedicatedWish::Requires => false,
            DedicatedWish::None => !self.config.passthrough || !pool.allows_dedicated(),
            DedicatedWish::Prefers => !pool.allows_dedicated(),
        };
        let dedicated = match request.strategy {
            Strategy::Auto => Dedicated::BySize,
            Strategy::Pooled => Dedicated::Never,
            Strategy::Dedicated => Dedicated::Always,
        };
        let best = pool.members().first().filter(|member| member.is_in(request.memory_type_bits));
        if may_be_carved && let Some(member) = best {
            let pool_request = pool_request(request, dedicated);
            let mut locked = member.seat().shard.lock();
            let entry = custom_pool(&mut locked, member.class);
            if let Some(place) = entry.pool.allocate_in_row(&pool_request) {
                let placed = entry.placed(place, CUSTOM_SHARD);
                return Ok(self.allocation(member.class, member.memory_type_index, placed));
            }
        }
        self.allocate_anywhere_in(pool, request, terms)
    }

    #[inline]
    pub(crate) fn check_owner(&self, pool: &CustomPool) -> Result<(), AllocError> {
        let (owner, asked) = (pool.owner(), self.id.get());
        if owner == asked { Ok(()) } else { Err(AllocError::ForeignPool { owner, asked }) }
    }

    /// Every memory type of the pool in turn, with new blocks, smaller ones, and memory of its own at
    /// last.
    #[cold]
    #[inline(never)]
    fn allocate_anywhere_in(
        &self,
        pool: &CustomPool,
        request: &PoolAllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<Allocation, AllocError> {
        let plain = request.plain();
        self.check(&plain)?;
        let dedicated = self.dedicated_choice_in(pool, &plain, terms)?;
        let (memory_type_bits, pool_bits) = (request.memory_type_bits, pool.memory_type_bits());
        if memory_type_bits & pool_bits == 0 {
            return Err(AllocError::NotOfPool { memory_type_bits, pool_bits });
        }
        let allowed = pool.members().iter().filter(|member| member.is_in(memory_type_bits));
        let ranking = allowed.clone().map(|member| member.memory_type_index);
        let mut passes = self.passes(dedicated, &plain, terms);
        passes.retain(|pass| !pass.last_resort || pool.allows_dedicated());
        let attempt = |memory_type_index, pass: Pass| {
            let member = allowed.clone().find(|one| one.memory_type_index == memory_type_index);
            let member = member.expect("the ranking is that of the members");
            self.attempt(&Attempt {
                memory_type_index,
                class: member.class,
                pool: Some(pool),
                request: pool_request(request, pass.dedicated),
                // With any other size the driver must not be told of the resource.
                resource: terms.resource.filter(|_| request.size == terms.object_size),
                over_budget: pass.over_budget,
                never_allocate: request.never_allocate,
            })
        };
        self.in_turn(ranking, passes, request.size, attempt)
    }

    /// Whether the request gets memory of its own, by what user, driver, configuration and pool say.
    fn dedicated_choice_in(
        &self,
        pool: &CustomPool,
        request: &AllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<Dedicated, AllocError> {
        let choice = self.dedicated_choice(request, terms)?;
        if choice != Dedicated::Always || pool.allows_dedicated() {
            return Ok(choice);
        }
        let is_asked = request.strategy == Strategy::Dedicated;
        if is_asked || terms.wish == DedicatedWish::Requires {
            return Err(AllocError::DedicatedNotAllowed { size: request.size });
        }
        Ok(Dedicated::Never)
    }
}

impl Member {
    /// Whether its memory type is among these, a bit each.
    #[inline]
    pub(crate) fn is_in(&self, memory_type_bits: u32) -> bool {
        // Below 32, as it is of the device.
        memory_type_bits & 1 << self.memory_type_index != 0
    }
}

/// What vk-pool is asked.
#[inline]
pub(crate) fn pool_request(
    request: &PoolAllocationRequest<'_>,
    dedicated: Dedicated,
) -> PoolRequest {
    let PoolAllocationRequest { size, alignment, kind, upper_end, .. } = *request;
    PoolRequest { size, alignment, kind, dedicated, upper: upper_end }
}

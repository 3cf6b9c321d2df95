//! Requests to pools whose allocations may be lost, and the room that is made for them.
//!
//! Basic design: a request is tried as by [`allocate_in`](GpuAllocator::allocate_in). If that fails for want
//! of room, each memory type of the pool that it may have is asked for a plan, and the best of them is made
//! again and carried out under one turn of the lock: what it names is lost and freed, and the request is put
//! where it says. If no plan is there, nothing has gone. If somebody touches a piece between plan and loss,
//! the rest has gone in vain, and all is tried again: a touch does not wait for anybody.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use vk_pool::evict::PoolEviction;
use vk_pool::{Dedicated, PoolRequest};

use super::{Content, Evictable, EvictablePool, Key, Place, Shared, Snapshot};
use crate::allocation::{Home, Notes};
use crate::custom::{Member, pool_request};
use crate::place::Terms;
use crate::pools::{CUSTOM_SHARD, ClassPool, Spent, custom_pool};
use crate::{AllocError, Allocation, GpuAllocator, PoolAllocationRequest, Refused, Strategy};

/// What went for a request. To be [told](GpuAllocator::tell_losses) with no lock held.
pub(super) struct Losses<T> {
    values: Vec<T>,
    /// The block that it has left empty, if the request did not take it and the pool does not keep it.
    block: Option<Spent>,
}

impl<T> Losses<T> {
    pub(super) fn none() -> Self {
        Self { values: Vec::new(), block: None }
    }
}

/// What came of an attempt to make room.
enum Room<T> {
    /// The request has it.
    Made(Allocation, Losses<T>),
    /// Something has gone, or was about to, and somebody else came first.
    Taken(Losses<T>),
    /// Nothing has gone.
    None,
}

impl GpuAllocator {
    /// Memory of a pool for what may be lost, used in `frame`, and `value`, which is bound there or will be.
    ///
    /// As [`allocate_in`](Self::allocate_in), but never with memory of its own, unless all has
    /// ([`passthrough`](crate::AllocatorConfig::passthrough)). Where that finds no room, the
    /// evictable allocations that were used longest ago go, of those that were not used within the
    /// [frames kept](EvictablePool::frames_kept): no more than the request needs, and none if it would not
    /// fit after all. What was bound to them is handed to the pool's callback before this returns.
    ///
    /// That is exact: if free room and what may go, side by side and at the alignment, are enough in some block,
    /// the request is granted, and what goes is the least of that: none of it could have stayed. In a
    /// two-tier pool what shares a span goes together where more than 16 KiB are asked for (with a
    /// `min_allocation_size` below 256 bytes, more than 64 times that).
    ///
    /// For a resource that exists, `request` is made from what the driver asks for it
    /// (`vk::MemoryRequirements`), and [`with`](Self::with) has memory and offset to bind it to;
    /// [`create_evictable_buffer`](Self::create_evictable_buffer) and
    /// [`create_evictable_image`](Self::create_evictable_image) do all of that.
    ///
    /// # Errors
    ///
    /// [`AllocError`], and the value comes back. [`AllocError::DedicatedNotAllowed`] for
    /// [`Strategy::Dedicated`].
    ///
    /// # Panics
    ///
    /// If the callback does; what was allocated is then as if its handle had been dropped.
    ///
    /// # Complexity
    ///
    /// While there is room, that of [`allocate_in`](Self::allocate_in). Where something has to go, linear in
    /// the live allocations of the pool, which is locked as long.
    pub fn allocate_evictable<T>(
        &self,
        pool: &EvictablePool<T>,
        request: &PoolAllocationRequest<'_>,
        frame: u64,
        value: T,
    ) -> Result<Evictable<T>, Refused<T, AllocError>> {
        if request.strategy == Strategy::Dedicated {
            let error = AllocError::DedicatedNotAllowed { size: request.size };
            return Err(Refused { returned: value, error });
        }
        match self.memory_for(pool, request, &Terms::UNKNOWN) {
            Ok((allocation, losses)) => {
                // In the list before anything can panic.
                let evictable = pool.shared.enter(frame, allocation, value);
                self.tell_losses(&pool.shared, losses);
                Ok(evictable)
            }
            Err(error) => Err(Refused { returned: value, error }),
        }
    }

    /// Memory for a resource that may be known, and what went for it and is to be told.
    pub(super) fn memory_for<T>(
        &self,
        pool: &EvictablePool<T>,
        request: &PoolAllocationRequest<'_>,
        terms: &Terms,
    ) -> Result<(Allocation, Losses<T>), AllocError> {
        let request = PoolAllocationRequest { strategy: Strategy::Pooled, ..*request };
        let shared = &pool.shared;
        loop {
            let error = match self.allocate_in_within(&pool.pool, &request, terms) {
                Ok(allocation) => return Ok((allocation, Losses::none())),
                Err(error) => error,
            };
            if !error.may_fall_back() {
                return Err(error);
            }
            let seen = shared.transit.done();
            match self.make_room(pool, &request) {
                Room::Made(allocation, losses) => match self.prepare_in(allocation, &request) {
                    Ok(allocation) => return Ok((allocation, losses)),
                    Err(error) => {
                        self.tell_losses(shared, losses);
                        return Err(error);
                    }
                },
                Room::Taken(losses) => self.tell_losses(shared, losses),
                Room::None if shared.transit.wait(seen) => {}
                Room::None => return Err(error),
            }
        }
    }

    /// What an ordinary request's allocation is given before its owner gets it.
    fn prepare_in(
        &self,
        allocation: Allocation,
        request: &PoolAllocationRequest<'_>,
    ) -> Result<Allocation, AllocError> {
        if !self.prepares(request.name, request.zeroed) {
            return Ok(allocation);
        }
        self.prepared(allocation, &request.plain())
    }

    /// Gives up what a request needs, if that helps.
    #[cold]
    fn make_room<T>(
        &self,
        pool: &EvictablePool<T>,
        request: &PoolAllocationRequest<'_>,
    ) -> Room<T> {
        let snapshot = pool.shared.snapshot();
        let asked = pool_request(request, Dedicated::Never);
        let Some(member) = best_member(pool, request, &asked, &snapshot) else { return Room::None };
        let under_way = pool.shared.transit.begin();
        let mut locked = member.seat().shard.lock();
        let entry = custom_pool(&mut locked, member.class);
        let (plan, mut lost) = lose(entry, member, &pool.shared, &asked, &snapshot);
        if lost.iter().any(|(_, content)| content.allocation.notes != Notes::NONE) {
            // Names have a lock of their own, and margins may need the driver.
            drop(locked);
            lost.iter_mut()
                .filter(|(_, content)| content.allocation.notes != Notes::NONE)
                .for_each(|(_, content)| self.settle_notes(&mut content.allocation));
            locked = member.seat().shard.lock();
        }
        let entry = custom_pool(&mut locked, member.class);
        let (keys, mut losses) = free_all(entry, lost);
        let place = plan.as_ref().and_then(|plan| entry.pool.allocate_planned(&asked, plan));
        // Somebody may have come between, or have freed something.
        let place = place.or_else(|| entry.pool.allocate_placed(&asked));
        let placed = place.map(|place| entry.placed(place, CUSTOM_SHARD));
        if !keys.is_empty() {
            let spent = entry.pool.shed();
            losses.block = spent.map(|block| entry.spent(block));
        }
        drop(locked);
        let made =
            placed.map(|placed| self.allocation(member.class, member.memory_type_index, placed));
        if !keys.is_empty() {
            pool.shared.forget(keys);
            under_way.done();
        }
        match made {
            Some(allocation) => Room::Made(allocation, losses),
            None if plan.is_some_and(|plan| !plan.offsets.is_empty()) => Room::Taken(losses),
            None => Room::None,
        }
    }

    /// Hands the values of what was lost to the program, and blocks to the driver.
    pub(super) fn tell_losses<T>(&self, shared: &Shared<T>, losses: Losses<T>) {
        // What is bound to a block goes before it.
        let panicked = shared.tell(losses.values);
        if let Some((block, object)) = losses.block {
            self.give_back(block, object);
        }
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
    }
}

impl<T> Shared<T> {
    /// Hands values to the callback, every one of them; answers the first panic.
    pub(super) fn tell(&self, values: Vec<T>) -> Option<Box<dyn core::any::Any + Send>> {
        let mut panicked = None;
        for value in values {
            let told = catch_unwind(AssertUnwindSafe(|| (self.on_lost)(value)));
            panicked = panicked.or(told.err());
        }
        panicked
    }

    /// Puts down that so many bytes were lost.
    pub(super) fn count_loss(&self, size: u64) {
        use core::sync::atomic::Ordering::Relaxed;
        self.lost_count.fetch_add(1, Relaxed);
        self.lost_size.fetch_add(size, Relaxed);
    }

    /// The latest frame that was begun.
    fn now(&self) -> u64 {
        self.frame.load(core::sync::atomic::Ordering::Relaxed)
    }

    /// The frame of what may go, for plans of one memory type.
    fn frame_of(
        &self,
        member: &Member,
        snapshot: &Snapshot<T>,
        now: u64,
    ) -> impl Fn(u32, u64) -> Option<u64> {
        let memory_type_index = member.memory_type_index;
        move |slot, offset| {
            let (_, entry) = snapshot.get(&Place { memory_type_index, slot, offset })?;
            entry.word().evictable(now, self.frames_kept)
        }
    }
}

/// The part of a pool whose plan for a request loses what is oldest; `None` if none has a plan.
fn best_member<'a, T>(
    pool: &'a EvictablePool<T>,
    request: &PoolAllocationRequest<'_>,
    asked: &PoolRequest,
    snapshot: &Snapshot<T>,
) -> Option<&'a Member> {
    let now = pool.shared.now();
    let bits = request.memory_type_bits;
    let mut members = pool.pool.members().iter().filter(|member| member.is_in(bits));
    if members.clone().count() == 1 {
        return members.next();
    }
    let plans = members.filter_map(|member| {
        let mut locked = member.seat().shard.lock();
        let entry = custom_pool(&mut locked, member.class);
        let plan = entry.pool.plan_eviction(asked, pool.shared.frame_of(member, snapshot, now))?;
        Some(((plan.youngest, plan.bytes), member))
    });
    plans.min_by_key(|&(rank, _)| rank).map(|(_, member)| member)
}

/// Plans for a request, and loses what the plan says; answers the plan, and those that nobody has touched
/// meanwhile.
fn lose<T>(
    entry: &ClassPool,
    member: &Member,
    shared: &Shared<T>,
    asked: &PoolRequest,
    snapshot: &Snapshot<T>,
) -> (Option<PoolEviction>, Vec<(Key, Content<T>)>) {
    let now = shared.now();
    let plan = entry.pool.plan_eviction(asked, shared.frame_of(member, snapshot, now));
    let Some(plan) = plan else { return (None, Vec::new()) };
    let memory_type_index = member.memory_type_index;
    let going = plan.offsets.iter().filter_map(|&offset| {
        let place = Place { memory_type_index, slot: plan.slot, offset };
        let (key, entry) = snapshot.get(&place)?;
        let content = entry.try_lose(now, shared.frames_kept)?;
        shared.count_loss(content.allocation.size());
        Some((*key, content))
    });
    let going = going.collect();
    (Some(plan), going)
}

/// Frees the places of what was lost. A block that empties stays, for who has planned for it.
fn free_all<T>(entry: &mut ClassPool, lost: Vec<(Key, Content<T>)>) -> (Vec<Key>, Losses<T>) {
    let mut keys = Vec::with_capacity(lost.len());
    let mut losses = Losses { values: Vec::with_capacity(lost.len()), block: None };
    for (key, Content { allocation, value }) in lost {
        keys.push(key);
        losses.values.push(value);
        let Home::Pool(place) = allocation.home else {
            unreachable!("an allocation of a custom pool is in its books")
        };
        let freed = entry.pool.free_retaining(place).expect("the pool that made the place has it");
        debug_assert!(freed.is_none(), "evictable allocations have no memory of their own");
    }
    (keys, losses)
}

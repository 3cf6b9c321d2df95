//! From a request to a place in a block that exists, or to the block that is needed.
//!
//! Basic design: first the shard of the thread, which a branch may have to lease room for; then the
//! trunk; then the other branches, one at a time, whose empty leases go back on the way; and only then
//! is a block asked for, or waited for, at the trunk. But for the sake of a branch that has been short of
//! room for a while the trunk gets a block before that: see `turns.rs`.

use vk_pool::{Answer, BlockRequest, ClassId, Dedicated, Lease, PoolRequest, RequestError, Ticket};

use super::turns::LeaseTurns;
use super::{
    CUSTOM_SHARD, LockedShard, MemoryObject, Placed, TypePools, WantedBlock, is_custom,
    shard_number,
};
use crate::home;

/// What a memory type answers to a request.
pub(crate) enum Asked<'a> {
    /// There it is.
    Placed(Placed),
    /// A block is to be made.
    NeedBlock(WantedBlock<'a>),
    /// A block that will hold it is on its way: see [`TypePools::wait`].
    Pending(Ticket),
    /// The trunk is to have one more block, an empty one, before it is asked again; or is asked again without.
    NeedRoom(WantedBlock<'a>),
}

impl TypePools {
    /// Answers a request. No lock is held before and after.
    pub(crate) fn ask(
        &self,
        class: ClassId,
        request: &PoolRequest,
    ) -> Result<Asked<'_>, RequestError> {
        if is_custom(class) {
            return self.ask_custom(class, request);
        }
        if self.shards.len() > 1
            && self.may_be_placed(request)
            && let Some(asked) = self.ask_shards(class, request)
        {
            return Ok(asked);
        }
        let mut locked = self.shards[0].lock();
        let entry = self.class_of(0, &mut locked, class);
        let answer = entry.pool.allocate(request)?;
        Ok(self.answered(0, class, locked, answer))
    }

    /// The trunk has a new block, of which this thread's branch may lease.
    pub(super) fn room_came(&self, class: ClassId) {
        self.with_turns(class, LeaseTurns::room_came);
    }

    /// The trunk's block that this thread's branch was to lease of is not to be had.
    pub(crate) fn room_refused(&self, class: ClassId) {
        self.with_turns(class, LeaseTurns::block_refused);
    }

    fn with_turns(&self, class: ClassId, change: impl FnOnce(&mut LeaseTurns)) {
        let home = home::home(self.shards.len());
        if home > 0
            && let Some(entry) = self.shards[home].lock().class(class)
        {
            change(&mut entry.turns);
        }
    }

    /// What the pool of a class in a shard has answered, for who holds no lock.
    pub(super) fn answered(
        &self,
        shard: u8,
        class: ClassId,
        mut locked: LockedShard<'_>,
        answer: Answer,
    ) -> Asked<'_> {
        match answer {
            Answer::Placed(place) => {
                let entry = locked.class(class).expect("it has answered");
                Asked::Placed(entry.placed(place, shard))
            }
            Answer::Pending(ticket) => Asked::Pending(ticket),
            Answer::NeedBlock(request) => {
                drop(locked);
                Asked::NeedBlock(WantedBlock::new(self, shard, class, request))
            }
        }
    }

    /// Waits until a block that is on its way to the trunk, or to a custom pool, has arrived or been
    /// given up.
    pub(crate) fn wait(&self, class: ClassId, ticket: Ticket) {
        let shard = if is_custom(class) { CUSTOM_SHARD } else { 0 };
        self.shard(shard, class).wait(class, ticket);
    }

    /// Whether the request takes room of a block at all.
    fn may_be_placed(&self, request: &PoolRequest) -> bool {
        match request.dedicated {
            Dedicated::Always => false,
            Dedicated::Never => true,
            Dedicated::BySize => request.size <= self.config.room_taken_up_to,
        }
    }

    /// Room in any block that exists, the thread's own shard first.
    fn ask_shards(&self, class: ClassId, request: &PoolRequest) -> Option<Asked<'_>> {
        let home = home::home(self.shards.len());
        if home > 0
            && let Some(asked) = self.ask_branch(home, class, request)
        {
            return Some(asked);
        }
        self.ask_others(home, class, request).map(Asked::Placed)
    }

    /// Room in the trunk, or else in a branch that is not the thread's own.
    fn ask_others(&self, home: usize, class: ClassId, request: &PoolRequest) -> Option<Placed> {
        let in_trunk = || {
            let mut locked = self.shards[0].lock();
            locked.class(class)?.place(request, 0)
        };
        if let Some(placed) = in_trunk() {
            return Some(placed);
        }
        let mut is_returned = false;
        // In turn from the thread's own, so that not all begin with the same one.
        let branches = (1..self.shards.len()).map(|step| {
            let index = home + step;
            if index < self.shards.len() { index } else { index - self.shards.len() }
        });
        for index in branches.filter(|&index| index > 0) {
            let mut locked = self.shards[index].lock();
            let entry = locked.class(class);
            let placed = entry.and_then(|entry| entry.place(request, shard_number(index)));
            if placed.is_some() {
                return placed;
            }
            drop(locked);
            is_returned |= self.end_empty_leases(index);
        }
        if is_returned { in_trunk() } else { None }
    }

    /// Room in a branch, which leases more for it if the trunk has some; or the block that the trunk is to have
    /// for a lease, if the branch has been short of room for a while.
    fn ask_branch(&self, home: usize, class: ClassId, request: &PoolRequest) -> Option<Asked<'_>> {
        let config = self.branch_config.as_ref()?;
        loop {
            let mut locked = self.shards[home].lock();
            let shard = shard_number(home);
            // Larger ones would break up more room than they fill.
            if request.size.max(request.alignment) > config.dedicated_above {
                return locked.class(class)?.place(request, shard).map(Asked::Placed);
            }
            let entry = self.class_of(home, &mut locked, class);
            if entry.turns.is_passing() {
                let placed = entry.place(request, shard);
                if placed.is_none() {
                    entry.turns.pass();
                }
                return placed.map(Asked::Placed);
            }
            match entry.pool.allocate(request).ok()? {
                Answer::Placed(place) => return Some(Asked::Placed(entry.placed(place, shard))),
                Answer::Pending(ticket) => {
                    drop(locked);
                    self.shards[home].wait(class, ticket);
                }
                Answer::NeedBlock(need) => {
                    drop(locked);
                    let wanted = WantedBlock::new(self, shard, class, need);
                    return self.lease_or_room(home, wanted);
                }
            }
        }
    }

    /// A lease for a branch's block request; or the block that the trunk is to have for it.
    fn lease_or_room(&self, home: usize, wanted: WantedBlock<'_>) -> Option<Asked<'_>> {
        if wanted.request().is_dedicated() {
            return None;
        }
        let (class, size) = (wanted.class(), wanted.request().size());
        if let Some(placed) = wanted.lease() {
            return Some(Asked::Placed(placed));
        }
        if !self.shards[home].lock().class(class)?.turns.lease_refused() {
            return None;
        }
        let mut others = (1..self.shards.len()).filter(|&index| index != home);
        if others.any(|index| self.end_empty_leases(index)) {
            return None; // There may be a lease for the next request.
        }
        let need = self.shards[0].lock().class(class)?.pool.spare_block(size)?;
        Some(Asked::NeedRoom(WantedBlock::new(self, 0, class, need)))
    }

    /// Room of the trunk's blocks for a branch.
    pub(super) fn lease(
        &self,
        class: ClassId,
        request: &BlockRequest,
    ) -> Option<(Lease, MemoryObject)> {
        let mut locked = self.shards[0].lock();
        let entry = locked.class(class)?;
        let lease = entry.pool.lease(request)?;
        let object = entry.object(lease.slot());
        Some((lease, object))
    }
}

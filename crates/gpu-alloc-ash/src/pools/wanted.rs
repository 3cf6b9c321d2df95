//! A block request on its way.

use vk_pool::{AddBlockError, BlockId, BlockRequest, ClassId, CustomFault, Reservation};

use super::{MemoryObject, Placed, Shard, TypePools};

/// A block request of the trunk or of a custom pool, on its way through the driver, or of a branch, on its way
/// to a lease: cancelled if it is dropped, also by a panic, so that nobody waits for ever.
pub(crate) struct WantedBlock<'a> {
    pools: &'a TypePools,
    /// The shard that the block will belong to.
    shard: u8,
    class: ClassId,
    /// `None` once it was handed to the pool.
    request: Option<BlockRequest>,
}

/// A pool's own algorithm has no piece of a new block for the request that asked for it: the memory
/// object is to be freed, and then the reservation dropped.
pub(crate) struct NotServed {
    pub(crate) reservation: Reservation,
    pub(crate) block_size: u64,
    /// What was wrong with its answer.
    pub(crate) fault: Option<CustomFault>,
}

impl<'a> WantedBlock<'a> {
    pub(super) fn new(
        pools: &'a TypePools,
        shard: u8,
        class: ClassId,
        request: BlockRequest,
    ) -> Self {
        Self { pools, shard, class, request: Some(request) }
    }

    pub(crate) fn request(&self) -> &BlockRequest {
        self.request.as_ref().expect("it is taken only when this value is used up")
    }

    /// The memory type that the block will be of.
    pub(crate) fn pools(&self) -> &'a TypePools {
        self.pools
    }

    pub(super) fn class(&self) -> ClassId {
        self.class
    }

    /// The shard that the block will belong to.
    pub(super) fn shard(&self) -> &'a Shard {
        self.pools.shard(self.shard, self.class)
    }

    /// The request, to be handed to the pool.
    pub(super) fn take_request(&mut self) -> BlockRequest {
        self.request.take().expect("it is taken only when this value is used up")
    }

    /// Asks for a smaller block, if the pool allows.
    pub(crate) fn shrink(&mut self) -> bool {
        let shard = self.shard();
        let Some(request) = &mut self.request else {
            return false;
        };
        let mut locked = shard.lock();
        locked.class(self.class).is_some_and(|entry| entry.pool.shrink(request))
    }

    /// Hands a new memory object to the pool, and takes the place that it was made for.
    pub(crate) fn take_in(
        mut self,
        reservation: Reservation,
        object: MemoryObject,
        id: BlockId,
    ) -> Result<Placed, NotServed> {
        let request = self.take_request();
        let is_room = self.shard == 0 && !request.is_dedicated();
        let shard = self.shard();
        let mut locked = shard.lock();
        let entry = locked.class(self.class).expect("the pool that asked is there");
        let place = match entry.pool.add_block(request, reservation, id) {
            Ok(place) => place,
            Err(refused) => {
                let AddBlockError::NotServed { size: block_size, fault } = refused.error else {
                    unreachable!("request and reservation are for this pool, and the id is new");
                };
                drop(locked);
                let (request, reservation) = refused.returned;
                // Cancelled when this value is dropped.
                self.request = Some(request);
                return Err(NotServed { reservation, block_size, fault });
            }
        };
        entry.put_object(place.slot(), object);
        drop(locked);
        if is_room {
            self.pools.room_came(self.class);
        }
        shard.notify();
        Ok(Placed { place, object, shard: self.shard })
    }

    /// Hands a new memory object to the pool that is to have it without an allocation in it.
    pub(crate) fn take_in_empty(
        mut self,
        reservation: Reservation,
        object: MemoryObject,
        id: BlockId,
    ) {
        let request = self.take_request();
        let shard = self.shard();
        let mut locked = shard.lock();
        let entry = locked.class(self.class).expect("the pool that asked is there");
        let slot = entry.pool.add_empty_block(request, reservation, id);
        let slot = slot.expect("request and reservation are for this pool, and the id is new");
        entry.put_object(slot, object);
        drop(locked);
        shard.notify();
    }

    /// Has the request served by room of the trunk's blocks instead, if the trunk has it.
    pub(super) fn lease(mut self) -> Option<Placed> {
        let (lease, object) = loop {
            if let Some(found) = self.pools.lease(self.class, self.request()) {
                break found;
            }
            if !self.shrink() {
                return None;
            }
        };
        let request = self.take_request();
        let shard = self.shard();
        let mut locked = shard.lock();
        let entry = locked.class(self.class).expect("the pool that asked is there");
        let place = entry.pool.add_lease(request, lease);
        let place = place.expect("the lease was made for the request, which is this pool's");
        entry.put_object(place.slot(), object);
        entry.turns.room_came();
        drop(locked);
        shard.notify();
        Some(Placed { place, object, shard: self.shard })
    }
}

impl Drop for WantedBlock<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            let shard = self.shard();
            let mut locked = shard.lock();
            let cancelled = locked.class(self.class).map(|entry| entry.pool.cancel(request));
            debug_assert!(
                matches!(cancelled, Some(Ok(()))),
                "the request is this pool's, and waits"
            );
            drop(locked);
            shard.notify();
        }
    }
}

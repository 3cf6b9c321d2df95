//! Places, leases and blocks on their way back.

use std::sync::atomic::Ordering;

use vk_pool::{ClassId, FreeError, Lease, Place, Refused, ReturnedBlock};

use super::{ClassPool, LockedShard, MemoryObject, Shard, TypePools};

/// A block that has left the books, to be freed with no lock held.
pub(crate) type Spent = (ReturnedBlock, MemoryObject);

/// What has left the books of a shard.
enum Left {
    Block(Spent),
    Lease(Lease),
}

impl TypePools {
    /// Gives a place of a shard back, where nothing else comes of it; otherwise the place comes back and
    /// nothing has changed: then [`free`](Self::free) says what there is to do.
    // Always, or the place would be written to memory and read from there.
    #[inline(always)]
    pub(crate) fn free_at_once(
        &self,
        shard: u8,
        class: ClassId,
        place: Place,
    ) -> Result<(), Place> {
        let Some(shard) = self.origin(shard) else { return self.free_custom_at_once(class, place) };
        let mut locked = shard.lock();
        match locked.class(class) {
            Some(entry) => entry.pool.free_at_once(place),
            None => Err(place),
        }
    }

    /// [`free_at_once`](Self::free_at_once) of a custom pool's place.
    // One function for both, with the way as an argument, takes ten instructions more for each pair.
    #[inline(never)]
    fn free_custom_at_once(&self, class: ClassId, place: Place) -> Result<(), Place> {
        let mut locked = self.custom.seat(class).shard.lock();
        match locked.class(class) {
            Some(entry) => entry.pool.free_in_row(place),
            None => Err(place),
        }
    }

    /// Gives a place back to its shard; answers the block that is superfluous now.
    pub(crate) fn free(
        &self,
        shard: u8,
        class: ClassId,
        place: Place,
    ) -> Result<Option<Spent>, Refused<Place, FreeError>> {
        self.free_for_good(self.shard(shard, class).lock(), class, place)
    }

    /// The shard that a place is of, whoever frees it; `None` if it is a custom pool's.
    #[inline(always)]
    pub(super) fn origin(&self, shard: u8) -> Option<&Shard> {
        self.shards.get(usize::from(shard))
    }

    /// What a place's end may bring with it: an empty block, a block or a lease that goes, a refusal.
    fn free_for_good(
        &self,
        mut locked: LockedShard<'_>,
        class: ClassId,
        place: Place,
    ) -> Result<Option<Spent>, Refused<Place, FreeError>> {
        let Some(entry) = locked.class(class) else {
            let error = FreeError::UnknownBlock { slot: place.slot(), generation: 0 };
            return Err(Refused { returned: place, error });
        };
        match entry.pool.free(place)? {
            None => Ok(None),
            Some(block) => {
                let left = entry.left(block);
                drop(locked);
                Ok(self.settle(class, left))
            }
        }
    }

    /// Gives many places of one shard back under one turn of its lock; answers the blocks that are
    /// superfluous now. If they are of a custom pool, all are of the same one, of class `custom`.
    pub(crate) fn free_many(
        &self,
        shard: u8,
        custom: ClassId,
        places: impl Iterator<Item = (ClassId, Place)>,
    ) -> Vec<Spent> {
        let mut left = Vec::new();
        {
            let mut locked = self.shard(shard, custom).lock();
            for (class, place) in places {
                let entry = locked.class(class).expect("the pool that made the place is there");
                let Err(place) = entry.pool.free_at_once(place) else { continue };
                // An allocation of ours is in its pool's books until it is given here.
                let freed = entry.pool.free(place).expect("the pool that made the place has it");
                left.extend(freed.map(|block| (class, entry.left(block))));
            }
        }
        left.into_iter().filter_map(|(class, left)| self.settle(class, left)).collect()
    }

    /// Takes one empty block of the trunk out of the books, if one is kept. Empty leases have to go back before:
    /// see [`end_empty_leases`](Self::end_empty_leases).
    pub(crate) fn trim(&self) -> Option<Spent> {
        self.shards[0].lock().iter_mut().find_map(ClassPool::trim)
    }

    /// Gives every empty lease of a branch back to the trunk, which keeps the blocks that empties;
    /// answers whether there was one.
    pub(crate) fn end_empty_leases(&self, index: usize) -> bool {
        let mut leases = Vec::new();
        {
            let mut locked = self.shards[index].lock();
            for entry in locked.iter_mut() {
                while let Some(block) = entry.pool.trim() {
                    match entry.left(block) {
                        Left::Lease(lease) => leases.push((entry.class(), lease)),
                        Left::Block(_) => unreachable!("branches have no blocks of the driver"),
                    }
                }
            }
        }
        let any = !leases.is_empty();
        if any {
            let mut trunk = self.shards[0].lock();
            for (class, lease) in leases {
                end_lease(&mut trunk, class, lease);
            }
            self.has_surplus.store(true, Ordering::Relaxed);
        }
        any
    }

    /// Takes a block out of the trunk's books that was emptied by the end of leases, if more are kept now than are
    /// to be.
    pub(crate) fn shed_surplus(&self) -> Option<Spent> {
        if !self.has_surplus.load(Ordering::Relaxed) {
            return None;
        }
        // Before the look, so that who ends leases meanwhile is not missed.
        self.has_surplus.store(false, Ordering::Relaxed);
        let mut trunk = self.shards[0].lock();
        let spent = trunk.iter_mut().find_map(ClassPool::shed)?;
        self.has_surplus.store(true, Ordering::Relaxed);
        Some(spent)
    }

    /// What is to be done, with no lock held, about what has left a shard's books; answers a block to be
    /// freed.
    fn settle(&self, class: ClassId, left: Left) -> Option<Spent> {
        let lease = match left {
            Left::Block(spent) => return Some(spent),
            Left::Lease(lease) => lease,
        };
        let mut trunk = self.shards[0].lock();
        end_lease(&mut trunk, class, lease).shed()
    }
}

/// Gives a lease back to the trunk; answers its pool.
fn end_lease<'a>(
    trunk: &'a mut LockedShard<'_>,
    class: ClassId,
    lease: Lease,
) -> &'a mut ClassPool {
    let entry = trunk.class(class).expect("the trunk's pool of the class has lent it");
    let ended = entry.pool.end_lease(lease);
    debug_assert!(ended.is_ok(), "a lease is the trunk's until it is given here");
    entry
}

impl ClassPool {
    /// Takes an empty block out of the books, if one is kept beyond those that are to be there.
    pub(super) fn trim(&mut self) -> Option<Spent> {
        let block = self.pool.trim()?;
        Some(self.spent(block))
    }

    /// Takes an empty block out of the books, if more are kept than are to be.
    fn shed(&mut self) -> Option<Spent> {
        let block = self.pool.shed()?;
        Some(self.spent(block))
    }

    /// A block that has left the books, with its memory object.
    pub(crate) fn spent(&mut self, block: ReturnedBlock) -> Spent {
        let object = self.take_object(block.slot());
        (block, object)
    }

    /// What the pool does not use any more.
    fn left(&mut self, block: ReturnedBlock) -> Left {
        let (block, object) = self.spent(block);
        match block.into_lease() {
            Ok(lease) => Left::Lease(lease),
            Err(block) => Left::Block((block, object)),
        }
    }
}

//! One shard: a lock, and behind it a pool for each class with the memory objects of its blocks.

use std::sync::Arc;

use ash::vk::{self, Handle as _};
use vk_pool::{
    ClassId, HeapBudgets, MemoryPool, Place, PoolBooks, PoolConfig, PoolRequest, Ticket,
};

use super::turns::LeaseTurns;
use crate::mapped::MappedPtr;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// The memory object behind a block, or the one that a lease lies in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryObject {
    pub(crate) memory: vk::DeviceMemory,
    /// Its first byte, iff it is mapped.
    pub(crate) mapped: Option<MappedPtr>,
}

impl MemoryObject {
    /// None.
    const NONE: Self = Self { memory: vk::DeviceMemory::null(), mapped: None };
}

/// A place, the memory object that it lies in, and the shard that keeps its books.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) place: Place,
    pub(crate) object: MemoryObject,
    pub(crate) shard: u8,
}

/// The pool of one class, and the memory objects of its blocks.
pub(crate) struct ClassPool {
    class: ClassId,
    pub(crate) pool: MemoryPool,
    /// By the blocks' slots; null iff the pool has no block there.
    objects: Vec<MemoryObject>,
    /// Those of a branch.
    pub(super) turns: LeaseTurns,
}

/// In cache lines of its own: what one thread writes is not on another's line. Two lines, as some
/// processors fetch them in pairs.
#[repr(align(128))]
pub(crate) struct Shard {
    pools: Mutex<ClassPools>,
    /// Notified whenever a block that was on its way has arrived or been given up.
    resolved: Condvar,
}

/// The pools of a shard.
// The first one lies beside the lock: nothing can be read before that is taken, and where the pool lies
// need not be read then.
struct ClassPools {
    /// That of class 0 in nearly every program.
    first: Option<ClassPool>,
    others: Vec<ClassPool>,
}

/// The lock of a shard, held.
pub(crate) struct LockedShard<'a> {
    pools: MutexGuard<'a, ClassPools>,
}

impl Shard {
    pub(super) fn new() -> Self {
        let pools = ClassPools { first: None, others: Vec::new() };
        Self { pools: Mutex::new(pools), resolved: Condvar::new() }
    }

    #[inline]
    pub(crate) fn lock(&self) -> LockedShard<'_> {
        LockedShard { pools: self.pools.lock() }
    }

    #[inline]
    pub(super) fn try_lock(&self) -> Option<LockedShard<'_>> {
        Some(LockedShard { pools: self.pools.try_lock()? })
    }

    /// Wakes those who wait for a block of this shard; they look for themselves.
    pub(super) fn notify(&self) {
        self.resolved.notify_all();
    }

    /// Waits until a block that is on its way has arrived or been given up.
    pub(super) fn wait(&self, class: ClassId, ticket: Ticket) {
        let mut pools = self.pools.lock();
        while pools.class(class).is_some_and(|entry| entry.pool.is_pending(ticket)) {
            self.resolved.wait(&mut pools);
        }
    }
}

impl ClassPools {
    #[inline(always)]
    fn class(&mut self, class: ClassId) -> Option<&mut ClassPool> {
        match &mut self.first {
            Some(first) if first.class == class => Some(first),
            _ => Self::among(&mut self.others, class),
        }
    }

    #[cold]
    fn among(pools: &mut [ClassPool], class: ClassId) -> Option<&mut ClassPool> {
        pools.iter_mut().find(|entry| entry.class == class)
    }

    /// Puts a pool to the others, of other classes.
    fn put(&mut self, pool: ClassPool) {
        match self.first {
            None => self.first = Some(pool),
            Some(_) => self.others.push(pool),
        }
    }

    /// Takes the pool of a class out.
    fn take(&mut self, class: ClassId) -> Option<ClassPool> {
        if let Some(first) = self.first.take_if(|first| first.class == class) {
            return Some(first);
        }
        let index = self.others.iter().position(|entry| entry.class == class)?;
        Some(self.others.swap_remove(index))
    }
}

impl LockedShard<'_> {
    /// The pool of a class, if the shard has one.
    #[inline(always)]
    pub(crate) fn class(&mut self, class: ClassId) -> Option<&mut ClassPool> {
        self.pools.class(class)
    }

    /// The pool of a class, made now if need be.
    pub(super) fn class_or_make(
        &mut self,
        class: ClassId,
        make: impl FnOnce() -> ClassPool,
    ) -> &mut ClassPool {
        if self.pools.class(class).is_none() {
            self.pools.put(make());
        }
        self.pools.class(class).expect("it was there, or was made")
    }

    pub(super) fn put(&mut self, pool: ClassPool) {
        self.pools.put(pool);
    }

    /// Takes the pool of a class out.
    pub(super) fn take(&mut self, class: ClassId) -> Option<ClassPool> {
        self.pools.take(class)
    }

    /// Every pool of the shard.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ClassPool> {
        self.pools.first.iter().chain(&self.pools.others)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut ClassPool> {
        let ClassPools { first, others } = &mut *self.pools;
        first.iter_mut().chain(others)
    }
}

impl ClassPool {
    pub(super) fn new(
        config: &PoolConfig,
        class: ClassId,
        budgets: &Arc<HeapBudgets>,
    ) -> Result<Self, vk_pool::ConfigError> {
        let config = PoolConfig { class, ..config.clone() };
        let pool = MemoryPool::new(config, Arc::clone(budgets), Arc::new(PoolBooks::new()))?;
        Ok(Self { class, pool, objects: Vec::new(), turns: LeaseTurns::default() })
    }

    pub(super) fn class(&self) -> ClassId {
        self.class
    }

    #[inline]
    pub(crate) fn object(&self, slot: u32) -> MemoryObject {
        let object = self.objects[slot as usize];
        debug_assert!(!object.memory.is_null(), "each block of the pool has its memory object");
        object
    }

    /// What its owner needs of a place that this pool has made.
    #[inline]
    pub(crate) fn placed(&self, place: Place, shard: u8) -> Placed {
        Placed { object: self.object(place.slot()), place, shard }
    }

    /// Room in a block that exists.
    #[cold]
    #[inline(never)]
    pub(crate) fn place(&mut self, request: &PoolRequest, shard: u8) -> Option<Placed> {
        let place = self.pool.allocate_placed(request)?;
        Some(self.placed(place, shard))
    }

    pub(super) fn put_object(&mut self, slot: u32, object: MemoryObject) {
        if self.objects.len() < self.pool.slot_count() {
            self.objects.resize(self.pool.slot_count(), MemoryObject::NONE);
        }
        self.objects[slot as usize] = object;
    }

    pub(crate) fn take_object(&mut self, slot: u32) -> MemoryObject {
        core::mem::replace(&mut self.objects[slot as usize], MemoryObject::NONE)
    }
}

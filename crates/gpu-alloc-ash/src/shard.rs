//! The pools of one memory type, behind their lock.

use std::sync::Arc;

use ash::vk;
use parking_lot::{Condvar, Mutex, MutexGuard};
use smallvec::SmallVec;
use vk_pool::{ClassId, HeapBudgets, MemoryPool, PoolBooks, PoolConfig, ReturnedBlock, Ticket};

use crate::ConfigError;
use crate::mapped::MappedPtr;

/// The memory object behind a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryObject {
    pub(crate) memory: vk::DeviceMemory,
    /// Its first byte, iff it is mapped.
    pub(crate) mapped: Option<MappedPtr>,
}

/// The pool of one class, and the memory objects of its blocks.
pub(crate) struct ClassPool {
    pub(crate) pool: MemoryPool,
    /// By the blocks' slots; `Some` iff the pool has a block there.
    objects: Vec<Option<MemoryObject>>,
}

/// A memory type of the device: what never changes, and its pools.
pub(crate) struct TypeShard {
    pub(crate) host_visible: bool,
    pub(crate) coherent: bool,
    /// Configuration of the pool of class 0; the others differ in the class alone.
    config: PoolConfig,
    budgets: Arc<HeapBudgets>,
    pools: Mutex<SmallVec<[ClassPool; 1]>>,
    /// Notified whenever a block that was on its way has arrived or been given up.
    resolved: Condvar,
}

/// The lock of a memory type, held.
pub(crate) struct LockedPools<'a> {
    shard: &'a TypeShard,
    pools: MutexGuard<'a, SmallVec<[ClassPool; 1]>>,
}

impl TypeShard {
    pub(crate) fn new(
        host_visible: bool,
        coherent: bool,
        config: PoolConfig,
        budgets: Arc<HeapBudgets>,
    ) -> Result<Self, ConfigError> {
        let first = ClassPool::new(&config, config.class, &budgets)?;
        Ok(Self {
            host_visible,
            coherent,
            config,
            budgets,
            pools: Mutex::new(SmallVec::from_buf([first])),
            resolved: Condvar::new(),
        })
    }

    pub(crate) fn heap_index(&self) -> u32 {
        self.config.heap_index
    }

    pub(crate) fn atom_size(&self) -> u64 {
        self.config.atom_size
    }

    /// Requests of more bytes than this get memory of their own here.
    pub(crate) fn dedicated_above(&self) -> u64 {
        self.config.dedicated_above
    }

    #[inline]
    pub(crate) fn lock(&self) -> LockedPools<'_> {
        LockedPools { shard: self, pools: self.pools.lock() }
    }

    /// Takes one empty block out of the books, if one is kept. The lock is free again afterwards.
    pub(crate) fn trim(&self) -> Option<(ReturnedBlock, MemoryObject)> {
        self.pools.lock().iter_mut().find_map(|entry| {
            let block = entry.pool.trim()?;
            let object = entry.take_object(block.slot());
            Some((block, object))
        })
    }

    /// Wakes those who wait for a block of this memory type; they look for themselves.
    pub(crate) fn notify(&self) {
        self.resolved.notify_all();
    }

    /// Waits until a block that is on its way has arrived or been given up.
    pub(crate) fn wait(&self, class: ClassId, ticket: Ticket) {
        let mut pools = self.pools.lock();
        while pools.iter().any(|entry| entry.class() == class && entry.pool.is_pending(ticket)) {
            self.resolved.wait(&mut pools);
        }
    }
}

impl LockedPools<'_> {
    /// The pool of a class, made now if it is the first request of that class.
    #[inline]
    pub(crate) fn class(&mut self, class: ClassId) -> &mut ClassPool {
        // The pool of the shard's own class was made with it, and is nearly always the one.
        let index = if class == self.shard.config.class { 0 } else { self.other_class(class) };
        &mut self.pools[index]
    }

    #[cold]
    fn other_class(&mut self, class: ClassId) -> usize {
        let index = self.pools.iter().position(|entry| entry.class() == class);
        index.unwrap_or_else(|| {
            let entry = ClassPool::new(&self.shard.config, class, &self.shard.budgets)
                .expect("the same configuration was accepted for class 0");
            self.pools.push(entry);
            self.pools.len() - 1
        })
    }

    /// Every pool of the memory type.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ClassPool> {
        self.pools.iter()
    }
}

impl ClassPool {
    fn new(
        config: &PoolConfig,
        class: ClassId,
        budgets: &Arc<HeapBudgets>,
    ) -> Result<Self, vk_pool::ConfigError> {
        let config = PoolConfig { class, ..config.clone() };
        let pool = MemoryPool::new(config, Arc::clone(budgets), Arc::new(PoolBooks::new()))?;
        Ok(Self { pool, objects: Vec::new() })
    }

    fn class(&self) -> ClassId {
        self.pool.config().class
    }

    #[inline]
    pub(crate) fn object(&self, slot: u32) -> MemoryObject {
        self.objects[slot as usize].expect("each block of the pool has its memory object")
    }

    pub(crate) fn put_object(&mut self, slot: u32, object: MemoryObject) {
        if self.objects.len() < self.pool.slot_count() {
            self.objects.resize(self.pool.slot_count(), None);
        }
        self.objects[slot as usize] = Some(object);
    }

    pub(crate) fn take_object(&mut self, slot: u32) -> MemoryObject {
        self.objects[slot as usize].take().expect("each block of the pool has its memory object")
    }
}

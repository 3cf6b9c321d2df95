//! The pools of one memory type.
//!
//! Basic design: a memory type has several *shards*, each with a lock and its own pools. Shard 0, the
//! trunk, has all the blocks that the driver made. The others, branches, lease room of the trunk's
//! blocks, so a thread that turns to one of them first meets nobody else's lock. Nothing is a branch's
//! until threads collide, and the policy of growth is the trunk's alone: with one shard, or one thread that
//! never met another, it is the same as without shards. Before the trunk grows, the branches are asked one
//! at a time, but for a branch that is short of room again and again (`turns.rs`). An allocation goes back
//! to the shard it came from, whoever frees it.
//!
//! Beside the shards are the custom pools of the memory type, each with a lock of its own.
//!
//! No lock is held while another is taken, and none during a call of the driver.

mod asking;
mod custom;
mod freeing;
mod shard;
mod shards;
#[cfg(test)]
mod tests;
mod turns;
mod wanted;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use vk_pool::{ClassId, HeapBudgets, PoolConfig, PoolStats, Retention};

use crate::ConfigError;
use crate::home;

pub(crate) use self::asking::Asked;
pub(crate) use self::custom::{CUSTOM_SHARD, CustomPools, Seat, custom_pool, is_custom};
pub(crate) use self::freeing::Spent;
pub(crate) use self::shard::{ClassPool, LockedShard, MemoryObject, Placed, Shard};
pub(crate) use self::shards::Shards;
pub(crate) use self::wanted::{NotServed, WantedBlock};

/// A lease is at least a quarter of the first block: with many small ones in a branch, what their books need
/// of the caches takes longer than to allocate. Where the trunk has no such room, it is asked itself.
const SMALLEST_LEASE_DIVISOR: u64 = 4;

/// And at most a sixteenth of the largest.
const LARGEST_LEASE_DIVISOR: u64 = 16;

/// A memory type of the device: what never changes, and its pools.
pub(crate) struct TypePools {
    pub(crate) host_visible: bool,
    pub(crate) coherent: bool,
    /// Configuration of the trunk's pool of class 0; other classes differ in the class alone.
    config: PoolConfig,
    /// The same for branches; `None` if blocks are too small to lease of.
    branch_config: Option<PoolConfig>,
    budgets: Arc<HeapBudgets>,
    shards: Shards,
    /// Whether leases were ended for a request, of which more may have come than it took.
    has_surplus: AtomicBool,
    custom: Arc<CustomPools>,
}

impl TypePools {
    pub(crate) fn new(
        host_visible: bool,
        coherent: bool,
        config: PoolConfig,
        budgets: Arc<HeapBudgets>,
        shard_count: usize,
    ) -> Result<Self, ConfigError> {
        let branch_config = branch_config(&config);
        let shard_count = if branch_config.is_some() { shard_count } else { 1 };
        let shards = Shards::new(shard_count);
        // Checks the configuration, and the hot path finds the pool there.
        let first = ClassPool::new(&config, config.class, &budgets)?;
        shards[0].lock().put(first);
        let custom = Arc::new(CustomPools::new());
        let has_surplus = AtomicBool::new(false);
        Ok(Self {
            host_visible,
            coherent,
            config,
            branch_config,
            budgets,
            shards,
            has_surplus,
            custom,
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

    pub(crate) fn shards(&self) -> &Shards {
        &self.shards
    }

    /// Who keeps the books of an allocation.
    #[inline]
    pub(crate) fn shard(&self, index: u8, class: ClassId) -> &Shard {
        self.origin(index).unwrap_or_else(|| &self.custom.seat(class).shard)
    }

    /// Sums over all shards, classes and custom pools.
    pub(crate) fn stats(&self) -> PoolStats {
        let mut sum = PoolStats::default();
        let custom = self.custom.seats().map(|seat| &seat.shard);
        for shard in self.shards.iter().chain(custom) {
            let locked = shard.lock();
            locked.iter().for_each(|entry| sum += entry.pool.stats());
        }
        sum
    }

    /// The lock of the shard that this thread turns to first.
    #[inline]
    pub(crate) fn lock_home(&self) -> (u8, LockedShard<'_>) {
        let index = home::wanted();
        match self.shards.get(index).map(Shard::try_lock) {
            Some(Some(locked)) => (shard_number(index), locked),
            Some(None) => self.lock_contended(),
            None => self.lock_around(),
        }
    }

    #[cold]
    fn lock_contended(&self) -> (u8, LockedShard<'_>) {
        let index = home::collided(self.shards.len());
        (shard_number(index), self.shards[index].lock())
    }

    /// [`lock_home`](Self::lock_home) where there are fewer shards than the thread's number says.
    #[cold]
    fn lock_around(&self) -> (u8, LockedShard<'_>) {
        let index = home::home(self.shards.len());
        match self.shards[index].try_lock() {
            Some(locked) => (shard_number(index), locked),
            None => self.lock_contended(),
        }
    }

    /// The pool of a class in a shard, made now if it is the first request of that class there.
    fn class_of<'a>(
        &self,
        index: usize,
        locked: &'a mut LockedShard<'_>,
        class: ClassId,
    ) -> &'a mut ClassPool {
        let trunk = || &self.config;
        let config = self.branch_config.as_ref().filter(|_| index > 0).unwrap_or_else(trunk);
        locked.class_or_make(class, || {
            ClassPool::new(config, class, &self.budgets)
                .expect("the same configuration was accepted for class 0")
        })
    }
}

/// The number of a shard as allocations store it.
#[inline]
fn shard_number(index: usize) -> u8 {
    // At most 64 shards.
    index.to_le_bytes()[0]
}

/// The configuration of the pools that lease of pools of this one.
fn branch_config(trunk: &PoolConfig) -> Option<PoolConfig> {
    // Granules and atoms are not shared between leases, and nothing is rounded up on top of them.
    let unit = trunk.buffer_image_granularity.max(trunk.atom_size).max(trunk.min_allocation_size);
    let in_units = |size: u64| size - size % unit;
    let largest = in_units(trunk.largest_block_size / LARGEST_LEASE_DIVISOR);
    let first = in_units(trunk.first_block_size / SMALLEST_LEASE_DIVISOR).min(largest);
    // Who wants nothing to be kept gets that.
    let is_kept = trunk.retention != Retention { floor_bytes: 0, live_divisor: 0 };
    let config = PoolConfig {
        first_block_size: first,
        largest_block_size: largest,
        smallest_block_size: first,
        // Each is as large as all others together.
        growth_divisor: 1,
        dedicated_above: trunk.dedicated_above.min(largest / 4),
        room_taken_up_to: trunk.dedicated_above.min(largest / 4),
        // Nothing but what turns out to be needed again soon: an empty lease holds on to the trunk's block
        // around it, however large that is.
        retention: Retention { floor_bytes: u64::from(is_kept), live_divisor: 0 },
        ..trunk.clone()
    };
    (first >= unit && config.check().is_ok()).then_some(config)
}

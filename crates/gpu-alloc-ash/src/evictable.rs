//! Allocations that may be lost: a custom pool that gives up what was not used for some frames, rather
//! than refuse a request.
//!
//! Basic design: each evictable allocation has an entry with one atomic word, by which its users and the
//! allocator decide whether it is lost: see [`vk_pool::evict`]. The pool has a list of its entries. A
//! request that finds no room in the pool looks there for what was used longest ago; under one turn of
//! the pool's lock the plan is made, what goes is lost, its places are freed, and the request gets its own,
//! so nobody comes between. What was bound to the lost ones is handed to the program after that, with no
//! lock held.
//!
//! The list has a lock of its own, which is not held with any other: a list that is out of date does no
//! harm, as what was freed since is lost by its word, and what came since stays.

mod access;
mod allocate;
mod cell;
mod entry;
mod frame;
mod free;
mod resources;
mod transit;

use core::fmt;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::entry::Entry;
use self::transit::Transit;
use crate::allocation::Home;
use crate::sync::Mutex;
use crate::{Allocation, CustomPool};

pub use self::access::{View, ViewMut};
pub use self::resources::{EvictableBuffer, EvictableImage};

/// A custom pool whose evictable allocations may be lost when it is full.
///
/// `T` is what is bound to such an allocation, for example a `vk::Image`: the pool holds it with the memory,
/// hands it to the callback when that is lost, and gives it back when it is freed. One of
/// `(vk::Buffer, V)` or `(vk::Image, V)` can [create](crate::GpuAllocator::create_evictable_buffer) what is
/// bound, too.
///
/// Any kind of custom pool will do that frees in any order or is a ring: two-tier, TLSF, buddy, ring. In
/// linear pools of other kinds, and in those with an algorithm of their own, nothing is ever given up; nor
/// is what has memory of its own. Plain allocations in the pool, by
/// [`allocate_in`](crate::GpuAllocator::allocate_in), stay.
///
/// Ended by [`destroy_evictable_pool`](crate::GpuAllocator::destroy_evictable_pool).
#[must_use = "a pool that is dropped keeps its blocks until the allocator goes"]
pub struct EvictablePool<T> {
    pool: CustomPool,
    shared: Arc<Shared<T>>,
}

/// Memory in an [`EvictablePool`], and what is bound there, unless they are lost.
///
/// One that is dropped stays in its pool until its memory is needed, and is lost then.
#[must_use = "what is dropped stays allocated until its memory is needed"]
pub struct Evictable<T> {
    entry: SharedEntry<T>,
    key: Key,
    shared: Arc<Shared<T>>,
}

/// What was lost, and what is left, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EvictionStats {
    /// Evictable allocations that are there.
    pub evictable_count: u64,
    /// Allocations that were lost, ever.
    pub lost_count: u64,
    /// The bytes that had been asked for them.
    pub lost_size: u64,
    /// The latest frame that was begun.
    pub frame: u64,
}

/// What an entry holds.
struct Content<T> {
    allocation: Allocation,
    value: T,
}

/// Where an evictable allocation lies: what a plan knows it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    memory_type_index: u32,
    slot: u32,
    offset: u64,
}

/// Names an entry in its pool's list; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key(u64);

/// Places that were there a moment ago, and their entries.
type Snapshot<T> = HashMap<Place, (Key, SharedEntry<T>)>;

/// Held by its handle, by the pool's list, and by those who look for what may go.
type SharedEntry<T> = Arc<Entry<Content<T>>>;

/// Those who have lost something hand it in here.
type OnLost<T> = Box<dyn Fn(T) + Send + Sync>;

/// What pool and handles share.
struct Shared<T> {
    /// The number of the allocator.
    owner: u32,
    frames_kept: u64,
    /// The latest frame that was begun.
    frame: AtomicU64,
    on_lost: OnLost<T>,
    entries: Mutex<HashMap<Key, (Place, SharedEntry<T>)>>,
    next_key: AtomicU64,
    transit: Transit,
    lost_count: AtomicU64,
    lost_size: AtomicU64,
}

impl<T> EvictablePool<T> {
    /// Makes a custom pool one whose evictable allocations may be lost, once they were not used for more
    /// than `frames_kept` frames. Nothing is, before the first
    /// [`begin_frame`](Self::begin_frame).
    ///
    /// `on_lost` gets what was bound to each of them, once: to destroy it, or to load it again later. It is
    /// called by the thread whose request has found no room, with no lock held, before that gets its
    /// answer; it may use the allocator, and this pool. If it panics, the others that are lost by the same
    /// request are handed in all the same, and the panic goes on to who made the request.
    pub fn new(
        pool: CustomPool,
        frames_kept: u64,
        on_lost: impl Fn(T) + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            owner: pool.owner(),
            frames_kept,
            frame: AtomicU64::new(0),
            on_lost: Box::new(on_lost),
            entries: Mutex::new(HashMap::new()),
            next_key: AtomicU64::new(0),
            transit: Transit::new(),
            lost_count: AtomicU64::new(0),
            lost_size: AtomicU64::new(0),
        });
        Self { pool, shared }
    }

    /// The pool itself, for its statistics, and for allocations that are never lost.
    pub fn pool(&self) -> &CustomPool {
        &self.pool
    }

    /// So many frames after the one that it was used in last, an allocation is kept.
    #[must_use]
    pub fn frames_kept(&self) -> u64 {
        self.shared.frames_kept
    }

    /// What was lost. Of slightly different instants, while other threads allocate.
    #[must_use]
    pub fn eviction_stats(&self) -> EvictionStats {
        let shared = &*self.shared;
        EvictionStats {
            evictable_count: shared.entries.lock().len() as u64,
            lost_count: shared.lost_count.load(Ordering::Relaxed),
            lost_size: shared.lost_size.load(Ordering::Relaxed),
            frame: shared.frame.load(Ordering::Relaxed),
        }
    }
}

impl<T> Evictable<T> {
    /// Whether it is lost, for good. If not, that may be over in the next moment: see
    /// [`touch`](crate::GpuAllocator::touch).
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.entry.is_lost()
    }
}

impl<T> Shared<T> {
    /// Takes an allocation in: from now on it may be lost.
    fn enter(self: &Arc<Self>, frame: u64, allocation: Allocation, value: T) -> Evictable<T> {
        let place = Place::of(&allocation);
        let entry = Arc::new(Entry::new(frame, Content { allocation, value }));
        let key = Key(self.next_key.fetch_add(1, Ordering::Relaxed));
        self.entries.lock().insert(key, (place, Arc::clone(&entry)));
        Evictable { entry, key, shared: Arc::clone(self) }
    }

    /// Takes what was lost or freed off the list.
    fn forget(&self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            let forgotten = self.entries.lock().remove(&key);
            // The lock is free again before the entry goes.
            drop(forgotten);
        }
    }

    /// Every entry that may be there still, by its place.
    fn snapshot(&self) -> Snapshot<T> {
        let entries: Vec<_> = {
            let entries = self.entries.lock();
            entries
                .iter()
                .map(|(&key, (place, entry))| (*place, (key, Arc::clone(entry))))
                .collect()
        };
        // Two may have the same place, if one was lost a moment ago: that one is left out.
        entries.into_iter().filter(|(_, (_, entry))| !entry.is_lost()).collect()
    }
}

impl Place {
    fn of(allocation: &Allocation) -> Self {
        let Home::Pool(place) = &allocation.home else {
            unreachable!("an allocation of a custom pool is in its books")
        };
        let memory_type_index = allocation.memory_type_index();
        Self { memory_type_index, slot: place.slot(), offset: place.offset() }
    }
}

impl<T> fmt::Debug for EvictablePool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvictablePool")
            .field("pool", &self.pool)
            .field("frames_kept", &self.shared.frames_kept)
            .field("stats", &self.eviction_stats())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Evictable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evictable").field("word", self.entry.word()).finish_non_exhaustive()
    }
}

//! Pools of one memory type over a driver that is a few numbers, and everything that must hold of them.
//!
//! The books of this module are under locks that loom does not see. It switches threads only inside of
//! its own, so nothing comes between two of their lines.

use std::sync::{Arc, Mutex, MutexGuard};

use ash::vk::{self, Handle};
use loom::sync::atomic::{AtomicU32, Ordering};

use super::books::{Books, Piece};
use super::super::facade::pools::{Asked, MemoryObject, Placed, TypePools, WantedBlock};
use super::super::vk_pool::{
    BlockId, ClassId, Dedicated, DeviceLimits, HeapBudgets, HeapLimits, PoolConfig, PoolRequest,
    PoolStats, Retention, ReturnedBlock,
};

/// Bytes of every block, unless it was made smaller.
pub(super) const BLOCK: u64 = 16 << 10;
/// Bytes of a small allocation: nothing is smaller.
pub(super) const SMALL: u64 = 256;
/// Bytes of the first lease of a branch.
pub(super) const LEASE: u64 = 1 << 10;

/// The class of the ordinary pools.
const CLASS: ClassId = ClassId(0);

/// What a model runs in.
pub(super) struct World {
    pools: TypePools,
    /// Of the pools that are asked.
    class: ClassId,
    budgets: Arc<HeapBudgets>,
    books: Mutex<Books>,
    /// Something that loom sees: it switches threads nowhere else.
    clock: AtomicU32,
}

/// How a world differs from another.
#[derive(Clone, Copy, Default)]
pub(super) struct Rules {
    pub(super) shards: usize,
    /// Empty blocks that are kept.
    pub(super) kept: u64,
    /// Whether no block is made smaller.
    pub(super) one_size: bool,
    pub(super) refusals: u32,
    pub(super) refused_above: Option<u64>,
    /// Whether a custom pool is asked.
    pub(super) custom: bool,
}

impl World {
    pub(super) fn new(rules: Rules) -> Arc<Self> {
        let heap = HeapLimits { size: 1 << 30, ..HeapLimits::default() };
        let budgets = HeapBudgets::new(DeviceLimits::default(), &[heap]).expect("one heap");
        let budgets = Arc::new(budgets);
        let config = PoolConfig {
            min_allocation_size: SMALL,
            first_block_size: BLOCK,
            largest_block_size: BLOCK,
            smallest_block_size: if rules.one_size { BLOCK } else { BLOCK / 4 },
            dedicated_above: BLOCK,
            room_taken_up_to: BLOCK,
            retention: Retention { floor_bytes: rules.kept * BLOCK, live_divisor: 0 },
            ..PoolConfig::default()
        };
        let pools = TypePools::new(false, true, config, Arc::clone(&budgets), rules.shards);
        let Ok(pools) = pools else { panic!("the configuration is valid") };
        assert_eq!(pools.shards().len(), rules.shards, "branches can lease of such blocks");
        let books = Books {
            refusals: rules.refusals,
            refused_above: rules.refused_above,
            ..Books::default()
        };
        let class =
            if rules.custom { pools.add_custom(pools.config(), None) } else { CLASS };
        let clock = AtomicU32::new(0);
        Arc::new(Self { pools, class, budgets, books: Mutex::new(books), clock })
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("a model ends at the first panic")
    }

    /// An allocation as the facade makes one: asks, waits, and has a block made.
    pub(super) fn allocate(&self, size: u64) -> Option<Placed> {
        let mut waited_for = None;
        loop {
            match self.pools.ask(self.class, &request(size)).expect("the request makes sense") {
                Asked::Placed(placed) => return Some(self.taken(placed)),
                Asked::Pending(ticket) => {
                    assert_ne!(waited_for, Some(ticket), "who was woken asked in vain");
                    waited_for = Some(ticket);
                    self.books().waited += 1;
                    self.pools.wait(self.class, ticket);
                }
                Asked::NeedBlock(wanted) => return self.grow(wanted),
                Asked::NeedRoom(wanted) => self.make_room(wanted),
            }
        }
    }

    /// The short way of the facade, and the long one if it finds no room.
    ///
    /// Others may run while it holds the lock, and find it taken.
    pub(super) fn allocate_at_once(&self, size: u64) -> Option<Placed> {
        self.clock.fetch_add(1, Ordering::Relaxed);
        let placed = {
            let (shard, mut locked) = self.pools.lock_home();
            self.clock.fetch_add(1, Ordering::Relaxed);
            locked.class(self.class).and_then(|entry| {
                let place = entry.pool.allocate_at_once(&request(size))?;
                Some(entry.placed(place, shard))
            })
        };
        match placed {
            Some(placed) => Some(self.taken(placed)),
            None => self.allocate(size),
        }
    }

    /// Has a block made, a smaller one if it is refused. Who gives up drops the wanted block.
    fn grow(&self, mut wanted: WantedBlock<'_>) -> Option<Placed> {
        loop {
            let size = wanted.request().size();
            let reservation = self.budgets.reserve(wanted.request()).expect("the heap is large");
            if let Some(object) = self.make_object(size) {
                let memory = vk::DeviceMemory::from_raw(object);
                let memory = MemoryObject { memory, mapped: None };
                let taken = wanted.take_in(reservation, memory, BlockId(object));
                return Some(self.taken(taken.ok().expect("two tiers serve what fits")));
            }
            drop(reservation);
            if !wanted.shrink() {
                return None;
            }
        }
    }

    /// Has an empty block made.
    pub(super) fn make_room(&self, wanted: WantedBlock<'_>) {
        let size = wanted.request().size();
        let reservation = self.budgets.reserve(wanted.request()).expect("the heap is large");
        let object = self.make_object(size).expect("no model refuses it");
        let memory = MemoryObject { memory: vk::DeviceMemory::from_raw(object), mapped: None };
        wanted.take_in_empty(reservation, memory, BlockId(object));
    }

    /// Has a branch, whose thread this is, find the trunk without room to let until a block is asked for. The
    /// trunk must have room for a small allocation.
    pub(super) fn short_of_room(&self) -> WantedBlock<'_> {
        for _ in 0..1000 {
            match self.pools.ask(self.class, &request(SMALL)).expect("the request makes sense") {
                Asked::Placed(placed) => {
                    let placed = self.taken(placed);
                    assert_eq!(placed.shard, 0, "there is nothing to let");
                    self.free(placed);
                }
                Asked::NeedRoom(wanted) => return wanted,
                Asked::NeedBlock(_) | Asked::Pending(_) => panic!("the trunk has room"),
            }
        }
        panic!("a branch that is short of room asks for some")
    }

    fn make_object(&self, size: u64) -> Option<u64> {
        let mut books = self.books();
        if books.refused_above.is_some_and(|above| size > above) {
            return None;
        }
        if books.refusals > 0 {
            books.refusals -= 1;
            return None;
        }
        books.made += 1;
        let object = books.made;
        books.objects.push((object, size));
        Some(object)
    }

    /// Puts a place down: it lies in an object that exists, and on no other.
    fn taken(&self, placed: Placed) -> Placed {
        let piece = Piece::of(&placed);
        let mut books = self.books();
        let object = books.objects.iter().find(|(object, _)| *object == piece.object);
        let &(_, size) = object.expect("a place lies in a memory object that exists");
        assert!(piece.offset + piece.size <= size, "{piece:?} ends behind its object");
        if let Some(other) = books.live.iter().find(|other| other.overlaps(&piece)) {
            panic!("{piece:?} overlaps {other:?}");
        }
        books.live.push(piece);
        placed
    }

    pub(super) fn free(&self, placed: Placed) {
        let piece = Piece::of(&placed);
        self.books().live.retain(|other| *other != piece);
        let Ok(spent) = self.pools.free(placed.shard, self.class, placed.place) else {
            panic!("{piece:?} is not in the books of its shard")
        };
        if let Some((block, object)) = spent {
            self.give_back(block, object);
        }
    }

    /// Ends a branch's empty leases.
    pub(super) fn end_empty_leases(&self, branch: usize) {
        self.pools.end_empty_leases(branch);
    }

    /// Gives empty blocks back to the driver.
    pub(super) fn trim(&self) {
        while let Some((block, object)) = self.pools.trim() {
            self.give_back(block, object);
        }
        for seat in self.pools.custom().seats() {
            while let Some((block, object)) = seat.trim() {
                self.give_back(block, object);
            }
        }
    }

    fn give_back(&self, block: ReturnedBlock, object: MemoryObject) {
        let number = object.memory.as_raw();
        assert_eq!(block.id(), BlockId(number), "a block goes with its own memory object");
        {
            let mut books = self.books();
            let used = books.live.iter().find(|piece| piece.object == number);
            assert_eq!(used, None, "memory is freed that somebody uses");
            let before = books.objects.len();
            books.objects.retain(|(object, _)| *object != number);
            assert_eq!(books.objects.len() + 1, before, "memory is freed once");
        }
        self.budgets.released(block);
    }

    pub(super) fn stats(&self) -> PoolStats {
        self.pools.stats()
    }

    /// Calls of the driver that made memory.
    pub(super) fn made(&self) -> u64 {
        self.books().made
    }

    pub(super) fn waited(&self) -> u64 {
        self.books().waited
    }

    pub(super) fn check_made(&self, most: u64) {
        let made = self.made();
        assert!(made <= most, "{made} blocks were made where {most} are enough");
    }

    /// Frees what is left. Then everything goes back, and no books hold anything.
    pub(super) fn end(&self, left: impl IntoIterator<Item = Placed>) {
        left.into_iter().for_each(|placed| self.free(placed));
        assert_eq!(self.books().live, [], "a model hands in what it has not freed");
        (1..self.pools.shards().len()).for_each(|branch| self.end_empty_leases(branch));
        self.trim();
        assert_eq!(self.stats(), PoolStats::default(), "the books balance at the end");
        assert_eq!(self.budgets.object_count(), 0, "no memory object is counted at the end");
        let usage = self.budgets.usage(0).expect("there is one heap");
        assert_eq!((usage.committed, usage.reserved, usage.returning), (0, 0, 0));
        assert_eq!(self.books().objects, [], "all memory goes back to the driver");
    }
}

fn request(size: u64) -> PoolRequest {
    PoolRequest { size, alignment: 1, dedicated: Dedicated::Never, ..PoolRequest::default() }
}

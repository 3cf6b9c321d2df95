//! Shards without a driver: blocks are numbers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use ash::vk::{self, Handle};
use vk_pool::{
    BlockId, ClassId, Dedicated, DeviceLimits, HeapBudgets, HeapLimits, PoolConfig, PoolRequest,
};

mod policies;

use super::{Asked, MemoryObject, Placed, TypePools, WantedBlock};
use crate::home;
use crate::sync::Mutex;

const CLASS: ClassId = ClassId(0);
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Bytes of the first lease of a branch.
const LEASE: u64 = 4 * MIB;

struct Fixture {
    pools: TypePools,
    budgets: Arc<HeapBudgets>,
}

impl Fixture {
    fn new(shard_count: usize) -> Self {
        Self::with(shard_count, PoolConfig::default())
    }

    fn with(shard_count: usize, config: PoolConfig) -> Self {
        let heap = HeapLimits { size: 8 << 30, ..HeapLimits::default() };
        let budgets = Arc::new(HeapBudgets::new(DeviceLimits::default(), &[heap]).unwrap());
        let pools = TypePools::new(false, true, config, Arc::clone(&budgets), shard_count).unwrap();
        Self { pools, budgets }
    }

    fn make(&self, wanted: WantedBlock<'_>, id: u64) -> Placed {
        let reservation = self.budgets.reserve(wanted.request()).unwrap();
        let object = MemoryObject { memory: vk::DeviceMemory::from_raw(id), mapped: None };
        wanted.take_in(reservation, object, BlockId(id)).ok().expect("two tiers serve what fits")
    }

    fn make_room(&self, wanted: WantedBlock<'_>, id: u64) {
        let reservation = self.budgets.reserve(wanted.request()).unwrap();
        let object = MemoryObject { memory: vk::DeviceMemory::from_raw(id), mapped: None };
        wanted.take_in_empty(reservation, object, BlockId(id));
    }

    /// An allocation of a branch comes and goes.
    fn come_and_go(&self, branch: u64) {
        let placed = at_home(u32::try_from(branch).unwrap(), || self.placed(100 * KIB));
        self.free(placed);
    }

    /// Has a branch, whose thread this is, find the trunk without room to let until a block is asked for.
    fn short_of_room(&self) -> WantedBlock<'_> {
        for _ in 0..10_000 {
            match self.pools.ask(CLASS, &request(1000)).unwrap() {
                Asked::Placed(placed) => {
                    assert_eq!(placed.shard, 0, "the branch has no room");
                    self.free(placed);
                }
                Asked::NeedRoom(wanted) => return wanted,
                _ => panic!("the trunk has room"),
            }
        }
        panic!("a branch that is short of room asks for some");
    }

    fn grown(&self, size: u64, id: u64) -> Placed {
        match self.pools.ask(CLASS, &request(size)).unwrap() {
            Asked::NeedBlock(wanted) => self.make(wanted, id),
            _ => panic!("there is no room yet"),
        }
    }

    fn placed(&self, size: u64) -> Placed {
        match self.pools.ask(CLASS, &request(size)).unwrap() {
            Asked::Placed(placed) => placed,
            _ => panic!("a block has room"),
        }
    }

    fn free(&self, placed: Placed) {
        let spent = self.pools.free(placed.shard, CLASS, placed.place).unwrap();
        if let Some((block, _)) = spent {
            self.budgets.released(block);
        }
    }

    fn trim(&self) {
        for branch in 1..self.pools.shards().len() {
            self.pools.end_empty_leases(branch);
        }
        while let Some((block, _)) = self.pools.trim() {
            self.budgets.released(block);
        }
    }
}

fn request(size: u64) -> PoolRequest {
    PoolRequest { size, alignment: 256, dedicated: Dedicated::Never, ..PoolRequest::default() }
}

/// Runs on a thread of its own, whose shard is this one.
fn at_home<T: Send>(shard: u32, run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            home::set(shard);
            run()
        });
        thread.join().expect("no panic")
    })
}

#[test]
fn a_branch_leases_room_of_the_trunks_block_and_any_thread_frees_it() {
    let fixture = Fixture::new(4);
    let first = fixture.grown(MIB, 1);
    let second = at_home(2, || fixture.placed(1000));
    assert_eq!((first.shard, second.shard), (0, 2));
    assert_eq!(second.object.memory.as_raw(), 1, "the same memory object");
    assert!(second.place.offset() >= MIB);
    assert_eq!(fixture.pools.stats().borrowed_size, LEASE);
    assert_eq!(fixture.pools.stats().total_size, 16 * MIB);
    assert_eq!(fixture.pools.stats().allocation_count, 2);
    fixture.free(second);
    fixture.free(first);
    fixture.trim();
    assert_eq!(fixture.pools.stats(), Default::default());
    assert_eq!(fixture.budgets.object_count(), 0);
}

#[test]
fn a_branch_has_the_trunk_grow_when_that_has_nothing_to_let() {
    let fixture = Fixture::new(4);
    let placed = at_home(1, || fixture.grown(1000, 1));
    assert_eq!(placed.shard, 0, "blocks are the trunk's");
    let next = at_home(1, || fixture.placed(1000));
    assert_eq!(next.shard, 1);
}

#[test]
fn large_requests_of_a_branch_go_to_the_trunk() {
    let fixture = Fixture::new(4);
    let _first = fixture.grown(MIB, 1);
    let large = at_home(1, || fixture.placed(5 * MIB));
    assert_eq!(large.shard, 0);
    assert_eq!(fixture.pools.stats().borrowed_size, 0);
}

#[test]
fn room_in_a_branch_is_taken_before_the_trunk_grows() {
    let fixture = Fixture::new(4);
    let _rest = fixture.grown(16 * MIB - 2 * LEASE, 1);
    // Two leases: the block is full for the trunk.
    let _small = at_home(1, || fixture.placed(100 * KIB));
    let _other = at_home(2, || fixture.placed(100 * KIB));
    let elsewhere = fixture.placed(800 * KIB);
    assert!(elsewhere.shard > 0);
    assert!(matches!(fixture.pools.ask(CLASS, &request(LEASE)).unwrap(), Asked::NeedBlock(_)));
}

#[test]
fn a_branch_that_is_short_of_room_has_the_trunk_get_a_block() {
    let fixture = Fixture::new(4);
    let rest = fixture.grown(16 * MIB - 100 * KIB, 1);
    let first = at_home(2, || {
        let wanted = fixture.short_of_room();
        assert!(wanted.request().size() >= LEASE);
        fixture.make_room(wanted, 2);
        fixture.placed(1000)
    });
    assert_eq!((first.shard, first.object.memory.as_raw()), (2, 2), "it leases of the new block");
    assert_eq!(fixture.pools.stats().borrowed_size, LEASE);
    fixture.free(first);
    fixture.free(rest);
    fixture.trim();
    assert_eq!(fixture.pools.stats(), Default::default());
    assert_eq!(fixture.budgets.usage(0).unwrap().committed, 0);
}

#[test]
fn a_branch_whose_block_is_refused_goes_on_in_the_trunk() {
    let fixture = Fixture::new(4);
    let _rest = fixture.grown(16 * MIB - 100 * KIB, 1);
    at_home(1, || {
        drop(fixture.short_of_room());
        // Then the question is not that one again.
        assert_eq!(fixture.placed(1000).shard, 0);
        drop(fixture.short_of_room());
    });
    assert_eq!(fixture.pools.stats().block_count, 1);
}

#[test]
fn empty_leases_go_back_before_the_trunk_grows() {
    let fixture = Fixture::new(4);
    let _rest = fixture.grown(16 * MIB - 2 * LEASE, 1);
    for branch in [1, 2] {
        fixture.come_and_go(branch);
        assert_eq!(fixture.pools.stats().borrowed_size, (branch - 1) * LEASE, "nobody needs it");
        fixture.come_and_go(branch);
        assert_eq!(fixture.pools.stats().borrowed_size, branch * LEASE, "it was needed again");
    }
    assert_eq!(fixture.placed(LEASE + MIB).shard, 0);
    assert_eq!(fixture.pools.stats().borrowed_size, 0);
}

#[test]
fn who_has_room_in_a_branch_does_not_wait_for_the_trunks_block() {
    let fixture = Fixture::new(2);
    let _rest = fixture.grown(16 * MIB - LEASE, 1);
    let _small = at_home(1, || fixture.placed(100 * KIB));
    // Full but for what the branch has leased; a block is on its way.
    let Ok(Asked::NeedBlock(wanted)) = fixture.pools.ask(CLASS, &request(4 * MIB)) else {
        panic!("the block is full");
    };
    assert_eq!(fixture.placed(200 * KIB).shard, 1);
    assert_eq!(at_home(1, || fixture.placed(200 * KIB)).shard, 1);
    let pending = fixture.pools.ask(CLASS, &request(LEASE - 200 * KIB)).unwrap();
    assert!(matches!(pending, Asked::Pending(_)), "one block is enough for both");
    drop(wanted);
}

#[test]
fn who_waits_is_woken_when_the_block_comes_or_is_given_up() {
    for comes in [true, false] {
        let fixture = Fixture::new(2);
        let Ok(Asked::NeedBlock(wanted)) = fixture.pools.ask(CLASS, &request(MIB)) else {
            panic!("there is no block");
        };
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                home::set(1);
                let Ok(Asked::Pending(ticket)) = fixture.pools.ask(CLASS, &request(MIB)) else {
                    panic!("the block on its way is enough");
                };
                sender.send(()).unwrap();
                fixture.pools.wait(CLASS, ticket);
                sender.send(()).unwrap();
            });
            receiver.recv().unwrap();
            let early = receiver.recv_timeout(Duration::from_millis(20));
            assert!(early.is_err(), "it waits");
            if comes {
                let _placed = fixture.make(wanted, 1);
            } else {
                drop(wanted);
            }
            receiver.recv().unwrap();
        });
    }
}

#[test]
fn one_shard_is_the_plain_allocator() {
    let fixture = Fixture::new(1);
    let _first = at_home(3, || fixture.grown(MIB, 1));
    assert_eq!(at_home(3, || fixture.placed(MIB)).shard, 0);
}

#[test]
fn blocks_too_small_to_lease_of_have_one_shard() {
    let heap = HeapLimits { size: 8 << 30, ..HeapLimits::default() };
    let budgets = Arc::new(HeapBudgets::new(DeviceLimits::default(), &[heap]).unwrap());
    let config = PoolConfig {
        first_block_size: KIB,
        largest_block_size: KIB,
        smallest_block_size: KIB,
        dedicated_above: KIB,
        ..PoolConfig::default()
    };
    let pools = TypePools::new(false, true, config, budgets, 8).unwrap();
    assert_eq!(pools.shards().len(), 1);
}

/// Where live places are, by memory object and offset.
#[derive(Default)]
struct Shadow(Mutex<BTreeMap<(u64, u64), u64>>);

impl Shadow {
    fn add(&self, placed: &Placed) {
        let memory = placed.object.memory.as_raw();
        let (start, end) = (placed.place.offset(), placed.place.offset() + placed.place.size());
        let mut live = self.0.lock();
        let before = live.range(..(memory, end)).next_back();
        let is_free =
            before.is_none_or(|(&(other, _), &other_end)| other != memory || other_end <= start);
        assert!(is_free, "{start}..{end} of {memory} overlaps {before:?}");
        live.insert((memory, start), end);
    }

    fn remove(&self, placed: &Placed) {
        let key = (placed.object.memory.as_raw(), placed.place.offset());
        assert!(self.0.lock().remove(&key).is_some());
    }
}

#[test]
fn threads_on_shards_of_their_own_never_overlap() {
    let fixture = Fixture::new(4);
    let (shadow, next_id) = (Shadow::default(), AtomicU64::new(1));
    // What one thread leaves here another frees.
    let bag: Mutex<Vec<Placed>> = Mutex::new(Vec::new());
    let most_lent = AtomicU64::new(0);
    let work = |seed: u64| {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |bound: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % bound
        };
        for step in 0..4000 {
            let bits = below(20);
            let size = 1 + below(1 << bits);
            let placed = loop {
                match fixture.pools.ask(CLASS, &request(size)).unwrap() {
                    Asked::Placed(placed) => break placed,
                    Asked::NeedBlock(wanted) => {
                        break fixture.make(wanted, next_id.fetch_add(1, Ordering::Relaxed));
                    }
                    Asked::Pending(ticket) => fixture.pools.wait(CLASS, ticket),
                    Asked::NeedRoom(wanted) => {
                        fixture.make_room(wanted, next_id.fetch_add(1, Ordering::Relaxed));
                    }
                }
            };
            shadow.add(&placed);
            let mut bag_now = bag.lock();
            bag_now.push(placed);
            let spent = (bag_now.len() > 200).then(|| {
                let index = usize::try_from(below(200)).expect("small");
                bag_now.swap_remove(index)
            });
            drop(bag_now);
            if let Some(placed) = spent {
                shadow.remove(&placed);
                fixture.free(placed);
            }
            if step % 500 == 0 {
                most_lent.fetch_max(fixture.pools.stats().lent_size, Ordering::Relaxed);
                fixture.trim();
            }
        }
    };
    std::thread::scope(|scope| {
        for shard in 0..4 {
            let work = &work;
            scope.spawn(move || {
                home::set(shard);
                work(u64::from(shard) + 1);
            });
        }
    });
    assert!(most_lent.into_inner() > 0, "branches have leased");
    bag.into_inner().into_iter().for_each(|placed| fixture.free(placed));
    fixture.trim();
    assert_eq!(fixture.pools.stats(), Default::default());
    assert_eq!(fixture.budgets.usage(0).unwrap().committed, 0);
}

//! Trunk and branch: leases that come, are carved by threads of their own, and go.

use std::sync::Arc;

use ash::vk::Handle;

use super::super::facade::pools::Placed;
use super::threads::{at_home, joined, thread};
use super::world::{BLOCK, LEASE, Rules, SMALL, World};

const TWO_SHARDS: Rules = Rules {
    shards: 2,
    kept: 1,
    one_size: false,
    refusals: 0,
    refused_above: None,
    custom: false,
};

const GRANTED: &str = "nothing is refused";

/// A world whose trunk has one block with one allocation.
fn with_a_block(rules: Rules) -> (Arc<World>, Placed) {
    let world = World::new(rules);
    let first = world.allocate(SMALL).expect(GRANTED);
    assert_eq!((first.shard, first.object.memory.as_raw()), (0, 1));
    (world, first)
}

/// A branch comes to its first lease, and fills it, while two threads allocate of the trunk and free.
pub(super) fn leases_while_used() {
    let (world, first) = with_a_block(TWO_SHARDS);
    let branch = thread(&world, 1, |world| {
        [(); 2].map(|()| {
            let placed = world.allocate(SMALL).expect(GRANTED);
            assert_eq!(placed.shard, 1, "the trunk has room to let");
            placed
        })
    });
    let other = thread(&world, 0, |world| world.allocate(SMALL).expect(GRANTED));
    let own = world.allocate(SMALL).expect(GRANTED);
    assert_eq!(own.shard, 0);
    world.free(first);
    let left = joined(branch);
    let other = joined(other);
    world.check_made(1);
    assert_eq!(world.stats().borrowed_size, LEASE);
    world.end(left.into_iter().chain([own, other]));
}

/// Two threads whose shard is the same branch: one leases for both.
pub(super) fn two_threads_of_one_branch() {
    let (world, first) = with_a_block(TWO_SHARDS);
    let threads = [(); 2].map(|()| {
        thread(&world, 1, |world| [(); 2].map(|()| world.allocate(SMALL).expect(GRANTED)))
    });
    world.free(first);
    let left: Vec<_> = threads.into_iter().flat_map(joined).collect();
    world.check_made(1);
    assert!(left.iter().all(|placed| placed.shard == 1));
    assert_eq!(world.stats().borrowed_size, LEASE, "one lease is enough for all");
    world.end(left);
}

/// The trunk gets a block for a branch that is short of room, and another thread takes of it or waits for it.
pub(super) fn room_is_made() {
    let world = World::new(TWO_SHARDS);
    let first = world.allocate(BLOCK - 2 * SMALL).expect(GRANTED);
    let wanted = at_home(1, || world.short_of_room());
    let other = thread(&world, 0, |world| world.allocate(LEASE).expect(GRANTED));
    world.make_room(wanted);
    let own = at_home(1, || world.allocate(SMALL).expect(GRANTED));
    assert_eq!(own.shard, 1, "it leases of the new block");
    let other = joined(other);
    world.check_made(2);
    world.end([first, own, other]);
}

/// What a branch's thread has allocated is freed by another, while the first one goes on, and a third
/// one's trunk has nothing else.
pub(super) fn another_thread_frees() {
    // Nothing is kept, so blocks go when they empty.
    let (world, first) = with_a_block(Rules { kept: 0, ..TWO_SHARDS });
    // The lease stays in use: how leases end is what other models are about.
    let [stays, given] = [(); 2].map(|()| at_home(1, || world.allocate(SMALL).expect(GRANTED)));
    let branch = thread(&world, 1, |world| {
        let placed = world.allocate(SMALL).expect(GRANTED);
        world.free(placed);
        world.allocate(SMALL).expect(GRANTED)
    });
    let frees = thread(&world, 0, |world| world.free(first));
    world.free(given);
    let own = world.allocate(SMALL).expect(GRANTED);
    let left = joined(branch);
    joined(frees);
    world.end([stays, left, own]);
}

/// The last allocation in a lease that is all there is in a block of the trunk goes, and both with it,
/// while another thread has a block made.
pub(super) fn a_freed_lease_empties_the_trunk() {
    let world = World::new(Rules { kept: 0, ..TWO_SHARDS });
    let in_branch = || at_home(1, || world.allocate(SMALL).expect(GRANTED));
    // One lease, which gets full, in a block that is full; another lease in a second block.
    let first = world.allocate(LEASE).expect(GRANTED);
    let last = in_branch();
    let filling = world.allocate(BLOCK - 2 * LEASE).expect(GRANTED);
    let lent: Vec<_> = (1..LEASE / SMALL).map(|_| in_branch()).collect();
    let second = in_branch();
    let kept = in_branch();
    let places = [&last, &lent[2], &second, &kept];
    assert_eq!(places.map(|placed| placed.object.memory.as_raw()), [1, 1, 2, 2]);
    assert_eq!(places.map(|placed| placed.shard), [1, 1, 0, 1]);
    // The first block has nothing but its lease.
    [first, filling, kept].into_iter().chain(lent).for_each(|placed| world.free(placed));
    let other = thread(&world, 0, |world| {
        let placed = world.allocate(BLOCK).expect(GRANTED);
        world.free(placed);
        world.allocate(BLOCK).expect(GRANTED)
    });
    world.free(last);
    let left = joined(other);
    world.end([left, second]);
}

/// Has branch 1 keep an empty lease: it has found that it soon needs one again.
fn keep_an_empty_lease(world: &World) {
    for _ in 0..2 {
        let used = at_home(1, || world.allocate(SMALL).expect(GRANTED));
        world.free(used);
    }
    assert_eq!(world.stats().borrowed_size, LEASE, "a branch keeps one empty lease");
}

/// A branch's empty lease goes back to the trunk, or is used, or both in turn.
pub(super) fn ended_or_used() {
    let (world, first) = with_a_block(TWO_SHARDS);
    keep_an_empty_lease(&world);
    let branches = [(); 2].map(|()| {
        thread(&world, 1, |world| {
            let placed = world.allocate(SMALL).expect(GRANTED);
            world.free(placed);
        })
    });
    world.end_empty_leases(1);
    world.trim();
    branches.into_iter().for_each(joined);
    world.check_made(1);
    world.end([first]);
}

/// The trunk is full but for what a branch keeps empty: that goes back, and no block is made, while
/// another thread counts.
pub(super) fn used_before_a_block() {
    let (world, first) = with_a_block(TWO_SHARDS);
    keep_an_empty_lease(&world);
    let filling = world.allocate(BLOCK - 2 * LEASE).expect(GRANTED);
    let counts = thread(&world, 0, |world| {
        let stats = world.stats();
        assert_eq!(stats.total_size, BLOCK, "more blocks were made than one");
        assert!(stats.used_size <= BLOCK, "{stats:?}");
    });
    let own = world.allocate(LEASE + SMALL).expect(GRANTED);
    joined(counts);
    world.check_made(1);
    world.end([first, filling, own]);
}

//! Growth and waiting, in one shard: who makes a block, who waits for it, and when it goes.

use super::threads::{joined, thread};
use super::world::{BLOCK, Rules, SMALL, World};

const ONE_SHARD: Rules = Rules {
    shards: 1,
    kept: 1,
    one_size: false,
    refusals: 0,
    refused_above: None,
    custom: false,
};

/// Three threads need room in pools without a block: one of them has it made, the others wait.
pub(super) fn one_block_is_made_for_three() {
    one_block(ONE_SHARD);
}

/// The same of a custom pool.
pub(super) fn one_block_of_a_custom_pool() {
    one_block(Rules { custom: true, ..ONE_SHARD });
}

fn one_block(rules: Rules) {
    let world = World::new(rules);
    let others = [(); 2].map(|()| thread(&world, 0, |world| world.allocate(SMALL)));
    let own = world.allocate(SMALL);
    let placed = others.map(joined);
    world.check_made(1);
    world.end(placed.into_iter().chain([own]).map(|placed| placed.expect("nothing is refused")));
}

/// Two requests that do not fit into one block do not wait for each other.
pub(super) fn two_blocks_are_made() {
    let world = World::new(ONE_SHARD);
    let other = thread(&world, 0, |world| world.allocate(BLOCK / 2 + SMALL));
    let own = world.allocate(BLOCK / 2 + SMALL);
    let placed = [joined(other), own].map(|placed| placed.expect("nothing is refused"));
    assert_eq!(world.made(), 2);
    assert_eq!(world.waited(), 0, "somebody waited for a block that is too small");
    world.end(placed);
}

/// The driver refuses once: one of two threads is told so, and the other gets a block all the same.
pub(super) fn a_refusal_wakes_who_waits() {
    refusal(1);
}

/// The same of three: those who wait are woken both, and one block is enough for them.
pub(super) fn a_refusal_wakes_all_who_wait() {
    refusal(2);
}

fn refusal(others: usize) {
    let world = World::new(Rules { one_size: true, refusals: 1, ..ONE_SHARD });
    let threads: Vec<_> =
        (0..others).map(|_| thread(&world, 0, |world| world.allocate(SMALL))).collect();
    let own = world.allocate(SMALL);
    let placed: Vec<_> = threads.into_iter().map(joined).chain([own]).flatten().collect();
    assert_eq!(placed.len(), others, "one refusal is one thread's");
    world.check_made(1);
    world.end(placed);
}

/// The driver has only small blocks: who was promised room in a larger one asks for one more.
pub(super) fn a_smaller_block() {
    let world = World::new(Rules { refused_above: Some(BLOCK / 4), ..ONE_SHARD });
    let size = BLOCK / 4 - SMALL;
    let other = thread(&world, 0, move |world| world.allocate(size));
    let own = world.allocate(size);
    let placed = [joined(other), own].map(|placed| placed.expect("small blocks are granted"));
    assert_eq!(world.made(), 2);
    world.end(placed);
}

/// No empty block is kept: while one thread's block goes, another's comes.
pub(super) fn blocks_come_and_go() {
    let world = World::new(Rules { kept: 0, ..ONE_SHARD });
    let come_and_go = |world: &World| {
        let placed = world.allocate(SMALL).expect("nothing is refused");
        world.free(placed);
        world.allocate(SMALL).expect("nothing is refused")
    };
    let other = thread(&world, 0, come_and_go);
    let own = come_and_go(&world);
    let other = joined(other);
    world.check_made(3);
    world.end([own, other]);
}

/// A block that is empty and kept goes back, or is used, or both in turn.
pub(super) fn trimmed_or_used() {
    let world = World::new(ONE_SHARD);
    let kept = world.allocate(SMALL).expect("nothing is refused");
    world.free(kept);
    let trims = thread(&world, 0, World::trim);
    let other = thread(&world, 0, |world| world.allocate(SMALL));
    let own = world.allocate(SMALL).expect("nothing is refused");
    joined(trims);
    let other = joined(other).expect("nothing is refused");
    world.check_made(2);
    world.end([own, other]);
}

/// Who finds its shard's lock taken moves to a branch, which leases of the trunk.
pub(super) fn the_first_try_meets_others() {
    let world = World::new(Rules { shards: 2, ..ONE_SHARD });
    let first = world.allocate(SMALL).expect("nothing is refused");
    let come_and_go = |world: &World| {
        let placed = world.allocate_at_once(SMALL).expect("nothing is refused");
        world.free(placed);
    };
    let other = thread(&world, 0, come_and_go);
    come_and_go(&world);
    joined(other);
    world.check_made(1);
    world.end([first]);
}

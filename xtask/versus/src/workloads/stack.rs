//! Last in, first out: stacks of blocks, and one block that comes and goes.

use super::random::Random;
use super::{KIB, MIB};
use crate::program::{Case, Figure, Operation, Order};

/// How many blocks a stack grows to.
const DEPTH: u32 = 512;

/// Stacks of equal blocks, the friendliest work there is.
pub(super) fn lifo(pairs: usize) -> Case {
    let stack: Vec<_> = (0..DEPTH).map(|slot| Operation::allocate(slot, 64 * KIB)).collect();
    stacks("lifo", "64 MiB, 512 blocks of 64 KiB up and down", &[stack], pairs)
}

/// Stacks whose sizes differ from block to block and from stack to stack.
pub(super) fn lifo_mixed(pairs: usize) -> Case {
    let mut random = Random::of("lifo-mixed");
    let mut stack = || -> Vec<Operation> {
        (0..DEPTH)
            .map(|slot| Operation::allocate(slot, random.log_uniform(16 * KIB, 128 * KIB)))
            .collect()
    };
    let stacks_of: Vec<_> = (0..16).map(|_| stack()).collect();
    let about = "64 MiB, 512 blocks of 16 to 128 KiB (log-uniform) up and down";
    stacks("lifo-mixed", about, &stacks_of, pairs)
}

/// The stacks built up and taken down in turn, until there are enough pairs.
fn stacks(name: &'static str, about: &'static str, ups: &[Vec<Operation>], pairs: usize) -> Case {
    let mut operations = Vec::new();
    let rounds = pairs.div_ceil(DEPTH as usize) + 1;
    for up in ups.iter().cycle().take(rounds) {
        operations.extend_from_slice(up);
        operations.extend((0..DEPTH).rev().map(Operation::free));
    }
    Case {
        name,
        about,
        figure: Figure::Pair,
        order: Order::LastInFirstOut,
        region_size: u64::from(64 * MIB),
        slot_count: DEPTH as usize,
        operations,
        prelude: 2 * DEPTH as usize,
    }
}

/// One block of `size` allocated and freed, over and over, in a region half full with 64 KiB blocks.
pub(super) fn ping_pong(size: u32, pairs: usize) -> Case {
    let (name, about) = if size < KIB {
        ("ping-pong", "64 MiB half full with 64 KiB blocks, one block of 256 B comes and goes")
    } else {
        ("ping-pong-192k", "64 MiB half full with 64 KiB blocks, one of 192 KiB comes and goes")
    };
    let mut operations: Vec<_> =
        (0..DEPTH).map(|slot| Operation::allocate(slot, 64 * KIB)).collect();
    let prelude = operations.len();
    for _ in 0..pairs {
        operations.push(Operation::allocate(DEPTH, size));
        operations.push(Operation::free(DEPTH));
    }
    Case {
        name,
        about,
        figure: Figure::Pair,
        order: Order::LastInFirstOut,
        region_size: u64::from(64 * MIB),
        slot_count: DEPTH as usize + 1,
        operations,
        prelude,
    }
}

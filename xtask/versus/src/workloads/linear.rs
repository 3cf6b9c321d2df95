//! Transient memory that goes all at once.

use super::random::Random;
use super::{KIB, MIB};
use crate::program::{Case, Figure, Operation, Order, UNIT};

/// Blocks of a frame.
const BLOCKS: u32 = 1_000;

/// Frames of a thousand blocks: allocated, then all of them freed in the order of allocation, or in
/// any order.
pub(super) fn frame(name: &'static str, is_shuffled: bool, pairs: usize) -> Case {
    let mut random = Random::of(name);
    let mut operations = Vec::new();
    let frame_count = 2 + pairs.div_ceil(BLOCKS as usize);
    let mut prelude = 0;
    for frame in 0..frame_count {
        if frame == 2 {
            prelude = operations.len();
        }
        let sizes = (0..BLOCKS).map(|slot| (slot, random.log_uniform(UNIT, 64 * KIB)));
        operations.extend(sizes.map(|(slot, size)| Operation::allocate(slot, size)));
        let mut order: Vec<u32> = (0..BLOCKS).collect();
        if is_shuffled {
            // Fisher and Yates: each of the rest is as likely to be the next.
            for at in 0..BLOCKS {
                let other = at + random.below(BLOCKS - at);
                order.swap(at as usize, other as usize);
            }
        }
        operations.extend(order.into_iter().map(Operation::free));
    }
    Case {
        name,
        about: if is_shuffled {
            "as linear-frame, freed in random order"
        } else {
            "64 MiB, frames of 1,000 blocks of 256 B to 64 KiB (log-uniform), then all of them freed"
        },
        figure: Figure::Pair,
        order: if is_shuffled { Order::AllAtOnce } else { Order::FirstInFirstOut },
        region_size: u64::from(64 * MIB),
        slot_count: BLOCKS as usize,
        operations,
        prelude,
    }
}

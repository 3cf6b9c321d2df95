//! Transient memory of a renderer: each frame allocates, and the oldest frame in flight is freed.

use super::random::Random;
use super::{KIB, MIB};
use crate::program::{Case, Figure, Operation, Order, UNIT};

/// Frames in flight.
const FRAMES: u32 = 3;
/// Blocks of a frame.
const BLOCKS: u32 = 1_000;

/// Three frames in flight, each with a thousand blocks, freed in the order of allocation.
///
/// All at the alignment of a unit, or a quarter of them at larger ones.
pub(super) fn fifo(name: &'static str, is_aligned: bool, pairs: usize) -> Case {
    let mut random = Random::of(name);
    let mut operations = Vec::new();
    let mut prelude = 0;
    let frame_count =
        FRAMES * 2 + u32::try_from(pairs.div_ceil(BLOCKS as usize)).unwrap_or(u32::MAX / 2);
    for frame in 0..frame_count {
        if frame == FRAMES * 2 {
            prelude = operations.len();
        }
        // The slots of the frame that is over become those of the new one.
        let first = frame % FRAMES * BLOCKS;
        if frame >= FRAMES {
            operations.extend((first..first + BLOCKS).map(Operation::free));
        }
        for slot in first..first + BLOCKS {
            let alignment = match random.below(8) {
                0 if is_aligned => 4 * KIB,
                1 if is_aligned => KIB,
                _ => UNIT,
            };
            let size = random.log_uniform(UNIT, 64 * KIB);
            operations.push(Operation::allocate_aligned(slot, size, alignment));
        }
    }
    Case {
        name,
        about: if is_aligned {
            "as frame-fifo, an eighth aligned to 1,024 B and an eighth to 4,096 B"
        } else {
            "64 MiB, 3 frames of 1,000 blocks of 256 B to 64 KiB (log-uniform), the oldest freed first"
        },
        figure: Figure::Pair,
        order: Order::FirstInFirstOut,
        region_size: u64::from(64 * MIB),
        slot_count: (FRAMES * BLOCKS) as usize,
        operations,
        prelude,
    }
}

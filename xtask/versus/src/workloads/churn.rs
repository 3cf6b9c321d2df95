//! Random churn: sizes of all magnitudes come and go at a given load.

use super::MIB;
use super::random::Random;
use crate::program::{Case, Figure, Operation, Order, UNIT};

/// A region of 64 MiB kept at `percent` of its bytes, by what was asked, not by what was granted.
///
/// Sizes are log-uniform from 256 bytes to 4 MiB, so a few large blocks hold most of the bytes.
pub(super) fn churn(name: &'static str, percent: u64, pairs: usize) -> Case {
    let region_size = u64::from(64 * MIB);
    let mut random = Random::of(name);
    let mut live = Live::default();
    let mut operations = Vec::new();
    let limit = region_size * percent / 100;
    let mut allocate = |operations: &mut Vec<Operation>| {
        let size = random.log_uniform(UNIT, 4 * MIB);
        while live.bytes + u64::from(size) > limit {
            operations.push(Operation::free(live.free_one(&mut random)));
        }
        operations.push(Operation::allocate(live.take(size), size));
    };
    // Ten times what fits on average brings the region to its steady state.
    for _ in 0..2_000 {
        allocate(&mut operations);
    }
    let prelude = operations.len();
    for _ in 0..pairs {
        allocate(&mut operations);
    }
    let about = if percent == 50 {
        "64 MiB half full, 256 B to 4 MiB (log-uniform), random blocks freed"
    } else {
        "64 MiB at 85 % of the bytes, 256 B to 4 MiB (log-uniform), random blocks freed"
    };
    Case {
        name,
        about,
        figure: Figure::Pair,
        order: Order::Random,
        region_size,
        slot_count: live.slot_count as usize,
        operations,
        prelude,
    }
}

/// The live blocks of a program that is being written.
#[derive(Debug, Default)]
struct Live {
    blocks: Vec<(u32, u32)>,
    bytes: u64,
    spare_slots: Vec<u32>,
    slot_count: u32,
}

impl Live {
    fn take(&mut self, size: u32) -> u32 {
        let slot = self.spare_slots.pop().unwrap_or_else(|| {
            self.slot_count += 1;
            self.slot_count - 1
        });
        self.blocks.push((slot, size));
        self.bytes += u64::from(size);
        slot
    }

    fn free_one(&mut self, random: &mut Random) -> u32 {
        let count = u32::try_from(self.blocks.len()).expect("each block has a slot, a u32");
        let (slot, size) = self.blocks.swap_remove(random.below(count) as usize);
        self.bytes -= u64::from(size);
        self.spare_slots.push(slot);
        slot
    }
}

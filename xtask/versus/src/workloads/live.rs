//! Many small blocks: filling, and churn at a number of live ones.

use super::MIB;
use super::random::Random;
use crate::program::{Case, Figure, Operation, Order};

/// The largest size in units: 4 KiB.
const MOST_UNITS: u32 = 16;

/// 100,000 live blocks on 81 % of a region.
pub(super) fn small(pairs: usize) -> Case {
    let about =
        "256 MiB, 100,000 live of 256 B to 4 KiB (uniform), 81 % of the bytes, random churn";
    replaced("small-100k-live", about, 100_000, 256, pairs)
}

/// Any number of live blocks, on 40 to 65 % of a region, so that hardly anybody refuses anything.
pub(super) fn live(name: &'static str, count: u32, region_mib: u32, pairs: usize) -> Case {
    let about = match count {
        1_000 => "4 MiB, 1,000 live of 256 B to 4 KiB (uniform), random churn",
        10_000 => "32 MiB, 10,000 live of 256 B to 4 KiB (uniform), random churn",
        100_000 => "512 MiB, 100,000 live of 256 B to 4 KiB (uniform), random churn",
        _ => "4 GiB, 1,000,000 live of 256 B to 4 KiB (uniform), random churn",
    };
    replaced(name, about, count, region_mib, pairs)
}

/// Fills all slots, then replaces random ones. The prelude goes on until most have been replaced,
/// up to 200,000.
fn replaced(
    name: &'static str,
    about: &'static str,
    count: u32,
    region_mib: u32,
    pairs: usize,
) -> Case {
    let mut random = Random::of(name);
    let mut operations: Vec<_> =
        (0..count).map(|slot| Operation::allocate(slot, random.units(MOST_UNITS))).collect();
    let mut replace = |operations: &mut Vec<Operation>| {
        let slot = random.below(count);
        operations.push(Operation::free(slot));
        operations.push(Operation::allocate(slot, random.units(MOST_UNITS)));
    };
    for _ in 0..count.min(200_000) {
        replace(&mut operations);
    }
    let prelude = operations.len();
    for _ in 0..pairs {
        replace(&mut operations);
    }
    Case {
        name,
        about,
        figure: Figure::Pair,
        order: Order::Random,
        region_size: u64::from(region_mib) * u64::from(MIB),
        slot_count: count as usize,
        operations,
        prelude,
    }
}

/// 24,000 blocks into an empty region, and out of it in another order.
pub(super) fn fill(pairs: usize) -> Case {
    const COUNT: u32 = 24_000;
    let mut random = Random::of("fill");
    let mut operations = Vec::new();
    for _ in 0..pairs.div_ceil(COUNT as usize) {
        operations
            .extend((0..COUNT).map(|slot| Operation::allocate(slot, random.units(MOST_UNITS))));
        operations.extend(shuffled(COUNT, &mut random).into_iter().map(Operation::free));
    }
    Case {
        name: "fill",
        about: "64 MiB, 24,000 blocks of 256 B to 4 KiB (uniform) allocated, then freed at random",
        figure: Figure::Pair,
        order: Order::Random,
        region_size: u64::from(64 * MIB),
        slot_count: COUNT as usize,
        operations,
        prelude: 0,
    }
}

/// A million operations on up to 100,000 live blocks, from the empty region back to it.
pub(super) fn worst() -> Case {
    const COUNT: u32 = 100_000;
    let mut case = replaced("worst-op", "", COUNT, 256, 300_000);
    let mut random = Random::of("worst-op: end");
    case.operations.extend(shuffled(COUNT, &mut random).into_iter().map(Operation::free));
    Case {
        about: "256 MiB, a million operations: 100,000 blocks of 256 B to 4 KiB come, churn and go",
        figure: Figure::WorstOperation,
        prelude: 0,
        ..case
    }
}

/// The numbers below `count` in random order (Fisher and Yates).
fn shuffled(count: u32, random: &mut Random) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..count).collect();
    for last in (1..count).rev() {
        numbers.swap(last as usize, random.below(last + 1) as usize);
    }
    numbers
}

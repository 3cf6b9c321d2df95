//! Holes that are large enough and at the wrong alignment, and programs that go on beside them.

use super::random::Random;
use super::{KIB, MIB};
use crate::program::{Case, Figure, Operation, Order, UNIT};

/// How many holes a region has.
pub(crate) const HOLES: u32 = 16_384;

/// How many blocks a pool has.
pub(crate) const BLOCKS: u32 = 1_000;

/// Bytes of a block of that pool.
pub(crate) const BLOCK: u32 = 4 * MIB;

/// Holes of a block.
const HOLES_OF_A_BLOCK: u32 = 20;

/// All holes start this far behind a multiple of [`ALIGNMENT`], so that of each the first
/// 60 KiB are of no use to a request at that alignment.
const OFF: u32 = 4 * KIB;

const ALIGNMENT: u32 = 64 * KIB;

/// From the start of a hole to that of the next.
const CELL: u32 = 3 * ALIGNMENT;

/// Live allocations of the measured part.
const LIVE: u32 = 1_000;

/// A program that is being written.
#[derive(Default)]
struct Writer {
    operations: Vec<Operation>,
    slot_count: u32,
}

impl Writer {
    fn allocate(&mut self, size: u32) -> u32 {
        self.operations.push(Operation::allocate(self.slot_count, size));
        self.slot_count += 1;
        self.slot_count - 1
    }

    /// Holes and what is between them, one behind the other from the start of a region; answers
    /// where the last one ends. In empty regions blocks come to lie in the order they are asked for.
    fn holes(&mut self, count: u32, random: &mut Random, holes: &mut Vec<u32>) -> u32 {
        let mut end = ALIGNMENT + OFF;
        self.allocate(end);
        for index in 0..count {
            // From the alignment up to what would hold such a block; all fit a request in size.
            let size = ALIGNMENT + random.below(56 * KIB / UNIT) * UNIT;
            holes.push(self.allocate(size));
            let next = ALIGNMENT + OFF + (index + 1) * CELL;
            if index + 1 < count {
                self.allocate(next - end - size);
                end = next;
            } else {
                end += size;
            }
        }
        end
    }

    fn free(&mut self, slots: &[u32]) {
        self.operations.extend(slots.iter().map(|&slot| Operation::free(slot)));
    }

    /// Three of four requests miss the alignment of every hole, the others fit into many.
    fn churn(mut self, case: Case, pairs: usize) -> Case {
        let mut random = Random::of("holes: churn");
        let first = self.slot_count;
        let mut allocate = |operations: &mut Vec<Operation>, slot| {
            let size = random.units(56 * KIB / UNIT);
            operations.push(match random.below(4) {
                0 => Operation::allocate(slot, size),
                _ => Operation::allocate_aligned(slot, ALIGNMENT + size, ALIGNMENT),
            });
        };
        for slot in first..first + LIVE {
            allocate(&mut self.operations, slot);
        }
        let prelude = self.operations.len();
        let mut random = Random::of("holes: slots");
        for _ in 0..pairs {
            let slot = first + random.below(LIVE);
            self.operations.push(Operation::free(slot));
            allocate(&mut self.operations, slot);
        }
        let slot_count = (first + LIVE) as usize;
        Case { slot_count, operations: self.operations, prelude, ..case }
    }
}

fn case(name: &'static str, about: &'static str, region_size: u64) -> Case {
    Case {
        name,
        about,
        figure: Figure::WorstOperation,
        order: Order::Random,
        region_size,
        slot_count: 0,
        operations: vec![],
        prelude: 0,
    }
}

/// A region with 16,384 misaligned holes, and the same measured operations without them.
pub(crate) fn in_one_region(pairs: usize) -> [Case; 2] {
    let about =
        "4 GiB with 16,384 holes of 64 to 120 KiB, none of which holds 64 KiB at that alignment";
    let case = case("holes-16384", about, 4 << 30);
    let mut writer = Writer::default();
    let mut holes = Vec::new();
    writer.holes(HOLES, &mut Random::of("holes: sizes"), &mut holes);
    writer.allocate(CELL);
    writer.free(&holes);
    [writer.churn(case.clone(), pairs), Writer::default().churn(case, pairs)]
}

/// A thousand blocks with such holes and nothing else free, and 200 that are empty.
pub(crate) fn in_many_blocks(pairs: usize) -> [Case; 2] {
    let about =
        "1,000 blocks of 4 MiB, each with 20 such holes and nothing else free, and 200 empty ones";
    let case = case("blocks-1000-holes", about, 8 << 30);
    let mut writer = Writer::default();
    let (mut random, mut freed) = (Random::of("holes: sizes"), Vec::new());
    for _ in 0..BLOCKS {
        let end = writer.holes(HOLES_OF_A_BLOCK, &mut random, &mut freed);
        writer.allocate(BLOCK - end);
    }
    writer.empty_blocks(freed);
    [writer.churn(case.clone(), pairs), Writer::default().churn(case, pairs)]
}

/// A thousand blocks with one small hole each, and 200 that are empty.
pub(crate) fn in_full_blocks(pairs: usize) -> [Case; 2] {
    let about = "1,000 blocks of 4 MiB, full but for a hole of 20 to 28 KiB, and 200 empty ones";
    let case = case("blocks-1000", about, 8 << 30);
    let mut writer = Writer::default();
    let (mut random, mut freed) = (Random::of("holes: sizes"), Vec::new());
    for _ in 0..BLOCKS {
        let (front, hole) = (MIB + OFF, 20 * KIB + random.below(8 * KIB / UNIT) * UNIT);
        writer.allocate(front);
        freed.push(writer.allocate(hole));
        writer.allocate(BLOCK - front - hole);
    }
    writer.empty_blocks(freed);
    [writer.churn(case.clone(), pairs), Writer::default().churn(case, pairs)]
}

impl Writer {
    /// Makes empty blocks, and frees what is to be free in the full ones.
    fn empty_blocks(&mut self, mut freed: Vec<u32>) {
        freed.extend((0..200).map(|_| self.allocate(BLOCK)));
        self.free(&freed);
    }
}

#[cfg(test)]
mod tests {
    use vk_pool::tlsf::Tlsf;

    use super::*;

    #[test]
    fn every_hole_is_large_enough_and_none_holds_a_request_at_its_alignment() {
        let [case, whole] = in_one_region(100);
        let mut region = Tlsf::new(case.region_size, u64::from(UNIT)).unwrap();
        let mut slots = vec![None; case.slot_count];
        let prelude = &case.operations[..case.prelude - LIVE as usize];
        for operation in prelude {
            let slot = &mut slots[operation.slot as usize];
            match slot.take() {
                None => *slot = region.allocate(u64::from(operation.size), u64::from(UNIT)),
                Some(block) => drop(region.free(block.offset, block.node)),
            }
        }
        let alignment = u64::from(ALIGNMENT);
        let holes: Vec<_> = region.free_ranges().collect();
        assert_eq!(holes.len(), HOLES as usize + 1, "and the rest of the region");
        for &(offset, size) in &holes[..HOLES as usize] {
            assert!(size >= alignment);
            assert!(offset.next_multiple_of(alignment) + alignment > offset + size);
        }
        // The measured parts differ in the numbers of slots alone.
        let numbers = |case: &Case| -> Vec<_> {
            let measured = &case.operations[case.prelude..];
            measured.iter().map(|operation| (operation.size, operation.alignment)).collect()
        };
        assert_eq!(numbers(&case), numbers(&whole));
    }
}

//! Resizing in place against intervals: when it succeeds, and what is free afterwards.

use std::collections::BTreeMap;

use buddy_core::{BuddyAllocator, BuddyBlock, BuddyConfig, ResizeError, Rounding};
use proptest::prelude::*;
use rstest::rstest;

/// A region and the live blocks it should have, by offset.
struct Model {
    tested: BuddyAllocator,
    live: BTreeMap<u64, u64>,
}

impl Model {
    fn new(total_size: u64, min_block_size: u64) -> Self {
        let tested = BuddyAllocator::new(total_size, min_block_size).unwrap();
        Self { tested, live: BTreeMap::new() }
    }

    fn allocate(&mut self, size: u64) {
        if let Ok(block) = self.tested.allocate(size) {
            assert_eq!(self.live.insert(block.offset, block.size), None);
        }
    }

    fn picked(&self, pick: u64) -> Option<BuddyBlock> {
        let index = usize::try_from(pick).unwrap() % self.live.len().max(1);
        self.live.iter().nth(index).map(|(&offset, &size)| BuddyBlock { offset, size })
    }

    fn free(&mut self, pick: u64) {
        if let Some(block) = self.picked(pick) {
            assert_eq!(self.tested.free(block), Ok(()));
            self.live.remove(&block.offset);
        }
    }

    /// The answer by the documented rule, from the intervals alone.
    fn expected(&self, block: BuddyBlock, new_size: u64) -> Result<BuddyBlock, ResizeError> {
        let total_size = self.tested.total_size();
        if new_size == 0 || new_size > total_size {
            return Err(ResizeError::InvalidSize { size: new_size, total_size });
        }
        let BuddyBlock { offset, size } = block;
        let rounded = new_size.next_power_of_two().max(self.tested.min_block_size());
        let end = offset + rounded;
        let is_free_behind = self.live.range(offset + size..end.max(offset + size)).count() == 0;
        let fits = end <= total_size && offset % rounded == 0 && is_free_behind;
        if rounded > size && !fits {
            return Err(ResizeError::NoRoom { offset, size, new_size });
        }
        Ok(BuddyBlock { offset, size: rounded })
    }

    /// Returns the difference of the orders if it was resized.
    fn resize(&mut self, pick: u64, new_size: u64) -> Option<i64> {
        let block = self.picked(pick)?;
        let before = self.tested.stats();
        let result = self.tested.resize(block, new_size);
        assert_eq!(result, self.expected(block, new_size), "{block:?} to {new_size}");
        let mut expected = before;
        let Ok(resized) = result else {
            assert_eq!(self.tested.stats(), before);
            return None;
        };
        self.live.insert(resized.offset, resized.size);
        let steps = i64::from(resized.size.ilog2()) - i64::from(block.size.ilog2());
        expected.allocated_size = self.live.values().sum();
        expected.peak_allocated = before.peak_allocated.max(expected.allocated_size);
        expected.total_allocated += resized.size.saturating_sub(block.size);
        expected.total_freed += block.size.saturating_sub(resized.size);
        expected.merge_count += u64::try_from(steps).unwrap_or(0);
        expected.split_count += u64::try_from(-steps).unwrap_or(0);
        assert_eq!(self.tested.stats(), expected);
        Some(steps)
    }

    /// Blocks that are no live allocation are refused; those nearest to `block` are tried.
    fn forge(&mut self, pick: u64, new_size: u64) {
        let Some(block) = self.picked(pick) else { return };
        let new_size = new_size.min(self.tested.total_size());
        let min = self.tested.min_block_size();
        for forged in [
            BuddyBlock { size: block.size / 2, ..block },
            BuddyBlock { size: block.size * 2, ..block },
            BuddyBlock { offset: block.offset + min, ..block },
            BuddyBlock { offset: block.offset ^ block.size, ..block },
            BuddyBlock { offset: block.offset + block.size / 2, size: block.size / 2 },
            BuddyBlock { size: block.size + 1, ..block },
        ] {
            let BuddyBlock { offset, size } = forged;
            if self.live.get(&offset) != Some(&size) {
                let refusal = Err(ResizeError::NotAllocated { offset, size });
                assert_eq!(self.tested.resize(forged, new_size), refusal);
            }
        }
    }

    /// The free blocks are the largest aligned ones between the live ones.
    fn check_whole(&self) {
        assert_eq!(self.tested.validate(), Ok(()));
        let live = self.live.iter().map(|(&offset, &size)| BuddyBlock { offset, size });
        assert!(self.tested.taken_blocks().eq(live));
        let mut free = Vec::new();
        let mut offset = 0;
        let end = (self.tested.total_size(), 0);
        for (start, size) in self.live.iter().map(|(&o, &s)| (o, s)).chain([end]) {
            while offset < start {
                let aligned = if offset == 0 { u64::MAX } else { offset & offset.wrapping_neg() };
                let size = aligned.min(1 << (start - offset).ilog2());
                free.push(BuddyBlock { offset, size });
                offset += size;
            }
            offset = start + size;
        }
        assert!(self.tested.free_blocks().eq(free));
    }
}

/// Allocates `sizes` and resizes one of the blocks.
fn check_resize(
    mut region: BuddyAllocator,
    (sizes, index, new_size): (&[u64], usize, u64),
    expected: Result<u64, ()>,
) {
    let blocks: Vec<_> = sizes.iter().map(|&size| region.allocate(size).unwrap()).collect();
    let block = blocks[index];
    let BuddyBlock { offset, size } = block;
    let expected = match expected {
        Ok(size) => Ok(BuddyBlock { offset, size }),
        Err(()) => Err(ResizeError::NoRoom { offset, size, new_size }),
    };
    assert_eq!(region.resize(block, new_size), expected);
    assert_eq!(region.validate(), Ok(()));
    let now = expected.unwrap_or(block);
    assert_eq!(region.taken_blocks().nth(index), Some(now));
    assert_eq!(region.free(now), Ok(()));
}

#[rstest]
#[case::grows_over_the_free_buddy(&[1024], 0, 2048, Ok(2048))]
#[case::grows_over_several_orders(&[1024], 0, 8192, Ok(8192))]
#[case::keeps_its_size_when_the_block_is_large_enough(&[1500], 0, 2048, Ok(2048))]
#[case::shrinks_to_a_part(&[8192], 0, 1, Ok(1024))]
#[case::does_not_grow_over_a_live_block(&[1024, 1024], 0, 2048, Err(()))]
#[case::does_not_grow_as_a_right_half(&[1024, 1024], 1, 2048, Err(()))]
#[case::grows_only_as_far_as_is_free(&[1024, 4096], 0, 2048, Ok(2048))]
#[case::does_not_grow_by_a_part(&[1024, 4096], 0, 8192, Err(()))]
fn a_block_of_8_kib_is_resized(
    #[case] sizes: &[u64],
    #[case] index: usize,
    #[case] new_size: u64,
    #[case] expected: Result<u64, ()>,
) {
    let region = BuddyAllocator::new(8192, 1024).unwrap();
    check_resize(region, (sizes, index, new_size), expected);
}

#[rstest]
#[case(0)]
#[case(8193)]
#[case(u64::MAX)]
fn sizes_that_no_block_of_the_region_has_are_refused(#[case] size: u64) {
    let mut region = BuddyAllocator::new(8192, 1024).unwrap();
    let block = region.allocate(1024).unwrap();
    let refusal = Err(ResizeError::InvalidSize { size, total_size: 8192 });
    assert_eq!(region.resize(block, size), refusal);
    assert!(region.taken_blocks().eq([block]));
}

#[test]
fn a_block_does_not_grow_past_the_end_of_an_odd_region() {
    let mut region = BuddyAllocator::new(3 * 1024, 1024).unwrap();
    let last = region.allocate(1024).unwrap();
    assert_eq!(last.offset, 2048);
    let no_room = |new_size| ResizeError::NoRoom { offset: 2048, size: 1024, new_size };
    assert_eq!(region.resize(last, 2048), Err(no_room(2048)));
    // This rounds up to an order that the region has not.
    assert_eq!(region.resize(last, 3 * 1024), Err(no_room(3 * 1024)));
    let first = region.allocate(2048).unwrap();
    let no_room = ResizeError::NoRoom { offset: 0, size: 2048, new_size: 2049 };
    assert_eq!(region.resize(first, 2049), Err(no_room));
    assert_eq!(region.validate(), Ok(()));
}

#[rstest]
#[case::grows_by_a_minimum_block(&[3072], 0, 4096, Ok(4096))]
#[case::grows_into_a_part_of_what_is_free(&[1024], 0, 5000, Ok(5120))]
#[case::shrinks_within_its_last_piece(&[7168], 0, 6144, Ok(6144))]
#[case::shrinks_by_several_pieces(&[7168], 0, 1, Ok(1024))]
#[case::stops_at_a_live_block(&[5120, 1024], 0, 6144, Err(()))]
#[case::grows_where_its_power_of_two_starts(&[4096, 2048], 1, 3000, Ok(3072))]
#[case::does_not_start_where_allocate_could_not(&[4096, 1024, 1024, 1024], 2, 2048, Err(()))]
fn an_allocation_of_8_kib_trimmed_is_resized(
    #[case] sizes: &[u64],
    #[case] index: usize,
    #[case] new_size: u64,
    #[case] expected: Result<u64, ()>,
) {
    let config = BuddyConfig::new(8192, 1024).with_rounding(Rounding::Trimmed);
    check_resize(BuddyAllocator::with_config(config).unwrap(), (sizes, index, new_size), expected);
}

#[test]
fn a_block_grows_over_the_one_that_waits() {
    for rounding in [Rounding::PowerOfTwo, Rounding::Trimmed] {
        let config = BuddyConfig::new(8192, 1024).with_rounding(rounding).with_waiting(true);
        let mut region = BuddyAllocator::with_config(config).unwrap();
        let [first, second] = [1024, 1024].map(|size| region.allocate(size).unwrap());
        assert_eq!(region.free(second), Ok(()));
        // What waits is not live.
        let BuddyBlock { offset, size } = second;
        let refusal = Err(ResizeError::NotAllocated { offset, size });
        assert_eq!(region.resize(second, 1024), refusal);
        let whole = BuddyBlock { offset: 0, size: 8192 };
        assert_eq!(region.resize(first, 8192), Ok(whole));
        assert_eq!(region.validate(), Ok(()));
        assert!(region.taken_blocks().eq([whole]));
        assert_eq!(region.free(whole), Ok(()));
    }
}

proptest! {
    #[test]
    fn any_program_of_resizes_agrees_with_the_intervals(
        total_size in 1..300_u64,
        min_shift in 0..3_u32,
        program in prop::collection::vec((0..8_u8, any::<u64>(), 0..9_u32, 0..330_u64), 0..150),
    ) {
        let mut model = Model::new(total_size, (1 << min_shift).min(1 << total_size.ilog2()));
        for (kind, pick, shift, size) in program {
            match kind {
                0..3 => model.allocate(size >> shift),
                3 => model.free(pick),
                4 => model.forge(pick, 1 + size % total_size),
                _ => { model.resize(pick, size >> (shift / 2)); }
            }
            model.check_whole();
        }
    }
}

#[test]
fn a_long_program_grows_and_shrinks_by_every_distance() {
    let mut state = 1_u64;
    let mut random = move || {
        // Xorshift (Marsaglia, 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let (total_size, min_block_size) = (1000 * 64 + 13, 64);
    let mut model = Model::new(total_size, min_block_size);
    let mut step_counts = BTreeMap::<i64, u64>::new();
    for round in 0..40_000 {
        let size = random() % (total_size >> (random() % 12)).max(1);
        match random() % 8 {
            0..2 => model.allocate(size),
            2 | 3 => model.free(random()),
            _ => {
                let steps = model.resize(random(), size);
                *step_counts.entry(steps.unwrap_or(i64::MAX)).or_default() += 1;
            }
        }
        if round % 64 == 0 {
            model.check_whole();
        }
    }
    assert!(step_counts[&i64::MAX] > 100, "hardly a resize was refused");
    for steps in -8..=5 {
        assert!(step_counts.contains_key(&steps), "no resize by {steps} orders: {step_counts:?}");
    }
}

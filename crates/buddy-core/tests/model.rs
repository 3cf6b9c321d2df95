//! Long random programs on the allocator and on a naive one, which must agree at every step.

mod support;

use std::fmt::Debug;

use buddy_core::{
    BuddyAllocator, BuddyBlock, BuddyConfig, Fixed, FreeError, Owned, Paged, ResizeError, Rounding,
    Storage,
};
use proptest::prelude::*;
use rstest::rstest;
use support::Reference;

/// A step of a program; numbers are turned into places by what is live at the time.
#[derive(Debug, Clone, Copy)]
enum Step {
    Allocate { size: u64, alignment: u64 },
    FreeLive { pick: u64 },
    FreeForged { pick: u64, shape: u64 },
    Resize { pick: u64, size: u64 },
    Reset,
}

/// The allocator under test and the reference, run side by side.
struct Model<S, const ORDERS: usize = 41> {
    tested: BuddyAllocator<S, ORDERS>,
    reference: Reference,
    config: BuddyConfig,
    last_freed: Option<BuddyBlock>,
    forged_count: u64,
    grown_count: u64,
}

impl<S: Storage, const ORDERS: usize> Model<S, ORDERS> {
    fn new(tested: BuddyAllocator<S, ORDERS>, config: BuddyConfig) -> Self {
        let reference = Reference::new(config);
        let model =
            Self { tested, reference, config, last_freed: None, forged_count: 0, grown_count: 0 };
        model.check_whole();
        model
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Allocate { size, alignment } => self.allocate(size, alignment),
            Step::FreeLive { pick } => self.free_live(pick),
            Step::FreeForged { pick, shape } => self.free_forged(pick, shape),
            Step::Resize { pick, size } => self.resize(pick, size),
            Step::Reset => {
                self.tested.reset();
                self.reference = Reference::new(self.config);
            }
        }
        assert_eq!(self.tested.stats(), self.reference.stats(), "after {step:?}");
        assert_eq!(self.tested.largest_free_block(), self.reference.largest_free_block());
        assert_eq!(self.tested.is_empty(), self.reference.taken.is_empty());
    }

    fn allocate(&mut self, size: u64, alignment: u64) {
        let result = self.tested.allocate_aligned(size, alignment);
        assert_eq!(result, self.reference.allocate(size, alignment), "{size} at {alignment}");
        let Ok(block) = result else { return };
        assert!(block.size >= size && block.offset % alignment.max(1) == 0);
        assert!(block.offset % block.size.next_power_of_two() == 0);
        assert!(block.offset + block.size <= self.tested.total_size());
        let live = &self.reference.taken;
        let below = live.range(..block.offset).next_back();
        assert!(below.is_none_or(|(offset, size)| offset + size <= block.offset), "overlap");
        let above = live.range(block.offset + 1..).next();
        assert!(above.is_none_or(|(&offset, _)| block.offset + block.size <= offset), "overlap");
    }

    /// A place in the region picks the first live block behind it, or the last one.
    fn pick(&self, pick: u64) -> Option<BuddyBlock> {
        let live = &self.reference.taken;
        let place = pick % self.tested.total_size();
        let (&offset, &size) = live.range(place..).next().or(live.last_key_value())?;
        Some(BuddyBlock { offset, size })
    }

    /// An odd size is taken as one near the block's own.
    fn resize(&mut self, pick: u64, size: u64) {
        let Some(block) = self.pick(pick) else { return };
        let near = (block.size / 2).saturating_add(pick % block.size.saturating_mul(2));
        let size = if size % 2 == 1 { near } else { size };
        let result = self.tested.resize(block, size);
        assert_eq!(result, self.reference.resize(block, size), "{block:?} to {size}");
        self.grown_count += u64::from(result.is_ok_and(|new| new.size > block.size));
    }

    fn free_live(&mut self, pick: u64) {
        let Some(block) = self.pick(pick) else { return };
        assert_eq!(self.tested.free(block), Ok(()));
        self.reference.free(block).unwrap();
        self.last_freed = Some(block);
    }

    /// Frees a block made up from a live one, or the one freed last, unless it happens to live.
    fn free_forged(&mut self, pick: u64, shape: u64) {
        let place = pick % self.tested.total_size();
        let min = self.tested.min_block_size();
        let near = self.reference.taken.range(place..).next();
        let (offset, size) = near.map_or((place, min), |(&offset, &size)| (offset, size));
        let forged = match shape % 8 {
            0 => self.last_freed.unwrap_or(BuddyBlock { offset, size: 0 }),
            1 => BuddyBlock { offset, size: size / 2 },
            2 => BuddyBlock { offset, size: size.wrapping_mul(2) },
            3 => BuddyBlock { offset: offset ^ size, size },
            4 => BuddyBlock { offset: offset.wrapping_add(min), size },
            5 => BuddyBlock { offset: offset.wrapping_add(size / 2), size: size / 2 },
            6 => BuddyBlock { offset, size: size.wrapping_add(1) },
            _ => BuddyBlock { offset: self.tested.total_size().wrapping_add(offset), size },
        };
        let BuddyBlock { offset, size } = forged;
        if self.reference.taken.get(&offset) != Some(&size) {
            self.forged_count += 1;
            assert_eq!(self.tested.free(forged), Err(FreeError::NotAllocated { offset, size }));
            let refusal = Err(ResizeError::NotAllocated { offset, size });
            assert_eq!(self.tested.resize(forged, min), refusal);
        }
    }

    /// Every invariant, the exact tiling, and both lists against the reference's.
    fn check_whole(&self) {
        assert_eq!(self.tested.validate(), Ok(()));
        let free: Vec<_> = self.tested.free_blocks().collect();
        let taken: Vec<_> = self.tested.taken_blocks().collect();
        assert_eq!(free, self.reference.free_blocks());
        assert_eq!(taken, self.reference.taken_blocks());
        let mut all = [free, taken].concat();
        all.sort();
        let end = all.iter().fold(0, |end, block| {
            assert_eq!(block.offset, end, "gap or overlap");
            block.offset + block.size
        });
        assert_eq!(end, self.tested.total_size());
    }

    /// Frees what is left; the region must be as it was first, and serve as a whole.
    fn finish(mut self) {
        self.check_whole();
        while !self.reference.taken.is_empty() {
            self.free_live(0);
        }
        self.check_whole();
        let first = Reference::new(self.config);
        let whole: Vec<_> = self.tested.free_blocks().collect();
        assert_eq!(whole, first.free_blocks());
        for block in &whole {
            assert_eq!(self.tested.allocate(block.size), Ok(*block));
        }
        assert_eq!(self.tested.largest_free_block(), 0);
        assert_eq!(self.tested.validate(), Ok(()));
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014), started from a hashed seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A size of any magnitude up to `limit`: first the number of its digits, then the digits.
    fn magnitude(&mut self, limit: u64) -> u64 {
        let digits = self.below(u64::from(limit.ilog2()) + 1);
        (1 << digits | self.next() & ((1 << digits) - 1)).min(limit)
    }

    /// A step of a program that is in a filling or a draining phase.
    fn step(&mut self, total_size: u64, is_filling: bool) -> Step {
        match self.below(64) {
            0 => Step::Allocate { size: self.below(2) * (total_size + 1), alignment: 1 },
            1 => Step::Allocate { size: 1, alignment: self.next() >> self.below(64) },
            2..6 => Step::FreeForged { pick: self.next(), shape: self.next() },
            6..10 => Step::Allocate {
                size: self.magnitude(total_size),
                alignment: 1 << self.below(u64::from(total_size.ilog2()) + 1),
            },
            10..16 => Step::Resize { pick: self.next(), size: self.magnitude(total_size) },
            choice if (choice < 46) == is_filling => {
                let limit = (total_size >> self.below(12)).max(1);
                Step::Allocate { size: self.magnitude(limit), alignment: self.below(2) }
            }
            _ => Step::FreeLive { pick: self.next() },
        }
    }
}

/// Steps of each seeded program; there are 40 of them.
const STEP_COUNT: u64 = 5_000;

fn run_program<S: Storage>(tested: BuddyAllocator<S>, config: BuddyConfig, seed: u64) {
    let BuddyConfig { total_size, min_block_size, .. } = config;
    let mut random = Random(seed);
    random.0 = random.next();
    let mut model = Model::new(tested, config);
    // The larger the region, the longer a whole check takes.
    let check_every = 1 + total_size / min_block_size / 8;
    for index in 0..STEP_COUNT {
        if index == STEP_COUNT / 2 {
            model.run(Step::Reset);
        }
        model.run(random.step(model.tested.total_size(), index / 512 % 2 == 0));
        if index % check_every == 0 {
            model.check_whole();
        }
    }
    assert!(model.forged_count > STEP_COUNT / 100, "hardly a forged free was tried");
    assert!(model.grown_count > 0 || total_size / min_block_size == 1, "no block grew");
    let stats = model.tested.stats();
    assert!(stats.peak_allocated > stats.total_size / 2, "the region never filled");
    model.finish();
}

#[rstest]
#[case::one_block((4096, 4096))]
#[case::one_block_and_a_tail((8191, 4096))]
#[case::bytes((64, 1))]
#[case::odd_bytes((1000, 1))]
#[case::one_below_a_power((1023 * 16, 16))]
#[case::one_above_a_power((1025 * 256, 256))]
#[case::two_layers_of_words((1 << 13, 1))]
#[case::odd_with_a_tail(((3 * 4096 + 1029) * 4096 + 4095, 4096))]
#[case::three_layers_of_words((300_007 * 256, 256))]
#[case::far_end((u64::MAX, 1 << 54))]
fn random_programs_agree_with_the_reference(
    #[case] shape: (u64, u64),
    #[values(Rounding::PowerOfTwo, Rounding::Trimmed)] rounding: Rounding,
    #[values(false, true)] waiting: bool,
) {
    let (total_size, min_block_size) = shape;
    let config =
        BuddyConfig::new(total_size, min_block_size).with_rounding(rounding).with_waiting(waiting);
    let seed = total_size ^ u64::from(waiting);
    // Which storage goes with which shape does not matter, as all run the same code.
    match total_size / min_block_size % 3 {
        0 => {
            // What the words held before must not matter.
            let mut words = vec![0xDEAD_BEEF_0BAD_F00D; config.word_count().unwrap()];
            let tested = BuddyAllocator::in_words(config, &mut words).unwrap();
            run_program::<Fixed>(tested, config, seed);
        }
        1 => {
            let tested = BuddyAllocator::with_config(config).unwrap();
            run_program::<Owned>(tested, config, seed);
        }
        _ => {
            let tested = BuddyAllocator::paged(config).unwrap();
            run_program::<Paged>(tested, config, seed);
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![0..10_u64, 0..200_u64, any::<u64>()];
    let alignment = prop_oneof![Just(0), (0..9_u32).prop_map(|shift| 1 << shift), any::<u64>()];
    let step = prop_oneof![
        8 => (size, alignment).prop_map(|(size, alignment)| Step::Allocate { size, alignment }),
        6 => any::<u64>().prop_map(|pick| Step::FreeLive { pick }),
        6 => (any::<u64>(), 0..200_u64).prop_map(|(pick, size)| Step::Resize { pick, size }),
        3 => any::<(u64, u64)>().prop_map(|(pick, shape)| Step::FreeForged { pick, shape }),
        1 => Just(Step::Reset),
    ];
    prop::collection::vec(step, 0..120)
}

proptest! {
    #[test]
    fn any_short_program_agrees_at_each_step(
        total_size in 1..200_u64,
        min_shift in 0..3_u32,
        trims in any::<bool>(),
        waiting in any::<bool>(),
        program in steps(),
    ) {
        let min_block_size = (1 << min_shift).min(1 << total_size.ilog2());
        let rounding = if trims { Rounding::Trimmed } else { Rounding::PowerOfTwo };
        let config = BuddyConfig::new(total_size, min_block_size)
            .with_rounding(rounding)
            .with_waiting(waiting);
        let tested = BuddyAllocator::with_config(config).unwrap();
        let mut model = Model::new(tested, config);
        // 199 blocks have eight orders.
        let compact = BuddyAllocator::<Owned, 8>::compact(config).unwrap();
        let mut compact = Model::new(compact, config);
        for step in program {
            model.run(step);
            model.check_whole();
            compact.run(step);
            compact.check_whole();
        }
        model.finish();
        compact.finish();
    }
}

//! Programs on `buddy-core`: a region of any shape, rounding and storage, against a shadow map.
//!
//! Basic design: blocks that were handed out are freed and resized, and so are blocks that were made
//! up: halves, unions, neighbours, buddies, stale ones, and plain numbers. A made-up block must be
//! refused unless it happens to be a live one. After each step the counters are compared, and in regions that are
//! small enough every query and every bit.

mod shadow;

use buddy_core::{
    AllocError, BuddyAllocator, BuddyBlock, BuddyConfig, ConfigError, FreeError, ResizeError,
    Rounding, Storage,
};

use self::shadow::Shadow;
use crate::input::Input;
use crate::{Tally, Trace};

/// Steps of one program, at most.
const MAX_STEPS: u64 = 1024;

/// Words that a region may take, so that a program is done in no time.
const MAX_WORDS: usize = 1 << 12;

/// Runs one program on the buddy allocator.
///
/// # Panics
///
/// On every finding.
pub fn core(bytes: &[u8], trace: Trace) -> Tally {
    let mut input = Input::new(bytes);
    if input.is_empty() {
        return Tally::default();
    }
    let (total_size, min_block_size) = shape(&mut input);
    let trims = input.one_in(2);
    let config = BuddyConfig::new(total_size, min_block_size)
        .with_rounding(if trims { Rounding::Trimmed } else { Rounding::PowerOfTwo })
        .with_waiting(!input.one_in(2));
    let storage = input.below(3);
    trace.say(|| format!("{config:x?}, storage {storage}"));
    let Some(word_count) = config.word_count() else {
        refuse_shape(config);
        return Tally { refusals: 1, ..Tally::default() };
    };
    assert!(min_block_size.is_power_of_two() && total_size >= min_block_size, "no such region");
    if word_count > MAX_WORDS {
        return Tally::default();
    }
    let can_be = "a region that has a number of words can be made";
    match storage {
        0 => {
            let region = BuddyAllocator::with_config(config).expect(can_be);
            Program::new(region, config, trace).run(&mut input)
        }
        1 => {
            let region = BuddyAllocator::paged(config).expect(can_be);
            Program::new(region, config, trace).run(&mut input)
        }
        _ => in_words(config, word_count, &mut input, trace),
    }
}

/// Runs the program in lent words, of which there may be one too many.
fn in_words(config: BuddyConfig, word_count: usize, input: &mut Input<'_>, trace: Trace) -> Tally {
    // What the words held before must not matter.
    let mut words = vec![0xDEAD_BEEF_0BAD_F00D; word_count + usize::from(input.one_in(16))];
    let lent = words.len();
    match BuddyAllocator::in_words(config, &mut words) {
        Ok(region) => {
            assert_eq!(lent, word_count);
            Program::new(region, config, trace).run(input)
        }
        Err(error) => {
            let wrong = ConfigError::WrongWordCount { word_count: lent, words_needed: word_count };
            assert_eq!(error, wrong);
            assert_ne!(lent, word_count);
            Tally { refusals: 1, ..Tally::default() }
        }
    }
}

/// A region's size and its minimum block: mostly a few hundred blocks, sometimes anything.
fn shape(input: &mut Input<'_>) -> (u64, u64) {
    match input.below(8) {
        0 => (input.word(), input.word()),
        1 => (input.number(63), input.power(63)),
        2 => (input.number(63), input.number(63)),
        3 => {
            // As far up as 64 bits reach.
            let shift = 62 - input.below(12);
            (u64::MAX - input.word() % (2 << shift), 1 << shift)
        }
        _ => {
            let shift = input.below(40);
            let blocks = input.number(13);
            let tail = input.word() & ((1 << shift) - 1);
            ((blocks << shift) + tail, 1 << shift)
        }
    }
}

fn refuse_shape(config: BuddyConfig) {
    let BuddyConfig { total_size, min_block_size, .. } = config;
    let Err(error) = BuddyAllocator::with_config(config) else {
        panic!("a region that has no number of words was made");
    };
    let is_right = match error {
        ConfigError::ZeroSize { .. } => total_size == 0 || min_block_size == 0,
        ConfigError::MinBlockSizeNotPowerOfTwo { .. } => !min_block_size.is_power_of_two(),
        ConfigError::BelowMinBlock { .. } => total_size < min_block_size,
        ConfigError::TooManyBlocks { block_count, max_block_count } => {
            block_count == total_size / min_block_size && block_count > max_block_count
        }
        _ => false,
    };
    assert!(is_right, "{total_size:#x} by {min_block_size:#x}: {error}");
}

/// A region, and what is known of it.
struct Program<S> {
    region: BuddyAllocator<S>,
    shadow: Shadow,
    last_freed: BuddyBlock,
    /// Whether everything is looked at after every step.
    is_small: bool,
    trace: Trace,
    tally: Tally,
}

impl<S: Storage> Program<S> {
    fn new(region: BuddyAllocator<S>, config: BuddyConfig, trace: Trace) -> Self {
        let min_block_size = region.min_block_size();
        let total_size = region.total_size();
        assert_eq!(min_block_size, config.min_block_size);
        assert_eq!(total_size, config.total_size / min_block_size * min_block_size);
        Self {
            is_small: total_size / min_block_size <= 256,
            shadow: Shadow::new(total_size, min_block_size, config.rounding),
            region,
            last_freed: BuddyBlock { offset: 0, size: 0 },
            trace,
            tally: Tally::default(),
        }
    }

    fn run(mut self, input: &mut Input<'_>) -> Tally {
        self.shadow.check(&self.region);
        while !input.is_empty() && self.tally.steps < MAX_STEPS {
            self.tally.steps += 1;
            self.step(input);
            self.shadow.check_counters(&self.region);
            if self.is_small || self.tally.steps.is_multiple_of(64) {
                self.shadow.check(&self.region);
            }
        }
        self.drain();
        self.tally
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(16) {
            0..=5 => {
                let size = self.size(input);
                self.allocate(size, 1);
            }
            6 | 7 => {
                let size = self.size(input);
                let alignment = if input.one_in(8) { input.word() } else { input.power(63) };
                self.allocate(size, alignment);
            }
            8..=10 => self.free_live(input.word()),
            11 => {
                let (pick, size) = (input.word(), self.size(input));
                self.resize(pick, if input.one_in(16) { input.word() } else { size });
            }
            12 | 13 => self.free_forged(input),
            14 => {
                let size = if input.one_in(2) { input.word() } else { 0 };
                let alignment = input.number(63);
                self.allocate(size, alignment);
            }
            _ if input.one_in(8) => {
                self.trace.say(|| "reset".into());
                self.region.reset();
                self.shadow.reset();
            }
            _ => self.shadow.check(&self.region),
        }
    }

    /// Of any magnitude up to a little beyond the region.
    fn size(&self, input: &mut Input<'_>) -> u64 {
        let bits = self.region.total_size().ilog2().min(62);
        input.number(u8::try_from(bits).expect("a logarithm is below 64"))
    }

    fn allocate(&mut self, size: u64, alignment: u64) {
        let result = self.region.allocate_aligned(size, alignment);
        self.trace.say(|| format!("allocate {size:#x} at {alignment:#x}: {result:x?}"));
        match result {
            Ok(block) => {
                self.shadow.take(block, size, alignment);
                self.tally.allocations += 1;
            }
            Err(error) => {
                self.shadow.check_refusal(&self.region, error, size, alignment);
                self.tally.refusals += 1;
                assert!(!matches!(error, AllocError::OutOfMemory { largest_free_block, .. }
                    if largest_free_block != self.region.largest_free_block()));
            }
        }
    }

    fn free_live(&mut self, pick: u64) {
        let Some(block) = self.shadow.pick(pick) else { return };
        self.trace.say(|| format!("free {block:x?}"));
        assert_eq!(self.region.free(block), Ok(()), "{block:x?} is live");
        self.shadow.give(block);
        self.last_freed = block;
    }

    fn resize(&mut self, pick: u64, new_size: u64) {
        let Some(block) = self.shadow.pick(pick) else { return };
        let result = self.region.resize(block, new_size);
        self.trace.say(|| format!("resize {block:x?} to {new_size:#x}: {result:x?}"));
        assert_eq!(result, self.shadow.resize(block, new_size));
        if let Ok(resized) = result
            && resized != block
        {
            self.last_freed = block;
        }
    }

    fn free_forged(&mut self, input: &mut Input<'_>) {
        let near = self.shadow.pick(input.word()).unwrap_or(self.last_freed);
        let BuddyBlock { offset, size } = near;
        let min = self.region.min_block_size();
        let forged = match input.below(10) {
            0 => self.last_freed,
            1 => BuddyBlock { offset, size: size / 2 },
            2 => BuddyBlock { offset, size: size.wrapping_mul(2) },
            3 => BuddyBlock { offset: offset & !size, size: size.wrapping_mul(2) },
            4 => BuddyBlock { offset: offset ^ size, size },
            5 => BuddyBlock { offset: offset.wrapping_add(min), size },
            6 => BuddyBlock { offset: offset.wrapping_add(size / 2), size: size / 2 },
            7 => BuddyBlock { offset, size: size.wrapping_add(1) },
            8 => BuddyBlock { offset: input.word(), size: input.power(63) },
            _ => BuddyBlock { offset: input.word(), size: input.word() },
        };
        if self.shadow.is_live(forged) {
            return;
        }
        self.trace.say(|| format!("free forged {forged:x?}"));
        let BuddyBlock { offset, size } = forged;
        assert_eq!(self.region.free(forged), Err(FreeError::NotAllocated { offset, size }));
        let refusal = Err(ResizeError::NotAllocated { offset, size });
        assert_eq!(self.region.resize(forged, 1), refusal);
        self.tally.forgeries += 1;
    }

    /// Frees what is left; the region must then serve as it did at first.
    fn drain(&mut self) {
        while self.shadow.pick(0).is_some() {
            self.free_live(0);
        }
        self.shadow.check(&self.region);
        let whole: Vec<BuddyBlock> = self.region.free_blocks().collect();
        for block in &whole {
            assert_eq!(self.region.allocate(block.size), Ok(*block), "as large as it was first");
        }
        assert_eq!(self.region.largest_free_block(), 0);
    }
}

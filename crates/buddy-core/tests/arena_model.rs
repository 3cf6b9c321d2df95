//! Random programs in arenas: no block overlaps another, and bytes stay what they were.

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use allocator_api2::alloc::{Allocator, Layout};
use buddy_core::{Arena, ArenaConfig, LockedArena};
use proptest::prelude::*;
use rstest::rstest;

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    /// Sizes of all magnitudes, alignments up to a page.
    fn layout(&mut self, limit: usize) -> Layout {
        let magnitude = self.below(12);
        let size = self.below((limit >> magnitude).max(1) + 1);
        let most = self.below(13);
        let alignment = 1 << self.below(1 + most);
        Layout::from_size_align(size, alignment).unwrap()
    }
}

/// A live block, every byte of which holds a function of `seed` and its index.
struct Live {
    block: NonNull<[u8]>,
    layout: Layout,
    seed: u8,
}

fn pattern(seed: u8, index: usize) -> u8 {
    index.wrapping_mul(31).to_le_bytes()[0] ^ seed
}

impl Live {
    fn range(&self) -> std::ops::Range<usize> {
        let start = self.block.cast::<u8>().addr().get();
        start..start + self.block.len()
    }

    /// Writes the whole block, the excess included: it is the caller's as well.
    fn fill(&mut self, seed: u8) {
        self.seed = seed;
        let start = self.block.cast::<u8>();
        for index in 0..self.block.len() {
            // SAFETY: the index is inside of the block, which is live.
            let byte = unsafe { start.add(index) };
            // SAFETY: as above.
            unsafe { byte.write(pattern(seed, index)) };
        }
    }

    fn byte(&self, index: usize) -> u8 {
        assert!(index < self.block.len());
        // SAFETY: the index is inside of the block, which is live.
        let byte = unsafe { self.block.cast::<u8>().add(index) };
        // SAFETY: all bytes of a live block were written, by `fill` or by the arena.
        unsafe { byte.read() }
    }

    fn check(&self, byte_count: usize) {
        for index in 0..byte_count {
            assert_eq!(self.byte(index), pattern(self.seed, index), "byte {index}");
        }
    }

    fn is_aligned(&self) -> bool {
        self.range().start.is_multiple_of(self.layout.align())
    }
}

/// How often each thing happened.
#[derive(Debug, Default)]
struct Counts {
    refused: usize,
    stayed: usize,
    moved: usize,
    shrunk: usize,
}

struct Model<A> {
    arena: A,
    live: Vec<Live>,
    counts: Counts,
    next_seed: u8,
}

impl<A: Allocator> Model<A> {
    fn new(arena: A) -> Self {
        Self { arena, live: Vec::new(), counts: Counts::default(), next_seed: 0 }
    }

    fn add(&mut self, block: NonNull<[u8]>, layout: Layout) {
        self.next_seed = self.next_seed.wrapping_add(101);
        let mut new = Live { block, layout, seed: 0 };
        assert!(new.is_aligned() && block.len() >= layout.size(), "{layout:?}");
        let range = new.range();
        for other in self.live.iter().map(Live::range).filter(|other| !other.is_empty()) {
            assert!(range.is_empty() || range.end <= other.start || other.end <= range.start);
        }
        new.fill(self.next_seed);
        self.live.push(new);
    }

    fn allocate(&mut self, layout: Layout, is_zeroed: bool) {
        let result = if is_zeroed {
            self.arena.allocate_zeroed(layout)
        } else {
            self.arena.allocate(layout)
        };
        let Ok(block) = result else {
            self.counts.refused += 1;
            return;
        };
        if is_zeroed {
            let new = Live { block, layout, seed: 0 };
            assert!((0..block.len()).all(|index| new.byte(index) == 0));
        }
        self.add(block, layout);
    }

    fn deallocate(&mut self, pick: usize) {
        let Live { block, layout, .. } = self.take(pick);
        // SAFETY: the block was live with this layout, and is out of the list.
        unsafe { self.arena.deallocate(block.cast(), layout) };
    }

    /// Takes a block out of the list, after a look at all its bytes.
    ///
    /// Half of the time its layout becomes that of its whole length, which fits it too.
    fn take(&mut self, pick: usize) -> Live {
        let mut old = self.live.swap_remove(pick % self.live.len());
        old.check(old.block.len());
        if pick & 1 == 0 {
            old.layout = Layout::from_size_align(old.block.len(), old.layout.align()).unwrap();
        }
        old
    }

    /// Grows or shrinks, whichever the new layout is.
    fn resize(&mut self, pick: usize, new_layout: Layout, is_zeroed: bool) {
        let old = self.take(pick);
        let (size, new_size) = (old.layout.size(), new_layout.size());
        let ptr = old.block.cast();
        let result = if new_size < size {
            // SAFETY: the block is live with this layout, and the new one is smaller.
            unsafe { self.arena.shrink(ptr, old.layout, new_layout) }
        } else if is_zeroed {
            // SAFETY: the block is live with this layout, and the new one is not smaller.
            unsafe { self.arena.grow_zeroed(ptr, old.layout, new_layout) }
        } else {
            // SAFETY: as above.
            unsafe { self.arena.grow(ptr, old.layout, new_layout) }
        };
        let Ok(block) = result else {
            self.counts.refused += 1;
            old.check(old.block.len());
            self.live.push(old);
            return;
        };
        let new = Live { block, layout: new_layout, seed: old.seed };
        new.check(size.min(new_size));
        if is_zeroed && new_size >= size {
            assert!((size..block.len()).all(|index| new.byte(index) == 0));
        }
        if new_size < size {
            self.counts.shrunk += 1;
        } else if block.cast() == ptr {
            self.counts.stayed += 1;
        } else {
            self.counts.moved += 1;
        }
        self.add(block, new_layout);
    }

    fn step(&mut self, random: &mut Random, limit: usize, is_filling: bool) {
        let layout = random.layout(limit);
        let (pick, is_zeroed) = (random.below(1 << 20), random.below(4) == 0);
        let choice = random.below(8);
        if self.live.is_empty() || (choice < 4) == is_filling && choice < 6 {
            self.allocate(layout, is_zeroed);
        } else if choice < 6 {
            self.deallocate(pick);
        } else {
            // Half of the time the alignment stays, as it does in a collection.
            let alignment = if choice == 6 {
                self.live[pick % self.live.len()].layout.align()
            } else {
                layout.align()
            };
            let layout = Layout::from_size_align(layout.size(), alignment).unwrap();
            self.resize(pick, layout, is_zeroed);
        }
    }

    fn finish(mut self) -> Counts {
        while !self.live.is_empty() {
            self.deallocate(self.live.len());
        }
        self.counts
    }
}

#[rstest]
#[case::aligned(0, 1 << 15, 16)]
#[case::at_an_odd_address(1, 1 << 15, 16)]
#[case::large_minimum(2049, 1 << 16, 256)]
#[case::bytes_of_an_odd_length(3, 20_011, 1)]
fn random_programs_keep_their_bytes(
    #[case] start: usize,
    #[case] length: usize,
    #[case] min_block_size: usize,
) {
    let mut memory = vec![MaybeUninit::new(0xA5); start + length];
    let config = ArenaConfig { min_block_size, max_alignment: 4096 };
    let arena = Arena::new(&mut memory[start..], config).unwrap();
    let first = arena.largest_free_block();
    let mut random = Random(start as u64);
    let mut model = Model::new(&arena);
    for round in 0..10_000 {
        model.step(&mut random, length / 2, round / 128 % 2 == 0);
        if round % 64 == 0 {
            assert_eq!(arena.validate(), Ok(()));
        }
        let live_count = model.live.iter().filter(|live| live.layout.size() > 0).count();
        assert_eq!(arena.stats().allocation_count, live_count as u64);
    }
    let counts = model.finish();
    let Counts { refused, stayed, moved, shrunk } = counts;
    assert!(refused.min(stayed).min(moved).min(shrunk) > 50, "{counts:?}");
    assert!(arena.is_empty());
    assert_eq!(arena.largest_free_block(), first);
    assert_eq!(arena.validate(), Ok(()));
}

#[test]
fn several_threads_share_a_locked_arena() {
    let mut memory = vec![MaybeUninit::uninit(); 1 << 17];
    let arena =
        LockedArena::<parking_lot::RawMutex>::new(&mut memory, ArenaConfig::default()).unwrap();
    let first = arena.largest_free_block();
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let arena = &arena;
            scope.spawn(move || {
                let mut random = Random(seed);
                let mut model = Model::new(arena);
                for round in 0..4000 {
                    model.step(&mut random, 1 << 14, round / 128 % 2 == 0);
                }
                let Counts { refused, stayed, moved, .. } = model.finish();
                assert!(refused + stayed > 0 && moved > 0);
            });
        }
    });
    assert!(arena.is_empty());
    assert_eq!(arena.largest_free_block(), first);
    assert_eq!(arena.validate(), Ok(()));
    assert!(arena.stats().total_allocated > 1 << 20);
}

proptest! {
    #[test]
    fn an_arena_of_any_slice_is_made_or_refused_and_works(
        start in 0..5000_usize,
        length in 0..9000_usize,
        min_shift in 0..9_u32,
        alignment_shift in 0..14_u32,
        is_apart: bool,
        seed: u64,
    ) {
        let config = ArenaConfig { min_block_size: 1 << min_shift, max_alignment: 1 << alignment_shift };
        let mut memory = vec![MaybeUninit::uninit(); start + length];
        let memory = &mut memory[start..];
        let range = memory.as_ptr_range();
        let range = range.start.addr()..range.end.addr();
        // Too few words are not what is tried here; a length without a region needs none.
        let mut words = vec![7; Arena::words_needed(length, config).unwrap_or(0)];
        let arena = if is_apart {
            Arena::with_words(memory, &mut words, config)
        } else {
            Arena::new(memory, config)
        };
        let Ok(arena) = arena else {
            // What has room for a gap, a minimum block and the words is not refused.
            let room = config.max_alignment + config.min_block_size;
            let words_room = if is_apart { 0 } else { words.len() * 8 + config.max_alignment + 8 };
            prop_assert!(length < room + words_room);
            return Ok(());
        };
        let mut model = Model::new(&arena);
        let mut random = Random(seed);
        for _ in 0..40 {
            model.step(&mut random, length, true);
            for live in model.live.iter().filter(|live| live.layout.size() > 0) {
                prop_assert!(range.start <= live.range().start && live.range().end <= range.end);
            }
        }
        model.finish();
        prop_assert_eq!(arena.validate(), Ok(()));
        prop_assert!(arena.is_empty());
    }
}

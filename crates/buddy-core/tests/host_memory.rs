//! What regions ask of the host's allocator: nothing after construction, or little and late.
//!
//! A program of its own instead of tests under the harness, whose threads would allocate too.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use buddy_core::{
    AllocError, BuddyAllocator, BuddyBlock, BuddyConfig, FreeError, ResizeError, Rounding, Storage,
};

/// Calls that asked the host for memory, refused ones included.
static CALL_COUNT: AtomicUsize = AtomicUsize::new(0);
/// The bytes the host has handed out and not got back.
static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);
/// Whether the host refuses.
static REFUSES: AtomicBool = AtomicBool::new(false);

struct Counting;

// SAFETY: both methods pass their arguments on to the system's allocator, and answer what it
// answers or null, which an allocator may at any time.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALL_COUNT.fetch_add(1, Ordering::Relaxed);
        if REFUSES.load(Ordering::Relaxed) {
            return std::ptr::null_mut();
        }
        LIVE_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's layout is passed on as it is.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller got the pointer from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static HOST: Counting = Counting;

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

const CALLS: u64 = 1_000_000;

/// A million calls of every kind, refused ones included; returns how often the host was asked.
fn host_calls_of<S: Storage>(region: &mut BuddyAllocator<S>) -> usize {
    let mut random = Random(7);
    let mut live: Vec<BuddyBlock> = Vec::with_capacity(1 << 12);
    let (mut placed, mut refused, mut freed, mut forged) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut resized = 0_u64;
    let before = CALL_COUNT.load(Ordering::Relaxed);
    for _ in 0..CALLS {
        match random.next() % 16 {
            0..8 if live.len() < live.capacity() => {
                let size = random.next() >> (43 + random.next() % 21);
                match region.allocate_aligned(size, 1 << (random.next() % 22)) {
                    Ok(block) => {
                        live.push(block);
                        placed += 1;
                    }
                    Err(_) => refused += 1,
                }
            }
            15 => {
                let (offset, size) = (random.next() % (1 << 21), 1 << (random.next() % 22));
                if !live.contains(&BuddyBlock { offset, size }) {
                    let refusal = FreeError::NotAllocated { offset, size };
                    assert_eq!(region.free(BuddyBlock { offset, size }), Err(refusal));
                    forged += 1;
                }
            }
            14 => {
                let first = region.free_blocks().next().map_or(0, |block| block.size);
                assert!(first <= region.largest_free_block());
                assert_eq!(region.stats().total_size, 1 << 20);
            }
            choice => {
                if !live.is_empty() {
                    let index = usize::try_from(random.next() % live.len() as u64).unwrap();
                    if choice == 13 {
                        let size = random.next() >> (43 + random.next() % 21);
                        if let Ok(block) = region.resize(live[index], size) {
                            live[index] = block;
                            resized += 1;
                        }
                        continue;
                    }
                    assert_eq!(region.free(live.swap_remove(index)), Ok(()));
                    freed += 1;
                }
            }
        }
    }
    let calls = CALL_COUNT.load(Ordering::Relaxed) - before;
    let least = placed.min(refused).min(freed).min(forged).min(resized);
    assert!(least > CALLS / 50, "a kind of call hardly ran");
    region.reset();
    calls
}

fn kinds() -> impl Iterator<Item = BuddyConfig> {
    [Rounding::PowerOfTwo, Rounding::Trimmed].into_iter().flat_map(|rounding| {
        [false, true].map(|waiting| {
            BuddyConfig::new(1 << 20, 16).with_rounding(rounding).with_waiting(waiting)
        })
    })
}

fn a_million_calls_on_owned_words_ask_the_host_for_nothing() {
    for config in kinds() {
        let mut region = BuddyAllocator::with_config(config).unwrap();
        assert_eq!(host_calls_of(&mut region), 0, "{config:?}");
    }
}

fn a_million_calls_on_lent_words_ask_the_host_for_nothing() {
    for config in kinds() {
        let mut words = vec![0; config.word_count().unwrap()];
        let mut region = BuddyAllocator::in_words(config, &mut words).unwrap();
        assert_eq!(host_calls_of(&mut region), 0, "{config:?}");
    }
}

fn a_million_calls_on_an_array_ask_the_host_for_nothing() {
    const CONFIG: BuddyConfig = BuddyConfig::new(1 << 20, 16);
    const WORD_COUNT: usize = CONFIG.word_count().unwrap();
    let mut region = BuddyAllocator::<[u64; WORD_COUNT]>::in_array(CONFIG).unwrap();
    assert_eq!(host_calls_of(&mut region), 0);
}

/// The planted fault: paged words do ask, and the count shows it.
fn the_count_sees_pages_come() {
    for config in kinds() {
        let mut region = BuddyAllocator::paged(config).unwrap();
        assert!(host_calls_of(&mut region) > 0, "{config:?}");
        // All that can come has come.
        assert_eq!(host_calls_of(&mut region), 0, "{config:?}");
    }
}

fn an_almost_empty_region_of_a_tebibyte_costs_kilobytes() {
    for rounding in [Rounding::PowerOfTwo, Rounding::Trimmed] {
        let config = BuddyConfig::new(1 << 40, 4096).with_rounding(rounding);
        let before = LIVE_BYTES.load(Ordering::Relaxed);
        let mut region = BuddyAllocator::paged(config).unwrap();
        let empty = LIVE_BYTES.load(Ordering::Relaxed) - before;
        assert_eq!(empty, region.host_bytes());
        assert!(empty < 64 << 10, "{empty} bytes when empty");
        let blocks = [1, 5000, 1 << 20, 3 << 30].map(|size| region.allocate(size).unwrap());
        let used = LIVE_BYTES.load(Ordering::Relaxed) - before;
        assert_eq!(used, region.host_bytes());
        assert!(used < 128 << 10, "{used} bytes with four allocations");
        for block in blocks {
            assert_eq!(region.free(block), Ok(()));
        }
        assert_eq!(region.largest_free_block(), 1 << 40);
        assert_eq!(used, LIVE_BYTES.load(Ordering::Relaxed) - before);
    }
}

fn the_largest_region_works_and_costs_kilobytes() {
    for rounding in [Rounding::PowerOfTwo, Rounding::Trimmed] {
        let config = BuddyConfig::new(1 << 63, 1 << 23).with_rounding(rounding);
        let mut region = BuddyAllocator::paged(config).unwrap();
        let low = region.allocate(1).unwrap();
        let high = region.allocate(1 << 62).unwrap();
        let odd = region.allocate_aligned((5 << 23) - 1, 1 << 61).unwrap();
        assert_eq!((low.offset, high.offset, odd.offset), (0, 1 << 62, 1 << 61));
        assert!(region.host_bytes() < 512 << 10, "{} bytes", region.host_bytes());
        for block in [high, odd, low] {
            assert_eq!(region.free(block), Ok(()));
            assert!(region.free(block).is_err());
        }
        assert_eq!(region.largest_free_block(), 1 << 63);
        assert!(region.free_blocks().eq([BuddyBlock { offset: 0, size: 1 << 63 }]));
    }
}

fn a_refusal_of_the_host_changes_nothing() {
    for kind in kinds() {
        let config = BuddyConfig::new((1 << 40) + (1 << 20), 16)
            .with_rounding(kind.rounding)
            .with_waiting(kind.waiting);
        let mut region = BuddyAllocator::paged(config).unwrap();
        let kept = region.allocate(100_000).unwrap();
        let (stats, first) = (region.stats(), region.free_blocks().next());
        let free = region.free_blocks().map(|block| block.size).sum::<u64>();
        REFUSES.store(true, Ordering::Relaxed);
        let refused = region.allocate_aligned(77, 1 << 38);
        let (after, first_after) = (region.stats(), region.free_blocks().next());
        let free_after = region.free_blocks().map(|block| block.size).sum::<u64>();
        // What has its pages goes on without the host.
        let freed = region.free(kept);
        let again = region.allocate(100_000);
        REFUSES.store(false, Ordering::Relaxed);
        assert_eq!(refused, Err(AllocError::OutOfHostMemory { size: 77 }));
        assert_eq!((after, first_after, free_after), (stats, first, free));
        assert_eq!((freed, again), (Ok(()), Ok(kept)));
        assert!(region.allocate_aligned(77, 1 << 38).is_ok());
    }
}

fn a_refused_resize_changes_nothing() {
    for kind in kinds() {
        let mut config = kind;
        config.total_size = 1 << 40;
        let mut region = BuddyAllocator::paged(config).unwrap();
        let block = region.allocate(1 << 38).unwrap();
        let stats = region.stats();
        let trims = kind.rounding == Rounding::Trimmed;
        // Powers of two grow by whole blocks, whose words are there.
        let sizes: &[u64] = if trims { &[77, (1 << 39) - 77] } else { &[77] };
        for &size in sizes {
            REFUSES.store(true, Ordering::Relaxed);
            let refused = region.resize(block, size);
            REFUSES.store(false, Ordering::Relaxed);
            assert_eq!(refused, Err(ResizeError::OutOfHostMemory { size }));
            assert_eq!(region.stats(), stats);
            assert!(region.taken_blocks().eq([block]));
            let resized = region.resize(block, size).unwrap();
            assert!(resized.size >= size);
            assert_eq!(region.free(resized), Ok(()));
            assert_eq!(region.largest_free_block(), 1 << 40);
            region.reset();
            assert_eq!(region.allocate(1 << 38), Ok(block));
        }
    }
}

fn main() {
    let tests: [(&str, fn()); 8] = [
        ("owned_words_ask_for_nothing", a_million_calls_on_owned_words_ask_the_host_for_nothing),
        ("lent_words_ask_for_nothing", a_million_calls_on_lent_words_ask_the_host_for_nothing),
        ("an_array_asks_for_nothing", a_million_calls_on_an_array_ask_the_host_for_nothing),
        ("the_count_sees_pages_come", the_count_sees_pages_come),
        ("a_tebibyte_costs_kilobytes", an_almost_empty_region_of_a_tebibyte_costs_kilobytes),
        ("the_largest_region_works", the_largest_region_works_and_costs_kilobytes),
        ("a_refusal_of_the_host_changes_nothing", a_refusal_of_the_host_changes_nothing),
        ("a_refused_resize_changes_nothing", a_refused_resize_changes_nothing),
    ];
    for (name, test) in tests {
        test();
        println!("test {name} ... ok");
    }
    println!("\ntest result: ok. {} passed; 0 failed; 0 ignored", tests.len());
}

//! What a pair of allocate and free costs, by the way a program uses a region.
//!
//! All cases run on 64 MiB with minimum blocks of 256 bytes. Sizes are spread over magnitudes:
//! first the number of binary digits is drawn, then the digits. Each case works on a region that
//! was first brought to its load, and keeps it there. Time is shown per operation or pair, as
//! the name says.

use std::hint::black_box;

use buddy_core::{BuddyAllocator, BuddyBlock, BuddyConfig, Rounding};
use criterion::{Criterion, Throughput};

const TOTAL_SIZE: u64 = 64 << 20;
const MIN_BLOCK_SIZE: u64 = 256;

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A size from 256 bytes to below 4 MiB, all magnitudes alike.
    fn size(&mut self) -> u64 {
        let digits = 8 + self.next() % 14;
        1 << digits | self.next() & ((1 << digits) - 1)
    }
}

fn region() -> BuddyAllocator {
    BuddyAllocator::new(TOTAL_SIZE, MIN_BLOCK_SIZE).unwrap()
}

/// A region filled at random to `percent` of its bytes, and its live blocks.
fn filled(percent: u64, random: &mut Random) -> (BuddyAllocator, Vec<BuddyBlock>) {
    let mut region = region();
    let mut live = Vec::new();
    while region.stats().allocated_size < TOTAL_SIZE / 100 * percent {
        live.extend(region.allocate(random.size()).ok());
    }
    (region, live)
}

/// Allocates, and frees random blocks whenever the load is passed.
fn churn(criterion: &mut Criterion, percent: u64) {
    const ROUND: usize = 1 << 14;
    let mut random = Random(percent);
    let (mut region, mut live) = filled(percent, &mut random);
    // Drawn beforehand, so that the loop measures the allocator and not the generator.
    let program: Vec<_> = (0..ROUND).map(|_| (random.next(), random.size())).collect();
    let limit = TOTAL_SIZE / 100 * percent;
    let mut group = criterion.benchmark_group("churn");
    group.throughput(Throughput::Elements(ROUND as u64));
    group.bench_function(format!("pairs_at_{percent}_percent"), |bencher| {
        bencher.iter(|| {
            for &(pick, size) in &program {
                while region.stats().allocated_size >= limit {
                    let place = usize::try_from(pick % live.len() as u64).unwrap();
                    region.free(live.swap_remove(place)).unwrap();
                }
                live.extend(region.allocate(black_box(size)).ok());
            }
        });
    });
    group.finish();
}

/// Allocates 512 blocks of 64 KiB and frees them in the opposite order.
fn lifo(criterion: &mut Criterion) {
    let mut region = region();
    let mut live = Vec::with_capacity(512);
    let mut group = criterion.benchmark_group("lifo");
    group.throughput(Throughput::Elements(512));
    group.bench_function("pairs_of_64_kib", |bencher| {
        bencher.iter(|| {
            for _ in 0..512 {
                live.push(region.allocate(black_box(64 << 10)).unwrap());
            }
            while let Some(block) = live.pop() {
                region.free(block).unwrap();
            }
        });
    });
    group.finish();
}

/// Allocates and frees one size in a region half full, with the freed block waiting and without:
/// the deepest split and merge for the smallest size. And a size that is trimmed.
fn ping_pong(criterion: &mut Criterion) {
    let config = BuddyConfig::new(TOTAL_SIZE, MIN_BLOCK_SIZE);
    let merging = config.with_waiting(false);
    let trimming = config.with_rounding(Rounding::Trimmed);
    let cases = [
        ("pair_of_256_b", config, 256),
        ("pair_of_256_b_merged", merging, 256),
        ("pair_of_64_kib_merged", merging, 64 << 10),
        ("pair_of_44_kib_trimmed", trimming, 44 << 10),
    ];
    let mut group = criterion.benchmark_group("ping_pong");
    for (name, config, size) in cases {
        let mut region = BuddyAllocator::with_config(config).unwrap();
        for _ in 0..512 {
            region.allocate(64 << 10).unwrap();
        }
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let block = region.allocate(black_box(size)).unwrap();
                region.free(block).unwrap();
            });
        });
    }
    group.finish();
}

/// Fills the whole region with minimum blocks, then empties it by a reset.
fn fill(criterion: &mut Criterion) {
    let mut region = region();
    let count = TOTAL_SIZE / MIN_BLOCK_SIZE;
    let mut group = criterion.benchmark_group("fill");
    group.throughput(Throughput::Elements(count));
    group.bench_function("allocations_of_256_b", |bencher| {
        bencher.iter(|| {
            for _ in 0..count {
                black_box(region.allocate(black_box(256)).unwrap());
            }
            region.reset();
        });
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    churn(&mut criterion, 50);
    churn(&mut criterion, 85);
    lifo(&mut criterion);
    ping_pong(&mut criterion);
    fill(&mut criterion);
    criterion.final_summary();
}

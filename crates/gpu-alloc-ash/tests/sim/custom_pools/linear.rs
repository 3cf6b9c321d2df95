//! VMA's tests of its linear algorithm, told anew with their numbers: buffers in linear pools.

use gpu_alloc_ash::{
    Algorithm, AllocError, Allocation, CustomPool, CustomPoolConfig, LinearKind,
    PoolAllocationRequest,
};
use rstest::rstest;

use super::fixture::{MAPPED, bytes, fixed, linear};
use crate::held::Held;
use crate::rng::Rng;
use crate::support::{KIB, MIB, Sim, buffer_info};

const BLOCK: u64 = 300 * KIB;
const FULL: AllocError = AllocError::PoolFull { max_block_count: 1 };

fn end_of(allocation: &Allocation) -> u64 {
    allocation.offset() + allocation.size()
}

/// Sizes as buffers of these tests have them: 64 to 1,024 bytes in steps of 64.
fn size(rng: &mut Rng) -> u64 {
    (1 + rng.below(16)) * 64
}

fn fill(sim: &Sim, pool: &CustomPool, rng: &mut Rng, count: usize) -> Vec<Allocation> {
    let mut live: Vec<Allocation> = Vec::new();
    for _ in 0..count {
        let allocation = sim.allocate_in(pool, &bytes(size(rng)));
        assert_eq!(allocation.offset(), live.last().map_or(0, end_of), "in a row");
        live.push(allocation);
    }
    live
}

#[rstest]
fn free_at_once(#[values(LinearKind::Auto, LinearKind::FreeAtOnce)] kind: LinearKind) {
    let sim = Sim::default();
    let pool = sim.pool(&linear(MAPPED, kind, BLOCK));
    let mut rng = Rng::new(1);
    for _ in 0..2 {
        let mut live = fill(&sim, &pool, &mut rng, 100);
        assert_eq!(live[0].offset(), 0);
        assert_eq!(pool.stats().allocation_count, 100);
        let sum: u64 = live.iter().map(Allocation::size).sum();
        assert_eq!(pool.stats().requested_size, sum);
        while !live.is_empty() {
            sim.free(live.swap_remove(rng.index(live.len())));
            assert_eq!(pool.check(), Ok(()));
        }
        assert_eq!((pool.stats().used_size, pool.stats().block_count), (0, 1));
    }
    sim.end_pool(pool);
    sim.finish();
}

#[rstest]
fn stack(#[values(LinearKind::Auto, LinearKind::Stack)] kind: LinearKind) {
    let sim = Sim::default();
    let pool = sim.pool(&linear(MAPPED, kind, BLOCK));
    let mut rng = Rng::new(2);
    let mut live = fill(&sim, &pool, &mut rng, 100);
    for _ in 0..100 {
        for _ in 0..1 + rng.below(5) {
            sim.free(live.pop().expect("a hundred, five at most at once"));
        }
        while live.len() < 100 {
            let end = live.last().map_or(0, end_of);
            live.push(sim.allocate_in(&pool, &bytes(size(&mut rng))));
            assert_eq!(live.last().expect("pushed").offset(), end, "the room is used again");
        }
    }
    sim.free_many(live);
    sim.end_pool(pool);
    sim.finish();
}

#[rstest]
fn ring(#[values(LinearKind::Auto, LinearKind::Ring)] kind: LinearKind) {
    let sim = Sim::default();
    let pool = sim.pool(&linear(MAPPED, kind, BLOCK));
    let mut live = std::collections::VecDeque::new();
    (0..100).for_each(|_| live.push_back(sim.allocate_in(&pool, &bytes(KIB))));
    let (mut wraps, mut rounds) = (0, 0);
    while wraps < 3 {
        sim.free(live.pop_front().expect("a hundred"));
        let newest = sim.allocate_in(&pool, &bytes(KIB));
        wraps += u32::from(newest.offset() < live.back().expect("99").offset());
        live.push_back(newest);
        rounds += 1;
    }
    assert!(rounds >= 600, "three times around 300, a hundred of which were there");
    while live.len() < 300 {
        live.push_back(sim.allocate_in(&pool, &bytes(KIB)));
    }
    assert_eq!(sim.refusal_in(&pool, &bytes(KIB)), FULL);
    assert_eq!(pool.check(), Ok(()));
    sim.free_many(live.into());
    sim.end_pool(pool);
    sim.finish();
}

#[rstest]
fn double_stack(#[values(LinearKind::Auto, LinearKind::DoubleStack)] kind: LinearKind) {
    let sim = Sim::default();
    let pool = sim.pool(&linear(MAPPED, kind, BLOCK));
    let mut rng = Rng::new(3);
    let upper = |size| PoolAllocationRequest { upper_end: true, ..bytes(size) };
    let (mut low, mut high) = (Vec::new(), Vec::<Allocation>::new());
    // Until the two meet.
    while let Ok(one) = sim.allocator.allocate_in(&pool, &bytes(size(&mut rng))) {
        low.push(one);
        let Ok(one) = sim.allocator.allocate_in(&pool, &upper(size(&mut rng))) else { break };
        let start = high.last().map_or(BLOCK, Allocation::offset);
        assert_eq!(end_of(&one), start);
        high.push(one);
    }
    assert!(low.len() > 250 && high.len() > 250, "{} and {}", low.len(), high.len());
    let gap = high.last().expect("many").offset() - low.last().map_or(0, end_of);
    assert!(gap < KIB, "{gap} bytes in between");
    assert_eq!(sim.refusal_in(&pool, &upper(KIB)), FULL);
    // Each end gives its room back by itself.
    sim.free(high.pop().expect("many"));
    sim.free(high.pop().expect("many"));
    high.push(sim.allocate_in(&pool, &upper(64)));
    sim.free_many(low);
    low = vec![sim.allocate_in(&pool, &bytes(64 * KIB))];
    assert_eq!(low[0].offset(), 0);
    assert_eq!(pool.check(), Ok(()));
    sim.free_many(low);
    sim.free_many(high);
    sim.end_pool(pool);
    sim.finish();
}

/// LinearAllocatorMultiBlock: buffers of 1 MiB until there are two blocks.
#[test]
fn two_linear_blocks_empty_as_a_whole() {
    let sim = Sim::default();
    let algorithm = Algorithm::Linear(LinearKind::Auto);
    let pool = sim.pool(&CustomPoolConfig { algorithm, ..fixed(MAPPED, 10 * MIB) });
    let mut rng = Rng::new(4);
    let fill = || {
        let mut held = Vec::new();
        while pool.stats().block_count < 2 {
            let made = sim.create_buffer_in(&pool, &buffer_info(MIB), &Default::default());
            let (buffer, memory) = made.expect("there is room");
            held.push(Held::Buffer(buffer, memory));
        }
        held
    };
    let mut held = fill();
    assert_eq!(held.len(), 11);
    while !held.is_empty() {
        held.swap_remove(rng.index(held.len())).release(&sim);
    }
    assert!(pool.stats().block_count <= 1);
    // Last in, first out: half, and one more.
    let mut held = fill();
    held.push(Held::Memory(sim.allocate_in(&pool, &bytes(MIB))));
    for _ in 0..held.len() / 2 + 1 {
        held.pop().expect("half and one are left").release(&sim);
    }
    sim.allocator.trim();
    assert_eq!(pool.stats().block_count, 1);
    held.into_iter().for_each(|held| held.release(&sim));
    sim.end_pool(pool);
    sim.finish();
}

/// A unit of one byte: what is asked for is what is taken, at the alignment that was asked for.
#[test]
fn linear_pools_round_nothing() {
    let sim = Sim::default();
    let pool = sim.pool(&linear(MAPPED, LinearKind::Stack, 1000));
    let live: Vec<_> = (0..3).map(|_| sim.allocate_in(&pool, &bytes(333))).collect();
    assert_eq!(live.iter().map(Allocation::offset).collect::<Vec<_>>(), [0, 333, 666]);
    assert_eq!(pool.stats().used_size, 999);
    sim.free_many(live);
    sim.end_pool(pool);
    sim.finish();
}

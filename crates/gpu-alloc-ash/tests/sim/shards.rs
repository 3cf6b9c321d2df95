//! Threads that collide, move to shards of their own, and free what others have allocated.

use std::sync::Mutex;
use std::thread;

use gpu_alloc_ash::{
    Allocation, AllocationRequest, AllocatorConfig, ConfigError, MemoryRequest, PoolStats,
    UsageFlags,
};
use rstest::rstest;
use vk_sim::DriverConfig;

use crate::rng::Rng;
use crate::support::{KIB, MIB, Sim, allocator_on, free_in};
use crate::tables;

const THREADS: u64 = 4;
const OPERATIONS: u64 = 4000;
/// Rounds at most: on a machine with other work, threads may hardly ever collide.
const ROUNDS: u64 = 20;

/// All of one memory type.
const UPLOAD: AllocationRequest<'static> =
    AllocationRequest { usage: UsageFlags::UPLOAD, ..AllocationRequest::DEFAULT };

/// The memory type that these allocations are of.
fn memory_type_index(sim: &Sim) -> u32 {
    let ranking = sim
        .allocator
        .selector()
        .rank(&MemoryRequest { usage: UsageFlags::UPLOAD, ..MemoryRequest::default() });
    ranking.into_iter().next().expect("a type can be written to")
}

fn stats(sim: &Sim) -> PoolStats {
    sim.allocator.pool_stats(memory_type_index(sim)).expect("the type exists")
}

/// An allocation whose first and last bytes are all one value.
type Marked = (Allocation, u8);

fn mark(sim: &Sim, allocation: &mut Allocation, byte: u8) {
    let end = allocation.size() - 1;
    for offset in [0, end] {
        sim.allocator.write(allocation, offset, &[byte]).expect("it is mapped");
    }
}

fn check_and_free(sim: &Sim, (allocation, byte): Marked) {
    let mut found = [0; 2];
    let end = allocation.size() - 1;
    for (offset, found) in [0, end].into_iter().zip(&mut found) {
        sim.allocator.read(&allocation, offset, std::slice::from_mut(found)).expect("mapped");
    }
    assert_eq!(found, [byte; 2], "another allocation lies here");
    free_in(&sim.allocator, allocation).expect("it is this allocator's");
}

/// Allocates, hands over, takes over and frees; answers the most that was lent between shards.
fn work(sim: &Sim, bag: &Mutex<Vec<Marked>>, seed: u64) -> u64 {
    let mut rng = Rng::new(seed);
    let mut held: Vec<Marked> = Vec::new();
    let mut lent = 0;
    for step in 0..OPERATIONS {
        if held.len() > 60 || (!held.is_empty() && rng.chance(45)) {
            let index = rng.index(held.len());
            let mut marked = held.swap_remove(index);
            if rng.chance(30) {
                let mut bag = bag.lock().expect("no thread panics");
                if !bag.is_empty() {
                    let other = rng.index(bag.len());
                    std::mem::swap(&mut marked, &mut bag[other]);
                }
            }
            check_and_free(sim, marked);
        } else {
            let bits = if rng.chance(2) { 21 } else { 15 };
            let size = rng.magnitude(bits);
            let request = AllocationRequest { size, ..UPLOAD };
            let mut allocation = sim.allocator.allocate(&request).expect("there is room");
            let byte = rng.bytes(1)[0];
            mark(sim, &mut allocation, byte);
            let marked = (allocation, byte);
            let mut bag = bag.lock().expect("no thread panics");
            if bag.len() < 50 { bag.push(marked) } else { held.push(marked) }
        }
        if step % 500 == 0 {
            let stats = stats(sim);
            lent = lent.max(stats.lent_size).max(stats.borrowed_size);
        }
        if rng.below(2000) == 0 {
            sim.allocator.trim();
        }
    }
    for marked in held {
        check_and_free(sim, marked);
    }
    lent
}

#[rstest]
#[case::coherent(DriverConfig::default())]
#[case::not_coherent(tables::non_coherent(256))]
fn threads_that_collide_lease_and_free_for_each_other(#[case] driver: DriverConfig) {
    let mut config = AllocatorConfig::default();
    config.shards = Some(4);
    let sim = Sim::new(driver, config);
    let bag = Mutex::new(Vec::new());
    let round = |round: u64| -> u64 {
        thread::scope(|scope| {
            let (sim, bag) = (&sim, &bag);
            let threads = (0..THREADS).map(|thread| round * THREADS + thread);
            let threads: Vec<_> =
                threads.map(|seed| scope.spawn(move || work(sim, bag, seed))).collect();
            // A report goes through everything under the locks, one after the other, so that others
            // find them taken.
            while threads.iter().any(|thread| !thread.is_finished()) {
                assert!(sim.allocator.leaks().iter().all(|leak| leak.size > 0));
            }
            let lent = threads.into_iter().map(|thread| thread.join().expect("no panic"));
            lent.max().unwrap_or(0)
        })
    };
    // The pools' own tests, and the sanitized program, move threads without waiting for collisions.
    if (0..ROUNDS).map(round).all(|lent| lent == 0) {
        println!("no thread moved to a shard of its own");
    }
    bag.into_inner().expect("no panic").into_iter().for_each(|marked| check_and_free(&sim, marked));
    let left = stats(&sim);
    assert_eq!((left.used_size, left.allocation_count), (0, 0));
    assert_eq!(left.lent_size, left.borrowed_size);
    sim.allocator.trim();
    let stats = sim.allocator.stats();
    assert_eq!((stats.total_allocated, stats.block_count), (0, 0), "leases go back first");
    sim.finish();
}

#[test]
fn one_thread_never_leaves_the_first_shard() {
    let mut config = AllocatorConfig::default();
    config.shards = Some(64);
    let sim = Sim::with_config(config);
    let mut held: Vec<Allocation> = (1..=200)
        .map(|step| sim.allocate(&AllocationRequest { size: step * 10 * KIB, ..UPLOAD }))
        .collect();
    let held_now = stats(&sim);
    assert_eq!((held_now.lent_size, held_now.borrowed_size), (0, 0));
    assert!(held_now.total_size >= 64 * MIB);
    held.drain(..).for_each(|allocation| sim.free(allocation));
    sim.finish();
}

#[rstest]
#[case(0)]
#[case(65)]
#[case(u32::MAX)]
fn there_are_1_to_64_shards(#[case] shards: u32) {
    let driver = vk_sim::SimDriver::new(DriverConfig::default()).expect("a possible device");
    let mut config = AllocatorConfig::default();
    config.shards = Some(shards);
    let refused = allocator_on(&driver, config).expect_err("out of range");
    assert_eq!(refused, ConfigError::Shards { shards });
}

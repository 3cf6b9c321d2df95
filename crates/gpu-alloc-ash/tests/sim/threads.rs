//! Several threads on one allocator, on blocks so small that they come and go all the time.

use std::sync::Barrier;
use std::thread;

use gpu_alloc_ash::{
    AllocError, Allocation, AllocationRequest, AllocatorConfig, LimitError, Strategy, UsageFlags,
};
use rstest::rstest;
use vk_sim::{Call, DriverConfig, Failure};

use crate::rng::Rng;
use crate::support::{KIB, Sim, free_in};
use crate::tables;

const THREADS: u64 = 4;
const OPERATIONS: u64 = 2500;

/// An allocation whose bytes are all one value.
type Filled = (Allocation, u8);

fn check(sim: &Sim, (allocation, byte): &Filled) {
    let mut bytes = vec![0; usize::try_from(allocation.size()).expect("small")];
    sim.allocator.read(allocation, 0, &mut bytes).expect("it is mapped");
    assert!(bytes.iter().all(|found| found == byte), "another thread wrote here");
}

fn fill(sim: &Sim, allocation: &mut Allocation, byte: u8) {
    let bytes = vec![byte; usize::try_from(allocation.size()).expect("small")];
    sim.allocator.write(allocation, 0, &bytes).expect("it is mapped");
}

/// Allocates, writes, reads and frees; answers how many allocations were served.
fn work(sim: &Sim, seed: u64) -> u64 {
    let mut rng = Rng::new(seed);
    let mut held: Vec<Filled> = Vec::new();
    let mut served = 0;
    for _ in 0..OPERATIONS {
        if held.len() > 60 || (!held.is_empty() && rng.chance(45)) {
            let index = rng.index(held.len());
            let filled = held.swap_remove(index);
            check(sim, &filled);
            free_in(&sim.allocator, filled.0).expect("it is its own");
            continue;
        }
        let request = AllocationRequest {
            size: rng.magnitude(14),
            usage: rng.pick(&[UsageFlags::UPLOAD, UsageFlags::DOWNLOAD]),
            strategy: rng.pick(&[Strategy::Auto, Strategy::Auto, Strategy::Dedicated]),
            name: rng.chance(10).then_some("named"),
            ..Default::default()
        };
        match sim.allocator.allocate(&request) {
            Ok(mut allocation) => {
                let byte = rng.bytes(1)[0];
                fill(sim, &mut allocation, byte);
                held.push((allocation, byte));
                served += 1;
            }
            Err(AllocError::Limit(_) | AllocError::Driver { .. }) => {}
            Err(error) => panic!("nothing else can go wrong: {error}"),
        }
        if rng.chance(1) {
            sim.allocator.trim();
        }
    }
    for filled in held {
        check(sim, &filled);
        free_in(&sim.allocator, filled.0).expect("it is its own");
    }
    served
}

#[rstest]
#[case::plenty(DriverConfig::default(), tables::small_blocks())]
#[case::not_coherent(tables::non_coherent(256), tables::small_blocks())]
#[case::heaps_that_run_out(tables::heaps([64 * KIB, 512 * KIB, 64 * KIB]), tables::small_blocks())]
#[case::few_objects(tables::objects(12), tables::small_blocks())]
fn threads_do_not_disturb_one_another(
    #[case] driver: DriverConfig,
    #[case] config: AllocatorConfig,
) {
    let sim = Sim::new(driver, config);
    let start = Barrier::new(usize::try_from(THREADS).expect("few"));
    let served: u64 = thread::scope(|scope| {
        let (sim, start) = (&sim, &start);
        let threads: Vec<_> = (0..THREADS)
            .map(|seed| {
                scope.spawn(move || {
                    start.wait();
                    work(sim, seed)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).sum()
    });
    assert!(served > THREADS * OPERATIONS / 4, "only {served} allocations were served");
    assert!(sim.driver.call_count(Call::AllocateMemory) > 100, "blocks come and go");
    sim.finish();
}

#[test]
fn threads_survive_a_driver_that_refuses_now_and_then() {
    let sim = Sim::new(tables::non_coherent(64), tables::small_blocks());
    for skip in (0..4000).step_by(7) {
        let call = if skip % 2 == 0 { Call::AllocateMemory } else { Call::MapMemory };
        let result = call.errors()[usize::try_from(skip % 3).expect("small")];
        sim.driver.fail(Failure { skip, count: 1, ..Failure::every(call, result) });
    }
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let sim = &sim;
            scope.spawn(move || work(sim, 100 + seed));
        }
    });
    assert!(sim.driver.fired_failure_count() > 50, "{}", sim.driver.fired_failure_count());
    sim.driver.clear_failures();
    sim.finish();
}

/// Limits hold whatever the threads do: the driver records who passes `maxMemoryAllocationCount`.
#[test]
fn threads_together_do_not_pass_a_limit() {
    let mut config = tables::small_blocks();
    config.heap_limits[1] = Some(600 * KIB);
    let sim = Sim::new(tables::objects(8), config);
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let sim = &sim;
            scope.spawn(move || {
                let mut rng = Rng::new(seed);
                for _ in 0..OPERATIONS {
                    let request = AllocationRequest {
                        size: rng.magnitude(18),
                        memory_type_bits: 0b110,
                        strategy: rng.pick(&[Strategy::Auto, Strategy::Dedicated]),
                        ..Default::default()
                    };
                    let usage = sim.driver.live().memory_bytes_per_heap[1];
                    assert!(usage <= 600 * KIB, "{usage} bytes are held");
                    match sim.allocator.allocate(&request) {
                        Ok(allocation) => free_in(&sim.allocator, allocation).expect("its own"),
                        Err(AllocError::Limit(
                            LimitError::HeapLimit { .. } | LimitError::AllocationCount { .. },
                        )) => {}
                        Err(error) => panic!("nothing else can go wrong: {error}"),
                    }
                }
            });
        }
    });
    sim.finish();
}

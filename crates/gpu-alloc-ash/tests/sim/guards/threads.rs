//! Checks by one thread while others allocate, write and free.

use std::thread;

use gpu_alloc_ash::Allocation;
use rstest::rstest;

use super::{Memory, Victim, WRONG, assert_only, named, poke};
use crate::rng::Rng;
use crate::support::{Sim, free_in};
use crate::tables;

const THREADS: u64 = 3;
const OPERATIONS: usize = 400;

/// Allocations whose bytes were written through the pointer, and never flushed.
struct Held(Vec<(Allocation, u8)>);

impl Held {
    fn make(&mut self, sim: &Sim, rng: &mut Rng) {
        let size = rng.magnitude(14);
        let allocation = sim.allocator.allocate(&named("of a thread", size)).expect("room");
        let byte = rng.bytes(1)[0];
        (0..size).for_each(|at| poke(&allocation, at, byte));
        self.0.push((allocation, byte));
    }

    fn end(&mut self, sim: &Sim, index: usize) {
        let (allocation, byte) = self.0.swap_remove(index);
        let address = allocation.mapped_ptr().expect("it is mapped");
        let size = usize::try_from(allocation.size()).expect("small");
        // SAFETY: The allocation is mapped whole, and this thread's alone.
        let bytes = unsafe { std::slice::from_raw_parts(address.as_ptr(), size) };
        assert!(bytes.iter().all(|&found| found == byte), "what was written is there");
        free_in(&sim.allocator, allocation).expect("it is this allocator's");
    }
}

fn work(sim: &Sim, seed: u64) {
    let (mut rng, mut held) = (Rng::new(seed), Held(Vec::new()));
    for _ in 0..OPERATIONS {
        if held.0.len() > 20 || (!held.0.is_empty() && rng.chance(45)) {
            let index = rng.index(held.0.len());
            held.end(sim, index);
        } else {
            held.make(sim, &mut rng);
        }
    }
    while !held.0.is_empty() {
        held.end(sim, 0);
    }
}

/// The check finds the one overrun there is, again and again, while blocks come and go around it.
#[rstest]
fn a_check_beside_other_threads_disturbs_nobody_and_finds_what_is_there(
    #[values(Memory::Coherent, Memory::Atoms(64), Memory::Atoms(4096))] memory: Memory,
) {
    let mut config = tables::small_blocks();
    config.corruption_margin = 100;
    let sim = Sim::new(memory.device(), config);
    let victim = sim.allocate(&named("victim", 1000));
    poke(&victim, 1000, WRONG);
    let checks = thread::scope(|scope| {
        let sim = &sim;
        let threads: Vec<_> =
            (0..THREADS).map(|seed| scope.spawn(move || work(sim, seed))).collect();
        let mut checks = 0;
        while checks == 0 || threads.iter().any(|thread| !thread.is_finished()) {
            let found = sim.allocator.check_corruption();
            assert_only(&found, Some("victim"), &Victim::of(&victim), 1000);
            checks += 1;
        }
        checks
    });
    println!("{checks} checks");
    assert_eq!(sim.allocator.take_overruns(), [], "no thread has passed its end");
    let of_victim = Victim::of(&victim);
    sim.free(victim);
    assert_only(&sim.allocator.take_overruns(), Some("victim"), &of_victim, 1000);
    sim.finish();
}

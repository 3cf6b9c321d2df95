//! Runs a program on a facade with one thread: for its time, and for the time of each operation.
//!
//! # Basic design
//!
//! As in group `core`: calls that may not be inlined, handles kept in a table by slot that is fetched
//! into the cache ahead of its use, and the time that the thread has computed. Each replay has an
//! allocator of its own; making it and ending it are left out. Short programs are replayed several times.

use std::time::{Duration, Instant};

use super::peers::Facade;
use super::program::{Operation, Program, Request};
use crate::clock;
pub(crate) use crate::replay::empty_slots;
use crate::replay::fetch;

/// How many operations ahead of its use a slot is fetched.
const AHEAD: usize = 16;

/// A program is replayed until it has taken so long, but at most so often.
const ENOUGH: Duration = Duration::from_millis(15);
const MOST_REPLAYS: usize = 16;

/// Replays from which the least time of each operation is kept.
const IDENTICAL_REPLAYS: usize = 5;

#[inline(never)]
fn allocate<F: Facade>(facade: &F, request: &Request) -> Option<F::Handle> {
    facade.allocate(request)
}

#[inline(never)]
fn free<F: Facade>(facade: &F, handle: F::Handle) {
    facade.free(handle);
}

/// One operation, as every run does it.
#[inline(always)]
pub(crate) fn step<F: Facade>(facade: &F, slots: &mut [Option<F::Handle>], operation: &Operation) {
    let slot = &mut slots[operation.slot as usize];
    match &operation.request {
        Some(request) => *slot = allocate(facade, request),
        None => {
            if let Some(handle) = slot.take() {
                free(facade, handle);
            }
        }
    }
}

/// Operations one by one, each with its slot fetched ahead.
#[inline(always)]
pub(crate) fn steps<F: Facade>(
    facade: &F,
    slots: &mut [Option<F::Handle>],
    operations: &[Operation],
) {
    let last = operations.len().saturating_sub(1);
    for (at, operation) in operations.iter().enumerate() {
        fetch(&slots[operations[(at + AHEAD).min(last)].slot as usize]);
        step(facade, slots, operation);
    }
}

/// Nanoseconds for an allocation and its release, over the measured part.
pub(crate) fn pair_ns<F: Facade>(make: impl Fn() -> F, program: &Program) -> f64 {
    let (mut elapsed, mut replays) = (Duration::ZERO, 0);
    let (prelude, measured) = program.operations.split_at(program.prelude);
    while replays == 0 || (elapsed < ENOUGH && replays < MOST_REPLAYS) {
        let facade = make();
        let mut slots = empty_slots(program.slot_count);
        steps(&facade, &mut slots, prelude);
        let start = clock::now();
        steps(&facade, &mut slots, measured);
        elapsed += clock::since(start);
        replays += 1;
        slots.into_iter().flatten().for_each(|handle| facade.free(handle));
    }
    elapsed.as_nanos() as f64 / (program.pair_count() * replays as f64)
}

/// The least time that each operation of the measured part took, of a few identical replays, in
/// nanoseconds of the wall, the reading of the clock included.
pub(crate) fn least_times<F: Facade>(make: impl Fn() -> F, program: &Program) -> Vec<u32> {
    let (prelude, measured) = program.operations.split_at(program.prelude);
    // Touched now, so that no page of this table comes to be while the clock runs.
    let mut least = vec![u32::MAX; measured.len()];
    for _ in 0..IDENTICAL_REPLAYS {
        let facade = make();
        let mut slots = empty_slots(program.slot_count);
        steps(&facade, &mut slots, prelude);
        for (operation, time) in measured.iter().zip(&mut least) {
            fetch(&slots[operation.slot as usize]);
            let before = Instant::now();
            step(&facade, &mut slots, operation);
            let nanoseconds = before.elapsed().as_nanos();
            *time = (*time).min(u32::try_from(nanoseconds).unwrap_or(u32::MAX));
        }
        slots.into_iter().flatten().for_each(|handle| facade.free(handle));
    }
    least
}

//! Plays a program on an allocator: for what the driver was asked, and for the time of each step.
//!
//! # Basic design
//!
//! What is committed is read off the simulated driver, after each step that called it; no allocator is
//! asked. That replay also checks where everything lies and that the driver saw no breach of valid
//! usage. Steps are timed in replays of their own, nine identical ones: the least time of each step
//! counts, less what the driver took of it, so that neither other programs on the machine nor the cost
//! of a driver call is anybody's figure.

use std::time::Instant;

use vk_sim::{Call, SimDriver};

use super::facade::{Facade, Policy};
use super::gauge;
use super::program::{Program, Step};
use super::shadow::Shadow;

/// Steps that are played before the clock runs.
const WARM_UP_STEPS: usize = 500;

/// What the driver saw, after each step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Bytes of all memory objects.
    pub(super) committed: Vec<u64>,
    /// Calls of `vkAllocateMemory` so far.
    pub(super) calls: Vec<u64>,
}

/// Plays once, and checks every answer.
///
/// # Errors
///
/// The first step that was refused or answered wrongly, or a breach of valid usage.
pub(super) fn watch<F: Facade>(program: &Program, policy: Policy) -> Result<Seen, String> {
    let driver = SimDriver::new(program.driver_config()).map_err(|error| error.to_string())?;
    let seen = watch_on::<F>(&driver, program, policy)?;
    let violations = driver.finish();
    match violations.first() {
        Some(first) => Err(format!("{} breaches of valid usage: {first}", violations.len())),
        None => Ok(seen),
    }
}

fn watch_on<F: Facade>(
    driver: &SimDriver,
    program: &Program,
    policy: Policy,
) -> Result<Seen, String> {
    let device = gauge::device(driver);
    let facade = F::open(driver, &device, policy)?;
    let mut slots = empty_slots::<F>(program.slot_count);
    let mut shadow = Shadow::default();
    let mut seen = Seen::default();
    let (mut committed, mut calls, mut calls_of_driver) = (0, 0, gauge::calls());
    for (index, step) in program.steps.iter().enumerate() {
        match *step {
            Step::Allocate { slot, ref request } => {
                let held = facade
                    .allocate(request)
                    .ok_or_else(|| format!("step {index}: {request:?} was refused"))?;
                shadow
                    .allocate(driver, request, facade.place(&held))
                    .map_err(|fault| format!("step {index}: {fault}"))?;
                slots[slot] = Some(held);
            }
            Step::Free { slot } => {
                let held = slots[slot].take().expect("a program frees only what lives");
                shadow.free(facade.place(&held));
                facade.free(held);
            }
        }
        if gauge::calls() != calls_of_driver {
            calls_of_driver = gauge::calls();
            committed = driver.live().memory_bytes_per_heap.iter().sum();
            calls = driver.call_count(Call::AllocateMemory) as u64;
        }
        seen.committed.push(committed);
        seen.calls.push(calls);
    }
    slots.into_iter().flatten().for_each(|held| facade.free(held));
    Ok(seen)
}

/// Plays once, and lowers the time of each step in `fastest` to what it took now, in nanoseconds
/// without the driver's; the reading of the clock included.
///
/// # Errors
///
/// The device or the allocator could not be made. Steps that are refused are timed as such: [`watch`]
/// has found them before.
pub(super) fn time<F: Facade>(
    program: &Program,
    policy: Policy,
    fastest: &mut Vec<u32>,
) -> Result<(), String> {
    let driver = SimDriver::new(program.driver_config()).map_err(|error| error.to_string())?;
    let device = gauge::device(&driver);
    let facade = F::open(&driver, &device, policy)?;
    fastest.resize(program.steps.len(), u32::MAX);
    warm_up::<F>(program, policy)?;
    let mut slots = empty_slots::<F>(program.slot_count);
    for (step, time) in program.steps.iter().zip(fastest) {
        gauge::take_time();
        let before = Instant::now();
        match *step {
            Step::Allocate { slot, ref request } => slots[slot] = facade.allocate(request),
            Step::Free { slot } => {
                if let Some(held) = slots[slot].take() {
                    facade.free(held);
                }
            }
        }
        let own = before.elapsed().saturating_sub(gauge::take_time());
        *time = (*time).min(u32::try_from(own.as_nanos()).unwrap_or(u32::MAX));
    }
    slots.into_iter().flatten().for_each(|held| facade.free(held));
    Ok(())
}

/// Brings the allocator's code into the caches, by the first steps on a device that is thrown away.
///
/// Otherwise the worst step is the first one, for everybody: the replay before it was another's.
fn warm_up<F: Facade>(program: &Program, policy: Policy) -> Result<(), String> {
    let driver = SimDriver::new(program.driver_config()).map_err(|error| error.to_string())?;
    let device = gauge::device(&driver);
    let facade = F::open(&driver, &device, policy)?;
    let mut slots = empty_slots::<F>(program.slot_count);
    for step in program.steps.iter().take(WARM_UP_STEPS) {
        match *step {
            Step::Allocate { slot, ref request } => slots[slot] = facade.allocate(request),
            Step::Free { slot } => slots[slot].take().into_iter().for_each(|h| facade.free(h)),
        }
    }
    slots.into_iter().flatten().for_each(|held| facade.free(held));
    Ok(())
}

fn empty_slots<F: Facade>(count: usize) -> Vec<Option<F::Held>> {
    std::iter::repeat_with(|| None).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::facade::{Ours, Vma};
    use crate::memory::mixes;

    #[test]
    fn the_driver_counts_the_same_blocks_for_both_when_they_are_fixed() {
        let program = mixes::mixed("mix", 96 << 20, 1);
        let policy = Policy::FixedBlocks(64 << 20);
        for seen in [watch::<Ours>(&program, policy), watch::<Vma>(&program, policy)] {
            let seen = seen.expect("it is well-behaved");
            assert_eq!(seen.committed.len(), program.steps.len());
            assert!(seen.committed.iter().all(|bytes| bytes.is_multiple_of(64 << 20)));
            assert!(seen.committed.iter().zip(&program.live).all(|(held, live)| held >= live));
            assert_eq!(seen.calls.first(), Some(&1));
        }
    }

    #[test]
    fn one_thread_commits_the_same_with_one_shard_as_with_many() {
        let folder = replay::folder();
        let names = replay::names(&folder);
        assert!(names.len() >= 5, "{names:?}");
        for name in names {
            let program = crate::memory::load(&folder, &name).expect("it is recorded");
            let many = watch::<Ours>(&program, Policy::Default).expect("it is well-behaved");
            let one = watch::<Ours>(&program, Policy::OneShard).expect("it is well-behaved");
            assert!(many == one, "{name}");
        }
    }

    #[test]
    fn each_step_keeps_its_least_time() {
        let program = mixes::mixed("mix", 32 << 20, 1);
        let mut fastest = Vec::new();
        time::<Vma>(&program, Policy::Default, &mut fastest).expect("it opens");
        let first = fastest.clone();
        time::<Vma>(&program, Policy::Default, &mut fastest).expect("it opens");
        assert_eq!(fastest.len(), program.steps.len());
        assert!(fastest.iter().zip(&first).all(|(now, before)| now <= before));
        assert!(fastest.iter().all(|time| *time < u32::MAX));
    }
}

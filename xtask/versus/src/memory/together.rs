//! Two recorded programs at once, by a thread each, on one allocator.
//!
//! # Basic design
//!
//! Both were recorded on one device. Each thread replays its program with the other's answers of no
//! concern to it; they begin together. What is committed is the driver's count again, looked at after each
//! step of either thread, so the mean is over the steps of both. Which thread is ahead differs from run
//! to run, so there are several, in turns, and medians are taken. Nobody's answers are checked here: each
//! program was replayed with all checks before, and threads are verified by group `facade`.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use vk_sim::{Call, SimDriver};

use super::facade::{Facade, Ours, Policy, Vma};
use super::program::{Program, Step};
use super::{figures, gauge};
use crate::report::{Row, median};

/// Which recorded programs run together: of the same device.
const PAIRS: [[&str; 2]; 3] = [
    ["bevy-radv-navi21", "vello-radv-navi21"],
    ["vello-radv-navi21", "vkgraph-radv-navi21"],
    ["bevy-radv-navi21", "bevy-radv-navi21"],
];

/// The case that all of them are.
pub(super) const NAME: &str = "together";

/// What one run took.
struct Taken {
    peak: f64,
    mean: f64,
    calls: f64,
}

/// Runs all pairs so often, and answers the rows.
///
/// # Errors
///
/// A trace that cannot be read, a device that could not be made, or a step that was refused.
pub(super) fn run(runs: usize, tell: &mut dyn FnMut(&str)) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for names in PAIRS {
        let folder = replay::folder();
        let programs = [super::load(&folder, names[0])?, super::load(&folder, names[1])?];
        let name = format!("{NAME}/{}+{}", names[0], names[1]);
        let (mut ours, mut vma) = (Vec::new(), Vec::new());
        for run in 0..runs {
            tell(&format!("{name}: run {} of {runs}", run + 1));
            ours.push(play::<Ours>(&programs)?);
            vma.push(play::<Vma>(&programs)?);
        }
        let figure = |taken: &[Taken], of: fn(&Taken) -> f64| {
            median(&taken.iter().map(of).collect::<Vec<f64>>())
        };
        let mut row = |figure_name: &str, unit, of: fn(&Taken) -> f64| {
            let case = format!("{name}/{figure_name}");
            let (ours, vma) = (figure(&ours, of), figure(&vma, of));
            rows.push(Row::single(figures::GROUP, case, figures::PEER, unit, ours, vma));
        };
        row("peak-committed", "bytes", |taken| taken.peak);
        row("mean-committed", "bytes", |taken| taken.mean);
        row("driver-calls", "calls", |taken| taken.calls);
    }
    Ok(rows)
}

fn play<F>(programs: &[Program; 2]) -> Result<Taken, String>
where
    F: Facade + Sync,
    F::Held: Send,
{
    let driver = SimDriver::new(programs[0].driver_config()).map_err(|error| error.to_string())?;
    let device = gauge::device(&driver);
    let facade = F::open(&driver, &device, Policy::Default)?;
    let (start, committed) = (Barrier::new(2), AtomicU64::new(0));
    let seen: Vec<Result<Vec<u64>, String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = programs
            .iter()
            .map(|program| {
                let (driver, facade, start, committed) = (&driver, &facade, &start, &committed);
                scope.spawn(move || {
                    // The gauge counts by thread, and has to know the driver on each.
                    let _device = gauge::device(driver);
                    start.wait();
                    work(driver, facade, program, committed)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no facade panics")).collect()
    });
    let seen = seen.into_iter().collect::<Result<Vec<_>, String>>()?.concat();
    Ok(Taken {
        peak: seen.iter().copied().max().unwrap_or(0) as f64,
        mean: seen.iter().map(|&bytes| bytes as f64).sum::<f64>() / seen.len().max(1) as f64,
        calls: driver.call_count(Call::AllocateMemory) as f64,
    })
}

/// What was committed after each step of one thread.
fn work<F: Facade>(
    driver: &SimDriver,
    facade: &F,
    program: &Program,
    committed: &AtomicU64,
) -> Result<Vec<u64>, String> {
    let mut slots: Vec<Option<F::Held>> = Vec::new();
    slots.resize_with(program.slot_count, || None);
    let mut calls = gauge::calls();
    let mut seen = Vec::with_capacity(program.steps.len());
    for step in &program.steps {
        match *step {
            Step::Allocate { slot, ref request } => {
                let held = facade.allocate(request);
                slots[slot] = Some(held.ok_or_else(|| format!("{request:?} was refused"))?);
            }
            Step::Free { slot } => {
                facade.free(slots[slot].take().expect("a program frees only what lives"));
            }
        }
        if gauge::calls() != calls {
            calls = gauge::calls();
            let bytes = driver.live().memory_bytes_per_heap.iter().sum();
            committed.store(bytes, Ordering::Relaxed);
        }
        seen.push(committed.load(Ordering::Relaxed));
    }
    slots.into_iter().flatten().for_each(|held| facade.free(held));
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_hold_at_least_what_is_live_at_their_common_peak() {
        let program = super::super::mixes::mixed("mix", 32 << 20, 1);
        let live = program.live.iter().copied().max().unwrap_or(0) as f64;
        let programs = [program.clone(), program];
        for taken in [play::<Ours>(&programs), play::<Vma>(&programs)] {
            let taken = taken.expect("it is well-behaved");
            assert!(taken.peak >= live && taken.peak >= taken.mean && taken.calls > 0.0);
        }
    }
}

//! Ours and the peers through the same cases: verified, then timed in turns.
//!
//! # Basic design
//!
//! As in group `core`: first everybody's answers are verified in every case. Then each run goes through
//! all cases, and in each case through all peers, starting with another one each time, so that figures
//! of one run belong together. A peer that answered wrongly anywhere is timed nowhere.

use super::gpu::Gpu;
use super::peers::{self, Peer};
use super::program::Program;
use super::threads::Slices;
use super::verify::Fault;
use crate::replay::clock_overhead;

/// What is done in a case.
pub(crate) enum Work {
    /// One thread replays a program, and the time of each operation is looked at, too.
    Pairs(Program),
    /// Buffers of these sizes are created, bound and destroyed.
    Buffers(Vec<u64>),
    /// Each program by a thread of its own, at the same time.
    Threads(Vec<Program>),
    /// What one thread allocates, another gives back.
    HandOver(Program),
}

/// A case, under the name that its figures are known by.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) about: String,
    pub(crate) work: Work,
}

/// How much is done.
#[derive(Debug, Clone)]
pub(crate) struct Effort {
    pub(crate) runs: usize,
    /// Pairs of the measured part of a churn.
    pub(crate) pairs: usize,
    /// Where threads are kept, and for how long they are measured.
    pub(crate) slices: Slices,
    /// Where the work of one thread is kept.
    pub(crate) core: Option<usize>,
}

/// Times of single operations, in nanoseconds, the clock taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Latency {
    pub(crate) median: u32,
    pub(crate) p99: u32,
    pub(crate) p999: u32,
    pub(crate) worst: u32,
}

/// One contestant in one case.
pub(crate) struct Entry {
    pub(crate) peer: &'static str,
    /// Its wrong answer here, if it gave one.
    pub(crate) fault: Option<Fault>,
    /// Nanoseconds, one figure a run; none after a wrong answer in any case.
    pub(crate) figures: Vec<f64>,
    pub(crate) latency: Option<Latency>,
}

/// All figures of a case; ours first.
pub(crate) struct Outcome {
    pub(crate) case: Case,
    pub(crate) entries: Vec<Entry>,
    /// What Vulkan's own calls take of everybody's time, one figure a run; none where none are made.
    pub(crate) alone: Vec<f64>,
}

/// Verifies and times everybody, ours first among `peers`; `tell` hears what is being done.
pub(crate) fn run(
    gpu: &Gpu,
    peers: &[Peer],
    cases: Vec<Case>,
    effort: &Effort,
    tell: &mut dyn FnMut(&str),
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for case in cases {
        tell(&format!("verifying {}", case.name));
        let entry = |peer: &Peer| Entry {
            peer: peer.name,
            fault: verified(gpu, peer, &case.work).err(),
            figures: vec![],
            latency: None,
        };
        let entries = peers.iter().map(entry).collect();
        outcomes.push(Outcome { case, entries, alone: vec![] });
    }
    let is_wrong = |index: usize| outcomes.iter().any(|o| o.entries[index].fault.is_some());
    let right: Vec<bool> = (0..peers.len()).map(|index| !is_wrong(index)).collect();
    if let Some(core) = effort.core {
        crate::pin::to_core(core);
    }
    let without = peers::alone();
    for run in 0..effort.runs {
        for Outcome { case, entries, alone } in &mut outcomes {
            tell(&format!("run {} of {}: {}", run + 1, effort.runs, case.name));
            for turn in 0..peers.len() {
                let index = (run + turn) % peers.len();
                if right[index] {
                    let figure = timed(gpu, &peers[index], &case.work, &effort.slices);
                    entries[index].figures.push(figure);
                }
            }
            if let Work::Buffers(_) = &case.work {
                alone.push(timed(gpu, &without, &case.work, &effort.slices));
            }
        }
    }
    let overhead = clock_overhead();
    for Outcome { case, entries, .. } in &mut outcomes {
        let Work::Pairs(program) = &case.work else { continue };
        for (entry, peer) in entries.iter_mut().zip(peers).filter(|(e, _)| !e.figures.is_empty()) {
            tell(&format!("single operations: {}", case.name));
            let times = peer.driver.least_times(gpu, program);
            entry.latency = Latency::of(times, overhead);
        }
    }
    outcomes
}

fn verified(gpu: &Gpu, peer: &Peer, work: &Work) -> Result<(), Fault> {
    match work {
        Work::Pairs(program) | Work::HandOver(program) => peer.driver.verify(gpu, program),
        Work::Buffers(sizes) => peer.driver.verify_buffers(gpu, sizes),
        Work::Threads(programs) => peer.driver.verify_threads(gpu, programs),
    }
}

fn timed(gpu: &Gpu, peer: &Peer, work: &Work, slices: &Slices) -> f64 {
    match work {
        Work::Pairs(program) => peer.driver.pair_ns(gpu, program),
        Work::Buffers(sizes) => peer.driver.buffer_ns(gpu, sizes),
        Work::Threads(programs) => peer.driver.threads_ns(gpu, programs, slices),
        Work::HandOver(program) => peer.driver.handed_over_ns(gpu, program, slices),
    }
}

impl Latency {
    fn of(mut times: Vec<u32>, clock_overhead: u32) -> Option<Self> {
        times.sort_unstable();
        let last = times.len().checked_sub(1)?;
        let at =
            |thousandths: usize| times[last * thousandths / 1000].saturating_sub(clock_overhead);
        Some(Self { median: at(500), p99: at(990), p999: at(999), worst: at(1000) })
    }
}

impl Effort {
    /// For the record.
    pub(crate) fn full(cores: Vec<usize>) -> Self {
        let core = cores.last().copied();
        Self { runs: 9, pairs: 200_000, slices: Slices { count: 16, cores }, core }
    }

    /// For a look.
    pub(crate) fn quick(cores: Vec<usize>) -> Self {
        let full = Self::full(cores);
        Self { runs: 3, pairs: 40_000, slices: Slices { count: 8, ..full.slices }, ..full }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_ranks_of_the_sorted_times_without_the_clock() {
        let times: Vec<u32> = (20..=1020).rev().collect();
        let expected = Latency { median: 500, p99: 990, p999: 999, worst: 1000 };
        assert_eq!(Latency::of(times, 20), Some(expected));
        let one = Latency { median: 0, p99: 0, p999: 0, worst: 0 };
        assert_eq!(Latency::of(vec![7], 20), Some(one));
        assert_eq!(Latency::of(vec![], 20), None);
    }
}

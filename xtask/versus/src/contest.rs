//! Ours and the peers through the same cases in one process: verified, then timed in turns.
//!
//! # Basic design
//!
//! First every peer's answers are verified for every case. Then each run goes through all cases, and
//! in each case through all peers, starting with another one each time. So what the machine does
//! beside us falls on all alike, and figures of one run belong together: ratios are taken run by
//! run as well as between medians.
//!
//! A peer that answered wrongly anywhere is timed nowhere.

use std::time::Duration;

use crate::peers::Peer;
use crate::program::{Case, Figure};
use crate::replay;
use crate::verify::{Fault, Verified};

/// How much is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effort {
    pub(crate) runs: usize,
    /// Pairs of the measured part of a case.
    pub(crate) pairs: usize,
    /// After this the measured part of a run is cut.
    pub(crate) cut: Duration,
    /// After this a verification stops.
    pub(crate) verify: Duration,
    /// After this the first replay for worst operations is cut.
    pub(crate) cut_worst: Duration,
}

/// Where a peer stands in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Verified(Verified),
    /// It cannot run this case, or not in time.
    LeftOut(&'static str),
    /// Its answers are wrong.
    Wrong(Fault),
}

/// One contestant's figures in one case.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) peer: &'static str,
    pub(crate) standing: Standing,
    /// Nanoseconds, one figure a run; for worst operations one in all.
    pub(crate) figures: Vec<f64>,
    /// Whether the program was cut because the peer is slow.
    pub(crate) is_cut: bool,
    /// Which operation the worst was, counted from 0.
    pub(crate) worst_at: Option<usize>,
    /// Least time of each operation.
    fastest: Vec<u32>,
}

/// All figures of a case.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) case: Case,
    pub(crate) ours: Entry,
    /// The harness without an allocator; without figures for worst operations.
    pub(crate) harness: Entry,
    pub(crate) theirs: Vec<Entry>,
}

impl Outcome {
    fn entry(&mut self, index: usize) -> &mut Entry {
        match index {
            0 => &mut self.ours,
            1 => &mut self.harness,
            _ => &mut self.theirs[index - 2],
        }
    }
}

/// Who takes part.
pub(crate) struct Contestants {
    pub(crate) ours: Peer,
    /// Who stands in for it in cases whose names start so.
    pub(crate) ours_elsewhere: Vec<(&'static str, Peer)>,
    pub(crate) harness: Peer,
    pub(crate) theirs: Vec<Peer>,
}

impl Contestants {
    fn count(&self) -> usize {
        2 + self.theirs.len()
    }

    /// Ours in the case of that name.
    fn ours_in(&self, case: &str) -> &Peer {
        let elsewhere = self.ours_elsewhere.iter().find(|(start, _)| case.starts_with(start));
        elsewhere.map_or(&self.ours, |(_, peer)| peer)
    }

    fn peer(&self, index: usize, case: &str) -> &Peer {
        match index {
            0 => self.ours_in(case),
            1 => &self.harness,
            _ => &self.theirs[index - 2],
        }
    }
}

/// Verifies and times everybody; `tell` hears what is being done.
pub(crate) fn run(
    contestants: &Contestants,
    cases: Vec<Case>,
    effort: Effort,
    tell: &mut dyn FnMut(&str),
) -> Vec<Outcome> {
    let mut outcomes: Vec<_> = cases
        .into_iter()
        .map(|case| {
            tell(&format!("verifying {}", case.name));
            verified(contestants, case, effort)
        })
        .collect();
    disqualify(&mut outcomes);
    for run in 0..effort.runs {
        for outcome in &mut outcomes {
            tell(&format!("run {} of {}: {}", run + 1, effort.runs, outcome.case.name));
            for turn in 0..contestants.count() {
                let index = (run + turn) % contestants.count();
                let peer = contestants.peer(index, outcome.case.name);
                take_turn(outcome, peer, index, effort);
            }
        }
    }
    let overhead = replay::clock_overhead();
    for outcome in &mut outcomes {
        if outcome.case.figure == Figure::WorstOperation {
            for index in 0..contestants.count() {
                worst(outcome.entry(index), overhead);
            }
        }
    }
    outcomes
}

fn verified(contestants: &Contestants, case: Case, effort: Effort) -> Outcome {
    let standing = |peer: &Peer| match peer.refusal(&case) {
        Some(reason) => Standing::LeftOut(reason),
        None => match peer.driver.verify(&case, effort.verify) {
            Err(fault) => Standing::Wrong(fault),
            Ok(verified) if verified.operation_count <= case.prelude => {
                Standing::LeftOut("too slow to reach the measured part in time")
            }
            Ok(verified) => Standing::Verified(verified),
        },
    };
    let entry = |peer: &Peer, standing| Entry {
        peer: peer.name,
        standing,
        figures: vec![],
        is_cut: false,
        worst_at: None,
        fastest: vec![],
    };
    let ours = contestants.ours_in(case.name);
    // The harness has no answers to verify.
    let all = Verified {
        operation_count: case.operations.len(),
        allocation_count: 0,
        refused_count: 0,
        is_merging_checked: false,
    };
    let harness = match case.figure {
        Figure::Pair => Standing::Verified(all),
        Figure::WorstOperation => Standing::LeftOut("has no operations of its own"),
    };
    Outcome {
        ours: entry(ours, standing(ours)),
        harness: entry(&contestants.harness, harness),
        theirs: contestants.theirs.iter().map(|peer| entry(peer, standing(peer))).collect(),
        case,
    }
}

/// Who answered wrongly in one case is not believed in the others.
fn disqualify(outcomes: &mut [Outcome]) {
    let is_wrong = |entry: &&Entry| matches!(entry.standing, Standing::Wrong(_));
    let wrong: Vec<_> =
        outcomes.iter().flat_map(|o| o.theirs.iter().filter(is_wrong).map(|e| e.peer)).collect();
    for entry in outcomes.iter_mut().flat_map(|outcome| &mut outcome.theirs) {
        if wrong.contains(&entry.peer) && !is_wrong(&&*entry) {
            entry.standing = Standing::LeftOut("answered wrongly in another case");
        }
    }
}

fn take_turn(outcome: &mut Outcome, peer: &Peer, index: usize, effort: Effort) {
    let mut entry = std::mem::replace(outcome.entry(index), Entry::placeholder());
    if let Standing::Verified(verified) = entry.standing {
        let (case, end) = (&outcome.case, verified.operation_count);
        match case.figure {
            Figure::Pair => {
                let timing = peer.driver.time(case, end, effort.cut);
                entry.figures.push(timing.pair_ns());
                entry.is_cut |= timing.is_cut;
            }
            Figure::WorstOperation => {
                peer.driver.time_each(case, end, effort.cut_worst, &mut entry.fastest);
                entry.is_cut = entry.fastest.len() < case.operations.len();
            }
        }
    }
    *outcome.entry(index) = entry;
}

impl Entry {
    /// Stands in the list while its entry is being worked on.
    fn placeholder() -> Self {
        Self {
            peer: "",
            standing: Standing::LeftOut(""),
            figures: vec![],
            is_cut: false,
            worst_at: None,
            fastest: vec![],
        }
    }
}

/// The largest of the least times becomes the entry's one figure.
fn worst(entry: &mut Entry, clock_overhead: u32) {
    let worst = entry.fastest.iter().enumerate().max_by_key(|&(_, time)| time);
    entry.worst_at = worst.map(|(index, _)| index);
    // Below a nanosecond no clock tells anything, and ratios need a divisor.
    let above = |time: &u32| f64::from(time.saturating_sub(clock_overhead).max(1));
    entry.figures = worst.map(|(_, time)| above(time)).into_iter().collect();
    entry.fastest = vec![];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::{self, planted};
    use crate::workloads;

    const EFFORT: Effort = Effort {
        runs: 3,
        pairs: 1_000,
        cut: Duration::from_secs(10),
        verify: Duration::from_secs(10),
        cut_worst: Duration::from_secs(10),
    };

    fn contest(theirs: Vec<Peer>) -> Vec<Outcome> {
        let contestants = Contestants {
            ours: peers::ours(),
            ours_elsewhere: peers::ours_elsewhere(),
            harness: peers::null(),
            theirs,
        };
        let cases = ["lifo", "ping-pong"]
            .map(|name| workloads::core(name, EFFORT.pairs).expect("the case is listed"));
        run(&contestants, cases.into(), EFFORT, &mut |_| {})
    }

    #[test]
    fn a_peer_that_answers_wrongly_is_timed_nowhere() {
        let outcomes = contest(vec![planted::overlapping()]);
        for outcome in &outcomes {
            let [entry] = outcome.theirs.as_slice() else { panic!("one peer takes part") };
            assert!(!matches!(entry.standing, Standing::Verified(_)), "{entry:?}");
            assert!(entry.figures.is_empty());
            assert_eq!(outcome.ours.figures.len(), EFFORT.runs);
        }
        let wrong = |o: &Outcome| matches!(o.theirs[0].standing, Standing::Wrong(_));
        assert!(outcomes.iter().any(wrong));
    }

    #[test]
    fn the_worst_operation_is_the_largest_of_the_least_times_above_the_clock() {
        let mut entry = Entry { fastest: vec![30, 95, 40], ..Entry::placeholder() };
        worst(&mut entry, 20);
        assert_eq!((entry.figures.as_slice(), entry.worst_at), ([75.0].as_slice(), Some(1)));
        worst(&mut entry, 20);
        assert_eq!((entry.figures.as_slice(), entry.worst_at), ([].as_slice(), None));
    }

    #[test]
    fn everybody_has_a_figure_for_each_run() {
        let mut theirs = peers::all();
        theirs.truncate(2);
        for outcome in contest(theirs) {
            for entry in outcome.theirs.iter().chain([&outcome.ours, &outcome.harness]) {
                assert_eq!(entry.figures.len(), EFFORT.runs, "{entry:?}");
                assert!(entry.figures.iter().all(|figure| *figure > 0.0));
            }
        }
    }
}

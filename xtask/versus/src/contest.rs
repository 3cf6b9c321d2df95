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
    /// One of ours whose figures nobody wants.
    NotAsked,
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
    /// In the order of the contestants.
    pub(crate) ours: Vec<Entry>,
    /// The harness without an allocator; without figures for worst operations.
    pub(crate) harness: Entry,
    pub(crate) theirs: Vec<Entry>,
}

impl Outcome {
    fn entry(&mut self, index: usize) -> &mut Entry {
        self.entries_mut().nth(index).expect("there is an entry for each contestant")
    }

    /// Ours, the harness and theirs, numbered as the contestants are.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.ours.iter().chain([&self.harness]).chain(&self.theirs)
    }

    fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.ours.iter_mut().chain([&mut self.harness]).chain(&mut self.theirs)
    }
}

/// Who takes part.
pub(crate) struct Contestants {
    pub(crate) ours: Vec<Peer>,
    pub(crate) harness: Peer,
    pub(crate) theirs: Vec<Peer>,
}

impl Contestants {
    fn all(&self) -> Vec<&Peer> {
        self.ours.iter().chain([&self.harness]).chain(&self.theirs).collect()
    }
}

/// A case, and which of ours run it, by name.
pub(crate) struct Bout {
    pub(crate) case: Case,
    pub(crate) ours: Vec<&'static str>,
}

/// Verifies and times everybody; `tell` hears what is being done.
pub(crate) fn run(
    contestants: &Contestants,
    bouts: Vec<Bout>,
    effort: Effort,
    tell: &mut dyn FnMut(&str),
) -> Vec<Outcome> {
    let mut outcomes: Vec<_> = bouts
        .into_iter()
        .map(|bout| {
            tell(&format!("verifying {}", bout.case.name));
            verified(contestants, bout, effort)
        })
        .collect();
    let all = contestants.all();
    disqualify(&mut outcomes);
    for run in 0..effort.runs {
        for outcome in &mut outcomes {
            tell(&format!("run {} of {}: {}", run + 1, effort.runs, outcome.case.name));
            for turn in 0..all.len() {
                let index = (run + turn) % all.len();
                take_turn(outcome, all[index], index, effort);
            }
        }
    }
    let overhead = replay::clock_overhead();
    for outcome in &mut outcomes {
        if outcome.case.figure == Figure::WorstOperation {
            outcome.entries_mut().for_each(|entry| worst(entry, overhead));
        }
    }
    outcomes
}

fn verified(contestants: &Contestants, bout: Bout, effort: Effort) -> Outcome {
    let Bout { case, ours } = bout;
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
    let entry = |peer: &Peer, standing| Entry { peer: peer.name, standing, ..Entry::placeholder() };
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
    let mine = |peer: &Peer| {
        let is_asked = ours.contains(&peer.name);
        entry(peer, if is_asked { standing(peer) } else { Standing::NotAsked })
    };
    Outcome {
        ours: contestants.ours.iter().map(mine).collect(),
        harness: entry(&contestants.harness, harness),
        theirs: contestants.theirs.iter().map(|peer| entry(peer, standing(peer))).collect(),
        case,
    }
}

/// Who answered wrongly in one case is not believed in the others.
fn disqualify(outcomes: &mut [Outcome]) {
    let is_wrong = |entry: &&Entry| matches!(entry.standing, Standing::Wrong(_));
    let wrong: Vec<_> =
        outcomes.iter().flat_map(|o| o.entries().filter(is_wrong).map(|e| e.peer)).collect();
    for entry in outcomes.iter_mut().flat_map(Outcome::entries_mut) {
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
        let contestants = Contestants { ours: peers::ours(), harness: peers::null(), theirs };
        let bouts = ["lifo", "ping-pong"].map(|name| {
            let case = workloads::core(name, EFFORT.pairs).expect("the case is listed");
            Bout { case, ours: contestants.ours.iter().map(|peer| peer.name).collect() }
        });
        run(&contestants, bouts.into(), EFFORT, &mut |_| {})
    }

    #[test]
    fn a_peer_that_answers_wrongly_is_timed_nowhere() {
        let outcomes = contest(vec![planted::overlapping()]);
        for outcome in &outcomes {
            let [entry] = outcome.theirs.as_slice() else { panic!("one peer takes part") };
            assert!(!matches!(entry.standing, Standing::Verified(_)), "{entry:?}");
            assert!(entry.figures.is_empty());
            assert!(outcome.ours.iter().all(|entry| entry.figures.len() == EFFORT.runs));
        }
        let wrong = |o: &Outcome| matches!(o.theirs[0].standing, Standing::Wrong(_));
        assert!(outcomes.iter().any(wrong));
    }

    #[test]
    fn ours_are_not_timed_where_nobody_asked_for_them() {
        let contestants =
            Contestants { ours: peers::ours(), harness: peers::null(), theirs: vec![] };
        let case = workloads::core("lifo", EFFORT.pairs).expect("the case is listed");
        let bout = Bout { case, ours: vec!["tlsf"] };
        let [outcome] = &run(&contestants, vec![bout], EFFORT, &mut |_| {})[..] else {
            panic!("one case is run")
        };
        let timed: Vec<_> = outcome.ours.iter().filter(|entry| !entry.figures.is_empty()).collect();
        assert_eq!(timed.iter().map(|entry| entry.peer).collect::<Vec<_>>(), ["tlsf"]);
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
            for entry in outcome.entries() {
                assert_eq!(entry.figures.len(), EFFORT.runs, "{entry:?}");
                assert!(entry.figures.iter().all(|figure| *figure > 0.0));
            }
        }
    }
}

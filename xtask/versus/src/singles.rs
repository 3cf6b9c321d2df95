//! Single operations beside much that is of no use to them, against the same where there is nothing.
//!
//! # Basic design
//!
//! Each trial has two programs whose measured operations are the same: one runs in the bad state, the
//! other in one unfragmented block. Both are replayed nine times, in turns with each other and with VMA
//! in the bad state. Of each operation's nine times the least goes into the worst figure, as what
//! interrupts one replay does not hit it in all; the mean of the six least into median and 99th
//! percentile, as the clock's ticks are as long as a short operation.

use std::time::{Duration, Instant};

use crate::peers::{self, Peer};
use crate::program::Case;
use crate::report::Row;
use crate::workloads::holes;

/// Of every operation.
const REPLAYS: usize = 9;

/// How many of them count for the mean.
const COUNTED: usize = 6;

/// No replay is cut.
const LIMIT: Duration = Duration::from_secs(600);

/// The trials, by the names of their cases.
pub(crate) const NAMES: [&str; 3] = ["holes-16384", "blocks-1000", "blocks-1000-holes"];

/// What single operations take, in nanoseconds above an empty reading of the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figures {
    median: f64,
    p99: f64,
    worst: f64,
}

/// Who runs which program, and under which name.
struct Runner {
    ours: &'static str,
    /// The peer's name in the rows of ours; none for ours in the bad state.
    peer: Option<&'static str>,
    by: Peer,
    /// 0: the bad state; 1: the unfragmented block.
    program: usize,
}

/// A trial's table and rows.
pub(crate) struct Outcome {
    pub(crate) table: String,
    pub(crate) rows: Vec<Row>,
}

/// Runs the trial of that name with so many pairs; `None` for a name that is none.
///
/// # Errors
///
/// Wrong answers, with who gave them.
pub(crate) fn run(
    group: &'static str,
    name: &str,
    pairs: usize,
    tell: &mut dyn FnMut(&str),
) -> Option<Result<Outcome, String>> {
    let programs = match name {
        "holes-16384" => holes::in_one_region(pairs),
        "blocks-1000" => holes::in_full_blocks(pairs),
        "blocks-1000-holes" => holes::in_many_blocks(pairs),
        _ => return None,
    };
    let runners = if name == "holes-16384" { regions() } else { pools() };
    Some(measure(group, &programs, &runners, tell))
}

fn regions() -> Vec<Runner> {
    let ours = |program: usize| {
        let peer = (program == 1).then_some("unfragmented");
        let holed = [peers::TLSF, peers::TWO_TIER];
        let by = peers::ours().into_iter().filter(move |by| holed.contains(&by.name));
        by.map(move |by| Runner { ours: by.name, peer, by, program })
    };
    let vma = peers::all().into_iter().filter(|by| by.name == "vma-default");
    let vma = vma.map(|by| Runner { ours: "", peer: Some(by.name), by, program: 0 });
    ours(0).chain(ours(1)).chain(vma).collect()
}

fn pools() -> Vec<Runner> {
    let [many, one] = peers::pools();
    vec![
        Runner { ours: "pool", peer: None, by: many, program: 0 },
        Runner { ours: "pool", peer: Some("unfragmented"), by: one, program: 1 },
    ]
}

fn measure(
    group: &'static str,
    programs: &[Case; 2],
    runners: &[Runner],
    tell: &mut dyn FnMut(&str),
) -> Result<Outcome, String> {
    let name = programs[0].name;
    tell(&format!("verifying {name}"));
    for Runner { by, program, .. } in runners {
        let verified = by.driver.verify(&programs[*program], LIMIT);
        let verified =
            verified.map_err(|fault| format!("wrong answers: {} in {name}: {fault}", by.name))?;
        if verified.refused_count > 0 {
            return Err(format!("{} has refused what there is room for in {name}", by.name));
        }
    }
    let mut times = vec![Vec::new(); runners.len()];
    for replay in 0..REPLAYS {
        tell(&format!("replay {} of {REPLAYS}: {name}", replay + 1));
        for turn in 0..runners.len() {
            let index = (replay + turn) % runners.len();
            let case = &programs[runners[index].program];
            let mut each = Vec::new();
            runners[index].by.driver.time_each(case, case.operations.len(), LIMIT, &mut each);
            times[index].push(each.split_off(case.prelude));
        }
    }
    let empty = empty_readings();
    let figures: Vec<_> = times.iter().map(|replays| figures(replays, empty)).collect();
    Ok(report(group, &programs[0], runners, &figures))
}

/// The least, and the mean of the least, of so many times.
fn least(mut times: [u32; REPLAYS]) -> (f64, f64) {
    times.sort_unstable();
    let sum: f64 = times[..COUNTED].iter().copied().map(f64::from).sum();
    (f64::from(times[0]), sum / COUNTED as f64)
}

/// The same of empty intervals between two readings of the clock: the least, and the mean.
fn empty_readings() -> (f64, f64) {
    let empty = |_| {
        let before = Instant::now();
        u32::try_from(before.elapsed().as_nanos()).unwrap_or(u32::MAX)
    };
    let readings: Vec<_> = (0..10_000).map(|_| least(std::array::from_fn(empty))).collect();
    let shortest = readings.iter().map(|reading| reading.0).fold(f64::INFINITY, f64::min);
    let mean = readings.iter().map(|reading| reading.1).sum::<f64>() / readings.len() as f64;
    (shortest, mean)
}

fn figures(replays: &[Vec<u32>], empty: (f64, f64)) -> Figures {
    let each = |index: usize| least(std::array::from_fn(|replay| replays[replay][index]));
    let times: Vec<_> = (0..replays[0].len()).map(each).collect();
    // Below a nanosecond no clock tells anything, and ratios need a divisor.
    let above = |time: f64, empty: f64| (time - empty).max(1.0);
    let mut means: Vec<_> = times.iter().map(|time| time.1).collect();
    means.sort_by(f64::total_cmp);
    let quantile = |percent: usize| above(means[(means.len() - 1) * percent / 100], empty.1);
    let worst = times.iter().map(|time| time.0).fold(0.0, f64::max);
    Figures { median: quantile(50), p99: quantile(99), worst: above(worst, empty.0) }
}

fn report(group: &'static str, case: &Case, runners: &[Runner], figures: &[Figures]) -> Outcome {
    let mut table = format!("\n{}   {}\n", case.name, case.about);
    table.push_str(&format!(
        "  {:<30} {:>9} {:>9} {:>9}   ns, single operations\n",
        "", "median", "p99", "worst"
    ));
    let mut rows = Vec::new();
    for (runner, of) in runners.iter().zip(figures) {
        let who =
            runner.peer.map_or(runner.ours.to_owned(), |peer| format!("{} {peer}", runner.ours));
        let line =
            format!("  {:<30} {:>9.1} {:>9.1} {:>9.0}\n", who.trim(), of.median, of.p99, of.worst);
        table.push_str(&line);
        let Some(peer) = runner.peer else { continue };
        // A peer of nobody's own is compared with each of ours.
        let compared = runners.iter().zip(figures).filter(|(ours, _)| {
            ours.peer.is_none() && (runner.ours.is_empty() || ours.ours == runner.ours)
        });
        for (ours, mine) in compared {
            let named = |what: &str| format!("{}/{}/{what}", ours.ours, case.name);
            let pairs = [
                ("median", mine.median, of.median),
                ("p99", mine.p99, of.p99),
                ("worst", mine.worst, of.worst),
            ];
            rows.extend(pairs.map(|(what, mine, theirs)| {
                Row::single(group, named(what), peer, "ns", mine, theirs)
            }));
        }
    }
    for Row { case, peer, ratio, .. } in &rows {
        table.push_str(&format!("  {case:<34} / {peer:<14} {ratio:>9.3}\n"));
    }
    Outcome { table, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_percentile_are_of_means_and_the_worst_is_of_least_times() {
        // The clock takes 20; the third operation is interrupted in one replay, the fourth is slow.
        let mut replays = vec![vec![30, 40, 50, 120]; REPLAYS];
        replays[4] = vec![30, 40, 9_000, 130];
        let of = figures(&replays, (20.0, 20.0));
        assert_eq!(of, Figures { median: 20.0, p99: 30.0, worst: 100.0 });
    }

    #[test]
    fn every_trial_is_run_and_has_a_row_for_each_figure_and_peer() {
        for name in NAMES {
            let outcome = run("core", name, 50, &mut |_| {}).expect("it is listed");
            let rows = outcome.expect("all answers are right").rows;
            let expected = if name == "holes-16384" { 2 * 2 * 3 } else { 3 };
            assert_eq!(rows.len(), expected, "{name}");
            assert!(rows.iter().all(|row| row.ratio > 0.0 && row.case.contains(name)));
        }
        assert!(run("core", "none", 50, &mut |_| {}).is_none());
    }
}

//! Tables and rows of group `facade`.

use std::fmt::Write as _;

use super::contest::{Entry, Outcome, Work};
use crate::report::{Row, median, number, range};

const GROUP: &str = "facade";

/// The case that the throughput of several threads is held against.
const ONE_THREAD: &str = "threads-1";

/// The comparisons of all cases with the peers, and of several threads with one, in order.
pub(crate) fn rows(outcomes: &[Outcome]) -> Vec<Row> {
    outcomes
        .iter()
        .flat_map(|outcome| peer_rows(outcome).chain(scaling(outcomes, outcome)))
        .collect()
}

fn peer_rows(outcome: &Outcome) -> impl Iterator<Item = Row> + '_ {
    let (ours, theirs) = outcome.entries.split_first().expect("ours is always there");
    theirs
        .iter()
        .filter(|entry| !entry.figures.is_empty() && !ours.figures.is_empty())
        .map(|entry| Row::of(GROUP, outcome.case.name, entry.peer, &ours.figures, &entry.figures))
}

/// Our throughput with several threads against that with one: above 1 it scales.
fn scaling(outcomes: &[Outcome], outcome: &Outcome) -> Option<Row> {
    let one = outcomes.iter().find(|outcome| outcome.case.name == ONE_THREAD)?;
    let is_several = matches!(&outcome.case.work, Work::Threads(programs) if programs.len() > 1);
    let throughput = |outcome: &Outcome| -> Vec<f64> {
        outcome.entries[0].figures.iter().map(|nanoseconds| 1e9 / nanoseconds).collect()
    };
    let (several, one) = (throughput(outcome), throughput(one));
    (is_several && !several.is_empty()).then(|| Row {
        unit: "pairs/s",
        ..Row::of(GROUP, outcome.case.name, "self-1-thread", &several, &one)
    })
}

/// The table of one case.
pub(crate) fn table(outcomes: &[Outcome], outcome: &Outcome) -> String {
    let mut text = format!("\n{}   {}\n", outcome.case.name, outcome.case.about);
    let unit = match outcome.case.work {
        Work::Buffers(_) => "ns a buffer",
        Work::Pairs(_) | Work::Threads(_) | Work::HandOver(_) => "ns a pair",
    };
    let mut line = |columns: [&str; 6]| {
        let [name, figure, spread, ratio, by_runs, note] = columns;
        let row =
            format!("  {name:<16} {figure:>12} {spread:>17} {ratio:>8} {by_runs:>9}   {note}");
        text.push_str(row.trim_end());
        text.push('\n');
    };
    let has_latency = matches!(outcome.case.work, Work::Pairs(_));
    let note = if has_latency { "one operation: p50 / p99 / p99.9 / worst ns" } else { "" };
    line(["", unit, "(range)", "ratio", "by runs", note]);
    let rows: Vec<_> = peer_rows(outcome).collect();
    for entry in &outcome.entries {
        let row = rows.iter().find(|row| row.peer == entry.peer);
        let ratio = row.map_or(String::new(), |row| format!("{:.3}", row.ratio));
        let by_runs = row.map_or(String::new(), |row| format!("{:.3}", row.ratio_of_runs));
        let figure = number(median(&entry.figures));
        line([entry.peer, &figure, &range(&entry.figures), &ratio, &by_runs, &note_of(entry)]);
    }
    if !outcome.alone.is_empty() {
        let figure = number(median(&outcome.alone));
        line(["(Vulkan alone)", &figure, &range(&outcome.alone), "", "", ""]);
    }
    if let Some(Row { ratio, ratio_of_runs, .. }) = scaling(outcomes, outcome) {
        writeln!(text, "  throughput against one thread: {ratio:.2}   by runs {ratio_of_runs:.2}")
            .expect("writing to a string does not fail");
    }
    text
}

fn note_of(entry: &Entry) -> String {
    match (&entry.fault, entry.latency) {
        (Some(fault), _) => format!("WRONG, not timed: {fault}"),
        (None, _) if entry.figures.is_empty() => "answered wrongly in another case".into(),
        (None, Some(times)) => {
            format!("{} / {} / {} / {}", times.median, times.p99, times.p999, times.worst)
        }
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facade::contest::Case;
    use crate::facade::program::churn;

    fn outcome(name: &'static str, threads: usize, ours: f64, theirs: f64) -> Outcome {
        let work = Work::Threads(vec![churn(name, 1, 64); threads]);
        let entry =
            |peer, figure| Entry { peer, fault: None, figures: vec![figure], latency: None };
        let case = Case { name, about: String::new(), work };
        let entries = vec![entry("gpu-alloc-ash", ours), entry("vma", theirs)];
        Outcome { case, entries, alone: vec![] }
    }

    #[test]
    fn several_threads_are_also_held_against_one_by_throughput() {
        let outcomes =
            [outcome("threads-1", 1, 40.0, 200.0), outcome("threads-2-same-type", 2, 20.0, 250.0)];
        let rows = rows(&outcomes);
        let told: Vec<_> = rows.iter().map(|r| (&*r.case, r.peer, r.unit, r.ratio)).collect();
        let expected = [
            ("threads-1", "vma", "ns", 0.2),
            ("threads-2-same-type", "vma", "ns", 0.08),
            ("threads-2-same-type", "self-1-thread", "pairs/s", 2.0),
        ];
        assert_eq!(told, expected);
        assert!(table(&outcomes, &outcomes[1]).contains("one thread: 2.00"));
    }
}

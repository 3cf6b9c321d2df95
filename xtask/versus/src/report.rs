//! Ratios from figures: a table for people, one JSON object a line for programs.

use std::borrow::Cow;
use std::fmt::Write;

use crate::contest::{Entry, Outcome, Standing};
use crate::program::Figure;
use crate::workloads::row_name;

/// One comparison. `ratio` is `ours / theirs`: below 1 we are better.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) case: Cow<'static, str>,
    pub(crate) peer: &'static str,
    pub(crate) ours: f64,
    pub(crate) theirs: f64,
    pub(crate) unit: &'static str,
    /// Of the medians.
    pub(crate) ratio: f64,
    /// The median of the ratios of single runs.
    pub(crate) ratio_of_runs: f64,
}

impl Row {
    pub(crate) fn of(
        group: &'static str,
        case: impl Into<Cow<'static, str>>,
        peer: &'static str,
        ours: &[f64],
        theirs: &[f64],
    ) -> Self {
        let ratios: Vec<_> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        let ratio_of_runs = median(&ratios);
        let (ours, theirs) = (median(ours), median(theirs));
        let ratio = ours / theirs;
        Self { group, case: case.into(), peer, ours, theirs, unit: "ns", ratio, ratio_of_runs }
    }

    /// A comparison of two figures that were taken once.
    pub(crate) fn single(
        group: &'static str,
        case: String,
        peer: &'static str,
        unit: &'static str,
        ours: f64,
        theirs: f64,
    ) -> Self {
        let ratio = Self::ratio(ours, theirs);
        Self { group, case: case.into(), peer, ours, theirs, unit, ratio, ratio_of_runs: ratio }
    }

    /// `ours / theirs`; two zeros are alike.
    pub(crate) fn ratio(ours: f64, theirs: f64) -> f64 {
        if ours == 0.0 && theirs == 0.0 { 1.0 } else { ours / theirs }
    }

    /// The row as a JSON object. The ratio to a zero is null.
    pub(crate) fn json(&self) -> String {
        let Self { group, case, peer, ours, theirs, unit, ratio, .. } = self;
        let ratio = if ratio.is_finite() { format!("{ratio:.4}") } else { "null".into() };
        // A trace's name may be that of any file; all other names are letters, digits, `-` and `_`.
        let case = case.replace('\\', "\\\\").replace('"', "\\\"");
        format!(
            "{{\"group\":\"{group}\",\"case\":\"{case}\",\"peer\":\"{peer}\",\"ours\":{ours:.3},\
             \"theirs\":{theirs:.3},\"unit\":\"{unit}\",\"ratio\":{ratio}}}"
        )
    }
}

/// The comparisons of one case, in the order of ours and then of the peers; without those that have
/// no figures.
pub(crate) fn rows(group: &'static str, outcome: &Outcome) -> Vec<Row> {
    let has_figures = |entry: &&Entry| !entry.figures.is_empty();
    let of = |ours: &Entry| -> Vec<Row> {
        let theirs = outcome.theirs.iter().filter(has_figures);
        theirs.map(|entry| compare(group, outcome.case.name, ours, entry.peer, entry)).collect()
    };
    outcome.ours.iter().filter(has_figures).flat_map(of).collect()
}

fn compare(
    group: &'static str,
    case: &'static str,
    ours: &Entry,
    peer: &'static str,
    theirs: &Entry,
) -> Row {
    Row::of(group, row_name(ours.peer, case), peer, &ours.figures, &theirs.figures)
}

/// Each of ours at ten thousand live blocks and more against itself at a thousand, as rows of the
/// peer `self`.
pub(crate) fn growth_rows(group: &'static str, outcomes: &[Outcome]) -> Vec<Row> {
    let Some(base) = outcomes.iter().find(|outcome| outcome.case.name == "live-1k") else {
        return vec![];
    };
    let larger = outcomes
        .iter()
        .filter(|o| o.case.name.starts_with("live-") && o.case.name != base.case.name);
    larger
        .flat_map(|outcome| {
            let pairs = outcome.ours.iter().zip(&base.ours);
            pairs.map(|(ours, base)| (outcome.case.name, ours, base))
        })
        .filter(|(_, ours, base)| !ours.figures.is_empty() && !base.figures.is_empty())
        .map(|(case, ours, base)| compare(group, case, ours, "self", base))
        .collect()
}

/// The table of one case.
pub(crate) fn table(group: &'static str, outcome: &Outcome) -> String {
    let mut text = format!("\n{}   {}\n", outcome.case.name, outcome.case.about);
    let what = match outcome.case.figure {
        Figure::Pair => "ns a pair",
        Figure::WorstOperation => "ns the worst",
    };
    let ours: Vec<_> = outcome.ours.iter().filter(|e| e.standing != Standing::NotAsked).collect();
    let mut line = |columns: [&str; 3], ratios: &str, note: &str| {
        let [name, figure, spread] = columns;
        // Two columns for each of ours.
        let width = 20 * ours.len();
        let row = format!("  {name:<30} {figure:>12} {spread:>17} {ratios:<width$}   {note}");
        text.push_str(row.trim_end());
        text.push('\n');
    };
    let heads = ours.iter().map(|entry| pair(&format!("{} /", entry.peer), "by runs"));
    line(["", what, "(range)"], &heads.collect::<String>(), "refused");
    let is_one_figure = outcome.case.figure == Figure::WorstOperation;
    let rows = rows(group, outcome);
    for entry in ours.iter().copied().chain(&outcome.theirs) {
        let ratio = |row: &Row| {
            let by_runs = format!("{:.3}", row.ratio_of_runs);
            pair(&format!("{:.3}", row.ratio), if is_one_figure { "" } else { &by_runs })
        };
        let ratios: String = rows.iter().filter(|row| row.peer == entry.peer).map(ratio).collect();
        let worst_at = entry.worst_at.map(|index| worst_operation(outcome, index));
        let note = note(&entry.standing, entry.is_cut) + &worst_at.unwrap_or_default();
        let figure = number(median(&entry.figures));
        line([entry.peer, &figure, &range(&entry.figures)], &ratios, &note);
    }
    let harness = &outcome.harness.figures;
    if !harness.is_empty() {
        let columns = ["(harness alone)", &number(median(harness)), &range(harness)];
        line(columns, "", "in every figure above");
    }
    text
}

/// Ratio of medians and median of ratios, as columns of the table.
fn pair(ratio: &str, by_runs: &str) -> String {
    format!("{ratio:>11} {by_runs:>8}")
}

/// Which operation the worst was, for a person who looks for the reason.
fn worst_operation(outcome: &Outcome, index: usize) -> String {
    let operation = outcome.case.operations[index];
    let kind = if operation.is_allocation() { "allocate" } else { "free" };
    format!("  operation {index}: {kind}")
}

/// The table of our own growth, or nothing if the cases were not run.
pub(crate) fn growth_table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nours with more live blocks, against live-1k\n");
    for row in rows {
        let Row { case, ours, theirs, ratio, ratio_of_runs, .. } = row;
        writeln!(
            text,
            "  {case:<20} {ours:>8.1} ns against {theirs:.1}   {ratio:.3}   by runs {ratio_of_runs:.3}"
        )
        .expect("writing to a string does not fail");
    }
    text
}

fn note(standing: &Standing, is_cut: bool) -> String {
    match standing {
        Standing::LeftOut(reason) => format!("left out: {reason}"),
        Standing::NotAsked => String::new(),
        Standing::Wrong(fault) => format!("WRONG, not timed: {fault}"),
        Standing::Verified(verified) => {
            // A program that ends before its measured part has not been asked anything.
            let asked = verified.allocation_count.max(1) as f64;
            let percent = 100.0 * verified.refused_count as f64 / asked;
            let mut note = format!("{percent:.2} %");
            if is_cut {
                note.push_str("  (slow: cut short)");
            }
            if !verified.is_merging_checked {
                note.push_str("  (slow: merging not checked)");
            }
            note
        }
    }
}

pub(crate) fn number(figure: f64) -> String {
    if figure.is_nan() {
        return "-".into();
    }
    if figure < 1000.0 { format!("{figure:.1}") } else { format!("{figure:.0}") }
}

pub(crate) fn range(figures: &[f64]) -> String {
    if figures.len() < 2 {
        return String::new();
    }
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let most = figures.iter().copied().fold(0.0, f64::max);
    format!("({}..{})", number(least), number(most))
}

/// The middle figure, or the mean of the two middle ones; not a number if there is none.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_middle_ones() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn ratios_are_ours_by_theirs_between_medians_and_run_by_run() {
        let row = Row::of("core", "lifo", "rlsf", &[1.0, 2.0, 9.0], &[4.0, 4.0, 9.0]);
        assert_eq!((row.ours, row.theirs), (2.0, 4.0));
        assert_eq!(row.ratio, 0.5);
        assert_eq!(row.ratio_of_runs, 0.5);
        let row = Row::of("core", "lifo", "rlsf", &[1.0, 2.0, 3.0], &[1.0, 4.0, 3.0]);
        assert_eq!((row.ratio, row.ratio_of_runs), (2.0 / 3.0, 1.0));
    }

    #[test]
    fn a_ratio_to_nothing_is_null_and_names_are_escaped() {
        let row = Row::single("memory", "a\"b/late-driver-calls".into(), "vma", "calls", 3.0, 0.0);
        assert_eq!(
            row.json(),
            "{\"group\":\"memory\",\"case\":\"a\\\"b/late-driver-calls\",\"peer\":\"vma\",\
             \"ours\":3.000,\"theirs\":0.000,\"unit\":\"calls\",\"ratio\":null}"
        );
        assert_eq!(Row::ratio(0.0, 0.0), 1.0);
    }

    #[test]
    fn a_row_is_one_object_on_one_line() {
        let row = Row::of("core", "churn-50", "vma-default", &[18.0], &[60.0]);
        assert_eq!(
            row.json(),
            "{\"group\":\"core\",\"case\":\"churn-50\",\"peer\":\"vma-default\",\"ours\":18.000,\
             \"theirs\":60.000,\"unit\":\"ns\",\"ratio\":0.3000}"
        );
    }
}

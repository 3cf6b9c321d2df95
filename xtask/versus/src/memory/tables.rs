//! What people read: a table for each program, committed and live bytes over time, and the rows that
//! are to hold.

use std::fmt::Write as _;

use super::figures::{Figures, Result, mean};
use crate::report::Row;

/// Columns of what is printed over time.
const COLUMNS: usize = 12;

/// The table of one program.
pub(super) fn program(result: &Result) -> String {
    let Result { program, seen, ours, vma } = result;
    let live_peak = program.live.iter().copied().max().unwrap_or(0) as f64;
    let live_mean = mean(&program.live);
    let mut text = format!(
        "\n{}   {} steps on {}; live bytes: peak {} MiB, mean {} MiB\n",
        program.name,
        program.steps.len(),
        program.device.name,
        mib(live_peak),
        mib(live_mean)
    );
    let mut line = |columns: [&str; 8]| {
        let [name, peak, mean, by_live, calls, late, worst, at] = columns;
        writeln!(
            text,
            "  {name:<12} {peak:>9} {mean:>9} {by_live:>10} {calls:>7} {late:>10} {worst:>11}   {at}"
        )
        .expect("writing to a string does not fail");
    };
    line(["", "peak MiB", "mean MiB", "mean/live", "calls", "late calls", "worst op ns", ""]);
    let single = |figures: &Figures| {
        [
            mib(figures.peak_committed),
            mib(figures.mean_committed),
            format!("{:.2}", figures.mean_committed / live_mean),
            format!("{:.0}", figures.driver_calls),
            format!("{:.0}", figures.late_driver_calls),
            format!("{:.0}", figures.worst_op),
            format!("step {}", figures.worst_at),
        ]
    };
    for (name, figures) in [("ours", ours), ("vma", vma)] {
        let [peak, mean, by_live, calls, late, worst, at] = &single(figures);
        line([name, peak, mean, by_live, calls, late, worst, at]);
    }
    let ratio = |ours: f64, vma: f64| format!("{:.3}", Row::ratio(ours, vma));
    line([
        "ours / vma",
        &ratio(ours.peak_committed, vma.peak_committed),
        &ratio(ours.mean_committed, vma.mean_committed),
        "",
        &ratio(ours.driver_calls, vma.driver_calls),
        &ratio(ours.late_driver_calls, vma.late_driver_calls),
        &ratio(ours.worst_op, vma.worst_op),
        "",
    ]);
    text.push_str("  over time, the most MiB of each twelfth of the steps\n");
    for (name, bytes) in
        [("live", &program.live), ("ours", &seen[0].committed), ("vma", &seen[1].committed)]
    {
        write!(text, "    {name:<8}").expect("writing to a string does not fail");
        for column in columns(bytes) {
            write!(text, " {:>7}", mib(column as f64)).expect("writing to a string does not fail");
        }
        text.push('\n');
    }
    text
}

/// The rows over all programs, and those of each that are farthest from VMA.
pub(super) fn summary(results: &[Result], rows: &[Row]) -> String {
    let mut text = match results.len() {
        0 => "\n".to_owned(),
        count => format!("\nall {count} programs together\n"),
    };
    for row in rows {
        let Row { case, ours, theirs, unit, ratio, .. } = row;
        let (ours, theirs) = match *unit {
            "bytes" => (mib(*ours) + " MiB", mib(*theirs) + " MiB"),
            "percent" => (format!("{ours:.2} %"), format!("{theirs:.2} %")),
            unit => (format!("{ours:.0} {unit}"), format!("{theirs:.0} {unit}")),
        };
        writeln!(text, "  {case:<58} {ours:>14} {theirs:>14}   {ratio:.3}")
            .expect("writing to a string does not fail");
    }
    let worst = |name: &str, distance: fn(&Figures, &Figures) -> f64| {
        let distances = results.iter().map(|result| (distance(&result.ours, &result.vma), result));
        let worst = distances.max_by(|(a, _), (b, _)| a.total_cmp(b));
        worst.map_or(String::new(), |(distance, result)| {
            format!("  {name:<52} {distance:>8.3}   {}\n", result.program.name)
        })
    };
    text += &worst("largest peak, ours / vma", |a, b| a.peak_committed / b.peak_committed);
    text += &worst("largest mean, ours / vma", |a, b| a.mean_committed / b.mean_committed);
    text += &worst("calls above the larger of 2 x vma's and vma's + 8", |a, b| {
        a.driver_calls - (2.0 * b.driver_calls).max(b.driver_calls + 8.0)
    });
    text += &worst("late calls above vma's + 3", |a, b| {
        a.late_driver_calls - (b.late_driver_calls + 3.0)
    });
    text
}

/// The most of each stretch.
fn columns(bytes: &[u64]) -> Vec<u64> {
    let count = COLUMNS.min(bytes.len());
    let stretch =
        |column: usize| &bytes[column * bytes.len() / count..(column + 1) * bytes.len() / count];
    // No stretch is empty: there are no more of them than steps.
    (0..count).map(|column| stretch(column).iter().copied().max().unwrap_or(0)).collect()
}

fn mib(bytes: f64) -> String {
    format!("{:.1}", bytes / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_cover_all_steps() {
        let bytes: Vec<u64> = (0..25).collect();
        assert_eq!(columns(&bytes).len(), COLUMNS);
        assert_eq!(columns(&bytes).last(), Some(&24));
        assert_eq!(columns(&[7, 3]), [7, 3]);
        assert!(columns(&[]).is_empty());
    }
}

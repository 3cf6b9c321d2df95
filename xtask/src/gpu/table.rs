//! The table of what ran on each driver.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::words::Said;

/// What came of one driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) driver: &'static str,
    pub(super) outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It cannot be had, for this reason.
    Missing(String),
    /// It failed, for this reason.
    Failed(String),
    Passed {
        said: Said,
        run: u64,
        seconds: u64,
    },
}

const HEADS: [&str; 13] = [
    "driver",
    "device",
    "types",
    "heaps",
    "granularity",
    "atom",
    "executes",
    "run",
    "no copies",
    "skipped",
    "messages",
    "table",
    "s",
];

/// The table, and under it why tests were left out.
pub(super) fn table(rows: &[Row]) -> String {
    let cells: Vec<Vec<String>> = std::iter::once(HEADS.map(str::to_owned).to_vec())
        .chain(rows.iter().filter_map(cells))
        .collect();
    let width = |column: usize| {
        cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let mut text = String::new();
    for row in &cells {
        let line: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            // Names to the left, numbers to the right.
            .map(|(column, (cell, &width))| match column {
                0 | 1 | 6 | 11 => format!("{cell:width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        let _ = writeln!(text, "{}", line.join("  ").trim_end());
    }
    for row in rows {
        let _ = match &row.outcome {
            Outcome::Missing(why) => writeln!(text, "{}: cannot be had: {why}", row.driver),
            Outcome::Failed(why) => writeln!(text, "{}: FAILED: {why}", row.driver),
            Outcome::Passed { .. } => Ok(()),
        };
    }
    text + &reasons(rows)
}

fn cells(row: &Row) -> Option<Vec<String>> {
    let Outcome::Passed { said, run, seconds } = &row.outcome else {
        return None;
    };
    let fact = |name: &str| said.fact(name).to_owned();
    Some(vec![
        row.driver.to_owned(),
        fact("device"),
        fact("types"),
        fact("heaps"),
        fact("granularity"),
        fact("atom"),
        fact("executes"),
        run.to_string(),
        said.without_copies.to_string(),
        said.skipped_count().to_string(),
        said.messages.to_string(),
        fact("table"),
        seconds.to_string(),
    ])
}

/// Why tests were left out, each reason once with its drivers.
fn reasons(rows: &[Row]) -> String {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut text = String::new();
    for row in rows {
        if let Outcome::Passed { said, .. } = &row.outcome {
            for (reason, count) in &said.skipped {
                reasons.entry(reason).or_default().push(format!("{} {count}", row.driver));
            }
        }
    }
    if !reasons.is_empty() {
        text.push_str("skipped, and on how many tests of which drivers:\n");
    }
    for (reason, drivers) in reasons {
        let _ = writeln!(text, "  {reason}: {}", drivers.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passed_is_in_the_table_and_the_rest_under_it() {
        let said = Said::of(
            "gpu-test fact device: X 1\ngpu-test fact types: 11\ngpu-test skipped: it is blue\n",
        );
        let rows = [
            Row { driver: "one", outcome: Outcome::Passed { said, run: 40, seconds: 9 } },
            Row { driver: "two", outcome: Outcome::Missing("no network".into()) },
            Row { driver: "three", outcome: Outcome::Failed("2 failed".into()) },
        ];
        let text = table(&rows);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("driver  device  types"), "{text}");
        assert!(lines[1].starts_with("one     X 1        11"), "{text}");
        assert_eq!(lines[2], "two: cannot be had: no network");
        assert_eq!(lines[3], "three: FAILED: 2 failed");
        assert_eq!(lines[5], "  it is blue: one 1");
        assert_eq!(table(&[]).lines().count(), 1);
    }
}

//! A small plot of a timeline for the terminal.
//!
//! Basic design: a column is a stretch of operations, drawn with the highest values in it. Live
//! bytes are solid, in eighths of a row by Unicode's block elements (U+2581 to U+2588); above them
//! committed bytes are shaded, in whole rows. What is shaded is memory that was paid for and not
//! used.

use crate::timeline::Timeline;
use crate::words::{count, mib};

/// Columns of the plot, beside the labels.
const WIDTH: usize = 60;

/// Rows of the plot, beside the axis.
const HEIGHT: usize = 8;

/// A row has so many levels.
const LEVELS: usize = 8;

/// The lower 0 to 8 eighths of a cell.
const EIGHTHS: [char; LEVELS + 1] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws the timeline, line by line, with axis labels in MiB and in operations. Empty for an
/// empty timeline.
#[must_use]
pub fn plot(timeline: &Timeline) -> Vec<String> {
    if timeline.is_empty() {
        return Vec::new();
    }
    let columns = timeline.columns(WIDTH);
    let top = timeline.peak().committed.max(timeline.peak().live);
    // Two more for a blank and the axis.
    let margin = mib(top).len() + 2;
    let heights: Vec<_> = columns
        .iter()
        .map(|column| (level(column.live, top), level(column.committed, top)))
        .collect();
    let mut lines = Vec::new();
    for row in (0..HEIGHT).rev() {
        let floor = row * LEVELS;
        let cells: String = heights
            .iter()
            .map(|&(live, committed)| {
                cell(live.saturating_sub(floor), committed.saturating_sub(floor))
            })
            .collect();
        let label = row_label(row, top);
        lines.push(format!("{label:>margin$}{cells}").trim_end().to_owned());
    }
    let end = count(timeline.len());
    let width = columns.len().max(end.len() + 2);
    let origin = format!("{} └", mib(0));
    lines.push(format!("{origin:>margin$}{}", "─".repeat(width)));
    // Cannot underflow: the width leaves room for more than the label.
    let distance = width - 1;
    lines.push(format!("{:margin$}0{end:>distance$}", ""));
    lines
}

/// How many levels of the plot a value has, rounded; at least one when it is not zero.
fn level(value: u64, top: u64) -> usize {
    if value == 0 {
        return 0;
    }
    let (value, top) = (u128::from(value), u128::from(top));
    // The top is not zero, since the value is at most the top.
    // Cannot overflow: 64 bits times the number of levels.
    let levels = (value * (HEIGHT * LEVELS) as u128 + top / 2) / top;
    usize::try_from(levels).expect("the value is at most the top").max(1)
}

/// The cell above whose lower edge live and committed bytes have so many levels.
fn cell(live: usize, committed: usize) -> char {
    if live > 0 {
        EIGHTHS[live.min(LEVELS)]
    } else if committed >= LEVELS / 2 {
        '░'
    } else {
        ' '
    }
}

/// The value at the upper edge of every second row, from the top.
fn row_label(row: usize, top: u64) -> String {
    if (HEIGHT - 1 - row).is_multiple_of(2) {
        let value = u128::from(top) * (row as u128 + 1) / HEIGHT as u128;
        let value = u64::try_from(value).expect("it is at most the top");
        format!("{} ┤", mib(value))
    } else {
        "│".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Sample;

    const MIB: u64 = 1 << 20;

    fn timeline(samples: impl IntoIterator<Item = (u64, u64)>) -> Timeline {
        let mut timeline = Timeline::default();
        for (committed, live) in samples {
            timeline.push(Sample {
                committed: committed * MIB,
                live: live * MIB,
                ..Sample::default()
            });
        }
        timeline
    }

    #[test]
    fn live_bytes_are_solid_and_committed_ones_are_shaded_above_them() {
        let lines = plot(&timeline([(0, 0), (16, 1), (16, 8), (16, 13), (64, 64)]));
        let expected = [
            "64.0 ┤    █",
            "     │    █",
            "48.0 ┤    █",
            "     │    █",
            "32.0 ┤    █",
            "     │    █",
            "16.0 ┤ ░░▅█",
            "     │ ▁███",
            " 0.0 └─────",
            "      0   5",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn many_samples_are_drawn_in_sixty_columns() {
        let lines = plot(&timeline((0..36_000).map(|index| (index, index / 2))));
        assert_eq!(lines.len(), HEIGHT + 2);
        let widths: Vec<_> = lines.iter().map(|line| line.chars().count()).collect();
        // The margin holds `35,999.0` and the axis; the last column is the highest one.
        assert_eq!(widths, [10 + WIDTH; HEIGHT + 2]);
        assert!(lines[HEIGHT + 1].ends_with("36,000"));
    }

    #[test]
    fn a_little_memory_is_not_drawn_as_none() {
        let lines = plot(&timeline([(1000, 1000), (1, 1)]));
        assert!(lines[HEIGHT - 1].ends_with("█▁"), "{lines:#?}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert!(plot(&Timeline::default()).is_empty());
        assert_eq!(plot(&timeline([(0, 0)])).len(), HEIGHT + 2);
    }
}

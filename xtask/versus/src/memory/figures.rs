//! The figures of a program on one allocator, and the rows that compare two.

use super::play::Seen;
use super::program::Program;
use crate::report::Row;

pub(super) const GROUP: &str = "memory";
pub(super) const PEER: &str = "vma";

/// What a program took on one allocator.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// Most bytes committed at a time.
    pub(super) peak_committed: f64,
    /// Mean of the bytes committed, without the first twentieth of the steps.
    pub(super) mean_committed: f64,
    /// Calls of `vkAllocateMemory`.
    pub(super) driver_calls: f64,
    /// Those of them in the last four fifths of the steps.
    pub(super) late_driver_calls: f64,
    /// The slowest step, in nanoseconds.
    pub(super) worst_op: f64,
    /// Which step that was.
    pub(super) worst_at: usize,
}

impl Figures {
    /// `fastest` are the least times of the steps, `overhead` what reading the clock takes of each.
    pub(super) fn of(seen: &Seen, fastest: &[u32], overhead: u32) -> Self {
        let at_a_fifth = seen.calls.get((seen.calls.len() / 5).wrapping_sub(1)).copied();
        let calls = seen.calls.last().copied().unwrap_or(0);
        let worst = fastest.iter().enumerate().max_by_key(|&(_, time)| time);
        let (worst_at, worst_op) = worst.map_or((0, 0), |(index, &time)| (index, time));
        Self {
            peak_committed: seen.committed.iter().copied().max().unwrap_or(0) as f64,
            mean_committed: mean(&seen.committed),
            driver_calls: calls as f64,
            // No underflow: the driver counts upwards.
            late_driver_calls: (calls - at_a_fifth.unwrap_or(0)) as f64,
            worst_op: f64::from(worst_op.saturating_sub(overhead).max(1)),
            worst_at,
        }
    }
}

/// The mean without the first twentieth.
pub(super) fn mean(bytes: &[u64]) -> f64 {
    let steady = &bytes[bytes.len() / 20..];
    steady.iter().map(|&bytes| bytes as f64).sum::<f64>() / steady.len().max(1) as f64
}

/// A program with what it took on both.
#[derive(Clone, Debug)]
pub(super) struct Result {
    pub(super) program: Program,
    pub(super) seen: [Seen; 2],
    pub(super) ours: Figures,
    pub(super) vma: Figures,
}

/// The rows of one program.
pub(super) fn rows(result: &Result) -> Vec<Row> {
    let (ours, vma) = (&result.ours, &result.vma);
    let row = |figure: &str, unit, ours, theirs| {
        let case = format!("{}/{figure}", result.program.name);
        Row::single(GROUP, case, PEER, unit, ours, theirs)
    };
    vec![
        row("peak-committed", "bytes", ours.peak_committed, vma.peak_committed),
        row("mean-committed", "bytes", ours.mean_committed, vma.mean_committed),
        row("driver-calls", "calls", ours.driver_calls, vma.driver_calls),
        row("late-driver-calls", "calls", ours.late_driver_calls, vma.late_driver_calls),
        row("worst-op", "ns", ours.worst_op, vma.worst_op),
    ]
}

/// The rows over all programs: geometric means of bytes, sums of calls, the worst of the worst.
pub(super) fn summary(results: &[Result]) -> Vec<Row> {
    if results.is_empty() {
        return vec![];
    }
    let both = |of: &dyn Fn(fn(&Figures) -> f64, bool) -> f64, figure: fn(&Figures) -> f64| {
        (of(figure, true), of(figure, false))
    };
    let side = |result: &Result, is_ours: bool, figure: fn(&Figures) -> f64| {
        figure(if is_ours { &result.ours } else { &result.vma })
    };
    let logarithms = |figure, is_ours| {
        results.iter().map(|result| side(result, is_ours, figure).ln()).sum::<f64>()
    };
    let mean = |figure: fn(&Figures) -> f64, is_ours: bool| {
        (logarithms(figure, is_ours) / results.len() as f64).exp()
    };
    let sum = |figure: fn(&Figures) -> f64, is_ours: bool| {
        results.iter().map(|result| side(result, is_ours, figure)).sum::<f64>()
    };
    let most = |figure: fn(&Figures) -> f64, is_ours: bool| {
        results.iter().map(|result| side(result, is_ours, figure)).fold(0.0, f64::max)
    };
    let row = |name: &str, unit, (ours, theirs)| {
        Row::single(GROUP, format!("all/{name}"), PEER, unit, ours, theirs)
    };
    vec![
        row("peak-committed", "bytes", both(&mean, |figures| figures.peak_committed)),
        row("mean-committed", "bytes", both(&mean, |figures| figures.mean_committed)),
        row("driver-calls", "calls", both(&sum, |figures| figures.driver_calls)),
        row("late-driver-calls", "calls", both(&sum, |figures| figures.late_driver_calls)),
        row("worst-op", "ns", both(&most, |figures| figures.worst_op)),
    ]
}

/// The rows of the fixed blocks.
pub(super) fn fixed_rows(ours: super::fixed::Fullness, vma: super::fixed::Fullness) -> Vec<Row> {
    let row = |figure: &str, ours, theirs| {
        let case = format!("{}/{figure}", super::fixed::NAME);
        Row::single(GROUP, case, PEER, "percent", ours, theirs)
    };
    vec![row("fill", ours.filled, vma.filled), row("churned", ours.churned, vma.churned)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use replay::RecordedDevice;

    #[test]
    fn figures_of_a_synthetic_run_are_exact() {
        let committed = (0..40).map(|step| if step < 2 { 1000 } else { 16 + step % 2 * 16 });
        let calls = (0..40).map(|step| 1 + step / 8).collect();
        let seen = Seen { committed: committed.collect(), calls };
        let mut fastest = vec![30; 40];
        fastest[7] = 95;
        let figures = Figures::of(&seen, &fastest, 20);
        let expected = Figures {
            peak_committed: 1000.0,
            mean_committed: 24.0,
            driver_calls: 5.0,
            late_driver_calls: 4.0,
            worst_op: 75.0,
            worst_at: 7,
        };
        assert_eq!(figures, expected);
    }

    #[test]
    fn the_summary_has_geometric_means_sums_and_the_worst() {
        let result = |factor: f64| {
            let figures = |base: f64| Figures {
                peak_committed: base * factor,
                mean_committed: base,
                driver_calls: base,
                late_driver_calls: 0.0,
                worst_op: base * factor,
                worst_at: 0,
            };
            Result {
                program: Program::new("p", RecordedDevice::default(), vec![]),
                seen: Default::default(),
                ours: figures(2.0),
                vma: figures(4.0),
            }
        };
        let rows = summary(&[result(1.0), result(16.0)]);
        let find = |name: &str| {
            let row = rows.iter().find(|row| row.case == format!("all/{name}"));
            row.map(|row| (row.ours.round(), row.theirs.round(), row.ratio))
        };
        assert_eq!(find("driver-calls"), Some((4.0, 8.0, 0.5)));
        assert_eq!(find("worst-op"), Some((32.0, 64.0, 0.5)));
        assert_eq!(
            find("peak-committed").map(|(ours, theirs, _)| (ours, theirs)),
            Some((8.0, 16.0))
        );
        assert!(find("late-driver-calls").is_some_and(|(_, _, ratio)| ratio == 1.0));
    }
}

//! Figures that are derived from a replay.

use std::time::Duration;

use crate::outcome::Outcome;

/// Figures that are derived from an [`Outcome`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Operations a second of wall time, rounded down.
    pub operations_per_second: u64,
    /// Operations a second of the time in the allocator and the driver, rounded down.
    pub inside_per_second: u64,
    /// Mean committed over mean live bytes.
    pub committed_per_live: f64,
    /// Peak committed over peak live bytes.
    pub peak_per_live: f64,
    /// The share of the mean committed bytes that is live, in percent.
    pub live_percent: f64,
    /// The share that is lost to rounding inside of blocks, in percent.
    pub rounding_percent: f64,
    /// The share that is free, in percent.
    pub free_percent: f64,
    /// `vkAllocateMemory` calls of a program without an allocator over those that were made.
    pub calls_saved: f64,
}

impl Figures {
    /// The figures of a replay. What would be divided by zero is zero.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        let (mean, peak) = (outcome.timeline.mean(), outcome.timeline.peak());
        let percent = |part: u64| 100.0 * ratio(part as f64, mean.committed as f64);
        Self {
            operations_per_second: per_second(outcome.operations, outcome.wall_time),
            inside_per_second: per_second(outcome.operations, outcome.inside_time),
            committed_per_live: ratio(mean.committed as f64, mean.live as f64),
            peak_per_live: ratio(peak.committed as f64, peak.live as f64),
            live_percent: percent(mean.live),
            rounding_percent: percent(mean.used.saturating_sub(mean.live)),
            free_percent: percent(mean.committed.saturating_sub(mean.used)),
            calls_saved: ratio(
                outcome.allocation_count() as f64,
                outcome.device_allocations as f64,
            ),
        }
    }
}

fn per_second(operations: usize, time: Duration) -> u64 {
    // Cannot overflow: 64 bits times 30. No replay is so fast that the quotient has more than 64.
    let rate = (operations as u128 * 1_000_000_000).checked_div(time.as_nanos());
    rate.map_or(0, |rate| u64::try_from(rate).unwrap_or(u64::MAX))
}

fn ratio(dividend: f64, divisor: f64) -> f64 {
    if divisor > 0.0 { dividend / divisor } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{Sample, Timeline};

    #[test]
    fn figures_of_a_synthetic_run_are_exact() {
        let mut timeline = Timeline::default();
        for (committed, used, live) in [(64, 32, 16), (128, 96, 80), (64, 0, 0), (0, 0, 0)] {
            timeline.push(Sample { committed, used, live, ..Sample::default() });
        }
        let outcome = Outcome {
            operations: 4,
            buffer_count: 6,
            image_count: 3,
            device_allocations: 3,
            timeline,
            wall_time: Duration::from_secs(2),
            inside_time: Duration::from_millis(500),
            ..Outcome::default()
        };
        let expected = Figures {
            operations_per_second: 2,
            inside_per_second: 8,
            committed_per_live: 64.0 / 24.0,
            peak_per_live: 1.6,
            live_percent: 37.5,
            rounding_percent: 12.5,
            free_percent: 50.0,
            calls_saved: 3.0,
        };
        assert_eq!(Figures::of(&outcome), expected);
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        let zero = Figures {
            operations_per_second: 0,
            inside_per_second: 0,
            committed_per_live: 0.0,
            peak_per_live: 0.0,
            live_percent: 0.0,
            rounding_percent: 0.0,
            free_percent: 0.0,
            calls_saved: 0.0,
        };
        assert_eq!(Figures::of(&Outcome::default()), zero);
    }
}

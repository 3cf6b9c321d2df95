//! What the allocator held after each operation.

/// The state after one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Bytes of all device memory that the allocator holds.
    pub committed: u64,
    /// Bytes of it that are taken, rounding included.
    pub used: u64,
    /// Bytes that the driver requires for the resources that live.
    pub live: u64,
    /// How many resources live.
    pub live_count: usize,
    /// How many blocks there are.
    pub block_count: usize,
    /// How many resources have memory of their own.
    pub dedicated_count: usize,
}

/// Means of a [`Sample`]'s bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeanBytes {
    /// Mean of [`Sample::committed`].
    pub committed: u64,
    /// Mean of [`Sample::used`].
    pub used: u64,
    /// Mean of [`Sample::live`].
    pub live: u64,
}

/// A sample for each operation, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    samples: Vec<Sample>,
}

impl Timeline {
    /// A timeline with room for so many samples.
    #[must_use]
    pub fn with_capacity(operations: usize) -> Self {
        Self { samples: Vec::with_capacity(operations) }
    }

    /// Adds the state after the next operation.
    pub fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The largest value of each field, each at its own time.
    #[must_use]
    pub fn peak(&self) -> Sample {
        peak(&self.samples)
    }

    /// The means over all operations, in whole bytes, rounded down; zeros when there is none.
    #[must_use]
    pub fn mean(&self) -> MeanBytes {
        let mean = |field: fn(&Sample) -> u64| {
            let sum: u128 = self.samples.iter().map(|s| u128::from(field(s))).sum();
            let mean = sum / self.samples.len().max(1) as u128;
            u64::try_from(mean).expect("a mean is at most the largest value")
        };
        MeanBytes {
            committed: mean(|sample| sample.committed),
            used: mean(|sample| sample.used),
            live: mean(|sample| sample.live),
        }
    }

    /// The peaks of `columns` stretches of equal length, at most one for each sample.
    #[must_use]
    pub fn columns(&self, columns: usize) -> Vec<Sample> {
        let (count, columns) = (self.samples.len(), columns.min(self.samples.len()));
        // Stretches are not empty: there are no more of them than samples.
        (0..columns)
            .map(|column| {
                let stretch = column * count / columns..(column + 1) * count / columns;
                peak(&self.samples[stretch])
            })
            .collect()
    }
}

fn peak(samples: &[Sample]) -> Sample {
    samples.iter().fold(Sample::default(), |peak, sample| Sample {
        committed: peak.committed.max(sample.committed),
        used: peak.used.max(sample.used),
        live: peak.live.max(sample.live),
        live_count: peak.live_count.max(sample.live_count),
        block_count: peak.block_count.max(sample.block_count),
        dedicated_count: peak.dedicated_count.max(sample.dedicated_count),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(samples: &[(u64, u64)]) -> Timeline {
        let mut timeline = Timeline::with_capacity(samples.len());
        for &(committed, live) in samples {
            timeline.push(Sample { committed, live, ..Sample::default() });
        }
        timeline
    }

    #[test]
    fn peaks_are_taken_field_by_field() {
        let peak = timeline(&[(16, 1), (32, 5), (16, 9)]).peak();
        assert_eq!((peak.committed, peak.live), (32, 9));
    }

    #[test]
    fn means_weigh_every_operation_alike() {
        let mean = timeline(&[(16, 1), (32, 5), (16, 9), (0, 1)]).mean();
        assert_eq!((mean.committed, mean.live), (16, 4));
        assert_eq!(Timeline::default().mean(), MeanBytes::default());
    }

    #[test]
    fn columns_cover_all_samples_and_show_the_peak_of_each_stretch() {
        let samples: Vec<_> = (0..10).map(|index| (10 * index, index)).collect();
        let columns = timeline(&samples).columns(3);
        let committed: Vec<_> = columns.iter().map(|column| column.committed).collect();
        assert_eq!(committed, [20, 50, 90]);
        assert_eq!(timeline(&samples).columns(60).len(), 10);
        assert!(Timeline::default().columns(60).is_empty());
    }
}

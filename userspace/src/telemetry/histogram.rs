//! How often a value was in which range: written by one worker alone, read by any thread.

use super::metrics;
use std::sync::atomic::{AtomicU64, Ordering};

/// Ranges that end, at most: each at twice what the one before it ends at.
const BOUNDS_MAX: usize = 17;

metrics! {
    /// What is measured of a worker's turns.
    pub enum Measure {
        /// Frames of a turn that found any.
        VectorFrames = "vector_frames",
        /// How long frames are in the server, in seconds: those of one turn in 64.
        ServerSeconds = "server_seconds",
    }
}

impl Measure {
    /// The first range's end, and how many ranges end, in what the hot path counts in: frames, or
    /// nanoseconds.
    const fn ranges(self) -> (u64, usize) {
        match self {
            Self::VectorFrames => (1, 9),
            // About a microsecond to 67 milliseconds.
            Self::ServerSeconds => (1 << 10, BOUNDS_MAX),
        }
    }

    /// How many of what is counted in are one of what is told.
    const fn scale(self) -> f64 {
        match self {
            Self::VectorFrames => 1.0,
            Self::ServerSeconds => 1e9,
        }
    }

    /// The range that a value is in.
    fn range(self, value: u64) -> usize {
        let (first, bounds) = self.ranges();
        let doublings = u64::BITS - (value.saturating_sub(1) / first).leading_zeros();
        bounds.min(doublings as usize)
    }

    /// A number as it is told.
    #[expect(
        clippy::cast_precision_loss,
        reason = "sums beyond 2^53 are rounded as any float is"
    )]
    fn told(self, value: u64) -> f64 {
        value as f64 / self.scale()
    }
}

/// The histograms of one worker.
#[derive(Debug, Default)]
pub struct Histograms([Histogram; Measure::COUNT]);

/// How often values were in each range, and beyond the last; and what they sum to.
#[derive(Debug, Default)]
struct Histogram {
    counts: [AtomicU64; BOUNDS_MAX + 1],
    sum: AtomicU64,
}

impl Histograms {
    /// Counts a value, so many `times`: frames, or nanoseconds.
    pub fn record(&self, measure: Measure, value: u64, times: u64) {
        let histogram = &self.0[measure.index()];
        // One writer: a load and a store, no locked instruction.
        let add = |number: &AtomicU64, more: u64| {
            let sum = number.load(Ordering::Relaxed).wrapping_add(more);
            number.store(sum, Ordering::Relaxed);
        };
        add(&histogram.counts[measure.range(value)], times);
        add(&histogram.sum, value.wrapping_mul(times));
    }

    /// What was counted of a measure.
    pub fn distribution(&self, measure: Measure) -> Distribution {
        let mut distribution = Distribution::new(measure);
        distribution.include(self);
        distribution
    }
}

/// A histogram read from one or several workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    measure: Measure,
    counts: [u64; BOUNDS_MAX + 1],
    sum: u64,
}

impl Distribution {
    /// Nothing yet.
    pub fn new(measure: Measure) -> Self {
        Self {
            measure,
            counts: [0; BOUNDS_MAX + 1],
            sum: 0,
        }
    }

    /// Adds what a worker counted.
    pub fn include(&mut self, histograms: &Histograms) {
        let histogram = &histograms.0[self.measure.index()];
        for (count, more) in self.counts.iter_mut().zip(&histogram.counts) {
            *count += more.load(Ordering::Relaxed);
        }
        self.sum += histogram.sum.load(Ordering::Relaxed);
    }

    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What they sum to.
    pub fn sum(&self) -> f64 {
        self.measure.told(self.sum)
    }

    /// The end of each range that ends, and how many values are in it.
    pub fn ranges(&self) -> impl Iterator<Item = (f64, u64)> {
        let (first, bounds) = self.measure.ranges();
        let counts = self.counts[..bounds].iter();
        let ends = counts.enumerate();
        ends.map(move |(at, count)| (self.measure.told(first << at), *count))
    }

    /// What a `share` of the values (0.99: nearly all) is not above: the end of a range. None where
    /// there are no values, or the range has no end.
    pub fn at_most(&self, share: f64) -> Option<f64> {
        let wanted = share * Measure::VectorFrames.told(self.count());
        let mut below = 0;
        let mut ranges = self.ranges();
        let reached = ranges.find(|(_, count)| {
            below += count;
            below > 0 && Measure::VectorFrames.told(below) >= wanted
        });
        reached.map(|(end, _)| end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(measure: Measure, values: &[u64]) -> Distribution {
        let histograms = Histograms::default();
        values
            .iter()
            .for_each(|&value| histograms.record(measure, value, 1));
        histograms.distribution(measure)
    }

    #[test]
    fn a_value_is_in_the_range_that_ends_at_it_or_next_above() {
        let vectors = counted(Measure::VectorFrames, &[0, 1, 2, 3, 4, 5, 256, 257]);
        let ranges: Vec<_> = vectors.ranges().collect();
        assert_eq!(
            ranges,
            [
                (1.0, 2),
                (2.0, 1),
                (4.0, 2),
                (8.0, 1),
                (16.0, 0),
                (32.0, 0),
                (64.0, 0),
                (128.0, 0),
                (256.0, 1)
            ]
        );
        assert_eq!((vectors.count(), vectors.sum()), (8, 528.0));
        let values = [
            0,
            1,
            1024,
            1025,
            2048,
            2049,
            1 << 26,
            (1 << 26) + 1,
            u64::MAX,
        ];
        let times = counted(Measure::ServerSeconds, &values);
        let ranges: Vec<_> = times.ranges().collect();
        assert_eq!(ranges[0], (0.000_001_024, 3));
        assert_eq!(ranges[1], (0.000_002_048, 2));
        assert_eq!(ranges[2], (0.000_004_096, 1));
        assert_eq!(ranges[16], (0.067_108_864, 1));
        assert_eq!((ranges.len(), times.count()), (17, 9));
    }

    #[test]
    fn shares_are_told_by_the_end_of_a_range_where_there_is_one() {
        let none = Distribution::new(Measure::VectorFrames);
        assert_eq!(none.at_most(0.5), None);
        let mut values = vec![3; 98];
        values.extend([60, 1 << 20]);
        let vectors = counted(Measure::VectorFrames, &values);
        assert_eq!(vectors.at_most(0.0), Some(4.0));
        assert_eq!(vectors.at_most(0.5), Some(4.0));
        assert_eq!(vectors.at_most(0.98), Some(4.0));
        assert_eq!(vectors.at_most(0.99), Some(64.0));
        assert_eq!(vectors.at_most(1.0), None);
    }

    #[test]
    fn workers_are_added_up_and_a_value_may_count_several_times() {
        let histograms = Histograms::default();
        histograms.record(Measure::ServerSeconds, 3_000, 64);
        let mut both = histograms.distribution(Measure::ServerSeconds);
        both.include(&histograms);
        assert_eq!(both.count(), 128);
        assert_eq!(both.sum(), 0.000_384);
        assert_eq!(histograms.distribution(Measure::VectorFrames).count(), 0);
    }
}

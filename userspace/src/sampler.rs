//! What is measured of turns: every vector's length, and now and then the time.

use crate::telemetry::{Counters, Measure};
use std::time::Instant;

/// One in so many of the turns that have frames is timed: a clock costs as much as an answer.
const TIMED: u32 = 64;

/// Chooses which of a worker's turns are timed.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    /// Turns before the next that is timed.
    left: u32,
}

impl Sampler {
    /// Makes a turn, which says how many frames it had; so does this.
    pub(crate) fn observe(&mut self, counters: &Counters, turn: impl FnOnce() -> usize) -> usize {
        // Which turn will have frames, is known when it is over.
        let began = (self.left == 0).then(Instant::now);
        let frames = turn();
        if frames == 0 {
            return 0;
        }
        let (histograms, count) = (counters.histograms(), frames as u64);
        histograms.record(Measure::VectorFrames, count, 1);
        self.left = match began {
            Some(began) => {
                let ns = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
                histograms.record(Measure::ServerSeconds, ns, count);
                TIMED - 1
            }
            None => self.left - 1,
        };
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::wait;
    use std::time::Duration;

    #[test]
    fn the_first_turn_with_frames_and_every_64th_after_it_are_timed() {
        let (counters, mut sampler) = (Counters::default(), Sampler::default());
        let timed = |counters: &Counters| {
            let times = counters.histograms().distribution(Measure::ServerSeconds);
            times.count()
        };
        for _ in 0..100 {
            assert_eq!(sampler.observe(&counters, || 0), 0);
        }
        assert_eq!(timed(&counters), 0);
        for turn in 0..=128 {
            assert_eq!(sampler.observe(&counters, || 5), 5);
            sampler.observe(&counters, || 0);
            assert_eq!(timed(&counters), 5 * (turn / 64 + 1), "turn {turn}");
        }
        let vectors = counters.histograms().distribution(Measure::VectorFrames);
        assert_eq!((vectors.count(), vectors.sum()), (129, 645.0));
    }

    #[test]
    fn the_time_of_a_turn_is_that_of_each_of_its_frames() {
        let (counters, mut sampler) = (Counters::default(), Sampler::default());
        sampler.observe(&counters, || {
            wait::pause(Duration::from_millis(5));
            3
        });
        let times = counters.histograms().distribution(Measure::ServerSeconds);
        assert_eq!(times.count(), 3);
        assert!(times.sum() >= 0.015, "{times:?}");
    }
}

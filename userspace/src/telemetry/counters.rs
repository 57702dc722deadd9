//! Counters of one worker: a plain tally within a turn, published once at its end.

use super::{Discard, Event, Histograms, QueryType, Rcode, ZoneCounts};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Metrics of all four lists, side by side.
const COUNT: usize = Discard::COUNT + Rcode::COUNT + Event::COUNT + QueryType::COUNT;

/// What one turn counted: plain numbers, owned by the worker.
#[derive(Clone, Debug)]
pub struct Tally([u64; COUNT]);

impl Default for Tally {
    fn default() -> Self {
        Self([0; COUNT])
    }
}

impl Tally {
    /// Counts a frame that is not answered.
    pub fn discard(&mut self, reason: Discard) {
        self.0[discard_at(reason)] += 1;
    }

    /// Counts a frame that is answered.
    pub fn reply(&mut self, rcode: Rcode) {
        self.replies(rcode, 1);
    }

    /// Counts frames that are answered.
    pub fn replies(&mut self, rcode: Rcode, count: u64) {
        self.0[rcode_at(rcode)] += count;
    }

    /// Counts frames that asked for `kind` and are answered.
    pub fn types(&mut self, kind: QueryType, count: u64) {
        self.0[type_at(kind)] += count;
    }

    /// Counts `count` events.
    pub fn add(&mut self, event: Event, count: u64) {
        self.0[event_at(event)] += count;
    }
}

/// One worker's counters. Written by that worker alone, read by any thread at any time; nothing may
/// depend on two of them agreeing.
#[derive(Debug)]
#[repr(align(128))]
pub struct Counters {
    counts: [AtomicU64; COUNT],
    histograms: Histograms,
    zones: Option<Arc<ZoneCounts>>,
}

impl Default for Counters {
    fn default() -> Self {
        Self::with_zones(0)
    }
}

impl Counters {
    /// None yet. Queries are counted by zone as well, of at most `zones_max` zones; 0: of none.
    pub fn with_zones(zones_max: usize) -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; COUNT],
            histograms: Histograms::default(),
            zones: (zones_max != 0).then(|| Arc::new(ZoneCounts::new(zones_max))),
        }
    }

    /// What is counted by zone.
    pub fn zones(&self) -> Option<&Arc<ZoneCounts>> {
        self.zones.as_ref()
    }

    /// Adds a turn's tally and clears it.
    pub fn publish(&self, tally: &mut Tally) {
        for (counter, count) in self.counts.iter().zip(&mut tally.0) {
            if *count != 0 {
                // One writer: a load and a store, no locked instruction.
                counter.store(counter.load(Ordering::Relaxed) + *count, Ordering::Relaxed);
                *count = 0;
            }
        }
    }

    /// How the worker's turns were.
    pub fn histograms(&self) -> &Histograms {
        &self.histograms
    }

    /// The counts as they are now.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        totals.include(self);
        totals
    }
}

/// Counts read from one or several workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals([u64; COUNT]);

impl Default for Totals {
    fn default() -> Self {
        Self([0; COUNT])
    }
}

impl Totals {
    /// Adds a worker's counts.
    pub fn include(&mut self, counters: &Counters) {
        for (total, counter) in self.0.iter_mut().zip(&counters.counts) {
            *total += counter.load(Ordering::Relaxed);
        }
    }

    /// Frames discarded for `reason`.
    pub fn discards(&self, reason: Discard) -> u64 {
        self.0[discard_at(reason)]
    }

    /// Replies with `rcode`.
    pub fn replies(&self, rcode: Rcode) -> u64 {
        self.0[rcode_at(rcode)]
    }

    /// Queries for `kind` that were answered.
    pub fn types(&self, kind: QueryType) -> u64 {
        self.0[type_at(kind)]
    }

    /// Events counted.
    pub fn events(&self, event: Event) -> u64 {
        self.0[event_at(event)]
    }

    /// Frames answered, whatever the response code.
    pub fn answered(&self) -> u64 {
        Rcode::ALL.iter().map(|&rcode| self.replies(rcode)).sum()
    }

    /// Frames discarded, whatever the reason.
    pub fn discarded(&self) -> u64 {
        Discard::ALL
            .iter()
            .map(|&reason| self.discards(reason))
            .sum()
    }
}

const fn discard_at(reason: Discard) -> usize {
    reason.index()
}

const fn rcode_at(rcode: Rcode) -> usize {
    Discard::COUNT + rcode.index()
}

const fn event_at(event: Event) -> usize {
    Discard::COUNT + Rcode::COUNT + event.index()
}

const fn type_at(kind: QueryType) -> usize {
    Discard::COUNT + Rcode::COUNT + Event::COUNT + kind.index()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_tally_is_added_and_cleared() {
        let counters = Counters::default();
        let mut tally = Tally::default();
        tally.discard(Discard::Response);
        tally.reply(Rcode::BadCookie);
        tally.types(QueryType::of(257), 1);
        tally.add(Event::Received, 2);
        counters.publish(&mut tally);
        counters.publish(&mut tally);
        let totals = counters.totals();
        assert_eq!(totals.discards(Discard::Response), 1);
        assert_eq!(totals.replies(Rcode::BadCookie), 1);
        assert_eq!(totals.types(QueryType::Caa), 1);
        assert_eq!(totals.events(Event::Received), 2);
        assert_eq!(
            totals.answered() + totals.discarded(),
            totals.events(Event::Received)
        );
    }

    #[test]
    fn labels_are_unique_within_their_list() {
        for labels in [
            Discard::ALL.iter().map(|d| d.label()).collect::<Vec<_>>(),
            Rcode::ALL.iter().map(|r| r.label()).collect(),
            Event::ALL.iter().map(|e| e.label()).collect(),
            QueryType::ALL.iter().map(|t| t.label()).collect(),
        ] {
            let mut unique = labels.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), labels.len());
        }
    }
}

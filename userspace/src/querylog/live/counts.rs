//! What is counted of live streams.

use crate::telemetry::metrics;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

metrics! {
    /// What became of live streams and their messages.
    pub enum LiveEvent {
        /// Live streams that began.
        Begun = "begun",
        /// Live streams that were refused because there were too many.
        Refused = "refused",
        /// Messages of live streams that were handed on.
        Sent = "sent",
        /// Messages of live streams lost because their reader was too slow.
        Lost = "lost",
    }
}

/// The counters. Written by the query log's thread and by whoever subscribes, read by any.
#[derive(Debug, Default)]
pub struct LiveCounts {
    events: [AtomicU64; LiveEvent::COUNT],
    subscribers: AtomicUsize,
}

impl LiveCounts {
    /// How many there were so far.
    pub fn get(&self, event: LiveEvent) -> u64 {
        self.events[event.index()].load(Ordering::Relaxed)
    }

    /// Those who have a live stream now.
    pub fn subscribers(&self) -> usize {
        self.subscribers.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, event: LiveEvent, count: u64) {
        self.events[event.index()].fetch_add(count, Ordering::Relaxed);
    }

    /// Counts one more subscriber, unless there are `max`.
    pub(super) fn enter(&self, max: usize) -> bool {
        let next = |count: usize| (count < max).then_some(count + 1);
        let (ordering, counter) = (Ordering::Relaxed, &self.subscribers);
        counter.fetch_update(ordering, ordering, next).is_ok()
    }

    pub(super) fn leave(&self) {
        self.subscribers.fetch_sub(1, Ordering::Relaxed);
    }
}

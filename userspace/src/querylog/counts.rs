//! What the query log counts of itself.

use crate::telemetry::metrics;
use std::sync::atomic::{AtomicU64, Ordering};

metrics! {
    /// What became of replies that somebody wanted to see, beyond the workers.
    pub enum QueryLogEvent {
        /// Replies that were written to a query log.
        Written = "written",
        /// Replies lost because a query log's disk or reader was too slow.
        TooSlow = "too_slow",
        /// Replies lost because they could not be written.
        Lost = "lost",
        /// Errors while writing to a query log.
        WriteErrors = "write_errors",
        /// Times that a query log's file could not be opened, or its reader not be reached.
        OpenErrors = "open_errors",
        /// Files that were begun, and readers that were reached.
        Opened = "opened",
    }
}

/// The counters. Written by the threads of the query log, read by any.
#[derive(Debug, Default)]
pub struct QueryLogCounts([AtomicU64; QueryLogEvent::COUNT]);

impl QueryLogCounts {
    /// Counts `count` more.
    pub(super) fn add(&self, event: QueryLogEvent, count: u64) {
        self.0[event.index()].fetch_add(count, Ordering::Relaxed);
    }

    /// How many there were so far.
    pub fn get(&self, event: QueryLogEvent) -> u64 {
        self.0[event.index()].load(Ordering::Relaxed)
    }
}

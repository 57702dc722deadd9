//! What the query log counts of itself.

use crate::telemetry::metrics;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

metrics! {
    /// What became of replies that somebody wanted to see.
    pub enum QueryLogEvent {
        /// Replies that workers have recorded because somebody wanted to see them.
        Recorded = "recorded",
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
pub struct QueryLogCounts {
    events: [AtomicU64; QueryLogEvent::COUNT],
    buffer_bytes: AtomicUsize,
}

impl QueryLogCounts {
    /// Counts `count` more.
    pub(super) fn add(&self, event: QueryLogEvent, count: u64) {
        self.events[event.index()].fetch_add(count, Ordering::Relaxed);
    }

    /// How many there were so far.
    pub fn get(&self, event: QueryLogEvent) -> u64 {
        self.events[event.index()].load(Ordering::Relaxed)
    }

    /// Memory of the workers' buffers.
    pub fn buffer_bytes(&self) -> usize {
        self.buffer_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn set_buffer_bytes(&self, bytes: usize) {
        self.buffer_bytes.store(bytes, Ordering::Relaxed);
    }
}

//! What the log counts of itself.

use super::record::{LEVELS, level_index};
use crate::telemetry::families;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::Level;

families! {
    /// What became of messages and of the log's file.
    pub enum LogEvent {
        /// Messages that found no room.
        Dropped = "dropped", Counter "log_dropped",
        /// Messages that were only counted, because one place had many.
        RateLimited = "rate_limited", Counter "log_rate_limited",
        /// Errors while writing the log.
        WriteErrors = "write_errors", Counter "log_write_errors",
        /// Times that the log's file could not be opened, or not be put aside.
        OpenErrors = "open_errors", Counter "log_open_errors",
        /// Times that the log's file was put aside because of its size.
        Rotations = "rotations", Counter "log_rotations",
    }
}

/// Counters of the log. Any thread adds and reads.
#[derive(Debug, Default)]
pub(super) struct LogCounters {
    messages: [AtomicU64; LEVELS.len()],
    events: [AtomicU64; LogEvent::COUNT],
}

impl LogCounters {
    /// Counts a message that the writer gets.
    pub(super) fn message(&self, level: Level) {
        self.messages[level_index(level)].fetch_add(1, Ordering::Relaxed);
    }

    /// One more.
    pub(super) fn add(&self, event: LogEvent) {
        self.events[event.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were so far.
    pub(super) fn get(&self, event: LogEvent) -> u64 {
        self.events[event.index()].load(Ordering::Relaxed)
    }

    /// The counts as they are now.
    pub(super) fn totals(&self) -> LogTotals {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        LogTotals {
            messages: self.messages.each_ref().map(read),
            events: self.events.each_ref().map(read),
        }
    }
}

/// Counts read at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogTotals {
    messages: [u64; LEVELS.len()],
    events: [u64; LogEvent::COUNT],
}

impl LogTotals {
    /// Messages by level, the worst first.
    pub fn messages(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        const LABELS: [&str; LEVELS.len()] = ["error", "warn", "info", "debug", "trace"];
        LABELS.into_iter().zip(self.messages)
    }

    /// How many there were.
    pub fn get(&self, event: LogEvent) -> u64 {
        self.events[event.index()]
    }
}

//! What the log counts of itself.

use super::record::{LEVELS, level_index};
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::Level;

/// Declares the counters that any thread may add to, and the same as plain numbers.
macro_rules! counters {
    ($( #[doc = $help:literal] $name:ident, )*) => {
        /// Counters of the log. Any thread adds and reads.
        #[derive(Debug, Default)]
        pub(super) struct LogCounters {
            messages: [AtomicU64; LEVELS.len()],
            $( #[doc = $help] pub(super) $name: AtomicU64, )*
        }

        /// Counts read at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct LogTotals {
            messages: [u64; LEVELS.len()],
            $( #[doc = $help] pub $name: u64, )*
        }

        impl LogCounters {
            /// The counts as they are now.
            pub(super) fn totals(&self) -> LogTotals {
                LogTotals {
                    messages: self.messages.each_ref().map(|count| count.load(Ordering::Relaxed)),
                    $( $name: self.$name.load(Ordering::Relaxed), )*
                }
            }
        }
    };
}

counters! {
    /// Messages that found their thread's ring full.
    dropped,
    /// Messages of hot threads that were only counted.
    rate_limited,
    /// Messages that could not be written to where they belong.
    write_errors,
    /// Times that the log's file could not be opened or put aside.
    open_errors,
    /// Times that the log's file was put aside because of its size.
    rotations,
}

impl LogCounters {
    /// Counts a message that the writer gets.
    pub(super) fn message(&self, level: Level) {
        add(&self.messages[level_index(level)]);
    }
}

impl LogTotals {
    /// Messages by level, the worst first.
    pub fn messages(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        const LABELS: [&str; LEVELS.len()] = ["error", "warn", "info", "debug", "trace"];
        LABELS.into_iter().zip(self.messages)
    }
}

/// One more.
pub(super) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

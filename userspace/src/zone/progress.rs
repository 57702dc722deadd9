//! How far loading has come: counters that its threads add to, chunk by chunk.

use std::sync::atomic::{AtomicU64, Ordering};

/// What has been read so far, and of how much. Shown to people; nothing depends on it.
#[derive(Debug, Default)]
pub struct Progress {
    octets_total: AtomicU64,
    octets: AtomicU64,
    records: AtomicU64,
}

/// What a load may use, and whom it tells how far it is.
#[derive(Clone, Copy, Debug)]
pub struct Effort<'p> {
    /// Threads, one at least.
    pub threads: usize,
    /// Where it counts.
    pub progress: &'p Progress,
}

/// The counters at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Octets of text in the zones' files, without those that they include.
    pub octets_total: u64,
    /// Octets read, included files too.
    pub octets: u64,
    /// Records read.
    pub records: u64,
}

impl Progress {
    /// Nothing read, nothing expected.
    pub const fn none() -> Self {
        Self {
            octets_total: AtomicU64::new(0),
            octets: AtomicU64::new(0),
            records: AtomicU64::new(0),
        }
    }

    /// So many octets more will be read.
    pub(super) fn expect(&self, octets: u64) {
        self.octets_total.fetch_add(octets, Ordering::Relaxed);
    }

    /// A chunk was read.
    pub(super) fn add(&self, octets: usize, records: usize) {
        self.octets.fetch_add(octets as u64, Ordering::Relaxed);
        self.records.fetch_add(records as u64, Ordering::Relaxed);
    }

    /// The counters now.
    pub fn reached(&self) -> Reached {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Reached {
            octets_total: load(&self.octets_total),
            octets: load(&self.octets),
            records: load(&self.records),
        }
    }
}

//! What one worker counts by zone.

use super::metrics;
use std::sync::atomic::{AtomicU64, Ordering};

metrics! {
    /// How a zone's queries were answered.
    pub enum ZoneCount {
        /// With records, a referral or the lack of a type.
        NoError = "noerror",
        /// The name does not exist.
        NxDomain = "nxdomain",
    }
}

/// One worker's counts, a row per place. Written by that worker alone, read by any thread.
///
/// Which zone has which place is known to the snapshot; place 0 is for the zones that have none.
#[derive(Debug)]
pub struct ZoneCounts(Box<[[AtomicU64; ZoneCount::COUNT]]>);

impl ZoneCounts {
    /// For `zones_max` zones and the rest.
    pub(super) fn new(zones_max: usize) -> Self {
        Self((0..=zones_max).map(|_| Default::default()).collect())
    }

    /// Counts one query. Of a place that there is not, nothing is counted.
    #[inline(always)]
    pub fn count(&self, place: u32, count: ZoneCount) {
        if let Some(row) = self.0.get(place as usize) {
            // One writer: a load and a store, no locked instruction.
            let cell = &row[count.index()];
            cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    /// What has been counted.
    pub fn get(&self, place: u32, count: ZoneCount) -> u64 {
        let row = self.0.get(place as usize);
        row.map_or(0, |row| row[count.index()].load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_counts_of_its_own() {
        let counts = ZoneCounts::new(1);
        counts.count(1, ZoneCount::NxDomain);
        counts.count(1, ZoneCount::NxDomain);
        counts.count(0, ZoneCount::NoError);
        counts.count(2, ZoneCount::NoError);
        assert_eq!(counts.get(1, ZoneCount::NxDomain), 2);
        assert_eq!(counts.get(1, ZoneCount::NoError), 0);
        assert_eq!(counts.get(0, ZoneCount::NoError), 1);
        assert_eq!(counts.get(2, ZoneCount::NoError), 0);
    }
}

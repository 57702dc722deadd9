//! Where the queries of which zone are counted.

use crate::snapshot::Snapshot;
use std::collections::HashMap;

/// Places by origin. A zone keeps its own for as long as the server runs, so that its counts never
/// go back; when there are no more, further zones share place 0.
#[derive(Default)]
pub(super) struct CountPlaces {
    zones_max: usize,
    by_origin: HashMap<Box<[u8]>, u32>,
}

impl CountPlaces {
    /// For so many zones; 0: nothing is counted by zone.
    pub(super) fn new(zones_max: usize) -> Self {
        Self {
            zones_max,
            ..Self::default()
        }
    }

    /// The places of a snapshot's zones, by their numbers.
    pub(super) fn of(&mut self, snapshot: &Snapshot) -> Box<[u32]> {
        if self.zones_max == 0 {
            return Box::default();
        }
        let zones = snapshot.zones().iter();
        zones.map(|zone| self.place(zone.apex().name())).collect()
    }

    fn place(&mut self, origin: &[u8]) -> u32 {
        if let Some(&place) = self.by_origin.get(origin) {
            return place;
        }
        if self.by_origin.len() >= self.zones_max {
            return 0;
        }
        // There are fewer zones than the index has numbers for.
        let place = u32::try_from(self.by_origin.len() + 1).unwrap_or(0);
        self.by_origin.insert(origin.into(), place);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_keeps_its_place_and_those_beyond_share_one() {
        let mut places = CountPlaces::new(2);
        let found = [&b"a"[..], b"b", b"c", b"a", b"c"].map(|origin| places.place(origin));
        assert_eq!(found, [1, 2, 0, 1, 0]);
    }
}

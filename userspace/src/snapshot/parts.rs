//! What a snapshot's memory is for.

use super::{Snapshot, Variation};
use crate::telemetry::metrics;
use crate::zone::image::ZoneImage;

metrics! {
    /// What memory is for.
    pub enum Part {
        /// Zones that were compiled from master files.
        Zones = "zones",
        /// Zones that are mapped from saved images.
        SavedZones = "saved_zones",
        /// What answers depend on where clients are, or on what is down.
        Variants = "variants",
        /// The index of all zones' names.
        Index = "index",
        /// Maps of where clients are.
        Maps = "maps",
    }
}

impl Snapshot {
    /// Bytes of all parts.
    pub fn size_bytes(&self) -> usize {
        Part::ALL.iter().map(|&part| self.part_bytes(part)).sum()
    }

    /// Bytes of one part.
    pub fn part_bytes(&self, part: Part) -> usize {
        let zones = |saved: bool| -> usize {
            let zones = self.zones.iter();
            let ours = zones.filter(|zone| zone.saved().is_some() == saved);
            ours.map(ZoneImage::bytes).map(<[u8]>::len).sum()
        };
        match part {
            Part::Zones => zones(false),
            Part::SavedZones => zones(true),
            Part::Variants => {
                let variations = self.variations.iter().flatten();
                variations.map(Variation::size_bytes).sum()
            }
            Part::Index => self.index.size_bytes(),
            Part::Maps => {
                let maps = self.geo.maps.iter();
                maps.map(|map| map.tree.size_bytes()).sum()
            }
        }
    }
}

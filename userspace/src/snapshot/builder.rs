//! Zones → the snapshot's index.

use super::{Labels, ParentPlace, Policy, Snapshot};
use crate::name;
use crate::packet::NameKey;
use crate::zone::image::{NodeFlags, ZoneImage};
use crate::zone::index::{NameIndex, NamePlace, ZONES_MAX};
use std::collections::HashMap;

/// Why zones do not make a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Two zones have one apex.
    #[error("zone {0} is configured twice")]
    Duplicate(String),
    /// More zones than the index can tell apart.
    #[error("{0} zones are configured, at most {max} can be served", max = ZONES_MAX)]
    TooMany(usize),
}

impl Snapshot {
    /// Indexes the names of `zones` under `key`.
    pub fn new(
        generation: u64,
        zones: Vec<ZoneImage>,
        policy: Policy,
        key: NameKey,
    ) -> Result<Self, SnapshotError> {
        if zones.len() > ZONES_MAX {
            return Err(SnapshotError::TooMany(zones.len()));
        }
        let apexes = Apexes::of(&zones)?;
        let names = zones.iter().map(ZoneImage::node_count).sum();
        let mut index = NameIndex::with_capacity(names);
        let mut parents = apexes.parents(&zones);
        let all = (0..).zip(&zones).flat_map(|(zone, image)| {
            let nodes = image.nodes();
            nodes.map(move |(node, value)| (NamePlace { zone, node }, value))
        });
        index.extend(all.filter_map(|(place, node)| {
            if node.flags().any(NodeFlags::HASHED) {
                return None;
            }
            let Some(child) = apexes.shadow(place.zone, node.name()) else {
                return Some((key.hash(node.name()), place));
            };
            if let Some(parent) = parents.get_mut(&child)
                && parent.zone == place.zone
                && zones[child as usize].apex().name() == node.name()
            {
                parent.cut = Some(place);
            }
            None
        }));
        let depths = apexes.depths(&zones);
        let zones = zones.into_boxed_slice();
        Ok(Self {
            generation,
            policy,
            key,
            zones,
            index,
            apex_depths: depths,
            parents,
        })
    }
}

/// The zones by their apex, and which of them have others below.
struct Apexes {
    by_name: HashMap<Box<[u8]>, u32>,
    has_nested: Vec<bool>,
}

impl Apexes {
    fn of(zones: &[ZoneImage]) -> Result<Self, SnapshotError> {
        let mut by_name = HashMap::with_capacity(zones.len());
        for (zone, image) in (0..).zip(zones) {
            let apex = image.apex().name();
            if by_name.insert(apex.into(), zone).is_some() {
                return Err(SnapshotError::Duplicate(name::display(apex).to_string()));
            }
        }
        let mut has_nested = vec![false; zones.len()];
        for image in zones {
            let labels = Labels::of(image.apex().name());
            for depth in 0..labels.count() {
                if let Some(&parent) = by_name.get(labels.suffix(depth)) {
                    has_nested[parent as usize] = true;
                }
            }
        }
        Ok(Self {
            by_name,
            has_nested,
        })
    }

    /// The zone below `zone` that `name` belongs to instead: what a parent has there, is not
    /// served.
    fn shadow(&self, zone: u32, name: &[u8]) -> Option<u32> {
        if !self.has_nested[zone as usize] {
            return None;
        }
        let labels = Labels::of(name);
        let deepest = (0..=labels.count())
            .rev()
            .find_map(|depth| self.by_name.get(labels.suffix(depth)))?;
        (*deepest != zone).then_some(*deepest)
    }

    /// For each zone that lies in others, the nearest of them.
    fn parents(&self, zones: &[ZoneImage]) -> HashMap<u32, ParentPlace> {
        let parent = |image: &ZoneImage| {
            let labels = Labels::of(image.apex().name());
            let mut above = (0..labels.count()).rev();
            let zone = *above.find_map(|depth| self.by_name.get(labels.suffix(depth)))?;
            Some(ParentPlace { zone, cut: None })
        };
        let zones = (0..).zip(zones);
        zones
            .filter_map(|(zone, image)| Some((zone, parent(image)?)))
            .collect()
    }

    /// Label counts of the apexes, the largest first, each once.
    fn depths(&self, zones: &[ZoneImage]) -> Box<[u8]> {
        let mut depths: Vec<u8> = zones
            .iter()
            .map(|image| u8::try_from(image.apex_labels()).unwrap_or(u8::MAX))
            .collect();
        depths.sort_unstable_by(|a, b| b.cmp(a));
        depths.dedup();
        depths.into_boxed_slice()
    }
}

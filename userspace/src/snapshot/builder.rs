//! Zones → the snapshot's index.

use super::{Labels, ParentPlace, Policy, Snapshot, Variation};
use crate::geo::Geo;
use crate::name;
use crate::packet::NameKey;
use crate::zone::compile::CompileError;
use crate::zone::image::ZoneImage;
use crate::zone::index::{NameIndex, NamePlace, ZONES_MAX};
use crate::zone::served::ServedZone;
use crate::zone::variants::{Health, Variants};
use std::collections::HashMap;
use std::sync::Arc;

/// Why zones do not make a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Two zones have one apex.
    #[error("zone {0} is configured twice")]
    Duplicate(String),
    /// The variants of a zone cannot be told apart.
    #[error("zone {0}: {1}")]
    Variants(String, CompileError),
    /// More zones than the index can tell apart.
    #[error("{0} zones are configured, at most {max} can be served", max = ZONES_MAX)]
    TooMany(usize),
}

/// Under a key that nobody outside knows, no name lies so many buckets behind its own. Where one
/// does, somebody who knew the key of a saved image has chosen the names.
const REACH: usize = 64;

impl Snapshot {
    /// Indexes the names of `zones` under the key of the largest saved one, whose names are hashed
    /// already, else under `key`.
    pub fn new(
        generation: u64,
        zones: Vec<ServedZone>,
        policy: Policy,
        key: NameKey,
    ) -> Result<Self, SnapshotError> {
        if zones.len() > ZONES_MAX {
            return Err(SnapshotError::TooMany(zones.len()));
        }
        let zones = zones.into_iter().map(|zone| (zone.image, zone.variants));
        let (zones, variants): (Vec<_>, Vec<_>) = zones.unzip();
        let apexes = Apexes::of(&zones)?;
        let seed = saved_seed(&zones);
        let saved = seed.and_then(|seed| {
            let key = NameKey::new(seed);
            let (index, parents, is_near) = indexed(&zones, &apexes, &key, Some(seed));
            is_near.then_some((key, index, parents))
        });
        let (key, index, parents) = saved.unwrap_or_else(|| {
            let (index, parents, _) = indexed(&zones, &apexes, &key, None);
            (key, index, parents)
        });
        let depths = apexes.depths(&zones);
        let zones = zones.into_boxed_slice();
        let snapshot = Self {
            generation,
            policy,
            key,
            zones,
            index,
            apex_depths: depths,
            parents: Arc::new(parents),
            variants: variants.into(),
            variations: Box::default(),
            geo: Arc::default(),
            count_places: Box::default(),
        };
        snapshot.with_geo(Arc::default(), None)
    }

    /// The same zones in another generation, with another policy, maps and health: their images
    /// and index are shared.
    pub fn again(
        &self,
        generation: u64,
        policy: Policy,
        geo: Arc<Geo>,
        health: Option<&dyn Health>,
    ) -> Result<Self, SnapshotError> {
        let same = Self {
            generation,
            policy,
            key: self.key,
            zones: self.zones.clone(),
            index: self.index.clone(),
            apex_depths: self.apex_depths.clone(),
            parents: Arc::clone(&self.parents),
            variants: self.variants.clone(),
            variations: Box::default(),
            geo: Arc::default(),
            count_places: Box::default(),
        };
        same.with_geo(geo, health)
    }

    /// The same with these maps, in which clients are looked for, and without what is down.
    pub fn with_geo(
        mut self,
        geo: Arc<Geo>,
        health: Option<&dyn Health>,
    ) -> Result<Self, SnapshotError> {
        let variation = |(zone, variants): (&ZoneImage, &Option<Arc<Variants>>)| {
            let Some(variants) = variants else {
                return Ok(None);
            };
            let variation = Variation::new(variants, &geo, health).map_err(|error| {
                let zone = name::display(zone.apex().name()).to_string();
                SnapshotError::Variants(zone, error)
            });
            variation.map(Some)
        };
        if self.variants.iter().any(Option::is_some) {
            let zones = self.zones.iter().zip(&self.variants);
            self.variations = zones.map(variation).collect::<Result<_, _>>()?;
        }
        self.geo = geo;
        Ok(self)
    }
}

/// What the key of the largest saved zone is made from.
fn saved_seed(zones: &[ZoneImage]) -> Option<[u64; 3]> {
    let saved = zones.iter().filter_map(|zone| Some((zone, zone.saved()?)));
    let largest = saved.max_by_key(|(zone, _)| zone.node_count());
    largest.map(|(_, saved)| saved.key())
}

/// The index and where zones lie in others. `seed`: the key's, if it is a saved zone's; then false
/// when names lie too far from their buckets.
fn indexed(
    zones: &[ZoneImage],
    apexes: &Apexes,
    key: &NameKey,
    seed: Option<[u64; 3]>,
) -> (NameIndex, HashMap<u32, ParentPlace>, bool) {
    let reach = if seed.is_some() { REACH } else { usize::MAX };
    let names = zones.iter().map(ZoneImage::node_count).sum();
    let mut index = NameIndex::with_capacity(names);
    let mut parents = apexes.parents(zones);
    let saved = |zone: u32| {
        let saved = zones[zone as usize].saved()?;
        // What lies in zones below is told by its name only.
        let is_usable = Some(saved.key()) == seed && !apexes.has_nested[zone as usize];
        is_usable.then_some(saved)
    };
    let mut is_near = true;
    let mut rest = Vec::new();
    for (zone, image) in (0..).zip(zones) {
        let Some(saved) = saved(zone) else {
            rest.push((zone, image));
            continue;
        };
        let places = saved.names();
        let places = places.map(|(hash, node)| (hash, NamePlace { zone, node }));
        is_near = is_near && index.pour(places, reach);
    }
    let all = rest.into_iter().flat_map(|(zone, image)| {
        let nodes = image.nodes();
        nodes.map(move |(node, value)| (NamePlace { zone, node }, value))
    });
    let hashed = all.filter_map(|(place, node)| {
        if node.is_hashed() {
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
    });
    is_near = is_near && index.extend(hashed, reach);
    (index.filled(), parents, is_near)
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

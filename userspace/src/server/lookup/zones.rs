//! The zones that a name's answer comes from, read as they are needed.

use crate::config::{Config, ZoneSource};
use crate::geo::Geo;
use crate::name;
use crate::server::resources;
use crate::zone::checked::CheckedNames;
use crate::zone::served::ServedZone;
use anyhow::{Result, bail};
use std::collections::BTreeMap;

/// The zones that are configured, and those of them that were read.
pub(super) struct Zones {
    sources: Vec<ZoneSource>,
    loaded: BTreeMap<usize, ServedZone>,
}

impl Zones {
    /// None is read yet.
    pub(super) fn of(config: &Config) -> Result<Self> {
        let (sources, complaints) = resources::sources(config);
        if !complaints.is_empty() {
            bail!(complaints.join("\n"));
        }
        Ok(Self {
            sources: sources.unwrap_or_default(),
            loaded: BTreeMap::new(),
        })
    }

    /// Reads the zone that a name is in, if there is one that was not read; says whether.
    pub(super) fn load_for(&mut self, name: &[u8], geo: &Geo) -> Result<bool, Vec<String>> {
        let mut lowered = name.to_vec();
        name::make_lowercase(&mut lowered);
        let sources = self.sources.iter().enumerate();
        let holds = |source: &ZoneSource| name::is_at_or_below(&lowered, &source.origin);
        let deepest = sources
            .filter(|(_, source)| holds(source))
            .max_by_key(|(_, source)| source.origin.len());
        let Some((at, _)) = deepest.filter(|(at, _)| !self.loaded.contains_key(at)) else {
            return Ok(false);
        };
        // Nobody knows here what is down.
        let checked = CheckedNames::default();
        for loaded in resources::load(&self.sources, &[at], &checked) {
            let zone = resources::placed(loaded.image?, geo)?;
            self.loaded.insert(at, zone);
        }
        Ok(true)
    }

    /// Those that were read.
    pub(super) fn served(&self) -> Vec<ServedZone> {
        self.loaded.values().cloned().collect()
    }
}

//! Databases and maps of where clients are.

use crate::geo::Geo;
use crate::geo::load::{DatabaseFacts, MapFacts};
use crate::server::resources::Resources;
use crate::snapshot::Weighted;
use jiff::Timestamp;
use serde_json::{Value, json};

impl Resources {
    /// What the maps in force were made from, and who speaks of them.
    pub(super) fn geo_json(&self) -> Value {
        let places = &self.places;
        let (geo, facts) = (places.geo(), places.facts());
        let databases = facts.databases.iter().map(database);
        let maps = geo.maps.iter().zip(&facts.maps).enumerate();
        let maps = maps.map(|(at, (map, facts))| {
            let regions: Vec<&str> = map.regions.iter().map(|region| &*region.name).collect();
            let mut told = map_json(facts);
            told["regions"] = regions.into();
            told["zones"] = self.zones_of_map(at, geo).into();
            told
        });
        json!({
            "generation": self.generation,
            "read_seconds_ago": facts.read_at.elapsed().as_secs(),
            "databases": databases.collect::<Vec<_>>(),
            "maps": maps.collect::<Vec<_>>(),
            "waiting": places.maps().next.is_some(),
            "refused": places.is_refused(),
            "weighted": weighted(self.policy.weighted),
            "client_subnet": self.policy.client_subnet,
        })
    }

    /// Zones whose variants speak of the map with this number.
    fn zones_of_map(&self, map: usize, geo: &Geo) -> usize {
        let zones = self.table.served();
        let speaks = zones.filter(|zone| {
            let variants = zone.variants.iter();
            variants
                .flat_map(|own| own.maps_in(geo))
                .any(|own| own == map)
        });
        speaks.count()
    }
}

fn database(facts: &DatabaseFacts) -> Value {
    let built = i64::try_from(facts.build_epoch).ok();
    let built = built.and_then(|seconds| Timestamp::from_second(seconds).ok());
    json!({
        "file": facts.file,
        "type": facts.database_type,
        "built": built.map(|time| time.to_string()),
        "build_epoch": facts.build_epoch,
        "ip_version": facts.ip_version,
        "networks": facts.networks,
        "records": facts.records,
    })
}

fn map_json(facts: &MapFacts) -> Value {
    json!({
        "map": facts.name,
        "networks": facts.networks,
        "memory_bytes": facts.size_bytes,
    })
}

/// How one of several variants is chosen, as the option has it.
pub(super) fn weighted(weighted: Weighted) -> &'static str {
    match weighted {
        Weighted::Client => "client",
        Weighted::Random => "random",
    }
}

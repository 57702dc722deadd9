//! Where an address is: its region in each map, and why.

use super::load::{Explanation, Finding, Place, Reason, Sources};
use super::{Geo, GeoMap, Network};
use crate::config::GeoOptions;
use serde_json::{Value, json};
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

/// All that is known of where an address is.
pub struct Whereabouts {
    address: IpAddr,
    /// The maps that it was looked for in.
    pub geo: Arc<Geo>,
    explanation: Explanation,
}

/// Looks for an address in databases and maps, or says everything that is wrong with them.
pub fn locate(options: &GeoOptions, address: IpAddr) -> Result<Whereabouts, Vec<String>> {
    let sources = Sources::open(options)?;
    let loaded = sources.load()?;
    let explanation = sources.explain(address).map_err(|problem| vec![problem])?;
    Ok(Whereabouts {
        address,
        geo: Arc::new(loaded.geo),
        explanation,
    })
}

impl Whereabouts {
    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.address);
        for finding in &self.explanation.findings {
            let (file, says) = (finding.file.display(), finding_text(finding));
            writeln!(text, "  {file}: {says}").unwrap_or_default();
        }
        for (map, reason) in self.geo.maps.iter().zip(&self.explanation.reasons) {
            let (name, region) = (&map.name, self.region(map));
            let network = self.network(map);
            let why = self.why(reason);
            writeln!(text, "{name}: {region}, as all of {network}: {why}").unwrap_or_default();
            let fallbacks = fallbacks(map, reason).join(", ");
            if !fallbacks.is_empty() {
                writeln!(text, "  without a variant for it: {fallbacks}").unwrap_or_default();
            }
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let databases = self.explanation.findings.iter().map(finding_json);
        let maps = self
            .geo
            .maps
            .iter()
            .zip(&self.explanation.reasons)
            .map(|(map, reason)| {
                json!({
                    "map": map.name,
                    "region": self.region(map),
                    "network": self.network(map).to_string(),
                    "rule": self.rule_json(reason),
                    "fallbacks": fallbacks(map, reason),
                })
            });
        json!({
            "address": self.address,
            "databases": databases.collect::<Vec<_>>(),
            "maps": maps.collect::<Vec<_>>(),
        })
    }

    /// The region as the server finds it.
    fn region<'m>(&self, map: &'m GeoMap) -> &'m str {
        let region = map.regions.get(usize::from(map.find(self.address).region));
        region.map_or("", |region| &region.name)
    }

    /// What an answer for this map's region would be valid for.
    fn network(&self, map: &GeoMap) -> Network {
        let prefix_len = map.find(self.address).prefix_len;
        let network = Network::of(self.address, prefix_len);
        network.unwrap_or(Network::single(self.address))
    }

    fn why(&self, reason: &Reason) -> String {
        match reason {
            Reason::Default => "no rule matches, so the default".to_owned(),
            Reason::Network { network, .. } => format!("network {network}"),
            Reason::Field {
                field,
                database,
                value,
                ..
            } => {
                format!("{} {value}, by {}", field.option(), self.file(*database))
            }
        }
    }

    fn rule_json(&self, reason: &Reason) -> Value {
        match reason {
            Reason::Default => json!({ "kind": "default" }),
            Reason::Network { network, .. } => {
                json!({ "kind": "network", "value": network.to_string() })
            }
            Reason::Field {
                field,
                database,
                value,
                ..
            } => json!({
                "kind": field.option(),
                "value": value,
                "database": self.file(*database),
            }),
        }
    }

    /// The file of the database with this number.
    fn file(&self, database: usize) -> String {
        let finding = self.explanation.findings.get(database);
        finding
            .map(|finding| finding.file.display().to_string())
            .unwrap_or_default()
    }
}

/// Names of the regions that stand in for the one that an address is in.
fn fallbacks<'m>(map: &'m GeoMap, reason: &Reason) -> Vec<&'m str> {
    let region = map.regions.get(usize::from(reason.region()));
    let numbers = region
        .map(|region| &region.fallbacks[..])
        .unwrap_or_default();
    let regions = numbers
        .iter()
        .filter_map(|number| map.regions.get(usize::from(*number)));
    regions.map(|region| &*region.name).collect()
}

fn finding_text(finding: &Finding) -> String {
    let network = match &finding.network {
        Some(network) => network.to_string(),
        None => "all of IPv6".to_owned(),
    };
    let Some(place) = &finding.place else {
        return format!("{network}: nothing");
    };
    let Place {
        asn,
        subdivisions,
        country,
        continent,
        coordinates,
    } = place;
    let mut words = Vec::new();
    words.extend(continent.iter().map(|code| format!("continent {code}")));
    words.extend(country.iter().map(|code| format!("country {code}")));
    words.extend(
        subdivisions
            .iter()
            .map(|code| format!("subdivision {code}")),
    );
    words.extend(
        coordinates
            .iter()
            .map(|place| format!("coordinates {}, {}", place.latitude(), place.longitude())),
    );
    words.extend(asn.iter().map(|asn| format!("AS{asn}")));
    match words.is_empty() {
        true => format!("{network}: nothing that counts here"),
        false => format!("{network}: {}", words.join(", ")),
    }
}

fn finding_json(finding: &Finding) -> Value {
    let place = finding.place.clone().unwrap_or_default();
    json!({
        "file": finding.file.display().to_string(),
        "network": finding.network.map(|network| network.to_string()),
        "continent": place.continent,
        "country": place.country,
        "subdivisions": place.subdivisions,
        "latitude": place.coordinates.map(|place| place.latitude()),
        "longitude": place.coordinates.map(|place| place.longitude()),
        "asn": place.asn,
    })
}

//! `[geo.map.NAME]`: rules from what databases say to regions.

use super::regions::{Regions, check_word};
use super::{ConfigError, MapOptions};
use crate::config::networks::network;
use crate::geo::{Coordinates, Network};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// `[geo.map.NAME]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Map {
    pub(super) default: String,
    #[serde(default)]
    pub(super) network: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) asn: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) subdivision: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) country: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) continent: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) nearest: BTreeMap<String, [f64; 2]>,
    #[serde(default)]
    pub(super) fallback: BTreeMap<String, Vec<String>>,
}

/// The name of a map's option.
pub(super) fn option_of(map: &str, key: &str) -> String {
    match key {
        "" => format!("geo.map.{map}"),
        _ => format!("geo.map.{map}.{key}"),
    }
}

/// Checks a map.
pub(super) fn check_map(name: &str, map: &Map) -> Result<MapOptions, ConfigError> {
    check_word(&option_of(name, ""), name)?;
    let mut regions = Regions::of(name, map)?;
    let codes =
        |key, table, shape: &CodeShape| codes(&option_of(name, key), table, shape, &regions);
    let continents = codes("continent", &map.continent, &CONTINENT)?;
    let countries = codes("country", &map.country, &COUNTRY)?;
    let subdivisions = codes("subdivision", &map.subdivision, &SUBDIVISION)?;
    let networks = networks(name, map, &regions)?;
    let asns = asns(name, map, &regions)?;
    let nearest = nearest(name, map, &regions)?;
    regions.add_fallbacks(name, map)?;
    Ok(MapOptions {
        name: name.to_owned(),
        regions: regions.all(),
        networks,
        asns,
        subdivisions,
        countries,
        continents,
        nearest,
    })
}

/// How codes look, as a test and in words.
type CodeShape = (fn(&str) -> bool, &'static str);

const CONTINENT: CodeShape = (
    is_continent,
    "continent: those are AF, AN, AS, EU, NA, OC, SA",
);
const COUNTRY: CodeShape = (is_country, "country's ISO 3166-1 code, as in DE");
const SUBDIVISION: CodeShape = (is_subdivision, "subdivision's ISO 3166-2 code, as in US-CA");

fn codes(
    option: &str,
    table: &BTreeMap<String, String>,
    (is_code, shape): &CodeShape,
    regions: &Regions,
) -> Result<BTreeMap<String, u16>, ConfigError> {
    let checked = table.iter().map(|(code, region)| match is_code(code) {
        true => Ok((code.clone(), regions.number(region))),
        false => Err(ConfigError::option(
            option,
            format!("{code:?} is no {shape}"),
        )),
    });
    checked.collect()
}

fn networks(name: &str, map: &Map, regions: &Regions) -> Result<Vec<(Network, u16)>, ConfigError> {
    let option = option_of(name, "network");
    let mut known = BTreeSet::new();
    let mut networks = Vec::new();
    for (text, region) in &map.network {
        let network = network(&option, text)?;
        if !known.insert(network) {
            let problem = format!("{network} is given twice");
            return Err(ConfigError::option(option, problem));
        }
        networks.push((network, regions.number(region)));
    }
    Ok(networks)
}

fn asns(name: &str, map: &Map, regions: &Regions) -> Result<BTreeMap<u32, u16>, ConfigError> {
    let refuse = |problem| ConfigError::option(option_of(name, "asn"), problem);
    let mut asns = BTreeMap::new();
    for (text, region) in &map.asn {
        let number = text.strip_prefix("AS").unwrap_or(text);
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let asn = number.parse().ok().filter(|asn| is_number && *asn > 0);
        let asn = asn.ok_or_else(|| {
            refuse(format!(
                "{text:?} is no number of an autonomous system, as in 64512"
            ))
        })?;
        if asns.insert(asn, regions.number(region)).is_some() {
            return Err(refuse(format!("AS{asn} is given twice")));
        }
    }
    Ok(asns)
}

fn nearest(
    name: &str,
    map: &Map,
    regions: &Regions,
) -> Result<Vec<(u16, Coordinates)>, ConfigError> {
    let places = map.nearest.iter().map(|(region, &[latitude, longitude])| {
        let coordinates = Coordinates::of(latitude, longitude).ok_or_else(|| {
            let problem = format!(
                "{region}: [{latitude}, {longitude}] is no latitude within -90–90 and longitude \
                 within -180–180"
            );
            ConfigError::option(option_of(name, "nearest"), problem)
        })?;
        Ok((regions.number(region), coordinates))
    });
    places.collect()
}

fn is_continent(text: &str) -> bool {
    matches!(text, "AF" | "AN" | "AS" | "EU" | "NA" | "OC" | "SA")
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_subdivision(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.split_once('-').is_some_and(|(country, part)| {
        is_country(country) && (1..=3).contains(&part.len()) && part.bytes().all(is_part)
    })
}

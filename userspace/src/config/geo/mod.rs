//! `[geo]`: databases, and maps from what they say to regions.

mod map;
mod regions;

use super::ConfigError;
use crate::geo::{Coordinates, Network};
use crate::snapshot::Weighted;
use map::{Map, check_map, option_of};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// Where clients are: the databases that know it, and the maps that are drawn over them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GeoOptions {
    /// MaxMind databases; where two know something, the first counts.
    pub databases: Vec<PathBuf>,
    /// In the order of the file.
    pub maps: Vec<MapOptions>,
}

/// A map: rules that lead to regions, which are numbers here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapOptions {
    /// What zones call it.
    pub name: String,
    /// Its regions; the first is the default.
    pub regions: Vec<RegionOptions>,
    /// Networks that are in a region whatever the databases say.
    pub networks: Vec<(Network, u16)>,
    /// Numbers of autonomous systems.
    pub asns: BTreeMap<u32, u16>,
    /// ISO 3166-2 codes, as in `US-CA`.
    pub subdivisions: BTreeMap<String, u16>,
    /// ISO 3166-1 codes, as in `DE`.
    pub countries: BTreeMap<String, u16>,
    /// `AF`, `AN`, `AS`, `EU`, `NA`, `OC`, `SA`.
    pub continents: BTreeMap<String, u16>,
    /// Where regions are, for clients that no rule above knows.
    pub nearest: Vec<(u16, Coordinates)>,
}

/// A region of a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegionOptions {
    /// What zones call it.
    pub name: String,
    /// The regions whose variants its clients get where it has none, the best first.
    pub fallbacks: Vec<u16>,
}

impl MapOptions {
    /// Whether there are rules that only a database can answer.
    pub fn needs_database(&self) -> bool {
        let Self {
            asns,
            subdivisions,
            countries,
            continents,
            nearest,
            ..
        } = self;
        !asns.is_empty()
            || ![subdivisions, countries, continents]
                .iter()
                .all(|codes| codes.is_empty())
            || !nearest.is_empty()
    }
}

/// `[geo]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Geo {
    pub(super) databases: Vec<PathBuf>,
    pub(super) weighted: Weighted,
    #[serde(deserialize_with = "in_order")]
    map: Vec<(String, Map)>,
}

/// The entries of a table as they stand in the file: the first map is the one that zones mean when
/// they name none.
fn in_order<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<(String, T)>, D::Error> {
    struct Entries<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
        type Value = Vec<(String, T)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table for each map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = table.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }

    deserializer.deserialize_map(Entries(PhantomData))
}

/// What the arguments, or else the file, ask for.
pub(super) fn check(arguments: &[PathBuf], file: &Geo) -> Result<GeoOptions, ConfigError> {
    let (option, databases) = match arguments {
        [] => ("geo.databases", &file.databases[..]),
        _ => ("--geoip", arguments),
    };
    for (at, database) in databases.iter().enumerate() {
        if database.file_name().is_none() {
            let problem = format!("{:?} is no file's name", database.display().to_string());
            return Err(ConfigError::option(option, problem));
        }
        if databases[..at].contains(database) {
            let problem = format!("{} is given twice", database.display());
            return Err(ConfigError::option(option, problem));
        }
    }
    let maps = file.map.iter().map(|(name, map)| check_map(name, map));
    let maps = maps.collect::<Result<Vec<_>, _>>()?;
    if databases.is_empty()
        && let Some(map) = maps.iter().find(|map| map.needs_database())
    {
        let problem = "its rules need a database (geo.databases, or --geoip FILE)";
        return Err(ConfigError::option(option_of(&map.name, ""), problem));
    }
    Ok(GeoOptions {
        databases: databases.to_vec(),
        maps,
    })
}

/// Relative paths start at the folder that the file is in.
pub(super) fn resolve(geo: &mut Geo, folder: &Path) {
    for database in &mut geo.databases {
        // An empty name stays one, and is refused.
        if !database.as_os_str().is_empty() {
            *database = folder.join(&*database);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<GeoOptions, String> {
        let geo: Geo = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        check(&[], &geo).map_err(|error| error.to_string())
    }

    const WORLD: &str = r#"
        databases = ["city.mmdb", "asn.mmdb"]
        [map.world]
        default = "us-east"
        continent = { EU = "eu", AS = "asia" }
        country = { DE = "de" }
        subdivision = { "US-CA" = "us-west", "GB-ENG" = "eu" }
        asn = { 64512 = "lab", AS64513 = "lab" }
        network = { "192.0.2.0/24" = "lab", "2001:db8::/32" = "eu" }
        nearest = { us-west = [37.4, -122], us-east = [39, -77.5] }
        fallback = { de = ["eu", "us-east"], lab = ["us-east"] }
        [map.again]
        default = "all"
    "#;

    #[test]
    fn a_map_has_the_regions_that_its_rules_lead_to_the_default_first() {
        let options = parse(WORLD).unwrap();
        assert_eq!(
            options.databases,
            ["city.mmdb", "asn.mmdb"].map(PathBuf::from)
        );
        let [world, again] = &options.maps[..] else {
            panic!("{options:?}")
        };
        assert_eq!((&*world.name, &*again.name), ("world", "again"));
        let names: Vec<_> = world.regions.iter().map(|region| &*region.name).collect();
        assert_eq!(names, ["us-east", "asia", "de", "eu", "lab", "us-west"]);
        let fallbacks = world.regions.iter().map(|region| &region.fallbacks[..]);
        assert_eq!(
            fallbacks.collect::<Vec<_>>(),
            [&[][..], &[], &[3, 0], &[], &[0], &[]]
        );
        assert_eq!(world.asns, BTreeMap::from([(64512, 4), (64513, 4)]));
        assert_eq!(world.subdivisions["US-CA"], 5);
        assert_eq!(world.networks[0], ("192.0.2.0/24".parse().unwrap(), 4));
        assert_eq!(
            world.nearest[1],
            (5, Coordinates::of(37.4, -122.0).unwrap())
        );
        assert!(world.needs_database() && !again.needs_database());
    }

    /// A line of a map, and how the error begins.
    const WRONG: &[(&str, &str)] = &[
        (
            "default = \"\"",
            "geo.map.m.default: \"\" is no name of 1–63 letters",
        ),
        ("default = \"*\"", "geo.map.m.default: \"*\" is no name"),
        (
            "country = { DE = \"e u\" }",
            "geo.map.m.country: \"e u\" is no name",
        ),
        (
            "country = { de = \"eu\" }",
            "geo.map.m.country: \"de\" is no country's ISO 3166-1",
        ),
        (
            "country = { DEU = \"eu\" }",
            "geo.map.m.country: \"DEU\" is no country's",
        ),
        (
            "continent = { XX = \"eu\" }",
            "geo.map.m.continent: \"XX\" is no continent: those",
        ),
        (
            "subdivision = { CA = \"eu\" }",
            "geo.map.m.subdivision: \"CA\" is no subdivision's",
        ),
        (
            "subdivision = { US-CALI = \"w\" }",
            "geo.map.m.subdivision: \"US-CALI\" is no",
        ),
        (
            "asn = { x = \"eu\" }",
            "geo.map.m.asn: \"x\" is no number of an autonomous system",
        ),
        ("asn = { 0 = \"eu\" }", "geo.map.m.asn: \"0\" is no number"),
        (
            "asn = { \"+1\" = \"eu\" }",
            "geo.map.m.asn: \"+1\" is no number",
        ),
        (
            "asn = { 4294967296 = \"eu\" }",
            "geo.map.m.asn: \"4294967296\" is no number",
        ),
        (
            "asn = { 1 = \"a\", AS1 = \"b\" }",
            "geo.map.m.asn: AS1 is given twice",
        ),
        (
            "network = { \"192.0.2.0\" = \"a\" }",
            "geo.map.m.network: \"192.0.2.0\" is not ADD",
        ),
        (
            "network = { \"192.0.2.1/24\" = \"a\" }",
            "geo.map.m.network: \"192.0.2.1/24\" has bits set behind its prefix; the network \
                 is 192.0.2.0/24",
        ),
        (
            "network = { \"::/8\" = \"a\", \"0::/8\" = \"b\" }",
            "geo.map.m.network: ::/8 is given twice",
        ),
        (
            "nearest = { eu = [91, 0] }",
            "geo.map.m.nearest: eu: [91, 0] is no latitude within -90–90",
        ),
        (
            "nearest = { eu = [0, 181] }",
            "geo.map.m.nearest: eu: [0, 181] is no latitude",
        ),
        (
            "nearest = { eu = [nan, 0] }",
            "geo.map.m.nearest: eu: [NaN, 0] is no latitude",
        ),
        (
            "fallback = { x = [\"d\"] }",
            "geo.map.m.fallback: no rule and no default leads to",
        ),
        (
            "fallback = { d = [\"x\"] }",
            "geo.map.m.fallback: no rule and no default leads to",
        ),
        (
            "fallback = { d = [\"d\"] }",
            "geo.map.m.fallback: d is its own",
        ),
        (
            "continent = { EU = \"eu\" }\nfallback = { d = [\"eu\", \"eu\"] }",
            "geo.map.m.fallback: d has eu twice",
        ),
        ("contry = { DE = \"eu\" }", "unknown field `contry`"),
    ];

    #[test]
    fn each_wrong_value_is_refused_by_the_name_of_its_option() {
        for (line, complaint) in WRONG {
            let default = if line.starts_with("default") {
                ""
            } else {
                "default = \"d\"\n"
            };
            let text = format!("databases = [\"x\"]\n[map.m]\n{default}{line}\n");
            let error = parse(&text).unwrap_err();
            assert!(error.starts_with(complaint), "{line}: {error}");
        }
        let error = parse("[map.m]\ncountry = {}").unwrap_err();
        assert!(error.starts_with("missing field `default`"), "{error}");
        let error = parse("[map.\"a b\"]\ndefault = \"d\"").unwrap_err();
        assert!(
            error.starts_with("geo.map.a b: \"a b\" is no name"),
            "{error}"
        );
    }

    #[test]
    fn databases_are_files_given_once_and_the_command_line_goes_first() {
        let error = |text: &str| parse(text).unwrap_err();
        assert_eq!(
            error("databases = [\"\"]"),
            "geo.databases: \"\" is no file's name"
        );
        assert_eq!(
            error("databases = [\"a\", \"a\"]"),
            "geo.databases: a is given twice"
        );
        let needs = error("[map.m]\ndefault = \"d\"\ncountry = { DE = \"eu\" }");
        let complaint = "geo.map.m: its rules need a database (geo.databases, or --geoip FILE)";
        assert_eq!(needs, complaint);
        let geo: Geo = toml::from_str("databases = [\"a\", \"a\"]").unwrap();
        let given = [PathBuf::from("b")];
        assert_eq!(check(&given, &geo).unwrap().databases, given);
        let twice = check(&[given.clone(), given].concat(), &geo).unwrap_err();
        assert_eq!(twice.to_string(), "--geoip: b is given twice");
    }

    #[test]
    fn explicit_networks_need_no_database() {
        let options = parse("[map.m]\ndefault = \"d\"\nnetwork = { \"::/0\" = \"six\" }").unwrap();
        assert_eq!(options.maps[0].networks.len(), 1);
    }
}

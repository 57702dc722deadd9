//! Databases and the operator's rules → maps. Takes seconds and memory: nothing for a worker.

mod database;
mod explain;
mod merge;
mod place;
mod rules;
mod survey;

pub use explain::{Explanation, Finding, Reason};
pub use place::{Field, Place};

use super::tree::{Family, Partition, TreeBuilder};
use super::{Geo, GeoMap, Region, RegionTree};
use crate::config::{GeoOptions, MapOptions};
use database::Database;
use merge::merge;
use rules::{Rules, Verdict};
use std::path::PathBuf;
use survey::Survey;

/// What came of loading.
#[derive(Debug)]
pub struct Loaded {
    /// The maps.
    pub geo: Geo,
    /// What was read.
    pub databases: Vec<DatabaseFacts>,
    /// What became of it.
    pub maps: Vec<MapFacts>,
    /// What the operator may not have meant.
    pub warnings: Vec<String>,
}

/// A database that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// Its file.
    pub file: PathBuf,
    /// What it calls itself, as in `GeoLite2-City`.
    pub database_type: String,
    /// When it was built, in seconds since 1970.
    pub build_epoch: u64,
    /// 6 when it has IPv6 networks too, else 4.
    pub ip_version: u16,
    /// Networks that it says something about.
    pub networks: usize,
    /// Different things that it says.
    pub records: usize,
}

/// A map that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapFacts {
    /// Its name.
    pub name: String,
    /// Its regions.
    pub regions: usize,
    /// The networks of both families that all addresses fall into.
    pub networks: usize,
    /// Memory of its tree.
    pub size_bytes: usize,
}

/// Reads the databases and makes the maps, or says everything that is wrong with them.
pub fn load(options: &GeoOptions) -> Result<Loaded, Vec<String>> {
    Sources::open(options)?.load()
}

/// Databases and rules, ready to be put together.
pub struct Sources<'o> {
    options: &'o GeoOptions,
    databases: Vec<Database>,
}

impl<'o> Sources<'o> {
    /// Reads all databases.
    pub fn open(options: &'o GeoOptions) -> Result<Self, Vec<String>> {
        let opened = options.databases.iter().map(|file| Database::open(file));
        let databases = all(opened)?;
        Ok(Self { options, databases })
    }

    /// Takes databases that were read already, in their order.
    pub fn of(options: &'o GeoOptions, contents: Vec<Vec<u8>>) -> Result<Self, Vec<String>> {
        let files = options.databases.iter().zip(contents);
        let databases = all(files.map(|(file, bytes)| Database::of(file, bytes)))?;
        Ok(Self { options, databases })
    }

    /// Makes the maps.
    pub fn load(&self) -> Result<Loaded, Vec<String>> {
        let rules: Vec<_> = self.options.maps.iter().map(Rules::new).collect();
        let surveys = self
            .databases
            .iter()
            .map(|database| Survey::of(database, &rules));
        let surveys = all(surveys)?;
        survey::complain(&self.options.maps, &surveys)?;
        let maps = rules.iter().enumerate().map(|(at, rules)| {
            self.tree(rules, at, &surveys)
                .map_err(|problem| format!("geo.map.{}: {problem}", rules.map.name))
        });
        let maps = all(maps)?;
        let facts = maps
            .iter()
            .zip(&self.options.maps)
            .map(|((tree, networks), map)| MapFacts {
                name: map.name.clone(),
                regions: map.regions.len(),
                networks: *networks,
                size_bytes: tree.size_bytes(),
            });
        let facts = facts.collect();
        let databases = self.databases.iter().zip(&surveys);
        let databases = databases
            .map(|(database, survey)| survey.facts(database))
            .collect();
        let maps = maps.into_iter().zip(&self.options.maps);
        Ok(Loaded {
            geo: Geo {
                maps: maps.map(|((tree, _), map)| geo_map(map, tree)).collect(),
            },
            databases,
            maps: facts,
            warnings: survey::warnings(&self.options.maps, &surveys),
        })
    }

    /// The tree of the map with this number, and how many networks were put into it.
    fn tree(
        &self,
        rules: &Rules<'_>,
        at: usize,
        surveys: &[Survey],
    ) -> Result<(RegionTree, usize), String> {
        // What says nothing that this map asks for must not cut its networks into pieces.
        let sources: Vec<_> = self
            .databases
            .iter()
            .zip(surveys)
            .filter(|(_, survey)| survey.fields.iter().any(|field| rules.asks_for(*field)))
            .collect();
        // One database is decided record by record.
        let regions = match &sources[..] {
            [(_, survey)] => Some(survey.regions(at, rules)),
            _ => None,
        };
        let explicit = rules
            .map
            .networks
            .iter()
            .map(|&(network, region)| (network, Some(u32::from(region))));
        let explicit: Vec<_> = explicit.collect();
        let mut builder = TreeBuilder::default();
        let mut networks = 0;
        for family in [Family::V4, Family::V6] {
            builder.start(family);
            let parts = Partition::new(family, None, &explicit).map(Ok);
            let mut streams: Vec<merge::Stream<'_>> = vec![Box::new(parts)];
            for (database, survey) in &sources {
                let parts = database.networks(family).map(|part| {
                    let (prefix_len, offset) = part?;
                    Ok((prefix_len, survey.number(offset)))
                });
                streams.push(Box::new(parts));
            }
            let mut verdicts: Vec<Verdict> = Vec::new();
            merge(streams, |prefix_len, values| {
                let region = match (values, &regions) {
                    ([Some(region), ..], _) => u16::try_from(*region).unwrap_or(0),
                    ([_, Some(record)], Some(regions)) => {
                        regions.get(*record as usize).copied().unwrap_or(0)
                    }
                    ([_, records @ ..], _) => {
                        verdicts.clear();
                        let said = sources
                            .iter()
                            .zip(records)
                            .map(|((_, survey), record)| survey.verdict(at, *record));
                        verdicts.extend(said);
                        rules.decide(&verdicts).0
                    }
                    ([], _) => 0,
                };
                networks += 1;
                builder
                    .push(prefix_len, region)
                    .map_err(|problem| problem.to_string())
            })?;
        }
        Ok((builder.finish(), networks))
    }
}

/// A map as lookups see it.
fn geo_map(map: &MapOptions, tree: RegionTree) -> GeoMap {
    let regions = map.regions.iter().map(|region| Region {
        name: (*region.name).into(),
        fallbacks: (*region.fallbacks).into(),
    });
    GeoMap {
        name: (*map.name).into(),
        regions: regions.collect(),
        tree,
    }
}

/// All of them, or all that is wrong.
fn all<T>(outcomes: impl Iterator<Item = Result<T, String>>) -> Result<Vec<T>, Vec<String>> {
    let (mut sound, mut problems) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(value) => sound.push(value),
            Err(problem) => problems.push(problem),
        }
    }
    match problems.is_empty() {
        true => Ok(sound),
        false => Err(problems),
    }
}

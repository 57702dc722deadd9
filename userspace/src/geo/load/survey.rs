//! What there is in a database: every record once, decided for every map.

use super::DatabaseFacts;
use super::database::Database;
use super::place::{Field, Place};
use super::rules::{Rules, Verdict};
use crate::config::MapOptions;
use maxminddb::WithinOptions;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// What there is in a database.
#[derive(Default)]
pub(super) struct Survey {
    /// The numbers of records, by where they are.
    numbers: HashMap<usize, u32, BuildHasherDefault<OffsetHasher>>,
    /// What each record comes to, by map.
    verdicts: Vec<Vec<Verdict>>,
    /// What some record knows.
    pub(super) fields: BTreeSet<Field>,
    asns: BTreeSet<u32>,
    /// Codes of subdivisions, countries and continents.
    codes: BTreeSet<(Field, String)>,
    networks: usize,
}

impl Survey {
    /// Reads every record of a database.
    pub(super) fn of(database: &Database, rules: &[Rules<'_>]) -> Result<Self, String> {
        let mut survey = Self {
            verdicts: vec![Vec::new(); rules.len()],
            ..Self::default()
        };
        let networks = database.reader.networks(WithinOptions::default());
        for network in networks.map_err(|error| database.problem(error))? {
            let network = network.map_err(|error| database.problem(error))?;
            survey.networks += 1;
            let Some(offset) = network.offset() else {
                continue;
            };
            if survey.numbers.contains_key(&offset) {
                continue;
            }
            let Some(place) = database.place(&network)? else {
                continue;
            };
            let number = u32::try_from(survey.numbers.len());
            survey
                .numbers
                .insert(offset, number.map_err(|error| database.problem(error))?);
            for (verdicts, rules) in survey.verdicts.iter_mut().zip(rules) {
                verdicts.push(rules.verdict(&place));
            }
            survey.note(place);
        }
        if survey.fields.is_empty() {
            let database_type = &database.reader.metadata().database_type;
            return Err(database.problem(format!(
                "a database of type {database_type} that says nothing of where clients are"
            )));
        }
        Ok(survey)
    }

    /// The number of the record at an offset.
    pub(super) fn number(&self, offset: Option<usize>) -> Option<u32> {
        self.numbers.get(&offset?).copied()
    }

    /// What a record comes to in the map with this number.
    pub(super) fn verdict(&self, map: usize, record: Option<u32>) -> Verdict {
        let verdict = record.and_then(|record| self.verdicts.get(map)?.get(record as usize));
        verdict.copied().unwrap_or_default()
    }

    /// The region of each record in the map with this number, where no other database is asked.
    pub(super) fn regions(&self, map: usize, rules: &Rules<'_>) -> Vec<u16> {
        let verdicts = self.verdicts.get(map).into_iter().flatten();
        verdicts
            .map(|verdict| rules.decide(&[*verdict]).0)
            .collect()
    }

    pub(super) fn facts(&self, database: &Database) -> DatabaseFacts {
        let metadata = database.reader.metadata();
        DatabaseFacts {
            file: database.file.clone(),
            database_type: metadata.database_type.clone(),
            build_epoch: metadata.build_epoch,
            ip_version: metadata.ip_version,
            networks: self.networks,
            records: self.numbers.len(),
        }
    }

    /// Remembers what there is.
    fn note(&mut self, place: Place) {
        self.fields
            .extend(Field::ALL.into_iter().filter(|field| place.knows(*field)));
        self.asns.extend(place.asn);
        let subdivisions = place
            .subdivisions
            .into_iter()
            .map(|code| (Field::Subdivision, code));
        let country = place.country.map(|code| (Field::Country, code));
        let continent = place.continent.map(|code| (Field::Continent, code));
        self.codes
            .extend(subdivisions.chain(country).chain(continent));
    }
}

/// Hashes an offset: a record is looked up once for each of its networks, millions of times.
#[derive(Default)]
struct OffsetHasher(u64);

impl Hasher for OffsetHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_usize(byte.into());
        }
    }

    fn write_usize(&mut self, number: usize) {
        // Fibonacci hashing; the map looks at both ends.
        let product = (self.0 ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ product >> 32;
    }
}

/// Rules about what no database knows are errors: they were meant to do something.
pub(super) fn complain(maps: &[MapOptions], surveys: &[Survey]) -> Result<(), Vec<String>> {
    let mut problems = Vec::new();
    for map in maps {
        let rules = Rules::new(map);
        for field in Field::ALL {
            let is_known = surveys.iter().any(|survey| survey.fields.contains(&field));
            if rules.asks_for(field) && !is_known {
                let (option, name) = (field.option(), field.name());
                problems.push(format!(
                    "geo.map.{}.{option}: no database knows {name}",
                    map.name
                ));
            }
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems),
    }
}

/// Rules that no network has a use for: slips of the pen, or small databases.
pub(super) fn warnings(maps: &[MapOptions], surveys: &[Survey]) -> Vec<String> {
    let mut warnings = Vec::new();
    for map in maps {
        let mut warn = |field: Field, unknown: Vec<String>| {
            if !unknown.is_empty() {
                let (option, unknown) = (field.option(), unknown.join(", "));
                warnings.push(format!(
                    "geo.map.{}.{option}: no network of the databases is in {unknown}",
                    map.name
                ));
            }
        };
        let is_known = |asn: &u32| surveys.iter().any(|survey| survey.asns.contains(asn));
        let unknown = map.asns.keys().filter(|asn| !is_known(asn));
        warn(Field::Asn, unknown.map(|asn| format!("AS{asn}")).collect());
        for (field, codes) in [
            (Field::Subdivision, &map.subdivisions),
            (Field::Country, &map.countries),
            (Field::Continent, &map.continents),
        ] {
            let is_known = |code: &String| {
                let code = (field, code.clone());
                surveys.iter().any(|survey| survey.codes.contains(&code))
            };
            warn(
                field,
                codes
                    .keys()
                    .filter(|code| !is_known(code))
                    .cloned()
                    .collect(),
            );
        }
    }
    warnings
}

//! Random zones that love corner cases, and queries near their names.
//!
//! Few labels and few names, so that cuts, wildcards, aliases and empty non-terminals meet often.
//! Strategies draw raw values, which are then made legal: so failures shrink well.

mod names;
mod queries;
mod shapes;
mod zones;

use crate::ask::Ask;
use crate::model::{World, Zone};
use crate::name::Name;
use crate::record::{Data, Record, rtype, type_text};
use crate::zones::origin;
use proptest::prelude::*;
use ripples::zone::check::check;
use ripples::zone::error::Severity;
use ripples::zone::records::ZoneRecords;
use std::collections::BTreeMap;
use std::fmt;
use zones::build;

/// Origins that nest in each other in several ways.
const ORIGINS: [&str; 7] = [
    ".",
    "example.",
    "a.Example.",
    "sub.example.",
    "b.a.sub.example.",
    "test.",
    "*.test.",
];

/// A zone of the world, with what its master file says.
#[derive(Clone, Debug)]
pub struct ZoneText {
    /// The apex.
    pub origin: Name,
    /// The records, in no order.
    pub records: Vec<Record>,
}

impl ZoneText {
    /// The same zone with one TTL for each RRset, the least: servers mend it in different ways.
    pub fn with_even_ttls(&self) -> Self {
        let mut least = BTreeMap::new();
        let key = |record: &Record| (record.owner.lowered(), record.rtype);
        for record in &self.records {
            let ttl = least.entry(key(record)).or_insert(record.ttl);
            *ttl = record.ttl.min(*ttl);
        }
        let mut zone = self.clone();
        for record in &mut zone.records {
            record.ttl = least[&key(record)];
        }
        zone
    }

    /// The same zone without what the server's checks refuse: names of servers without addresses.
    /// In their place comes one that has an address.
    ///
    /// # Panics
    /// Where something else is refused.
    pub fn without_errors(&self) -> Self {
        let mut zone = self.clone();
        loop {
            let origin = origin(&zone.origin.to_string());
            let parsed = ZoneRecords::parse(zone.text().as_bytes(), "zone", &origin);
            let (records, _) = parsed.unwrap_or_else(|errors| panic!("{errors:?}"));
            let mut errors = check(&records);
            errors.retain(|problem| problem.severity == Severity::Error);
            let lines = errors
                .iter()
                .map(|error| error.place.position.map_or(0, |at| at.0));
            let mut lines: Vec<_> = lines
                .filter_map(|line| usize::try_from(line).ok())
                .collect();
            lines.sort_unstable();
            match lines[..] {
                [] => return zone,
                // The file as a whole: no server is left.
                [0, ..] => zone.add_server(),
                _ => lines.iter().rev().for_each(|line| {
                    let record = zone.records.remove(line - 1);
                    assert_eq!(record.rtype, rtype::NS, "{errors:?}");
                }),
            }
        }
    }

    /// Adds a server that has an address.
    fn add_server(&mut self) {
        let host = self.origin.child("last-resort");
        let server = (self.origin.clone(), rtype::NS, Data::Name(host.clone()));
        let address = (host, rtype::A, Data::Address4([192, 0, 2, 53].into()));
        // RFC 6672 §2.4: there is none below a DNAME record.
        self.records
            .retain(|record| record.rtype != rtype::DNAME || !record.owner.is(&self.origin));
        let records = [server, address].map(|(owner, rtype, data)| Record {
            owner,
            rtype,
            ttl: 3600,
            data,
        });
        self.records.extend(records);
    }

    /// The master file.
    pub fn text(&self) -> String {
        self.records.iter().map(Record::line).collect()
    }
}

/// Zones and queries near their names; shown as master files and questions.
#[derive(Clone)]
pub struct Scenario {
    /// The zones.
    pub zones: Vec<ZoneText>,
    /// The queries.
    pub asks: Vec<Ask>,
}

impl Scenario {
    /// The zones as the reference sees them.
    pub fn world(&self) -> World {
        let zones = self.zones.iter();
        World {
            zones: zones
                .map(|zone| Zone::new(zone.origin.clone(), &zone.records))
                .collect(),
        }
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for zone in &self.zones {
            write!(f, "\n; zone {}\n{}", zone.origin, zone.text())?;
        }
        writeln!(f, "; queries")?;
        for ask in &self.asks {
            writeln!(f, "{} {} {:?}", ask.name, type_text(ask.qtype), ask.edns)?;
        }
        Ok(())
    }
}

/// Zones, and at most `count` queries.
pub fn scenario(count: usize) -> impl Strategy<Value = Scenario> {
    (zones(), queries::queries(count)).prop_map(|(zones, queries)| {
        let asks = queries.iter().map(|query| query.build(&zones)).collect();
        Scenario { zones, asks }
    })
}

/// Between one and four zones.
fn zones() -> impl Strategy<Value = Vec<ZoneText>> {
    let origins = prop::sample::subsequence(ORIGINS.to_vec(), 1..=4);
    (origins, prop::collection::vec(zones::zone(), 4)).prop_map(|(origins, raw)| {
        let origins: Vec<_> = origins.into_iter().map(Name::parse).collect();
        let zones = origins.iter().zip(&raw);
        zones
            .map(|(origin, raw)| build(origin, raw, &origins))
            .collect()
    })
}

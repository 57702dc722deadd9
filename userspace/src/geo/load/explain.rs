//! Why an address is in a region.

use super::Sources;
use super::place::{Field, Place};
use super::rules::{Rules, Verdict};
use crate::geo::Network;
use std::net::IpAddr;
use std::path::PathBuf;

/// What there is to say of an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What each database says.
    pub findings: Vec<Finding>,
    /// Why each map has it in its region.
    pub reasons: Vec<Reason>,
}

/// What a database says of an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The database.
    pub file: PathBuf,
    /// Of which network it says the same; none: of no address of this family it says anything.
    pub network: Option<Network>,
    /// What it says; none: nothing.
    pub place: Option<Place>,
}

/// Why an address is in a region.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The operator has put this network there.
    Network {
        /// Number of the region.
        region: u16,
        /// The network.
        network: Network,
    },
    /// A rule matches what a database says.
    Field {
        /// Number of the region.
        region: u16,
        /// The rule's kind.
        field: Field,
        /// Number of the database.
        database: usize,
        /// What the rule is about, as in `US-CA`.
        value: String,
    },
    /// No rule matches.
    Default,
}

impl Reason {
    /// Number of the region.
    pub fn region(&self) -> u16 {
        match self {
            Self::Network { region, .. } | Self::Field { region, .. } => *region,
            Self::Default => 0,
        }
    }
}

impl Sources<'_> {
    /// What all databases say of an address, and what the maps make of it.
    pub fn explain(&self, address: IpAddr) -> Result<Explanation, String> {
        let findings = self.databases.iter().map(|database| {
            let (network, place) = database.find(address)?;
            let file = database.file.clone();
            Ok(Finding {
                file,
                network,
                place,
            })
        });
        let findings = findings.collect::<Result<Vec<_>, String>>()?;
        let reasons = self
            .options
            .maps
            .iter()
            .map(|map| reason(&Rules::new(map), address, &findings));
        Ok(Explanation {
            reasons: reasons.collect(),
            findings,
        })
    }
}

/// Why a map has an address in its region.
fn reason(rules: &Rules<'_>, address: IpAddr, findings: &[Finding]) -> Reason {
    let around = rules
        .map
        .networks
        .iter()
        .filter(|(network, _)| network.contains(address));
    if let Some(&(network, region)) = around.max_by_key(|(network, _)| network.prefix_len()) {
        return Reason::Network { region, network };
    }
    let places = findings.iter().map(|finding| finding.place.as_ref());
    let verdicts: Vec<Verdict> = places
        .map(|place| place.map(|place| rules.verdict(place)).unwrap_or_default())
        .collect();
    let (region, decided) = rules.decide(&verdicts);
    let Some((field, database)) = decided else {
        return Reason::Default;
    };
    let place = findings
        .get(database)
        .and_then(|finding| finding.place.as_ref());
    let value = place.and_then(|place| value(rules, field, place));
    Reason::Field {
        region,
        field,
        database,
        value: value.unwrap_or_default(),
    }
}

/// What a rule found in a place.
fn value(rules: &Rules<'_>, field: Field, place: &Place) -> Option<String> {
    match field {
        Field::Asn => Some(format!("AS{}", place.asn?)),
        Field::Subdivision => {
            let mut codes = place.subdivisions.iter().rev();
            codes
                .find(|code| rules.map.subdivisions.contains_key(*code))
                .cloned()
        }
        Field::Country => place.country.clone(),
        Field::Continent => place.continent.clone(),
        Field::Coordinates => {
            let (_, distance_km) = rules.nearest(place.coordinates?)?;
            Some(format!("{distance_km:.0} km away"))
        }
    }
}

//! What whoever asks is told of resources.

mod cookies;
mod geo;
mod outcome;
mod policy;
mod query;
mod zone;
mod zones;

pub(super) use zones::unknown;

use super::Resources;
use crate::control::Refusal;
use serde_json::Value;

/// What can be asked.
#[derive(Debug)]
pub(in crate::server) enum Question {
    /// All zones, or the one of this origin.
    Zones(Option<Vec<u8>>),
    /// One zone.
    Zone(ZoneQuestion),
    /// Databases and maps.
    Geo,
    /// What is answered beside the zones' data, and to whom.
    Policy,
    /// Cookies and their secrets.
    Cookies,
}

/// What is asked of a zone.
#[derive(Debug)]
pub(in crate::server) struct ZoneQuestion {
    /// The zone, in lowered wire form.
    pub(in crate::server) origin: Vec<u8>,
    /// A name whose answers are told, in lowered wire form.
    pub(in crate::server) name: Option<Vec<u8>>,
    /// The type that is asked for; none: all that the name has.
    pub(in crate::server) rtype: Option<u16>,
    /// Whether signatures and proofs are asked for too.
    pub(in crate::server) dnssec: bool,
}

impl Resources {
    /// Answers.
    pub(super) fn tell(&self, question: &Question) -> Result<Value, Refusal> {
        match question {
            Question::Zones(origin) => self.zones_json(origin.as_deref()),
            Question::Zone(zone) => self.zone_json(zone),
            Question::Geo => Ok(self.geo_json()),
            Question::Policy => Ok(self.policy_json()),
            Question::Cookies => Ok(self.cookies_json()),
        }
    }
}

//! All zones, a few words each.

use crate::control::Refusal;
use crate::name;
use crate::server::resources::zone::Zone;
use crate::server::resources::{Resources, age_s};
use serde_json::{Value, json};

impl Resources {
    /// All zones, or the one of this origin.
    pub(super) fn zones_json(&self, origin: Option<&[u8]>) -> Result<Value, Refusal> {
        let zones = self.table.zones().iter();
        let wanted = zones.filter(|zone| origin.is_none_or(|origin| zone.source.origin == origin));
        let zones: Vec<Value> = wanted.map(brief).collect();
        match origin {
            Some(origin) if zones.is_empty() => Err(unknown(origin)),
            _ => Ok(json!({ "zones": zones })),
        }
    }

    /// Zones whose files cannot be read as they are.
    pub(in crate::server::resources) fn failed_zones(&self) -> usize {
        let zones = self.table.zones().iter();
        zones.filter(|zone| !zone.problems.is_empty()).count()
    }
}

/// What there is to say of any zone.
pub(super) fn brief(zone: &Zone) -> Value {
    let state = match (&zone.zone, zone.problems.is_empty()) {
        (Some(_), true) => "served",
        (Some(_), false) => "served as it was",
        (None, _) => "not served",
    };
    json!({
        "origin": name::display(&zone.source.origin).to_string(),
        "state": state,
        "serial": zone.zone.as_ref().map(|zone| zone.serial()),
        "records": zone.zone.as_ref().map(|zone| zone.record_count()),
        "file": zone.source.file,
        "read_seconds_ago": zone.read_at.map(age_s),
        "problems": zone.problems,
    })
}

/// There is no such zone.
pub(in crate::server::resources) fn unknown(origin: &[u8]) -> Refusal {
    Refusal::not_found(format!("there is no zone {}", name::display(origin)))
}

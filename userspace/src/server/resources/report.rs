//! What whoever asks is told of zones and reloads.

use super::zone::Zone;
use super::{Outcome, Resources, age_s};
use crate::name;
use serde_json::{Value, json};

impl Resources {
    /// All zones, or the one of this origin.
    pub(super) fn zones_json(&self, origin: Option<&[u8]>) -> Result<Value, String> {
        let zones = self.table.zones().iter();
        let wanted = zones.filter(|zone| origin.is_none_or(|origin| zone.source.origin == origin));
        let zones: Vec<Value> = wanted.map(zone_json).collect();
        match origin {
            Some(origin) if zones.is_empty() => Err(unknown(origin)),
            _ => Ok(json!({ "zones": zones })),
        }
    }

    /// Zones whose files cannot be read as they are.
    pub(super) fn failed_zones(&self) -> usize {
        let zones = self.table.zones().iter();
        zones.filter(|zone| !zone.problems.is_empty()).count()
    }
}

fn zone_json(zone: &Zone) -> Value {
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
pub(super) fn unknown(origin: &[u8]) -> String {
    format!("there is no zone {}", name::display(origin))
}

impl Outcome {
    /// For whoever asked for the reload: an error when something could not be read.
    pub(super) fn json(&self, generation: u64, zones: usize) -> Result<Value, String> {
        let update = &self.update;
        if update.problems.is_empty() {
            return Ok(json!({
                "generation": generation,
                "zones": zones,
                "loaded": update.loaded,
                "removed": update.removed,
                "seconds": self.duration.as_secs_f64(),
            }));
        }
        let mut text = match update.failed {
            0 => "not all could be read, the rest is served as it was:".to_owned(),
            failed => format!("{failed} zones cannot be loaded and are served as they were:"),
        };
        for line in &update.problems {
            text.push_str("\n  ");
            text.push_str(line);
        }
        Err(text)
    }
}

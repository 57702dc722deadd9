//! One zone, and what its names answer.

use super::zones::{brief, unknown};
use super::{ZoneQuestion, query};
use crate::control::Refusal;
use crate::name;
use crate::server::resources::Resources;
use crate::server::resources::zone::Zone;
use crate::snapshot::{Policy, Snapshot};
use crate::zone::image::DenialKind;
use crate::zone::rtype;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

impl Resources {
    /// A zone, and what the name that is asked for answers.
    pub(super) fn zone_json(&self, question: &ZoneQuestion) -> Result<Value, Refusal> {
        let mut zones = self.table.zones().iter();
        let zone = zones.find(|zone| zone.source.origin == question.origin);
        let zone = zone.ok_or_else(|| unknown(&question.origin))?;
        let mut told = described(zone);
        told["generation"] = self.generation.into();
        if let Some(name) = &question.name {
            told["answers"] = self.answers(zone, name, question)?;
        }
        Ok(told)
    }

    fn answers(&self, zone: &Zone, name: &[u8], question: &ZoneQuestion) -> Result<Value, Refusal> {
        let (shown, origin) = (name::display(name), name::display(&question.origin));
        if !name::is_at_or_below(name, &question.origin) {
            return Err(Refusal::not_found(format!("{shown} is not in {origin}")));
        }
        let snapshot = self.unguarded()?;
        let snapshot = snapshot.filter(|_| zone.zone.is_some());
        let snapshot =
            snapshot.ok_or_else(|| Refusal::from(format!("{origin} is not served yet")))?;
        let types = match question.rtype {
            Some(rtype) => vec![rtype],
            None => types(&snapshot, name),
        };
        let answers = types.iter();
        let answers = answers.map(|&rtype| query::ask(&snapshot, name, rtype, question.dnssec));
        Ok(answers.collect::<Result<Value, String>>()?)
    }

    /// What is served, to anybody and as often as asked.
    fn unguarded(&self) -> Result<Option<Arc<Snapshot>>, Refusal> {
        let Some(last) = &self.last else {
            return Ok(None);
        };
        if self.policy.guards.is_none() {
            return Ok(Some(Arc::clone(last)));
        }
        let policy = Policy {
            guards: None,
            ..self.policy.clone()
        };
        let verdicts = &self.health.built;
        let geo = Arc::clone(self.places.geo());
        let snapshot = last.again(self.generation, policy, geo, verdicts.health());
        let snapshot = snapshot.map_err(|error| Refusal::from(error.to_string()))?;
        Ok(Some(Arc::new(snapshot)))
    }
}

/// All that is known of a zone but its names.
fn described(zone: &Zone) -> Value {
    let mut told = brief(zone);
    let time = |time| Timestamp::try_from(time).map(|time| time.to_string());
    told["read_at"] = zone.read_at.and_then(|at| time(at).ok()).into();
    let Some(served) = &zone.zone else {
        return told;
    };
    let denial = served.denial();
    let (dnssec, nsec3) = match denial.kind() {
        DenialKind::Unsigned => ("unsigned", None),
        DenialKind::Nsec => ("nsec", None),
        DenialKind::Nsec3 => ("nsec3", Some(denial.params())),
    };
    told["dnssec"] = dnssec.into();
    if let Some(params) = nsec3 {
        told["nsec3_iterations"] = params.iterations.into();
        told["nsec3_salt_bytes"] = params.salt.len().into();
    }
    told["names"] = served.node_count().into();
    told["memory_bytes"] = served.bytes().len().into();
    told["kind"] = match served.saved() {
        Some(_) => "saved image",
        None => "master file",
    }
    .into();
    let variants = served.variants.as_ref();
    told["names_that_vary"] = variants.map_or(0, |own| own.name_count()).into();
    told
}

/// The types that a name has, for anybody; of one that does not exist, its absence is told for A.
fn types(snapshot: &Snapshot, name: &[u8]) -> Vec<u16> {
    let mut types = Vec::new();
    if let Some(found) = snapshot.find(snapshot.key().hash(name), name) {
        types.extend(found.node.types());
        let varied = || {
            let number = found.node.variants()?;
            Some(snapshot.variation(found.zone)?.sets(number))
        };
        let varied = varied().unwrap_or_default();
        types.extend(varied.iter().map(|set| set.rtype));
    }
    types.sort_unstable();
    types.dedup();
    match types.is_empty() {
        true => vec![rtype::A],
        false => types,
    }
}

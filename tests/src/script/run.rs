//! Holding the exchanges of a script.

use super::{Over, Script, Step, Wanted, WantedData, WantedRecord, flags};
use crate::answers::{reply, snapshot};
use crate::decoded::{Decoded, Rr, canonical_rdata};
use crate::exchange::{Exchange, Family};
use crate::invariants::{check_message, check_reply};
use ripples::packet::reply::Transport;
use ripples::snapshot::Snapshot;

/// Holds all exchanges.
pub(super) fn script(script: &Script) -> Vec<String> {
    let zones: Vec<_> = script
        .zones
        .iter()
        .map(|(origin, text)| (&origin[..], &text[..]))
        .collect();
    let snapshot = snapshot(&zones);
    let failures = script.exchanges.iter().filter_map(|step| {
        let difference = hold(step, &snapshot).err()?;
        Some(format!(
            "{}:{}: {}: {difference}",
            script.file, step.line, step.title
        ))
    });
    failures.collect()
}

/// Asks over every transport.
fn hold(step: &Step, snapshot: &Snapshot) -> Result<(), String> {
    let by_udp = reply(snapshot, &step.query, Transport::Udp);
    for family in [Family::V4, Family::V6] {
        let framed = Exchange::default().message(&step.query, family, snapshot);
        if framed != by_udp {
            return Err(format!(
                "{family:?} frames get another reply than bare messages"
            ));
        }
    }
    let by_tcp = reply(snapshot, &step.query, Transport::Tcp);
    if step.over == Over::Any && by_tcp != by_udp {
        return Err("UDP and TCP differ: say `udp` or `tcp` in the query".into());
    }
    let chosen = if step.over == Over::Tcp {
        by_tcp
    } else {
        by_udp
    };
    match (chosen, &step.reply) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err("no reply".into()),
        (Some(_), None) => Err("a reply to what gets none".into()),
        (Some(reply), Some(wanted)) => {
            if step.over != Over::Tcp {
                check_reply(&step.query, &reply)?;
            }
            compare(wanted, &check_message(&step.query, &reply)?)
        }
    }
}

fn compare(wanted: &Wanted, reply: &Decoded) -> Result<(), String> {
    let actual = (reply.rcode, flags(reply));
    if actual != (wanted.rcode, wanted.flags.clone()) {
        return Err(format!("response code {} with {:?}", actual.0, actual.1));
    }
    let names = ["answer", "authority", "additional"];
    for ((name, wanted), actual) in names.iter().zip(&wanted.sections).zip(&reply.sections) {
        section(wanted, actual).map_err(|difference| format!("{name}: {difference}"))?;
    }
    Ok(())
}

/// Compares a section as a set.
fn section(wanted: &[WantedRecord], actual: &[Rr]) -> Result<(), String> {
    let mut rest: Vec<&Rr> = actual.iter().collect();
    for record in wanted {
        let count = match record.data {
            WantedData::One(_) => 1,
            WantedData::Count(count) => count,
        };
        for _ in 0..count {
            let found = rest.iter().position(|actual| record.is(actual));
            let found = found.ok_or_else(|| format!("missing {record:?} in {}", show(actual)))?;
            rest.swap_remove(found);
        }
    }
    match rest.is_empty() {
        true => Ok(()),
        false => Err(format!("{} too many in {}", rest.len(), show(actual))),
    }
}

impl WantedRecord {
    fn is(&self, actual: &Rr) -> bool {
        let data = match &self.data {
            WantedData::Count(_) => true,
            WantedData::One(rdata) => {
                let canonical = |rdata: &[u8]| canonical_rdata(self.rtype, rdata.to_vec());
                canonical(rdata) == canonical(&actual.rdata)
            }
        };
        let fixed = (self.rtype, self.ttl, 1) == (actual.rtype, actual.ttl, actual.class);
        data && fixed && self.owner.is(&actual.owner)
    }
}

/// A section as text; a long one in part.
fn show(records: &[Rr]) -> String {
    let line = |record: &Rr| {
        let Rr {
            owner,
            ttl,
            rtype,
            text,
            ..
        } = record;
        format!("\n    {owner} {ttl} IN TYPE{rtype} {text}")
    };
    records.iter().take(20).map(line).collect()
}

//! What a reply must be, and how a real one differs.

use super::zone::Rrset;
use crate::decoded::{Decoded, Rr, canonical_rdata};
use crate::name::Name;
use std::collections::BTreeSet;

/// A record in the form in which records are compared.
type Canonical = (Name, u16, u32, Vec<u8>);

/// The whole of an answer, as if there were room for everything.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The response code.
    pub rcode: u16,
    /// Authoritative answer.
    pub aa: bool,
    /// The answer section: RRsets in order, records of each in any.
    pub answer: Vec<Rrset>,
    /// For QTYPE ANY: exactly one of these follows in the answer section.
    pub choices: Vec<Rrset>,
    /// For QTYPE ANY: hosts whose addresses may stand in the additional section.
    pub choice_additional: Vec<Name>,
    /// The authority section.
    pub authority: Vec<Rrset>,
    /// The additional section, without the OPT record.
    pub additional: Vec<Rrset>,
}

impl Expected {
    /// How a reply that was not truncated differs; none when it does not.
    pub fn difference(&self, reply: &Decoded) -> Option<String> {
        if reply.tc {
            return Some("truncated".into());
        }
        if (reply.rcode, reply.aa) != (self.rcode, self.aa) {
            let (rcode, aa) = (reply.rcode, reply.aa);
            return Some(format!(
                "rcode {rcode} and AA {aa} instead of {} and {}",
                self.rcode, self.aa
            ));
        }
        self.answer_difference(reply.answer())
            .or_else(|| section("authority", &self.authority, reply.authority()))
            .or_else(|| self.additional_difference(reply.additional()))
    }

    /// The answer section has an order: each alias before what it leads to.
    fn answer_difference(&self, mut records: &[Rr]) -> Option<String> {
        for rrset in &self.answer {
            let count = rrset.data.len().min(records.len());
            let (own, rest) = records.split_at(count);
            if let Some(difference) = section("answer", std::slice::from_ref(rrset), own) {
                return Some(difference);
            }
            records = rest;
        }
        let is_choice =
            |rrset: &Rrset| section("answer", std::slice::from_ref(rrset), records).is_none();
        if self.choices.is_empty() {
            section("answer", &[], records)
        } else if self.choices.iter().any(is_choice) {
            None
        } else {
            Some(format!(
                "answer: none of {:?} but {records:?}",
                self.choices
            ))
        }
    }

    fn additional_difference(&self, records: &[Rr]) -> Option<String> {
        if self.choices.is_empty() {
            let is_present = |rrset: &Rrset| {
                let is_own =
                    |record: &Rr| record.rtype == rrset.rtype && record.owner.is(&rrset.owner);
                !self.may_lack_additional() || records.iter().any(is_own)
            };
            let mut additional = self.additional.clone();
            additional.retain(is_present);
            return section("additional", &additional, records);
        }
        let stranger = records.iter().find(|record| {
            !self
                .choice_additional
                .iter()
                .any(|host| host.is(&record.owner))
        });
        stranger.map(|record| format!("additional: {record:?}"))
    }
}

impl Expected {
    /// Whether a whole RRset may be missing from the additional section, over TCP too: where there
    /// is much of it, or, in a referral, more than a message holds.
    fn may_lack_additional(&self) -> bool {
        let sections = [&self.answer, &self.authority, &self.additional];
        let rrsets = sections.into_iter().flatten();
        let len = rrsets.map(|rrset| {
            let records = rrset
                .data
                .iter()
                .map(|data| data.wire().len() + rrset.owner.wire_len() + 10);
            records.sum::<usize>()
        });
        len.sum::<usize>() > if self.aa { 16_000 } else { 64_000 }
    }
}

/// Compares a section as a set; a record that comes twice is a difference.
fn section(what: &str, expected: &[Rrset], records: &[Rr]) -> Option<String> {
    let expected: BTreeSet<Canonical> = expected.iter().flat_map(canonical).collect();
    let actual: BTreeSet<Canonical> = records.iter().map(Rr::canonical).collect();
    if let Some(record) = records.iter().find(|record| record.class != 1) {
        return Some(format!("{what}: class {}", record.class));
    }
    if actual.len() != records.len() {
        return Some(format!("{what}: a record comes twice in {records:#?}"));
    }
    let missing: Vec<_> = expected.difference(&actual).map(show).collect();
    let excess: Vec<_> = actual.difference(&expected).map(show).collect();
    let differs = !missing.is_empty() || !excess.is_empty();
    differs.then(|| format!("{what}: missing {missing:?}, not expected {excess:?}"))
}

fn canonical(rrset: &Rrset) -> impl Iterator<Item = Canonical> {
    let (owner, rtype, ttl) = (rrset.owner.lowered(), rrset.rtype, rrset.ttl);
    let rdata = rrset
        .data
        .iter()
        .map(move |data| canonical_rdata(rtype, data.wire()));
    rdata.map(move |rdata| (owner.clone(), rtype, ttl, rdata))
}

fn show((owner, rtype, ttl, rdata): &Canonical) -> String {
    format!("{owner} {ttl} TYPE{rtype} {}", rdata.escape_ascii())
}

//! What must not be varied, and what a variant must have.

use super::FIXED_TYPES;
use super::block::{Block, Blocks};
use crate::name;
use crate::zone::error::Problems;
use crate::zone::records::{Owner, Rrset, ZoneRecords};
use crate::zone::rtype;

/// Checks the variants of a zone.
pub(in crate::zone) fn check(records: &ZoneRecords, problems: &mut Problems) {
    let Some(blocks) = records.variants() else {
        return;
    };
    let apex = records.find(records.origin());
    let has = |rtype| apex.is_some_and(|apex| apex.rrset(rtype).is_some());
    let checker = Checker {
        records,
        blocks,
        is_signed: has(rtype::RRSIG) || has(rtype::DNSKEY),
    };
    for index in 0..blocks.members.len() {
        if problems.is_full() {
            break;
        }
        checker.member(index, problems);
    }
}

struct Checker<'z> {
    records: &'z ZoneRecords,
    blocks: &'z Blocks,
    is_signed: bool,
}

impl Checker<'_> {
    /// Checks what a name has within a block.
    fn member(&self, index: usize, problems: &mut Problems) {
        let (number, owner) = self.blocks.members.get(index);
        let Some(block) = self.blocks.get(number) else {
            return;
        };
        let mut lines = self.blocks.members.lines(index);
        if let Some(message) = self.hidden(&owner) {
            problems.error(self.blocks.place(lines.first()), message);
            return;
        }
        for rrset in owner.rrsets() {
            let (own, rest) = lines.split_at_checked(rrset.len()).unwrap_or_default();
            lines = rest;
            if let Some(message) = self.rrset(block, &owner, &rrset) {
                problems.error(self.blocks.place(own.first()), message);
            }
        }
    }

    /// Where another name decides what is answered, nothing can vary.
    fn hidden(&self, owner: &Owner<'_>) -> Option<String> {
        let own = owner.relative_name();
        let mut labels = own;
        loop {
            let above = self.records.position_of(labels).ok();
            let above = above.map(|index| self.records.owner(index));
            let has = |rtype| above.is_some_and(|above| above.rrset(rtype).is_some());
            if !labels.is_empty() && has(rtype::NS) {
                let place = if labels == own { "" } else { "below " };
                let name = shown(owner);
                let message =
                    format!("{name} is {place}a delegation: its variants are never answered");
                return Some(message);
            }
            if labels != own && has(rtype::DNAME) {
                return Some(format!("{} is below a DNAME record", shown(owner)));
            }
            let len = usize::from(*labels.first()?);
            labels = &labels[1 + len..];
        }
    }

    /// What is wrong with records of a variant.
    fn rrset(&self, block: &Block, owner: &Owner<'_>, rrset: &Rrset<'_>) -> Option<String> {
        let rtype = rrset.covered().unwrap_or(rrset.rtype());
        let (name, what) = (shown(owner), rtype::display(rtype));
        if FIXED_TYPES.contains(&rtype) {
            return Some(format!("{what} records cannot have variants"));
        }
        if rrset.covered().is_some() {
            let is_alone = owner.rrset(rtype).is_none();
            return is_alone.then(|| {
                format!("this variant of {name} has a signature of {what}, but no such record")
            });
        }
        let everybody = self.records.position_of(owner.relative_name());
        let everybody = everybody.map(|index| self.records.owner(index));
        if everybody.is_ok_and(|everybody| everybody.rrset(rtype).is_some()) {
            let is_covered = owner.rrsets().any(|rrset| rrset.covered() == Some(rtype));
            if self.is_signed && !is_covered {
                return Some(format!(
                    "the zone is signed: this variant of {name} {what} needs its RRSIG records, \
                     behind the same $VARIANT"
                ));
            }
            let is_alias = rtype == rtype::CNAME && rrset.len() > 1;
            return is_alias
                .then(|| format!("{name} has {} CNAME records in one variant", rrset.len()));
        }
        let region = block.region.as_deref().unwrap_or("any region");
        let is_beside = everybody.is_ok_and(|everybody| everybody.rrset(rtype::CNAME).is_some());
        Some(if is_beside {
            format!("{name} has CNAME and other data: {what} for {region}")
        } else {
            format!("{name} has {what} for {region}, but none for everybody else")
        })
    }
}

/// An owner's name for people.
fn shown(owner: &Owner<'_>) -> String {
    name::display(&owner.name()).to_string()
}

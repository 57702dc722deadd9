//! Records that depend on where the client is: what `$VARIANT` in a master file says.
//!
//! A zone's image has what everybody gets. Beside it stands a small one with a node for each
//! *member*, the records of a name within a block; which of them a client gets, the snapshot knows,
//! for maps and health change without the zone.

mod addresses;
mod block;
mod check;
mod health;
mod maps;

pub use block::{Block, WEIGHT_MAX};
pub use health::{AllDown, Health};

pub(crate) use block::Blocks;
pub(super) use check::check;
pub(crate) use health::Hidden;

use super::compile::CompileError;
use super::image::NodeRef;
use super::records::{EVERYBODY, Owner, ZoneRecords};
use super::rtype;
use crate::name;
use std::ops::Range;

/// Types that mean something where they are, to other servers or to validators: they do not vary.
const FIXED_TYPES: [u16; 12] = [
    rtype::SOA,
    rtype::NS,
    rtype::DNAME,
    rtype::DS,
    rtype::DNSKEY,
    rtype::NSEC,
    rtype::NSEC3,
    rtype::NSEC3PARAM,
    rtype::CDS,
    rtype::CDNSKEY,
    rtype::CSYNC,
    rtype::ZONEMD,
];

/// The variants of a zone.
pub struct Variants {
    /// With what everybody gets of the varied names.
    blocks: Blocks,
    /// Where each varied name's members begin, and where the last one's end.
    names: Box<[usize]>,
    /// A zone of that name without records.
    none: ZoneRecords,
    /// The members while all is well.
    whole: Hidden,
}

impl Variants {
    /// The variants of a zone whose checks found no error, and of those names at `checked`, in
    /// lowered wire form, that may have to do without some of their addresses. `None`: nothing
    /// varies.
    pub(super) fn of(
        records: &ZoneRecords,
        checked: &[Vec<u8>],
    ) -> Result<Option<Self>, CompileError> {
        let mut blocks = match records.variants() {
            Some(blocks) => blocks.clone(),
            None => Blocks::new(records.origin()),
        };
        let names = varied_names(records, &blocks, checked);
        if names.is_empty() {
            return Ok(None);
        }
        let varying = names.into_iter().filter_map(|labels| {
            let index = records.position_of(&labels).ok()?;
            Some((records.owner(index), types_of(&blocks, &labels)))
        });
        for (everybody, types) in varying.collect::<Vec<_>>() {
            let keeps = |rtype: u16, _: &[u8]| types.contains(&rtype);
            blocks.members_mut().add(EVERYBODY, &everybody, &[], keeps);
        }
        blocks.members_mut().sort();
        blocks.forget_lines();
        let none = ZoneRecords::none(records.origin());
        let mut variants = Self {
            names: starts(&blocks),
            blocks,
            none,
            whole: Hidden::none(records.origin())?,
        };
        variants.whole = variants.hidden(None)?;
        Ok(Some(variants))
    }

    /// The varied names as labels below the zone's apex, in canonical order.
    pub(super) fn names(&self) -> Vec<&[u8]> {
        let members = self
            .names
            .windows(2)
            .map(|pair| self.blocks.members.get(pair[0]));
        members.map(|(_, owner)| owner.relative_name()).collect()
    }

    /// How many names there are.
    pub(crate) fn name_count(&self) -> usize {
        self.names.len().saturating_sub(1)
    }

    /// The members of a name, that of everybody first.
    pub(crate) fn members_of(&self, name: usize) -> Range<usize> {
        self.names[name]..self.names[name + 1]
    }

    /// What a node is made of that the name with this number chooses from while all is well: a
    /// block unless it is everybody's, and records. Without a node it is what the zone has.
    pub fn source(&self, name: u32, node: Option<NodeRef>) -> Option<(Option<&Block>, Owner<'_>)> {
        let [start, end]: &[usize; 2] = self.names.get(name as usize..)?.first_chunk()?;
        let member = match node {
            None => *start,
            Some(node) => (*start..*end).find(|member| self.whole.place(*member) == Some(node))?,
        };
        Some(self.member(member))
    }

    /// A member: its block, if it is not everybody's, and its records.
    pub(crate) fn member(&self, index: usize) -> (Option<&Block>, Owner<'_>) {
        let (number, owner) = self.blocks.members.get(index);
        (self.blocks.get(number), owner)
    }
}

/// The names that vary, as labels below the apex, in canonical order.
fn varied_names(records: &ZoneRecords, blocks: &Blocks, checked: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let members = (0..blocks.members.len()).map(|index| blocks.members.get(index).1);
    let varied = members.map(|owner| owner.relative_name());
    let checked = checked.iter();
    let checked = checked.filter_map(|name| name::strip_ancestor(name, records.origin()));
    let mut names: Vec<&[u8]> = varied.chain(checked).collect();
    names.sort_by(|one, other| name::canonical_cmp_lowercase(one, other));
    names.dedup();
    names.into_iter().map(<[u8]>::to_vec).collect()
}

/// The types that may vary at a name: those of its variants, and addresses, which may be down.
fn types_of(blocks: &Blocks, labels: &[u8]) -> Vec<u16> {
    let mut types = vec![rtype::A, rtype::AAAA];
    for index in blocks.members.range_of(labels) {
        let (_, owner) = blocks.members.get(index);
        types.extend(owner.rrsets().map(|rrset| rrset.rtype()));
    }
    types.retain(|rtype| *rtype != rtype::RRSIG);
    types
}

/// Where the members of each name begin, and where the last one's end.
fn starts(blocks: &Blocks) -> Box<[usize]> {
    let members = &blocks.members;
    let labels = |index: usize| members.get(index).1.relative_name();
    let is_start = |&index: &usize| index == 0 || labels(index - 1) != labels(index);
    let starts = (0..members.len()).filter(is_start);
    starts.chain([members.len()]).collect()
}

#[cfg(test)]
mod tests;

//! The short ways for what is asked most: records of a name, and names that do not exist.
//!
//! Both say `None` where there is anything special; `answer` knows all of it. Nothing is put
//! together before it is needed: what was just written in pieces would be waited for.

use super::{Answer, Claim};
use crate::packet::{Query, QueryFlags, ShortName, code};
use crate::simd::Simd;
use crate::snapshot::{Found, Snapshot};
use crate::telemetry::Rcode;
use crate::zone::image::{BodyRef, NodeFlags, NodeRef};
use crate::zone::index::NamePlace;

/// The records that answer a usual query whose name is the candidate's, and their zone.
#[inline(always)]
pub fn hit<'s, S: Simd>(
    simd: S,
    query: &Query,
    name: &ShortName,
    candidate: Option<NamePlace>,
    snapshot: &'s Snapshot,
) -> Option<(u32, BodyRef<'s>)> {
    let Found { zone, node } = snapshot.at(candidate?);
    // Records with authority, whoever asks, and of no type that has rules of its own.
    let special = NodeFlags::CUT
        .with(NodeFlags::OCCLUDED)
        .with(NodeFlags::VARIED);
    let is_plain = !node.flags().any(special) && !matches!(query.qtype, code::DS | code::NSEC3);
    if !is_usual(query)
        || !is_plain
        || !node.is_named_block(simd, name.suffix(0)?, usize::from(query.name_len))
    {
        return None;
    }
    let body = node.find(query.qtype, query.flags.has(QueryFlags::DNSSEC_OK))?;
    Some((zone, body))
}

/// Says that the name of a usual query does not exist, with nothing special on the way to it.
/// `near`: the apex of the zone that was asked last.
#[inline(always)]
pub fn absence<'s, S: Simd>(
    simd: S,
    query: &Query,
    name: &ShortName,
    candidate: Option<NamePlace>,
    snapshot: &'s Snapshot,
    near: &mut Option<Found<'s>>,
) -> Option<Absence<'s>> {
    if !is_usual(query) || candidate.is_some() {
        return None;
    }
    let name_len = usize::from(query.name_len);
    let labels = name.labels(name_len)?;
    let apex = snapshot.zone_of_short(simd, name, name_len, labels, near)?;
    let encloser = snapshot.closest_encloser_short(simd, apex, name, name_len, labels)?;
    let special = NodeFlags::CUT
        .with(NodeFlags::OCCLUDED)
        .with(NodeFlags::REDIRECT)
        .with(NodeFlags::WILDCARD_PARENT);
    if encloser.node.flags().any(special) {
        return None;
    }
    let zone = &snapshot.zones()[apex.zone as usize];
    Some(Absence {
        body: zone.negative(query.flags.has(QueryFlags::DNSSEC_OK)),
        zone: apex.zone,
        encloser: encloser.node.place(),
        owner_skip: u8::try_from(name_len - apex.node.name_len()).ok()?,
    })
}

/// What there is to say of a name that does not exist.
#[derive(Clone, Copy)]
pub struct Absence<'s> {
    /// The zone's SOA record.
    pub body: BodyRef<'s>,
    /// Its number.
    pub zone: u32,
    encloser: NodeRef,
    /// Bytes of the name before the zone's.
    pub owner_skip: u8,
}

impl<'s> From<Absence<'s>> for Answer<'s> {
    #[inline(always)]
    fn from(absence: Absence<'s>) -> Self {
        Self {
            rcode: Rcode::NxDomain,
            owner_skip: absence.owner_skip,
            claim: Claim::NoName(absence.encloser),
            ..Self::data(absence.zone, absence.body)
        }
    }
}

/// Whether the query was read in the short way, and is not refused for one of its options.
#[inline(always)]
fn is_usual(query: &Query) -> bool {
    query.flags.has(QueryFlags::UNPROVEN) && query.refusal.is_none()
}

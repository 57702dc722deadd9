//! The one decision: what a query is answered with. Pure.

mod client;
mod lookup;
mod usual;

pub use client::{Chosen, Client};
pub use usual::{Absence, absence, hit};

use crate::packet::{Query, code};
use crate::snapshot::{Found, Labels, Snapshot};
use crate::telemetry::Rcode;
use crate::zone::image::{BodyRef, NodeFlags, NodeRef, Target};
use crate::zone::index::NamePlace;
use lookup::Lookup;

/// What a reply is made of, found but not read yet.
#[derive(Clone, Copy)]
pub struct Answer<'s> {
    /// The response code, unless an alias leads to another.
    pub rcode: Rcode,
    /// The AA bit.
    pub authoritative: bool,
    /// Bytes of the name before the part of it that owns the body's first record.
    pub owner_skip: u8,
    /// Bits of the client's subnet that the answer is valid for (RFC 7871 §7.2.1).
    pub scope: u8,
    /// Number of the zone that answers.
    pub zone: u32,
    /// The records; none in an error.
    pub body: Option<BodyRef<'s>>,
    /// Where the answer goes on.
    pub follow: Follow<'s>,
    /// What is to be proven beside the records.
    pub claim: Claim,
}

/// What a signed zone proves to whoever asks for DNSSEC (RFC 4035 §3.1.3, RFC 5155 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nothing beyond the records' signatures.
    Nothing,
    /// The node lacks the type.
    NoData(NodeRef),
    /// Nothing exists below this closest encloser, and it has no wildcard.
    NoName(NodeRef),
    /// Below this closest encloser the answer is its wildcard's.
    Expanded(NodeRef),
    /// Below this closest encloser there is only its wildcard, which lacks the type.
    NoWildcardData(NodeRef),
    /// Whether the zone below this cut is signed.
    Delegation(NodeRef),
}

/// What is asked of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// QTYPE.
    pub qtype: u16,
    /// With signatures and proofs.
    pub dnssec: bool,
}

/// Whether an answer goes on at another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow<'s> {
    /// It does not.
    Nothing,
    /// The body is a CNAME record (RFC 1034 §3.6.2).
    Alias(Target<'s>),
    /// The body is a DNAME record (RFC 6672).
    Redirect(Target<'s>),
    /// There is no body, but this record of the server's own, behind its question.
    Own(&'s [u8]),
}

impl<'s> Answer<'s> {
    /// For what is not answered.
    pub const NONE: Self = Self::error(Rcode::ServFail);

    /// A bare response code.
    pub const fn error(rcode: Rcode) -> Self {
        Self {
            rcode,
            authoritative: false,
            owner_skip: 0,
            scope: 0,
            zone: 0,
            body: None,
            follow: Follow::Nothing,
            claim: Claim::Nothing,
        }
    }

    /// Records of a zone, with authority.
    #[inline(always)]
    pub fn data(zone: u32, body: BodyRef<'s>) -> Self {
        Self {
            authoritative: true,
            zone,
            body: Some(body),
            ..Self::error(Rcode::NoError)
        }
    }

    /// Whether records of other names follow.
    #[inline(always)]
    pub fn is_chain(&self) -> bool {
        matches!(self.follow, Follow::Alias(_) | Follow::Redirect(_))
    }

    /// Whether this is a referral to another server.
    pub fn is_referral(&self) -> bool {
        !self.authoritative && self.body.is_some()
    }
}

/// Answers the query that `room` begins with, its name as it was asked, with the candidate that was
/// found before. Without a client nothing depends on who asks.
pub fn answer<'s>(
    query: &Query,
    room: &[u8],
    candidate: Option<NamePlace>,
    client: Option<&Client>,
    snapshot: &'s Snapshot,
) -> Answer<'s> {
    if let Some(rcode) = query.refusal {
        return Answer::error(rcode);
    }
    if query.qclass == code::CLASS_CH {
        return chaos(query, &room[query.name()], snapshot);
    }
    if query.qclass != code::CLASS_IN || matches!(query.qtype, code::AXFR | code::IXFR) {
        return Answer::error(Rcode::Refused);
    }
    let name = &room[query.name()];
    let lookup = Lookup {
        wanted: query.wanted(),
        front: &room[query.name().start..],
        name_len: name.len(),
        client,
        snapshot,
    };
    match snapshot.find_candidate(candidate, query.name_hash, name) {
        Some(found) => lookup.exact(found),
        None => lookup.missing(),
    }
}

/// What the server says of itself: nothing, unless configured (RFC 4892).
fn chaos<'s>(query: &Query, name: &[u8], snapshot: &'s Snapshot) -> Answer<'s> {
    match snapshot.policy().chaos.find(name) {
        Some(record) if matches!(query.qtype, code::TXT | code::ANY) => Answer {
            follow: Follow::Own(record),
            ..Answer::error(Rcode::NoError)
        },
        _ => Answer::error(Rcode::Refused),
    }
}

/// What decides for a name: its own node, or the wildcard's. None where neither does, but a
/// delegation, a DNAME record, or that there is no such name.
pub fn decisive<'s>(name: &[u8], snapshot: &'s Snapshot) -> Option<Found<'s>> {
    let elsewhere = NodeFlags::CUT.with(NodeFlags::OCCLUDED);
    if let Some(found) = snapshot.find(snapshot.key().hash(name), name) {
        return Some(found).filter(|found| !found.node.flags().any(elsewhere));
    }
    let labels = Labels::of(name);
    let apex = snapshot.zone_of(&labels)?;
    let encloser = snapshot.closest_encloser(apex, &labels).node;
    if encloser.flags().any(elsewhere.with(NodeFlags::REDIRECT)) {
        return None;
    }
    let node = encloser.wildcard()?;
    let is_answered = !node.flags().any(NodeFlags::CUT);
    is_answered.then_some(Found { node, ..apex })
}

/// Answers for the target of an alias.
pub fn lookup<'s>(
    wanted: Wanted,
    name: &[u8],
    client: Option<&Client>,
    snapshot: &'s Snapshot,
) -> Answer<'s> {
    let lookup = Lookup {
        wanted,
        front: name,
        name_len: name.len(),
        client,
        snapshot,
    };
    match snapshot.find(snapshot.key().hash(name), name) {
        Some(found) => lookup.exact(found),
        None => lookup.missing(),
    }
}

//! The one decision: what a query is answered with. Pure.

use crate::packet::{Query, code};
use crate::snapshot::{Found, Labels, Snapshot};
use crate::telemetry::Rcode;
use crate::zone::image::{BodyRef, Node, NodeFlags, Target};
use crate::zone::index::NamePlace;

/// What a reply is made of, found but not read yet.
#[derive(Clone, Copy)]
pub struct Answer<'s> {
    /// The response code, unless an alias leads to another.
    pub rcode: Rcode,
    /// The AA bit.
    pub authoritative: bool,
    /// Bytes of the name before the part of it that owns the body's first record.
    pub owner_skip: u8,
    /// The records; none in an error.
    pub body: Option<BodyRef<'s>>,
    /// Where the answer goes on.
    pub follow: Follow<'s>,
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
    /// A bare response code.
    pub const fn error(rcode: Rcode) -> Self {
        Self {
            rcode,
            authoritative: false,
            owner_skip: 0,
            body: None,
            follow: Follow::Nothing,
        }
    }

    fn data(body: BodyRef<'s>) -> Self {
        Self {
            rcode: Rcode::NoError,
            authoritative: true,
            owner_skip: 0,
            body: Some(body),
            follow: Follow::Nothing,
        }
    }

    /// Whether this is a referral to another server.
    pub fn is_referral(&self) -> bool {
        !self.authoritative && self.body.is_some()
    }
}

/// Answers a query for `name`, which is as it was asked, with the candidate that was found before.
pub fn answer<'s>(
    query: &Query,
    name: &[u8],
    candidate: Option<NamePlace>,
    snapshot: &'s Snapshot,
) -> Answer<'s> {
    if let Some(rcode) = query.refusal {
        return Answer::error(rcode);
    }
    if query.qclass == code::CLASS_CH {
        return chaos(query, name, snapshot);
    }
    if query.qclass != code::CLASS_IN || matches!(query.qtype, code::AXFR | code::IXFR) {
        return Answer::error(Rcode::Refused);
    }
    match snapshot.find_candidate(candidate, query.name_hash, name) {
        Some(found) => exact(found, query.qtype, name, snapshot),
        None => missing(query.qtype, name, snapshot),
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

/// Answers for the target of an alias.
pub fn lookup<'s>(qtype: u16, name: &[u8], snapshot: &'s Snapshot) -> Answer<'s> {
    match snapshot.find(snapshot.key().hash(name), name) {
        Some(found) => exact(found, qtype, name, snapshot),
        None => missing(qtype, name, snapshot),
    }
}

/// The name exists.
fn exact<'s>(found: Found<'s>, qtype: u16, name: &[u8], snapshot: &'s Snapshot) -> Answer<'s> {
    let flags = found.node.flags();
    // RFC 4035 §3.1.4.1: DS records are the parent's; so is their absence.
    if qtype == code::DS {
        if flags.any(NodeFlags::CUT) {
            return of_node(found.node, found.zone, qtype, name, snapshot);
        }
        if flags.any(NodeFlags::APEX)
            && let Some(parent) = snapshot.parent(found.zone)
        {
            return match parent.cut {
                Some(cut) => exact(cut, qtype, name, snapshot),
                None => missing_in(parent.apex, qtype, &Labels::of(name), name, snapshot),
            };
        }
    }
    if flags.any(NodeFlags::CUT.with(NodeFlags::OCCLUDED)) {
        return referral(found.node, name);
    }
    of_node(found.node, found.zone, qtype, name, snapshot)
}

/// What a node with authority, or its wildcard, has for a type.
fn of_node<'s>(
    node: Node<'s>,
    zone: u32,
    qtype: u16,
    name: &[u8],
    snapshot: &'s Snapshot,
) -> Answer<'s> {
    let body = if qtype == code::ANY {
        node.first()
    } else {
        node.find(qtype)
    };
    if let Some(body) = body {
        return Answer::data(body);
    }
    if node.flags().any(NodeFlags::ALIAS)
        && let (Some(body), Some(target)) = (node.find(code::CNAME), node.target())
    {
        return Answer {
            follow: Follow::Alias(target),
            ..Answer::data(body)
        };
    }
    negative(Rcode::NoError, zone, name, snapshot)
}

/// The name does not exist in any zone.
fn missing<'s>(qtype: u16, name: &[u8], snapshot: &'s Snapshot) -> Answer<'s> {
    let labels = Labels::of(name);
    match snapshot.zone_of(&labels) {
        Some(apex) => missing_in(apex, qtype, &labels, name, snapshot),
        None => Answer::error(Rcode::Refused),
    }
}

/// The name does not exist in its zone: the closest encloser decides (RFC 4592 §3.3.1).
fn missing_in<'s>(
    apex: Found<'s>,
    qtype: u16,
    labels: &Labels<'_>,
    name: &[u8],
    snapshot: &'s Snapshot,
) -> Answer<'s> {
    let encloser = snapshot.closest_encloser(apex, labels);
    let (node, flags) = (encloser.node, encloser.node.flags());
    if flags.any(NodeFlags::CUT.with(NodeFlags::OCCLUDED)) {
        return referral(node, name);
    }
    if flags.any(NodeFlags::REDIRECT)
        && let (Some(body), Some(target)) = (node.find(code::DNAME), node.target())
    {
        let owner_skip = skip(name, node);
        return Answer {
            follow: Follow::Redirect(target),
            owner_skip,
            ..Answer::data(body)
        };
    }
    match node.wildcard() {
        Some(wildcard) if wildcard.flags().any(NodeFlags::CUT) => match wildcard.referral() {
            // The cut's owner is the name itself, as for any record of a wildcard.
            Some(body) => Answer {
                authoritative: false,
                ..Answer::data(body)
            },
            None => Answer::error(Rcode::ServFail),
        },
        Some(wildcard) => of_node(wildcard, apex.zone, qtype, name, snapshot),
        None => negative(Rcode::NxDomain, apex.zone, name, snapshot),
    }
}

/// The servers of the zone below the cut that `node` is at or below.
fn referral<'s>(node: Node<'s>, name: &[u8]) -> Answer<'s> {
    let cut = node.cut().unwrap_or(node);
    match cut.referral() {
        Some(body) => Answer {
            authoritative: false,
            owner_skip: skip(name, cut),
            ..Answer::data(body)
        },
        None => Answer::error(Rcode::ServFail),
    }
}

/// No such name, or no such records: the zone's SOA record says for how long (RFC 2308 §3).
fn negative<'s>(rcode: Rcode, zone: u32, name: &[u8], snapshot: &'s Snapshot) -> Answer<'s> {
    let image = &snapshot.zones()[zone as usize];
    let owner_skip = u8::try_from(name.len() - image.apex_len()).unwrap_or(0);
    Answer {
        rcode,
        owner_skip,
        ..Answer::data(image.negative())
    }
}

/// Bytes of `name` before the part that is `node`'s.
fn skip(name: &[u8], node: Node<'_>) -> u8 {
    u8::try_from(name.len() - node.name().len()).unwrap_or(0)
}

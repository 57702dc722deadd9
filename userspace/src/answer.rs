//! The one decision: what a query is answered with. Pure.

use crate::packet::{Query, code};
use crate::snapshot::{Found, Labels, Snapshot};
use crate::telemetry::Rcode;
use crate::zone::image::{BodyRef, Node, NodeFlags, NodeRef, Target};
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
    /// A bare response code.
    pub const fn error(rcode: Rcode) -> Self {
        Self {
            rcode,
            authoritative: false,
            owner_skip: 0,
            zone: 0,
            body: None,
            follow: Follow::Nothing,
            claim: Claim::Nothing,
        }
    }

    fn data(zone: u32, body: BodyRef<'s>) -> Self {
        Self {
            authoritative: true,
            zone,
            body: Some(body),
            ..Self::error(Rcode::NoError)
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
    let lookup = Lookup {
        wanted: query.wanted(),
        name,
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

/// Answers for the target of an alias.
pub fn lookup<'s>(wanted: Wanted, name: &[u8], snapshot: &'s Snapshot) -> Answer<'s> {
    let lookup = Lookup {
        wanted,
        name,
        snapshot,
    };
    match snapshot.find(snapshot.key().hash(name), name) {
        Some(found) => lookup.exact(found),
        None => lookup.missing(),
    }
}

/// A name that is looked up: RFC 1034 §4.3.2.
struct Lookup<'n, 's> {
    wanted: Wanted,
    name: &'n [u8],
    snapshot: &'s Snapshot,
}

impl<'s> Lookup<'_, 's> {
    /// The name exists.
    // Inlined with `of_node`, so that the usual answer is written once, where it is kept.
    #[inline(always)]
    fn exact(&self, found: Found<'s>) -> Answer<'s> {
        if self.wanted.qtype == code::DS {
            return self.delegation_signer(found);
        }
        let flags = found.node.flags();
        if flags.any(NodeFlags::CUT.with(NodeFlags::OCCLUDED)) {
            return self.referral(found);
        }
        let claim = Claim::NoData(found.node.place());
        self.of_node(found, Claim::Nothing, claim)
    }

    /// RFC 4035 §3.1.4.1: DS records are the parent's; so is their absence.
    #[inline(never)]
    fn delegation_signer(&self, mut found: Found<'s>) -> Answer<'s> {
        if found.node.flags().any(NodeFlags::APEX)
            && let Some(parent) = self.snapshot.parent(found.zone)
        {
            match parent.cut {
                Some(cut) => found = cut,
                None => return self.missing_in(parent.apex, &Labels::of(self.name)),
            }
        }
        if found.node.flags().any(NodeFlags::OCCLUDED) {
            return self.referral(found);
        }
        let claim = Claim::NoData(found.node.place());
        self.of_node(found, Claim::Nothing, claim)
    }

    /// What a node with authority, or its wildcard, has for a type: what this claims, and what its
    /// absence does.
    #[inline(always)]
    fn of_node(&self, found: Found<'s>, present: Claim, absent: Claim) -> Answer<'s> {
        let Wanted { qtype, dnssec } = self.wanted;
        let node = found.node;
        let body = match qtype {
            code::ANY => node.first(dnssec),
            // RFC 5155 §7.2.8: it belongs to the hash, whatever else has that name.
            code::NSEC3 => None,
            _ => node.find(qtype, dnssec),
        };
        if let Some(body) = body {
            return Answer {
                claim: present,
                ..Answer::data(found.zone, body)
            };
        }
        if node.flags().any(NodeFlags::ALIAS)
            && let (Some(body), Some(target)) = (node.find(code::CNAME, dnssec), node.target())
        {
            return Answer {
                follow: Follow::Alias(target),
                claim: present,
                ..Answer::data(found.zone, body)
            };
        }
        self.negative(Rcode::NoError, found.zone, absent)
    }

    /// The name does not exist in any zone.
    fn missing(&self) -> Answer<'s> {
        let labels = Labels::of(self.name);
        match self.snapshot.zone_of(&labels) {
            Some(apex) => self.missing_in(apex, &labels),
            None => Answer::error(Rcode::Refused),
        }
    }

    /// The name does not exist in its zone: the closest encloser decides (RFC 4592 §3.3.1).
    #[inline(never)]
    fn missing_in(&self, apex: Found<'s>, labels: &Labels<'_>) -> Answer<'s> {
        let encloser = self.snapshot.closest_encloser(apex, labels);
        let (node, flags) = (encloser.node, encloser.node.flags());
        if flags.any(NodeFlags::CUT.with(NodeFlags::OCCLUDED)) {
            return self.referral(encloser);
        }
        if flags.any(NodeFlags::REDIRECT)
            && let (Some(body), Some(target)) =
                (node.find(code::DNAME, self.wanted.dnssec), node.target())
        {
            return Answer {
                follow: Follow::Redirect(target),
                owner_skip: self.skip(node),
                ..Answer::data(apex.zone, body)
            };
        }
        let encloser = node.place();
        match node.wildcard() {
            Some(wildcard) if wildcard.flags().any(NodeFlags::CUT) => {
                match wildcard.referral(self.wanted.dnssec) {
                    // The cut's owner is the name itself, as for any record of a wildcard.
                    Some(body) => Answer {
                        authoritative: false,
                        claim: Claim::Expanded(encloser),
                        ..Answer::data(apex.zone, body)
                    },
                    None => Answer::error(Rcode::ServFail),
                }
            }
            Some(wildcard) => self.of_node(
                Found {
                    node: wildcard,
                    ..apex
                },
                Claim::Expanded(encloser),
                Claim::NoWildcardData(encloser),
            ),
            None => self.negative(Rcode::NxDomain, apex.zone, Claim::NoName(encloser)),
        }
    }

    /// The servers of the zone below the cut that `found` is at or below.
    #[inline(never)]
    fn referral(&self, found: Found<'s>) -> Answer<'s> {
        let cut = found.node.cut().unwrap_or(found.node);
        match cut.referral(self.wanted.dnssec) {
            Some(body) => Answer {
                authoritative: false,
                owner_skip: self.skip(cut),
                claim: Claim::Delegation(cut.place()),
                ..Answer::data(found.zone, body)
            },
            None => Answer::error(Rcode::ServFail),
        }
    }

    /// No such name, or no such records: the zone's SOA record says for how long (RFC 2308 §3).
    #[inline(never)]
    fn negative(&self, rcode: Rcode, zone: u32, claim: Claim) -> Answer<'s> {
        let image = &self.snapshot.zones()[zone as usize];
        let owner_skip = u8::try_from(self.name.len() - image.apex_len()).unwrap_or(0);
        Answer {
            rcode,
            owner_skip,
            claim,
            ..Answer::data(zone, image.negative(self.wanted.dnssec))
        }
    }

    /// Bytes of the name before the part that is `node`'s.
    fn skip(&self, node: Node<'_>) -> u8 {
        u8::try_from(self.name.len() - node.name().len()).unwrap_or(0)
    }
}

//! What a zone has for a name: RFC 1034 §4.3.2.

use super::{Answer, Claim, Follow, Wanted};
use crate::packet::code;
use crate::snapshot::{Found, Labels, Snapshot};
use crate::telemetry::Rcode;
use crate::zone::image::{Node, NodeFlags};

/// A name that is looked up: RFC 1034 §4.3.2.
pub(super) struct Lookup<'n, 's> {
    pub(super) wanted: Wanted,
    /// The name, and what stands behind it.
    pub(super) front: &'n [u8],
    pub(super) name_len: usize,
    pub(super) snapshot: &'s Snapshot,
}

impl<'s> Lookup<'_, 's> {
    /// The name exists.
    pub(super) fn exact(&self, found: Found<'s>) -> Answer<'s> {
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
                None => return self.missing_in(parent.apex, &self.labels()),
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
    pub(super) fn missing(&self) -> Answer<'s> {
        let labels = self.labels();
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
        let owner_skip = u8::try_from(self.name_len - image.apex_len()).unwrap_or(0);
        Answer {
            rcode,
            owner_skip,
            claim,
            ..Answer::data(zone, image.negative(self.wanted.dnssec))
        }
    }

    fn labels(&self) -> Labels<'_> {
        Labels::of_front(self.front, self.name_len)
    }

    /// Bytes of the name before the part that is `node`'s.
    fn skip(&self, node: Node<'_>) -> u8 {
        u8::try_from(self.name_len - node.name().len()).unwrap_or(0)
    }
}

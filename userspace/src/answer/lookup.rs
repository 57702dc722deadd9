//! What a zone has for a name: RFC 1034 §4.3.2.

use super::client::Variant;
use super::{Answer, Claim, Client, Follow, Wanted};
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
    /// Who wants to know, if anything depends on it.
    pub(super) client: Option<&'n Client>,
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
    #[inline(always)]
    fn of_node(&self, found: Found<'s>, present: Claim, absent: Claim) -> Answer<'s> {
        match self.client {
            Some(client) if found.node.flags().any(NodeFlags::VARIED) => {
                self.of_varied(client, found, present, absent)
            }
            _ => self.records(found, present, absent),
        }
    }

    /// The same of a node that is another one for other clients.
    #[inline(never)]
    fn of_varied(
        &self,
        client: &Client,
        found: Found<'s>,
        present: Claim,
        absent: Claim,
    ) -> Answer<'s> {
        let (node, qtype) = (found.node, self.wanted.qtype);
        let rtype = if qtype == code::ANY {
            node.types().next().unwrap_or(0)
        } else if node.flags().any(NodeFlags::ALIAS) && node.find(qtype, false).is_none() {
            code::CNAME
        } else {
            qtype
        };
        let Variant { node, scope } = client.variant(self.snapshot, found, rtype);
        Answer {
            scope,
            ..self.records(Found { node, ..found }, present, absent)
        }
    }

    /// What a node itself has for a type.
    fn records(&self, found: Found<'s>, present: Claim, absent: Claim) -> Answer<'s> {
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

//! Random zones, made legal.

use super::ZoneText;
use super::names::{RawName, legal, name};
use super::shapes::{RawRecord, record};
use crate::decoded::canonical_rdata;
use crate::name::Name;
use crate::record::{Data, Record, rtype};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What a zone is made of, before it is legal.
#[derive(Clone, Debug)]
pub(super) struct RawZone {
    soa_ttl: u32,
    soa_minimum: u32,
    servers: Vec<RawName>,
    records: Vec<RawRecord>,
}

/// A zone of up to thirty records.
pub(super) fn zone() -> impl Strategy<Value = RawZone> {
    let servers = prop::collection::vec(name(), 1..4);
    let records = prop::collection::vec(record(), 0..30);
    (ttl(), ttl(), servers, records).prop_map(|(soa_ttl, soa_minimum, servers, records)| RawZone {
        soa_ttl,
        soa_minimum,
        servers,
        records,
    })
}

pub(super) fn ttl() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![0, 60, 300, 3600, 604_800])
}

/// Leaves out what no zone may have, and adds what every zone must.
pub(super) fn build(origin: &Name, raw: &RawZone, origins: &[Name]) -> ZoneText {
    let mut draft = Draft {
        origin,
        records: Vec::new(),
        rrsets: BTreeMap::new(),
    };
    let authority = Data::Authority(
        legal(&[b"ns".to_vec()], origin),
        Name::parse("hostmaster.example."),
        [2_024_010_101, 7200, 3600, 1_209_600, raw.soa_minimum],
    );
    draft.add(origin.clone(), rtype::SOA, raw.soa_ttl, authority);
    for server in &raw.servers {
        draft.add(
            origin.clone(),
            rtype::NS,
            3600,
            Data::Name(server.below(origins)),
        );
    }
    for raw in &raw.records {
        let owner = legal(&raw.owner, origin);
        for (owner, rtype, data) in raw.records(&owner, origins) {
            draft.add(owner, rtype, raw.ttl, data);
        }
    }
    // RFC 6672 §2.4: nothing lies below a DNAME record.
    let is_redirect = |record: &&Record| record.rtype == rtype::DNAME;
    let redirects: Vec<Name> = draft
        .records
        .iter()
        .filter(is_redirect)
        .map(|record| record.owner.clone())
        .collect();
    draft.records.retain(|record| {
        let below = |owner: &Name| record.owner.is_at_or_below(owner) && !record.owner.is(owner);
        !redirects.iter().any(below)
    });
    ZoneText {
        origin: origin.clone(),
        records: draft.records,
    }
}

/// A zone in the making.
struct Draft<'o> {
    origin: &'o Name,
    records: Vec<Record>,
    /// The TTLs of each RRset's records.
    rrsets: BTreeMap<(Name, u16), BTreeMap<Vec<u8>, u32>>,
}

impl Draft<'_> {
    /// Adds a record, if this zone may have it beside the others.
    fn add(&mut self, owner: Name, rtype: u16, ttl: u32, data: Data) {
        let is_legal = owner.is_legal() && data.target().is_none_or(Name::is_legal);
        if !(is_legal && owner.is_at_or_below(self.origin)) {
            return;
        }
        let canonical = canonical_rdata(rtype, data.wire());
        let key = (owner.lowered(), rtype);
        if let Some(rrset) = self.rrsets.get(&key) {
            let len: usize = rrset
                .keys()
                .map(|data| owner.wire_len() + 10 + data.len())
                .sum();
            // What a duplicate's other TTL means, nobody says; and it must fit into a message.
            if rrset.get(&canonical).is_some_and(|&other| other != ttl) || len > 60_000 {
                return;
            }
        }
        if self.may_join(&owner, rtype) {
            self.rrsets.entry(key).or_default().insert(canonical, ttl);
            self.records.push(Record {
                owner,
                rtype,
                ttl,
                data,
            });
        }
    }

    /// Whether the types at a name go together.
    fn may_join(&self, owner: &Name, rtype: u16) -> bool {
        let lowered = owner.lowered();
        let has = |rtype: u16| self.rrsets.contains_key(&(lowered.clone(), rtype));
        let is_alone = || {
            let mut rrsets = self.rrsets.range((lowered.clone(), 0)..);
            rrsets
                .next()
                .is_none_or(|((owner, _), _)| *owner != lowered)
        };
        let is_apex = owner.is(self.origin);
        let is_wildcard = owner.labels().first().is_some_and(|label| label == b"*");
        match rtype {
            // RFC 2181 §10.1.
            rtype::CNAME => is_alone(),
            _ if has(rtype::CNAME) => false,
            // RFC 4592 §4.2 and §4.4 leave these undefined; RFC 6672 §2.3 forbids both together.
            rtype::NS => is_apex || !(is_wildcard || has(rtype::DNAME)),
            rtype::DNAME => !(is_wildcard || has(rtype::DNAME)) && (is_apex || !has(rtype::NS)),
            rtype::DS => !is_apex,
            _ => true,
        }
    }
}

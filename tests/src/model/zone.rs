//! Zones as the reference sees them: a map from names to RRsets.

use crate::decoded::canonical_rdata;
use crate::name::Name;
use crate::record::{Data, Record, rtype};
use std::collections::{BTreeMap, BTreeSet};

/// Records of one owner and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rrset {
    /// Whose they are.
    pub owner: Name,
    /// Their type.
    pub rtype: u16,
    /// Their time to live in seconds.
    pub ttl: u32,
    /// The data of each.
    pub data: Vec<Data>,
}

impl Rrset {
    /// The same records of another owner, as a wildcard gives them (RFC 4592 §3.3.1).
    pub fn owned_by(&self, owner: &Name) -> Self {
        Self {
            owner: owner.clone(),
            ..self.clone()
        }
    }
}

/// The RRsets of a name, by type.
pub(super) type Node = BTreeMap<u16, Rrset>;

/// Labels from the root down, in small letters: names sort with their descendants behind them.
type Key = Vec<Vec<u8>>;

/// A zone.
#[derive(Clone, Debug)]
pub struct Zone {
    origin: Name,
    nodes: BTreeMap<Key, Node>,
}

impl Zone {
    /// A zone of these records, its SOA record among them.
    pub fn new(origin: Name, records: &[Record]) -> Self {
        let mut nodes: BTreeMap<Key, Node> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for record in records {
            let node = nodes.entry(key(&record.owner)).or_default();
            let rrset = node.entry(record.rtype).or_insert_with(|| Rrset {
                owner: record.owner.lowered(),
                rtype: record.rtype,
                ttl: record.ttl,
                data: Vec::new(),
            });
            // RFC 2181 §5.2: one TTL for all; differing ones are an error that servers mend.
            rrset.ttl = rrset.ttl.min(record.ttl);
            // RFC 2181 §5: no duplicates.
            let canonical = canonical_rdata(record.rtype, record.data.wire());
            if seen.insert((key(&record.owner), record.rtype, canonical)) {
                rrset.data.push(record.data.clone());
            }
        }
        Self { origin, nodes }
    }

    /// The apex.
    pub fn origin(&self) -> &Name {
        &self.origin
    }

    /// The RRsets of a name; none for an empty non-terminal too.
    pub fn node(&self, name: &Name) -> Option<&Node> {
        self.nodes.get(&key(name))
    }

    /// The RRset of a name and type.
    pub fn rrset(&self, name: &Name, rtype: u16) -> Option<&Rrset> {
        self.node(name)?.get(&rtype)
    }

    /// Whether the name, or a name below it, owns records (RFC 4592 §2.2.3).
    pub fn exists(&self, name: &Name) -> bool {
        let key = key(name);
        let mut from = self.nodes.range(key.clone()..);
        from.next().is_some_and(|(next, _)| next.starts_with(&key))
    }

    /// Whether a name is a zone cut: NS records, but not at the apex.
    pub fn is_cut(&self, name: &Name) -> bool {
        !name.is(&self.origin) && self.rrset(name, rtype::NS).is_some()
    }

    /// Whether a name lies at or below a cut.
    pub fn is_delegated(&self, name: &Name) -> bool {
        let depths = self.origin.labels().len() + 1..=name.labels().len();
        depths
            .into_iter()
            .any(|depth| self.is_cut(&name.suffix(depth)))
    }

    /// The SOA record as negative answers carry it (RFC 2308 §3).
    pub fn negative(&self) -> Rrset {
        let mut soa = self
            .rrset(&self.origin, rtype::SOA)
            .expect("zones have a SOA record")
            .clone();
        if let Data::Authority(_, _, [.., minimum]) = soa.data[0] {
            soa.ttl = soa.ttl.min(minimum);
        }
        soa
    }

    /// The names that own records.
    pub fn names(&self) -> impl Iterator<Item = Name> {
        self.nodes
            .keys()
            .map(|key| Name::of(key.iter().rev().cloned()))
    }
}

/// All zones of a server.
#[derive(Clone, Debug)]
pub struct World {
    /// In any order.
    pub zones: Vec<Zone>,
}

impl World {
    /// The zone that answers for a name (RFC 1034 §4.3.2 step 2): its nearest ancestor. A DS record
    /// belongs to the zone above a cut (RFC 4035 §3.1.4.1), if that is served at all.
    pub fn zone_for(&self, name: &Name, qtype: u16) -> Option<&Zone> {
        let nearest = |above: bool| {
            let zones = self
                .zones
                .iter()
                .filter(|zone| name.is_at_or_below(&zone.origin));
            zones
                .filter(|zone| !above || !zone.origin.is(name))
                .max_by_key(|zone| zone.origin.labels().len())
        };
        let above = if qtype == rtype::DS {
            nearest(true)
        } else {
            None
        };
        above.or_else(|| nearest(false))
    }
}

fn key(name: &Name) -> Key {
    name.labels()
        .iter()
        .rev()
        .map(|label| label.to_ascii_lowercase())
        .collect()
}

//! Hosts that records point to and that are in the zone: do they have addresses?

use std::hash::{BuildHasher as _, RandomState};

use crate::name::{self, NameBuf};
use crate::zone::records::{Owner, ZoneRecords};
use crate::zone::{rdata, rtype};

/// How many hosts with addresses are remembered, so that a server of a million delegations is not
/// looked up each time.
const REMEMBERED_COUNT: usize = 1 << 14;

/// How many owners behind a record are looked at first: the server of a delegated zone is mostly
/// within it.
const NEAR_COUNT: usize = 4;

/// Looks up the hosts that records point to.
pub(super) struct Targets<'z> {
    records: &'z ZoneRecords,
    hasher: RandomState,
    /// Hashes of hosts that have addresses, each at the place that its lowest bits say.
    remembered: Vec<u64>,
}

/// What is doubtful about a record's target.
pub(super) struct Doubt {
    pub(super) is_error: bool,
    pub(super) message: String,
}

/// What a host in the zone is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It has addresses.
    Reachable,
    /// It has none.
    NoAddress,
    /// It is an alias, or below a DNAME.
    Alias,
    /// It is in a delegated zone, and there is no glue.
    NoGlue,
}

impl<'z> Targets<'z> {
    /// Begins with nothing remembered.
    pub(super) fn new(records: &'z ZoneRecords) -> Self {
        Self {
            records,
            hasher: RandomState::new(),
            remembered: vec![0; REMEMBERED_COUNT.min(records.owner_count().max(1))],
        }
    }

    /// Says what is wrong with the target of a record at the owner of this index, if anything.
    pub(super) fn doubt(
        &mut self,
        index: usize,
        owner: &Owner<'_>,
        rtype: u16,
        data: &[u8],
    ) -> Option<Doubt> {
        if ![rtype::NS, rtype::MX, rtype::SRV].contains(&rtype) {
            return None;
        }
        let written = rdata::target(rtype, data)?;
        let mut target = NameBuf::new();
        target.push_wire(written).ok()?;
        target.make_lowercase();
        let labels = name::strip_ancestor(&target, self.records.origin())?;
        // A target that is the root means that there is none (RFC 7505, RFC 2782).
        if &*target == name::ROOT && rtype != rtype::NS {
            return None;
        }
        let standing = self.standing(index, labels);
        if standing == Standing::Reachable {
            return None;
        }
        let (what, host) = (rtype::display(rtype), name::display(written));
        let is_apex_ns = rtype == rtype::NS && owner.is_apex();
        let message = match standing {
            _ if looks_like_address(labels) => {
                format!("{what} points to {host}: a name is wanted, not an address")
            }
            Standing::Alias => {
                format!("{what} points to {host}, which is an alias (RFC 2181 §10.3)")
            }
            Standing::NoGlue if rtype != rtype::NS => return None,
            Standing::NoGlue => format!("{what} points to {host}, which has no glue address here"),
            _ => format!("{what} points to {host}, which has no address"),
        };
        Some(Doubt {
            is_error: is_apex_ns && standing != Standing::NoGlue,
            message,
        })
    }

    /// Finds out what a host is, given as labels below the origin.
    fn standing(&mut self, index: usize, labels: &[u8]) -> Standing {
        let hash = self.hasher.hash_one(labels) | 1;
        let place = (hash >> 1) as usize % self.remembered.len();
        if self.remembered[place] == hash {
            return Standing::Reachable;
        }
        let near = (index..self.records.owner_count()).take(NEAR_COUNT);
        let mut near = near.map(|near| self.records.owner(near));
        let found = near
            .find(|owner| owner.relative_name() == labels)
            .or_else(|| {
                self.records
                    .position_of(labels)
                    .ok()
                    .map(|at| self.records.owner(at))
            });
        let standing = self.standing_of(labels, found);
        if standing == Standing::Reachable {
            self.remembered[place] = hash;
        }
        standing
    }

    fn standing_of(&self, labels: &[u8], found: Option<Owner<'_>>) -> Standing {
        if found.is_some_and(|owner| has_address(&owner)) {
            return Standing::Reachable;
        }
        // From the apex down: what is met first decides.
        let starts: Vec<&[u8]> =
            std::iter::successors(Some(labels), |labels| parent(labels)).collect();
        let above = starts.iter().rev().filter(|labels| !labels.is_empty());
        for ancestor in above {
            let Ok(at) = self.records.position_of(ancestor) else {
                continue;
            };
            let owner = self.records.owner(at);
            if owner.rrset(rtype::NS).is_some() {
                return Standing::NoGlue;
            }
            if owner.rrset(rtype::DNAME).is_some() && ancestor.len() < labels.len() {
                return Standing::Alias;
            }
        }
        let source = found.or_else(|| self.wildcard_for(labels));
        match source {
            Some(owner) if has_address(&owner) => Standing::Reachable,
            Some(owner) if owner.rrset(rtype::CNAME).is_some() => Standing::Alias,
            _ => Standing::NoAddress,
        }
    }

    /// The wildcard that answers for a name without records (RFC 4592 §3.3.1).
    fn wildcard_for(&self, labels: &[u8]) -> Option<Owner<'z>> {
        let mut encloser = labels;
        while !self.exists(encloser) {
            encloser = parent(encloser)?;
        }
        if encloser == labels {
            return None;
        }
        let wildcard = [b"\x01*", encloser].concat();
        self.records
            .position_of(&wildcard)
            .ok()
            .map(|at| self.records.owner(at))
    }

    /// Whether a name has records or names below it.
    fn exists(&self, labels: &[u8]) -> bool {
        match self.records.position_of(labels) {
            Ok(_) => true,
            Err(next) => {
                labels.is_empty()
                    || (next < self.records.owner_count()
                        && name::is_at_or_below(self.records.owner(next).relative_name(), labels))
            }
        }
    }
}

fn has_address(owner: &Owner<'_>) -> bool {
    owner.rrset(rtype::A).is_some() || owner.rrset(rtype::AAAA).is_some()
}

/// The labels without the first one; the zone's origin has none to take away.
fn parent(labels: &[u8]) -> Option<&[u8]> {
    let (&len, rest) = labels.split_first()?;
    rest.get(usize::from(len)..)
}

/// `192.0.2.1` without a dot behind it becomes a name of the zone: a frequent mistake.
fn looks_like_address(labels: &[u8]) -> bool {
    let mut labels = name::labels(labels);
    let is_number =
        |label: &[u8]| str::from_utf8(label).is_ok_and(|text| text.parse::<u8>().is_ok());
    labels
        .by_ref()
        .take(4)
        .filter(|label| is_number(label))
        .count()
        == 4
}

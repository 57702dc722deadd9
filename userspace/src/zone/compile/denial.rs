//! The zone's chain of NSEC or NSEC3 records.

use crate::packet::code;
use crate::zone::image::{DenialChain, DenialKind, ImageHeader, NodeRef};
use crate::zone::nsec3::{HASH_LABEL_LEN, Nsec3Hash, Nsec3Params};
use crate::zone::records::{Owner, Rrset, ZoneRecords};

/// What is known of the chain, and its links as far as their nodes are written.
pub(super) struct Denial<'r> {
    kind: DenialKind,
    params: Nsec3Params<'r>,
    /// The hashes of the NSEC3 chain, in order.
    hashes: Vec<Nsec3Hash>,
    links: Vec<(u64, NodeRef)>,
}

impl<'r> Denial<'r> {
    /// Looks for the chain: NSEC3 if the apex names its parameters and has its record (RFC 5155
    /// §4), else NSEC if the apex has one.
    pub(super) fn of(records: &'r ZoneRecords) -> Self {
        let apex = records.find(records.origin());
        let params = apex
            .and_then(|apex| apex.rrset(code::NSEC3PARAM))
            .and_then(|rrset| rrset.records().find_map(active_params));
        if let Some(params) = params {
            let hashes: Vec<_> = records
                .owners()
                .filter_map(|owner| hash_of(&owner, &params))
                .collect();
            if hashes.binary_search(&params.hash(records.origin())).is_ok() {
                return Self::new(DenialKind::Nsec3, params, hashes);
            }
        }
        let has_nsec = apex.is_some_and(|apex| apex.rrset(code::NSEC).is_some());
        let kind = match has_nsec {
            true => DenialKind::Nsec,
            false => DenialKind::Unsigned,
        };
        Self::new(kind, Nsec3Params::default(), Vec::new())
    }

    fn new(kind: DenialKind, params: Nsec3Params<'r>, hashes: Vec<Nsec3Hash>) -> Self {
        Self {
            kind,
            params,
            hashes,
            links: Vec::new(),
        }
    }

    /// Whether the zone has a chain.
    pub(super) fn exists(&self) -> bool {
        self.kind != DenialKind::Unsigned
    }

    /// A node of `owner` begins at `at`: it may be the next link.
    pub(super) fn add(&mut self, owner: &Owner<'_>, at: NodeRef) {
        let key = match self.kind {
            DenialKind::Unsigned => None,
            DenialKind::Nsec => owner
                .rrset(code::NSEC)
                .map(|_| DenialChain::nsec_key(owner.relative_name())),
            DenialKind::Nsec3 => {
                hash_of(owner, &self.params).map(|hash| DenialChain::nsec3_key(&hash))
            }
        };
        self.links.extend(key.map(|key| (key, at)));
    }

    /// Where in the chain the NSEC3 record is that matches a name.
    pub(super) fn nsec3_place(&self, name: &[u8]) -> Option<u32> {
        if self.kind != DenialKind::Nsec3 {
            return None;
        }
        let place = self.hashes.binary_search(&self.params.hash(name)).ok()?;
        u32::try_from(place).ok()
    }

    /// Says in the header what the chain is, and returns its bytes.
    pub(super) fn finish(&self, header: &mut ImageHeader) -> Vec<u8> {
        header.denial = self.kind as u8;
        header.chain_len = u32::try_from(self.links.len()).unwrap_or(0);
        header.nsec3_iterations = self.params.iterations;
        header.nsec3_salt_len = u8::try_from(self.params.salt.len()).unwrap_or(0);
        let mut bytes = Vec::with_capacity(self.links.len() * 12 + self.params.salt.len());
        bytes.extend(self.links.iter().flat_map(|(key, _)| key.to_le_bytes()));
        bytes.extend(self.links.iter().flat_map(|(_, node)| node.0.to_le_bytes()));
        bytes.extend_from_slice(self.params.salt);
        bytes
    }
}

/// Whether an owner is no name of the zone, but the hash of one (RFC 5155 §7.2.8).
pub(super) fn is_hashed(owner: &Owner<'_>) -> bool {
    let is_nsec3 =
        |rrset: Rrset<'_>| rrset.rtype() == code::NSEC3 || rrset.covered() == Some(code::NSEC3);
    owner.rrset(code::NSEC3).is_some() && owner.rrsets().all(is_nsec3)
}

/// The parameters of a complete chain: the flags of one in the making are not 0 (RFC 5155 §4.1.2).
fn active_params(rdata: &[u8]) -> Option<Nsec3Params<'_>> {
    Nsec3Params::of_rdata(rdata).filter(|_| rdata[1] == 0)
}

/// The hash that an owner's NSEC3 record stands for, if it is of the chain.
fn hash_of(owner: &Owner<'_>, params: &Nsec3Params<'_>) -> Option<Nsec3Hash> {
    let rrset = owner.rrset(code::NSEC3)?;
    let mut records = rrset.records();
    records
        .any(|rdata| Nsec3Params::of_rdata(rdata) == Some(*params))
        .then(|| Nsec3Hash::of_owner(owner.relative_name()))
        .flatten()
        // RFC 5155 §3: the hash is the one label in front of the apex.
        .filter(|_| owner.relative_name().len() == 1 + HASH_LABEL_LEN)
}

//! The NSEC, NSEC3 and DS records that prove a claim (RFC 4035 §3.1.3, RFC 5155 §7.2).

use super::body::POINTER_REACH;
use super::owner::{CHAIN_MAX, OwnerPlace};
use super::put_pointer;
use crate::answer::Claim;
use crate::name;
use crate::packet::{NAME_LEN_MAX, code};
use crate::snapshot::Labels;
use crate::zone::image::{Body, DenialChain, DenialKind, Node, ZoneImage};
use crate::zone::nsec3::Nsec3Hash;
use arrayvec::ArrayVec;

/// A wildcard on each link of a chain of aliases, and three for what its end lacks.
const PROOFS_MAX: usize = CHAIN_MAX + 3;
/// Bytes of a record between its owner and its data.
const FIXED_LEN: usize = 10;

/// Records for the authority section. Each comes once, whatever it proves.
#[derive(Default)]
pub(super) struct Proofs<'s>(ArrayVec<Proof<'s>, PROOFS_MAX>);

/// An RRset and its signatures.
struct Proof<'s> {
    /// The labels of its owner that are not in the message yet.
    labels: &'s [u8],
    /// Where in the message the rest of the owner is.
    rest: usize,
    /// Plain: each owner is a pointer.
    body: Body<'s>,
}

impl<'s> Proofs<'s> {
    /// How many records there are.
    pub(super) fn count(&self) -> u16 {
        self.0.iter().map(|proof| proof.body.counts[0]).sum()
    }

    /// Bytes that they take at `at`.
    pub(super) fn len(&self, at: usize) -> usize {
        self.0.iter().fold(at, |end, proof| end + proof.len(end)) - at
    }

    /// Writes them at `at`; returns where they end.
    pub(super) fn write(&self, message: &mut [u8], at: usize) -> usize {
        self.0.iter().fold(at, |at, proof| proof.write(message, at))
    }

    /// Adds what proves a claim of `zone` about `name`, which is in the message at `owner`.
    pub(super) fn add(
        &mut self,
        claim: Claim,
        zone: &'s ZoneImage,
        name: &[u8],
        owner: &OwnerPlace,
    ) {
        let chain = zone.denial();
        if claim == Claim::Nothing || chain.kind() == DenialKind::Unsigned {
            return;
        }
        let mut buffer = [0; NAME_LEN_MAX];
        let lowered = &mut buffer[..name.len().min(NAME_LEN_MAX)];
        lowered.copy_from_slice(&name[..lowered.len()]);
        lowered.make_ascii_lowercase();
        let prover = Prover {
            zone,
            chain,
            name: lowered,
            owner,
            proofs: self,
        };
        match chain.kind() {
            DenialKind::Unsigned => {}
            DenialKind::Nsec => prover.nsec(claim),
            DenialKind::Nsec3 => prover.nsec3(claim),
        }
    }
}

impl Proof<'_> {
    /// Whether records at `at` can have it as their owner.
    fn is_near(&self, at: usize) -> bool {
        at < POINTER_REACH || self.labels.is_empty()
    }

    fn len(&self, at: usize) -> usize {
        let owners = match self.is_near(at) {
            true => 1,
            false => usize::from(self.body.counts[0]),
        };
        self.body.records.len() + owners * self.labels.len()
    }

    fn write(&self, message: &mut [u8], start: usize) -> usize {
        let repeats = !self.is_near(start);
        let mut at = start;
        let mut records = self.body.records;
        while let Some((head, _)) = records.split_first_chunk::<{ 2 + FIXED_LEN }>() {
            let data_len = usize::from(u16::from_be_bytes([head[10], head[11]]));
            let (record, rest) = records.split_at(2 + FIXED_LEN + data_len);
            let target = if at == start || repeats {
                message[at..at + self.labels.len()].copy_from_slice(self.labels);
                at += self.labels.len();
                self.rest
            } else if self.labels.is_empty() {
                self.rest
            } else {
                start
            };
            message[at..at + record.len()].copy_from_slice(record);
            put_pointer(message, at, target);
            at += record.len();
            records = rest;
        }
        at
    }
}

/// Finds the proofs of one claim.
struct Prover<'p, 's> {
    zone: &'s ZoneImage,
    chain: DenialChain<'s>,
    /// What was looked up, in small letters.
    name: &'p [u8],
    owner: &'p OwnerPlace,
    proofs: &'p mut Proofs<'s>,
}

impl<'s> Prover<'_, 's> {
    /// By NSEC records (RFC 4035 §3.1.3).
    fn nsec(mut self, claim: Claim) {
        match claim {
            Claim::Nothing => {}
            Claim::NoData(node) => self.add_nsec(self.zone.node(node).name()),
            Claim::Delegation(cut) => {
                let cut = self.zone.node(cut);
                if !self.add_record(Some(cut), code::DS) {
                    self.add_nsec(cut.name());
                }
            }
            Claim::Expanded(_) => self.add_nsec(self.name),
            Claim::NoName(encloser) | Claim::NoWildcardData(encloser) => {
                self.add_nsec(self.name);
                self.add_nsec(&wildcard(self.zone.node(encloser).name()));
            }
        }
    }

    /// The record that matches or covers a name.
    fn add_nsec(&mut self, name: &[u8]) {
        self.add_record(self.chain.nsec(name), code::NSEC);
    }

    /// By NSEC3 records (RFC 5155 §7.2).
    fn nsec3(mut self, claim: Claim) {
        match claim {
            Claim::Nothing => {}
            Claim::NoData(node) => self.add_absence(self.zone.node(node)),
            Claim::Delegation(cut) => {
                let cut = self.zone.node(cut);
                if !self.add_record(Some(cut), code::DS) {
                    self.add_absence(cut);
                }
            }
            // §7.2.6: that the next closer name does not exist.
            Claim::Expanded(encloser) => {
                let encloser = self.zone.node(encloser).name().len();
                self.add_cover(next_closer(self.name, encloser));
            }
            // §7.2.2: nor does the wildcard.
            Claim::NoName(encloser) => {
                let provable = self.add_encloser(self.zone.node(encloser));
                let provable = &self.name[self.name.len() - provable..];
                self.add_cover(&wildcard(provable));
            }
            // §7.2.5: what the wildcard has.
            Claim::NoWildcardData(encloser) => {
                let encloser = self.zone.node(encloser);
                self.add_encloser(encloser);
                let place = encloser.wildcard().and_then(|wildcard| wildcard.nsec3());
                self.add_record(place.and_then(|place| self.chain.link(place)), code::NSEC3);
            }
        }
    }

    /// What shows the types of a node (§7.2.3), or that it was left out (§7.2.4).
    fn add_absence(&mut self, node: Node<'s>) {
        match node.nsec3() {
            Some(place) => {
                self.add_record(self.chain.link(place), code::NSEC3);
            }
            None => {
                self.add_encloser(node);
            }
        }
    }

    /// The closest provable encloser at or above a node, and that nothing provable is between it
    /// and the name (§7.2.1). Returns the length of its name.
    fn add_encloser(&mut self, node: Node<'s>) -> usize {
        let (link, len) = self.closest_provable(node);
        self.add_record(link, code::NSEC3);
        self.add_cover(next_closer(self.name, len));
        len
    }

    /// Opt-out leaves names out (RFC 5155 §6): then an ancestor is the closest that can be proven.
    fn closest_provable(&self, node: Node<'s>) -> (Option<Node<'s>>, usize) {
        if let Some(place) = node.nsec3() {
            return (self.chain.link(place), node.name().len());
        }
        let params = self.chain.params();
        let labels = Labels::of(node.name());
        let ancestors = (self.zone.apex_labels()..labels.count()).rev();
        let provable = ancestors
            .map(|depth| labels.suffix(depth))
            .find_map(|name| {
                let hash = params.hash(name);
                let link = self.chain.nsec3(&hash)?;
                let is_match = Nsec3Hash::of_owner(link.name()) == Some(hash);
                is_match.then_some((Some(link), name.len()))
            });
        provable.unwrap_or((None, self.zone.apex_len()))
    }

    /// The record that covers the hash of a name.
    fn add_cover(&mut self, name: &[u8]) {
        let hash = self.chain.params().hash(name);
        self.add_record(self.chain.nsec3(&hash), code::NSEC3);
    }

    /// Adds a node's records of a type, if there are any.
    fn add_record(&mut self, node: Option<Node<'s>>, rtype: u16) -> bool {
        let Some((node, body)) = node.and_then(|node| Some((node, node.find(rtype, true)?))) else {
            return false;
        };
        let body = body.read();
        let is_same = |proof: &Proof<'_>| std::ptr::eq(proof.body.records, body.records);
        if !self.proofs.0.iter().any(is_same) {
            let shared = self.shared(node.name());
            let proof = Proof {
                labels: &node.name()[..node.name().len() - shared],
                rest: self.owner.position(shared),
                body,
            };
            // As many fit as a chain of aliases can need.
            let _ = self.proofs.0.try_push(proof);
        }
        true
    }

    /// Bytes of the name's end that `other` ends in as well: the apex at least.
    fn shared(&self, other: &[u8]) -> usize {
        let (own, other) = (Labels::of(self.name), Labels::of(other));
        let depths = (self.zone.apex_labels()..=own.count().min(other.count())).rev();
        depths
            .map(|depth| (own.suffix(depth), other.suffix(depth)))
            .find(|(own, other)| own == other)
            .map_or(self.zone.apex_len(), |(own, _)| own.len())
    }
}

/// The wildcard below a name.
fn wildcard(encloser: &[u8]) -> ArrayVec<u8, { NAME_LEN_MAX + 2 }> {
    b"\x01*".iter().chain(encloser).copied().collect()
}

/// The name one label longer than its ancestor with `encloser` bytes.
fn next_closer(name: &[u8], encloser: usize) -> &[u8] {
    let mut rest = name;
    while let Some(parent) = name::parent(rest).filter(|parent| parent.len() > encloser) {
        rest = parent;
    }
    rest
}

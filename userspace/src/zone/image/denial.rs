//! Denial of existence: the owners of the zone's NSEC or NSEC3 records in their order.

use super::{ImageHeader, Node, NodeRef};
use crate::name;
use crate::zone::nsec3::{HASH_LEN, Nsec3Hash, Nsec3Params};
use std::cmp::Ordering;

/// How a zone proves that something is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum DenialKind {
    /// It does not: it is not signed.
    #[default]
    Unsigned = 0,
    /// By NSEC records (RFC 4034 §4).
    Nsec = 1,
    /// By NSEC3 records (RFC 5155).
    Nsec3 = 2,
}

/// The chain: each link is a node with an NSEC or NSEC3 record. The last one leads to the first.
#[derive(Clone, Copy)]
pub struct DenialChain<'i> {
    image: &'i [u8],
    kind: DenialKind,
    /// What the links are ordered by, as far as eight bytes tell.
    keys: &'i [[u8; 8]],
    nodes: &'i [[u8; 4]],
    params: Nsec3Params<'i>,
    apex_len: usize,
}

impl<'i> DenialChain<'i> {
    /// Finds the chain behind the nodes.
    pub(super) fn of(image: &'i [u8], header: &ImageHeader) -> Self {
        let len = header.chain_len as usize;
        let start = usize::try_from(header.nodes_end).unwrap_or(image.len());
        let (keys, rest) = image[start..].split_at(len * 8);
        let (nodes, rest) = rest.split_at(len * 4);
        Self {
            image,
            kind: match header.denial {
                1 => DenialKind::Nsec,
                2 => DenialKind::Nsec3,
                _ => DenialKind::Unsigned,
            },
            keys: keys.as_chunks().0,
            nodes: nodes.as_chunks().0,
            params: Nsec3Params {
                iterations: header.nsec3_iterations,
                salt: &rest[..usize::from(header.nsec3_salt_len)],
            },
            apex_len: usize::from(header.apex_len),
        }
    }

    /// Which kind of records it has.
    pub fn kind(&self) -> DenialKind {
        self.kind
    }

    /// How names are hashed, if they are.
    pub fn params(&self) -> Nsec3Params<'i> {
        self.params
    }

    /// The link at a place that a node gave.
    pub fn link(&self, place: u32) -> Option<Node<'i>> {
        let at = self.nodes.get(place as usize)?;
        Some(Node::at(self.image, NodeRef(u32::from_le_bytes(*at))))
    }

    /// The NSEC record that matches or covers a lowered name of the zone (RFC 4034 §6.1).
    pub fn nsec(&self, name: &[u8]) -> Option<Node<'i>> {
        let relative = &name[..name.len().checked_sub(self.apex_len)?];
        self.last_not_behind(Self::nsec_key(relative), |node| {
            let owner = &node.name()[..node.name().len() - self.apex_len];
            name::canonical_cmp_lowercase(owner, relative)
        })
    }

    /// The NSEC3 record that matches or covers a hash (RFC 5155 §7.1).
    pub fn nsec3(&self, hash: &Nsec3Hash) -> Option<Node<'i>> {
        self.last_not_behind(Self::nsec3_key(hash), |node| {
            let owner = Nsec3Hash::of_owner(node.name());
            owner.map_or(Ordering::Less, |owner| owner.0.cmp(&hash.0))
        })
    }

    /// What NSEC records are ordered by: the labels below the apex.
    pub(in crate::zone) fn nsec_key(relative: &[u8]) -> u64 {
        u64::from_be_bytes(name::canonical_prefix(relative))
    }

    /// What NSEC3 records are ordered by.
    pub(in crate::zone) fn nsec3_key(hash: &Nsec3Hash) -> u64 {
        const { assert!(HASH_LEN >= 8) };
        let [a, b, c, d, e, f, g, h, ..] = hash.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// The last link that is not behind `key`; before the first one is the last. Where keys say
    /// nothing, `compare` orders the link against what is looked for.
    fn last_not_behind(
        &self,
        key: u64,
        compare: impl Fn(&Node<'i>) -> Ordering,
    ) -> Option<Node<'i>> {
        let is_behind = |position: usize| {
            let order = u64::from_le_bytes(self.keys[position]).cmp(&key);
            let place = u32::from_le_bytes(self.nodes[position]);
            order.then_with(|| compare(&Node::at(self.image, NodeRef(place)))) == Ordering::Greater
        };
        let (mut low, mut high) = (0, self.keys.len());
        while low < high {
            let middle = low.midpoint(high);
            if is_behind(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let position = low.checked_sub(1).or(self.keys.len().checked_sub(1))?;
        self.link(u32::try_from(position).ok()?)
    }
}

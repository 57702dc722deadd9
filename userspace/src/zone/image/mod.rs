//! The compiled zone: flat, position-independent, read-only. Offsets, no pointers.
//!
//! ```text
//! image   header (64 bytes) │ node │ node │ … │ denial chain          nodes in canonical order
//! node    size:u32 name_len:u8 flags:u8 entries:u16 │ name │ pad to 4 │ table │ table if signed │
//!         bodies │ pad to 8         (size is odd by one: the owner of an NSEC3 record)
//! entry   rtype:u16 len:u16 place:u32         sorted by rtype; rtype 0: a link, `len` says which
//! body    plain:   Plain (8 bytes) │ `len` bytes of records, then of signatures
//!         woven:   Woven (24 bytes) │ patches │ cuts │ records         (place has bit 31 set)
//! chain   key:u64 … │ node:u32 … │ NSEC3 salt          the owners of NSEC or NSEC3 in their order
//!
//! file    image │ hash:u64 … │ node:u32 … │ restart:u32 … │ below │ pad to 64 │ trailer (64 bytes)
//! trailer "rippling" │ key:u64×3 hashes:u32 restarts:u32 below_len:u32 0:u32 file_len:u64
//!         checksum:u64
//! ```
//! Places of bodies count 4 bytes, node references 8. Numbers are little-endian, records are as
//! sent. The second table has the answers with signatures; a plain body serves both.
//!
//! `ripples compile` saves an image as a file. Its hashes are those of the names under its own key,
//! in their order, each with its node; restarts are nodes at which another thread may begin to
//! validate, children of the apex; below are the apexes of the zones that the image was compiled
//! beside. The checksum is XXH3 with 64 bits of all bytes before it. The magic's last byte is the
//! version of both.

mod body;
mod denial;
mod file;
mod node;
mod validate;

pub(crate) use body::{BODY_REACH, PATCHED_LEN};
pub use body::{Body, BodyRef, Pointer, Weave, Whole};
pub(in crate::zone) use body::{Plain, WOVEN, Woven};
pub use denial::{DenialChain, DenialKind};
pub use file::{Saved, seal, write};
pub(in crate::zone) use node::{ENTRY_LEN, HASHED, LINK_KINDS, NODE_HEADER_LEN};
pub use node::{Link, Node, NodeFlags, Target};

pub use validate::Flaw;
pub(in crate::zone) use validate::{is_image, validate};

use bytemuck::{Pod, Zeroable};
use bytes::Bytes;

/// Bytes of the image's header.
pub(in crate::zone) const IMAGE_HEADER_LEN: usize = size_of::<ImageHeader>();

/// What the image says of itself.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(in crate::zone) struct ImageHeader {
    pub(in crate::zone) magic: [u8; 8],
    pub(in crate::zone) len: u64,
    pub(in crate::zone) apex: u32,
    pub(in crate::zone) negative: u32,
    pub(in crate::zone) node_count: u32,
    pub(in crate::zone) serial: u32,
    pub(in crate::zone) nodes_end: u64,
    pub(in crate::zone) record_count: u64,
    pub(in crate::zone) labels_max: u8,
    pub(in crate::zone) apex_labels: u8,
    pub(in crate::zone) apex_len: u8,
    /// A `DenialKind`.
    pub(in crate::zone) denial: u8,
    pub(in crate::zone) negative_signed: u32,
    pub(in crate::zone) chain_len: u32,
    pub(in crate::zone) nsec3_iterations: u16,
    pub(in crate::zone) nsec3_salt_len: u8,
    pub(in crate::zone) reserved: u8,
}

/// First bytes of an image, its format's version in the last.
pub(in crate::zone) const MAGIC: [u8; 8] = *b"ripples\x04";

/// A node's place in its image, in units of 8 bytes. Never 0: the header lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRef(pub(in crate::zone) u32);

/// A zone that is ready to be served. Clones share the bytes.
#[derive(Clone)]
pub struct ZoneImage {
    /// Aligned to cache lines, and whole ones.
    bytes: Bytes,
}

impl ZoneImage {
    /// Takes what the compiler built.
    pub(in crate::zone) fn new(bytes: Bytes) -> Self {
        Self { bytes }
    }

    /// All of it, and what a file has behind it.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The image alone.
    pub fn image_bytes(&self) -> &[u8] {
        let len = usize::try_from(self.header().len).unwrap_or(usize::MAX);
        &self.bytes[..len.min(self.bytes.len())]
    }

    /// What stands behind the image, if it comes from a file.
    pub fn saved(&self) -> Option<Saved<'_>> {
        Saved::of(&self.bytes[self.image_bytes().len()..])
    }

    fn header(&self) -> &ImageHeader {
        bytemuck::from_bytes(&self.bytes()[..IMAGE_HEADER_LEN])
    }

    /// The zone's apex.
    pub fn apex(&self) -> Node<'_> {
        self.node(NodeRef(self.header().apex))
    }

    /// The node at `at`.
    #[inline(always)]
    pub fn node(&self, at: NodeRef) -> Node<'_> {
        Node::at(self.bytes(), at)
    }

    /// Authority section of negative answers: the SOA record with the negative TTL (RFC 2308 §5);
    /// `dnssec`: with its signature.
    pub fn negative(&self, dnssec: bool) -> BodyRef<'_> {
        let header = self.header();
        let place = match dnssec {
            true => header.negative_signed,
            false => header.negative,
        };
        BodyRef::new(self.bytes(), place, 0, dnssec)
    }

    /// How the zone proves that something is missing.
    pub fn denial(&self) -> DenialChain<'_> {
        DenialChain::of(self.bytes(), self.header())
    }

    /// Labels of the apex's name, the root's not counted.
    pub fn apex_labels(&self) -> usize {
        usize::from(self.header().apex_labels)
    }

    /// Bytes of the apex's name.
    pub fn apex_len(&self) -> usize {
        usize::from(self.header().apex_len)
    }

    /// Labels of the deepest name.
    pub fn labels_max(&self) -> usize {
        usize::from(self.header().labels_max)
    }

    /// Serial number of the SOA record.
    pub fn serial(&self) -> u32 {
        self.header().serial
    }

    /// Names in the image, empty non-terminals included.
    pub fn node_count(&self) -> usize {
        self.header().node_count as usize
    }

    /// Resource records that the image was compiled from.
    pub fn record_count(&self) -> u64 {
        self.header().record_count
    }

    /// All nodes, in canonical order of their names.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeRef, Node<'_>)> {
        let bytes = self.bytes();
        let end = self.header().nodes_end / 8;
        let mut next = (IMAGE_HEADER_LEN / 8) as u64;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let at = NodeRef(u32::try_from(next).ok()?);
            next += u64::from(u32_at(bytes, at.byte())) / 8;
            Some((at, Node::at(bytes, at)))
        })
    }
}

impl NodeRef {
    /// Offset of the node's first byte.
    pub fn byte(self) -> usize {
        self.0 as usize * 8
    }
}

/// The number at `at`.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

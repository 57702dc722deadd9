//! The compiled zone: flat, position-independent, read-only. Offsets, no pointers.
//!
//! ```text
//! image   header (64 bytes) │ node │ node │ …                         nodes in canonical order
//! node    size:u32 name_len:u8 flags:u8 entries:u16 │ name │ pad to 4 │ table │ bodies │ pad to 8
//! entry   rtype:u16 len:u16 place:u32         sorted by rtype; rtype 0: a link, `len` says which
//! body    plain:   answers:u16 │ `len` bytes of records
//!         woven:   Woven (20 bytes) │ patches │ cuts │ records         (place has bit 31 set)
//! ```
//! Places of bodies count 4 bytes, node references 8. Numbers are little-endian, records are as sent.

use crate::packet::lower;
use bytemuck::{Pod, Zeroable, cast_slice};
use std::sync::Arc;

/// A cache line: the image's alignment.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub(super) struct CacheLine(pub(super) [u8; 64]);

/// Bytes of the image's header.
pub(super) const IMAGE_HEADER_LEN: usize = size_of::<ImageHeader>();
/// Bytes of a node before its name.
pub(super) const NODE_HEADER_LEN: usize = 8;
/// Bytes of an entry in a node's table.
pub(super) const ENTRY_LEN: usize = 8;
/// Set in an entry's place when the body is woven.
pub(super) const WOVEN: u32 = 1 << 31;

/// Bytes of a body in which compression pointers are listed as patches. Behind them only the owners
/// of records are pointers.
pub(crate) const PATCHED_LEN: usize = 0x4000;

/// What the image says of itself.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct ImageHeader {
    pub(super) magic: [u8; 8],
    pub(super) len: u64,
    pub(super) apex: u32,
    pub(super) negative: u32,
    pub(super) node_count: u32,
    pub(super) serial: u32,
    pub(super) nodes_end: u64,
    pub(super) record_count: u64,
    pub(super) labels_max: u8,
    pub(super) apex_labels: u8,
    pub(super) apex_len: u8,
    pub(super) reserved: [u8; 13],
}

/// First bytes of an image, its format's version in the last.
pub(super) const MAGIC: [u8; 8] = *b"ripples\x01";

/// A node's place in its image, in units of 8 bytes. Never 0: the header lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRef(pub(super) u32);

/// A zone that is ready to be served. Clones share the bytes.
#[derive(Clone)]
pub struct ZoneImage {
    lines: Arc<[CacheLine]>,
}

impl ZoneImage {
    /// Takes what the compiler built.
    pub(super) fn new(lines: Arc<[CacheLine]>) -> Self {
        Self { lines }
    }

    /// All of it.
    pub fn bytes(&self) -> &[u8] {
        cast_slice(&self.lines)
    }

    fn header(&self) -> &ImageHeader {
        bytemuck::from_bytes(&self.bytes()[..IMAGE_HEADER_LEN])
    }

    /// The zone's apex.
    pub fn apex(&self) -> Node<'_> {
        self.node(NodeRef(self.header().apex))
    }

    /// The node at `at`.
    pub fn node(&self, at: NodeRef) -> Node<'_> {
        Node::at(self.bytes(), at)
    }

    /// Authority section of negative answers: the SOA record with the negative TTL (RFC 2308 §5).
    pub fn negative(&self) -> BodyRef<'_> {
        BodyRef {
            image: self.bytes(),
            place: self.header().negative,
            len: 0,
        }
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

/// What is special about a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeFlags(pub(super) u8);

impl NodeFlags {
    /// The zone's apex.
    pub const APEX: Self = Self(1);
    /// A zone cut: names at and below it are another server's.
    pub const CUT: Self = Self(2);
    /// Below a zone cut.
    pub const OCCLUDED: Self = Self(4);
    /// Owns a CNAME record.
    pub const ALIAS: Self = Self(8);
    /// Owns a DNAME record.
    pub const REDIRECT: Self = Self(16);
    /// Has a wildcard child.
    pub const WILDCARD_PARENT: Self = Self(32);

    /// Whether any of `flags` is set.
    pub const fn any(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// Both sets of flags.
    pub const fn with(self, flags: Self) -> Self {
        Self(self.0 | flags.0)
    }
}

/// Where a node points to beside its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub enum Link {
    /// From an occluded name to its zone cut: a node reference.
    Cut = 1,
    /// From a closest encloser to its wildcard: a node reference.
    Wildcard = 2,
    /// From a zone cut to its referral: a woven body.
    Referral = 3,
    /// From the owner of a CNAME or DNAME to its target: a `Target`.
    Target = 4,
}

/// A name of the zone with what it answers.
#[derive(Clone, Copy)]
pub struct Node<'i> {
    image: &'i [u8],
    name: &'i [u8],
    table: &'i [[u8; ENTRY_LEN]],
    flags: NodeFlags,
}

impl<'i> Node<'i> {
    fn at(image: &'i [u8], at: NodeRef) -> Self {
        let node = &image[at.byte()..];
        let name_end = NODE_HEADER_LEN + usize::from(node[4]);
        let entry_count = usize::from(u16::from_le_bytes([node[6], node[7]]));
        let table = &node[name_end.next_multiple_of(4)..][..entry_count * ENTRY_LEN];
        Self {
            image,
            name: &node[NODE_HEADER_LEN..name_end],
            table: table.as_chunks().0,
            flags: NodeFlags(node[5]),
        }
    }

    /// The name, lowered, in wire form.
    pub fn name(&self) -> &'i [u8] {
        self.name
    }

    /// Whether this is the node of `name`, whatever its case.
    pub fn is_named(&self, name: &[u8]) -> bool {
        self.name.len() == name.len() && equals_lowered(self.name, name)
    }

    /// What is special about it.
    pub fn flags(&self) -> NodeFlags {
        self.flags
    }

    /// The answer to a query for `rtype`, when there are such records.
    pub fn find(&self, rtype: u16) -> Option<BodyRef<'i>> {
        // Few names have more than a handful of types, and these are few cache lines.
        let entry = self
            .table
            .iter()
            .find(|entry| entry_type(entry) == rtype && rtype != 0)?;
        Some(BodyRef {
            image: self.image,
            place: entry_place(entry),
            len: entry_len(entry),
        })
    }

    /// The answer that QTYPE ANY gets: one of the RRsets (RFC 8482 §4.1).
    pub fn first(&self) -> Option<BodyRef<'i>> {
        let entry = self.table.iter().find(|entry| entry_type(entry) != 0)?;
        Some(BodyRef {
            image: self.image,
            place: entry_place(entry),
            len: entry_len(entry),
        })
    }

    /// The record types that it owns.
    pub fn types(&self) -> impl Iterator<Item = u16> {
        self.table
            .iter()
            .map(entry_type)
            .filter(|&rtype| rtype != 0)
    }

    fn link(&self, link: Link) -> Option<u32> {
        let entry = self.table.iter().take_while(|entry| entry_type(entry) == 0);
        entry
            .into_iter()
            .find(|entry| entry_len(entry) == link as u16)
            .map(entry_place)
    }

    /// The zone cut above an occluded name.
    pub fn cut(&self) -> Option<Node<'i>> {
        self.link(Link::Cut)
            .map(|at| Node::at(self.image, NodeRef(at)))
    }

    /// The wildcard below a closest encloser.
    pub fn wildcard(&self) -> Option<Node<'i>> {
        let at = self.link(Link::Wildcard).filter(|&at| at != 0)?;
        Some(Node::at(self.image, NodeRef(at)))
    }

    /// The referral of a zone cut.
    pub fn referral(&self) -> Option<BodyRef<'i>> {
        let place = self.link(Link::Referral)?;
        Some(BodyRef {
            image: self.image,
            place,
            len: 0,
        })
    }

    /// Where a CNAME or DNAME leads.
    pub fn target(&self) -> Option<Target<'i>> {
        let at = self.link(Link::Target)? as usize * 4;
        let (name_len, shared) = (self.image[at], self.image[at + 1]);
        Some(Target {
            name: &self.image[at + 2..][..usize::from(name_len)],
            shared,
        })
    }
}

/// The target of a CNAME or DNAME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'i> {
    /// Wire form, in the case it was written.
    pub name: &'i [u8],
    /// Bytes of its end that the record leaves to a pointer into the owner's name; 0: none.
    pub shared: u8,
}

/// A body that was found but not read yet.
#[derive(Clone, Copy)]
pub struct BodyRef<'i> {
    image: &'i [u8],
    place: u32,
    len: u16,
}

impl<'i> BodyRef<'i> {
    /// The memory that `read` touches first, to be fetched ahead.
    pub fn head(&self) -> &'i [u8] {
        &self.image[(self.place & !WOVEN) as usize * 4..]
    }

    /// Reads the body.
    pub fn read(&self) -> Body<'i> {
        let head = self.head();
        if self.place & WOVEN != 0 {
            return Body::woven(head);
        }
        let (count, records) = head.split_at(2);
        Body {
            records: &records[..usize::from(self.len)],
            counts: [u16::from_le_bytes([count[0], count[1]]), 0, 0],
            answer_len: usize::from(self.len),
            authority_len: 0,
            weave: None,
        }
    }
}

/// Header of a woven body.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Woven {
    pub(super) counts: [u16; 3],
    pub(super) answer_len: u16,
    pub(super) authority_len: u16,
    pub(super) additional_len: u16,
    pub(super) base: u16,
    pub(super) patch_count: u16,
    pub(super) cut_count: u16,
    /// 1: the additional records are glue that a referral needs (RFC 9471).
    pub(super) glue: u16,
}

/// Records of an answer as they are sent, with what must be set right in them.
#[derive(Clone, Copy, Debug)]
pub struct Body<'i> {
    /// Answer, authority and additional records, one behind the other.
    pub records: &'i [u8],
    /// Records per section.
    pub counts: [u16; 3],
    /// Bytes of the answer section.
    pub answer_len: usize,
    /// Bytes of the authority section.
    pub authority_len: usize,
    /// Names that are compressed, where there are any. Without: each record's owner is a pointer to
    /// byte 12, and nothing else is compressed.
    pub weave: Option<Weave<'i>>,
}

/// The compression pointers of a body.
#[derive(Clone, Copy, Debug)]
pub struct Weave<'i> {
    /// Offset in the message of the body's first byte, for which the pointers are right when QNAME
    /// is the owner.
    pub base: usize,
    /// Whether the additional section is a referral's glue.
    pub glue: bool,
    patches: &'i [[u8; 2]],
    cuts: &'i [[u8; 4]],
}

/// A compression pointer: what it points to decides how it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// To the owner's name.
    Owner = 0,
    /// To a part of the owner's name: moves with that name's end.
    Suffix = 1,
    /// To a name in the body: moves with the body's start.
    Body = 2,
}

impl<'i> Weave<'i> {
    /// The pointers: what each points to, and its offset in the records.
    pub fn patches(&self) -> impl Iterator<Item = (Pointer, usize)> {
        self.patches.iter().map(|&patch| {
            let patch = u16::from_le_bytes(patch);
            let pointer = match patch >> 14 {
                0 => Pointer::Owner,
                1 => Pointer::Suffix,
                _ => Pointer::Body,
            };
            (pointer, usize::from(patch & 0x3fff))
        })
    }

    /// Where the additional section may end: bytes and records of it up to each RRset's end.
    pub fn cuts(&self) -> impl DoubleEndedIterator<Item = (usize, u16)> {
        self.cuts.iter().map(|&[a, b, c, d]| {
            (
                usize::from(u16::from_le_bytes([a, b])),
                u16::from_le_bytes([c, d]),
            )
        })
    }
}

impl<'i> Body<'i> {
    fn woven(head: &'i [u8]) -> Self {
        let (fixed, rest) = head.split_at(size_of::<Woven>());
        let woven: Woven = bytemuck::pod_read_unaligned(fixed);
        let (patches, rest) = rest.split_at(usize::from(woven.patch_count) * 2);
        let (cuts, rest) = rest.split_at(usize::from(woven.cut_count) * 4);
        let answer_len = usize::from(woven.answer_len);
        let authority_len = usize::from(woven.authority_len);
        let len = answer_len + authority_len + usize::from(woven.additional_len);
        Self {
            records: &rest[..len],
            counts: woven.counts,
            answer_len,
            authority_len,
            weave: Some(Weave {
                base: usize::from(woven.base),
                glue: woven.glue != 0,
                patches: patches.as_chunks().0,
                cuts: cuts.as_chunks().0,
            }),
        }
    }
}

/// Whether `asked`, lowered, is `stored`. Both have one length.
fn equals_lowered(stored: &[u8], asked: &[u8]) -> bool {
    let (stored_words, stored_rest) = stored.as_chunks::<8>();
    let (asked_words, asked_rest) = asked.as_chunks::<8>();
    let mut differ = 0;
    for (stored, asked) in stored_words.iter().zip(asked_words) {
        differ |= u64::from_le_bytes(*stored) ^ lower(u64::from_le_bytes(*asked));
    }
    differ == 0
        && stored_rest
            .iter()
            .zip(asked_rest)
            .all(|(s, a)| *s == a.to_ascii_lowercase())
}

fn entry_type(entry: &[u8; ENTRY_LEN]) -> u16 {
    u16::from_le_bytes([entry[0], entry[1]])
}

fn entry_len(entry: &[u8; ENTRY_LEN]) -> u16 {
    u16::from_le_bytes([entry[2], entry[3]])
}

fn entry_place(entry: &[u8; ENTRY_LEN]) -> u32 {
    u32_at(entry, 4)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

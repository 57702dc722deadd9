//! A name of a compiled zone: what is special about it, its records, its links.

use super::{BodyRef, NodeRef, u32_at};
use crate::packet::lower;
use crate::simd::{Block, Simd};

/// Bytes of a node before its name.
pub(in crate::zone) const NODE_HEADER_LEN: usize = 8;
/// Bytes of an entry in a node's table.
pub(in crate::zone) const ENTRY_LEN: usize = 8;

/// What is special about a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeFlags(pub(in crate::zone) u8);

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
    /// Some of its answers have signatures: there is a second table.
    pub const SIGNED: Self = Self(64);
    /// Some of its answers depend on where the client is: see `Link::Variants`.
    pub const VARIED: Self = Self(128);

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
    /// From a name to the NSEC3 record of its hash: a place in the denial chain.
    Nsec3 = 5,
    /// From a varied name to its variants: its number among the zone's varied names.
    Variants = 6,
}

/// Set in a node's size, which is a multiple of 8, when it is the owner of an NSEC3 record and of
/// nothing else: no name of the zone (RFC 5155 §7.2.8).
pub(in crate::zone) const HASHED: u32 = 1;

/// How many kinds of links there are.
pub(in crate::zone) const LINK_KINDS: usize = 6;

/// A name of the zone with what it answers.
#[derive(Clone, Copy)]
pub struct Node<'i> {
    image: &'i [u8],
    at: NodeRef,
    name_len: u8,
    flags: NodeFlags,
    entry_count: u16,
}

impl<'i> Node<'i> {
    /// Reads the node at `at`.
    #[inline(always)]
    pub(super) fn at(image: &'i [u8], at: NodeRef) -> Self {
        let [_, _, _, _, name_len, flags, low, high] = image[at.byte()..]
            .first_chunk()
            .copied()
            .unwrap_or_default();
        Self {
            image,
            at,
            name_len,
            flags: NodeFlags(flags),
            entry_count: u16::from_le_bytes([low, high]),
        }
    }

    /// Its place in the image.
    #[inline(always)]
    pub fn place(&self) -> NodeRef {
        self.at
    }

    /// The name, lowered, in wire form.
    #[inline(always)]
    pub fn name(&self) -> &'i [u8] {
        &self.image[self.at.byte() + NODE_HEADER_LEN..][..self.name_len()]
    }

    /// The name with what stands behind it.
    #[inline(always)]
    pub fn name_front(&self) -> &'i [u8] {
        &self.image[self.at.byte() + NODE_HEADER_LEN..]
    }

    /// Bytes of the name.
    #[inline(always)]
    pub fn name_len(&self) -> usize {
        usize::from(self.name_len)
    }

    /// The entries, links first.
    #[inline(always)]
    fn table(&self) -> &'i [[u8; ENTRY_LEN]] {
        self.tables(usize::from(self.entry_count))
    }

    /// As many entries from the first table's first.
    #[inline(always)]
    fn tables(&self, count: usize) -> &'i [[u8; ENTRY_LEN]] {
        let start = (NODE_HEADER_LEN + self.name_len()).next_multiple_of(4);
        let table = &self.image[self.at.byte() + start..][..count * ENTRY_LEN];
        table.as_chunks().0
    }

    /// Whether this is the node of `name`, whatever its case.
    pub fn is_named(&self, name: &[u8]) -> bool {
        self.name_len() == name.len() && equals_lowered(self.name(), name)
    }

    /// Whether this is the node of a lowered name of `len` bytes, with zeroes behind it. Where the
    /// image ends within a block, this is not seen.
    #[inline(always)]
    pub fn is_named_block<S: Simd>(&self, simd: S, lowered: &Block, len: usize) -> bool {
        let stored = self.image.get(self.at.byte() + NODE_HEADER_LEN..);
        let stored = stored.and_then(|stored| stored.first_chunk());
        let is_equal = stored.is_some_and(|stored| simd.is_equal(stored, lowered, len));
        is_equal && self.name_len() == len
    }

    /// What is special about it.
    #[inline(always)]
    pub fn flags(&self) -> NodeFlags {
        self.flags
    }

    /// Whether it is only there to be found by a hash: it is no name of the zone.
    pub fn is_hashed(&self) -> bool {
        u32_at(self.image, self.at.byte()) & HASHED != 0
    }

    /// The answer to a query for `rtype`, when there are such records; `dnssec`: with signatures,
    /// when there are any.
    #[inline(always)]
    pub fn find(&self, rtype: u16, dnssec: bool) -> Option<BodyRef<'i>> {
        // Few names have more than a handful of types, and these are few cache lines.
        let position = self
            .table()
            .iter()
            .position(|entry| entry_type(entry) == rtype && rtype != 0)?;
        Some(self.body(position, dnssec))
    }

    /// The answer that QTYPE ANY gets: one of the RRsets (RFC 8482 §4.1).
    pub fn first(&self, dnssec: bool) -> Option<BodyRef<'i>> {
        let mut types = self.table().iter().map(entry_type);
        let position = types.position(|rtype| rtype != 0)?;
        Some(self.body(position, dnssec))
    }

    /// The body of an entry, or of its twin in the second table, which stands behind the first.
    #[inline(always)]
    fn body(&self, position: usize, dnssec: bool) -> BodyRef<'i> {
        let signed = dnssec && self.flags.any(NodeFlags::SIGNED);
        let count = usize::from(self.entry_count);
        let entry = match signed {
            true => &self.tables(2 * count)[count + position],
            false => &self.table()[position],
        };
        BodyRef::new(self.image, entry_place(entry), entry_len(entry), signed)
    }

    /// The record types that it owns.
    pub fn types(&self) -> impl Iterator<Item = u16> {
        self.table()
            .iter()
            .map(entry_type)
            .filter(|&rtype| rtype != 0)
    }

    fn link_position(&self, link: Link) -> Option<usize> {
        let mut entries = self
            .table()
            .iter()
            .take_while(|entry| entry_type(entry) == 0);
        entries.position(|entry| entry_len(entry) == link as u16)
    }

    fn link(&self, link: Link) -> Option<u32> {
        self.link_position(link)
            .map(|position| entry_place(&self.table()[position]))
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

    /// The referral of a zone cut; `dnssec`: with signatures of the addresses that have them.
    pub fn referral(&self, dnssec: bool) -> Option<BodyRef<'i>> {
        let position = self.link_position(Link::Referral)?;
        Some(self.body(position, dnssec))
    }

    /// The place in the denial chain of the NSEC3 record that matches the name.
    pub fn nsec3(&self) -> Option<u32> {
        self.link(Link::Nsec3)
    }

    /// The number of a varied name among those of its zone.
    pub fn variants(&self) -> Option<u32> {
        self.link(Link::Variants)
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

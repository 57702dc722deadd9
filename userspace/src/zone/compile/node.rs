//! The image under construction: one node behind the other.

use super::CompileError;
use super::body::{BODY_MAX, BodyWriter, OWNER_POINTER};
use crate::packet::checksum::Sum;
use crate::packet::code;
use crate::simd::BLOCK_LEN;
use crate::zone::buffer::{Buffer, LINE};
use crate::zone::image::{
    ENTRY_LEN, HASHED, IMAGE_HEADER_LEN, ImageHeader, LINK_KINDS, Link, NODE_HEADER_LEN, NodeFlags,
    NodeRef, Plain, WOVEN, ZoneImage,
};
use crate::zone::records::Rrset;

/// Where the flags stand in a node.
const FLAGS_AT: usize = 5;

/// Bodies' places count units of this many bytes.
const PLACE_UNIT: usize = 4;

/// An entry of the node that is being written, and its twin in the table with signatures.
struct Entry {
    rtype: u16,
    bare: Value,
    signed: Value,
}

/// What stands in an entry behind its type.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Value {
    len: u16,
    place: Place,
}

/// What an entry points to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Offset among the node's bodies; the place of a woven one gets that bit.
    Body { at: usize, woven: bool },
    /// A node's reference, or another number.
    Number(u32),
}

/// Woven bodies of the current node, not yet in their final place.
#[derive(Clone, Copy)]
pub(super) struct Woven {
    bare: usize,
    signed: usize,
}

/// Writes nodes. Bodies are gathered apart until the size of their node's table is known.
pub(super) struct NodeWriter {
    image: Buffer,
    start: usize,
    flags: NodeFlags,
    is_hashed: bool,
    entries: Vec<Entry>,
    bodies: Vec<u8>,
    negative: Option<Woven>,
    negative_places: [u32; 2],
}

impl NodeWriter {
    /// Begins an image of about `len` bytes.
    pub(super) fn new(len: usize) -> Self {
        let mut image = Buffer::with_capacity(len);
        image.add(IMAGE_HEADER_LEN);
        Self {
            image,
            start: 0,
            flags: NodeFlags::default(),
            is_hashed: false,
            entries: Vec::new(),
            bodies: Vec::new(),
            negative: None,
            negative_places: [0; 2],
        }
    }

    /// Begins a node; the one before has ended.
    pub(super) fn begin(&mut self, name: &[u8], flags: NodeFlags) -> Result<NodeRef, CompileError> {
        self.start = self.image.len();
        self.flags = flags;
        self.is_hashed = false;
        self.entries.clear();
        self.bodies.clear();
        self.image.add(NODE_HEADER_LEN);
        self.image.extend(name);
        let name_len = u8::try_from(name.len());
        self.image[self.start + 4] = name_len.map_err(|_| CompileError::zone("name too long"))?;
        self.image.pad(PLACE_UNIT);
        self.current()
    }

    /// The node that is being written.
    pub(super) fn current(&self) -> Result<NodeRef, CompileError> {
        u32::try_from(self.start / 8)
            .map(NodeRef)
            .map_err(|_| CompileError::zone(TOO_LARGE))
    }

    /// Adds the answer to `rtype` where its data has no names to compress: owner pointers and data.
    /// `signatures` stand behind the records, and only who asks for them gets that far.
    pub(super) fn plain<'r>(
        &mut self,
        rtype: u16,
        rrsets: impl Iterator<Item = Rrset<'r>>,
        signatures: Option<Rrset<'r>>,
    ) -> Result<(), CompileError> {
        let at = self.local();
        let mut header = Plain::default();
        let start = at + size_of::<Plain>();
        self.bodies.resize(start, 0);
        let mut values = [Value {
            len: 0,
            place: Place::Body { at, woven: false },
        }; 2];
        let mut count = 0u16;
        let mut rrsets = rrsets;
        for (form, value) in values.iter_mut().enumerate() {
            let added = match form {
                0 => self.plain_records(&mut rrsets),
                _ => self.plain_records(&mut signatures.into_iter()),
            };
            let len = self.bodies.len() - start;
            let too_large = || CompileError::too_large(rtype);
            count = added
                .and_then(|added| count.checked_add(added))
                .ok_or_else(too_large)?;
            value.len = u16::try_from(len)
                .ok()
                .filter(|_| len <= BODY_MAX)
                .ok_or_else(too_large)?;
            header.counts[form] = count;
            header.sums[form] = Sum::default().bytes(&self.bodies[start..]).folded();
        }
        self.bodies[at..start].copy_from_slice(bytemuck::bytes_of(&header));
        let [bare, signed] = values;
        self.entries.push(Entry {
            rtype,
            bare,
            signed,
        });
        Ok(())
    }

    /// Writes records owned by the question's name; `None` when their data is too long. Returns how
    /// many there were.
    fn plain_records<'r>(&mut self, rrsets: &mut impl Iterator<Item = Rrset<'r>>) -> Option<u16> {
        let mut count = 0usize;
        for rrset in rrsets {
            count += rrset.len();
            for rdata in rrset.records() {
                self.bodies.extend(OWNER_POINTER);
                self.bodies.extend(rrset.rtype().to_be_bytes());
                self.bodies.extend(code::CLASS_IN.to_be_bytes());
                self.bodies.extend(rrset.ttl().to_be_bytes());
                self.bodies
                    .extend(u16::try_from(rdata.len()).ok()?.to_be_bytes());
                self.bodies.extend_from_slice(rdata);
            }
        }
        u16::try_from(count).ok()
    }

    /// Adds what the body writer has written.
    pub(super) fn woven(&mut self, body: &mut BodyWriter) -> Woven {
        let at = self.local();
        body.finish(&mut self.bodies);
        Woven {
            bare: at,
            signed: at,
        }
    }

    /// Adds what the body writer has written as the form with signatures of `bare`, the last one
    /// written; where there were none both are one.
    pub(super) fn woven_signed(&mut self, bare: Woven, body: &mut BodyWriter) -> Woven {
        let bare_end = self.bodies.len();
        let at = self.local();
        body.finish(&mut self.bodies);
        if self.bodies[bare.bare..bare_end] == self.bodies[at..] {
            self.bodies.truncate(bare_end);
            return bare;
        }
        Woven { signed: at, ..bare }
    }

    /// Woven bodies answer queries for `rtype`.
    pub(super) fn answer(&mut self, rtype: u16, body: Woven) {
        self.entries.push(Entry::woven(rtype, 0, body));
    }

    /// Woven bodies are the zone's negative answer.
    pub(super) fn negative(&mut self, body: Woven) {
        self.negative = Some(body);
    }

    /// Woven bodies are the referral of this zone cut.
    pub(super) fn link_referral(&mut self, body: Woven) {
        self.entries
            .push(Entry::woven(0, Link::Referral as u16, body));
    }

    /// The node lies below a zone cut.
    pub(super) fn link_cut(&mut self, cut: NodeRef) {
        self.link(Link::Cut, Place::Number(cut.0));
    }

    /// The node has children, of which one may be a wildcard.
    pub(super) fn reserve_wildcard(&mut self) {
        self.link(Link::Wildcard, Place::Number(0));
    }

    /// The NSEC3 record at this place of the chain matches the node's name.
    pub(super) fn link_nsec3(&mut self, place: u32) {
        self.link(Link::Nsec3, Place::Number(place));
    }

    /// The node is only there to be found by a hash.
    pub(super) fn mark_hashed(&mut self) {
        self.is_hashed = true;
    }

    /// The node is varied, with this number among the zone's.
    pub(super) fn link_variants(&mut self, number: u32) {
        self.flags = self.flags.with(NodeFlags::VARIED);
        self.link(Link::Variants, Place::Number(number));
    }

    /// A CNAME or DNAME leads to `target`.
    pub(super) fn link_target(&mut self, target: &[u8], shared: u8) -> Result<(), CompileError> {
        let at = self.local();
        let len = u8::try_from(target.len()).map_err(|_| CompileError::zone("name too long"))?;
        self.bodies.extend([len, shared]);
        self.bodies.extend_from_slice(target);
        self.link(Link::Target, Place::Body { at, woven: false });
        Ok(())
    }

    fn link(&mut self, link: Link, place: Place) {
        let value = Value {
            len: link as u16,
            place,
        };
        self.entries.push(Entry {
            rtype: 0,
            bare: value,
            signed: value,
        });
    }

    /// Where the next body begins among the node's.
    fn local(&mut self) -> usize {
        pad(&mut self.bodies, PLACE_UNIT);
        self.bodies.len()
    }

    /// Ends the node: header, tables and bodies find their places.
    pub(super) fn end(&mut self) -> Result<(), CompileError> {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_by_key(|entry| match entry.rtype {
            0 => (0, entry.bare.len),
            rtype => (rtype, 0),
        });
        let tables: &[fn(&Entry) -> Value] =
            if entries.iter().any(|entry| entry.bare != entry.signed) {
                self.flags = self.flags.with(NodeFlags::SIGNED);
                &[|entry| entry.bare, |entry| entry.signed]
            } else {
                &[|entry| entry.bare]
            };
        let bodies_at = self.image.len() + tables.len() * entries.len() * ENTRY_LEN;
        for table in tables {
            for entry in &entries {
                let value = table(entry);
                let place = match value.place {
                    Place::Number(number) => number,
                    Place::Body { at, woven } => place(bodies_at + at, woven)?,
                };
                self.image.extend(entry.rtype.to_le_bytes());
                self.image.extend(value.len.to_le_bytes());
                self.image.extend(place.to_le_bytes());
            }
        }
        if let Some(Woven { bare, signed }) = self.negative.take() {
            self.negative_places = [
                place(bodies_at + bare, true)?,
                place(bodies_at + signed, true)?,
            ];
        }
        let entry_count = u16::try_from(entries.len())
            .map_err(|_| CompileError::zone("a name has more types than there are"))?;
        self.entries = entries;
        self.image.extend(&self.bodies);
        self.image.pad(8);
        let size = u32::try_from(self.image.len() - self.start)
            .map_err(|_| CompileError::zone("the records of a name take more than 4 GiB"))?;
        let size = if self.is_hashed { size | HASHED } else { size };
        let header = &mut self.image[self.start..][..NODE_HEADER_LEN];
        header[..4].copy_from_slice(&size.to_le_bytes());
        header[FLAGS_AT] = self.flags.0;
        header[6..].copy_from_slice(&entry_count.to_le_bytes());
        Ok(())
    }

    /// An ended node's wildcard child is found: its reserved link gets its value.
    pub(super) fn set_wildcard(&mut self, parent: NodeRef, wildcard: NodeRef) {
        let node = &mut self.image[parent.byte()..];
        let table = (NODE_HEADER_LEN + usize::from(node[4])).next_multiple_of(PLACE_UNIT);
        let wanted = (Link::Wildcard as u16).to_le_bytes();
        let entries = node[table..].chunks_exact_mut(ENTRY_LEN);
        // The parent has children, so the link was reserved.
        if let Some(entry) = entries
            .take(LINK_KINDS)
            .find(|entry| entry[..2] == [0; 2] && entry[2..4] == wanted)
        {
            entry[4..].copy_from_slice(&wildcard.0.to_le_bytes());
            node[FLAGS_AT] |= NodeFlags::WILDCARD_PARENT.0;
        }
    }

    /// The finished image, with the denial chain behind its nodes.
    pub(super) fn finish(mut self, mut header: ImageHeader, chain: &[u8]) -> ZoneImage {
        [header.negative, header.negative_signed] = self.negative_places;
        header.nodes_end = self.image.len() as u64;
        self.image.extend(chain);
        // Blocks are read whole, even at the end.
        self.image.extend([0; BLOCK_LEN]);
        self.image.pad(LINE);
        header.len = self.image.len() as u64;
        self.image[..IMAGE_HEADER_LEN].copy_from_slice(bytemuck::bytes_of(&header));
        ZoneImage::new(self.image.freeze())
    }
}

impl Entry {
    /// An entry that points to woven bodies.
    fn woven(rtype: u16, len: u16, body: Woven) -> Self {
        let value = |at| Value {
            len,
            place: Place::Body { at, woven: true },
        };
        Self {
            rtype,
            bare: value(body.bare),
            signed: value(body.signed),
        }
    }
}

const TOO_LARGE: &str = "the zone takes more memory than an image can address";

/// A body's place.
fn place(at: usize, woven: bool) -> Result<u32, CompileError> {
    match u32::try_from(at / PLACE_UNIT) {
        Ok(place) if place < WOVEN => Ok(if woven { place | WOVEN } else { place }),
        _ => Err(CompileError::zone(TOO_LARGE)),
    }
}

/// Fills up to a multiple of `unit` bytes.
fn pad(bytes: &mut Vec<u8>, unit: usize) {
    bytes.resize(bytes.len().next_multiple_of(unit), 0);
}

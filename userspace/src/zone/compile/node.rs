//! The image under construction: one node behind the other.

use super::CompileError;
use super::body::{BODY_MAX, BodyWriter, OWNER_POINTER};
use crate::packet::code;
use crate::zone::image::{
    CacheLine, ENTRY_LEN, IMAGE_HEADER_LEN, ImageHeader, Link, NODE_HEADER_LEN, NodeFlags, NodeRef,
    WOVEN, ZoneImage,
};
use crate::zone::records::Rrset;

/// Where the flags stand in a node.
const FLAGS_AT: usize = 5;

/// Bodies' places count units of this many bytes.
const PLACE_UNIT: usize = 4;

/// An entry of the node that is being written.
struct Entry {
    rtype: u16,
    len: u16,
    place: Place,
}

/// What an entry points to.
#[derive(Clone, Copy)]
enum Place {
    /// Offset among the node's bodies; the place of a woven one gets that bit.
    Body { at: usize, woven: bool },
    /// A node's reference.
    Node(u32),
}

/// A body of the current node, not yet in its final place.
#[derive(Clone, Copy)]
pub(super) struct LocalBody(usize);

/// Writes nodes. Bodies are gathered apart until the size of their node's table is known.
pub(super) struct NodeWriter {
    image: Vec<u8>,
    start: usize,
    flags: NodeFlags,
    entries: Vec<Entry>,
    bodies: Vec<u8>,
    negative: Option<LocalBody>,
    negative_place: u32,
}

impl NodeWriter {
    /// Begins an image for about `record_count` records.
    pub(super) fn new(record_count: usize) -> Self {
        let mut image = Vec::with_capacity(IMAGE_HEADER_LEN + record_count * 64);
        image.resize(IMAGE_HEADER_LEN, 0);
        Self {
            image,
            start: 0,
            flags: NodeFlags::default(),
            entries: Vec::new(),
            bodies: Vec::new(),
            negative: None,
            negative_place: 0,
        }
    }

    /// Begins a node; the one before has ended.
    pub(super) fn begin(&mut self, name: &[u8], flags: NodeFlags) -> Result<NodeRef, CompileError> {
        self.start = self.image.len();
        self.flags = flags;
        self.entries.clear();
        self.bodies.clear();
        self.image.extend([0; NODE_HEADER_LEN]);
        self.image.extend_from_slice(name);
        let name_len = u8::try_from(name.len());
        self.image[self.start + 4] = name_len.map_err(|_| CompileError::zone("name too long"))?;
        pad(&mut self.image, PLACE_UNIT);
        self.current()
    }

    /// The node that is being written.
    pub(super) fn current(&self) -> Result<NodeRef, CompileError> {
        u32::try_from(self.start / 8)
            .map(NodeRef)
            .map_err(|_| CompileError::zone(TOO_LARGE))
    }

    /// Adds the answer to `rtype` where its data has no names to compress: owner pointers and data.
    pub(super) fn plain<'r>(
        &mut self,
        rtype: u16,
        rrsets: impl Iterator<Item = Rrset<'r>>,
    ) -> Result<(), CompileError> {
        let too_large = |_| CompileError::too_large(rtype);
        let at = self.local();
        self.bodies.extend([0, 0]);
        let mut count = 0u16;
        for rrset in rrsets {
            count = u16::try_from(usize::from(count) + rrset.len()).map_err(too_large)?;
            for rdata in rrset.records() {
                self.bodies.extend(OWNER_POINTER);
                self.bodies.extend(rtype.to_be_bytes());
                self.bodies.extend(code::CLASS_IN.to_be_bytes());
                self.bodies.extend(rrset.ttl().to_be_bytes());
                let len = u16::try_from(rdata.len()).map_err(too_large)?;
                self.bodies.extend(len.to_be_bytes());
                self.bodies.extend_from_slice(rdata);
            }
        }
        self.bodies[at..at + 2].copy_from_slice(&count.to_le_bytes());
        let len = self.bodies.len() - at - 2;
        if len > BODY_MAX {
            return Err(CompileError::too_large(rtype));
        }
        let len = u16::try_from(len).map_err(too_large)?;
        let place = Place::Body { at, woven: false };
        self.entries.push(Entry { rtype, len, place });
        Ok(())
    }

    /// Adds what the body writer has written.
    pub(super) fn woven(&mut self, body: &mut BodyWriter) -> LocalBody {
        let at = self.local();
        body.finish(&mut self.bodies);
        LocalBody(at)
    }

    /// A woven body answers queries for `rtype`.
    pub(super) fn answer(&mut self, rtype: u16, body: LocalBody) {
        let place = Place::Body {
            at: body.0,
            woven: true,
        };
        self.entries.push(Entry {
            rtype,
            len: 0,
            place,
        });
    }

    /// A woven body is the zone's negative answer.
    pub(super) fn negative(&mut self, body: LocalBody) {
        self.negative = Some(body);
    }

    /// A woven body is the referral of this zone cut.
    pub(super) fn link_referral(&mut self, body: LocalBody) {
        self.link(
            Link::Referral,
            Place::Body {
                at: body.0,
                woven: true,
            },
        );
    }

    /// The node lies below a zone cut.
    pub(super) fn link_cut(&mut self, cut: NodeRef) {
        self.link(Link::Cut, Place::Node(cut.0));
    }

    /// The node has children, of which one may be a wildcard.
    pub(super) fn reserve_wildcard(&mut self) {
        self.link(Link::Wildcard, Place::Node(0));
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
        self.entries.push(Entry {
            rtype: 0,
            len: link as u16,
            place,
        });
    }

    /// Where the next body begins among the node's.
    fn local(&mut self) -> usize {
        pad(&mut self.bodies, PLACE_UNIT);
        self.bodies.len()
    }

    /// Ends the node: header, table and bodies find their places.
    pub(super) fn end(&mut self) -> Result<(), CompileError> {
        let bodies_at = self.image.len() + self.entries.len() * ENTRY_LEN;
        self.entries
            .sort_by_key(|entry| (entry.rtype, if entry.rtype == 0 { entry.len } else { 0 }));
        for entry in &self.entries {
            let place = match entry.place {
                Place::Node(node) => node,
                Place::Body { at, woven } => place(bodies_at + at, woven)?,
            };
            self.image.extend(entry.rtype.to_le_bytes());
            self.image.extend(entry.len.to_le_bytes());
            self.image.extend(place.to_le_bytes());
        }
        if let Some(LocalBody(at)) = self.negative.take() {
            self.negative_place = place(bodies_at + at, true)?;
        }
        self.image.extend_from_slice(&self.bodies);
        pad(&mut self.image, 8);
        let entry_count = u16::try_from(self.entries.len())
            .map_err(|_| CompileError::zone("a name has more types than there are"))?;
        let size = u32::try_from(self.image.len() - self.start)
            .map_err(|_| CompileError::zone("the records of a name take more than 4 GiB"))?;
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
            .take(4)
            .find(|entry| entry[..2] == [0; 2] && entry[2..4] == wanted)
        {
            entry[4..].copy_from_slice(&wildcard.0.to_le_bytes());
            node[FLAGS_AT] |= NodeFlags::WILDCARD_PARENT.0;
        }
    }

    /// The finished image.
    pub(super) fn finish(mut self, mut header: ImageHeader) -> ZoneImage {
        header.negative = self.negative_place;
        header.nodes_end = self.image.len() as u64;
        pad(&mut self.image, size_of::<CacheLine>());
        header.len = self.image.len() as u64;
        self.image[..IMAGE_HEADER_LEN].copy_from_slice(bytemuck::bytes_of(&header));
        let lines = self.image.chunks_exact(size_of::<CacheLine>());
        ZoneImage::new(lines.map(bytemuck::pod_read_unaligned).collect())
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

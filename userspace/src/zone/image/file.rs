//! An image as a file: what stands behind it, so that it can be served at once.

use super::{NodeRef, ZoneImage};
use crate::packet::NameKey;
use crate::zone::buffer::LINE;
use bytemuck::{Pod, Zeroable};
use std::io::{self, Write};
use twox_hash::XxHash3_64;

/// Bytes of the trailer.
pub(super) const TRAILER_LEN: usize = size_of::<Trailer>();
/// First bytes of the trailer; the version is the image's.
pub(super) const TRAILER_MAGIC: [u8; 8] = *b"rippling";

/// A file has about so many places to begin with a node.
const RESTARTS: usize = 32;
/// Nodes that take less than this are not worth a thread each.
const RESTART_BYTES: usize = 256 << 10;

/// The last bytes of a file.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Trailer {
    pub(super) magic: [u8; 8],
    /// What the names' hashes are made with: secret, as the file is.
    pub(super) key: [u64; 3],
    pub(super) name_count: u32,
    pub(super) restart_count: u32,
    pub(super) nested_len: u32,
    pub(super) reserved: u32,
    pub(super) file_len: u64,
    /// XXH3 of all bytes before it.
    pub(super) checksum: u64,
}

/// What stands behind an image in a file.
#[derive(Clone, Copy)]
pub struct Saved<'i> {
    pub(super) trailer: Trailer,
    pub(super) hashes: &'i [[u8; 8]],
    pub(super) nodes: &'i [[u8; 4]],
    pub(super) restarts: &'i [[u8; 4]],
    nested: &'i [u8],
}

impl<'i> Saved<'i> {
    /// Takes apart what stands behind an image; `None` where its parts do not fit.
    pub(super) fn of(behind: &'i [u8]) -> Option<Self> {
        let (rest, trailer) = behind.split_last_chunk::<TRAILER_LEN>()?;
        let trailer: Trailer = bytemuck::pod_read_unaligned(trailer);
        let names = trailer.name_count as usize;
        let (hashes, rest) = rest.split_at_checked(names.checked_mul(8)?)?;
        let (nodes, rest) = rest.split_at_checked(names.checked_mul(4)?)?;
        let restarts = (trailer.restart_count as usize).checked_mul(4)?;
        let (restarts, rest) = rest.split_at_checked(restarts)?;
        let (nested, pad) = rest.split_at_checked(trailer.nested_len as usize)?;
        (pad.len() < LINE).then_some(Self {
            trailer,
            hashes: hashes.as_chunks().0,
            nodes: nodes.as_chunks().0,
            restarts: restarts.as_chunks().0,
            nested,
        })
    }

    /// What the key of the hashes is made from.
    pub fn key(&self) -> [u64; 3] {
        self.trailer.key
    }

    /// The names with their hashes, in the order of these.
    pub fn names(&self) -> impl Iterator<Item = (u64, NodeRef)> + use<'i> {
        let nodes = self.nodes.iter();
        let nodes = nodes.map(|node| NodeRef(u32::from_le_bytes(*node)));
        let hashes = self.hashes.iter();
        hashes.map(|hash| u64::from_le_bytes(*hash)).zip(nodes)
    }

    /// The apexes of the zones below that the image is to be served beside, in canonical order.
    pub fn nested(&self) -> impl Iterator<Item = &'i [u8]> + use<'i> {
        let mut rest = self.nested;
        std::iter::from_fn(move || {
            let (name, behind) = rest.split_at(crate::name::wire_len(rest)?);
            rest = behind;
            Some(name)
        })
    }

    /// Bytes of those names.
    pub(super) fn nested_bytes(&self) -> &'i [u8] {
        self.nested
    }
}

/// Writes an image and what makes a file of it: names hashed under the key that `seed` makes, and
/// the apexes of the zones below that it was compiled beside. Returns how many bytes.
pub fn write(
    image: &ZoneImage,
    seed: [u64; 3],
    nested: &[&[u8]],
    into: impl Write,
) -> io::Result<u64> {
    let key = NameKey::new(seed);
    let mut names: Vec<(u64, u32)> = image
        .nodes()
        .filter(|(_, node)| !node.is_hashed())
        .map(|(at, node)| (key.hash(node.name()), at.0))
        .collect();
    names.sort_unstable();
    let (restarts, nested) = (restarts(image), nested.concat());
    let count = |len: usize| u32::try_from(len).map_err(io::Error::other);
    let mut out = Sealer {
        into,
        hash: XxHash3_64::new(),
        len: 0,
    };
    out.put(image.image_bytes())?;
    for (hash, _) in &names {
        out.put(&hash.to_le_bytes())?;
    }
    for (_, node) in &names {
        out.put(&node.to_le_bytes())?;
    }
    for restart in &restarts {
        out.put(&restart.to_le_bytes())?;
    }
    out.put(&nested)?;
    let len = usize::try_from(out.len).map_err(io::Error::other)?;
    out.put(&[0; LINE][..len.next_multiple_of(LINE) - len])?;
    let trailer = Trailer {
        magic: TRAILER_MAGIC,
        key: seed,
        name_count: count(names.len())?,
        restart_count: count(restarts.len())?,
        nested_len: count(nested.len())?,
        reserved: 0,
        file_len: out.len + TRAILER_LEN as u64,
        checksum: 0,
    };
    out.seal(&trailer)
}

/// Nodes at which somebody else may begin to validate: children of the apex.
fn restarts(image: &ZoneImage) -> Vec<u32> {
    let every = (image.image_bytes().len() / RESTARTS).max(RESTART_BYTES);
    let (mut restarts, mut next) = (Vec::new(), every);
    for (at, node) in image.nodes() {
        let name = node.name();
        if at.byte() >= next && name.len() == image.apex_len() + 1 + usize::from(name[0]) {
            restarts.push(at.0);
            next = at.byte() + every;
        }
    }
    restarts
}

/// Sums up what is written.
struct Sealer<W> {
    into: W,
    hash: XxHash3_64,
    len: u64,
}

impl<W: Write> Sealer<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        std::hash::Hasher::write(&mut self.hash, bytes);
        self.len += bytes.len() as u64;
        self.into.write_all(bytes)
    }

    fn seal(mut self, trailer: &Trailer) -> io::Result<u64> {
        let bytes = bytemuck::bytes_of(trailer);
        self.put(&bytes[..TRAILER_LEN - 8])?;
        let checksum = std::hash::Hasher::finish(&self.hash);
        self.into.write_all(&checksum.to_le_bytes())?;
        self.into.flush()?;
        Ok(self.len + 8)
    }
}

/// The checksum that a file should end with.
pub(super) fn checksum(file: &[u8]) -> u64 {
    XxHash3_64::oneshot(&file[..file.len().saturating_sub(8)])
}

/// Sets a file's checksum right, for tests of what it does not see.
pub fn seal(file: &mut [u8]) {
    let checksum = checksum(file);
    if let Some(place) = file.last_chunk_mut() {
        *place = checksum.to_le_bytes();
    }
}

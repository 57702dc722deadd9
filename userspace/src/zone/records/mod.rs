//! The records of one zone, sorted in canonical order (RFC 4034 §6), packed without an allocation
//! per record.
//!
//! Every owner has one block, all blocks stand in one buffer in the order in which they were read,
//! each at a multiple of 4:
//!
//! ```text
//! length of the name, its labels below the zone's origin (small letters, no root label)
//! number of RRsets (16 bits), and for each of them
//!     type (16), TTL (32), number of records (16), and for each of them
//!         length (16), data (uncompressed, case as written)
//! ```
//!
//! The numbers have the machine's byte order. RRSIGs form one RRset for each type that they cover,
//! because each of these has a TTL of its own (RFC 4034 §3).

mod builder;
mod lines;
mod members;
mod order;

use std::fs::File;
use std::io;
use std::path::Path;

pub(crate) use builder::{ANSWER_LEN_MAX, Builder, Full};
pub(crate) use lines::Lines;
pub(crate) use members::{EVERYBODY, Kept, Members};

use super::buffer::Buffer;
use super::error::{Place, ZoneProblem};
use super::progress::{Effort, Progress};
use super::variants::Blocks;
use super::{master, rtype};
use crate::name::{self, NameBuf};
use crate::prefetch::prefetch_lines;

/// Blocks begin at multiples of so many octets, so that 32 bits find them in 16 GiB.
const BLOCK_ALIGN: usize = 4;

/// So many owners ahead the memory is asked for.
const OWNERS_AHEAD: usize = 16;

/// The records of one zone, sorted.
#[derive(Debug)]
pub struct ZoneRecords {
    origin: Box<[u8]>,
    blocks: Buffer,
    /// Where each owner's block begins, in units of [`BLOCK_ALIGN`]; in canonical order.
    owners: Vec<u32>,
    record_count: usize,
    /// The line of each record, in the order of the owners; empty once forgotten.
    record_lines: Vec<u32>,
    lines: Lines,
    /// What depends on where the client is.
    variants: Option<Box<Blocks>>,
}

impl ZoneRecords {
    /// A zone without any records.
    pub(crate) fn none(origin: &[u8]) -> Self {
        Self {
            origin: origin.into(),
            blocks: Buffer::with_capacity(0),
            owners: Vec::new(),
            record_count: 0,
            record_lines: Vec::new(),
            lines: Lines::new(""),
            variants: None,
        }
    }

    /// Reads a master file and what it includes; `origin` is the zone's name in wire form.
    ///
    /// Warnings come with the records; if there is an error all problems come instead of them.
    pub fn read(path: &Path, origin: &[u8]) -> Result<(Self, Vec<ZoneProblem>), Vec<ZoneProblem>> {
        let progress = &Progress::none();
        let threads = 1;
        Self::read_by(File::open(path), path, origin, Effort { threads, progress })
    }

    /// The same of a file that was opened, on several threads if it is large; the outcome is the
    /// same too.
    pub fn read_by(
        opened: io::Result<File>,
        path: &Path,
        origin: &[u8],
        effort: Effort<'_>,
    ) -> Result<(Self, Vec<ZoneProblem>), Vec<ZoneProblem>> {
        master::read_file(opened, path, origin, effort)
    }

    /// Reads a master file from memory; `file_name` is what problems call it, and what `$INCLUDE`
    /// is relative to.
    pub fn parse(
        text: &[u8],
        file_name: &str,
        origin: &[u8],
    ) -> Result<(Self, Vec<ZoneProblem>), Vec<ZoneProblem>> {
        master::read_text(text, file_name, origin)
    }

    /// The zone's name, in wire form with small letters.
    pub fn origin(&self) -> &[u8] {
        &self.origin
    }

    /// All owners in canonical order; the apex comes first if it has records.
    pub fn owners(&self) -> impl ExactSizeIterator<Item = Owner<'_>> + Clone {
        (0..self.owners.len()).map(|index| {
            // They may stand anywhere: a zone that is sorted is not moved.
            if let Some(at) = self.owners.get(index + OWNERS_AHEAD) {
                prefetch_lines(&self.blocks, *at as usize * BLOCK_ALIGN, 1);
            }
            self.owner(index)
        })
    }

    /// The owner at a place in canonical order.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`owner_count`](Self::owner_count).
    pub fn owner(&self, index: usize) -> Owner<'_> {
        self.owner_at(self.owners[index])
    }

    /// The owner whose block is at a place.
    fn owner_at(&self, block: u32) -> Owner<'_> {
        let start = block as usize * BLOCK_ALIGN;
        Owner::parse(&self.origin, &self.blocks[start..])
    }

    /// Puts the blocks of `other` behind its own. Returns what their places begin at.
    fn append_blocks(&mut self, other: &Self) -> Result<u32, Full> {
        self.blocks.pad(BLOCK_ALIGN);
        let base = u32::try_from(self.blocks.len() / BLOCK_ALIGN).map_err(|_| Full)?;
        self.blocks.extend(&*other.blocks);
        u32::try_from(self.blocks.len() / BLOCK_ALIGN).map_err(|_| Full)?;
        Ok(base)
    }

    /// Finds an owner by its full name with small letters, in as many steps as the number of owners
    /// has bits.
    pub fn find(&self, name: &[u8]) -> Option<Owner<'_>> {
        self.position(name).ok().map(|index| self.owner(index))
    }

    /// The place of an owner in canonical order, or as `Err` the place where it would be; a name
    /// outside of the zone would be at the end.
    pub fn position(&self, name: &[u8]) -> Result<usize, usize> {
        let end = self.owners.len();
        self.position_of(name::strip_ancestor(name, &self.origin).ok_or(end)?)
    }

    /// What [`position`](Self::position) gives, for the labels below the zone's origin.
    pub(crate) fn position_of(&self, labels: &[u8]) -> Result<usize, usize> {
        let place =
            |block: &u32| name::canonical_cmp_lowercase(self.owner_at(*block).relative, labels);
        self.owners.binary_search_by(place)
    }

    /// How many records there are.
    pub fn record_count(&self) -> usize {
        self.record_count
    }

    /// How many names have records.
    pub fn owner_count(&self) -> usize {
        self.owners.len()
    }

    /// The lines of its files, taken for whoever goes on reading them.
    pub(crate) fn into_lines(self) -> Lines {
        self.lines
    }

    /// What depends on where the client is.
    pub(crate) fn variants(&self) -> Option<&Blocks> {
        self.variants.as_deref()
    }

    /// Says what depends on where the client is.
    pub(crate) fn set_variants(&mut self, variants: Blocks) {
        self.variants = Some(Box::new(variants));
    }

    /// How many octets names and data have, numbers included.
    pub(crate) fn data_len(&self) -> usize {
        self.blocks.len()
    }

    /// How many octets of memory the records take.
    pub fn memory_size(&self) -> usize {
        let index = size_of::<u32>() * (self.owners.capacity() + self.record_lines.capacity());
        self.blocks.capacity() + index
    }

    /// The files that were read, the zone's own first.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.lines.files()
    }

    /// Gives the memory back that holds the lines of records: they are for problems, and served
    /// zones have none.
    pub fn forget_lines(&mut self) {
        self.record_lines = Vec::new();
        if let Some(variants) = &mut self.variants {
            variants.forget_lines();
        }
    }

    /// All owners, each with the lines of its records in their order; empty if they were forgotten.
    pub(crate) fn owners_with_lines(&self) -> impl Iterator<Item = (Owner<'_>, &[u32])> {
        let mut rest = &self.record_lines[..];
        self.owners().map(move |owner| {
            let count = owner.rrsets().map(|rrset| rrset.len()).sum::<usize>();
            let (lines, others) = rest.split_at_checked(count).unwrap_or_default();
            rest = others;
            (owner, lines)
        })
    }

    /// Where a line is that [`owners_with_lines`](Self::owners_with_lines) gave; without one, the
    /// whole zone.
    pub(crate) fn place(&self, line: Option<u32>) -> Place {
        match line {
            Some(line) => self.lines.place(line, 1),
            None => self.lines.whole(),
        }
    }
}

/// A name and its records.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    origin: &'a [u8],
    relative: &'a [u8],
    rrset_count: u16,
    rrsets: &'a [u8],
}

impl<'a> Owner<'a> {
    /// Reads the head of the block that `octets` begin with.
    fn parse(origin: &'a [u8], octets: &'a [u8]) -> Self {
        let (relative, rest) = octets[1..].split_at(usize::from(octets[0]));
        let mut rest = Octets(rest);
        Self {
            origin,
            relative,
            rrset_count: rest.take_u16(),
            rrsets: rest.0,
        }
    }

    /// The full name in wire form with small letters.
    pub fn name(&self) -> NameBuf {
        let mut name = NameBuf::new();
        // The reader saw to it that both together are no longer than a name may be.
        let _ = name
            .push_wire(self.relative)
            .and_then(|()| name.push_wire(self.origin));
        name
    }

    /// The labels below the zone's origin in wire form, without a root label: none for the apex.
    pub fn relative_name(&self) -> &'a [u8] {
        self.relative
    }

    /// Says whether this is the zone's origin.
    pub fn is_apex(&self) -> bool {
        self.relative.is_empty()
    }

    /// The RRsets, by type; RRSIGs by the type that they cover.
    pub fn rrsets(&self) -> Rrsets<'a> {
        Rrsets {
            rest: Octets(self.rrsets),
            left: self.rrset_count,
        }
    }

    /// The RRset of a type; of RRSIG, the first one.
    pub fn rrset(&self, rtype: u16) -> Option<Rrset<'a>> {
        self.rrsets()
            .find(|rrset| rrset.rtype >= rtype)
            .filter(|rrset| rrset.rtype == rtype)
    }
}

/// The RRsets of an owner.
#[derive(Clone, Debug)]
pub struct Rrsets<'a> {
    rest: Octets<'a>,
    left: u16,
}

impl<'a> Iterator for Rrsets<'a> {
    type Item = Rrset<'a>;

    fn next(&mut self) -> Option<Rrset<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (rtype, ttl) = (self.rest.take_u16(), self.rest.take_u32());
        let record_count = self.rest.take_u16();
        let records = self.rest.0;
        for _ in 0..record_count {
            self.rest.take_rdata();
        }
        Some(Rrset {
            rtype,
            ttl,
            record_count,
            records,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

impl ExactSizeIterator for Rrsets<'_> {}

/// Records of one name and type.
#[derive(Clone, Copy, Debug)]
pub struct Rrset<'a> {
    rtype: u16,
    ttl: u32,
    record_count: u16,
    records: &'a [u8],
}

impl<'a> Rrset<'a> {
    /// The type.
    pub fn rtype(&self) -> u16 {
        self.rtype
    }

    /// The type that the signatures cover, if these are RRSIGs.
    pub fn covered(&self) -> Option<u16> {
        let rdata = self.records().next()?;
        covered_type(self.rtype, rdata)
    }

    /// The time to live in seconds.
    pub fn ttl(&self) -> u32 {
        self.ttl
    }

    /// How many records there are: one at least.
    #[expect(clippy::len_without_is_empty, reason = "an RRset is never empty")]
    pub fn len(&self) -> usize {
        usize::from(self.record_count)
    }

    /// The data of the records, uncompressed, in canonical order.
    pub fn records(&self) -> Records<'a> {
        Records {
            rest: Octets(self.records),
            left: self.record_count,
        }
    }
}

/// The data of an RRset's records.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: Octets<'a>,
    left: u16,
}

impl<'a> Iterator for Records<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        Some(self.rest.take_rdata())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

impl ExactSizeIterator for Records<'_> {}

/// The type that a signature covers: the first 16 bits of its data.
fn covered_type(rtype: u16, rdata: &[u8]) -> Option<u16> {
    match rdata {
        [high, low, ..] if rtype == rtype::RRSIG => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

/// Compares what RRsets are told apart by: the type, of RRSIGs also the type covered.
fn rrset_key(rtype: u16, rdata: &[u8]) -> (u16, Option<u16>) {
    (rtype, covered_type(rtype, rdata))
}

/// The rest of a block. What is taken was put there by the builder.
#[derive(Clone, Copy, Debug)]
struct Octets<'a>(&'a [u8]);

impl<'a> Octets<'a> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self
            .0
            .split_first_chunk()
            .map_or(([0; N], &[][..]), |(h, r)| (*h, r));
        self.0 = rest;
        head
    }

    fn take_u16(&mut self) -> u16 {
        u16::from_ne_bytes(self.take())
    }

    fn take_u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.take())
    }

    fn take_rdata(&mut self) -> &'a [u8] {
        let len = usize::from(self.take_u16());
        let (rdata, rest) = self.0.split_at(len);
        self.0 = rest;
        rdata
    }
}

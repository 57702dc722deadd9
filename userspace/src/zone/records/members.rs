//! Names of which a zone has several, each with the number of the block that it belongs to.

use super::{Owner, ZoneRecords};
use crate::name;

/// The block of what everybody gets who has no variant.
pub(crate) const EVERYBODY: u32 = 0;

/// Owners packed as in [`ZoneRecords`], but any number of them may have one name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    origin: Box<[u8]>,
    octets: Vec<u8>,
    list: Vec<Member>,
    lines: Vec<u32>,
}

/// An owner within a block.
#[derive(Clone, Copy, Debug)]
struct Member {
    block: u32,
    /// Where it begins among the octets, and its records' lines among the lines.
    at: usize,
    lines_at: usize,
}

impl Members {
    /// None yet, of the zone at `origin`.
    pub(crate) fn new(origin: &[u8]) -> Self {
        Self {
            origin: origin.into(),
            ..Self::default()
        }
    }

    /// Adds all owners of a block that was read.
    pub(crate) fn add_all(&mut self, block: u32, records: &ZoneRecords) {
        for (owner, lines) in records.owners_with_lines() {
            self.add(block, &owner, lines, |_, _| true);
        }
    }

    /// Adds an owner with those of its records that `keeps` wants, told type and data: of RRSIG,
    /// the type covered. Without any it is not added.
    pub(crate) fn add(
        &mut self,
        block: u32,
        owner: &Owner<'_>,
        lines: &[u32],
        keeps: impl Fn(u16, &[u8]) -> bool,
    ) {
        let (at, lines_at) = (self.octets.len(), self.lines.len());
        if pack(owner, keeps, &mut self.octets) == 0 {
            self.octets.truncate(at);
            return;
        }
        self.lines.extend_from_slice(lines);
        self.list.push(Member {
            block,
            at,
            lines_at,
        });
    }

    /// Brings them into canonical order, those of one name by their blocks.
    pub(crate) fn sort(&mut self) {
        let mut list = std::mem::take(&mut self.list);
        list.sort_by(|left, right| {
            let (one, other) = (self.at(left.at).relative, self.at(right.at).relative);
            let by_name = name::canonical_cmp_lowercase(one, other);
            by_name.then_with(|| left.block.cmp(&right.block))
        });
        self.list = list;
    }

    /// The lines of records are for problems, and served zones have none.
    pub(crate) fn forget_lines(&mut self) {
        self.lines = Vec::new();
        self.octets.shrink_to_fit();
        self.list.shrink_to_fit();
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The places of those with this name, as labels below the zone's apex, when they are sorted.
    pub(crate) fn range_of(&self, labels: &[u8]) -> std::ops::Range<usize> {
        let compare =
            |member: &Member| name::canonical_cmp_lowercase(self.at(member.at).relative, labels);
        let start = self.list.partition_point(|member| compare(member).is_lt());
        let end = self.list.partition_point(|member| compare(member).is_le());
        start..end
    }

    /// The block and the owner at a place.
    pub(crate) fn get(&self, index: usize) -> (u32, Owner<'_>) {
        let member = &self.list[index];
        (member.block, self.at(member.at))
    }

    /// The lines of its records, if all were kept when it was added; empty if they were forgotten.
    pub(crate) fn lines(&self, index: usize) -> &[u32] {
        let (_, owner) = self.get(index);
        let count = owner.rrsets().map(|rrset| rrset.len()).sum::<usize>();
        let lines = self.lines.get(self.list[index].lines_at..);
        lines.and_then(|lines| lines.get(..count)).unwrap_or(&[])
    }

    fn at(&self, at: usize) -> Owner<'_> {
        Owner::parse(&self.origin, &self.octets[at..])
    }
}

/// Packs an owner with those of its records that `keeps` wants. Returns how many RRsets these are.
fn pack(owner: &Owner<'_>, keeps: impl Fn(u16, &[u8]) -> bool, out: &mut Vec<u8>) -> u16 {
    // A relative name is at most 254 octets long.
    out.push(u8::try_from(owner.relative.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(owner.relative);
    let count_at = out.len();
    out.extend([0; 2]);
    let mut rrset_count = 0u16;
    for rrset in owner.rrsets() {
        let rtype = rrset.covered().unwrap_or(rrset.rtype);
        let kept = || rrset.records().filter(|data| keeps(rtype, data));
        let count = u16::try_from(kept().count()).unwrap_or(u16::MAX);
        if count == 0 {
            continue;
        }
        rrset_count += 1;
        out.extend(rrset.rtype.to_ne_bytes());
        out.extend(rrset.ttl.to_ne_bytes());
        out.extend(count.to_ne_bytes());
        for data in kept() {
            out.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_ne_bytes());
            out.extend_from_slice(data);
        }
    }
    out[count_at..count_at + 2].copy_from_slice(&rrset_count.to_ne_bytes());
    rrset_count
}

/// A copy of an owner with fewer records.
pub(crate) struct Kept {
    origin: Box<[u8]>,
    octets: Vec<u8>,
}

impl Kept {
    /// Keeps what `keeps` wants, told type, or type covered, and data.
    pub(crate) fn of(owner: &Owner<'_>, keeps: impl Fn(u16, &[u8]) -> bool) -> Self {
        let mut octets = Vec::new();
        pack(owner, keeps, &mut octets);
        Self {
            origin: owner.origin.into(),
            octets,
        }
    }

    /// What is left.
    pub(crate) fn owner(&self) -> Owner<'_> {
        Owner::parse(&self.origin, &self.octets)
    }
}

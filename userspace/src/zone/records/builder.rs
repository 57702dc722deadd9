//! Packs records while they are read: one owner at a time, sorted within it.

use std::ops::Range;

use super::order::sort;
use super::{BLOCK_ALIGN, Lines, ZoneRecords, rrset_key};
use crate::name;
use crate::zone::buffer::Buffer;
use crate::zone::error::Problems;
use crate::zone::{rdata, rtype};

/// Largest answer, its records together: a message (RFC 1035 §4.2.2) with header, the longest
/// question, and room for an OPT record.
pub(crate) const ANSWER_LEN_MAX: usize = 65_535 - 12 - 259 - 512;

/// About how many octets a record's text has at least.
const RECORD_TEXT_LEN: usize = 32;

/// What a record takes beside its data when its owner is compressed: pointer, type, class, TTL,
/// length.
const RECORD_OVERHEAD: usize = 2 + 10;

/// Takes the records of a zone in any order.
pub(crate) struct Builder {
    zone: ZoneRecords,
    /// The owner whose records are being collected, as labels below the origin.
    owner: Vec<u8>,
    pending: Vec<Pending>,
    /// The data of the pending records.
    pending_data: Vec<u8>,
    /// Whether the blocks are in canonical order, without an owner that comes twice.
    is_sorted: bool,
    /// How many records there may be; less than 32 bits allow in tests only.
    record_count_max: usize,
}

/// A record of the current owner.
#[derive(Clone)]
struct Pending {
    rtype: u16,
    ttl: u32,
    line: u32,
    data: Range<usize>,
}

/// The zone has more records than 32 bits can count, or more than 16 GiB of them.
#[derive(Debug, thiserror::Error)]
#[error("the zone is too large: it can have 4294967295 records and 16 GiB")]
pub(crate) struct Full;

impl Builder {
    /// Begins a zone; `origin` is in wire form with small letters, `octet_count` how many octets of
    /// text to expect.
    pub(crate) fn new(origin: &[u8], lines: Lines, octet_count: usize) -> Self {
        let zone = ZoneRecords {
            origin: origin.into(),
            // Packed records are seldom longer than their text. What is not touched costs nothing.
            blocks: Buffer::with_capacity(octet_count),
            // A list that doubles leaves as much behind with the allocator as it is long.
            owners: Vec::with_capacity(octet_count / RECORD_TEXT_LEN),
            record_count: 0,
            record_lines: Vec::with_capacity(octet_count / RECORD_TEXT_LEN),
            lines,
            variants: None,
        };
        Self {
            zone,
            owner: Vec::new(),
            pending: Vec::new(),
            pending_data: Vec::new(),
            is_sorted: true,
            record_count_max: u32::MAX as usize,
        }
    }

    /// Adds a record; `owner` are the labels below the origin with small letters, `line` a number
    /// of [`Lines`].
    pub(crate) fn push(
        &mut self,
        owner: &[u8],
        rtype: u16,
        ttl: u32,
        line: u32,
        data: &[u8],
        problems: &mut Problems,
    ) -> Result<(), Full> {
        if owner != self.owner {
            self.flush(problems)?;
            self.owner.clear();
            self.owner.extend_from_slice(owner);
        }
        let start = self.pending_data.len();
        self.pending_data.extend_from_slice(data);
        self.pending.push(Pending {
            rtype,
            ttl,
            line,
            data: start..self.pending_data.len(),
        });
        Ok(())
    }

    /// A builder for a chunk of what this one takes, of so many octets of text.
    pub(crate) fn for_chunk(&self, octet_count: usize) -> Self {
        Self {
            record_count_max: self.record_count_max,
            ..Self::new(&self.zone.origin, self.zone.lines.clone(), octet_count)
        }
    }

    /// Goes on with the owner whose records the other one is collecting.
    pub(crate) fn open_owner_of(&mut self, other: &Self) {
        self.owner.clone_from(&other.owner);
        self.pending.clone_from(&other.pending);
        self.pending_data.clone_from(&other.pending_data);
    }

    /// Leaves the owner whose records are being collected to the builder that went on with it.
    pub(crate) fn forget_open_owner(&mut self) {
        self.pending.clear();
        self.pending_data.clear();
    }

    /// Whether `next` begins with another owner than this one ends with.
    pub(crate) fn continues_with(&self, next: &Self) -> bool {
        let first = match next.zone.owners.first() {
            Some(_) => next.zone.owner(0).relative,
            None => &next.owner,
        };
        self.pending.is_empty() || next.pending.is_empty() || first != self.owner
    }

    /// Adds what another builder took. Its last owner may go on.
    pub(crate) fn append(&mut self, next: Self, problems: &mut Problems) -> Result<(), Full> {
        self.flush(problems)?;
        let zone = &mut self.zone;
        if let (Some(last), Some(_)) = (zone.owners.len().checked_sub(1), next.zone.owners.first())
        {
            let (last, first) = (zone.owner(last).relative, next.zone.owner(0).relative);
            self.is_sorted &= name::canonical_cmp_lowercase(last, first).is_lt();
        }
        let base = zone.append_blocks(&next.zone)?;
        zone.owners
            .extend(next.zone.owners.iter().map(|place| base + place));
        zone.record_lines.extend_from_slice(&next.zone.record_lines);
        zone.record_count += next.zone.record_count;
        self.is_sorted &= next.is_sorted;
        if zone.record_count + next.pending.len() > self.record_count_max {
            return Err(Full);
        }
        self.owner = next.owner;
        self.pending = next.pending;
        self.pending_data = next.pending_data;
        Ok(())
    }

    /// How many records it took.
    pub(crate) fn record_count(&self) -> usize {
        self.zone.record_count + self.pending.len()
    }

    /// The lines of the files that are being read.
    pub(crate) fn lines(&mut self) -> &mut Lines {
        &mut self.zone.lines
    }

    /// Gives the lines of the files to another builder, which takes what is read next.
    pub(crate) fn take_lines(&mut self) -> Lines {
        std::mem::replace(&mut self.zone.lines, Lines::new(""))
    }

    /// Ends the zone: sorts what was not sorted, on some threads.
    pub(crate) fn finish(
        mut self,
        threads: usize,
        problems: &mut Problems,
    ) -> Result<ZoneRecords, Full> {
        self.flush(problems)?;
        let mut zone = self.zone;
        if !self.is_sorted {
            sort(&mut zone, threads, problems)?;
        }
        zone.blocks.shrink_to_fit();
        zone.owners.shrink_to_fit();
        zone.record_lines.shrink_to_fit();
        Ok(zone)
    }

    /// Packs the records of the current owner.
    fn flush(&mut self, problems: &mut Problems) -> Result<(), Full> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if self.pending.len() > 1 {
            self.sort_pending(problems);
        }
        let zone = &mut self.zone;
        let start = zone.blocks.len().next_multiple_of(BLOCK_ALIGN);
        let owner_at = u32::try_from(start / BLOCK_ALIGN).map_err(|_| Full)?;
        if zone.record_count + self.pending.len() > self.record_count_max {
            return Err(Full);
        }
        if let Some(last) = zone.owners.len().checked_sub(1) {
            let last = zone.owner(last);
            self.is_sorted &= name::canonical_cmp_lowercase(last.relative, &self.owner).is_lt();
        }
        zone.blocks.pad(BLOCK_ALIGN);
        zone.owners.push(owner_at);
        // A relative name is at most 254 octets long.
        let owner_len = u8::try_from(self.owner.len()).map_err(|_| Full)?;
        zone.blocks.extend([owner_len]);
        zone.blocks.extend(&self.owner);
        let count_at = zone.blocks.len();
        zone.blocks.add(2);
        let mut rrset_count: u16 = 0;
        let data = &self.pending_data;
        let key = |record: &Pending| rrset_key(record.rtype, &data[record.data.clone()]);
        // Who asks for signatures gets those of all types.
        let answers = self
            .pending
            .chunk_by(|left, right| left.rtype == right.rtype);
        for answer in answers {
            if !fits(&self.owner, answer, zone, problems) {
                continue;
            }
            for rrset in answer.chunk_by(|left, right| key(left) == key(right)) {
                pack(rrset, data, zone, problems);
                // There are fewer RRsets than 16 bits count types, unless those of RRSIG make them
                // more.
                rrset_count = rrset_count.checked_add(1).ok_or(Full)?;
            }
        }
        zone.blocks[count_at..count_at + 2].copy_from_slice(&rrset_count.to_ne_bytes());
        self.pending.clear();
        self.pending_data.clear();
        Ok(())
    }

    /// Sorts the records of the current owner and drops those that are there already.
    fn sort_pending(&mut self, problems: &mut Problems) {
        let data = &self.pending_data;
        let order = |left: &Pending, right: &Pending| {
            left.rtype.cmp(&right.rtype).then_with(|| {
                let (left_data, right_data) = (&data[left.data.clone()], &data[right.data.clone()]);
                rdata::canonical_cmp(left.rtype, left_data, right_data)
            })
        };
        // A stable sort: of equal records the first one stays.
        if !self
            .pending
            .is_sorted_by(|left, right| order(left, right).is_lt())
        {
            self.pending.sort_by(order);
            let (zone, owner) = (&self.zone, &self.owner);
            self.pending.dedup_by(|later, first| {
                let is_same = order(later, first).is_eq();
                if is_same {
                    problems.warning(|| {
                        let first_line =
                            zone.lines.place(first.line, 1).position.map_or(0, |p| p.0);
                        let what = describe(zone, owner, later.rtype);
                        let message =
                            format!("{what} is already there, at line {first_line}: ignored");
                        (zone.lines.place(later.line, 1), message)
                    });
                }
                is_same
            });
        }
    }
}

/// Says whether the records of a type fit into a message, and complains if not.
fn fits(owner: &[u8], answer: &[Pending], zone: &ZoneRecords, problems: &mut Problems) -> bool {
    let len = answer
        .iter()
        .map(|record| RECORD_OVERHEAD + record.data.len())
        .sum::<usize>();
    if len > ANSWER_LEN_MAX {
        let what = describe(zone, owner, answer[0].rtype);
        let message = format!(
            "the {} records of {what} make an answer of {len} octets; \
             {ANSWER_LEN_MAX} are possible",
            answer.len()
        );
        problems.error(zone.lines.place(answer[0].line, 1), message);
    }
    len <= ANSWER_LEN_MAX
}

/// Packs one RRset.
fn pack(rrset: &[Pending], data: &[u8], zone: &mut ZoneRecords, problems: &mut Problems) {
    let ttl = rrset
        .iter()
        .map(|record| record.ttl)
        .min()
        .unwrap_or_default();
    if let Some(other) = rrset.iter().find(|record| record.ttl != ttl) {
        problems.warning(|| {
            // RFC 2181 §5.2: the TTLs of an RRset must be the same.
            let message = format!(
                "this record's TTL is {}, others of its RRset have {ttl}: {ttl} is used",
                other.ttl
            );
            (zone.lines.place(other.line, 1), message)
        });
    }
    // `fits` has seen to both numbers.
    let to_u16 = |count| u16::try_from(count).unwrap_or(u16::MAX);
    zone.blocks.extend(rrset[0].rtype.to_ne_bytes());
    zone.blocks.extend(ttl.to_ne_bytes());
    zone.blocks.extend(to_u16(rrset.len()).to_ne_bytes());
    for record in rrset {
        zone.blocks.extend(to_u16(record.data.len()).to_ne_bytes());
        zone.blocks.extend(&data[record.data.clone()]);
        zone.record_lines.push(record.line);
    }
    zone.record_count += rrset.len();
}

/// Names an RRset for people.
fn describe(zone: &ZoneRecords, owner: &[u8], rtype: u16) -> String {
    let origin = name::display(&zone.origin);
    let dot = if owner.is_empty() || zone.origin.len() == 1 {
        ""
    } else {
        "."
    };
    format!(
        "{}{dot}{origin} {}",
        name::display(owner),
        rtype::display(rtype)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &[u8] = b"\x07example\x00";

    #[test]
    fn a_zone_with_more_records_than_can_be_counted_is_refused() {
        let mut problems = Problems::default();
        let mut builder = Builder::new(ORIGIN, Lines::new("zone"), 0);
        builder.record_count_max = 3;
        for owner in [b"\x01a", b"\x01b", b"\x01c"] {
            builder
                .push(owner, rtype::A, 1, 0, &[1, 2, 3, 4], &mut problems)
                .unwrap();
        }
        builder
            .push(b"\x01c", rtype::A, 1, 0, &[1, 2, 3, 5], &mut problems)
            .unwrap();
        let full = builder.finish(1, &mut problems).unwrap_err();
        assert!(full.to_string().contains("too large"), "{full}");
    }

    #[test]
    fn each_record_keeps_its_line_however_it_is_sorted() {
        let mut problems = Problems::default();
        let mut builder = Builder::new(ORIGIN, Lines::new("zone"), 0);
        for (line, owner, last) in [
            (10, b"\x01b", 1),
            (11, b"\x01b", 0),
            (12, b"\x01a", 9),
            (13, b"\x01b", 2),
            (14, b"\x01a", 8),
        ] {
            builder
                .push(owner, rtype::A, 1, line, &[0, 0, 0, last], &mut problems)
                .unwrap();
        }
        let zone = builder.finish(1, &mut problems).unwrap();
        let lines: Vec<(u8, &[u32])> = zone
            .owners_with_lines()
            .map(|(owner, lines)| (owner.relative_name()[1], lines))
            .collect();
        assert_eq!(lines, [(b'a', &[14, 12][..]), (b'b', &[11, 10, 13])]);
    }
}

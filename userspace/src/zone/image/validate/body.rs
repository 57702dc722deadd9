//! Bodies: lengths, counts, sums, and every record, name and pointer in them.

use super::super::body::{PATCHED_LEN, Plain, WOVEN, Woven};
use super::node::Parsed;
use super::{Flaw, demand, name};
use crate::packet::checksum::Sum;
use crate::packet::{HEADER_LEN, code};
use crate::zone::rdata;
use crate::zone::records::ANSWER_LEN_MAX;

/// Bytes of a record between its owner and its data.
const FIXED_LEN: usize = 10;
/// The question's name.
const OWNER_POINTER: [u8; 2] = [0xc0, 0x0c];

const OTHER_SUM: &str = "the records have another sum";

/// What a woven body is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Answer,
    Referral,
    Negative,
}

/// Looks at bodies.
pub(super) struct Bodies<'i> {
    file: &'i [u8],
    /// Where labels begin in the records of the current one.
    labels: Vec<usize>,
}

impl<'i> Bodies<'i> {
    pub(super) fn new(file: &'i [u8]) -> Self {
        let labels = Vec::new();
        Self { file, labels }
    }

    /// What begins at a place, up to the node's end, and its offset.
    fn begin(&self, node: &Parsed<'i>, place: u32, at: usize) -> Result<(&'i [u8], usize), Flaw> {
        let start = (place & !WOVEN) as usize * 4;
        let is_inside = (node.bodies_at..node.end).contains(&start);
        demand(is_inside, at, "the body is not in its node")?;
        Ok((&self.file[start..node.end], start))
    }

    /// A plain body: so many bytes of records, and with signatures.
    pub(super) fn plain(
        &self,
        node: &Parsed<'i>,
        place: u32,
        lens: [usize; 2],
        rtype: u16,
        at: usize,
    ) -> Result<(), Flaw> {
        let (body, start) = self.begin(node, place, at)?;
        let Some((header, records)) = body.split_first_chunk::<{ size_of::<Plain>() }>() else {
            return Err(Flaw::new(at, "the body runs over its node"));
        };
        let header: Plain = bytemuck::pod_read_unaligned(header);
        let is_inside = lens[1] <= records.len() && lens[1] <= ANSWER_LEN_MAX;
        demand(
            is_inside && header.counts[0] != 0,
            at,
            "the body runs over its node",
        )?;
        let (mut end, mut count) = (0, 0);
        for (form, len) in lens.into_iter().enumerate() {
            let rtype = if form == 0 { rtype } else { code::RRSIG };
            while end < len {
                end = owned(&records[..len], end, rtype)
                    .ok_or_else(|| Flaw::new(start + 8 + end, "this is no record of the name"))?;
                count += 1;
            }
            let is_count = usize::from(header.counts[form]) == count;
            demand(is_count, start, "the number of records is wrong")?;
            let sum = Sum::default().bytes(&records[..len]).folded();
            demand(header.sums[form] == sum, start + 4 + 2 * form, OTHER_SUM)?;
        }
        Ok(())
    }

    /// A woven body whose owner is the node.
    pub(super) fn woven(
        &mut self,
        node: &Parsed<'i>,
        place: u32,
        kind: Kind,
        at: usize,
    ) -> Result<(), Flaw> {
        demand(place & WOVEN != 0, at, "the body is not woven")?;
        let (body, start) = self.begin(node, place, at)?;
        let Some((header, rest)) = body.split_first_chunk::<{ size_of::<Woven>() }>() else {
            return Err(Flaw::new(at, "the body runs over its node"));
        };
        let header: Woven = bytemuck::pod_read_unaligned(header);
        let split = rest.split_at_checked(usize::from(header.patch_count) * 2);
        let split = split.and_then(|(patches, rest)| {
            let cuts = usize::from(header.cut_count) * 4;
            Some((patches, rest.split_at_checked(cuts)?))
        });
        let lens = [
            header.answer_len,
            header.authority_len,
            header.additional_len,
        ];
        let lens = lens.map(usize::from);
        let len = lens.iter().sum::<usize>();
        let Some((patches, (cuts, records))) = split.filter(|(_, (_, rest))| len <= rest.len())
        else {
            return Err(Flaw::new(start, "the body runs over its node"));
        };
        let is_base = usize::from(header.base) == HEADER_LEN + node.name.len() + 4;
        demand(is_base, start + 12, "the body is made for another name")?;
        let is_kind = match kind {
            Kind::Answer => lens[0] != 0 && lens[1] == 0 && header.glue == 0,
            Kind::Referral => lens[0] == 0 && lens[1] != 0 && header.glue == 1,
            Kind::Negative => lens[0] == 0 && lens[2] == 0 && header.glue == 0,
        };
        let is_kind = is_kind && header.reserved == 0 && len <= ANSWER_LEN_MAX;
        demand(is_kind, start, "the body is not of its kind")?;
        let records = &records[..len];
        let sum = Sum::default().bytes(records).folded();
        demand(header.sum == sum, start + 20, OTHER_SUM)?;
        self.labels.clear();
        let weave = WovenRecords {
            owner: node.name,
            base: usize::from(header.base),
            records,
            patches: patches.as_chunks().0,
            cuts: cuts.as_chunks().0,
            labels: &mut self.labels,
        };
        let problem = weave.check(lens, header.counts);
        problem.map_err(|(at, what)| Flaw::new(node.end.min(start + at), what))
    }

    /// The target of an alias.
    pub(super) fn target(&self, node: &Parsed<'i>, place: u32, at: usize) -> Result<(), Flaw> {
        demand(place & WOVEN == 0, at, "a target is not woven")?;
        let (body, start) = self.begin(node, place, at)?;
        let Some((&[len, shared], rest)) = body.split_first_chunk() else {
            return Err(Flaw::new(at, "the target runs over its node"));
        };
        let Some(target) = rest.get(..usize::from(len)) else {
            return Err(Flaw::new(start, "the target runs over its node"));
        };
        name::whole(target, start + 2)?;
        let shared = usize::from(shared);
        let ends = target
            .len()
            .checked_sub(shared)
            .zip(node.name.len().checked_sub(shared));
        let is_shared = shared == 0
            || ends.is_some_and(|(end, own)| {
                name::has_label(target, end)
                    && name::has_label(node.name, own)
                    && target[end..].eq_ignore_ascii_case(&node.name[own..])
            });
        demand(
            is_shared,
            start + 1,
            "the target does not end as the owner does",
        )
    }
}

/// Offset behind the record at `at`, which the question's name owns.
fn owned(records: &[u8], at: usize, rtype: u16) -> Option<usize> {
    let head: &[u8; 2 + FIXED_LEN] = records[at..].first_chunk()?;
    let [a, b] = rtype.to_be_bytes();
    let [c, d] = code::CLASS_IN.to_be_bytes();
    let end = at + head.len() + usize::from(u16::from_be_bytes([head[10], head[11]]));
    let is_head = head[..6] == [0xc0, 0x0c, a, b, c, d];
    (is_head && end <= records.len()).then_some(end)
}

/// Where in a body, and what.
type Problem = (usize, &'static str);

/// The records of a woven body, with its pointers still to come.
struct WovenRecords<'w> {
    owner: &'w [u8],
    base: usize,
    records: &'w [u8],
    patches: &'w [[u8; 2]],
    cuts: &'w [[u8; 4]],
    labels: &'w mut Vec<usize>,
}

impl WovenRecords<'_> {
    /// Walks the sections: each ends with a record, each pointer is in the list and the list has no
    /// others, each cut is behind a record.
    fn check(mut self, lens: [usize; 3], counts: [u16; 3]) -> Result<(), Problem> {
        let (mut at, mut end) = (0, 0);
        let needed = lens[0] + lens[1];
        for (section, (len, count)) in lens.into_iter().zip(counts).enumerate() {
            end += len;
            for number in 1..=count {
                at = self.record(at, section == 0)?;
                if section == 2
                    && let Some((&[a, b, c, d], rest)) = self.cuts.split_first()
                    && usize::from(u16::from_le_bytes([a, b])) == at - needed
                    && u16::from_le_bytes([c, d]) == number
                {
                    self.cuts = rest;
                }
            }
            if at != end {
                return Err((at, "the section ends within a record"));
            }
        }
        if !self.cuts.is_empty() {
            return Err((at, "the additional section ends within a record"));
        }
        match self.patches {
            [] => Ok(()),
            _ => Err((at, "there is no pointer where one is listed")),
        }
    }

    /// Offset behind the record at `at`.
    fn record(&mut self, at: usize, is_answer: bool) -> Result<usize, Problem> {
        let is_pointer = self.records.get(at..at + 2) == Some(&OWNER_POINTER);
        if is_answer && !is_pointer {
            return Err((at, "the answer is another name's"));
        }
        let fixed_at = self.name(at, Some(at))?;
        let fixed = self
            .records
            .get(fixed_at..)
            .and_then(|rest| rest.first_chunk());
        let Some(&[a, b, c, d, .., high, low]) = fixed.map(|fixed: &[u8; FIXED_LEN]| fixed) else {
            return Err((fixed_at, "the record runs over its body"));
        };
        let start = fixed_at + FIXED_LEN;
        let end = start + usize::from(u16::from_be_bytes([high, low]));
        if end > self.records.len() || u16::from_be_bytes([c, d]) != code::CLASS_IN {
            return Err((fixed_at, "the record runs over its body"));
        }
        let names = rdata::names(u16::from_be_bytes([a, b]));
        let mut at = start + names.before;
        for _ in 0..names.count {
            let pointers = self.patches.len();
            at = self.name(at, None)?;
            if !names.compressed && self.patches.len() != pointers {
                return Err((start, "the name must not be compressed"));
            }
        }
        match at <= end {
            true => Ok(end),
            false => Err((start, "the name runs over its record")),
        }
    }

    /// Offset behind the name at `at`; it is an owner's if it begins there.
    fn name(&mut self, start: usize, owner: Option<usize>) -> Result<usize, Problem> {
        let mut at = start;
        loop {
            match self.records.get(at) {
                Some(0) => return Ok(at + 1),
                Some(&len @ 1..=63) => {
                    if at < PATCHED_LEN {
                        self.labels.push(at);
                    }
                    at += 1 + usize::from(len);
                }
                Some(0xc0..) => {
                    self.pointer(at, owner)?;
                    return Ok(at + 2);
                }
                _ => return Err((at, "this is no name")),
            }
        }
    }

    /// The pointer at `at` is the next in the list, and leads to a name.
    fn pointer(&mut self, at: usize, owner: Option<usize>) -> Result<(), Problem> {
        let Some(&[high, low]) = self.records.get(at..).and_then(|rest| rest.first_chunk()) else {
            return Err((at, "the pointer runs over its body"));
        };
        if at >= PATCHED_LEN {
            // There, only owners are found.
            let is_owner = owner == Some(at) && [high, low] == OWNER_POINTER;
            return is_owner
                .then_some(())
                .ok_or((at, "no pointer can stand here"));
        }
        let Some((patch, rest)) = self.patches.split_first() else {
            return Err((at, "the pointer is not listed"));
        };
        self.patches = rest;
        let patch = u16::from_le_bytes(*patch);
        let target = usize::from(u16::from_be_bytes([high, low]) & 0x3fff);
        let leads = match patch >> 14 {
            0 => owner == Some(at) && [high, low] == OWNER_POINTER,
            1 => self.is_suffix(target),
            2 => {
                let label = target.checked_sub(self.base);
                label.is_some_and(|label| label < at && self.labels.binary_search(&label).is_ok())
            }
            _ => false,
        };
        match usize::from(patch & 0x3fff) == at && leads {
            true => Ok(()),
            false => Err((at, "the pointer leads to no name")),
        }
    }

    /// Whether a part of the owner's name begins there. A wildcard's own label is in no message.
    fn is_suffix(&self, target: usize) -> bool {
        let Some(offset) = target.checked_sub(HEADER_LEN) else {
            return false;
        };
        let is_wildcard = self.owner.starts_with(b"\x01*");
        (offset != 0 || !is_wildcard) && name::has_label(self.owner, offset)
    }
}

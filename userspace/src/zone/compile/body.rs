//! Records → a body: the bytes of an answer with its names compressed once and for all.

use super::CompileError;
use crate::packet::checksum::Sum;
use crate::packet::{HEADER_LEN, code};
use crate::zone::image::{BODY_REACH, PATCHED_LEN, Pointer, Woven};
use crate::zone::rdata;
use crate::zone::records::{ANSWER_LEN_MAX, Rrset};

/// Names that a body remembers: beyond, a search would cost more than it saves.
const KNOWN_MAX: usize = 128;
/// Largest body: with header, question and OPT it is still a message.
pub(super) const BODY_MAX: usize = ANSWER_LEN_MAX;
/// A pointer to the question's name (RFC 1035 §4.1.4).
pub(super) const OWNER_POINTER: [u8; 2] = [0xc0, 0x0c];

/// Whose records stand in a section: decides what their owner is written as.
#[derive(Clone, Copy)]
pub(super) enum OwnerForm<'n> {
    /// The name that the body is made for.
    Itself,
    /// Another one.
    Name(&'n [u8]),
}

/// A name that later names may point to.
struct Known {
    /// Its lowered wire form, as a range of `names`.
    start: usize,
    end: usize,
    pointer: Pointer,
    /// For `Suffix`, its bytes; for `Body`, its offset.
    place: usize,
}

/// Writes the body of one answer. Reused from answer to answer, so that it seldom allocates.
#[derive(Default)]
pub(super) struct BodyWriter {
    base: usize,
    records: Vec<u8>,
    patches: Vec<u16>,
    cuts: Vec<(u16, u16)>,
    counts: [u16; 3],
    section_ends: [usize; 3],
    names: Vec<u8>,
    known: Vec<Known>,
    hosts: Vec<std::ops::Range<usize>>,
    glue: bool,
}

/// The sections of a message behind the question.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Answer = 0,
    Authority = 1,
    Additional = 2,
}

impl BodyWriter {
    /// Begins a body for the lowered name `owner`, which must be what QNAME ends in.
    ///
    /// A wildcard's own name is never in the message: what follows its `*` is.
    pub(super) fn begin(&mut self, owner: &[u8]) {
        self.base = HEADER_LEN + owner.len() + 4;
        self.records.clear();
        self.patches.clear();
        self.cuts.clear();
        self.counts = [0; 3];
        self.section_ends = [0; 3];
        self.names.clear();
        self.known.clear();
        self.hosts.clear();
        self.glue = false;
        self.names.extend_from_slice(owner);
        let mut start = if owner.starts_with(b"\x01*") { 2 } else { 0 };
        while start < owner.len() && owner[start] != 0 {
            let place = owner.len() - start;
            self.known.push(Known {
                start,
                end: owner.len(),
                pointer: Pointer::Suffix,
                place,
            });
            start += 1 + usize::from(owner[start]);
        }
    }

    /// The additional section is glue.
    pub(super) fn mark_glue(&mut self) {
        self.glue = true;
    }

    /// Adds an RRset; `ttl` overrides its own. Sections come in order.
    pub(super) fn rrset(
        &mut self,
        section: Section,
        owner: OwnerForm<'_>,
        rrset: &Rrset<'_>,
        ttl: u32,
    ) -> Result<(), CompileError> {
        for rdata in rrset.records() {
            self.owner(owner);
            self.records.extend(rrset.rtype().to_be_bytes());
            self.records.extend(code::CLASS_IN.to_be_bytes());
            self.records.extend(ttl.to_be_bytes());
            let len_at = self.records.len();
            self.records.extend([0, 0]);
            self.rdata(rrset.rtype(), rdata);
            let len = u16::try_from(self.records.len() - len_at - 2);
            let len = len.map_err(|_| CompileError::too_large(rrset.rtype()))?;
            self.records[len_at..len_at + 2].copy_from_slice(&len.to_be_bytes());
            self.counts[section as usize] += 1;
        }
        if self.records.len() > BODY_MAX {
            return Err(CompileError::too_large(rrset.rtype()));
        }
        for end in &mut self.section_ends[section as usize..] {
            *end = self.records.len();
        }
        if section == Section::Additional {
            let len = self.records.len() - self.section_ends[1];
            self.cuts.push((narrow(len), self.counts[2]));
        }
        Ok(())
    }

    /// Whether an additional RRset still fits: glue into the message (RFC 9471 §3.1: all of it),
    /// what is only useful where pointers reach.
    pub(super) fn has_room_for(&self, host: &[u8], rrset: &Rrset<'_>) -> bool {
        // Beyond the reach of pointers each record repeats its owner's name.
        let len: usize = rrset
            .records()
            .map(|rdata| host.len() + 10 + rdata.len())
            .sum();
        let limit = if self.glue { BODY_MAX } else { PATCHED_LEN };
        self.records.len() + len <= limit
    }

    /// Notes that a host's addresses are added; false when they were before.
    pub(super) fn add_host(&mut self, host: &[u8]) -> bool {
        if self
            .hosts
            .iter()
            .any(|range| &self.names[range.clone()] == host)
        {
            return false;
        }
        let start = self.names.len();
        self.names.extend_from_slice(host);
        self.hosts.push(start..self.names.len());
        true
    }

    /// Which known name this is, in whatever case.
    fn known(&self, name: &[u8]) -> Option<usize> {
        self.known.iter().position(|known| {
            let range = known.start..known.end;
            range.len() == name.len() && self.names[range].eq_ignore_ascii_case(name)
        })
    }

    fn owner(&mut self, form: OwnerForm<'_>) {
        match form {
            OwnerForm::Itself => self.pointer(Pointer::Owner, HEADER_LEN),
            OwnerForm::Name(name) => self.name(name),
        }
    }

    /// Writes the data of a record, its names compressed where they may be.
    fn rdata(&mut self, rtype: u16, rdata: &[u8]) {
        let names = rdata::names(rtype);
        let (before, mut rest) = rdata.split_at(names.before.min(rdata.len()));
        self.records.extend_from_slice(before);
        for _ in 0..names.count {
            let (name, behind) = rest.split_at(name_len(rest));
            match names.compressed {
                true => self.name(name),
                false => self.whole_name(name),
            }
            rest = behind;
        }
        self.records.extend_from_slice(rest);
    }

    /// Writes a name, its known end as a pointer.
    fn name(&mut self, name: &[u8]) {
        let mut at = 0;
        while name[at] != 0 {
            let is_near = self.records.len() < PATCHED_LEN;
            if let Some(known) = self.known(&name[at..]).filter(|_| is_near) {
                let (pointer, target) = self.target(known);
                self.pointer(pointer, target);
                return;
            }
            self.remember(&name[at..]);
            let label_end = at + 1 + usize::from(name[at]);
            self.records.extend_from_slice(&name[at..label_end]);
            at = label_end;
        }
        self.records.push(0);
    }

    /// Writes a name in full; it may be pointed to (RFC 2782: no compression in SRV's data).
    fn whole_name(&mut self, name: &[u8]) {
        let mut at = 0;
        while name[at] != 0 {
            self.remember(&name[at..]);
            let label_end = at + 1 + usize::from(name[at]);
            self.records.extend_from_slice(&name[at..label_end]);
            at = label_end;
        }
        self.records.push(0);
    }

    /// What follows is written at the current place, and may be pointed to later.
    fn remember(&mut self, name: &[u8]) {
        let place = self.records.len();
        if self.known.len() < KNOWN_MAX && self.base + place < BODY_REACH {
            let start = self.names.len();
            self.names.extend(name.iter().map(u8::to_ascii_lowercase));
            let end = self.names.len();
            self.known.push(Known {
                start,
                end,
                pointer: Pointer::Body,
                place,
            });
        }
    }

    /// What a known name is pointed to by, and its offset in the message.
    fn target(&self, known: usize) -> (Pointer, usize) {
        let known = &self.known[known];
        match known.pointer {
            Pointer::Body => (Pointer::Body, self.base + known.place),
            pointer => (pointer, self.base - 4 - known.place),
        }
    }

    fn pointer(&mut self, pointer: Pointer, target: usize) {
        let at = narrow(self.records.len());
        if pointer == Pointer::Owner {
            self.records.extend(OWNER_POINTER);
        } else {
            self.records.extend((0xc000 | narrow(target)).to_be_bytes());
        }
        // Beyond 14 bits only owners are pointers, and these are found by walking the records.
        if usize::from(at) < PATCHED_LEN {
            self.patches.push((pointer as u16) << 14 | at);
        }
    }

    /// Bytes of an uncompressed first name's end that were left to the owner's name.
    pub(super) fn shared_suffix(&self, name: &[u8]) -> u8 {
        let mut at = 0;
        while name[at] != 0 {
            if let Some(known) = self.known.iter().find(|known| {
                known.pointer == Pointer::Suffix
                    && self.names[known.start..known.end].eq_ignore_ascii_case(&name[at..])
            }) {
                return u8::try_from(known.place).unwrap_or(0);
            }
            at += 1 + usize::from(name[at]);
        }
        0
    }

    /// The body's bytes, header first.
    pub(super) fn finish(&mut self, into: &mut Vec<u8>) {
        let [answer_end, authority_end, additional_end] = self.section_ends;
        let woven = Woven {
            counts: self.counts,
            answer_len: narrow(answer_end),
            authority_len: narrow(authority_end - answer_end),
            additional_len: narrow(additional_end - authority_end),
            base: narrow(self.base),
            patch_count: narrow(self.patches.len()),
            cut_count: narrow(self.cuts.len()),
            glue: u16::from(self.glue),
            sum: Sum::default().bytes(&self.records).folded(),
            reserved: 0,
        };
        into.extend_from_slice(bytemuck::bytes_of(&woven));
        into.extend(self.patches.iter().flat_map(|patch| patch.to_le_bytes()));
        for (len, count) in &self.cuts {
            into.extend(len.to_le_bytes());
            into.extend(count.to_le_bytes());
        }
        into.extend_from_slice(&self.records);
    }
}

/// Bytes of the uncompressed name that `wire` begins with.
pub(super) fn name_len(wire: &[u8]) -> usize {
    let mut at = 0;
    while wire[at] != 0 {
        at += 1 + usize::from(wire[at]);
    }
    at + 1
}

/// A length below 64 KiB: bodies are no longer.
fn narrow(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

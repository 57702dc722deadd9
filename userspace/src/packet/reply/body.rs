//! Copies a compiled body into a message and sets its compression pointers right.

use super::owner::OwnerPlace;
use super::proof::Proofs;
use super::put_pointer;
use crate::zone::image::{BODY_REACH, Body, PATCHED_LEN, Pointer, Weave};
use std::ops::Range;

/// Offsets that a compression pointer can name (RFC 1035 §4.1.4: 14 bits).
pub(super) const POINTER_REACH: usize = 0x4000;

/// What was written of a body.
pub(super) struct Written {
    /// Offset in the message behind it.
    pub(super) end: usize,
    /// Records per section.
    pub(super) counts: [u16; 3],
    /// Something is missing that the client must come back for (RFC 2181 §9, RFC 9471 §3).
    pub(super) truncated: bool,
}

/// Proofs stand between a body's authority section and its additional one, which they move.
#[derive(Clone, Copy)]
struct Gap {
    at: usize,
    len: usize,
}

/// Writes as much of a body as fits at `start`, and the proofs, or nothing. The ancestor with
/// `owner_len` bytes of the name at `owner` is the body's owner.
pub(super) fn write(
    message: &mut [u8],
    start: usize,
    body: &Body<'_>,
    owner: &OwnerPlace,
    owner_len: usize,
    proofs: Option<&Proofs<'_>>,
) -> Written {
    if proofs.is_none()
        && is_in_place(body, start, owner, owner_len)
        && let Some(room) = message.get_mut(start..start + body.records.len())
    {
        room.copy_from_slice(body.records);
        return Written {
            end: start + body.records.len(),
            counts: body.counts,
            truncated: false,
        };
    }
    let at = body.answer_len + body.authority_len;
    let gap = Gap {
        at,
        len: proofs.map_or(0, |proofs| proofs.len(start + at)),
    };
    let (len, mut counts, truncated) = fit(body, start, gap, message.len());
    if len == 0 {
        return Written {
            end: start,
            counts,
            truncated,
        };
    }
    if let Some(proofs) = proofs.filter(|_| gap.len != 0) {
        let (needed, additional) = body.records[..len].split_at(at);
        message[start..start + at].copy_from_slice(needed);
        let behind = proofs.write(message, start + at);
        message[behind..behind + additional.len()].copy_from_slice(additional);
        counts[1] += proofs.count();
    } else {
        message[start..start + len].copy_from_slice(&body.records[..len]);
    }
    let is_in_place = is_in_place(body, start, owner, owner_len);
    match body.weave {
        None if is_in_place => {}
        None => set_owners(message, start..start + len, 0, owner.position(owner_len)),
        Some(_) if is_in_place && gap.len == 0 => {}
        Some(weave) => set_pointers(message, start, len, gap, &weave, owner, owner_len),
    }
    Written {
        end: start + len + gap.len,
        counts,
        truncated,
    }
}

/// Whether a body's pointers are right where it is written: behind the question of its owner.
fn is_in_place(body: &Body<'_>, start: usize, owner: &OwnerPlace, owner_len: usize) -> bool {
    let is_base = body.weave.is_none_or(|weave| weave.base == start);
    is_base && owner.is_question() && owner.name_len() == owner_len
}

/// How much of a body fits between `start` and `end` with the gap in it: its length, records per
/// section, and whether something is missing that the client must come back for.
fn fit(body: &Body<'_>, start: usize, gap: Gap, end: usize) -> (usize, [u16; 3], bool) {
    let room = (end - start).saturating_sub(gap.len);
    // Names behind many proofs would be out of the pointers' reach.
    let is_near = gap.len == 0 || start + BODY_REACH + gap.len <= POINTER_REACH;
    if body.records.len() <= room && is_near && gap.len <= end - start {
        return (body.records.len(), body.counts, false);
    }
    let [answers, authorities, _] = body.counts;
    let needed = gap.at;
    if needed + gap.len > end - start {
        return (0, [0; 3], true);
    }
    let glue = body.weave.is_some_and(|weave| weave.glue);
    let cut = body.weave.filter(|_| is_near).and_then(|weave| {
        weave
            .cuts()
            .rev()
            .find(|&(additional_len, _)| needed + additional_len <= room)
    });
    let (additional_len, additionals) = cut.unwrap_or((0, 0));
    (
        needed + additional_len,
        [answers, authorities, additionals],
        glue,
    )
}

/// Moves the pointers of a woven body: they were compiled for a place behind the question of its
/// owner.
fn set_pointers(
    message: &mut [u8],
    start: usize,
    len: usize,
    gap: Gap,
    weave: &Weave<'_>,
    owner: &OwnerPlace,
    owner_len: usize,
) {
    let place = |offset: usize| match offset >= gap.at {
        true => start + offset + gap.len,
        false => start + offset,
    };
    for (pointer, offset) in weave.patches().take_while(|&(_, offset)| offset < len) {
        let at = place(offset);
        let compiled = usize::from(u16::from_be_bytes([message[at], message[at + 1]]) & 0x3fff);
        let target = match pointer {
            Pointer::Owner => owner.position(owner_len),
            Pointer::Suffix => owner.position(weave.base - 4 - compiled),
            Pointer::Body => place(compiled - weave.base),
        };
        put_pointer(message, at, target);
    }
    if len > PATCHED_LEN {
        let target = owner.position(owner_len);
        let needed_end = start + gap.at.min(len);
        set_owners(message, start..needed_end, PATCHED_LEN, target);
        let behind = PATCHED_LEN.saturating_sub(gap.at);
        set_owners(
            message,
            needed_end + gap.len..start + len + gap.len,
            behind,
            target,
        );
    }
}

/// Points the owners of the records in `range` at `target`: of those that begin `from` bytes behind
/// its start, or later.
fn set_owners(message: &mut [u8], range: Range<usize>, from: usize, target: usize) {
    let mut at = range.start;
    while at < range.end {
        let mut name_end = at;
        while matches!(message[name_end], 1..=63) {
            name_end += 1 + usize::from(message[name_end]);
        }
        name_end += if message[name_end] == 0 { 1 } else { 2 };
        if at >= range.start + from && message[at..at + 2] == [0xc0, 0x0c] {
            put_pointer(message, at, target);
        }
        let rdata_len = u16::from_be_bytes([message[name_end + 8], message[name_end + 9]]);
        at = name_end + 10 + usize::from(rdata_len);
    }
}

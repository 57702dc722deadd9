//! The usual reply: one body behind its question, and an OPT record without options. Its checksum
//! is put together from what is known of the parts.

use super::header::Header;
use super::opt::{self, OPT_LEN};
use super::{Brief, Reply};
use crate::answer::{Answer, Claim, Follow};
use crate::packet::checksum::Sum;
use crate::packet::{HEADER_LEN, Query, QueryFlags};
use crate::simd::{BLOCK_LEN, Block, Simd};
use crate::telemetry::Rcode;
use crate::zone::image::{BodyRef, PATCHED_LEN, Pointer, Whole};

/// Writes the reply if it is a usual one: `None` leaves the message as it was.
#[inline(always)]
pub(super) fn write<S: Simd>(
    simd: S,
    message: &mut [u8],
    query: &Query,
    answer: &Answer<'_>,
    udp_size_max: u16,
) -> Option<Reply> {
    let body = answer.body.as_ref()?;
    let needs_proof = query.flags.has(QueryFlags::DNSSEC_OK) && answer.claim != Claim::Nothing;
    if needs_proof || answer.follow != Follow::Nothing || query.flags.any(QueryFlags::OPTIONS) {
        return None;
    }
    let rcode = answer.rcode;
    let front = Front {
        rcode,
        authoritative: answer.authoritative,
        udp_size_max,
    };
    let brief = of_body(simd, message, query, body, front, answer.owner_skip)?;
    Some(Reply {
        len: brief.len,
        rcode,
        truncated: false,
        sum: Some(brief.sum),
    })
}

/// The same of one body with authority, to a query without options and without need of a proof.
#[inline(always)]
pub(super) fn write_body<S: Simd>(
    simd: S,
    message: &mut [u8],
    query: &Query,
    body: &BodyRef<'_>,
    rcode: Rcode,
    owner_skip: u8,
    udp_size_max: u16,
) -> Option<Brief> {
    let front = Front {
        rcode,
        authoritative: true,
        udp_size_max,
    };
    of_body(simd, message, query, body, front, owner_skip)
}

/// Writes a reply of one body.
#[inline(always)]
fn of_body<S: Simd>(
    simd: S,
    message: &mut [u8],
    query: &Query,
    body: &BodyRef<'_>,
    front: Front,
    owner_skip: u8,
) -> Option<Brief> {
    if body.is_woven() {
        return simd.run(
            #[inline(always)]
            || woven(simd, message, query, body, front, owner_skip),
        );
    }
    if owner_skip != 0 {
        return None;
    }
    whole(simd, message, query, &body.plain(), front)
}

/// What is said before the records, and in the OPT record.
#[derive(Clone, Copy)]
struct Front {
    rcode: Rcode,
    authoritative: bool,
    udp_size_max: u16,
}

/// Writes a reply with a woven body.
#[inline(always)]
fn woven<S: Simd>(
    simd: S,
    message: &mut [u8],
    query: &Query,
    body: &BodyRef<'_>,
    front: Front,
    owner_skip: u8,
) -> Option<Brief> {
    let body = body.woven();
    if body.len >= PATCHED_LEN {
        return None;
    }
    let start = query.question_end();
    let mut brief = whole(simd, message, query, &body, front)?;
    let moved = move_pointers(message, start, &body, owner_skip) << odd(start);
    brief.sum = brief.sum.small(moved);
    Some(brief)
}

/// Writes a reply, apart from the pointers in its body.
#[inline(always)]
fn whole<S: Simd>(
    simd: S,
    message: &mut [u8],
    query: &Query,
    body: &Whole<'_>,
    front: Front,
) -> Option<Brief> {
    let has_opt = query.flags.has(QueryFlags::EDNS);
    let start = HEADER_LEN + usize::from(query.name_len) + 4;
    let end = start + body.len;
    let len = end + if has_opt { OPT_LEN } else { 0 };
    if len > message.len() {
        return None;
    }
    let mut sum = question_sum(simd, message, start);
    copy(&mut message[start..], body);
    sum = sum.small(u64::from(body.sum) << odd(start));
    if has_opt {
        let is_signed = query.flags.has(QueryFlags::DNSSEC_OK);
        let opt = opt::front(front.udp_size_max, 0, is_signed);
        let room: &mut [u8; OPT_LEN] = message[end..].first_chunk_mut()?;
        room[..8].copy_from_slice(&opt.to_le_bytes());
        room[8..].fill(0);
        sum = sum.small(((opt & 0xffff_ffff) + (opt >> 32)) << odd(end));
    }
    let mut counts = body.counts;
    counts[2] += u16::from(has_opt);
    let header = Header {
        authoritative: front.authoritative,
        truncated: false,
        rcode: front.rcode,
        has_question: true,
        counts,
    };
    sum = sum.plus(header.write(message.first_chunk_mut()?));
    Some(Brief { len, sum })
}

/// Bits to shift the sum of what begins at this offset: bytes at odd ones are the others of their
/// words (RFC 1071 §2 (B)).
fn odd(offset: usize) -> u32 {
    match offset % 2 {
        0 => 0,
        _ => 8,
    }
}

/// Copies the records; a block at once where there is one to read and room for it.
#[inline(always)]
fn copy(room: &mut [u8], whole: &Whole<'_>) {
    let blocks: (Option<&mut Block>, Option<&Block>) =
        (room.first_chunk_mut(), whole.records.first_chunk());
    match blocks {
        (Some(to), Some(from)) if whole.len <= BLOCK_LEN => *to = *from,
        _ => room[..whole.len].copy_from_slice(&whole.records[..whole.len]),
    }
}

/// The sum of the question, which ends at `end`.
#[inline(always)]
fn question_sum<S: Simd>(simd: S, message: &[u8], end: usize) -> Sum {
    let len = end - HEADER_LEN;
    match message[HEADER_LEN..].first_chunk() {
        Some(block) if len <= BLOCK_LEN => Sum::default().small(simd.checksum(block, len)),
        _ => Sum::default().bytes(&message[HEADER_LEN..end]),
    }
}

/// Sets the pointers of a woven body right; returns by how much this changes its sum.
///
/// It was compiled for a place behind the question of its owner. Where the question is longer, the
/// ends of its name lie as much further back as the body itself does; only a wildcard's own name,
/// which the question's stands for, stays where it is.
fn move_pointers(message: &mut [u8], start: usize, whole: &Whole<'_>, owner_skip: u8) -> u64 {
    let shift = start.wrapping_sub(whole.base);
    if shift == 0 {
        return 0;
    }
    let mut sum = 0;
    for patch in whole.patches {
        let (pointer, offset) = Pointer::patched(patch);
        let shift = match pointer {
            Pointer::Owner => usize::from(owner_skip),
            Pointer::Suffix | Pointer::Body => shift,
        };
        let Some(place) = message[start + offset..].first_chunk_mut() else {
            continue;
        };
        #[expect(clippy::cast_possible_truncation, reason = "a name's length at most")]
        let shift = shift as u16;
        *place = u16::from_be_bytes(*place).wrapping_add(shift).to_be_bytes();
        // A word whose first byte is at an even offset has it as the low one.
        sum += u64::from(shift) << (8 - odd(offset));
    }
    sum
}

//! The query as nearly all are, read without a walk.

use super::{Query, QueryFlags};
use crate::packet::{HEADER_LEN, NameKey, ShortName, code, edns, quad_at, word_at};
use crate::simd::{BLOCK_LEN, Block, Simd};

/// Bytes of a message that a usual query is read from: header, name, type, class, OPT record.
const USUAL_LEN: usize = HEADER_LEN + BLOCK_LEN + 4 + OPT_LEN;
/// Bytes of an OPT record without options (RFC 6891 §6.1.2).
const OPT_LEN: usize = 11;

/// A query as nearly all are: for records of class IN of a name that fits into a block, with no
/// other record than an OPT record. Any other is `None`.
#[inline(always)]
pub(super) fn read<S: Simd>(
    simd: S,
    room: &[u8],
    len: usize,
    key: &NameKey,
    query: &mut Query,
    name: &mut ShortName,
) -> Option<()> {
    let head: &[u8; USUAL_LEN] = room.first_chunk()?;
    // A query (QR, OPCODE), one question, no answer, no authority.
    const MASK: u64 = u64::from_le_bytes([0xf8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    const USUAL: u64 = u64::from_le_bytes([0, 0, 0, 1, 0, 0, 0, 0]);
    let block: &Block = head[HEADER_LEN..].first_chunk()?;
    let name_len = simd.first_zero(block) + 1;
    let end = HEADER_LEN + name_len + 4;
    if word_at(head, 2) & MASK != USUAL || name_len > BLOCK_LEN || end > len {
        return None;
    }
    let fixed = quad_at(head, HEADER_LEN + name_len).swap_bytes();
    let (qtype, qclass) = ((fixed >> 16) as u16, (fixed & 0xffff) as u16);
    // What is no type of records, is answered without looking for the name.
    if qclass != code::CLASS_IN || !(1..128).contains(&qtype) || qtype == code::OPT {
        return None;
    }
    let lowered = simd.lowered(block, name_len);
    name.set(lowered);
    let opt = match [head[10], head[11]] {
        [0, 0] => UsualOpt::NONE,
        [0, 1] if end + OPT_LEN <= len => usual_opt(head, end)?,
        _ => return None,
    };
    let (mut flags, mut options_start) = (opt.flags, 0);
    if opt.options_len != 0 {
        options_start = end + OPT_LEN;
        flags = flags.with(usual_options(room.get(..len)?, end, opt.options_len)?);
    }
    *query = Query {
        name_hash: key.hash_block(simd, &lowered, name_len),
        qtype,
        qclass,
        udp_size: opt.udp_size,
        options_len: opt.options_len,
        #[expect(clippy::cast_possible_truncation, reason = "at most a block's length")]
        options_start: options_start as u16,
        header_flags: [head[2], head[3]],
        #[expect(clippy::cast_possible_truncation, reason = "at most a block's length")]
        name_len: name_len as u8,
        flags: flags.with(QueryFlags::UNPROVEN),
        refusal: None,
        ..Query::NONE
    };
    Some(())
}

/// What the fixed fields of a usual query's OPT record say.
struct UsualOpt {
    flags: QueryFlags,
    udp_size: u16,
    options_len: u16,
}

impl UsualOpt {
    /// There is none.
    const NONE: Self = Self {
        flags: QueryFlags(0),
        udp_size: 512,
        options_len: 0,
    };
}

/// Reads the OPT record at `at`; `None` when it is none, or of another version.
#[inline(always)]
fn usual_opt(head: &[u8; USUAL_LEN], at: usize) -> Option<UsualOpt> {
    // Root, OPT, size, extended code, version; DO and other flags, length of the options.
    const MASK: u64 = u64::from_le_bytes([0xff, 0xff, 0xff, 0, 0, 0, 0xff, 0]);
    const USUAL: u64 = u64::from_le_bytes([0, 0, 41, 0, 0, 0, 0, 0]);
    let (front, back) = (word_at(head, at), quad_at(head, at + 7));
    let dnssec_ok = (front >> 63) as u8 * QueryFlags::DNSSEC_OK.0;
    (front & MASK == USUAL).then_some(UsualOpt {
        flags: QueryFlags(QueryFlags::EDNS.0 | dnssec_ok),
        // RFC 6891 §6.2.3: values below 512 are treated as 512.
        udp_size: ((front >> 24 & 0xffff) as u16).swap_bytes().max(512),
        options_len: ((back >> 16) as u16).swap_bytes(),
    })
}

/// Which options there are behind the OPT record's fixed fields at `at`.
fn usual_options(message: &[u8], at: usize, len: u16) -> Option<QueryFlags> {
    let start = at + OPT_LEN;
    edns::known(message.get(start..start + usize::from(len))?)
}

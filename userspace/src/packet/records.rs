//! The records behind a query's question: its OPT record is read, the others are stepped over.

use super::edns;
use super::{Query, QueryFlags, code};
use crate::telemetry::Rcode;

/// Walks the records that begin at `at`: `before` of the answer and authority sections, then the
/// additional ones. Bounded by the message's length.
///
/// With `Err`, what was read so far stays in `query`: the reply has an OPT record when the query
/// had one that could be read (RFC 6891 §7). Options are taken only out of a message that is whole.
pub(super) fn walk(
    message: &[u8],
    query: &mut Query,
    mut at: usize,
    before: u32,
    additionals: u16,
) -> Result<(), Rcode> {
    for _ in 0..before {
        let record = record(message, at).ok_or(Rcode::FormErr)?;
        at = record.end;
        // RFC 6891 §6.1.1, RFC 8945 §5.1: both belong into the additional section.
        if matches!(record.rtype, code::OPT | code::TSIG) {
            return Err(Rcode::FormErr);
        }
    }
    let mut opt = None;
    let mut is_signed = false;
    for behind in (0..additionals).rev() {
        let record = record(message, at).ok_or(Rcode::FormErr)?;
        at = record.end;
        match record.rtype {
            code::OPT => opt = Some(read_opt(query, record)?),
            // RFC 8945 §5.1: the last record, or a format error.
            code::TSIG if behind != 0 || record.class != code::CLASS_ANY => {
                return Err(Rcode::FormErr);
            }
            code::TSIG => is_signed = true,
            _ => {}
        }
    }
    if let Some(opt) = opt {
        // RFC 6891 §6.1.3. What options look like in other versions, nobody knows.
        if opt.ttl >> 16 & 0xff != 0 {
            return Err(Rcode::BadVers);
        }
        read_options(query, message, &opt)?;
    }
    // RFC 8945 §5.2.1: no key is known.
    if is_signed {
        return Err(Rcode::NotAuth);
    }
    Ok(())
}

/// Takes over what the OPT record's fixed fields say.
fn read_opt(query: &mut Query, opt: RecordFields) -> Result<RecordFields, Rcode> {
    // RFC 6891 §6.1.1: more than one OPT, or one whose owner is not the root: FORMERR.
    if query.flags.has(QueryFlags::EDNS) || !opt.root_owner {
        return Err(Rcode::FormErr);
    }
    query.flags = query.flags.with(QueryFlags::EDNS);
    if opt.ttl & 0x8000 != 0 {
        query.flags = query.flags.with(QueryFlags::DNSSEC_OK);
    }
    // RFC 6891 §6.2.3: values below 512 are treated as 512.
    query.udp_size = opt.class.max(512);
    Ok(opt)
}

/// Notes which options there are, and where.
fn read_options(query: &mut Query, message: &[u8], opt: &RecordFields) -> Result<(), Rcode> {
    let data = &message[opt.data_start..opt.end];
    if data.is_empty() {
        return Ok(());
    }
    let known = edns::known(data).ok_or(Rcode::FormErr)?;
    query.flags = query.flags.with(known);
    query.options_start = u16::try_from(opt.data_start).unwrap_or(0);
    query.options_len = u16::try_from(data.len()).unwrap_or(0);
    Ok(())
}

/// A record's fixed fields and its place.
struct RecordFields {
    root_owner: bool,
    rtype: u16,
    class: u16,
    ttl: u32,
    data_start: usize,
    end: usize,
}

/// Reads the record at `at`; `None` when it runs over the message's end.
fn record(message: &[u8], at: usize) -> Option<RecordFields> {
    let name_end = skip_name(message, at)?;
    let fixed: &[u8; 10] = message.get(name_end..)?.first_chunk()?;
    let data_start = name_end + 10;
    let end = data_start + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    (end <= message.len()).then_some(RecordFields {
        root_owner: name_end == at + 1,
        rtype: u16::from_be_bytes([fixed[0], fixed[1]]),
        class: u16::from_be_bytes([fixed[2], fixed[3]]),
        ttl: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        data_start,
        end,
    })
}

/// Offset behind `count` questions that begin at `at`; `None` when they run over the end.
pub(super) fn skip_questions(message: &[u8], mut at: usize, count: u16) -> Option<usize> {
    for _ in 0..count {
        at = skip_name(message, at)? + 4;
    }
    (at <= message.len()).then_some(at)
}

/// Offset behind the possibly compressed name at `at`. Pointers are stepped over, never followed.
fn skip_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            0xc0.. => return Some(at + 2),
            _ => return None,
        }
    }
}

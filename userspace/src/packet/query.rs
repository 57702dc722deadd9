//! A DNS message → the small value that says what it asks.

use super::{HEADER_LEN, NAME_LEN_MAX, NameKey, code};
use crate::answer::Wanted;
use crate::telemetry::{Discard, Rcode};

/// A query: offsets and numbers, no borrows, so that the reply may be written over its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// Keyed hash of the name.
    pub name_hash: u64,
    /// QTYPE.
    pub qtype: u16,
    /// QCLASS.
    pub qclass: u16,
    /// The requestor's UDP payload size (RFC 6891 §6.2.3); 512 without EDNS.
    pub udp_size: u16,
    /// Bytes of QNAME, which begins at byte 12, its root label included; 0 when there is no
    /// readable question, and then the reply has none.
    pub name_len: u8,
    /// What else it asked for.
    pub flags: QueryFlags,
    /// The query is answered with this code at once, without looking anything up.
    pub refusal: Option<Rcode>,
}

impl Query {
    /// Offset of the first byte behind the question, from the message's: a reply's body begins
    /// here.
    pub fn question_end(&self) -> usize {
        match self.name_len {
            0 => HEADER_LEN,
            len => HEADER_LEN + usize::from(len) + 4,
        }
    }

    /// What is asked of QNAME.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            qtype: self.qtype,
            dnssec: self.flags.has(QueryFlags::DNSSEC_OK),
        }
    }

    /// Where QNAME lies in the message.
    pub fn name(&self) -> std::ops::Range<usize> {
        HEADER_LEN..HEADER_LEN + usize::from(self.name_len)
    }
}

/// Bits that a query carries beside its question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryFlags(u8);

impl QueryFlags {
    /// There is an OPT record (RFC 6891).
    pub const EDNS: Self = Self(1);
    /// DNSSEC records are wanted (RFC 3225).
    pub const DNSSEC_OK: Self = Self(2);

    /// Whether all of `flags` are set.
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Both sets of flags.
    pub const fn with(self, flags: Self) -> Self {
        Self(self.0 | flags.0)
    }
}

/// Reads a message.
///
/// `Err`: it gets no answer. `Ok` with `refusal`: it gets that code.
pub fn parse(message: &[u8], key: &NameKey) -> Result<Query, Discard> {
    let header: &[u8; HEADER_LEN] = message.first_chunk().ok_or(Discard::ShortMessage)?;
    // RFC 1035 §4.1.1: the first bit says query (0) or response (1).
    if header[2] & 0x80 != 0 {
        return Err(Discard::Response);
    }
    if header[2] & 0x78 != 0 {
        return Ok(refused(Rcode::NotImp));
    }
    let [questions, answers, authorities, additionals] =
        [4, 6, 8, 10].map(|at| u16::from_be_bytes([header[at], header[at + 1]]));
    if questions != 1 {
        return Ok(refused(Rcode::FormErr));
    }
    let Some(mut query) = question(message, key) else {
        return Ok(refused(Rcode::FormErr));
    };
    if answers | authorities | additionals != 0 {
        let before = u32::from(answers) + u32::from(authorities);
        query.refusal = records(message, &mut query, before, additionals).err();
    }
    Ok(query)
}

/// A query that is answered with a bare header.
fn refused(rcode: Rcode) -> Query {
    Query {
        name_hash: 0,
        qtype: 0,
        qclass: 0,
        udp_size: 512,
        name_len: 0,
        flags: QueryFlags::default(),
        refusal: Some(rcode),
    }
}

/// Reads the question; `None` when it is malformed. Compression is not allowed here.
fn question(message: &[u8], key: &NameKey) -> Option<Query> {
    let name_len = name_len(message, HEADER_LEN)?;
    let end = HEADER_LEN + name_len;
    let fixed: &[u8; 4] = message.get(end..)?.first_chunk()?;
    Some(Query {
        name_hash: key.hash(&message[HEADER_LEN..end]),
        qtype: u16::from_be_bytes([fixed[0], fixed[1]]),
        qclass: u16::from_be_bytes([fixed[2], fixed[3]]),
        udp_size: 512,
        name_len: u8::try_from(name_len).ok()?,
        flags: QueryFlags::default(),
        refusal: None,
    })
}

/// Bytes of the uncompressed name at `start`, its root label included.
fn name_len(message: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let label_len = usize::from(*message.get(at)?);
        at += 1 + label_len;
        // RFC 1035 §3.1: labels of at most 63 bytes, names of at most 255.
        if label_len > 63 || at - start > NAME_LEN_MAX {
            return None;
        }
        if label_len == 0 {
            return Some(at - start);
        }
    }
}

/// Walks the records behind the question for the OPT record. Bounded by the message's length.
fn records(message: &[u8], query: &mut Query, before: u32, additionals: u16) -> Result<(), Rcode> {
    let mut at = query.question_end();
    for _ in 0..before {
        at = record(message, at).ok_or(Rcode::FormErr)?.end;
    }
    let mut version = 0;
    for _ in 0..additionals {
        let record = record(message, at).ok_or(Rcode::FormErr)?;
        at = record.end;
        if record.rtype != code::OPT {
            continue;
        }
        // RFC 6891 §6.1.1: more than one OPT, or one whose owner is not the root: FORMERR.
        if query.flags.has(QueryFlags::EDNS) || !record.root_owner {
            return Err(Rcode::FormErr);
        }
        query.flags = query.flags.with(QueryFlags::EDNS);
        if record.ttl & 0x8000 != 0 {
            query.flags = query.flags.with(QueryFlags::DNSSEC_OK);
        }
        // RFC 6891 §6.2.3: values below 512 are treated as 512.
        query.udp_size = record.class.max(512);
        version = record.ttl >> 16 & 0xff;
        options(&message[record.data_start..record.end])?;
    }
    if version != 0 {
        return Err(Rcode::BadVers);
    }
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

/// Walks the EDNS options (RFC 6891 §6.1.2): unknown ones are ignored, torn ones are not.
fn options(mut data: &[u8]) -> Result<(), Rcode> {
    while !data.is_empty() {
        let fixed: &[u8; 4] = data.first_chunk().ok_or(Rcode::FormErr)?;
        let len = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        data = data.get(4 + len..).ok_or(Rcode::FormErr)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: fn() -> NameKey = || NameKey::new([1, 2, 3]);

    /// A query for `www.example.com. A`, with `counts` in its header and `rest` behind the
    /// question.
    fn message(counts: [u16; 4], rest: &[u8]) -> Vec<u8> {
        let mut message = vec![0x12, 0x34, 1, 0];
        message.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        message.extend(b"\x03www\x07example\x03com\0\0\x01\0\x01");
        message.extend(rest);
        message
    }

    fn refusal(message: &[u8]) -> Option<Rcode> {
        parse(message, &KEY()).unwrap().refusal
    }

    const OPT: &[u8] = b"\0\0\x29\x10\0\0\0\x80\0\0\0";

    #[test]
    fn reads_a_plain_question() {
        let message = message([1, 0, 0, 0], b"");
        let query = parse(&message, &KEY()).unwrap();
        assert_eq!((query.qtype, query.qclass, query.name_len), (1, 1, 17));
        assert_eq!(query.question_end(), message.len());
        assert_eq!(&message[query.name()], b"\x03www\x07example\x03com\0");
        assert_eq!(
            (query.flags, query.udp_size, query.refusal),
            (QueryFlags::default(), 512, None)
        );
    }

    #[test]
    fn reads_the_opt_record() {
        let query = parse(&message([1, 0, 0, 1], OPT), &KEY()).unwrap();
        assert!(query.flags.has(QueryFlags::EDNS) && query.flags.has(QueryFlags::DNSSEC_OK));
        assert_eq!((query.udp_size, query.refusal), (4096, None));
    }

    #[test]
    fn finds_the_opt_record_behind_others() {
        let rest = [
            b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x01\x02\x03\x04".as_slice(),
            OPT,
        ]
        .concat();
        for counts in [[1, 1, 0, 1], [1, 0, 1, 1], [1, 0, 0, 2]] {
            let query = parse(&message(counts, &rest), &KEY()).unwrap();
            assert_eq!((query.udp_size, query.refusal), (4096, None));
        }
    }

    #[test]
    fn a_response_and_a_torn_header_get_no_answer() {
        let mut message = message([1, 0, 0, 0], b"");
        assert_eq!(parse(&message[..11], &KEY()), Err(Discard::ShortMessage));
        message[2] |= 0x80;
        assert_eq!(parse(&message, &KEY()), Err(Discard::Response));
    }

    #[test]
    fn other_opcodes_are_not_implemented() {
        for opcode in 1..16u8 {
            let mut message = message([1, 0, 0, 0], b"");
            message[2] = opcode << 3;
            assert_eq!(refusal(&message), Some(Rcode::NotImp));
        }
    }

    #[test]
    fn malformed_questions_are_format_errors() {
        for count in [0, 2, 65535] {
            assert_eq!(
                refusal(&message([count, 0, 0, 0], b"")),
                Some(Rcode::FormErr)
            );
        }
        let whole = message([1, 0, 0, 0], b"");
        for len in HEADER_LEN..whole.len() {
            assert_eq!(refusal(&whole[..len]), Some(Rcode::FormErr), "cut at {len}");
        }
        for label in [64, 0x80, 0xc0] {
            let mut message = whole.clone();
            message[HEADER_LEN] = label;
            assert_eq!(refusal(&message), Some(Rcode::FormErr), "label {label}");
        }
    }

    #[test]
    fn names_may_have_255_bytes_and_no_more() {
        let with_name = |labels: &[usize]| {
            let mut message = whole_header();
            for &len in labels {
                message.push(u8::try_from(len).unwrap());
                message.extend(std::iter::repeat_n(b'a', len));
            }
            message.extend(b"\0\0\x01\0\x01");
            message
        };
        assert_eq!(
            parse(&with_name(&[63, 63, 63, 61]), &KEY())
                .unwrap()
                .name_len,
            255
        );
        assert_eq!(refusal(&with_name(&[63, 63, 63, 62])), Some(Rcode::FormErr));
    }

    fn whole_header() -> Vec<u8> {
        message([1, 0, 0, 0], b"")[..HEADER_LEN].to_vec()
    }

    #[test]
    fn a_second_opt_a_torn_option_and_a_missing_record_are_format_errors() {
        assert_eq!(
            refusal(&message([1, 0, 0, 2], &[OPT, OPT].concat())),
            Some(Rcode::FormErr)
        );
        assert_eq!(refusal(&message([1, 0, 0, 2], OPT)), Some(Rcode::FormErr));
        let torn = b"\0\0\x29\x10\0\0\0\0\0\0\x05\0\x0a\0\x08\x01";
        assert_eq!(refusal(&message([1, 0, 0, 1], torn)), Some(Rcode::FormErr));
        let owned = b"\xc0\x0c\0\x29\x10\0\0\0\0\0\0\0";
        assert_eq!(refusal(&message([1, 0, 0, 1], owned)), Some(Rcode::FormErr));
    }

    #[test]
    fn an_unknown_edns_version_is_told_so_and_keeps_its_question() {
        let query = parse(
            &message([1, 0, 0, 1], b"\0\0\x29\x10\0\0\x01\0\0\0\0"),
            &KEY(),
        )
        .unwrap();
        assert_eq!((query.refusal, query.name_len), (Some(Rcode::BadVers), 17));
    }

    #[test]
    fn small_udp_sizes_count_as_512() {
        let query = parse(
            &message([1, 0, 0, 1], b"\0\0\x29\0\x64\0\0\0\0\0\0"),
            &KEY(),
        )
        .unwrap();
        assert_eq!(query.udp_size, 512);
    }
}

//! A DNS message → the small value that says what it asks.

mod usual;

use super::cookie::CookieState;
use super::{HEADER_LEN, NameKey, ShortName, records};
use crate::answer::Wanted;
use crate::name;
use crate::simd::Simd;
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
    /// Where the options of the OPT record begin in the message; they are read there, when there
    /// are any that the server knows, so that no other query is the longer for them.
    pub options_start: u16,
    /// Bytes of options.
    pub options_len: u16,
    /// Bytes 2 and 3 of the header: the opcode and the flags (RFC 1035 §4.1.1, RFC 2535 §6.1).
    pub header_flags: [u8; 2],
    /// Bytes of QNAME, which begins at byte 12, its root label included; 0 when there is no
    /// readable question, and then the reply has none.
    pub name_len: u8,
    /// What else it asked for.
    pub flags: QueryFlags,
    /// The query is answered with this code at once, without looking anything up.
    pub refusal: Option<Rcode>,
    /// What its cookie is worth.
    pub cookie: CookieState,
}

impl Query {
    /// No query.
    pub(crate) const NONE: Self = refused(Rcode::ServFail);

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

    /// Where the options lie in the message.
    pub fn options(&self) -> std::ops::Range<usize> {
        let start = usize::from(self.options_start);
        start..start + usize::from(self.options_len)
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
    /// The server's identifier is wanted (RFC 5001).
    pub const NSID: Self = Self(4);
    /// There is a cookie (RFC 7873).
    pub const COOKIE: Self = Self(8);
    /// There is a client subnet (RFC 7871).
    pub const SUBNET: Self = Self(16);
    /// The idle timeout of the connection is wanted (RFC 7828).
    pub const KEEPALIVE: Self = Self(32);
    /// The name's labels have not been walked: that it ends at its first zero byte is a guess,
    /// which finding it in a zone proves right.
    pub const UNPROVEN: Self = Self(64);
    /// The client's network has had its share: it gets no records, but the TC bit.
    pub const SLIPPED: Self = Self(128);
    /// All options that the server knows.
    pub const OPTIONS: Self = Self(4 | 8 | 16 | 32);

    /// As a number.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From such a number.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Whether all of `flags` are set.
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Whether any of `flags` is set.
    pub const fn any(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// The flags that are not in `flags`.
    pub const fn without(self, flags: Self) -> Self {
        Self(self.0 & !flags.0)
    }

    /// Both sets of flags.
    pub const fn with(self, flags: Self) -> Self {
        Self(self.0 | flags.0)
    }
}

/// Reads the message of `len` bytes that `room` begins with into `query`. As `parse`, but the
/// labels of a usual query's name are not walked: see `prove`. Then `name` is that name.
///
/// Written where it stays: a query that is moved is waited for, field by field.
#[inline(always)]
pub fn read<S: Simd>(
    simd: S,
    room: &[u8],
    len: usize,
    key: &NameKey,
    query: &mut Query,
    name: &mut ShortName,
) -> Result<(), Discard> {
    if usual::read(simd, room, len, key, query, name).is_none() {
        *query = parse(room.get(..len).ok_or(Discard::ShortFrame)?, key)?;
    }
    Ok(())
}

/// Walks the labels of a name that was not found where it was guessed to end. False: the query was
/// another one, and is now as `parse` reads it.
#[inline(never)]
pub fn prove(query: &mut Query, message: &[u8], key: &NameKey) -> bool {
    query.flags = query.flags.without(QueryFlags::UNPROVEN);
    if name::wire_len(&message[HEADER_LEN..]) == Some(usize::from(query.name_len)) {
        return true;
    }
    if let Ok(parsed) = parse(message, key) {
        *query = parsed;
    }
    false
}

/// Reads a message.
///
/// `Err`: it gets no answer. `Ok` with `refusal`: it gets that code.
pub fn parse(message: &[u8], key: &NameKey) -> Result<Query, Discard> {
    let header: &[u8; HEADER_LEN] = message.first_chunk().ok_or(Discard::ShortMessage)?;
    let mut query = parse_behind(header, message, key)?;
    query.header_flags = [header[2], header[3]];
    Ok(query)
}

fn parse_behind(
    header: &[u8; HEADER_LEN],
    message: &[u8],
    key: &NameKey,
) -> Result<Query, Discard> {
    // RFC 1035 §4.1.1: the first bit says query (0) or response (1).
    if header[2] & 0x80 != 0 {
        return Err(Discard::Response);
    }
    let [questions, answers, authorities, additionals] =
        [4, 6, 8, 10].map(|at| u16::from_be_bytes([header[at], header[at + 1]]));
    let before = u32::from(answers) + u32::from(authorities);
    if questions != 1 || header[2] & OPCODE != 0 {
        return Ok(unusual(message, key, questions, before, additionals));
    }
    let Some(mut query) = question(message, key) else {
        return Ok(refused(Rcode::FormErr));
    };
    if before != 0 || additionals != 0 {
        let start = query.question_end();
        // A copy, so that a query without records stays in registers.
        let mut walked = query;
        walked.refusal = records::walk(message, &mut walked, start, before, additionals).err();
        query = walked;
    }
    Ok(query)
}

/// OPCODE in the third byte of the header.
const OPCODE: u8 = 0x78;

/// Another opcode is not implemented, and one question is what a query has (RFC 9619). The reply
/// repeats the question where there is one, and has an OPT record where the query had a readable
/// one (RFC 6891 §7).
#[cold]
fn unusual(message: &[u8], key: &NameKey, questions: u16, before: u32, additionals: u16) -> Query {
    // RFC 8906 §3.1.4: an unknown opcode says nothing of the rest, so NOTIMP goes before FORMERR.
    let rcode = match message[2] & OPCODE {
        0 => Rcode::FormErr,
        _ => Rcode::NotImp,
    };
    let question = (questions == 1).then(|| question(message, key)).flatten();
    let start = match (&question, questions) {
        (Some(query), _) => Some(query.question_end()),
        (None, 1) => None,
        _ => records::skip_questions(message, HEADER_LEN, questions),
    };
    let mut query = question.unwrap_or(refused(rcode));
    if let Some(start) = start {
        // That they cannot be read changes nothing.
        let _ = records::walk(message, &mut query, start, before, additionals);
    }
    query.refusal = Some(rcode);
    query
}

/// A query that is answered with a bare header.
const fn refused(rcode: Rcode) -> Query {
    Query {
        name_hash: 0,
        qtype: 0,
        qclass: 0,
        udp_size: 512,
        options_start: 0,
        options_len: 0,
        header_flags: [0; 2],
        name_len: 0,
        flags: QueryFlags(0),
        refusal: Some(rcode),
        cookie: CookieState::Absent,
    }
}

/// Reads the question; `None` when it is malformed. Compression is not allowed here.
fn question(message: &[u8], key: &NameKey) -> Option<Query> {
    let name_len = name::wire_len(message.get(HEADER_LEN..)?)?;
    let end = HEADER_LEN + name_len;
    let fixed: &[u8; 4] = message.get(end..)?.first_chunk()?;
    Some(Query {
        name_hash: key.hash(&message[HEADER_LEN..end]),
        qtype: u16::from_be_bytes([fixed[0], fixed[1]]),
        qclass: u16::from_be_bytes([fixed[2], fixed[3]]),
        udp_size: 512,
        options_start: 0,
        options_len: 0,
        header_flags: [0; 2],
        name_len: u8::try_from(name_len).ok()?,
        flags: QueryFlags::default(),
        refusal: None,
        cookie: CookieState::Absent,
    })
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

    /// A row of the turn's table: it is written and read for every packet.
    #[test]
    fn a_query_is_small() {
        assert!(size_of::<Query>() <= 24, "{} bytes", size_of::<Query>());
    }

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

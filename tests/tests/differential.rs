//! The query parser against hickory-proto's, on messages that mean no good. (What the server writes
//! is read by hickory-proto in every other test: see `tests::decoded`.)

use hickory_proto::op::{Message, MessageType, OpCode};
use proptest::prelude::*;
use ripples::packet::{NameKey, Query, QueryFlags, query};
use ripples::telemetry::{Discard, Rcode};
use tests::cases;
use tests::hostile::{Bytes, messages};
use tests::name::Name;

/// Why the two may differ about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// hickory follows compression pointers in questions; RFC 9619 or not, nobody sends any, and a
    /// reply is written behind a question that is whole.
    PointerInQuestion,
    /// hickory reads the data of the records behind the question; the server steps over them.
    RecordData,
    /// hickory takes any number of questions, any opcode and any version of EDNS.
    Policy,
    /// hickory drops the options of an OPT record that ends within one; the server minds.
    TornOption,
}

proptest! {
    #![proptest_config(cases(30_000))]

    #[test]
    fn the_parser_agrees_with_hickory_proto(Bytes(message) in messages()) {
        let ours = query::parse(&message, &NameKey::new([1, 2, 3]));
        let theirs = Message::from_vec(&message);
        let agreed = compare(&message, ours, theirs.as_ref().ok());
        prop_assert!(agreed.is_ok(), "{ours:?} and {theirs:?}: {}", agreed.unwrap_err());
    }
}

/// `Ok` with what explains a difference, if there is one; `Err` with what does not.
fn compare(
    message: &[u8],
    ours: Result<Query, Discard>,
    theirs: Option<&Message>,
) -> Result<Option<Reason>, String> {
    let query = match (ours, theirs) {
        (Err(Discard::ShortMessage), None) => return Ok(None),
        (Err(Discard::Response), None) => return Ok(None),
        (Err(Discard::Response), Some(theirs)) => {
            let is_response = theirs.metadata.message_type == MessageType::Response;
            return is_response
                .then_some(None)
                .ok_or("hickory sees a query".into());
        }
        (Err(reason), _) => return Err(format!("discarded as {reason:?}")),
        (Ok(query), _) => query,
    };
    match (query.refusal, theirs) {
        (None, Some(theirs)) => equal(&query, theirs).map(|()| None),
        (None, None) if message[6..12] != [0; 6] => Ok(Some(Reason::RecordData)),
        (None, None) => Err("hickory refuses a plain question".into()),
        (Some(_), None) => Ok(None),
        (Some(refusal), Some(theirs)) => refused(message, &query, refusal, theirs).map(Some),
    }
}

/// Both took the message: they read the same.
fn equal(query: &Query, theirs: &Message) -> Result<(), String> {
    let [question] = &theirs.queries[..] else {
        return Err(format!("hickory sees {} questions", theirs.queries.len()));
    };
    let name = Name::of(question.name().iter());
    let same_question = (query.qtype, query.qclass)
        == (question.query_type().into(), question.query_class().into())
        && usize::from(query.name_len) == name.wire_len();
    let (has_edns, size, dnssec_ok) = match &theirs.edns {
        None => (false, 512, false),
        Some(edns) => (true, edns.max_payload().max(512), edns.flags().dnssec_ok),
    };
    let same_edns = query.flags.has(QueryFlags::EDNS) == has_edns
        && query.flags.has(QueryFlags::DNSSEC_OK) == dnssec_ok
        && query.udp_size == size;
    match (same_question, same_edns) {
        (true, true) => Ok(()),
        (false, _) => Err("they read different questions".into()),
        (_, false) => Err("they read different OPT records".into()),
    }
}

/// Only hickory took the message: there must be a reason.
fn refused(
    message: &[u8],
    query: &Query,
    refusal: Rcode,
    theirs: &Message,
) -> Result<Reason, String> {
    match refusal {
        Rcode::NotImp if theirs.metadata.op_code != OpCode::Query => Ok(Reason::Policy),
        Rcode::BadVers if theirs.version() != 0 => Ok(Reason::Policy),
        Rcode::FormErr if theirs.queries.len() != 1 => Ok(Reason::Policy),
        Rcode::FormErr if query.name_len == 0 && has_pointer(&message[12..]) => {
            Ok(Reason::PointerInQuestion)
        }
        Rcode::FormErr if theirs.edns.is_some() && query.flags.has(QueryFlags::EDNS) => {
            Ok(Reason::TornOption)
        }
        _ => Err(format!("{refusal:?}, and nothing that hickory minds")),
    }
}

/// Whether the name has a compression pointer in it.
fn has_pointer(mut name: &[u8]) -> bool {
    while let [len @ 1..=63, rest @ ..] = name {
        name = rest.get(usize::from(*len)..).unwrap_or_default();
    }
    name.first().is_some_and(|&byte| byte >= 0xc0)
}

#[test]
fn every_explanation_is_needed() {
    let plain = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x03www\0\0\x01\0\x01";
    let opt = b"\0\0\x29\x04\xd0\0\0\0\0\0\0";
    let with = |counts: [u8; 2], opcode: u8, behind: &[u8]| {
        let mut message = plain.to_vec();
        (message[5], message[11]) = (counts[0], counts[1]);
        message[2] = opcode << 3;
        message.extend(behind);
        message
    };
    let mut version = opt.to_vec();
    version[6] = 1;
    let pointer = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x01a\xc0\x06\0\x01\0\x01".to_vec();
    for (message, reason) in [
        (with([1, 0], 0, b""), None),
        (with([1, 1], 0, opt), None),
        (with([0, 0], 0, b""), Some(Reason::Policy)),
        (with([1, 0], 4, b""), Some(Reason::Policy)),
        (with([1, 1], 0, &version), Some(Reason::Policy)),
        (pointer, Some(Reason::PointerInQuestion)),
        // An A record of three bytes.
        (
            with([1, 1], 0, b"\0\0\x01\0\x01\0\0\0\0\0\x03abc"),
            Some(Reason::RecordData),
        ),
        // One option, and the beginning of another.
        (
            with(
                [1, 1],
                0,
                b"\0\0\x29\x04\xd0\0\0\0\0\0\x08\0\x0a\0\x02\x01\x02\0\0",
            ),
            Some(Reason::TornOption),
        ),
    ] {
        let ours = query::parse(&message, &NameKey::new([1, 2, 3]));
        let theirs = Message::from_vec(&message);
        let found = compare(&message, ours, theirs.as_ref().ok());
        assert_eq!(found, Ok(reason), "{ours:?} and {theirs:?}");
    }
}

//! The queries of RFC 8906 §8 and the reaction that is expected to each, over every transport.
//! Behind them, what §3 says of types and flags.

use ripples::packet::reply::Transport;
use ripples::snapshot::Snapshot;
use tests::answers::{by_udp, everywhere, reply, world};
use tests::ask::{Ask, AskEdns};
use tests::decoded::Decoded;
use tests::name::Name;
use tests::record::rtype;

const NOERROR: u16 = 0;
const NOTIMP: u16 = 4;
const BADVERS: u16 = 16;

/// Options that the queries carry.
const NSID: u16 = 3;
const SUBNET: u16 = 8;
const EXPIRE: u16 = 9;
const COOKIE: u16 = 10;
const UNKNOWN: u16 = 100;

/// A query and the reaction to it.
struct Row {
    /// The section of RFC 8906, and its title.
    title: &'static str,
    query: Vec<u8>,
    rcode: u16,
    /// SOA records in the answer section.
    soa: usize,
    aa: bool,
    rd: bool,
    /// EDNS in the reply, and then DO.
    edns: Option<bool>,
}

/// §8.1: without EDNS.
fn basic() -> Vec<Row> {
    let soa = || Ask::new(Name::parse("example"), rtype::SOA);
    let with = |change: fn(&mut Ask)| {
        let mut ask = soa();
        change(&mut ask);
        ask.message()
    };
    let header = |bits: [u8; 2]| {
        let mut message = soa().message();
        message[2] |= bits[0];
        message[3] |= bits[1];
        message
    };
    let answered = |title, query| Row {
        title,
        query,
        rcode: NOERROR,
        soa: 1,
        aa: true,
        rd: false,
        edns: None,
    };
    vec![
        answered(
            "8.1.1 is the server configured for the zone",
            soa().message(),
        ),
        Row {
            soa: 0,
            ..answered("8.1.2 unknown types", with(|ask| ask.qtype = 1000))
        },
        answered("8.1.3.1 CD=1", with(|ask| ask.cd = true)),
        answered("8.1.3.2 AD=1", header([0, 0x20])),
        answered("8.1.3.3 reserved bit", header([0, 0x40])),
        Row {
            rd: true,
            ..answered("8.1.3.4 recursive query", with(|ask| ask.rd = true))
        },
        Row {
            rcode: NOTIMP,
            soa: 0,
            aa: false,
            ..answered(
                "8.1.4 unknown opcodes",
                b"\x12\x34\x78\0\0\0\0\0\0\0\0\0".to_vec(),
            )
        },
        answered("8.1.5 TCP: `everywhere` asks by TCP, too", soa().message()),
    ]
}

/// §8.2: with EDNS.
fn extended() -> Vec<Row> {
    let soa = |change: fn(&mut AskEdns)| {
        let mut ask = Ask::new(Name::parse("example"), rtype::SOA).edns(1232);
        ask.edns.as_mut().into_iter().for_each(change);
        ask
    };
    // Behind the question: the OPT record's flags.
    let flags = |ask: Ask, bits: u8| {
        let mut message = ask.message();
        let at = message.len() - 3;
        message[at] |= bits;
        message
    };
    let answered = |title, query| Row {
        title,
        query,
        rcode: NOERROR,
        soa: 1,
        aa: true,
        rd: false,
        edns: Some(false),
    };
    let unknown_version = |title, query| Row {
        rcode: BADVERS,
        soa: 0,
        aa: false,
        ..answered(title, query)
    };
    let version_1: fn(&mut AskEdns) = |edns| edns.version = 1;
    let many = soa(|_| ())
        .option(COOKIE, b"12345678")
        .option(NSID, b"")
        .option(EXPIRE, b"")
        .option(SUBNET, b"\0\x01\0\0");
    vec![
        answered("8.2.1 minimal EDNS", soa(|_| ()).message()),
        unknown_version("8.2.2 version negotiation", soa(version_1).message()),
        answered(
            "8.2.3 unknown options",
            soa(|_| ()).option(UNKNOWN, b"").message(),
        ),
        answered("8.2.4 unknown flags", flags(soa(|_| ()), 0x40)),
        unknown_version("8.2.5 version, unknown flags", flags(soa(version_1), 0x40)),
        unknown_version(
            "8.2.6 version, unknown options",
            soa(version_1).option(UNKNOWN, b"").message(),
        ),
        Row {
            edns: Some(true),
            ..answered("8.2.8 DO=1", soa(|edns| edns.dnssec_ok = true).message())
        },
        Row {
            edns: Some(true),
            ..unknown_version(
                "8.2.9 version, DO=1",
                soa(|edns| (edns.version, edns.dnssec_ok) = (1, true)).message(),
            )
        },
        answered("8.2.10 multiple defined options", many.message()),
    ]
}

#[test]
fn every_query_without_edns_gets_the_expected_reaction() {
    basic().iter().for_each(|row| check(row, &world()));
}

#[test]
fn every_query_with_edns_gets_the_expected_reaction() {
    extended().iter().for_each(|row| check(row, &world()));
}

fn check(row: &Row, world: &Snapshot) {
    let title = row.title;
    let reply = everywhere(world, &row.query);
    let reserved = reply.as_ref().map(|reply| reply[3] & 0xc0);
    assert_eq!(
        reserved,
        Some(0),
        "{title}: no reply, RA, or the reserved bit"
    );
    let reply = Decoded::of(reply);
    let soa = reply
        .answer()
        .iter()
        .filter(|record| record.rtype == rtype::SOA);
    assert_eq!(soa.count(), row.soa, "{title}: {reply:?}");
    assert_eq!(reply.answer().len(), row.soa, "{title}: {reply:?}");
    assert_eq!(
        (reply.rcode, reply.aa, reply.rd, reply.ad),
        (row.rcode, row.aa, row.rd, false),
        "{title}"
    );
    let edns = reply.edns.as_ref();
    assert_eq!(edns.map(|edns| edns.dnssec_ok), row.edns, "{title}");
    if let Some(edns) = edns {
        assert_eq!((edns.version, edns.z), (0, 0), "{title}");
        assert_eq!(edns.option(UNKNOWN), None, "{title}");
        assert_eq!(edns.option(EXPIRE), None, "{title}");
    }
}

/// §8.2.7: a reply that does not fit keeps its OPT record.
#[test]
fn a_truncated_reply_has_its_opt_record() {
    let mut ask = Ask::new(Name::parse("many.large.test"), rtype::AAAA).edns(512);
    ask.edns.as_mut().unwrap().dnssec_ok = true;
    let reply = by_udp(&world(), &ask.message()).unwrap();
    let reply = Decoded::read(&reply).unwrap();
    assert_eq!((reply.rcode, reply.tc), (NOERROR, true));
    let edns = reply.edns.unwrap();
    assert_eq!((edns.version, edns.dnssec_ok), (0, true));
}

/// §3.1.1, §3.1.2: any type and any flag get a reply.
#[test]
fn every_type_and_every_header_bit_get_a_reply() {
    let world = world();
    let mut ask = Ask::new(Name::parse("example"), 0);
    for qtype in 0..=u16::MAX {
        ask.qtype = qtype;
        let query = ask.message();
        // All by one transport; the rest of the tests see that the others do the same.
        let reply = reply(&world, &query, Transport::Udp);
        let reply = reply.unwrap_or_else(|| panic!("TYPE{qtype}: no reply"));
        let expected = if matches!(qtype, 251 | 252) { 5 } else { 0 };
        assert_eq!(reply[3] & 0x0f, expected, "TYPE{qtype}");
    }
    ask.qtype = rtype::SOA;
    for bits in 0..=u16::MAX {
        let mut query = ask.message();
        query[2..4].copy_from_slice(&bits.to_be_bytes());
        let is_response = bits & 0x8000 != 0;
        let reply = reply(&world, &query, Transport::Tcp);
        assert_eq!(reply.is_none(), is_response, "{bits:04x}");
        let Some(reply) = reply else { continue };
        let rcode = if bits & 0x7800 == 0 { 0 } else { 4 };
        let aa = if rcode == 0 { 0x0400 } else { 0 };
        // OPCODE and RD come back; RA, the reserved bit, AD and CD are clear (RFC 4035 §3.1.6).
        let expected = 0x8000 | bits & 0x7900 | aa | rcode;
        assert_eq!(reply[2..4], expected.to_be_bytes(), "{bits:04x}");
    }
}

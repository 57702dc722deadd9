//! EDNS options: what each is answered with, and when (RFC 5001, 7828, 7830, 7871, 8914). Cookies
//! are in `cookies.rs`.

use ripples::packet::reply::Transport;
use ripples::port::MemPort;
use ripples::snapshot::{Policy, Snapshot};
use ripples::telemetry::Event;
use tests::answers::{by_udp, everywhere, policy, reply, snapshot_with, world, world_with};
use tests::ask::Ask;
use tests::decoded::{Decoded, Edns};
use tests::exchange::{Datagram, Exchange, Family};
use tests::name::Name;
use tests::packets::Packet;
use tests::record::rtype;

const NSID: u16 = 3;
const SUBNET: u16 = 8;
const COOKIE: u16 = 10;
const KEEPALIVE: u16 = 11;
const PADDING: u16 = 12;
const EXTENDED_ERROR: u16 = 15;

const NOERROR: u16 = 0;
const FORMERR: u16 = 1;
const NOTIMP: u16 = 4;
const REFUSED: u16 = 5;

#[test]
fn the_identifier_is_told_to_whoever_asks_and_to_nobody_else() {
    let world = world();
    for payload in [&b""[..], b"ignored (RFC 5001 section 2.2)"] {
        let reply = asked(&world, &www().option(NSID, payload));
        assert_eq!(options(&reply), [(NSID, b"fra1".to_vec())]);
    }
    let twice = www().option(NSID, b"").option(NSID, b"");
    assert_eq!(
        edns(&asked(&world, &twice)).option(NSID),
        Some(&b"fra1"[..])
    );
    assert_eq!(options(&asked(&world, &www().edns(1232))), []);
    let silent = world_with(Policy {
        nsid: Box::default(),
        ..policy()
    });
    assert_eq!(options(&asked(&silent, &www().option(NSID, b""))), []);
}

#[test]
fn errors_have_the_options_that_were_asked_for_too() {
    let world = world();
    let nothing = Ask::new(Name::parse("nothing.test"), rtype::A).option(NSID, b"");
    let reply = asked(&world, &nothing);
    assert_eq!(reply.rcode, REFUSED);
    assert_eq!(edns(&reply).option(NSID), Some(&b"fra1"[..]));
    let mut notify = www().option(NSID, b"");
    notify.opcode = 4;
    let reply = asked(&world, &notify);
    assert_eq!(reply.rcode, NOTIMP);
    assert_eq!(edns(&reply).option(NSID), Some(&b"fra1"[..]));
    let mut version = www().option(NSID, b"");
    version.edns.as_mut().unwrap().version = 1;
    assert_eq!(options(&asked(&world, &version)), [], "not of this version");
}

#[test]
fn a_subnet_comes_back_with_scope_0() {
    let world = world();
    for subnet in [
        &b"\0\x01\x18\0\xc0\0\x02"[..],
        b"\0\x01\x17\0\xc0\0\x02",
        b"\0\x01\0\0",
        b"\0\x01\x20\0\xc0\0\x02\x01",
        b"\0\x02\x38\0\x20\x01\x0d\xb8\x00\x00\xfe",
        b"\0\x02\0\0",
        b"\0\x02\x80\0\x20\x01\x0d\xb8\x00\x00\xfe\0\0\0\0\0\0\0\0\x01",
    ] {
        let reply = asked(&world, &www().option(SUBNET, subnet));
        assert_eq!(reply.rcode, NOERROR);
        assert_eq!(options(&reply), [(SUBNET, subnet.to_vec())]);
    }
}

#[test]
fn a_subnet_that_is_none_is_a_format_error() {
    let world = world();
    for subnet in [
        &b""[..],
        b"\0\x01\x18",
        b"\0\0\0\0",
        b"\0\x03\x08\0\x01",
        b"\x01\x01\x08\0\x01",
        b"\0\x01\x18\0\xc0\0",
        b"\0\x01\x18\0\xc0\0\x02\0",
        b"\0\x01\x17\0\xc0\0\x03",
        b"\0\x01\x18\x18\xc0\0\x02",
        b"\0\x01\x21\0\xc0\0\x02\x01\0",
        b"\0\x02\x81\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        let ask = www().option(NSID, b"").option(SUBNET, subnet);
        let reply = asked(&world, &ask);
        assert_eq!((reply.rcode, reply.aa), (FORMERR, false), "{subnet:?}");
        assert_eq!(reply.questions.len(), 1);
        assert_eq!(options(&reply), [(NSID, b"fra1".to_vec())]);
        let off = world_with(Policy {
            client_subnet: false,
            ..policy()
        });
        let reply = asked(&off, &ask);
        assert_eq!((reply.rcode, reply.aa), (NOERROR, true), "{subnet:?}");
        assert_eq!(edns(&reply).option(SUBNET), None);
    }
}

#[test]
fn the_idle_timeout_is_told_over_tcp_only() {
    let world = world_with(Policy {
        tcp_idle_100ms: 0x0123,
        ..policy()
    });
    let ask = www().option(KEEPALIVE, b"");
    let decoded = by_tcp(&world, &ask);
    assert_eq!(options(&decoded), [(KEEPALIVE, vec![0x01, 0x23])]);
    let over_udp = by_udp(&world, &ask.message()).unwrap();
    assert_eq!(options(&Decoded::read(&over_udp).unwrap()), []);
    assert_eq!(options(&by_tcp(&world, &www().edns(1232))), []);
}

#[test]
fn a_client_has_no_idle_timeout_to_tell() {
    let world = world();
    for timeout in [&b"\0"[..], b"\0\x64", b"\0\x64\0"] {
        let ask = www().option(KEEPALIVE, timeout);
        let decoded = by_tcp(&world, &ask);
        assert_eq!((decoded.rcode, options(&decoded)), (FORMERR, vec![]));
        let over_udp = by_udp(&world, &ask.message()).unwrap();
        assert_eq!(Decoded::read(&over_udp).unwrap().rcode, NOERROR);
    }
}

#[test]
fn padding_and_unknown_options_are_ignored() {
    let world = world();
    let plain = everywhere(&world, &www().edns(1232).message()).unwrap();
    for len in [0, 1, 400] {
        for code in [PADDING, 0, 9, 100, 65001, 65535] {
            let ask = www().option(code, &vec![0; len]);
            assert_eq!(everywhere(&world, &ask.message()).unwrap(), plain, "{code}");
        }
    }
}

#[test]
fn refusals_say_why() {
    const PROHIBITED: u8 = 18;
    const NOT_AUTHORITATIVE: u8 = 20;
    const NOT_SUPPORTED: u8 = 21;
    let world = world();
    let of = |name, qtype, qclass, opcode| {
        let mut ask = Ask::new(Name::parse(name), qtype).edns(1232);
        (ask.qclass, ask.opcode) = (qclass, opcode);
        ask
    };
    for (mut ask, rcode, error) in [
        (
            of("nothing.test", rtype::A, 1, 0),
            REFUSED,
            NOT_AUTHORITATIVE,
        ),
        (of("example", 252, 1, 0), REFUSED, PROHIBITED),
        (of("example", 251, 1, 0), REFUSED, PROHIBITED),
        (
            of("www.example", rtype::A, 3, 0),
            REFUSED,
            NOT_AUTHORITATIVE,
        ),
        (of("www.example", rtype::A, 4, 0), REFUSED, NOT_SUPPORTED),
        (of("www.example", rtype::A, 254, 0), REFUSED, NOT_SUPPORTED),
        (of("www.example", rtype::A, 255, 0), REFUSED, NOT_SUPPORTED),
        (of("example", rtype::SOA, 1, 5), NOTIMP, NOT_SUPPORTED),
    ] {
        let reply = asked(&world, &ask);
        assert_eq!((reply.rcode, reply.aa), (rcode, false), "{ask:?}");
        assert_eq!(
            options(&reply),
            [(EXTENDED_ERROR, vec![0, error])],
            "{ask:?}"
        );
        let silent = world_with(Policy {
            extended_errors: false,
            ..policy()
        });
        assert_eq!(options(&asked(&silent, &ask)), []);
        ask.edns = None;
        assert_eq!(asked(&world, &ask).edns, None, "no EDNS, no OPT record");
    }
}

#[test]
fn answers_and_other_errors_need_no_explanation() {
    let world = world();
    let nothing = Ask::new(Name::parse("nothing.example"), rtype::A).edns(1232);
    let mut version = www().edns(1232);
    version.edns.as_mut().unwrap().version = 1;
    for ask in [www().edns(1232), nothing, version] {
        assert_eq!(options(&asked(&world, &ask)), [], "{ask:?}");
    }
}

#[test]
fn every_option_at_once_fits_into_the_smallest_reply() {
    let world = world_with(Policy {
        nsid: vec![b'n'; 128].into(),
        ..policy()
    });
    let longest = [
        "n".repeat(63),
        "o".repeat(63),
        "p".repeat(63),
        "q".repeat(61),
    ]
    .join(".");
    let ask = Ask::new(Name::parse(&longest), rtype::A)
        .edns(512)
        .option(NSID, b"")
        .option(
            SUBNET,
            b"\0\x02\x80\0\x20\x01\x0d\xb8\x00\x00\xfe\0\0\0\0\0\0\0\0\x01",
        )
        .option(COOKIE, b"12345678")
        .option(KEEPALIVE, b"");
    for transport in [Transport::Udp, Transport::Tcp] {
        let reply = reply(&world, &ask.message(), transport).unwrap();
        assert!(reply.len() <= 512, "{} bytes", reply.len());
        let decoded = Decoded::read(&reply).unwrap();
        let codes: Vec<_> = edns(&decoded)
            .options
            .iter()
            .map(|option| option.0)
            .collect();
        let mut wanted = vec![NSID, SUBNET, COOKIE, KEEPALIVE, EXTENDED_ERROR];
        wanted.retain(|&code| code != KEEPALIVE || transport == Transport::Tcp);
        assert_eq!(codes, wanted);
    }
}

#[test]
fn options_count_into_the_size_of_a_reply() {
    let world = many(policy());
    let many = Ask::new(Name::parse("many.test"), rtype::A).option(NSID, b"");
    let mut sizes_truncated = Vec::new();
    for size in 512..=1300 {
        let mut ask = many.clone();
        ask.edns.as_mut().unwrap().size = size;
        // `by_udp` checks the limit: what the client takes, and what the policy allows.
        let reply = Decoded::of(by_udp(&world, &ask.message()));
        assert_eq!(edns(&reply).option(NSID), Some(&b"fra1"[..]));
        assert_eq!(edns(&reply).size, 1232);
        sizes_truncated.extend(reply.tc.then_some(size));
    }
    let whole = reply(&world, &many.message(), Transport::Tcp)
        .unwrap()
        .len();
    let too_small: Vec<u16> = (512..=1300)
        .filter(|&size| usize::from(size) < whole)
        .collect();
    assert_eq!(sizes_truncated, too_small, "the whole has {whole} bytes");
}

#[test]
fn no_reply_is_longer_than_the_link_carries_whatever_was_negotiated() {
    let world = many(Policy {
        udp_size_max: 4096,
        ..policy()
    });
    let ask = Ask::new(Name::parse("many.test"), rtype::A)
        .edns(65_535)
        .option(NSID, b"");
    let [client, server] = Family::V4.ends();
    let query = Packet::udp(client, server, &ask.message()).frame();
    for (mtu, truncated) in [(576, true), (1033, true), (1034, false), (1500, false)] {
        let port = MemPort::ethernet(1, 2048).with_mtu(mtu);
        let sent = Exchange::new(port).frames([&query[..]], &world);
        let reply = Datagram::read(&sent[0]).unwrap();
        assert!(reply.packet_len <= mtu, "{} bytes", reply.packet_len);
        assert_eq!(
            Decoded::read(&reply.payload).unwrap().tc,
            truncated,
            "MTU {mtu}"
        );
    }
}

#[test]
fn a_reply_without_edns_in_the_query_has_none() {
    let reply = asked(&world(), &www());
    assert_eq!((reply.rcode, reply.edns), (NOERROR, None));
}

#[test]
fn options_are_counted() {
    let world = world();
    let mut exchange = Exchange::default();
    for ask in [
        www(),
        www().edns(1232),
        www().option(NSID, b"").option(SUBNET, b"\0\x01\0\0"),
        www().option(NSID, b"").option(KEEPALIVE, b""),
        www().option(SUBNET, b"\0"),
    ] {
        exchange
            .message(&ask.message(), Family::V6, &world)
            .unwrap();
    }
    let totals = exchange.totals();
    for (event, count) in [
        (Event::Edns, 4),
        (Event::Nsid, 2),
        (Event::ClientSubnet, 1),
        (Event::Keepalive, 0),
        (Event::CookieNone, 5),
    ] {
        assert_eq!(totals.events(event), count, "{event:?}");
    }
}

#[test]
fn bad_edns_is_counted_and_all_other_is_valid() {
    let world = world();
    let mut exchange = Exchange::default();
    let mut version = www().option(NSID, b"");
    version.edns.as_mut().unwrap().version = 1;
    let mut torn = www().option(PADDING, b"12").message();
    let option_len_at = torn.len() - 3;
    torn[option_len_at] = 9;
    let mut two_questions = www().edns(1232).message();
    two_questions[5] = 2;
    for message in [
        www().message(),
        www().edns(1232).message(),
        www().option(NSID, b"").message(),
        // Refused, but not for the OPT record.
        two_questions,
        Ask::new(Name::parse("nothing.test"), rtype::A)
            .edns(512)
            .message(),
        // Bad.
        version.message(),
        torn,
        www().option(SUBNET, b"\0").message(),
        www().option(COOKIE, b"1234567").message(),
    ] {
        let reply = exchange.message(&message, Family::V4, &world);
        assert!(reply.is_some(), "{message:02x?}");
    }
    let totals = exchange.totals();
    let counted = [Event::Edns, Event::EdnsBad].map(|event| totals.events(event));
    // The OPT record of the message with two questions is not reached.
    assert_eq!(counted, [7, 4]);
}

/// A zone with more addresses than the smallest reply holds.
fn many(policy: Policy) -> Snapshot {
    let zone = "@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n\
                $GENERATE 1-60 @ 60 A 198.51.100.$\n";
    snapshot_with(&[("many.test.", zone)], policy)
}

/// A query for what there is.
fn www() -> Ask {
    Ask::new(Name::parse("www.example"), rtype::A)
}

/// The reply, the same over every transport.
fn asked(snapshot: &Snapshot, ask: &Ask) -> Decoded {
    Decoded::of(everywhere(snapshot, &ask.message()))
}

fn by_tcp(snapshot: &Snapshot, ask: &Ask) -> Decoded {
    Decoded::of(reply(snapshot, &ask.message(), Transport::Tcp))
}

fn edns(reply: &Decoded) -> &Edns {
    reply.edns.as_ref().expect("an OPT record")
}

fn options(reply: &Decoded) -> Vec<(u16, Vec<u8>)> {
    edns(reply).options.clone()
}

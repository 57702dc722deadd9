//! Class CH: what the server says of itself, and to what else it says nothing (RFC 4892).

use ripples::snapshot::{Chaos, Policy, Snapshot};
use ripples::telemetry::Event;
use tests::answers::{everywhere, policy, world, world_with};
use tests::ask::Ask;
use tests::decoded::Decoded;
use tests::exchange::{Exchange, Family};
use tests::name::Name;
use tests::record::rtype;

const CH: u16 = 3;
const TXT: u16 = 16;
const ANY: u16 = 255;

const NOERROR: u16 = 0;
const REFUSED: u16 = 5;

#[test]
fn the_four_names_are_answered_whatever_their_case() {
    let world = world();
    for (name, text) in [
        ("version.bind", "Ripples"),
        ("VERSION.Bind", "Ripples"),
        ("version.server", "Ripples"),
        ("hostname.bind", "ns1.example"),
        ("id.server", "fra1"),
        ("iD.sErVeR", "fra1"),
    ] {
        for qtype in [TXT, ANY] {
            let reply = asked(&world, name, qtype);
            assert_eq!((reply.rcode, reply.aa, reply.tc), (NOERROR, false, false));
            assert_eq!(reply.questions, [(Name::parse(name), qtype, CH)]);
            let [record] = reply.answer() else {
                panic!("{name}: {reply:?}");
            };
            assert!(record.owner.is(&Name::parse(name)));
            assert_eq!((record.rtype, record.class, record.ttl), (TXT, CH, 0));
            let len = u8::try_from(text.len()).unwrap();
            assert_eq!(record.rdata, [&[len], text.as_bytes()].concat());
            assert!(reply.authority().is_empty() && reply.additional().is_empty());
        }
    }
}

#[test]
fn whatever_else_is_asked_of_class_ch_is_refused() {
    let world = world();
    let types = [rtype::A, rtype::SOA, rtype::NS, 252, 0];
    let others = types.map(|qtype| ("version.bind", qtype));
    let names = [
        ".",
        "bind",
        "server",
        "www.example",
        "id.bind",
        "hostname.server",
    ];
    let names = names.map(|name| (name, TXT));
    for (name, qtype) in others.into_iter().chain(names) {
        let reply = asked(&world, name, qtype);
        assert_eq!((reply.rcode, reply.aa), (REFUSED, false), "{name} {qtype}");
        assert_eq!(reply.questions.len(), 1);
        assert!(reply.sections.iter().all(Vec::is_empty));
    }
}

#[test]
fn what_is_not_configured_is_refused() {
    let silent = world_with(Policy {
        chaos: Chaos::new("", "", "only"),
        ..policy()
    });
    for name in ["version.bind", "version.server", "hostname.bind"] {
        assert_eq!(asked(&silent, name, TXT).rcode, REFUSED, "{name}");
    }
    assert_eq!(asked(&silent, "id.server", TXT).rcode, NOERROR);
    let unconfigured = world_with(Policy::default());
    assert_eq!(asked(&unconfigured, "id.server", TXT).rcode, REFUSED);
}

#[test]
fn the_names_are_nothing_special_in_class_in() {
    let mut ask = Ask::new(Name::parse("version.bind"), TXT);
    ask.qclass = 1;
    let reply = everywhere(&world(), &ask.message()).unwrap();
    assert_eq!(Decoded::read(&reply).unwrap().rcode, REFUSED);
}

#[test]
fn the_longest_text_fits_with_every_option() {
    let longest = "x".repeat(255);
    let world = world_with(Policy {
        chaos: Chaos::new(&longest, "", ""),
        nsid: vec![b'n'; 128].into(),
        ..policy()
    });
    let ask = chaos("version.server", TXT)
        .edns(512)
        .option(3, b"")
        .option(8, b"\0\x02\0\0")
        .option(10, b"12345678");
    let reply = Decoded::of(everywhere(&world, &ask.message()));
    assert_eq!((reply.tc, reply.answer().len()), (false, 1));
    assert_eq!(reply.edns.unwrap().options.len(), 3);
}

#[test]
fn queries_of_class_ch_are_counted() {
    let world = world();
    let mut exchange = Exchange::default();
    for ask in [
        chaos("version.bind", TXT),
        chaos("nothing", TXT),
        Ask::new(Name::parse("www.example"), TXT),
    ] {
        exchange
            .message(&ask.message(), Family::V4, &world)
            .unwrap();
    }
    assert_eq!(exchange.totals().events(Event::Chaos), 2);
}

fn chaos(name: &str, qtype: u16) -> Ask {
    let mut ask = Ask::new(Name::parse(name), qtype);
    ask.qclass = CH;
    ask
}

/// The reply, the same over every transport.
fn asked(snapshot: &Snapshot, name: &str, qtype: u16) -> Decoded {
    let query = chaos(name, qtype).message();
    Decoded::of(everywhere(snapshot, &query))
}

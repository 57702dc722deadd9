//! The same bytes whichever way a query comes: AF_XDP, the kernel's UDP sockets, TCP.

use crate::stage::{INTERFACE, Stage, launch};
use common::Verdict;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use ripples::packet::reply::Transport;
use std::net::SocketAddr;
use tests::answers::{WORLD, reply, snapshot};
use tests::ask::Ask;
use tests::client;
use tests::decoded::Decoded;
use tests::hostile::{Bytes, messages};
use tests::name::Name;
use tests::netns::{Veth, privileged};
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch};

/// Messages of all kinds that are sent both ways.
const MESSAGES: usize = 600;

/// Queries that each family is asked: names times types, plus [`oddities`].
const NAMES: [&str; 10] = [
    "example",
    "www.example",
    "WwW.eXaMpLe",
    "alias.example",
    "x.y.moved.example",
    "gap.example",
    "some.name.wild.example",
    "nosuch.example",
    "deep.sub.example",
    "elsewhere.test",
];
const TYPES: [u16; 4] = [rtype::A, rtype::NS, rtype::MX, rtype::ANY];

#[test]
fn af_xdp_kernel_sockets_and_tcp_give_the_same_bytes() {
    let Some(stage) = Stage::new(&["--listen", "10.53.0.1:53"]) else {
        return;
    };
    let other: SocketAddr = "10.53.0.1:5353".parse().unwrap();
    let by_socket = Launch::run(&["--io", "socket", "--listen", &other.to_string()])
        .zone("example", EXAMPLE)
        .within(&stage.veth.server.namespace)
        .start();
    let address = stage.addresses()[0];
    let queries = queries();
    for ask in &queries {
        let query = ask.message();
        let by_xdp = stage.ask(address, &query);
        assert_eq!(by_xdp, stage.ask(other, &query), "{ask:?}");
        let by_tcp = stage.ask_tcp(address, &query);
        assert_eq!(by_tcp, stage.ask_tcp(other, &query), "{ask:?}");
        // RFC 1035 §4.2.1, RFC 6891 §6.2.3; the server itself has no use for more than 1232.
        let limit = ask
            .edns
            .as_ref()
            .map_or(512, |edns| edns.size.clamp(512, 1232));
        if by_tcp.len() <= usize::from(limit) {
            assert_eq!(by_xdp, by_tcp, "{ask:?}");
        } else {
            assert!(by_xdp.len() <= usize::from(limit), "{ask:?}");
        }
    }
    let count = queries.len() as u64;
    let stats = stage.await_answers(count, count);
    assert_eq!(stats.xdp(INTERFACE, Verdict::Redirect), count, "{stats}");
    assert!(stats.xdp(INTERFACE, Verdict::OtherPort) >= count, "{stats}");
    by_socket.await_stats(|stats| stats.worker("socket/0", "answers") == count);
    by_socket.stop();
    stage.server.stop();
}

/// The address and the time that a cookie is made from come by another way on each path.
#[test]
fn a_cookie_that_was_learnt_over_af_xdp_is_right_over_tcp() {
    const COOKIE: u16 = 10;
    let Some(stage) = Stage::new(&[]) else { return };
    for address in stage.addresses() {
        let www = || Ask::new(Name::parse("www.example"), rtype::A);
        let learnt = stage.ask(address, &www().option(COOKIE, b"RFC 9018").message());
        let learnt = Decoded::of(Some(learnt)).edns.unwrap();
        let query = www()
            .option(COOKIE, learnt.option(COOKIE).unwrap())
            .message();
        assert_eq!(stage.ask_tcp(address, &query), stage.ask(address, &query));
    }
    let stats = stage.await_answers(4, 2);
    assert_eq!(stats.total("events.cookie_valid"), 4, "{stats}");
    stage.server.stop();
}

/// Queries that are well-formed, damaged, lying or noise: what is answered, and how, does not
/// depend on the way, and is what the library says.
#[test]
fn whatever_is_sent_both_ports_answer_it_with_the_same_bytes_or_not_at_all() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(2);
    let with_world = |launch: Launch| {
        let add = |launch: Launch, (origin, text)| launch.zone(origin, text);
        // Cookies differ by their secrets.
        let toml = "[cookies]\npolicy = \"off\"\n";
        let launch = launch.file("r.toml", toml).with(&["--config", "r.toml"]);
        WORLD.into_iter().fold(launch, add)
    };
    let others: [SocketAddr; 2] =
        ["10.53.0.1:5353", "[fd53::1]:5353"].map(|at| at.parse().unwrap());
    let [v4, v6] = others.map(|other| other.to_string());
    let own = [
        "--io",
        "xdp",
        "--listen",
        "10.53.0.1:53",
        "--listen",
        "[fd53::1]:53",
    ];
    let server = with_world(launch(&veth.server, &own)).start();
    let sockets = Launch::run(&["--io", "socket", "--listen", &v4, "--listen", &v6]);
    let by_socket = with_world(sockets.within(&veth.server.namespace)).start();
    let stage = Stage { server, veth };
    let ports = [stage.addresses(), others];
    let (snapshot, mut runner) = (snapshot(&WORLD), TestRunner::deterministic());
    let (mut answered, mut silent) = (0, 0);
    for number in 0..MESSAGES {
        let Bytes(message) = messages().new_tree(&mut runner).unwrap().current();
        let expected = reply(&snapshot, &message, Transport::Udp);
        let family = number % 2;
        let replies = ports.map(|port| stage.client(|| reply_or_none(port[family], &message)));
        assert_eq!(replies[0], replies[1], "{:?}", Bytes(message));
        assert_eq!(replies[0], expected, "{:?}", Bytes(message));
        match expected {
            Some(_) => answered += 1,
            None => silent += 1,
        }
    }
    assert!(
        answered > MESSAGES / 2 && silent > 20,
        "{answered} answered, {silent} not"
    );
    // One more of each: see `reply_or_none`.
    let stats = stage.await_answers((answered + MESSAGES) as u64, 0);
    let redirected = stats.xdp(INTERFACE, Verdict::Redirect);
    assert_eq!(redirected, 2 * MESSAGES as u64, "{stats}");
    by_socket.stop();
    stage.server.stop();
}

/// The reply to a message; none where a query that is sent after it is answered before.
fn reply_or_none(server: SocketAddr, message: &[u8]) -> Option<Vec<u8>> {
    let socket = client::socket(server);
    socket.send_to(message, server).unwrap();
    let mut marker = Ask::new(Name::parse("www.example"), rtype::A);
    // Another ID than the message's.
    marker.id = message
        .get(..2)
        .map_or(0, |id| !u16::from_be_bytes([id[0], id[1]]));
    socket.send_to(&marker.message(), server).unwrap();
    let next = || client::receive(&socket).expect("a reply").0;
    let first = next();
    if first[..2] == marker.id.to_be_bytes() {
        return None;
    }
    assert_eq!(next()[..2], marker.id.to_be_bytes());
    Some(first)
}

/// Plain queries, and unusual ones.
fn queries() -> Vec<Ask> {
    let names = NAMES
        .iter()
        .flat_map(|name| TYPES.map(|rtype| (name, rtype)));
    let plain = names.enumerate().map(|(number, (name, rtype))| {
        let mut ask = Ask::new(Name::parse(name), rtype);
        ask.id = u16::try_from(number).unwrap();
        // Every other one with EDNS.
        if number % 2 == 0 { ask } else { ask.edns(4096) }
    });
    plain.chain(oddities()).collect()
}

fn oddities() -> Vec<Ask> {
    let name = || Name::parse("www.example");
    let large = |name: &str, rtype| Ask::new(Name::parse(name), rtype);
    let mut asks = vec![
        large("medium.example", rtype::A),
        large("medium.example", rtype::A).edns(600),
        large("medium.example", rtype::A).edns(1232),
        large("large.example", rtype::AAAA),
        large("large.example", rtype::AAAA).edns(4096),
        large("", rtype::NS),
    ];
    // CHAOS, NOTIFY, flags, an EDNS version of the future, DNSSEC, an unknown option.
    let mut odd = |change: fn(&mut Ask)| {
        let mut ask = Ask::new(name(), rtype::A).edns(1232);
        change(&mut ask);
        asks.push(ask);
    };
    odd(|ask| ask.qclass = 3);
    odd(|ask| ask.opcode = 4);
    odd(|ask| (ask.rd, ask.cd) = (true, true));
    odd(|ask| ask.edns.as_mut().unwrap().version = 1);
    odd(|ask| ask.edns.as_mut().unwrap().dnssec_ok = true);
    odd(|ask| ask.edns.as_mut().unwrap().options = vec![0xff, 0xfd, 0, 2, 1, 2]);
    // A client subnet, and one that is none.
    odd(|ask| *ask = ask.clone().option(8, b"\0\x01\x18\0\xc0\0\x02"));
    odd(|ask| *ask = ask.clone().option(8, b"\0\x01\x18\0\xc0\0"));
    asks
}

//! The same bytes whichever way a query comes: AF_XDP, the kernel's UDP sockets, TCP.

use crate::stage::{INTERFACE, Stage};
use common::Verdict;
use std::net::SocketAddr;
use tests::ask::Ask;
use tests::decoded::Decoded;
use tests::name::Name;
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch};

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

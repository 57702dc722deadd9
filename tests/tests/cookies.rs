//! DNS cookies over a whole exchange (RFC 7873 §5.2, RFC 9018): who gets which cookie, and who no
//! answer. What a cookie is made of is tested beside the code.

use ripples::packet::Arrival;
use ripples::packet::cookie::Secret;
use ripples::packet::reply::Transport;
use ripples::snapshot::{Policy, Snapshot};
use ripples::telemetry::Event;
use tests::answers::{
    TIME_S, arrival, by_udp, everywhere, policy, reply, reply_to, strict_policy, world, world_with,
};
use tests::ask::Ask;
use tests::decoded::Decoded;
use tests::exchange::{Exchange, Family};
use tests::name::Name;
use tests::record::rtype;

const COOKIE: u16 = 10;
const CLIENT: &[u8; 8] = b"RFC 7873";

const NOERROR: u16 = 0;
const FORMERR: u16 = 1;
const NOTIMP: u16 = 4;
const BADVERS: u16 = 16;
const BADCOOKIE: u16 = 23;

#[test]
fn a_client_learns_its_server_cookie_and_gets_it_back_from_then_on() {
    let world = world();
    let first = asked(&world, CLIENT);
    assert_eq!(
        (first.rcode, first.aa, first.answer().len()),
        (NOERROR, true, 1)
    );
    let learnt = cookie(&first).expect("a cookie");
    assert_eq!((learnt.len(), &learnt[..8]), (24, &CLIENT[..]));
    let second = asked(&world, &learnt);
    assert_eq!((second.rcode, cookie(&second)), (NOERROR, Some(learnt)));
}

#[test]
fn without_a_cookie_none_is_sent() {
    for snapshot in [world(), required()] {
        let reply = everywhere(&snapshot, &www().edns(1232).message()).unwrap();
        let reply = Decoded::read(&reply).unwrap();
        assert_eq!(
            (reply.rcode, reply.aa, cookie(&reply)),
            (NOERROR, true, None)
        );
    }
}

#[test]
fn a_wrong_server_cookie_is_replaced_and_costs_nothing_unless_it_is_required() {
    let world = world();
    for len in [8, 16, 32] {
        let wrong = [&CLIENT[..], &vec![1; len]].concat();
        let reply = asked(&world, &wrong);
        assert_eq!((reply.rcode, reply.aa), (NOERROR, true));
        assert_eq!(cookie(&reply), cookie(&asked(&world, CLIENT)));
    }
}

#[test]
fn where_cookies_are_required_udp_wants_a_right_one_and_tcp_does_not() {
    let world = required();
    let wrong = [&CLIENT[..], &[1; 16]].concat();
    for option in [&CLIENT[..], &wrong] {
        let query = www().option(COOKIE, option).message();
        let refused = Decoded::of(by_udp(&world, &query));
        assert_eq!((refused.rcode, refused.aa), (BADCOOKIE, false));
        assert!(refused.sections.iter().all(Vec::is_empty));
        let answered = reply(&world, &query, Transport::Tcp).unwrap();
        let answered = Decoded::read(&answered).unwrap();
        assert_eq!((answered.rcode, answered.answer().len()), (NOERROR, 1));
        assert_eq!(cookie(&answered), cookie(&refused));
        let right = asked(&world, &cookie(&refused).unwrap());
        assert_eq!((right.rcode, right.answer().len()), (NOERROR, 1));
    }
}

#[test]
fn a_cookie_of_another_client_is_wrong() {
    let world = required();
    let learnt = cookie(&at(&world, CLIENT, &arrival(Transport::Udp))).unwrap();
    for (client, rcode) in [
        (Family::V4.ends()[0].ip(), NOERROR),
        (Family::V4.ends()[1].ip(), BADCOOKIE),
        (Family::V6.ends()[0].ip(), BADCOOKIE),
    ] {
        let arrival = Arrival {
            client,
            ..arrival(Transport::Udp)
        };
        assert_eq!(at(&world, &learnt, &arrival).rcode, rcode, "{client}");
    }
}

#[test]
fn a_cookie_is_renewed_after_half_an_hour_and_wrong_after_one() {
    let world = required();
    let after = |seconds: i32| Arrival {
        time_s: TIME_S.wrapping_add_signed(seconds),
        ..arrival(Transport::Udp)
    };
    let learnt = cookie(&at(&world, CLIENT, &after(0))).unwrap();
    for (seconds, rcode, is_same) in [
        (-301, BADCOOKIE, false),
        (-300, NOERROR, true),
        (1800, NOERROR, true),
        (1801, NOERROR, false),
        (3600, NOERROR, false),
        (3601, BADCOOKIE, false),
    ] {
        let reply = at(&world, &learnt, &after(seconds));
        let same = cookie(&reply).unwrap() == learnt;
        assert_eq!((reply.rcode, same), (rcode, is_same), "{seconds} s");
        let renewed = cookie(&reply).unwrap();
        assert_eq!(at(&world, &renewed, &after(seconds)).rcode, NOERROR);
    }
}

#[test]
fn secrets_roll_over_without_anybody_noticing() {
    let old = required();
    let mut policy = strict_policy();
    let cookies = policy.cookies.as_mut().unwrap();
    cookies.others = vec![cookies.secret];
    cookies.secret = Secret([7; 16]);
    let new = world_with(policy);
    let learnt = cookie(&asked_by_udp(&old, CLIENT)).unwrap();
    let reply = asked_by_udp(&new, &learnt);
    assert_eq!(reply.rcode, NOERROR);
    let renewed = cookie(&reply).unwrap();
    assert_ne!(renewed, learnt);
    assert_eq!(asked_by_udp(&old, &renewed).rcode, BADCOOKIE);
}

#[test]
fn cookies_of_no_legal_length_are_format_errors() {
    let world = world();
    for len in 0..60usize {
        let reply = asked(&world, &vec![9; len]);
        let is_legal = len == 8 || (16..=40).contains(&len);
        let expected = if is_legal { NOERROR } else { FORMERR };
        assert_eq!(reply.rcode, expected, "{len} bytes");
        assert_eq!(cookie(&reply).is_some(), is_legal, "{len} bytes");
        assert_eq!(reply.questions.len(), 1);
    }
}

#[test]
fn of_several_cookies_the_first_counts() {
    let world = world();
    let ask = www().option(COOKIE, CLIENT).option(COOKIE, b"another!");
    let reply = Decoded::of(everywhere(&world, &ask.message()));
    assert_eq!(cookie(&reply), cookie(&asked(&world, CLIENT)));
}

#[test]
fn switched_off_they_are_an_unknown_option() {
    let off = world_with(Policy {
        cookies: None,
        ..policy()
    });
    for len in [0, 8, 24, 41] {
        let reply = asked(&off, &vec![9; len]);
        assert_eq!((reply.rcode, cookie(&reply)), (NOERROR, None));
    }
}

#[test]
fn other_errors_go_before_bad_cookie() {
    let world = required();
    let mut notify = www().option(COOKIE, CLIENT);
    notify.opcode = 4;
    let mut version = www().option(COOKIE, CLIENT);
    version.edns.as_mut().unwrap().version = 1;
    for (ask, rcode) in [(notify, NOTIMP), (version, BADVERS)] {
        let reply = by_udp(&world, &ask.message()).unwrap();
        assert_eq!(Decoded::read(&reply).unwrap().rcode, rcode);
    }
}

/// RFC 7873 §5.4.
#[test]
fn a_query_without_a_question_asks_for_a_cookie() {
    for world in [world(), required()] {
        let ask = |option: &[u8]| {
            let mut message = b"\x12\x34\x01\0\0\0\0\0\0\0\0\x01\0\0\x29\x04\xd0\0\0\0\0".to_vec();
            let len = u8::try_from(option.len()).unwrap();
            message.extend([0, len + 4, 0, 10, 0, len]);
            message.extend(option);
            Decoded::of(everywhere(&world, &message))
        };
        let learnt = ask(CLIENT);
        assert_eq!((learnt.rcode, learnt.aa, learnt.rd), (NOERROR, false, true));
        assert!(learnt.questions.is_empty());
        let right = cookie(&learnt).unwrap();
        assert_eq!(ask(&right).rcode, NOERROR);
        let wrong = ask(&[&CLIENT[..], &[1; 16]].concat());
        assert_eq!((wrong.rcode, cookie(&wrong)), (BADCOOKIE, Some(right)));
        assert_eq!(ask(&CLIENT[1..]).rcode, FORMERR);
    }
}

#[test]
fn cookies_are_counted() {
    let world = world();
    let mut exchange = Exchange::default();
    let mut ask = |option: &[u8]| {
        let query = www().option(COOKIE, option).message();
        let reply = exchange.message(&query, Family::V6, &world).unwrap();
        cookie(&Decoded::read(&reply).unwrap())
    };
    let learnt = ask(CLIENT).unwrap();
    ask(&learnt);
    ask(&learnt);
    ask(&[&CLIENT[..], &[1; 16]].concat());
    ask(b"too short");
    exchange
        .message(&www().message(), Family::V6, &world)
        .unwrap();
    let totals = exchange.totals();
    for (event, count) in [
        (Event::CookieClientOnly, 1),
        (Event::CookieValid, 2),
        (Event::CookieBad, 1),
        (Event::CookieNone, 2),
    ] {
        assert_eq!(totals.events(event), count, "{event:?}");
    }
}

/// A query for what there is.
fn www() -> Ask {
    Ask::new(Name::parse("www.example"), rtype::A)
}

/// A server that requires cookies.
fn required() -> Snapshot {
    world_with(strict_policy())
}

/// The reply to a query with this cookie, the same over every transport.
fn asked(snapshot: &Snapshot, option: &[u8]) -> Decoded {
    let query = www().option(COOKIE, option).message();
    Decoded::of(everywhere(snapshot, &query))
}

fn asked_by_udp(snapshot: &Snapshot, option: &[u8]) -> Decoded {
    at(snapshot, option, &arrival(Transport::Udp))
}

fn at(snapshot: &Snapshot, option: &[u8], arrival: &Arrival) -> Decoded {
    let query = www().option(COOKIE, option).message();
    Decoded::of(reply_to(snapshot, &query, arrival))
}

fn cookie(reply: &Decoded) -> Option<Vec<u8>> {
    let edns = reply.edns.as_ref()?;
    edns.option(COOKIE).map(<[u8]>::to_vec)
}

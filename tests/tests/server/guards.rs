//! Who is answered, and how much. Every address of 127.0.0.0/8 is a client of its own.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;
use tests::ask::Ask;
use tests::client::{ask_from, ask_tcp, query};
use tests::loopback;
use tests::name::Name;
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch, PATIENCE, Server};

const REFUSED: u8 = 5;
/// Long enough for whatever is on its way.
const SILENCE: Duration = Duration::from_millis(300);

#[test]
fn networks_that_are_denied_are_refused_or_get_nothing() {
    let (server, address) = start("[access]\ndeny = [\"127.0.0.3/32\", \"127.0.4.0/24\"]\n");
    let www = query("www.example", rtype::A);
    assert_eq!(rcode(&ask("127.0.0.2", address, &www)), 0);
    assert_eq!(rcode(&ask_tcp(address, &www)), 0, "from 127.0.0.1");
    for client in ["127.0.0.3", "127.0.4.200"] {
        let reply = ask(client, address, &www);
        assert_eq!((rcode(&reply), counts(&reply)), (REFUSED, [1, 0, 0, 0]));
    }
    let edns = Ask::new(Name::parse("www.example"), rtype::A)
        .edns(1232)
        .message();
    let reply = ask("127.0.0.3", address, &edns);
    // RFC 8914 §4.19: Prohibited.
    assert!(reply.ends_with(&[0, 15, 0, 2, 0, 18]), "{reply:02x?}");

    rewrite(
        &server,
        address,
        "[access]\ndeny = [\"127.0.0.3/32\"]\ndrop = true\n",
    );
    assert!(is_ignored("127.0.0.3", address, &www));
    assert_eq!(rcode(&ask("127.0.4.200", address, &www)), 0);
    rewrite(&server, address, "[access]\nallow = [\"127.0.0.2/32\"]\n");
    assert_eq!(rcode(&ask("127.0.0.2", address, &www)), 0);
    assert_eq!(rcode(&ask("127.0.0.3", address, &www)), REFUSED);
    assert_eq!(rcode(&ask_tcp(address, &www)), REFUSED);
    server.await_stats(|stats| stats.total("discarded.denied") == 1);
    server.stop();
}

/// A name with a zero byte within a label is guessed to end there, until somebody looks.
#[test]
fn what_is_refused_has_the_whole_question_whatever_its_name() {
    let (server, address) = start("[access]\ndeny = [\"127.0.0.3/32\"]\n");
    let mut message = query("www.example", rtype::A);
    message[13] = 0;
    let reply = ask("127.0.0.3", address, &message);
    assert_eq!(rcode(&reply), REFUSED);
    assert_eq!(reply[12..], message[12..]);
    server.stop();
}

#[test]
fn a_network_gets_its_share_and_then_truncated_replies_or_none() {
    let limit =
        "[rate_limit]\nper_second = 10\nburst = 20\nslip = 2\nexempt = [\"127.0.9.0/24\"]\n";
    let (server, address) = start(limit);
    let www = query("www.example", rtype::A);
    let [whole, truncated] = burst("127.0.2.2", address, &www, 100);
    // The second may have turned once or twice meanwhile.
    assert!((20..=40).contains(&whole), "{whole}");
    let limited = 100 - whole;
    assert!(
        truncated.abs_diff(limited / 2) <= 1,
        "{truncated} of {limited}"
    );
    assert_eq!(burst("127.0.9.9", address, &www, 100), [100, 0]);
    let [whole, _] = burst("127.0.3.2", address, &www, 15);
    assert_eq!(whole, 15, "another network");
    for _ in 0..50 {
        assert_eq!(rcode(&ask_tcp(address, &www)), 0, "TCP has no limit");
    }
    let stats = server.await_stats(|stats| stats.total("discarded.rate_limited") > 0);
    assert_eq!(stats.total("events.slipped"), truncated as u64);
    assert_eq!(
        stats.total("received"),
        stats.total("answers") + stats.total("discards")
    );

    rewrite(&server, address, "");
    assert_eq!(burst("127.0.2.2", address, &www, 100), [100, 0]);
    server.stop();
}

#[test]
fn wrong_lists_and_limits_are_errors_that_name_the_option() {
    for (text, complaint) in [
        (
            "[access]\nallow = [\"127.0.0.1\"]",
            "access.allow: \"127.0.0.1\"",
        ),
        (
            "[access]\ndeny = [\"127.0.0.1/24\"]",
            "access.deny: \"127.0.0.1/24\"",
        ),
        (
            "[access]\nallow = [\"::/0\"]\ndeny = [\"::/0\"]",
            "access.allow: ::/0 is in access.deny too",
        ),
        (
            "[rate_limit]\nper_second = 10\nburst = 9",
            "rate_limit.burst: 9 is not within 10–100000000",
        ),
        (
            "[rate_limit]\nslip = 11",
            "rate_limit.slip: 11 is not within 0–10",
        ),
        (
            "[rate_limit]\nipv6_prefix_len = 65",
            "rate_limit.ipv6_prefix_len: 65 is not within 16–64",
        ),
    ] {
        let ended = Launch::new(&["check", "--config", "ripples.toml"])
            .file("ripples.toml", text)
            .finish();
        assert_eq!(ended.code, Some(1), "{text}");
        assert!(ended.stderr.contains(complaint), "{}", ended.stderr);
    }
}

fn config(address: SocketAddr, rest: &str) -> String {
    format!(
        "io = \"socket\"\nlisten = [\"{address}\"]\nwatch = false\n{rest}\n\
         [[zone]]\norigin = \"example\"\nfile = \"example.zone\"\n"
    )
}

fn start(rest: &str) -> (Server, SocketAddr) {
    let address = loopback::address();
    let launch = Launch::run(&["--config", "ripples.toml"])
        .file("ripples.toml", &config(address, rest))
        .file("example.zone", EXAMPLE);
    (launch.start(), address)
}

/// Another configuration, in force when this returns.
fn rewrite(server: &Server, address: SocketAddr, rest: &str) {
    let file = server.folder().join("ripples.toml");
    fs::write(file, config(address, rest)).expect("a folder of one's own");
    server.reload();
}

fn socket(client: &str) -> UdpSocket {
    let socket = UdpSocket::bind((client, 0)).expect("an address of the loopback");
    socket.set_read_timeout(Some(PATIENCE)).expect("above zero");
    socket
}

fn ask(client: &str, server: SocketAddr, query: &[u8]) -> Vec<u8> {
    ask_from(&socket(client), server, query).0
}

fn is_ignored(client: &str, server: SocketAddr, query: &[u8]) -> bool {
    let socket = socket(client);
    socket.set_read_timeout(Some(SILENCE)).expect("above zero");
    socket.send_to(query, server).expect("the loopback is up");
    socket.recv_from(&mut [0; 512]).is_err()
}

/// Sends so many queries at once: how many whole replies there are, and how many truncated ones.
fn burst(client: &str, server: SocketAddr, query: &[u8], count: usize) -> [usize; 2] {
    let socket = socket(client);
    for _ in 0..count {
        socket.send_to(query, server).expect("the loopback is up");
    }
    socket.set_read_timeout(Some(SILENCE)).expect("above zero");
    let mut replies = [0; 2];
    let mut reply = [0; 512];
    while let Ok((len, _)) = socket.recv_from(&mut reply) {
        let is_truncated = reply[2] & 2 != 0;
        let no_records = counts(&reply[..len])[1..] == [0, 0, 0];
        assert_eq!(is_truncated, no_records);
        replies[usize::from(is_truncated)] += 1;
    }
    replies
}

fn rcode(reply: &[u8]) -> u8 {
    reply[3] & 15
}

fn counts(reply: &[u8]) -> [u8; 4] {
    [5, 7, 9, 11].map(|at| reply[at])
}

//! Messages that come in pieces, together, or at their largest; replies that are read slowly.

use crate::others::Over;
use crate::stage::{HUGE_COUNT, Stage, huge, numbered};
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};
use tests::ask::Ask;
use tests::client::query;
use tests::name::Name;
use tests::record::rtype;
use tests::server::PATIENCE;
use tests::tcp::{Client, framed};

/// The EDNS option that fills a message up (RFC 7830).
const PADDING: u16 = 12;
/// Queries take their time here.
const PATIENT: &str = "[tcp]\nreceive_timeout_ms = 60000\n";
/// Longest message.
const MESSAGE_LEN_MAX: usize = 65_535;

#[test]
fn replies_are_the_same_wherever_queries_are_cut() {
    let Some(stage) = Stage::new(PATIENT) else {
        return;
    };
    let queries = queries(0);
    let expected = replies_of(&stage, &queries);
    let stream = stream_of(&queries);
    stage.while_others_ask(Over::All, || {
        for cut in 1..stream.len() {
            let mut client = stage.connect(cut / 200, 1);
            let (before, behind) = stream.split_at(cut);
            client.send(before);
            await_taken(&stage);
            client.send(behind);
            let replies = receive(&mut client, queries.len());
            assert_eq!(replies, expected, "cut at {cut} of {}", stream.len());
        }
        let mut client = stage.connect(0, 1);
        for byte in &stream {
            client.send(&[*byte]);
            await_taken(&stage);
        }
        assert_eq!(receive(&mut client, queries.len()), expected);
    });
    stage.await_open(0);
    stage.server.stop();
}

#[test]
fn connections_whose_queries_come_byte_by_byte_in_turn_do_not_mix() {
    let Some(stage) = Stage::new(PATIENT) else {
        return;
    };
    stage.while_others_ask(Over::All, || {
        let mut lines: Vec<Line> = (0..60).map(|number| Line::new(&stage, number)).collect();
        // Each begins where the one before has sent a byte more already.
        for (ahead, line) in lines.iter_mut().enumerate() {
            (0..ahead % 40).for_each(|_| line.send_byte());
        }
        while lines.iter().any(Line::is_under_way) {
            lines.iter_mut().for_each(Line::send_byte);
            await_taken(&stage);
        }
        for line in &mut lines {
            let replies = receive(&mut line.client, line.expected.len());
            assert_eq!(replies, line.expected, "connection {}", line.number);
        }
    });
    stage.await_open(0);
    stage.server.stop();
}

#[test]
fn the_largest_query_in_small_pieces_gets_the_largest_reply() {
    let Some(stage) = Stage::new(PATIENT) else {
        return;
    };
    let query = largest_query();
    let expected = replies_of(&stage, std::slice::from_ref(&query));
    let reply = expected.values().next().expect("a reply");
    assert!(reply.len() > 64_700, "{} bytes", reply.len());
    assert_eq!(reply[6..8], HUGE_COUNT.to_be_bytes(), "all of the set");
    stage.while_others_ask(Over::All, || {
        let mut client = stage.connect(0, 1);
        for piece in framed(&query).chunks(1001) {
            client.send(piece);
            await_taken(&stage);
        }
        assert_eq!(receive(&mut client, 1), expected);
    });
    stage.await_open(0);
    stage.server.stop();
}

#[test]
fn hundreds_of_pipelined_queries_for_large_replies_are_all_answered_to_a_slow_reader() {
    let Some(stage) = Stage::new(PATIENT) else {
        return;
    };
    let queries: Vec<Vec<u8>> = (0..150).map(huge).collect();
    let expected = replies_of(&stage, &queries);
    stage.while_others_ask(Over::All, || {
        thread::scope(|scope| {
            for number in 0..3 {
                let (stage, queries, expected) = (&stage, &queries, &expected);
                scope.spawn(move || {
                    let mut client = stage.connect(number, 1);
                    client.send(&stream_of(queries));
                    for _ in queries {
                        let reply = client.receive().expect("a reply");
                        let id = u16::from_be_bytes([reply[0], reply[1]]);
                        assert!(reply == expected[&id], "another reply to {id}");
                        thread::park_timeout(Duration::from_millis(15));
                    }
                });
            }
        });
    });
    let stats = stage.await_open(0);
    assert!(stats.tcp("events.blocked_sends") > 0, "not slow: {stats}");
    stage.server.stop();
}

/// A connection that sends its queries byte by byte.
struct Line {
    number: u16,
    client: Client,
    rest: Vec<u8>,
    expected: BTreeMap<u16, Vec<u8>>,
}

impl Line {
    fn new(stage: &Stage, number: u16) -> Self {
        let mut queries = queries(100 * number);
        let first = usize::from(number) % queries.len();
        queries.rotate_left(first);
        let mut rest = stream_of(&queries);
        rest.reverse();
        Self {
            number,
            client: stage.connect(usize::from(number) / 10, 1),
            rest,
            expected: replies_of(stage, &queries),
        }
    }

    fn is_under_way(&self) -> bool {
        !self.rest.is_empty()
    }

    fn send_byte(&mut self) {
        if let Some(byte) = self.rest.pop() {
            self.client.send(&[byte]);
        }
    }
}

/// Queries of several kinds, with IDs from `id` on.
fn queries(id: u16) -> Vec<Vec<u8>> {
    let padded = Ask::new(Name::parse("alias.example"), rtype::A).option(PADDING, &[0; 31]);
    let queries = [
        query("www.example", rtype::A),
        padded.message(),
        query("large.example", rtype::AAAA),
        query("nosuch.example", rtype::TXT),
    ];
    (id..)
        .zip(queries)
        .map(|(id, query)| numbered(query, id))
        .collect()
}

/// A query of 65,535 bytes for a reply of nearly as many.
fn largest_query() -> Vec<u8> {
    let ask = Ask::new(Name::parse("huge.example"), rtype::TXT).option(PADDING, &[]);
    let left = MESSAGE_LEN_MAX - ask.message().len();
    let ask = Ask::new(ask.name, rtype::TXT).option(PADDING, &vec![0; left]);
    let message = ask.message();
    assert_eq!(message.len(), MESSAGE_LEN_MAX);
    message
}

fn stream_of(queries: &[Vec<u8>]) -> Vec<u8> {
    queries.iter().flat_map(|query| framed(query)).collect()
}

/// What each query gets that comes whole, on a connection of its own; by ID.
fn replies_of(stage: &Stage, queries: &[Vec<u8>]) -> BTreeMap<u16, Vec<u8>> {
    let reply = |query: &Vec<u8>| {
        let mut client = stage.connect(999, 1);
        client.send(&framed(query));
        receive(&mut client, 1)
    };
    stage.client(|| queries.iter().flat_map(reply).collect())
}

/// So many replies, in whatever order they come (RFC 7766 §6.2.1.1), by ID.
fn receive(client: &mut Client, count: usize) -> BTreeMap<u16, Vec<u8>> {
    let mut replies = BTreeMap::new();
    for _ in 0..count {
        let reply = client.receive().expect("a reply");
        let id = u16::from_be_bytes([reply[0], reply[1]]);
        let before = replies.insert(id, reply);
        assert!(before.is_none(), "a second reply to {id}");
    }
    replies
}

/// Waits until the server has taken all that clients have sent it: nothing is on its way, and
/// nothing waits in its sockets (proc_net_tcp.rst: `tx_queue`, `rx_queue`).
fn await_taken(stage: &Stage) {
    let server = in_kernel_form(stage.address);
    let file = format!("/proc/{}/net/tcp", stage.server.id());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let table = fs::read_to_string(&file).expect("it runs");
        let waiting: Vec<_> = table
            .lines()
            .skip(1)
            .filter(|row| is_waiting(row, &server))
            .collect();
        if waiting.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "it does not take {waiting:#?}");
        thread::park_timeout(Duration::from_micros(20));
    }
}

/// Whether a socket holds bytes for the server: one of the server's own those that it has not
/// taken, a client's those that have not arrived.
fn is_waiting(row: &str, server: &str) -> bool {
    let fields: Vec<&str> = row.split_whitespace().collect();
    let (unsent, untaken) = fields[4].split_once(':').expect("two queues");
    let count = if fields[1] == server { untaken } else { unsent };
    count != "00000000"
}

/// An IPv4 address as the kernel prints it: the address in the machine's byte order.
fn in_kernel_form(address: SocketAddr) -> String {
    let SocketAddr::V4(address) = address else {
        panic!("{address} is in another table");
    };
    let ip = u32::from_ne_bytes(address.ip().octets());
    format!("{ip:08X}:{:04X}", address.port())
}

//! Slow-loris: thousands of connections that send a byte now and then.

use crate::others::Over;
use crate::stage::{Path, Stage, ask, small};
use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};
use tests::tcp::{Client, framed};

/// Connections.
const COUNT: u32 = 3000;
/// How many come from each client network.
const EACH: usize = 100;
/// The server's `tcp.receive_timeout_ms`.
const TIMEOUT: Duration = Duration::from_millis(1500);
/// Between two bytes of each: far fewer come within the timeout than a query has.
const REST: Duration = Duration::from_millis(200);
/// How much later than its time a connection may be closed, while all of this goes on.
const LATE_MAX: Duration = Duration::from_secs(3);

#[test]
fn slow_queries_end_at_the_receive_timeout_and_others_are_answered_by_sockets() {
    slow_queries_end(Path::Sockets);
}

#[test]
fn slow_queries_end_at_the_receive_timeout_and_others_are_answered_by_xdp() {
    slow_queries_end(Path::Xdp);
}

fn slow_queries_end(path: Path) {
    let toml = format!("[tcp]\nreceive_timeout_ms = {}\n", TIMEOUT.as_millis());
    let Some(stage) = Stage::on(path, &toml, |launch| launch) else {
        return;
    };
    let ended = stage.while_others_ask(Over::All, || {
        let open = |number| Loris::new(&stage, number);
        let mut clients: Vec<Loris> = (0..COUNT as usize).map(open).collect();
        let mut ended = Vec::new();
        while !clients.is_empty() {
            let (sweep, pause) = (Instant::now(), REST / COUNT);
            let mut due = Duration::ZERO;
            clients.retain_mut(|client| {
                // All at once would be a flood, of which the link drops a part.
                due += pause;
                thread::park_timeout(due.saturating_sub(sweep.elapsed()));
                let open = client.send_byte();
                if !open {
                    ended.push(client.since.elapsed());
                }
                open
            });
            thread::park_timeout(REST.saturating_sub(sweep.elapsed()));
        }
        ended
    });
    let (first, last) = (ended.iter().min().copied(), ended.iter().max().copied());
    eprintln!("{} ended, from {first:?} to {last:?}", ended.len());
    // The server counts in whole milliseconds.
    assert!(
        first >= Some(TIMEOUT - Duration::from_millis(2)),
        "{first:?}"
    );
    assert!(last <= Some(TIMEOUT + LATE_MAX), "{last:?}");
    let stats = stage.await_open(0);
    let timeouts = stats.tcp("closed.receive_timeout");
    assert_eq!(timeouts, u64::from(COUNT), "{stats}");
    stage.server.stop();
}

/// A connection that takes its time. Every second one has asked in time before.
struct Loris {
    client: Client,
    rest: Vec<u8>,
    /// When the query began that it does not bring to an end.
    since: Instant,
}

impl Loris {
    fn new(stage: &Stage, number: usize) -> Self {
        let mut since = Instant::now();
        let mut client = stage.connect(number / EACH, 1);
        let mut rest = framed(&small(7));
        rest.reverse();
        if number.is_multiple_of(2) {
            ask(&mut client, 7);
            since = Instant::now();
            let first = rest.pop().expect("a query");
            client.send(&[first]);
        }
        client.0.set_nonblocking(true).expect("a socket");
        Self {
            client,
            rest,
            since,
        }
    }

    /// Sends one more byte; false when the server has closed the connection.
    fn send_byte(&mut self) -> bool {
        let byte = self.rest.pop().expect("it is closed before its query ends");
        let sent = self.client.0.write_all(&[byte]).is_ok();
        match self.client.0.read(&mut [0; 1]) {
            Ok(0) => false,
            Ok(_) => panic!("a reply to no query"),
            Err(error) => sent && error.kind() == ErrorKind::WouldBlock,
        }
    }
}

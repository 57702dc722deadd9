//! Clients that ask for much and read nothing.

use crate::others::Over;
use crate::stage::{Path, Stage, ask, huge};
use std::io::{ErrorKind, Read};
use std::thread;
use std::time::{Duration, Instant};
use tests::process::{forget_peak, peak_resident_kib, resident_kib};
use tests::stats::Stats;
use tests::tcp::{Client, framed};

/// Clients, each in a network of its own.
const CLIENTS: usize = 400;
/// Queries of each, for nearly 64 KiB: the server takes them at once, for with some left over the
/// kernel itself would reset the connection.
const QUERIES: u16 = 40;
/// Lets sockets hold few replies, so that the server has to.
const SMALL_BUFFERS: &str = "echo 4096 16384 65536 > /proc/sys/net/ipv4/tcp_wmem && exec \"$@\"";
/// The server's `tcp.send_timeout_ms`.
const TIMEOUT: Duration = Duration::from_millis(1000);
/// The server's `tcp.memory_max`.
const MEMORY_MAX: u64 = 2 << 20;
/// Memory of the server besides, in KiB: 64 slots with replies of 64 KiB, two pages of each of 256,
/// and what its allocator keeps for a while. Without a bound they would hold 20 MiB and more.
const SLACK_KIB: u64 = 14 << 10;

#[test]
fn who_never_reads_is_reset_in_time_and_holds_little_memory_by_sockets() {
    unread_replies_end(Path::Sockets);
}

#[test]
fn who_never_reads_is_reset_in_time_and_holds_little_memory_by_xdp() {
    unread_replies_end(Path::Xdp);
}

fn unread_replies_end(path: Path) {
    let Some(stage) = stage(path) else { return };
    let server = stage.server.id();
    let (before, resets) = stage.while_others_ask(Over::All, || {
        ask(&mut stage.connect(0, 1), 1);
        forget_peak(server);
        let before = resident_kib(server);
        let start = Instant::now();
        let clients = unread(&stage);
        assert!(start.elapsed() >= TIMEOUT, "after {:?}", start.elapsed());
        (before, count(clients, End::Reset))
    });
    let stats = stage.await_open(0);
    let [by_time, by_memory] = ended(&stats);
    let grown = peak_resident_kib(server).saturating_sub(before);
    eprintln!(
        "{by_time} ended by time, {by_memory} by memory, {resets} of them by a reset; {grown} KiB \
         more than before"
    );
    assert_eq!(by_time + by_memory, CLIENTS as u64, "{stats}");
    assert!(by_time > 0 && by_memory > 0, "{stats}");
    // The kernel would hold their replies for as long as they like.
    assert!(resets >= by_time, "{resets}: {stats}");
    assert!(grown <= MEMORY_MAX / 1024 + SLACK_KIB, "{grown} KiB more");
    stage.server.stop();
}

#[test]
fn who_is_closed_for_want_of_memory_gets_whole_replies_or_a_reset() {
    let Some(stage) = stage(Path::Sockets) else {
        return;
    };
    stage.while_others_ask(Over::All, || {
        let cut = count(unread(&stage), End::Cut);
        assert_eq!(cut, 0, "ended in the middle of a reply, in an orderly way");
    });
    stage.await_open(0);
    stage.server.stop();
}

/// A server that has little room for replies.
fn stage(path: Path) -> Option<Stage> {
    let toml = format!(
        "[tcp]\nthreads = 1\nsend_timeout_ms = {}\nmemory_max = {MEMORY_MAX}\n",
        TIMEOUT.as_millis()
    );
    let by = ["sh", "-c", SMALL_BUFFERS, "sh"];
    Stage::on(path, &toml, |launch| launch.by(&by))
}

/// Clients that ask and read nothing, when the server is through with them.
fn unread(stage: &Stage) -> Vec<Client> {
    let open = |network| stage.connect(network, 1);
    let mut clients: Vec<Client> = (0..CLIENTS).map(open).collect();
    let queries: Vec<u8> = (0..QUERIES).flat_map(|id| framed(&huge(id))).collect();
    clients.iter_mut().for_each(|client| client.send(&queries));
    let all = CLIENTS as u64;
    stage
        .server
        .await_stats(|stats| ended(stats).iter().sum::<u64>() == all);
    clients
}

/// Bytes a second of a client that is slow and steady: 2 Mbit/s.
const STEADY_RATE: usize = 250_000;
/// How long it reads: several times `tcp.send_timeout_ms`, which is 2 s unless configured.
const STEADY_TIME: Duration = Duration::from_secs(6);

#[test]
fn who_reads_slowly_and_steadily_is_not_reset() {
    let Some(stage) = Stage::new("") else { return };
    stage.while_others_ask(Over::All, || {
        let mut client = stage.connect(0, 1);
        // Far more than sockets have room for.
        (0..400).for_each(|id| client.send(&framed(&huge(id))));
        let (start, mut count, mut buffer) = (Instant::now(), 0, [0; 16_384]);
        while start.elapsed() < STEADY_TIME {
            count += client.0.read(&mut buffer).unwrap_or_else(|error| {
                panic!("{error} after {count} bytes and {:?}", start.elapsed())
            });
            let due = Duration::from_secs_f64(count as f64 / STEADY_RATE as f64);
            thread::park_timeout(due.saturating_sub(start.elapsed()));
        }
        assert!(count > STEADY_RATE * 5, "{count} bytes");
        client.reset();
    });
    stage.await_open(0);
    stage.server.stop();
}

/// Connections that ended by the send timeout, and for want of memory.
fn ended(stats: &Stats) -> [u64; 2] {
    ["closed.send_timeout", "closed.out_of_memory"].map(|counter| stats.tcp(counter))
}

/// How a connection has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// By a reset.
    Reset,
    /// In an orderly way, behind a reply.
    Whole,
    /// In an orderly way, in the middle of one.
    Cut,
}

/// How many of these have ended so.
fn count(clients: Vec<Client>, end: End) -> u64 {
    let ends = clients.into_iter().map(|mut client| end_of(&mut client));
    ends.filter(|&other| other == end).count() as u64
}

/// Reads to the end.
fn end_of(client: &mut Client) -> End {
    let mut bytes = Vec::new();
    match client.0.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => return End::Reset,
        Err(error) => panic!("{error}"),
    }
    let mut rest = &bytes[..];
    while let Some((prefix, behind)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes(*prefix));
        match behind.get(len..) {
            Some(next) => rest = next,
            None => return End::Cut,
        }
    }
    match rest {
        [] => End::Whole,
        _ => End::Cut,
    }
}

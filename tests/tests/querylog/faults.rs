//! Slow and full disks, readers that do not read: answers go on, and what is lost is counted.

use crate::stage::{prepare, start};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tests::client::{ask, load, query};
use tests::folder::Folder;
use tests::netns::{Namespace, privileged};
use tests::record::rtype;
use tests::server::{PATIENCE, Server};
use tests::stats::Stats;

/// Every answer was written, or counted as lost for one reason.
fn adds_up(stats: &Stats) -> bool {
    let log = ["written", "too_slow", "lost"].map(|counter| stats.query_log(counter));
    log.iter().sum::<u64>() + stats.total("events.unlogged") == stats.total("answers")
}

/// A steady load, of which nothing may get lost.
fn all_are_answered(address: SocketAddr, count: u16) {
    let answered = load(
        address,
        &query("www.example", rtype::A),
        count,
        Duration::from_secs(1),
    );
    assert_eq!(
        (answered.received, answered.replies.len()),
        (usize::from(count), 1)
    );
}

/// Makes a small disk of the folder of the logs.
const ON_A_DISK: &str =
    "mkdir logs && mount -t tmpfs -o size=64k,mode=755 ripples logs && exec \"$@\"";

#[test]
fn a_full_disk_costs_lines_and_nothing_else_and_is_used_again_when_there_is_room() {
    if !privileged() {
        return;
    }
    let namespace = Namespace::alone();
    let (launch, address) = prepare("[[query_log]]\nfolder = \"logs\"\nname = \"q\"\n");
    let by = ["sh", "-c", ON_A_DISK, "sh"];
    let mut server = launch.by(&by).within(&namespace).start();
    let logs = disk(&server).join("logs");
    let mut full = File::create(logs.join("full")).expect("an entry");
    while full.write_all(&[0; 4096]).is_ok() {}
    namespace.run(|| all_are_answered(address, 2000));
    let stats = server.await_stats(adds_up);
    assert!(stats.query_log("lost") > 0, "{stats}");
    server.await_log("is not written: ");

    drop(full);
    fs::remove_file(logs.join("full")).expect("it was made above");
    let written = stats.query_log("written");
    let deadline = Instant::now() + PATIENCE;
    while server.stats().query_log("written") == written {
        assert!(Instant::now() < deadline, "{}", server.log());
        namespace.run(|| ask(address, &query("www.example", rtype::A)));
    }
    let stats = server.await_stats(adds_up);
    server.await_log("is written again");
    let lines: usize = crate::stage::files(&logs)
        .into_iter()
        .map(|file| crate::stage::lines(&fs::read_to_string(file).expect("it is there")).len())
        .sum();
    assert_eq!(
        lines as u64,
        stats.query_log("written"),
        "half a line is no line"
    );
    server.stop();
}

/// The server's folder, as this process reaches it.
fn disk(server: &Server) -> PathBuf {
    let inside = server
        .folder()
        .strip_prefix("/")
        .expect("a path from the root");
    PathBuf::from(format!("/proc/{}/root", server.id())).join(inside)
}

#[test]
fn a_reader_that_does_not_read_keeps_nobody_waiting() {
    let folder = Folder::new();
    let socket = folder.path().join("tap.sock");
    let listener = UnixListener::bind(&socket).expect("a free path");
    let place = socket.display();
    let toml = format!(
        "query_log_buffer_size = 262144\n\
         [[query_log]]\nformat = \"dnstap\"\nsocket = \"unix:{place}\"\n"
    );
    let (server, address) = start(&toml);
    ask(address, &query("www.example", rtype::A));
    let (mut reader, _) = listener.accept().expect("the server connects");
    let mut ready = [0; 42];
    reader.read_exact(&mut ready).expect("READY, with its type");
    reader
        .write_all(&[0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1])
        .expect("ACCEPT");
    for _ in 0..3 {
        all_are_answered(address, 20_000);
    }
    // It gives up after five seconds.
    let stats = server.await_stats(|stats| adds_up(stats) && stats.query_log("write_errors") > 0);
    assert!(
        stats.query_log("lost") + stats.query_log("too_slow") > 0,
        "{stats}"
    );
    drop(reader);
    server.stop();
}

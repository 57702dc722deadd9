//! Places for those who look on: how many there are, and what is left when they leave.

use crate::stage::{Onlooker, start};
use serde_json::json;
use std::fs;
use std::net::Shutdown;
use std::time::{Duration, Instant};
use tests::client::{ask, query};
use tests::record::rtype;
use tests::server::Server;

#[test]
fn the_seventeenth_is_refused_until_somebody_leaves() {
    let (server, _) = start();
    let begin = || Onlooker::begin(&server, "tail", json!({ "types": ["MX"] }));
    let mut all: Vec<Onlooker> = (0..16).map(|_| begin()).collect();
    let (_, reply) = Onlooker::ask(&server, "top", json!({}));
    assert_eq!(reply["ok"], false);
    let error = reply["error"].as_str().unwrap();
    assert!(error.contains("16 live streams"), "{error}");
    assert_eq!(server.stats().live("refused"), 1);
    let left = Instant::now();
    drop(all.pop());
    server.await_stats(|stats| stats.live("subscribers") == 15);
    assert!(
        left.elapsed() < Duration::from_secs(1),
        "{:?}",
        left.elapsed()
    );
    all.push(begin());
    server.stop();
}

#[test]
fn nothing_is_recorded_and_no_memory_kept_for_those_who_have_left() {
    let (server, address) = start();
    for _ in 0..2 {
        let mut onlooker = Onlooker::begin(&server, "tail", json!({}));
        ask(address, &query("www.example", rtype::A));
        onlooker.entry();
        assert!(server.stats().query_log("buffer_bytes") > 0);
        drop(onlooker);
        let stats = server.await_stats(|stats| stats.query_log("buffer_bytes") == 0);
        let recorded = stats.query_log("recorded");
        ask(address, &query("www.example", rtype::A));
        // Somebody new sees only what is new, so that was not written anywhere.
        let mut onlooker = Onlooker::begin(&server, "tail", json!({}));
        ask(address, &query("mail.example", rtype::MX));
        assert_eq!(onlooker.entry(), "mail.example. MX udp");
        assert_eq!(server.stats().query_log("recorded"), recorded + 1);
        drop(onlooker);
        server.await_stats(|stats| stats.query_log("buffer_bytes") == 0);
    }
    server.stop();
}

#[test]
fn one_that_has_ended_only_its_own_side_still_listens() {
    let (server, address) = start();
    let mut onlooker = Onlooker::begin(&server, "tail", json!({}));
    onlooker.0.get_ref().shutdown(Shutdown::Write).unwrap();
    // Longer than it takes to see that somebody has gone.
    std::thread::park_timeout(Duration::from_millis(600));
    ask(address, &query("www.example", rtype::A));
    assert_eq!(onlooker.entry(), "www.example. A udp");
    drop(onlooker);
    server.await_stats(|stats| stats.live("subscribers") == 0);
    server.stop();
}

/// How often the query log's thread has gone to sleep.
fn sleeps(server: &Server) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).expect("it runs");
    let mut paths = tasks.flatten().map(|task| task.path());
    let is_it = |path: &std::path::PathBuf| {
        fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "querylog")
    };
    let path = paths.find(is_it).expect("there is one");
    let status = fs::read_to_string(path.join("status")).expect("it runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok())
        .expect("a number")
}

#[test]
fn the_thread_sleeps_while_nobody_looks_on() {
    let (server, address) = start();
    let onlooker = Onlooker::begin(&server, "tail", json!({}));
    let busy = sleeps(&server);
    std::thread::park_timeout(Duration::from_millis(500));
    assert!(sleeps(&server) > busy + 5);
    drop(onlooker);
    server.await_stats(|stats| stats.query_log("buffer_bytes") == 0);
    // It has still to see that all workers know.
    std::thread::park_timeout(Duration::from_millis(200));
    let before = sleeps(&server);
    ask(address, &query("www.example", rtype::A));
    std::thread::park_timeout(Duration::from_millis(800));
    assert_eq!(sleeps(&server), before);
    server.stop();
}

//! File descriptors: as many as the server may have, and what it does without any.

use crate::others::Over;
use crate::stage::{Path, Stage, ask};
use std::thread;
use std::time::{Duration, Instant};
use tests::process::has_no_descriptor_below;
use tests::server::PATIENCE;
use tests::tcp::Client;

/// Descriptors that a server may have that is to run out of them.
const FEW: u64 = 96;
/// The server's `tcp.receive_timeout_ms` where silent clients are to leave room again.
const TIMEOUT: Duration = Duration::from_millis(1500);

#[test]
fn the_limit_of_descriptors_is_raised_and_one_that_is_too_low_is_told() {
    let limited = |toml| Stage::on(Path::Sockets, toml, |launch| launch.by(&limits(100, 3000)));
    let Some(stage) = limited("") else { return };
    let raised = ("3000".to_owned(), "3000".to_owned());
    assert_eq!(stage.limit_of_descriptors(), raised);
    let said = stage.server.stop();
    let warning = "tcp.connections_max = 100000 needs 100512 file descriptors, and this process \
                   may have 3000";
    assert!(said.contains(warning), "{said}");
    let stage = limited("[tcp]\nconnections_max = 2000\n").expect("root, as before");
    assert_eq!(stage.limit_of_descriptors(), raised);
    let said = stage.server.stop();
    assert!(!said.contains("file descriptors"), "{said}");
}

#[test]
fn without_descriptors_accepting_pauses_and_goes_on_when_there_are_some() {
    let toml = format!("[tcp]\nreceive_timeout_ms = {}\n", TIMEOUT.as_millis());
    let Some(stage) = with_few_descriptors(&toml) else {
        return;
    };
    let before = stage.descriptors_at_rest();
    // Idle connections would make room: nobody's may stay.
    stage.while_others_ask(Over::Datagrams, || {
        let start = Instant::now();
        let mut silent: Vec<Client> = (0..150).map(|network| stage.connect(network, 1)).collect();
        await_exhaustion(&stage);
        let used = stage.server.processor_time_of(Duration::from_millis(500));
        assert!(
            used < Duration::from_millis(250),
            "it does not pause: {used:?} of 500 ms"
        );
        assert!(silent.iter_mut().all(Client::is_closed));
        assert!(
            start.elapsed() >= 2 * TIMEOUT,
            "they were not accepted in turn"
        );
        let stats = stage
            .server
            .await_stats(|stats| stats.tcp("closed.receive_timeout") == 150);
        let tried = stats.tcp("events.accept_exhausted");
        // Ten times a second, from each thread that there may be.
        assert!((3..=150).contains(&tried), "{tried} times: {stats}");
        as_before(&stage);
    });
    let stats = stage.await_open(0);
    assert_eq!(stats.tcp("closed.evicted"), 0, "{stats}");
    assert_eq!(stage.descriptors_at_rest(), before);
    stage.server.stop();
}

#[test]
fn without_descriptors_the_oldest_idle_connection_makes_room_for_each_that_comes() {
    let Some(stage) = with_few_descriptors("") else {
        return;
    };
    let before = stage.descriptors_at_rest();
    stage.while_others_ask(Over::All, || {
        let mut crowd: Vec<Client> = Vec::new();
        for number in 0..300 {
            let mut client = stage.connect(number, 1);
            ask(&mut client, 1);
            crowd.push(client);
            // The others, who rest for some milliseconds, are not to be the oldest.
            thread::park_timeout(Duration::from_millis(3));
        }
        // Far fewer than there were, and those are the newest.
        let open = crowd.split_off(crowd.len() - 20);
        let mut first = crowd.drain(..200);
        assert!(first.all(|mut client| client.is_closed()));
        open.into_iter().for_each(|mut client| ask(&mut client, 2));
        drop(first);
        drop(crowd);
        as_before(&stage);
    });
    let stats = stage.await_open(0);
    assert!(stats.tcp("events.accept_exhausted") > 0, "{stats}");
    assert!(stats.tcp("closed.evicted") >= 200, "{stats}");
    assert_eq!(stage.descriptors_at_rest(), before);
    stage.server.stop();
}

#[test]
fn without_descriptors_the_operator_is_still_answered() {
    let Some(stage) = with_few_descriptors("[tcp]\nreceive_timeout_ms = 600000\n") else {
        return;
    };
    stage.while_others_ask(Over::Datagrams, || {
        let silent: Vec<Client> = (0..150).map(|network| stage.connect(network, 1)).collect();
        await_exhaustion(&stage);
        for _ in 0..5 {
            let stats = stage.server.stats();
            assert!(stats.tcp("events.accept_exhausted") > 0, "{stats}");
        }
        drop(silent);
    });
    stage.await_open(0);
    stage.server.stop();
}

fn with_few_descriptors(toml: &str) -> Option<Stage> {
    Stage::on(Path::Sockets, toml, |launch| launch.by(&limits(FEW, FEW)))
}

/// The words before a program that is to have these limits.
fn limits(soft: u64, hard: u64) -> [&'static str; 2] {
    // A few bytes per test.
    let words = format!("--nofile={soft}:{hard}");
    ["prlimit", Box::leak(words.into_boxed_str())]
}

/// Connections come and go, and each is answered at once.
fn as_before(stage: &Stage) {
    for number in 0..200 {
        ask(&mut stage.connect(number, 2), 3);
    }
}

fn await_exhaustion(stage: &Stage) {
    let deadline = Instant::now() + PATIENCE;
    while !has_no_descriptor_below(stage.server.id(), FEW) {
        assert!(Instant::now() < deadline, "it has some left");
        thread::park_timeout(Duration::from_millis(5));
    }
}

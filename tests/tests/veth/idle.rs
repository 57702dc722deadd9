//! What a worker does without work, and the mode in which it only reflects.

use crate::stage::{Stage, xdp};
use std::time::Duration;
use tests::client::{query, socket};
use tests::record::rtype;

#[test]
fn every_idle_mode_answers_the_first_packet_after_a_silence() {
    for arguments in [
        &["--idle", "spin"][..],
        &["--idle", "adaptive"],
        &["--idle", "slowdown"],
        &["--idle", "slowdown", "--slowdown-us", "10000,10000,10000"],
    ] {
        let Some(stage) = Stage::new(arguments) else {
            return;
        };
        for answers in 1..=3 {
            std::thread::park_timeout(Duration::from_millis(50));
            stage.ask(stage.addresses()[0], &query("www.example", rtype::A));
            stage.await_answers(answers, 0);
        }
        stage.server.stop();
    }
}

#[test]
fn an_adaptive_worker_costs_nothing_when_nothing_comes() {
    let Some(stage) = Stage::new(&[]) else { return };
    stage.ask(stage.addresses()[0], &query("www.example", rtype::A));
    let used = stage.server.processor_time_of(Duration::from_secs(2));
    assert!(used < Duration::from_millis(20), "{used:?} of two seconds");
    stage.server.stop();
}

#[test]
fn vectors_are_as_small_as_the_load_and_fill_when_the_worker_comes_late() {
    // It looks once in ten milliseconds, far longer than the burst takes.
    let pauses = ["--idle", "slowdown", "--slowdown-us", "10000,10000,10000"];
    let Some(stage) = Stage::new(&pauses) else {
        return;
    };
    let (address, query) = (stage.addresses()[0], query("www.example", rtype::A));
    for _ in 0..5 {
        stage.ask(address, &query);
    }
    let single = stage.await_answers(5, 0);
    assert_eq!(xdp(&single, "events.turns"), 5, "{single}");
    stage.client(|| {
        let socket = socket(address);
        for _ in 0..128 {
            socket.send_to(&query, address).unwrap();
        }
    });
    let burst = stage.await_answers(5 + 128, 0);
    let turns = xdp(&burst, "events.turns") - 5;
    // Two full vectors, or three if the burst met the end of a pause; the machine may be busy.
    assert!(turns <= 16, "128 frames in {turns} turns: {burst}");
    stage.server.stop();
}

#[test]
fn a_reflecting_server_says_so_and_sends_queries_back_but_answers_tcp() {
    let Some(stage) = Stage::new(&["--reflect"]) else {
        return;
    };
    let log = stage.server.log();
    assert!(log.contains("NOTHING IS ANSWERED"), "{log}");
    let status = stage.server.ctl(&["status"]).stdout;
    assert!(status.contains("2 queues, REFLECTING"), "{status}");
    let query = query("www.example", rtype::A);
    for address in stage.addresses() {
        assert_eq!(stage.ask(address, &query), query);
    }
    stage.ask_tcp(stage.addresses()[0], &query);
    let stats = stage
        .server
        .await_stats(|stats| xdp(stats, "events.reflected") == 2);
    assert_eq!(xdp(&stats, "answers"), 0, "{stats}");
    assert_eq!(xdp(&stats, "received"), 2, "{stats}");
    stage.server.stop();
}

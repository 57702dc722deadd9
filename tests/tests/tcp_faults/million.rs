//! A million connections, each with a query: nothing is left of them.

use crate::others::Over;
use crate::stage::{Stage, ask};
use nix::sys::prctl::set_thp_disable;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tests::netns::privileged;
use tests::process::{alone, anonymous_kib, descriptor_count};
use tests::tcp::Client;

/// Set to make the test run until it is through with all of them.
const WHOLE: &str = "RIPPLES_MILLION";
/// Connections, at most.
const COUNT: usize = 1_000_000;
/// What there are in any case.
const COUNT_MIN: usize = 200_000;
/// How long it goes on beyond that, unless it is to go on to the end.
const TIME: Duration = Duration::from_secs(40);
/// Connections after which all that is kept for later ones must be there.
const WARM: usize = 100_000;
/// Threads that connect.
const THREADS: usize = 2;
/// Connections that each has open at a time.
const OPEN: usize = 50;
/// Resident memory that may come and go, in KiB.
const SLACK_KIB: u64 = 256;

#[test]
fn descriptors_and_memory_are_the_same_after_a_hundred_thousand_and_a_million_connections() {
    let name = "million::\
        descriptors_and_memory_are_the_same_after_a_hundred_thousand_and_a_million_connections";
    if !privileged() {
        return;
    }
    alone(name, || {
        // The kernel makes huge pages of small ones when it likes, and memory looks larger then.
        set_thp_disable(true).expect("anybody may, and the server inherits it");
        million();
    });
}

fn million() {
    let Some(stage) = Stage::new("") else { return };
    let start = Instant::now();
    let opened = stage.while_others_ask(Over::All, || {
        come_and_go(&stage, WARM, || true);
        let before = held(&stage);
        let whole = std::env::var_os(WHOLE).is_some();
        let more = || whole || start.elapsed() < TIME;
        let opened = WARM
            + come_and_go(&stage, COUNT_MIN - WARM, || true)
            + come_and_go(&stage, COUNT - COUNT_MIN, more);
        let after = held(&stage);
        eprintln!(
            "{opened} connections in {:?}: {before:?} after {WARM}, {after:?} at the end",
            start.elapsed()
        );
        assert!(after.memory_kib <= before.memory_kib + SLACK_KIB);
        // The others may have a connection more or less.
        assert!(after.descriptors.abs_diff(before.descriptors) <= 1);
        opened
    });
    let stats = stage.await_open(0);
    let (accepted, answers) = (stats.tcp("events.accepted"), stats.tcp("events.answers"));
    assert!(opened as u64 <= accepted && accepted <= answers, "{stats}");
    stage.server.stop();
}

/// What the server holds.
#[derive(Debug)]
struct Held {
    descriptors: usize,
    memory_kib: u64,
}

/// What it holds when no connections are left but the others'.
fn held(stage: &Stage) -> Held {
    stage.server.await_stats(|stats| stats.tcp("open") <= 2);
    let server = stage.server.id();
    Held {
        descriptors: descriptor_count(server),
        memory_kib: anonymous_kib(server),
    }
}

/// Opens at most `count` connections, while there are to be `more`; returns how many.
fn come_and_go(stage: &Stage, count: usize, more: impl Fn() -> bool + Sync) -> usize {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (next, more) = (&next, &more);
            scope.spawn(move || {
                let mut open = VecDeque::new();
                while more() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    let mut client = stage.connect(number / 10 % 1000, 1);
                    ask(&mut client, 1);
                    open.push_back(client);
                    if open.len() == OPEN {
                        leave(open.pop_front().expect("there is one"), number);
                    }
                }
                open.into_iter().for_each(Client::reset);
            });
        }
    });
    next.into_inner().min(count)
}

/// Most end by a reset, which leaves no port behind that waits for its time to pass (TIME_WAIT).
fn leave(client: Client, number: usize) {
    match number % 8 {
        0 => drop(client),
        _ => client.reset(),
    }
}

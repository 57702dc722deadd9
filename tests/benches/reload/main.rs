//! A large zone that is reloaded again and again, under a steady load over AF_XDP.
//!
//! `cargo xtask bench reload` (root) prints one JSON object a line: first without reloads, then
//! with them, then again without.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

use ripples::sys::{cpu, priority};
use serde_json::{Value, json};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};
use tests::generations::{self, Seen};
use tests::interrupt::{is_interrupted, take_signals};
use tests::medians::percentile_us;
use tests::netns::{Veth, privileged};
use tests::server::{Launch, Server};
use tests::words::{Words, number, seconds, value};

/// What to measure.
struct Options {
    names: usize,
    rate: u32,
    /// Of each of the three parts.
    duration: Duration,
    every: Duration,
    server: Vec<String>,
}

impl Options {
    fn read(words: &Words) -> Self {
        let mut options = Self {
            names: 1_000_000,
            rate: 20_000,
            duration: Duration::from_secs(60),
            every: Duration::from_secs(4),
            server: words.server.clone(),
        };
        if !words.measured {
            options.names = 1000;
            options.rate = 1000;
            options.duration = Duration::from_secs(1);
            options.every = Duration::from_millis(300);
        }
        let mut rest = words.options.iter();
        while let Some(name) = rest.next() {
            let mut value = || value(name, &mut rest);
            match name.as_str() {
                "--names" => options.names = number(value()) as usize,
                "--rate" => options.rate = number(value()),
                "--seconds" => options.duration = seconds(value()),
                "--every" => options.every = seconds(value()),
                _ => panic!("{name}: there is no such option"),
            }
        }
        options
    }
}

fn main() {
    let options = Options::read(&Words::of_process());
    if !privileged() {
        return;
    }
    let &[worker, client, ..] = &cpu::allowed().expect("the scheduler says")[..] else {
        panic!("client and server need a CPU each");
    };
    take_signals();
    let veth = Veth::new(1);
    let server = start(&options, &veth, worker);
    cpu::pin(client).expect("it is allowed");
    let address = (veth.server.ipv4, 53).into();
    let load = || {
        let (names, rate, duration) = (options.names, options.rate, options.duration);
        veth.client
            .namespace
            .run(|| generations::run(address, names, rate, duration))
    };
    let mut generation = 1;
    for part in ["quiet", "reloads", "quiet again"] {
        let before_kb = memory_kb(&server);
        let mut reloads = Vec::new();
        let seen = thread::scope(|scope| {
            let load = scope.spawn(load);
            if part == "reloads" {
                let is_over = || load.is_finished();
                let work = || {
                    // Writing zones is no part of what is measured.
                    priority::give_way().expect("it may always go last");
                    reload_while(&options, &server, &mut generation, is_over)
                };
                reloads = thread::scope(|scope| scope.spawn(work).join().expect("no panic"));
            }
            load.join().expect("no panic")
        });
        // What is freed is given back a moment later.
        thread::park_timeout(Duration::from_millis(200));
        println!(
            "{}",
            line(part, &seen, &reloads, [before_kb, memory_kb(&server)])
        );
        assert!(!is_interrupted(), "interrupted");
    }
    server.stop();
}

/// The server on its end of the pair, with the zone's first generation.
fn start(options: &Options, veth: &Veth, worker: usize) -> Server {
    let words: Vec<&str> = options.server.iter().map(String::as_str).collect();
    Launch::run(&[
        "--interface",
        veth.server.interface,
        "--io",
        "xdp",
        "--no-watch",
    ])
    .with(&["--cpus", &worker.to_string()])
    .with(&words)
    .within(&veth.server.namespace)
    .zone("steady.test", &generations::zone(1, options.names))
    .start()
}

/// Puts a new generation in place every now and then; returns how long each reload took.
fn reload_while(
    options: &Options,
    server: &Server,
    generation: &mut u16,
    is_over: impl Fn() -> bool,
) -> Vec<Duration> {
    let mut reloads = Vec::new();
    let draft = server.folder().join("next");
    while !is_over() {
        let due = Instant::now() + options.every;
        *generation += 1;
        fs::write(&draft, generations::zone(*generation, options.names))
            .expect("a folder of one's own");
        fs::rename(&draft, server.folder().join("steady.test.zone")).expect("the same folder");
        let start = Instant::now();
        server.reload();
        reloads.push(start.elapsed());
        thread::park_timeout(due.saturating_duration_since(Instant::now()));
    }
    reloads
}

/// Resident memory of the server, in KiB: at its highest, and now.
fn memory_kb(server: &Server) -> [u64; 2] {
    let text = fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
    ["VmHWM:", "VmRSS:"].map(|name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.expect("the kernel says")
    })
}

fn line(part: &str, seen: &Seen, reloads: &[Duration], memory_kb: [[u64; 2]; 2]) -> Value {
    let ns =
        |answer: &generations::Answer| u64::try_from(answer.latency.as_nanos()).unwrap_or(u64::MAX);
    let mut latencies: Vec<u64> = seen.answers.iter().map(ns).collect();
    latencies.sort_unstable();
    let percentile = |part| percentile_us(&latencies, part);
    let mut seconds: Vec<f64> = reloads.iter().map(Duration::as_secs_f64).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    json!({
        "part": part,
        "sent": seen.sent,
        "lost": seen.lost(),
        "wrong": seen.wrong.len(),
        "first_wrong": seen.wrong.first(),
        "generations": seen.generations.len(),
        "p50_us": percentile(500),
        "p99_us": percentile(990),
        "p999_us": percentile(999),
        "reloads": reloads.len(),
        "reload_median_s": seconds.get(seconds.len() / 2),
        "reload_worst_s": seconds.last(),
        "memory_before_mb": memory_kb[0][1] / 1024,
        "memory_after_mb": memory_kb[1][1] / 1024,
        "memory_peak_mb": memory_kb[1][0] / 1024,
    })
}

//! The real turn over memory: nanoseconds and instructions per packet, beside a turn that only
//! sends frames back.
//!
//! `cargo bench -p tests --bench core [-- PART-OF-A-CASE'S-NAME]` prints one JSON object a line.
//! Instructions are counted by valgrind, where there is one.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

mod cases;
mod count;

use cases::{CASES, Case};
use ripples::port::{MemPort, Port, Vector};
use ripples::snapshot::Snapshot;
use ripples::telemetry::Tally;
use ripples::vectorloop::Turn;
use serde_json::json;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Frames of the port; queries beyond are drawn anew from as many templates.
const FRAMES: usize = 1024;
/// The usual vector.
const VECTOR: usize = 64;
/// How long one measurement lasts, and how many there are of each case.
const TIME: Duration = Duration::from_millis(10);
const ROUNDS: usize = 150;

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [count::COMMAND, name, turns] => count::run(name, turns.parse().expect("a number")),
        [] => measure(""),
        [part] => measure(part),
        _ => panic!("usage: core [PART-OF-A-CASE'S-NAME]"),
    }
}

/// Measures the cases with `part` in their name.
fn measure(part: &str) {
    let mut last = None;
    for case in CASES.iter().filter(|case| case.name.contains(part)) {
        let snapshot = match last.take() {
            Some((world, snapshot)) if world == case.world => snapshot,
            _ => case.world.snapshot(),
        };
        let vectors: &[usize] = match case.name.ends_with(" uniform") {
            true => &[VECTOR, 1, 8, 32, 256],
            false => &[VECTOR],
        };
        for &vector in vectors {
            let [ns, floor] = times(case, &snapshot, vector);
            let instructions = (vector == VECTOR)
                .then(|| count::per_packet(case))
                .flatten();
            let line = json!({
                "case": case.name,
                "vector": vector,
                "ns_per_packet": ns,
                "floor_ns": floor,
                "instructions_per_packet": instructions,
            });
            println!("{line}");
        }
        last = Some((case.world, snapshot));
    }
}

/// Nanoseconds per packet: answered, and sent back unread.
fn times(case: &Case, snapshot: &Snapshot, vector: usize) -> [f64; 2] {
    let frames = case.frames();
    let port = || MemPort::ethernet(FRAMES, 2048).replaying(frames.iter().map(Vec::as_slice));
    let mut tally = Tally::default();
    let mut turn = Turn::new(vector);
    let mut answering = port();
    let ns = median(|| turn.run(&mut answering, snapshot, 0, &mut tally));
    let mut reflecting = port();
    let mut held = Vector::new();
    let floor = median(|| {
        reflecting.receive(&mut held, vector);
        let count = held.len();
        reflecting.transmit(black_box(&mut held));
        count
    });
    [ns, floor].map(|ns| (ns * 10.0).round() / 10.0)
}

/// Median over the rounds of nanoseconds per packet; `turn` says how many packets it took.
fn median(mut turn: impl FnMut() -> usize) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let (start, mut packets) = (Instant::now(), 0);
            while start.elapsed() < TIME {
                for _ in 0..64 {
                    packets += turn();
                }
            }
            start.elapsed().as_secs_f64() * 1e9 / packets as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    eprintln!("least {:.1}", rounds[1]);
    rounds[ROUNDS / 2]
}

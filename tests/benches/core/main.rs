//! The real turn over memory: nanoseconds and instructions per packet, beside a turn that only
//! sends frames back.
//!
//! `cargo xtask bench core` runs it. By itself, `cargo bench -p tests --bench core -- PART` prints
//! one JSON object a line; `--all` adds what takes minutes to build, `--callgrind` counts
//! instructions instead.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

mod cases;
mod count;
mod file;
mod geo;
mod measure;
mod names;
mod queries;
mod routes;
mod worlds;

use cases::{CASES, Case};
use measure::{Extra, Setting, USUAL_VECTOR, settings};
use serde_json::json;

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo adds `--bench`.
    let mut option = |name: &str| {
        let before = arguments.len();
        arguments.retain(|word| word != name);
        arguments.len() < before
    };
    option("--bench");
    let (all, callgrind) = (option("--all"), option("--callgrind"));
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if count::run(&words) {
        return;
    }
    let part = match words[..] {
        [] => "",
        [part] => part,
        _ => panic!("usage: core [--all] [--callgrind] [PART-OF-A-CASE'S-NAME]"),
    };
    let chosen: Vec<&Case> = CASES
        .iter()
        .filter(|case| case.is_meant(part, all))
        .collect();
    assert!(!chosen.is_empty(), "no case has {part:?} in its name");
    match callgrind {
        true => count_all(&chosen),
        false => measure_all(&chosen),
    }
}

/// Prints the times of every case in all its settings.
fn measure_all(chosen: &[&Case]) {
    let mut last = None;
    for case in chosen {
        let snapshot = match last.take() {
            Some((world, snapshot)) if world == case.world => snapshot,
            // The old world goes before the new one comes.
            other => {
                drop(other);
                case.world.snapshot()
            }
        };
        let frames = case.frames();
        case.check(&frames, &snapshot);
        for setting in settings(case) {
            let Setting {
                level,
                vector,
                prefetch,
                extra,
            } = setting;
            let times = measure::times(&frames, &snapshot, setting);
            let line = json!({
                "case": case.name,
                "level": level.name(),
                "vector": vector,
                "prefetch": prefetch,
                "with": extra.map(Extra::name),
                "ns_per_packet": times.median,
                "least_ns": times.least,
                "spread": times.spread,
                "floor_ns": times.floor,
                "ratio": times.ratio,
                "instructions_per_packet": null,
            });
            println!("{line}");
        }
        last = Some((case.world, snapshot));
    }
}

/// Prints the instructions of every case that is small enough.
fn count_all(chosen: &[&Case]) {
    for case in chosen.iter().filter(|case| case.is_counted()) {
        for query_log in [false, true] {
            if query_log && !case.is_logged() {
                continue;
            }
            let line = json!({
                "case": case.name,
                "level": "portable",
                "vector": USUAL_VECTOR,
                "query_log": query_log,
                "instructions_per_packet": count::per_packet(case, query_log),
            });
            println!("{line}");
        }
    }
}

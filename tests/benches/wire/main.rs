//! Throughput, CPU time per answer, latency, memory and load times on a veth pair, beside other
//! servers as Debian packages them and beside a reflector, the most that AF_XDP can do here.
//!
//! `cargo xtask bench wire` (root) goes through worlds and servers, several times, and says at the
//! end what the medians are and which marks are met.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

mod generators;
mod marks;
mod measure;
mod options;
mod table;

use options::Options;
use ripples::sys::cpu;
use tests::interrupt::{is_interrupted, take_signals};
use tests::netns::privileged;
use tests::wire::point::Point;
use tests::wire::stage::Cpus;
use tests::wire::summary::Summary;
use tests::wire::worlds::World;
use tests::words::Words;

/// Its name in its lines.
const BENCH: &str = "wire";

fn main() {
    let options = Options::read(&Words::of_process());
    if let Some(earlier) = options.kept.earlier(BENCH) {
        return show(&earlier);
    }
    if !privileged() {
        return;
    }
    let &[server, client, ..] = &cpu::allowed().expect("the scheduler says")[..] else {
        panic!("server and generator need a CPU each");
    };
    take_signals();
    let points = measure_all(&options, Cpus { server, client });
    assert!(!is_interrupted(), "interrupted");
    if let Some(points) = options.kept.shown(BENCH, points) {
        show(&points);
    }
}

/// Every round goes through all worlds, and all servers in each.
fn measure_all(options: &Options, cpus: Cpus) -> Vec<Point> {
    let worlds: Vec<World> = options
        .worlds
        .iter()
        .map(|&size| World::make(size))
        .collect();
    let mut points = Vec::new();
    let journal = options.kept.journal(BENCH);
    let before = journal.rounds();
    for round in before + 1..=before + options.rounds as u64 {
        for world in &worlds {
            for server in &options.servers {
                if is_interrupted() {
                    return points;
                }
                measure::measure(server, world, options, cpus, |point| {
                    let point = point.with("round", round);
                    journal.keep(&point.line());
                    match options.kept.json {
                        true => println!("{}", point.line()),
                        false => eprintln!("{}", table::progress(&point)),
                    }
                    points.push(point);
                });
            }
        }
    }
    points
}

/// Prints medians and marks.
fn show(points: &[Point]) {
    let summary = Summary::of(points);
    table::print(&summary);
    marks::print(&summary);
}

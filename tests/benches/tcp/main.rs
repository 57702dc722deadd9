//! TCP: connections and pipelining beside an echo, other servers under the same load, and what a
//! flood over TCP or UDP does to a light load over the other.
//!
//! `cargo xtask bench tcp` (root) goes through its parts several times, and says at the end what
//! the medians are and which marks are met. The server has one CPU, all loads the other one.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

mod balance;
mod helper;
mod marks;
mod options;
mod peers;
mod place;
mod shapes;
mod table;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use options::{Options, Part};
use ripples::sys::cpu;
use tests::interrupt::{is_interrupted, take_signals};
use tests::netns::privileged;
use tests::tcp_load::questions::SIZE;
use tests::wire::point::Point;
use tests::wire::stage::Cpus;
use tests::wire::summary::Summary;
use tests::wire::worlds::World;
use tests::words::Words;

/// Its name in its lines.
const BENCH: &str = "tcp";
/// Descriptors that are wished for: a server and a load have one for each connection.
const DESCRIPTORS: u64 = 65_536;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if helper::is_one(&words) {
        return;
    }
    let options = Options::read(&Words::of_process());
    if let Some(earlier) = options.kept.earlier(BENCH) {
        return show(&earlier);
    }
    if !privileged() {
        return;
    }
    let &[server, client, ..] = &cpu::allowed().expect("the scheduler says")[..] else {
        panic!("server and load need a CPU each");
    };
    allow_descriptors();
    take_signals();
    let points = measure_all(&options, Cpus { server, client });
    assert!(!is_interrupted(), "interrupted");
    let flaws: Vec<String> = points.iter().flat_map(Point::flaws).collect();
    if let Some(points) = options.kept.shown(BENCH, points) {
        show(&points);
    }
    // Where it is only to be seen to work, it has to.
    assert!(options.is_measured || flaws.is_empty(), "{flaws:?}");
}

/// Every round goes through all parts.
fn measure_all(options: &Options, cpus: Cpus) -> Vec<Point> {
    let world = World::make(SIZE);
    let journal = options.kept.journal(BENCH);
    let mut points = Vec::new();
    let before = journal.rounds();
    for round in before + 1..=before + options.rounds as u64 {
        let mut then = |point: Point| {
            let point = point.with("round", round);
            journal.keep(&point.line());
            match options.kept.json {
                true => println!("{}", point.line()),
                false => eprintln!("{}", table::progress(&point)),
            }
            points.push(point);
        };
        for part in &options.parts {
            match part {
                Part::Shapes => shapes::measure(options, cpus, &world, round, &mut then),
                Part::Peers => peers::measure(options, cpus, &world, &mut then),
                Part::Balance => balance::measure(options, cpus, &world, &mut then),
            }
            if is_interrupted() {
                return points;
            }
        }
    }
    points
}

/// Lets this process and those that it starts open more files, as far as that is allowed.
fn allow_descriptors() {
    let limit = Resource::RLIMIT_NOFILE;
    let (_, hard) = getrlimit(limit).expect("a limit");
    let raised = setrlimit(limit, hard.max(DESCRIPTORS), hard.max(DESCRIPTORS));
    raised
        .or_else(|_| setrlimit(limit, hard, hard))
        .expect("up to the hard limit");
}

/// Prints medians and marks.
fn show(points: &[Point]) {
    table::print(&Summary::of(points));
    let sound = points.iter().filter(|point| point.flaws().is_empty());
    let sound: Vec<Point> = sound.cloned().collect();
    marks::print(&Summary::of(&sound));
}

//! Throughput, CPU time per answer, latency, memory and load times on a veth pair, beside other
//! servers as Debian packages them and beside a reflector, the most that AF_XDP can do here.
//!
//! `cargo xtask bench wire` (root) goes through worlds and servers, several times, and says at the
//! end what the medians are and which marks are met.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

mod check;
mod generators;
mod marks;
mod measure;
mod options;
mod running;
mod servers;
mod stage;
mod table;
mod worlds;

use options::Options;
use ripples::sys::cpu;
use serde_json::json;
use stage::Cpus;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use tests::interrupt::{is_interrupted, take_signals};
use tests::netns::privileged;
use tests::wire::point::Point;
use tests::wire::summary::Summary;
use tests::words::Words;
use worlds::World;

fn main() {
    let options = Options::read(&Words::of_process());
    if let Some(file) = &options.show {
        return show(&saved(file));
    }
    if !privileged() {
        return;
    }
    let &[server, client, ..] = &cpu::allowed().expect("the scheduler says")[..] else {
        panic!("server and generator need a CPU each");
    };
    take_signals();
    begin(&options);
    let points = measure_all(&options, Cpus { server, client });
    assert!(!is_interrupted(), "interrupted");
    if !options.json {
        let all = options
            .save
            .as_deref()
            .filter(|_| options.append)
            .map(saved);
        show(&all.unwrap_or(points));
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
    let before = options.save.as_deref().map_or(0, rounds);
    for round in before + 1..=before + options.rounds as u64 {
        for world in &worlds {
            for server in &options.servers {
                if is_interrupted() {
                    return points;
                }
                measure::measure(server, world, options, cpus, |point| {
                    let point = point.with("round", round);
                    keep(options, &point.line());
                    match options.json {
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

/// Begins the file of results, if there is one.
fn begin(options: &Options) {
    let Some(file) = &options.save else { return };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).expect("a folder for the results");
    }
    if !options.append {
        fs::write(file, "").unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    if let Some(note) = &options.note {
        keep(options, &json!({ "note": note }).to_string());
    }
}

/// Adds a line to the file of results: what is measured is kept, whatever comes after.
fn keep(options: &Options, line: &str) {
    let Some(file) = &options.save else { return };
    let opened = OpenOptions::new().append(true).create(true).open(file);
    let written = opened.and_then(|mut file| writeln!(file, "{line}"));
    written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

/// The rounds that a file has: those that are added come after them.
fn rounds(file: &Path) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let points = text.lines().filter_map(Point::read);
    points
        .filter_map(|point| point.count("round"))
        .max()
        .unwrap_or(0)
}

/// The points of a file.
fn saved(file: &Path) -> Vec<Point> {
    let text = fs::read_to_string(file);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines().filter_map(Point::read).collect()
}

/// Prints medians and marks.
fn show(points: &[Point]) {
    let summary = Summary::of(points);
    table::print(&summary);
    marks::print(&summary);
}

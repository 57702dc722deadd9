//! One run: zones are loaded, and what it took is printed.

use nix::time::{ClockId, clock_gettime};
use ripples::config::ZoneSource;
use ripples::name::{NameBuf, ROOT};
use ripples::packet::NameKey;
use ripples::snapshot::{Policy, Snapshot};
use ripples::zone::image::ZoneImage;
use ripples::zone::load::load_all;
use ripples::zone::progress::{Effort, Progress};
use ripples::zone::records::ZoneRecords;
use ripples::zone::served::ServedZone;
use ripples::zone::{check::check, compile::compile};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// The command line's word for a run.
pub(crate) const COMMAND: &str = "measure-one-run";

/// Loads the zones of a list on some threads.
pub(crate) fn measure(list: &Path, threads: usize) {
    let sources = sources(list);
    let before = status("VmRSS:");
    let mut figures = Map::new();
    let progress = &Progress::none();
    let effort = Effort { threads, progress };
    let (images, loaded) = timed(|| {
        let all = load_all(&sources, effort).into_iter();
        let images = all.map(|loaded| loaded.image.expect("a good zone"));
        images.collect::<Vec<_>>()
    });
    let zones = images.len();
    let (snapshot, indexed) = timed(|| snapshot(images));
    let grown = status("VmHWM:").saturating_sub(before);
    let kept = status("VmRSS:").saturating_sub(before);
    let records: u64 = snapshot.zones().iter().map(ZoneImage::record_count).sum();
    let names = snapshot
        .zones()
        .iter()
        .map(ZoneImage::node_count)
        .sum::<usize>();
    let mut add = |key: &str, value: f64| figures.insert(key.to_owned(), json!(rounded(value)));
    let total = loaded + indexed;
    add("zones", zones as f64);
    add("records", records as f64);
    add("names", names as f64);
    add("wall_s", total.wall);
    add("cpu_s", total.cpu);
    add("records_per_core_s", (records as f64 / total.cpu).round());
    add("load_wall_s", loaded.wall);
    add("load_cpu_s", loaded.cpu);
    add("index_wall_s", indexed.wall);
    add("index_cpu_s", indexed.cpu);
    let size = snapshot.size_bytes();
    add("image_and_index_bytes", size as f64);
    add("peak_bytes", grown as f64);
    add("peak_ratio", grown as f64 / size as f64);
    add("kept_bytes", kept as f64);
    drop(snapshot);
    if let [source] = &sources[..] {
        phases(source, &mut figures);
    }
    println!("{}", Value::Object(figures));
}

/// The phases of one zone's way, one after the other on one thread.
fn phases(source: &ZoneSource, figures: &mut Map<String, Value>) {
    let (outcome, reading) = timed(|| ZoneRecords::read(&source.file, &source.origin));
    let (mut records, _) = outcome.expect("a good zone");
    let (_, checking) = timed(|| check(&records));
    records.forget_lines();
    let (image, compiling) = timed(|| compile(&records).expect("a good zone"));
    drop(records);
    let (_, indexing) = timed(|| snapshot(vec![image.into()]));
    for (phase, time) in [
        ("alone_read_cpu_s", reading),
        ("alone_check_cpu_s", checking),
        ("alone_compile_cpu_s", compiling),
        ("alone_index_cpu_s", indexing),
    ] {
        figures.insert(phase.to_owned(), json!(rounded(time.cpu)));
    }
}

fn snapshot(zones: Vec<ServedZone>) -> Snapshot {
    let key = NameKey::new([1, 2, 3]);
    Snapshot::new(1, zones, Policy::default(), key).expect("a snapshot")
}

/// Reads a list of zones.
fn sources(list: &Path) -> Vec<ZoneSource> {
    let list = fs::read_to_string(list).expect("a list");
    let source = |line: &str| {
        let (origin, file) = line.split_once(' ').expect("origin and file");
        let origin = NameBuf::from_text(origin.as_bytes(), ROOT).expect("a name");
        ZoneSource {
            origin: origin.to_vec(),
            file: file.into(),
        }
    };
    list.lines().map(source).collect()
}

/// What something took: time of day, and time of all threads.
#[derive(Clone, Copy)]
struct Took {
    wall: f64,
    cpu: f64,
}

impl std::ops::Add for Took {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            cpu: self.cpu + other.cpu,
        }
    }
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Took) {
    let clock = ClockId::CLOCK_PROCESS_CPUTIME_ID;
    let cpu = || Duration::from(clock_gettime(clock).expect("a clock"));
    let (started, cpu_before) = (Instant::now(), cpu());
    let done = run();
    let took = Took {
        wall: started.elapsed().as_secs_f64(),
        cpu: (cpu() - cpu_before).as_secs_f64(),
    };
    (done, took)
}

/// A line of /proc/self/status, in bytes.
fn status(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse::<usize>().ok())
        .expect("a number")
        * 1024
}

fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

//! Latency against load on a veth pair, beside an echo on the same path.
//!
//! `cargo xtask bench latency` (root) goes through rates, `--idle` modes and both kinds of NAPI,
//! several times, and prints one JSON object a line: each point as it was measured, at the end the
//! medians with their spread. Latency counts from the moment that a query was due.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

mod options;
mod place;

use options::Options;
use place::{Cpus, Place, Role, exchanges};
use ripples::sys::cpu;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::interrupt::{is_interrupted, take_signals};
use tests::medians::{median, percentile_us, sorted};
use tests::napi::{Napi, go_first};
use tests::netns::privileged;
use tests::open_loop::{Client, Measured};
use tests::words::Words;

/// How long each load runs before it is measured.
const WARM_UP: Duration = Duration::from_millis(200);

/// What is the same for all rates of one server.
#[derive(Clone, PartialEq, Eq)]
struct Setting {
    napi: Napi,
    role: Role,
    mode: String,
}

/// A measured point.
struct Point {
    setting: Setting,
    rate: u32,
    /// p50, p99, p999 in µs; none without load.
    latency_us: Option<[f64; 3]>,
    /// p99 in µs of how late the client itself was.
    late_us: Option<f64>,
    lost: usize,
    frames_per_turn: Option<f64>,
    kicks_per_turn: Option<f64>,
    cpu_percent: f64,
}

fn main() {
    let options = Options::read(&Words::of_process());
    if !privileged() {
        return;
    }
    let &[server, client, ..] = &cpu::allowed().expect("the scheduler says")[..] else {
        panic!("client and server need a CPU each");
    };
    let cpus = Cpus { server, client };
    take_signals();
    let mut points = Vec::new();
    for round in 1..=options.rounds {
        for setting in settings(&options) {
            measure(&setting, &options, cpus, |point| {
                let mut line = line(&[&point]);
                line["round"] = round.into();
                println!("{line}");
                points.push(point);
            });
        }
    }
    if options.rounds > 1 {
        report(&points);
    }
    assert!(!is_interrupted(), "interrupted");
}

/// Every setting, what is compared next to each other.
fn settings(options: &Options) -> Vec<Setting> {
    let mut settings = Vec::new();
    for &napi in &options.napi {
        for mode in &options.modes {
            settings.extend(Role::ALL.map(|role| Setting {
                napi,
                role,
                mode: mode.clone(),
            }));
        }
    }
    settings
}

/// Measures all rates of one setting, as far as nobody wants the run to end.
fn measure(setting: &Setting, options: &Options, cpus: Cpus, mut then: impl FnMut(Point) + Send) {
    if is_interrupted() {
        return;
    }
    let place = Place::new(options, setting, cpus);
    let exchanges = exchanges(setting.role);
    place.veth.client.namespace.run(|| {
        cpu::pin(cpus.client).expect("it is allowed");
        if options.fifo {
            go_first();
        }
        let mut client = Client::new(place.address(), &exchanges);
        for &rate in &options.rates {
            if rate > 0 {
                client.run(rate, WARM_UP);
            }
            let before = counts(&place);
            let (start, used) = (Instant::now(), place.server.processor_time());
            let measured = load(&mut client, rate, options.duration);
            let elapsed = start.elapsed();
            let used = place.server.processor_time() - used;
            let after = counts(&place);
            if is_interrupted() {
                return;
            }
            let [frames, turns, kicks] = [0, 1, 2].map(|at| after[at] - before[at]);
            let latencies = &measured.latencies_ns;
            then(Point {
                setting: setting.clone(),
                rate,
                latency_us: (!latencies.is_empty())
                    .then(|| [500, 990, 999].map(|part| percentile_us(latencies, part))),
                late_us: (rate > 0).then(|| percentile_us(&measured.late_ns, 990)),
                lost: measured.lost,
                frames_per_turn: ratio(frames, turns),
                kicks_per_turn: ratio(kicks, turns),
                cpu_percent: used.as_secs_f64() / elapsed.as_secs_f64() * 100.0,
            });
        }
    });
    if !is_interrupted() {
        place.server.stop();
    }
}

/// The load, or as long a silence.
fn load(client: &mut Client<'_>, rate: u32, duration: Duration) -> Measured {
    if rate > 0 {
        return client.run(rate, duration);
    }
    std::thread::park_timeout(duration);
    Measured::default()
}

/// Frames received, the turns that they were received in, and wake-ups of the kernel.
fn counts(place: &Place) -> [u64; 3] {
    let stats = place.server.stats();
    ["received", "events.turns", "events.kicks"].map(|counter| stats.worker("server0/0", counter))
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Prints the medians over all rounds.
fn report(points: &[Point]) {
    for (at, point) in points.iter().enumerate() {
        let same = |other: &&Point| other.setting == point.setting && other.rate == point.rate;
        if points[..at].iter().any(|other| same(&other)) {
            continue;
        }
        let rounds: Vec<&Point> = points.iter().filter(same).collect();
        println!("{}", line(&rounds));
    }
}

/// A point, as the medians of its rounds.
fn line(rounds: &[&Point]) -> Value {
    let [p50, p99, p999] = [0, 1, 2].map(|at| {
        let values = rounds.iter().filter_map(|round| round.latency_us);
        sorted(values.map(|latency| latency[at]))
    });
    let point = rounds[0];
    let mut line = json!({
        "server": point.setting.role.label(),
        "mode": point.setting.mode,
        "napi": point.setting.napi.label(),
        "rate": point.rate,
        "p50_us": median(&p50),
        "p99_us": median(&p99),
        "p999_us": median(&p999),
        "client_late_p99_us": median(&sorted(rounds.iter().filter_map(|round| round.late_us))),
        "lost": rounds.iter().map(|round| round.lost).sum::<usize>(),
        "frames_per_turn":
            median(&sorted(rounds.iter().filter_map(|round| round.frames_per_turn))),
        "kicks_per_turn":
            median(&sorted(rounds.iter().filter_map(|round| round.kicks_per_turn))),
        "cpu_percent": median(&sorted(rounds.iter().map(|round| round.cpu_percent))),
    });
    if rounds.len() > 1 {
        line["rounds"] = rounds.len().into();
        for (name, values) in [
            ("p50_spread", &p50),
            ("p99_spread", &p99),
            ("p999_spread", &p999),
        ] {
            line[name] = json!([values.first(), values.last()]);
        }
    }
    line
}

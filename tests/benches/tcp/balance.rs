//! What a flood over TCP or UDP does to a light load over the other.

use crate::helper::Helper;
use crate::options::{Options, Path};
use crate::place::{self, Place, WARM_UP, point};
use ripples::sys::cpu;
use std::time::{Duration, Instant};
use tests::interrupt::is_interrupted;
use tests::medians::percentile_us;
use tests::napi::go_first;
use tests::netns::End;
use tests::tcp_load::Shape;
use tests::tcp_load::flood::Flood;
use tests::tcp_load::generator::Load;
use tests::tcp_load::probe::{Probe, Seen, Transport};
use tests::tcp_load::questions::Expects;
use tests::tcp_load::said::Said;
use tests::wire::point::Point;
use tests::wire::servers::named;
use tests::wire::stage::Cpus;
use tests::wire::usage::Used;
use tests::wire::worlds::World;

/// The name of the part.
pub(crate) const PART: &str = "balance";
/// The flood over TCP: what is under way is always more than the server answers at a time.
const TCP_FLOOD: Shape = Shape {
    connections: 100,
    pipelined: 100,
};
/// How much earlier a flood begins and how much later it ends than what is measured.
const LEAD: Duration = Duration::from_millis(200);

/// A light load, alone or under a flood over the other transport.
#[derive(Clone, Copy)]
struct Case {
    label: &'static str,
    transport: Transport,
    is_flooded: bool,
}

/// All of them, what is compared next to each other.
const CASES: [Case; 4] = [
    case("udp alone", Transport::Udp, false),
    case("udp under tcp", Transport::Udp, true),
    case("tcp alone", Transport::Tcp, false),
    case("tcp under udp", Transport::Tcp, true),
];

const fn case(label: &'static str, transport: Transport, is_flooded: bool) -> Case {
    Case {
        label,
        transport,
        is_flooded,
    }
}

/// The light loads under a flood, each with the name of the same load alone.
pub(crate) fn flooded() -> [(&'static str, &'static str); 2] {
    [CASES[1], CASES[3]].map(|flooded| {
        let alone = |case: &&Case| case.transport == flooded.transport && !case.is_flooded;
        let alone = CASES.iter().find(alone);
        (flooded.label, alone.map_or("", |case| case.label))
    })
}

/// Goes through all paths, and on each through all cases.
pub(crate) fn measure(options: &Options, cpus: Cpus, world: &World, then: &mut impl FnMut(Point)) {
    for &path in &options.paths {
        if is_interrupted() {
            return;
        }
        let server = match path {
            Path::Socket => named("ripples-socket"),
            Path::Passed | Path::Xdp => named("ripples-xdp"),
        };
        let base = || point(PART, "ripples", "own").with("path", path.label());
        let outcome = place::with(server, options, false, cpus, world, |place| {
            for case in CASES {
                let outcome = one(case, path, place, options);
                if is_interrupted() {
                    return;
                }
                let point = base().with("case", case.label);
                let point = match path {
                    Path::Xdp => point
                        .with("way", "xdp")
                        .with("has_program", place.stage.has_program()),
                    _ => point,
                };
                then(match outcome {
                    Ok(outcome) => outcome.fill(point),
                    Err(why) => point.with("error", why),
                });
            }
        });
        if let Err(why) = outcome
            && !is_interrupted()
        {
            then(base().with("error", why));
        }
    }
}

/// Measures a case: the light load goes before all else on its CPU, or it would measure how long
/// the flood lets it wait there.
fn one(case: Case, path: Path, place: &Place<'_>, options: &Options) -> Result<Outcome, String> {
    let flood = match (case.is_flooded, case.transport) {
        (false, _) => None,
        (true, Transport::Udp) => Some(tcp_flood(place, options)?),
        (true, Transport::Tcp) => Some(udp_flood(path, place, options)?),
    };
    if flood.is_some() {
        std::thread::park_timeout(LEAD);
    }
    let end = match case.transport {
        Transport::Udp => end_of_datagrams(path, place),
        Transport::Tcp => &place.stage.veth.server,
    };
    let probe = Probe {
        server: place.address,
        transport: case.transport,
        rate: options.probe_rate,
        window: options.window,
    };
    let (start, before) = (Instant::now(), Used::of(&place.processes));
    let seen = end.namespace.run(|| {
        cpu::pin(place.cpus.client).expect("it is allowed");
        go_first();
        probe.run()
    });
    let seconds = start.elapsed().as_secs_f64();
    let server = Used::of(&place.processes).since(before);
    Ok(Outcome {
        flood: flood.map(Helper::said).transpose()?,
        seen: seen.map_err(|error| error.to_string())?,
        server,
        seconds,
    })
}

/// Where datagrams are sent from: only what comes by veth comes to the XDP program.
fn end_of_datagrams<'p>(path: Path, place: &Place<'p>) -> &'p End {
    match path {
        Path::Socket | Path::Passed => &place.stage.veth.server,
        Path::Xdp => &place.stage.veth.client,
    }
}

fn tcp_flood(place: &Place<'_>, options: &Options) -> Result<Helper, String> {
    let load = Load {
        server: place.address,
        shape: TCP_FLOOD,
        expects: Expects::Answers,
        warm_up: WARM_UP,
        window: options.window + 2 * LEAD,
        watch: place.processes.clone(),
    };
    Helper::load(&place.loopback(), &load)
}

fn udp_flood(path: Path, place: &Place<'_>, options: &Options) -> Result<Helper, String> {
    let flood = Flood {
        server: place.address,
        rate: options.flood_rate,
        window: options.window + 2 * LEAD,
        watch: place.processes.clone(),
    };
    Helper::flood(&place.at(end_of_datagrams(path, place)), &flood)
}

/// What came of a case.
struct Outcome {
    seen: Seen,
    flood: Option<Said>,
    /// What the server used meanwhile, and for how long.
    server: Used,
    seconds: f64,
}

impl Outcome {
    fn fill(&self, point: Point) -> Point {
        let (seen, share) = (&self.seen, |ns: u64| ns as f64 / 1e9 / self.seconds);
        let point = point
            .with("sent", seen.sent)
            .with("lost", seen.lost)
            .with("wrong", seen.wrong)
            .with("p50_us", seen.per_mille_us(500))
            .with("p99_us", seen.per_mille_us(990))
            .with("max_us", seen.per_mille_us(1000))
            .with("probe_late_p99_us", percentile_us(&seen.late_ns, 990))
            .with("busy", share(self.server.ran_ns))
            .with("waited", share(self.server.waited_ns));
        let Some(flood) = &self.flood else {
            return point;
        };
        // What is flooded over UDP is not counted as it is answered.
        let asked = flood.answered.count.max(flood.sent);
        point
            .with("flood_per_s", asked as f64 / flood.seconds)
            .with("flood_closed", flood.closed)
            .with("load_busy", flood.load_ns as f64 / 1e9 / flood.seconds)
    }
}

//! One server in one world: started, checked, measured, ended.

use crate::generators::{Load, dnsperf, kxdpgun};
use crate::options::Options;
use ripples::sys::cpu;
use std::path::Path;
use std::time::Duration;
use tests::interrupt::is_interrupted;
use tests::medians::percentile_us;
use tests::open_loop::{Client, Exchange};
use tests::wire::check;
use tests::wire::point::Point;
use tests::wire::running::Running;
use tests::wire::servers::{Server, Site};
use tests::wire::stage::{Cpus, Stage};
use tests::wire::worlds::{Mix, World};

/// Longest wait for a server to have loaded its zones, and then for it to be at rest.
const PATIENCE: Duration = Duration::from_secs(90);
/// Loss that a rate may have to count as carried: one in a thousand.
pub(crate) const LOSS_MAX: f64 = 0.001;
/// With more, a server is not offered higher rates.
const OVERWHELMED: f64 = 0.05;
/// A generator that sends less than this part of a rate is at its own end.
const GENERATOR_MIN: f64 = 0.97;
/// How often a rate may lose something to other work on the machine, and how much loss is not due
/// to that.
const TRIES: u32 = 3;
const HOPELESS: f64 = 0.25;
/// How far the part of missing names may be from what the file has.
const MISSING_TOLERANCE: f64 = 0.01;
/// How long the client runs before latency is measured.
const WARM_UP: Duration = Duration::from_millis(200);
/// Queries a second at which latency is measured.
const LOW_RATE: u32 = 1000;

/// Measures all there is to measure of a server, as far as nobody wants the run to end.
pub(crate) fn measure(
    server: &'static Server,
    world: &World,
    options: &Options,
    cpus: Cpus,
    mut then: impl FnMut(Point) + Send,
) {
    let stage = Stage::new(cpus, options.napi);
    let site = Site {
        folder: Path::new(""),
        interface: stage.veth.server.interface,
        address: stage.veth.server.ipv4,
        cpu: cpus.server,
        world,
        ripples: &options.ripples,
        connections: None,
    };
    let mut running = Running::start(server, &stage, &site);
    let client = &stage.veth.client.namespace;
    let loaded = client.run(|| check::load(&mut running, world, PATIENCE));
    let load_s = running.started.elapsed().as_secs_f64();
    let point = |case| point(server, world, options, case);
    let exchanges = match loaded {
        Ok(exchanges) => exchanges,
        Err(_) if is_interrupted() => return,
        Err(why) => return then(point("start").with("error", why)),
    };
    running.pin();
    running.settle(PATIENCE);
    let settled_s = running.started.elapsed().as_secs_f64();
    then(
        point("start")
            .with("load_s", load_s)
            .with("settled_s", settled_s)
            .with("memory_mb", running.memory_mb())
            .with("has_program", stage.has_program())
            .with("version", server.version()),
    );
    let session = Session {
        running: &running,
        world,
        options,
    };
    if options.kxdpgun {
        for &mix in &options.mixes {
            let limits = session.rates(mix, &mut then);
            if options.steps > 0 && mix == Mix::Existing {
                session.search(limits, &mut then);
            }
        }
    }
    if options.dnsperf {
        session.dnsperf(&mut then);
    }
    if options.latency {
        client.run(|| session.latency(&exchanges, &mut then));
    }
}

/// A point of this server in this world.
fn point(server: &Server, world: &World, options: &Options, case: &str) -> Point {
    Point::new(
        crate::BENCH,
        &[
            ("world", world.size.label()),
            ("server", server.label),
            ("way", server.way.label()),
            ("napi", options.napi.label()),
            ("case", case),
        ],
    )
}

/// A server that has loaded its world.
struct Session<'a> {
    running: &'a Running<'a>,
    world: &'a World,
    options: &'a Options,
}

impl Session<'_> {
    /// All rates, as far as the server carries them; returns the highest that it carried, and the
    /// lowest that overwhelmed it.
    fn rates(&self, mix: Mix, then: &mut impl FnMut(Point)) -> [u32; 2] {
        let (mut carried, mut highest) = (0, 0);
        for &rate in &self.options.rates {
            highest = rate;
            match self.rate("kxdpgun", mix, rate, then) {
                Some(loss) if loss <= LOSS_MAX => carried = rate,
                Some(loss) if loss <= OVERWHELMED => {}
                _ => return [carried, rate],
            }
        }
        [carried, 2 * highest]
    }

    /// Closes in upon the highest rate without loss, between one that is carried and one that is
    /// not.
    fn search(&self, [mut carried, mut lost]: [u32; 2], then: &mut impl FnMut(Point)) {
        for _ in 0..self.options.steps {
            let middle = (carried + lost) / 2;
            let loss = self.rate("search", Mix::Existing, middle, then);
            let is_carried = loss.is_some_and(|loss| loss <= LOSS_MAX);
            *(if is_carried { &mut carried } else { &mut lost }) = middle;
        }
        if !is_interrupted() {
            let point = self.point("capacity").with("mix", Mix::Existing.label());
            then(point.with("carried", carried));
        }
    }

    /// One rate of kxdpgun's; returns the loss, or none where this must not go on. What is lost may
    /// be lost to a stall of the machine: then it is tried again, and the least loss counts.
    fn rate(&self, case: &str, mix: Mix, rate: u32, then: &mut impl FnMut(Point)) -> Option<f64> {
        let queries = self.world.queries(mix);
        let mut best: Option<(f64, Point)> = None;
        for tries in 1..=TRIES {
            let load = kxdpgun::load(self.running, &queries, rate, self.options.window);
            if is_interrupted() {
                return None;
            }
            let point = self
                .point(case)
                .with("offered", rate)
                .with("mix", mix.label());
            let load = match load {
                Ok(load) => load,
                Err(why) => {
                    then(point.with("error", why));
                    return None;
                }
            };
            let loss = match load.said.sent_per_s() {
                sent if sent < GENERATOR_MIN * f64::from(rate) => OVERWHELMED,
                _ => load.said.loss(),
            };
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                let point = point.with("tries", tries);
                best = Some((loss, filled(point, &load, self.wrong(mix, &load))));
            }
            if !(LOSS_MAX..HOPELESS).contains(&loss) {
                break;
            }
        }
        let (loss, point) = best?;
        then(point);
        Some(loss)
    }

    /// As many queries as dnsperf gets answered.
    fn dnsperf(&self, then: &mut impl FnMut(Point)) {
        if is_interrupted() {
            return;
        }
        // It knows no queries that come back.
        if self.running.server.reflects {
            return;
        }
        let queries = self.world.queries(Mix::Existing);
        let load = dnsperf::load(self.running, &queries, self.options.window);
        let point = self.point("dnsperf").with("mix", Mix::Existing.label());
        match load {
            _ if is_interrupted() => {}
            Ok(load) => then(filled(point, &load, self.wrong(Mix::Existing, &load))),
            Err(why) => then(point.with("error", why)),
        }
    }

    /// How long answers take when there is little to do. To be called on the client's end.
    fn latency(&self, exchanges: &[Exchange], then: &mut impl FnMut(Point)) {
        if is_interrupted() {
            return;
        }
        cpu::pin(self.running.stage.cpus.client).expect("it is allowed");
        let server = (self.running.stage.veth.server.ipv4, 53).into();
        let mut client = Client::new(server, exchanges);
        client.run(LOW_RATE, WARM_UP);
        let measured = client.run(LOW_RATE, self.options.window);
        let [p50, p99] = [500, 990].map(|part| percentile_us(&measured.latencies_ns, part));
        let point = self.point("latency").with("offered", LOW_RATE);
        let point = point.with("p50_us", p50).with("p99_us", p99);
        then(point.with("lost", measured.lost));
    }

    fn point(&self, case: &str) -> Point {
        point(self.running.server, self.world, self.options, case)
    }

    /// Answers with another RCODE than the zones have for what was asked.
    fn wrong(&self, mix: Mix, load: &Load) -> f64 {
        let said = load.said;
        if self.running.server.reflects {
            return (said.answered - said.noerror) as f64;
        }
        let missing = mix.missing() * said.answered as f64;
        let off = (said.nxdomain as f64 - missing).abs();
        let tolerance = match mix {
            Mix::Existing => 0.0,
            // Where some are lost, or the file is not gone through to its end.
            Mix::Missing => (MISSING_TOLERANCE + said.loss()) * said.sent as f64,
        };
        said.other as f64 + if off > tolerance { off } else { 0.0 }
    }
}

/// A point with what was counted in the window, and by the generator.
fn filled(point: Point, load: &Load, wrong: f64) -> Point {
    let [first, last] = load.window;
    let elapsed_s = (last.at - first.at).as_secs_f64();
    let answers = (last.sent - first.sent) as f64;
    let us = |ns: u64| ns as f64 / answers.max(1.0) / 1000.0;
    let (process, napi) = (
        last.process_ns - first.process_ns,
        last.napi_ns - first.napi_ns,
    );
    let datagrams = (last.datagrams - first.datagrams) as f64;
    point
        .with("sent_per_s", load.said.sent_per_s())
        .with("answers_per_s", answers / elapsed_s)
        .with("loss", load.said.loss())
        .with("process_us", us(process))
        .with("napi_us", us(napi))
        .with("cpu_us", us(process + napi))
        .with("busy", (process + napi) as f64 / 1e9 / elapsed_s)
        .with("by_sockets", datagrams / answers.max(1.0))
        .with("noerror", load.said.noerror)
        .with("nxdomain", load.said.nxdomain)
        .with("wrong", wrong)
}

//! A server on its CPU, in a namespace of its own, and who asks it there: over the loopback, which
//! carries most, or from the other end of a veth pair.

use crate::helper::Helper;
use crate::options::Options;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::interrupt::is_interrupted;
use tests::napi::{Napi, put_process_first};
use tests::netns::End;
use tests::tcp_load::Shape;
use tests::tcp_load::generator::Load;
use tests::tcp_load::questions::Expects;
use tests::tcp_load::said::Said;
use tests::wire::check;
use tests::wire::point::Point;
use tests::wire::running::Running;
use tests::wire::servers::{Server, Site};
use tests::wire::stage::{Cpus, Stage};
use tests::wire::usage::Used;
use tests::wire::worlds::World;

/// Longest wait for a server to have loaded its zone, and then for it to be at rest.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a load runs before it is measured.
pub(crate) const WARM_UP: Duration = Duration::from_millis(300);
/// Priority of servers and loads where they go first.
const PRIORITY: u32 = 50;
/// Connections that every server has room for: more than are opened.
const CONNECTIONS: u32 = 15_000;

/// A server that has loaded its zone.
pub(crate) struct Place<'s> {
    pub(crate) stage: &'s Stage,
    pub(crate) cpus: Cpus,
    /// Where it is asked.
    pub(crate) address: SocketAddr,
    /// Its processes.
    pub(crate) processes: Vec<i32>,
    /// Whether it goes before all else, and its loads with it.
    pub(crate) fifo: bool,
}

/// Where a process runs, and how.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'e> {
    end: &'e End,
    cpu: usize,
    fifo: bool,
}

impl Spot<'_> {
    /// The same on another CPU.
    pub(crate) fn on(self, cpu: usize) -> Self {
        Self { cpu, ..self }
    }

    /// A command that will run there.
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.end.namespace.command("taskset");
        command.args(["-c", &self.cpu.to_string()]);
        if self.fifo {
            command.args(["chrt", "--fifo", &PRIORITY.to_string()]);
        }
        command.arg(program);
        command
    }
}

/// Starts a server, checks its answers, does `work`, ends it.
pub(crate) fn with<T>(
    server: &'static Server,
    options: &Options,
    fifo: bool,
    cpus: Cpus,
    world: &World,
    work: impl FnOnce(&Place<'_>) -> T,
) -> Result<T, String> {
    let stage = Stage::new(cpus, Napi::Softirq);
    let site = Site {
        folder: Path::new(""),
        interface: stage.veth.server.interface,
        address: stage.veth.server.ipv4,
        cpu: cpus.server,
        world,
        ripples: &options.ripples,
        connections: Some(CONNECTIONS),
    };
    let mut running = Running::start(server, &stage, &site);
    let client = &stage.veth.client.namespace;
    client.run(|| check::load(&mut running, world, PATIENCE))?;
    running.pin();
    running.settle(PATIENCE);
    let processes = Stage::processes(&stage.veth.server);
    for process in processes.iter().filter(|_| fifo) {
        put_process_first(process.unsigned_abs(), PRIORITY);
    }
    let place = Place {
        stage: &stage,
        cpus,
        address: (stage.veth.server.ipv4, 53).into(),
        processes,
        fifo,
    };
    Ok(work(&place))
}

impl Place<'_> {
    /// A load of our own, over the loopback; measures what `watch` uses for it.
    pub(crate) fn load(
        &self,
        server: SocketAddr,
        shape: Shape,
        expects: Expects,
        window: Duration,
        watch: &[i32],
    ) -> Result<Said, String> {
        let load = Load {
            server,
            shape,
            expects,
            warm_up: WARM_UP,
            window,
            watch: watch.to_vec(),
        };
        Helper::load(&self.loopback(), &load)?.said()
    }

    /// Where loads run, and how: on the server's loopback.
    pub(crate) fn loopback(&self) -> Spot<'_> {
        self.at(&self.stage.veth.server)
    }

    /// The same at an end of the pair.
    pub(crate) fn at<'e>(&self, end: &'e End) -> Spot<'e> {
        Spot {
            end,
            cpu: self.cpus.client,
            fifo: self.fifo,
        }
    }
}

/// A point of a part, measured by a load.
pub(crate) fn point(part: &str, server: &str, load: &str) -> Point {
    let keys = [("part", part), ("server", server), ("load", load)];
    Point::new(crate::BENCH, &keys)
}

/// The same with what was said, or with why nothing was; none where nobody wants it any more.
pub(crate) fn filled(point: Point, said: Result<Said, String>) -> Option<Point> {
    if is_interrupted() {
        return None;
    }
    let said = match said {
        Ok(said) => said,
        Err(why) => return Some(point.with("error", why)),
    };
    let point = match said.answered.first_wrong {
        Some(ref why) => point.with("first_wrong", why.as_str()),
        None => point,
    };
    Some(
        used(point, said.answered.count, said.seconds, said.server)
            .with("load_busy", said.load_ns as f64 / 1e9 / said.seconds)
            .with("wrong", said.answered.wrong)
            .with("closed", said.closed),
    )
}

/// A point with what a server did in so many seconds, and what it used for that.
pub(crate) fn used(point: Point, answers: u64, seconds: f64, server: Used) -> Point {
    let share = |ns: u64| ns as f64 / 1e9 / seconds;
    point
        .with("seconds", seconds)
        .with("answers", answers)
        .with("answers_per_s", answers as f64 / seconds)
        .with("cpu_us", server.ran_ns as f64 / 1e3 / answers.max(1) as f64)
        .with("busy", share(server.ran_ns))
        .with("waited", share(server.waited_ns))
}

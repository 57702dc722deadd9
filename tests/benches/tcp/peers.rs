//! Other servers under the same loads: dnsperf, and one of our own, which is faster.

use crate::options::{Options, PeerLoad};
use crate::place::{self, Place, WARM_UP, filled, point, used};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::process::{Output, Stdio};
use tests::interrupt::is_interrupted;
use tests::tcp_load::questions::Expects;
use tests::wire::dnsperf::parse;
use tests::wire::point::Point;
use tests::wire::servers::Server;
use tests::wire::stage::Cpus;
use tests::wire::usage::Used;
use tests::wire::worlds::{Mix, World};

/// The name of the part.
pub(crate) const PART: &str = "peers";
/// dnsperf's connections, and queries that it has under way on all of them together.
const CONNECTIONS: &str = "20";
const OUTSTANDING: &str = "1000";

/// Goes through all servers, and with each through all loads.
pub(crate) fn measure(options: &Options, cpus: Cpus, world: &World, then: &mut impl FnMut(Point)) {
    for server in &options.servers {
        if is_interrupted() {
            return;
        }
        let version = server.version();
        let mut then = |point: Point| then(point.with("version", version.as_str()));
        let outcome = place::with(server, options, options.fifo, cpus, world, |place| {
            for &load in &options.loads {
                if is_interrupted() {
                    return;
                }
                let point = match load {
                    PeerLoad::Dnsperf => dnsperf(server, place, options, world),
                    PeerLoad::Own(shape) => {
                        let (address, processes) = (place.address, &place.processes);
                        let expects = Expects::Answers;
                        let said = place.load(address, shape, expects, options.window, processes);
                        let point = point(PART, server.label, "own")
                            .with("connections", shape.connections)
                            .with("pipelined", shape.pipelined);
                        filled(point, said)
                    }
                };
                point.into_iter().for_each(&mut then);
            }
        });
        if let Err(why) = outcome
            && !is_interrupted()
        {
            then(point(PART, server.label, "own").with("error", why));
        }
    }
}

/// As much as dnsperf gets answered; CPU time is that of its whole run.
fn dnsperf(server: &Server, place: &Place<'_>, options: &Options, world: &World) -> Option<Point> {
    let point = point(PART, server.label, "dnsperf");
    let seconds = (options.window + WARM_UP).as_secs_f64().ceil();
    let mut perf = place.loopback().command("dnsperf");
    perf.args(["-m", "tcp"]);
    perf.args(["-s", &place.address.ip().to_string()]);
    perf.args(["-l", &seconds.to_string(), "-c", CONNECTIONS, "-T", "1"]);
    perf.args(["-q", OUTSTANDING, "-t", "5", "-d"]);
    perf.arg(world.queries(Mix::Existing)).stdin(Stdio::null());
    let counts = || (Used::of(&place.processes), children_ns());
    let (server_before, load_before) = counts();
    let outcome = perf.output();
    let (server_after, load_after) = counts();
    if is_interrupted() {
        return None;
    }
    let output = outcome.unwrap_or_else(|error| panic!("{perf:?}: {error}"));
    let text = text(&output);
    let Some(said) = parse(&text) else {
        return Some(point.with("error", format!("dnsperf says: {text}")));
    };
    let server = server_after.since(server_before);
    let load_ns = load_after.saturating_sub(load_before);
    Some(
        used(point, said.answered, said.seconds, server)
            .with("load_busy", load_ns as f64 / 1e9 / said.seconds)
            .with("loss", said.loss())
            .with("wrong", said.nxdomain + said.other),
    )
}

/// CPU time of all processes that were waited for.
fn children_ns() -> u64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("Linux");
    let time = usage.user_time() + usage.system_time();
    u64::try_from(time.num_nanoseconds()).expect("time runs forwards")
}

fn text(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    streams
        .map(|stream| String::from_utf8_lossy(stream).into_owned())
        .concat()
}

//! dnsperf: as many queries as come back, over sockets.

use super::{Load, command, run, run_time};
use std::path::Path;
use std::time::Duration;
use tests::wire::dnsperf::parse;
use tests::wire::running::Running;

/// Sockets, and queries that are out at a time.
const CLIENTS: &str = "16";
const OUTSTANDING: &str = "200";

/// Keeps some queries out at all times.
pub(crate) fn load(
    running: &Running<'_>,
    queries: &Path,
    window: Duration,
) -> Result<Load, String> {
    let seconds = run_time(window).as_secs_f64().ceil();
    let mut perf = command(running.stage, "dnsperf");
    perf.args([
        "-s",
        &running.stage.veth.server.ipv4.to_string(),
        "-l",
        &seconds.to_string(),
    ]);
    perf.args(["-c", CLIENTS, "-T", "1", "-q", OUTSTANDING, "-t", "1", "-d"])
        .arg(queries);
    run(&mut perf, running, window, parse)
}

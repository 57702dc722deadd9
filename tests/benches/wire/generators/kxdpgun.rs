//! kxdpgun: queries at a steady rate, past the kernel.

use super::{Load, command, run, run_time};
use crate::running::Running;
use std::path::Path;
use std::time::Duration;
use tests::wire::kxdpgun::parse;

/// Queries that it sends at once; far more collapse on veth.
const BATCH: &str = "32";

/// Offers `rate` queries a second.
pub(crate) fn load(
    running: &Running<'_>,
    queries: &Path,
    rate: u32,
    window: Duration,
) -> Result<Load, String> {
    let (stage, seconds) = (running.stage, run_time(window).as_secs_f64());
    let mut gun = command(stage, "kxdpgun");
    gun.args([
        "-t",
        &seconds.to_string(),
        "-Q",
        &rate.to_string(),
        "-b",
        BATCH,
    ]);
    // One thread per queue, of which there is one.
    gun.args([
        "-F",
        &format!("{}s1", stage.cpus.client),
        "-I",
        stage.veth.client.interface,
    ]);
    gun.arg("-i")
        .arg(queries)
        .arg(stage.veth.server.ipv4.to_string());
    run(&mut gun, running, window, |text| parse(text, seconds))
}

//! kxdpgun: queries at a steady rate, past the kernel.

use super::{Load, command, run, run_time};
use std::path::Path;
use std::time::Duration;
use tests::wire::kxdpgun::parse;
use tests::wire::running::Running;

/// Queries that it sends at once; far more collapse on veth.
const BATCH: &str = "32";

/// How often it is started anew while its predecessor's socket is still there.
const BUSY_TRIES: u32 = 20;
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// Offers `rate` queries a second.
pub(crate) fn load(
    running: &Running<'_>,
    queries: &Path,
    rate: u32,
    window: Duration,
) -> Result<Load, String> {
    let (stage, seconds) = (running.stage, run_time(window).as_secs_f64());
    let (seconds_word, rate) = (seconds.to_string(), rate.to_string());
    let mut loaded = Err("it was not tried".to_owned());
    for _ in 0..BUSY_TRIES {
        let mut gun = command(stage, "kxdpgun");
        gun.args(["-t", &seconds_word, "-Q", &rate, "-b", BATCH]);
        // One thread per queue, of which there is one.
        gun.args(["-F", &format!("{}s1", stage.cpus.client)]);
        gun.args(["-I", stage.veth.client.interface, "-i"])
            .arg(queries);
        gun.arg(stage.veth.server.ipv4.to_string());
        loaded = run(&mut gun, running, window, |text| parse(text, seconds));
        // The kernel lets go of a closed socket's queue some moments later.
        match &loaded {
            Err(why) if why.contains("resource is busy") => std::thread::park_timeout(BUSY_PAUSE),
            _ => break,
        }
    }
    loaded
}

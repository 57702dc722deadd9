//! The kernel's own packet generator as the source: `xtask bench pktgen`, which users have as well.

use crate::cable::{ADDRESS, CLIENT, Cable, SERVER, run};
use crate::queues::{by_queue, shown};
use common::Verdict;
use serde_json::Value;
use std::time::{Duration, Instant};
use tests::server::PATIENCE;
use tests::stats::Stats;

/// Where the image has the program.
const PROGRAM: &str = "/programs/xtask";
/// Packets, and how many a second: what an emulated NIC takes without loss.
const COUNT: u64 = 16_000;
const RATE: u64 = 4000;

/// Its packets are no queries: each is received, told from a query, and counted.
pub(crate) fn dropped(cable: &Cable) -> String {
    cable.set_queues(2);
    let server = cable.launch(&["--io", "xdp"]).start();
    cable.await_link();
    let sent = send(cable);
    let stats = settled(|| server.stats(), "received");
    let figures = figures(&sent, &stats, "discarded.response");
    server.stop();
    check(&sent, &stats, &figures);
    let (received, discarded) = (stats.total("received"), stats.total("discarded.response"));
    assert_eq!(received, discarded, "not all are responses: {figures}");
    figures
}

/// Each comes back.
pub(crate) fn reflected(cable: &Cable) -> String {
    cable.set_queues(2);
    let server = cable.launch(&["--io", "xdp", "--reflect"]).start();
    cable.await_link();
    let before = cable.received(CLIENT);
    let sent = send(cable);
    let stats = settled(|| server.stats(), "events.reflected");
    let back = cable.received(CLIENT) - before;
    let figures = format!("{} back={back}", figures(&sent, &stats, "events.reflected"));
    server.stop();
    check(&sent, &stats, &figures);
    let reflected = stats.total("events.reflected");
    assert_eq!(
        stats.total("received"),
        reflected,
        "not all go back: {figures}"
    );
    assert!(back >= reflected * 99 / 100, "not all come back: {figures}");
    figures
}

/// Sends; returns the sums of pktgen and of the interface that it sent from.
fn send(cable: &Cable) -> Value {
    let mut pktgen = cable.clients.command(PROGRAM);
    let (count, rate) = (COUNT.to_string(), RATE.to_string());
    let address = ADDRESS.to_string();
    pktgen.args(["bench", "pktgen", "--interface", CLIENT, "--dst", &address]);
    pktgen.args([
        "--mac",
        cable.server_mac(),
        "--src",
        "198.18.0.1-198.18.0.254",
    ]);
    pktgen.args(["--count", &count, "--rate", &rate, "--cpus", "0", "--json"]);
    let said = run(&mut pktgen);
    let lines = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut sums = lines.filter(|line| line["total"] == true);
    sums.next().unwrap_or_else(|| panic!("no sums: {said}"))
}

/// The counters, once one of them stays as it is.
fn settled(stats: impl Fn() -> Stats, counter: &str) -> Stats {
    let (start, mut last) = (Instant::now(), stats());
    loop {
        std::thread::park_timeout(Duration::from_millis(500));
        let next = stats();
        if next.total(counter) == last.total(counter) {
            return next;
        }
        assert!(start.elapsed() < PATIENCE, "still more: {next}");
        last = next;
    }
}

fn figures(sent: &Value, stats: &Stats, counter: &str) -> String {
    let received = by_queue(stats, SERVER, "received");
    format!(
        "sent={} steered={} received={} {}={}",
        sent["pktgen_sent"],
        stats.xdp(SERVER, Verdict::Redirect),
        shown(&received),
        counter.rsplit('.').next().unwrap_or(counter),
        stats.total(counter),
    )
}

/// Nearly nothing is lost, and nothing between the kernel and a worker.
fn check(sent: &Value, stats: &Stats, figures: &str) {
    assert_eq!(sent["pktgen_sent"], COUNT, "not all are sent: {figures}");
    let received = stats.total("received");
    let steered = stats.xdp(SERVER, Verdict::Redirect);
    assert_eq!(steered, received, "lost on the way to a worker: {figures}");
    assert!(received >= COUNT * 99 / 100, "lost: {figures}");
    let queues = by_queue(stats, SERVER, "received");
    assert!(
        queues.iter().all(|&count| count > 0),
        "a queue has none: {figures}"
    );
}

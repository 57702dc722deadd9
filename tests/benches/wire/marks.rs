//! What Ripples is to reach on veth, against the reflector and the peers.

use tests::wire::mark::Mark;
use tests::wire::servers::{self, Way};
use tests::wire::summary::{Median, Summary, Which};

/// Ours on AF_XDP, the ceiling, and the peer on AF_XDP.
const OURS: &str = "ripples-xdp";
const REFLECTOR: &str = "reflector";
const PEER: &str = "knot-xdp";

/// Rates count for a comparison of CPU time when at most this was lost.
const LOSS_MAX: f64 = 0.01;

/// CPU time per answer against the reflector, and against the peer on AF_XDP.
const REFLECTOR_MAX: f64 = 1.10;
const PEER_MAX: f64 = 0.6;
/// CPU time per answer of servers on sockets against ours.
const SOCKETS_MIN: f64 = 3.0;
/// Highest rate without loss against the reflector's.
const RATE_MIN: f64 = 0.9;
/// Memory, in MB: a million names, and a hundred thousand zones.
const MEMORY_MAX: [(&str, f64); 2] = [("big", 120.0), ("many", 197.0)];

/// Prints all marks for which something was measured.
pub(crate) fn print(summary: &Summary) {
    println!("\n{}", Mark::heading());
    for napi in ["threaded", "softirq"] {
        for mark in marks(summary, napi) {
            println!("{}", mark.line());
        }
    }
}

fn marks(summary: &Summary, napi: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    let which = |world, case, mix| Which {
        world,
        napi,
        case,
        mix,
    };
    for world in ["small", "big"] {
        for (other, mix, most) in [
            (REFLECTOR, "existing", Some(REFLECTOR_MAX)),
            (PEER, "existing", (world == "big").then_some(PEER_MAX)),
            (PEER, "20% missing", (world == "big").then_some(PEER_MAX)),
        ] {
            let Some(most) = most else { continue };
            let which = which(world, "kxdpgun", mix);
            if let Some((rate, ratio)) = summary.cpu_ratio([OURS, other], which, LOSS_MAX) {
                let what = format!("{world}, {mix}: CPU : {other}'s at {:.0}k/s", rate / 1e3);
                marks.push(Mark::most(what, ratio, most));
            }
        }
        marks.extend(socket_marks(summary, which(world, "kxdpgun", "existing")));
        let which = which(world, "capacity", "existing");
        let [ours, most] = [OURS, REFLECTOR].map(|server| summary.of_server(server, which).next());
        if let Some(ratio) = ours
            .zip(most)
            .and_then(|(one, other)| one.ratio(other, "carried"))
        {
            let what = format!("{world}: highest rate without loss : reflector's");
            marks.push(Mark::least(what, ratio, RATE_MIN));
        }
    }
    for (world, most) in MEMORY_MAX {
        marks.extend(start_marks(summary, which(world, "start", ""), most));
    }
    marks
}

/// CPU time of the peers on sockets: at the same rate, and each where it is cheapest.
fn socket_marks(summary: &Summary, which: Which<'_>) -> Vec<Mark> {
    let peers = servers::ALL.iter().filter(|server| server.is_peer());
    let mut marks = Vec::new();
    for server in peers.filter(|server| server.way == Way::Sockets) {
        let (world, name) = (which.world, server.label);
        if let Some((rate, ratio)) = summary.cpu_ratio([name, OURS], which, LOSS_MAX) {
            let what = format!("{world}: {name}'s CPU : ours at {:.0}k/s", rate / 1e3);
            marks.push(Mark::least(what, ratio, SOCKETS_MIN));
        }
        let [theirs, ours] = [name, OURS].map(|server| summary.cheapest(server, which, LOSS_MAX));
        if let Some(((theirs, at), (ours, our_at))) = theirs.zip(ours) {
            let (at, our_at) = (at / 1e3, our_at / 1e3);
            let what = format!("{world}: {name}'s CPU at {at:.0}k/s : ours at {our_at:.0}k/s");
            let ratio = Median::of(std::iter::once(theirs / ours));
            marks.extend(ratio.map(|ratio| Mark::least(what, ratio, SOCKETS_MIN)));
        }
    }
    marks
}

/// Memory and the time to load.
fn start_marks(summary: &Summary, which: Which<'_>, memory_max: f64) -> Vec<Mark> {
    let of = |server, key| summary.of_server(server, which).next()?.median(key);
    let world = which.world;
    let mut marks = Vec::new();
    if let Some(memory) = of(OURS, "memory_mb") {
        marks.push(Mark::most(
            format!("{world}: memory in MB"),
            memory,
            memory_max,
        ));
    }
    let peers = servers::ALL.iter().filter(|server| server.is_peer());
    let loads = peers.filter_map(|peer| Some((of(peer.label, "load_s")?.middle, peer.label)));
    let least = loads.min_by(|one, other| one.0.total_cmp(&other.0));
    if let Some((ours, (least, peer))) = of(OURS, "load_s").zip(least) {
        let what = format!("{world}: s to load, below every peer's ({peer}: {least:.2})");
        marks.push(Mark::most(what, ours, least));
    }
    marks
}

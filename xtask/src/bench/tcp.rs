//! `cargo xtask bench tcp`: `tests/benches/tcp`, with its options.

use super::become_benchmark;
use super::kept::Kept;
use crate::install::Installer;
use crate::{packages, shell};
use anyhow::Result;
use clap::Args;

/// Where a run is kept, unless a file is named.
const SAVED: &str = "docs/measurements/tcp.jsonl";

/// What to measure, and how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Parts: shapes (connections and pipelining, beside an echo), peers (other servers under the
    /// same load), balance (a light load under a flood) [default: all]
    #[arg(value_name = "PART", value_parser = ["shapes", "peers", "balance"])]
    parts: Vec<String>,
    /// shapes: connections and queries under way on each
    #[arg(
        long,
        value_name = "LIST",
        default_value = "1x1,1x1000,100x1,100x50,10000x1,10000x10"
    )]
    shapes: String,
    /// peers: servers, in this order
    #[arg(
        long,
        value_name = "LIST",
        default_value = "ripples-socket,knot,nsd,bind,pdns,gdnsd"
    )]
    servers: String,
    /// peers: what asks: dnsperf, or our own generator with so many connections and queries
    #[arg(
        long,
        value_name = "LIST",
        default_value = "dnsperf,1x1000,100x1,100x50"
    )]
    loads: String,
    /// balance: where UDP comes in: a worker's sockets (socket), the sibling's beside AF_XDP
    /// (passed), AF_XDP (xdp)
    #[arg(long, value_name = "LIST", default_value = "socket,passed,xdp")]
    paths: String,
    /// balance: queries a second of the light load
    #[arg(long, value_name = "N", default_value_t = 1000)]
    probe_rate: u32,
    /// balance: queries a second of the flood over UDP, at most
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    flood_rate: u32,
    /// shapes, peers: let servers and loads go before all else that the machine has to do
    #[arg(long)]
    fifo: bool,
    /// How often all of it is gone through
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: u32,
    /// How long each point is measured, as in 0.5
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    seconds: f64,
    #[command(flatten)]
    kept: Kept,
}

/// Builds and measures.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<()> {
    if options.kept.measures() {
        shell::require_root("cargo xtask bench tcp")?;
        installer.ensure(&[packages::PEERS])?;
    }
    become_benchmark("tcp", &arguments(options), installer)
}

/// The benchmark's own words for the options.
fn arguments(options: &Options) -> Vec<String> {
    let numbers = [options.probe_rate, options.flood_rate, options.rounds];
    let [probe_rate, flood_rate, rounds] = numbers.map(|number| number.to_string());
    let (seconds, parts) = (options.seconds.to_string(), options.parts.join(","));
    let pairs = [
        (
            "--parts",
            Some(parts.as_str()).filter(|parts| !parts.is_empty()),
        ),
        ("--shapes", Some(&options.shapes)),
        ("--servers", Some(&options.servers)),
        ("--loads", Some(&options.loads)),
        ("--paths", Some(&options.paths)),
        ("--probe-rate", Some(&probe_rate)),
        ("--flood-rate", Some(&flood_rate)),
        ("--rounds", Some(&rounds)),
        ("--seconds", Some(&seconds)),
    ];
    options
        .kept
        .words(SAVED, &pairs, &[("--fifo", options.fifo)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository;
    use clap::Parser;

    /// As the command line has them.
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn line(line: &[&str]) -> String {
        let line = [&["tcp"], line].concat();
        arguments(&Line::parse_from(line).options).join(" ")
    }

    #[test]
    fn what_is_not_said_is_as_the_help_has_it() {
        assert_eq!(
            line(&[]),
            "--shapes 1x1,1x1000,100x1,100x50,10000x1,10000x10 \
             --servers ripples-socket,knot,nsd,bind,pdns,gdnsd \
             --loads dnsperf,1x1000,100x1,100x50 --paths socket,passed,xdp \
             --probe-rate 1000 --flood-rate 1000000 --rounds 5 --seconds 2"
        );
    }

    #[test]
    fn parts_are_known_and_can_be_several() {
        assert!(line(&["shapes", "balance", "--json"]).starts_with("--parts shapes,balance "));
        assert!(Line::try_parse_from(["tcp", "shape"]).is_err());
        let file = repository::root().join(SAVED);
        let kept = line(&["peers", "--save", "--append", "--", "--idle", "spin"]);
        let end = format!("--save {} --append -- --idle spin", file.display());
        assert!(kept.ends_with(&end), "{kept}");
    }
}

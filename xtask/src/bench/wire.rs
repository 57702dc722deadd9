//! `cargo xtask bench wire`: `tests/benches/wire`, with its options.

use super::become_benchmark;
use super::kept::Kept;
use crate::install::Installer;
use crate::{packages, shell};
use anyhow::Result;
use clap::Args;

/// Where a run is kept, unless a file is named.
const SAVED: &str = "docs/measurements/wire.jsonl";

/// What to measure, and how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Servers, in this order: reflector, ripples-xdp, knot-xdp, ripples-socket, knot, nsd, bind,
    /// pdns, gdnsd [default: all]
    #[arg(long, value_name = "LIST")]
    servers: Option<String>,
    /// What is served: small (a thousand names), big (a million), many (100,000 zones)
    #[arg(long, value_name = "LIST", default_value = "small,big,many")]
    worlds: String,
    /// What is asked: existing names, or with a fifth that is missing
    #[arg(long, value_name = "LIST", default_value = "existing,missing")]
    mixes: String,
    /// Queries a second that kxdpgun offers; a server leaves where it is overwhelmed
    #[arg(
        long,
        value_name = "LIST",
        default_value = "50000,100000,200000,300000,400000"
    )]
    rates: String,
    /// Steps by which the highest rate without loss is closed in upon
    #[arg(long, value_name = "N", default_value_t = 4)]
    steps: u32,
    /// What asks: kxdpgun (steady rates), dnsperf (as much as is answered), latency (1,000/s)
    #[arg(long, value_name = "LIST", default_value = "kxdpgun,dnsperf,latency")]
    generators: String,
    /// How often all of it is gone through
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: u32,
    /// How long each point is measured, as in 0.5
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    seconds: f64,
    /// Who drives the receive side: threaded, softirq
    #[arg(long, value_name = "NAPI", default_value = "threaded")]
    napi: String,
    #[command(flatten)]
    kept: Kept,
}

/// Builds and measures.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<()> {
    if options.kept.measures() {
        shell::require_root("cargo xtask bench wire")?;
        installer.ensure(&[packages::PEERS])?;
    }
    become_benchmark("wire", &arguments(options), installer)
}

/// The benchmark's own words for the options.
fn arguments(options: &Options) -> Vec<String> {
    let [steps, rounds] = [options.steps, options.rounds].map(|number| number.to_string());
    let seconds = options.seconds.to_string();
    let pairs = [
        ("--servers", options.servers.as_deref()),
        ("--worlds", Some(&options.worlds)),
        ("--mixes", Some(&options.mixes)),
        ("--rates", Some(&options.rates)),
        ("--steps", Some(&steps)),
        ("--generators", Some(&options.generators)),
        ("--rounds", Some(&rounds)),
        ("--seconds", Some(&seconds)),
        ("--napi", Some(&options.napi)),
    ];
    options.kept.words(SAVED, &pairs, &[])
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
        let line = [&["wire"], line].concat();
        arguments(&Line::parse_from(line).options).join(" ")
    }

    #[test]
    fn what_is_not_said_is_as_the_help_has_it() {
        assert_eq!(
            line(&[]),
            "--worlds small,big,many --mixes existing,missing \
             --rates 50000,100000,200000,300000,400000 --steps 4 \
             --generators kxdpgun,dnsperf,latency --rounds 3 --seconds 1 --napi threaded"
        );
    }

    #[test]
    fn a_run_is_kept_where_it_was_said_and_else_with_the_documentation() {
        let kept = line(&["--save", "--append", "--note", "quiet"]);
        let file = repository::root().join(SAVED);
        assert!(kept.ends_with(&format!("--note quiet --save {} --append", file.display())));
        assert!(line(&["--save", "/tmp/a"]).ends_with("--save /tmp/a"));
        assert!(Line::try_parse_from(["wire", "--append"]).is_err());
    }

    #[test]
    fn what_follows_the_dashes_stays_behind_dashes() {
        assert!(line(&["--json", "--", "--idle", "spin"]).ends_with("--json -- --idle spin"));
    }
}

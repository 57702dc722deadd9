//! `cargo xtask bench latency`: `tests/benches/latency`, with its options.

use super::become_benchmark;
use crate::install::Installer;
use crate::shell;
use anyhow::{Result, bail};
use clap::Args;

/// What to measure, and how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Queries a second, as in 1000,50000; 0: what an idle server costs
    #[arg(long, value_name = "LIST", default_value = "0,1000,10000,50000,100000")]
    rates: String,
    /// Values of the server's --idle
    #[arg(long, value_name = "LIST", default_value = "spin,adaptive,slowdown")]
    modes: String,
    /// Who drives the receive side: softirq, threaded
    #[arg(long, value_name = "LIST", default_value = "softirq,threaded")]
    napi: String,
    /// How long each point is measured, as in 0.5
    #[arg(long, value_name = "N", default_value_t = 3.0)]
    seconds: f64,
    /// How often all points are gone through; the last lines are the medians
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: u32,
    /// Let client, server and NAPI threads go before all else that the machine has to do
    #[arg(long)]
    fifo: bool,
    /// More arguments for `ripples run`
    #[arg(last = true, value_name = "ARGUMENTS")]
    server: Vec<String>,
}

/// Builds and measures.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<()> {
    if !shell::is_root() {
        bail!(
            "network namespaces and AF_XDP need root: \
             sudo -E env \"PATH=$PATH\" cargo xtask bench latency"
        );
    }
    become_benchmark("latency", &arguments(options), installer)
}

/// The benchmark's own words for the options.
fn arguments(options: &Options) -> Vec<String> {
    let (seconds, rounds) = (options.seconds.to_string(), options.rounds.to_string());
    let pairs = [
        ("--rates", options.rates.as_str()),
        ("--modes", &options.modes),
        ("--napi", &options.napi),
        ("--seconds", &seconds),
        ("--rounds", &rounds),
    ];
    let words = pairs.iter().flat_map(|&(name, value)| [name, value]);
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    if options.fifo {
        words.push("--fifo".to_owned());
    }
    if !options.server.is_empty() {
        words.push("--".to_owned());
        words.extend(options.server.iter().cloned());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_dashes_stays_behind_dashes() {
        let options = |server: &[&str]| Options {
            rates: "0".to_owned(),
            modes: "spin".to_owned(),
            napi: "softirq".to_owned(),
            seconds: 1.5,
            rounds: 2,
            fifo: !server.is_empty(),
            server: server.iter().map(|&word| word.to_owned()).collect(),
        };
        let plain = "--rates 0 --modes spin --napi softirq --seconds 1.5 --rounds 2";
        assert_eq!(arguments(&options(&[])).join(" "), plain);
        let with = arguments(&options(&["--vector-len", "8"])).join(" ");
        assert_eq!(with, format!("{plain} --fifo -- --vector-len 8"));
    }
}

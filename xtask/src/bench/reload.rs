//! `cargo xtask bench reload`: `tests/benches/reload`, with its options.

use super::become_benchmark;
use crate::install::Installer;
use crate::shell;
use anyhow::Result;
use clap::Args;

/// What to measure, and how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Names of the zone, each with two addresses
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    names: u32,
    /// Queries a second
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    rate: u32,
    /// How long each part takes: without reloads, with them, again without
    #[arg(long, value_name = "N", default_value_t = 60.0)]
    seconds: f64,
    /// Seconds from one reload to the next
    #[arg(long, value_name = "N", default_value_t = 4.0)]
    every: f64,
    /// More arguments for `ripples run`
    #[arg(last = true, value_name = "ARGUMENTS")]
    server: Vec<String>,
}

/// Builds and measures.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<()> {
    shell::require_root("cargo xtask bench reload")?;
    let values = [
        ("--names", options.names.to_string()),
        ("--rate", options.rate.to_string()),
        ("--seconds", options.seconds.to_string()),
        ("--every", options.every.to_string()),
    ];
    let values = values.map(|(name, value)| [name.to_owned(), value]);
    let mut arguments = values.concat();
    if !options.server.is_empty() {
        arguments.push("--".to_owned());
        arguments.extend(options.server.iter().cloned());
    }
    become_benchmark("reload", &arguments, installer)
}

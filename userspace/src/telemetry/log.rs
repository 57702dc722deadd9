//! The application log: lines on stderr.

use std::io;
use tracing_subscriber::EnvFilter;

/// Starts the log; `filter` says what is logged, as in `info` or `ripples=debug,aya=warn`.
pub fn start(filter: &str) -> Result<(), String> {
    tracing_subscriber::fmt()
        .with_env_filter(parse(filter)?)
        .with_writer(io::stderr)
        .with_ansi(false)
        .try_init()
        .map_err(|error| format!("the log cannot be started: {error}"))
}

/// Whether `filter` can be one; if not, why.
pub fn check(filter: &str) -> Result<(), String> {
    parse(filter).map(|_| ())
}

fn parse(filter: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|error| format!("--log: {filter:?} is no filter: {error}"))
}

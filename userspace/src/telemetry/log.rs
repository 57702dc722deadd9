//! The application log: lines on stderr.

use std::io;
use std::sync::OnceLock;
use tracing_subscriber::reload::Handle;
use tracing_subscriber::{EnvFilter, Registry, fmt, prelude::*, reload};

/// The filter of the running log.
static FILTER: OnceLock<Handle<EnvFilter, Registry>> = OnceLock::new();

/// Starts the log; `filter` says what is logged, as in `info` or `ripples=debug,aya=warn`.
pub fn start(filter: &str) -> Result<(), String> {
    let (filter, handle) = reload::Layer::new(parse(filter)?);
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(false);
    let log = tracing_subscriber::registry().with(filter).with(lines);
    log.try_init()
        .map_err(|error| format!("the log cannot be started: {error}"))?;
    // It is the first: a second one would not have been started.
    let _ = FILTER.set(handle);
    Ok(())
}

/// Changes what is logged from now on; without a running log nothing happens.
pub fn change(filter: &str) -> Result<(), String> {
    let filter = parse(filter)?;
    match FILTER.get() {
        Some(handle) => handle
            .reload(filter)
            .map_err(|error| format!("the log cannot be changed: {error}")),
        None => Ok(()),
    }
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

//! The application log: `tracing` in front, a ring for each thread behind it, and one thread that
//! writes. Whoever logs never waits: what finds no room is dropped and counted.

mod counters;
mod json;
mod layer;
mod levels;
mod limiter;
mod panic;
mod record;
mod ring;
mod shared;
mod sink;
#[cfg(test)]
mod tests;
mod text;
mod timestamp;
mod writer;

pub use counters::{LogEvent, LogTotals};
pub use layer::limit_this_thread;

use crate::config::LogOutput;
use crate::sys::exit;
use layer::Rings;
use limiter::Limiter;
use shared::Shared;
use sink::Sink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tracing_subscriber::reload::Handle;
use tracing_subscriber::{EnvFilter, Registry, prelude::*, reload};

/// Longest wait for the writer at the process's end: what is behind a pipe may be slow.
const FLUSHED_WITHIN: Duration = Duration::from_secs(5);
/// Longest wait in the midst of everything.
const SETTLED_WITHIN: Duration = Duration::from_secs(1);

/// The running log.
static LOG: OnceLock<Log> = OnceLock::new();

struct Log {
    filter: Handle<EnvFilter, Registry>,
    shared: Arc<Shared>,
    is_stderr: bool,
    is_finished: AtomicBool,
}

/// Starts the log; `filter` says what is logged, as in `info` or `ripples=debug,aya=warn`.
pub fn start(filter: &str, output: &LogOutput) -> Result<(), String> {
    let (filter, handle) = reload::Layer::new(parse(filter)?);
    let sink = Sink::open(output)?;
    let is_stderr = sink.is_stderr();
    let failed = |error: &dyn std::fmt::Display| format!("the log cannot be started: {error}");
    let limiter = Limiter::new(output.burst, output.window_s);
    let (shared, arrivals) = Shared::new(limiter).map_err(|error| failed(&error))?;
    let shared = Arc::new(shared);
    let log = tracing_subscriber::registry().with(filter);
    let log = log.with(Rings(Arc::clone(&shared)));
    log.try_init().map_err(|error| failed(&error))?;
    writer::spawn(Arc::clone(&shared), arrivals, sink).map_err(|error| failed(&error))?;
    panic::log_panics(Arc::clone(&shared));
    exit::at_exit(finish_at_exit).map_err(|error| failed(&error))?;
    // It is the first: a second one would not have been started.
    let _ = LOG.set(Log {
        filter: handle,
        shared,
        is_stderr,
        is_finished: AtomicBool::new(false),
    });
    Ok(())
}

/// Changes what is logged from now on; without a running log nothing happens.
pub fn change(filter: &str) -> Result<(), String> {
    let filter = parse(filter)?;
    match LOG.get() {
        Some(log) => log
            .filter
            .reload(filter)
            .map_err(|error| format!("the log cannot be changed: {error}")),
        None => Ok(()),
    }
}

/// Changes some levels from now on: LEVEL or TARGET=LEVEL, several with commas; all others stay.
pub fn adjust(levels: &str) -> Result<(), String> {
    change(&levels::adjusted(&current(), levels)?)
}

/// The filter in force, in its own order; `off` without a running log.
pub fn current() -> String {
    let filter = LOG
        .get()
        .and_then(|log| log.filter.with_current(ToString::to_string).ok());
    filter.unwrap_or_else(|| "off".to_owned())
}

/// Whether `filter` can be one; if not, why.
pub fn check(filter: &str) -> Result<(), String> {
    parse(filter).map(|_| ())
}

/// Waits until all is written that was logged before: for a moment, and not again where the writer
/// is held up.
pub fn settle() {
    if let Some(log) = LOG.get() {
        log.shared.flush(SETTLED_WITHIN, false);
    }
}

/// Opens the log's file anew, if it is one: somebody may have put it aside.
pub fn reopen() {
    if let Some(log) = LOG.get() {
        log.shared.reopen();
    }
}

/// Keeps the thread that writes off these CPUs, unless there are no others.
pub fn keep_off(taken: Vec<usize>) {
    if let Some(log) = LOG.get() {
        log.shared.keep_off(taken);
    }
}

/// Writes all that was logged; nothing is logged any more afterwards. For the process's end.
pub fn finish() {
    let running = LOG.get();
    if let Some(log) = running.filter(|log| !log.is_finished.swap(true, Ordering::SeqCst)) {
        log.shared.close(FLUSHED_WITHIN);
    }
}

/// For whoever ends the process from anywhere.
extern "C" fn finish_at_exit() {
    finish();
}

/// Whether messages go elsewhere than to standard error.
pub fn is_elsewhere() -> bool {
    LOG.get().is_some_and(|log| !log.is_stderr)
}

/// What the log has counted of itself.
pub fn totals() -> LogTotals {
    LOG.get()
        .map(|log| log.shared.counters.totals())
        .unwrap_or_default()
}

fn parse(filter: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|error| format!("--log: {filter:?} is no filter: {error}"))
}

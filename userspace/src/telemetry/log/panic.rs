//! A panic goes through the log, behind what was logged before it.

use super::shared::Shared;
use super::{FLUSHED_WITHIN, layer, writer};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::thread;
use tracing::Level;

/// From now on panics are logged, and all is written before the process may end by one. What the
/// log cannot take is written to standard error as without it.
pub(super) fn log_panics(shared: Arc<Shared>) {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // The writer would wait for itself.
        let is_writer = thread::current().name() == Some(writer::THREAD);
        let is_heard = !is_writer && !layer::is_busy() && tracing::enabled!(Level::ERROR);
        let is_logged = is_heard && {
            log(info);
            shared.flush(FLUSHED_WITHIN, true)
        };
        if !is_logged {
            before(info);
        }
    }));
}

fn log(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no text");
    let thread = thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let backtrace = Backtrace::capture();
    let backtrace = match backtrace.status() {
        BacktraceStatus::Captured => Some(backtrace.to_string()),
        _ => None,
    };
    tracing::error!(location, backtrace, "thread {thread} panicked: {message}");
}

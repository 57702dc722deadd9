//! From the kernel program's log records to events of the application log.

use aya_log::EbpfLogger;

/// What reads the program's log records.
pub(super) type KernelLog = EbpfLogger<Events>;

/// Turns each record into an event of target `xdp`.
pub(super) struct Events;

impl log::Log for Events {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        // An event's level belongs to its call site, so there is one for each.
        match record.level() {
            log::Level::Error => tracing::error!(target: "xdp", "{}", record.args()),
            log::Level::Warn => tracing::warn!(target: "xdp", "{}", record.args()),
            log::Level::Info => tracing::info!(target: "xdp", "{}", record.args()),
            log::Level::Debug => tracing::debug!(target: "xdp", "{}", record.args()),
            log::Level::Trace => tracing::trace!(target: "xdp", "{}", record.args()),
        }
    }

    fn flush(&self) {}
}

//! What happens inside a port, counted until the worker asks.

use crate::telemetry::{Event, Tally};

/// Counts since the last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortEvents {
    /// Replies that could not be sent.
    pub transmit_failed: u64,
    /// Wake-ups of the kernel.
    pub kicks: u64,
    /// Wake-ups that the kernel put off: it was busy, out of buffers or out of its budget.
    pub stalls: u64,
    /// Errors of the kernel beyond that.
    pub errors: u64,
}

impl PortEvents {
    /// Moves the counts to `tally`.
    pub fn report(&mut self, tally: &mut Tally) {
        let counts = std::mem::take(self);
        tally.add(Event::TransmitFailed, counts.transmit_failed);
        tally.add(Event::Kicks, counts.kicks);
        tally.add(Event::Stalls, counts.stalls);
        tally.add(Event::PortErrors, counts.errors);
    }
}

//! What happens inside a port, counted until the worker asks.

use crate::routing::NextHop;
use crate::telemetry::{Event, Tally};

/// Counts since the last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortEvents {
    /// Replies that could not be sent.
    pub transmit_failed: u64,
    /// Replies with no route to the client.
    pub no_route: u64,
    /// Replies that went back to the sender: the next hop's Ethernet address is not known.
    pub next_hop_unresolved: u64,
    /// Replies that did because the next hop is by another interface.
    pub next_hop_elsewhere: u64,
    /// Wake-ups of the kernel.
    pub kicks: u64,
    /// Wake-ups that the kernel put off: it was busy, out of buffers or out of its budget.
    pub stalls: u64,
    /// Errors of the kernel beyond that.
    pub errors: u64,
}

impl PortEvents {
    /// Counts a reply whose next hop is not a neighbour that is known.
    pub fn count(&mut self, next_hop: NextHop) {
        match next_hop {
            NextHop::Neighbour { .. } => {}
            NextHop::Unresolved | NextHop::OnLink(_) => self.next_hop_unresolved += 1,
            NextHop::Elsewhere => self.next_hop_elsewhere += 1,
            NextHop::Nowhere => self.no_route += 1,
        }
    }

    /// Moves the counts to `tally`.
    pub fn report(&mut self, tally: &mut Tally) {
        let counts = std::mem::take(self);
        tally.add(Event::TransmitFailed, counts.transmit_failed);
        tally.add(Event::NoRoute, counts.no_route);
        tally.add(Event::NextHopUnresolved, counts.next_hop_unresolved);
        tally.add(Event::NextHopElsewhere, counts.next_hop_elsewhere);
        tally.add(Event::Kicks, counts.kicks);
        tally.add(Event::Stalls, counts.stalls);
        tally.add(Event::PortErrors, counts.errors);
    }
}

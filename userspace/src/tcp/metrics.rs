//! What the sibling thread counts: a plain tally within a turn, published once at its end.

use crate::telemetry::metrics;
use std::sync::atomic::{AtomicU64, Ordering};

metrics! {
    /// Why a connection was closed. Each closed connection counts under exactly one reason, so
    /// that always `accepted = open + the sum of all reasons`.
    pub enum TcpClose {
        /// The client closed the connection after its last answer.
        ByClient = "by_client",
        /// The client closed the connection without having sent a query.
        NoQuery = "no_query",
        /// The client closed the connection in the middle of a query.
        PartialQuery = "partial_query",
        /// The first query, or the rest of a partial one, did not come in time.
        ReceiveTimeout = "receive_timeout",
        /// No further query came within the keep-alive time.
        KeepaliveTimeout = "keepalive_timeout",
        /// The client did not read its answers in time.
        SendTimeout = "send_timeout",
        /// A query longer than the configured limit was announced.
        TooLarge = "too_large",
        /// A message that gets no answer: a response, or too short to be DNS.
        Unanswered = "unanswered",
        /// The connection was the oldest idle one when room was needed for another.
        Evicted = "evicted",
        /// The memory for partial queries and unread answers was used up.
        OutOfMemory = "out_of_memory",
        /// The socket failed while receiving, most often reset by the client.
        ReadError = "read_error",
        /// The socket failed while sending, most often closed or reset by the client.
        WriteError = "write_error",
        /// The connection could not be added to the poller.
        PollError = "poll_error",
        /// Refused: the connection limit was reached and none could be evicted.
        RefusedTotal = "refused_total",
        /// Refused: the client's network was at its limit and none of its connections was idle.
        RefusedNetwork = "refused_network",
        /// The server stopped.
        Drained = "drained",
    }
}

metrics! {
    /// Everything else that the sibling thread counts.
    pub enum TcpEvent {
        /// Connections accepted, those refused at once included.
        Accepted = "accepted",
        /// Whole messages received.
        Queries = "queries",
        /// Answers handed to the kernel or queued for it.
        Answers = "answers",
        /// Sends that the kernel did not take whole.
        BlockedSends = "blocked_sends",
        /// Times accepting failed for want of file descriptors or kernel memory.
        AcceptExhausted = "accept_exhausted",
        /// Other errors of accept, connections aborted while they waited included.
        AcceptErrors = "accept_errors",
        /// Turns of the loop.
        Turns = "turns",
    }
}

/// Metrics of both lists, side by side.
const COUNT: usize = TcpEvent::COUNT + TcpClose::COUNT;

/// What one turn counted: plain numbers, owned by the thread.
#[derive(Clone, Debug)]
pub struct TcpTally([u64; COUNT]);

impl Default for TcpTally {
    fn default() -> Self {
        Self([0; COUNT])
    }
}

impl TcpTally {
    /// Counts a closed connection.
    pub fn close(&mut self, reason: TcpClose) {
        self.0[close_at(reason)] += 1;
    }

    /// Counts `count` events.
    pub fn add(&mut self, event: TcpEvent, count: u64) {
        self.0[event.index()] += count;
    }
}

/// The counters of one sibling thread. Written by that thread alone, read by any at any time;
/// nothing may depend on two of them agreeing.
#[derive(Debug)]
#[repr(align(128))]
pub struct TcpCounters([AtomicU64; COUNT]);

impl Default for TcpCounters {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; COUNT])
    }
}

impl TcpCounters {
    /// Adds a turn's tally and clears it.
    pub fn publish(&self, tally: &mut TcpTally) {
        for (counter, count) in self.0.iter().zip(&mut tally.0) {
            if *count != 0 {
                // One writer: a load and a store, no locked instruction.
                counter.store(counter.load(Ordering::Relaxed) + *count, Ordering::Relaxed);
                *count = 0;
            }
        }
    }

    /// The counts as they are now.
    pub fn totals(&self) -> TcpTotals {
        let mut totals = TcpTotals::default();
        totals.include(self);
        totals
    }
}

/// Counts read from one or several threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpTotals([u64; COUNT]);

impl Default for TcpTotals {
    fn default() -> Self {
        Self([0; COUNT])
    }
}

impl TcpTotals {
    /// Adds a thread's counts.
    pub fn include(&mut self, counters: &TcpCounters) {
        for (total, counter) in self.0.iter_mut().zip(&counters.0) {
            *total += counter.load(Ordering::Relaxed);
        }
    }

    /// Events counted.
    pub fn events(&self, event: TcpEvent) -> u64 {
        self.0[event.index()]
    }

    /// Connections closed for `reason`.
    pub fn closes(&self, reason: TcpClose) -> u64 {
        self.0[close_at(reason)]
    }

    /// Connections closed, whatever the reason.
    pub fn closed(&self) -> u64 {
        TcpClose::ALL
            .iter()
            .map(|&reason| self.closes(reason))
            .sum()
    }

    /// Connections that are open.
    pub fn open(&self) -> u64 {
        // The two were not read at one instant.
        self.events(TcpEvent::Accepted)
            .saturating_sub(self.closed())
    }
}

const fn close_at(reason: TcpClose) -> usize {
    TcpEvent::COUNT + reason.index()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_tally_is_added_and_cleared() {
        let counters = TcpCounters::default();
        let mut tally = TcpTally::default();
        tally.add(TcpEvent::Accepted, 3);
        tally.close(TcpClose::Drained);
        tally.close(TcpClose::ByClient);
        counters.publish(&mut tally);
        counters.publish(&mut tally);
        let totals = counters.totals();
        assert_eq!(totals.events(TcpEvent::Accepted), 3);
        assert_eq!(totals.closes(TcpClose::Drained), 1);
        assert_eq!((totals.closed(), totals.open()), (2, 1));
    }

    #[test]
    fn labels_are_unique() {
        for labels in [
            TcpClose::ALL.iter().map(|c| c.label()).collect::<Vec<_>>(),
            TcpEvent::ALL.iter().map(|e| e.label()).collect(),
        ] {
            let mut unique = labels.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), labels.len());
        }
    }
}

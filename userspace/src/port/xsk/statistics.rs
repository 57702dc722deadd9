//! What the kernel counts about an AF_XDP socket.

use crate::sys::xdp_socket;
use crate::telemetry::metrics;
use nix::libc::xdp_statistics;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

metrics! {
    /// The counters of `XDP_STATISTICS`, since the socket was opened.
    pub enum RingEvent {
        /// Packets dropped because they did not fit a frame, or for another reason than the others.
        RxDropped = "rx_dropped",
        /// Packets dropped because a descriptor in the fill ring was invalid.
        RxInvalidDescs = "rx_invalid_descs",
        /// Replies dropped because their descriptor was invalid.
        TxInvalidDescs = "tx_invalid_descs",
        /// Packets dropped because the RX ring was full: the worker is too slow.
        RxRingFull = "rx_ring_full",
        /// Times that the kernel found the fill ring empty: there are too few frames.
        RxFillRingEmpty = "rx_fill_ring_empty_descs",
        /// Times that the kernel found the TX ring empty.
        TxRingEmpty = "tx_ring_empty_descs",
    }
}

/// All of them at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingStatistics([u64; RingEvent::COUNT]);

impl RingStatistics {
    /// A counter.
    pub fn count(&self, event: RingEvent) -> u64 {
        self.0[event.index()]
    }

    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
        self
    }

    pub(super) fn of(socket: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(xdp_socket::statistics(socket)?.into())
    }
}

impl From<xdp_statistics> for RingStatistics {
    fn from(kernel: xdp_statistics) -> Self {
        Self([
            kernel.rx_dropped,
            kernel.rx_invalid_descs,
            kernel.tx_invalid_descs,
            kernel.rx_ring_full,
            kernel.rx_fill_ring_empty_descs,
            kernel.tx_ring_empty_descs,
        ])
    }
}

/// Reads a port's counters where the port is not. It keeps the socket, and so the queue, taken for
/// as long as it lives.
#[derive(Debug)]
pub struct RingGauge(OwnedFd);

impl RingGauge {
    pub(super) fn new(socket: BorrowedFd<'_>) -> io::Result<Self> {
        socket.try_clone_to_owned().map(Self)
    }

    /// What the kernel has counted.
    pub fn read(&self) -> io::Result<RingStatistics> {
        RingStatistics::of(self.0.as_fd())
    }
}

//! What the kernel counts about an AF_XDP socket.

use xsk_rs::socket::XdpStatistics;

/// The counters of `XDP_STATISTICS`, since the socket was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingStatistics {
    /// Packets dropped because they did not fit a frame, or for another reason than those below.
    pub rx_dropped: u64,
    /// Packets dropped because a descriptor in the fill ring was invalid.
    pub rx_invalid_descs: u64,
    /// Replies dropped because their descriptor was invalid.
    pub tx_invalid_descs: u64,
    /// Packets dropped because the RX ring was full: the worker is too slow.
    pub rx_ring_full: u64,
    /// Times that the kernel found the fill ring empty: there are too few frames.
    pub rx_fill_ring_empty: u64,
    /// Times that the kernel found the TX ring empty.
    pub tx_ring_empty: u64,
}

impl From<XdpStatistics> for RingStatistics {
    fn from(statistics: XdpStatistics) -> Self {
        Self {
            rx_dropped: statistics.rx_dropped(),
            rx_invalid_descs: statistics.rx_invalid_descs(),
            tx_invalid_descs: statistics.tx_invalid_descs(),
            rx_ring_full: statistics.rx_ring_full(),
            rx_fill_ring_empty: statistics.rx_fill_ring_empty_descs(),
            tx_ring_empty: statistics.tx_ring_empty_descs(),
        }
    }
}

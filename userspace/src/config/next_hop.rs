//! Where replies go.

use serde::Deserialize;

/// `udp.next_hop`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextHopBy {
    /// Back to the Ethernet address that the query came from.
    #[default]
    Sender,
    /// To the next hop of the kernel's routing table.
    Route,
}

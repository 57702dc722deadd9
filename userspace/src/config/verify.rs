//! Whether checksums of received packets are verified.

use serde::Deserialize;

/// `udp.verify_checksums`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// But for interfaces on which senders leave them unfinished.
    #[default]
    Auto,
    /// Of all packets that come by AF_XDP.
    On,
    /// Of none.
    Off,
}

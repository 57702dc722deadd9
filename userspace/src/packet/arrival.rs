//! What an answer may depend on beside the message itself.

use super::reply::Transport;
use std::net::IpAddr;

/// From whom, how and when a message came. The core has no clock and no socket: both sides of the
/// server say it with each query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The client's address.
    pub client: IpAddr,
    /// How the message travelled.
    pub transport: Transport,
    /// Seconds since 1970, modulo 2^32 (RFC 9018 §4.3).
    pub time_s: u32,
}

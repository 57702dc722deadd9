//! What the operator wants of answers.

use super::{Chaos, Guards, Weighted};
use crate::geo::Network;
use crate::packet::cookie::Cookies;
use std::net::IpAddr;
use std::sync::Arc;

/// What is answered beside the zones' data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Largest UDP reply in bytes, and the payload size that OPT records announce.
    pub udp_size_max: u16,
    /// The identifier of this server, for whoever asks (RFC 5001); empty: there is none.
    pub nsid: Box<[u8]>,
    /// Whether client subnets are read and answered (RFC 7871).
    pub client_subnet: bool,
    /// The networks whose client subnets are read; `None`: everybody's.
    pub client_subnet_from: Option<Box<[Network]>>,
    /// How one of several variants for a region is chosen.
    pub weighted: Weighted,
    /// Whether errors say more than their response code (RFC 8914).
    pub extended_errors: bool,
    /// Cookies; none: they are ignored.
    pub cookies: Option<Cookies>,
    /// How long a TCP connection may be idle, in units of 100 ms (RFC 7828 §3.1).
    pub tcp_idle_100ms: u16,
    /// What is told in class CH.
    pub chaos: Chaos,
    /// Who is answered, and how much; none: everybody, as much as they ask.
    pub guards: Option<Arc<Guards>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            // DNS flag day 2020: the largest that needs no fragmentation on nearly every path.
            udp_size_max: 1232,
            nsid: Box::default(),
            client_subnet: true,
            client_subnet_from: None,
            weighted: Weighted::Client,
            extended_errors: true,
            // Without a secret there are none.
            cookies: None,
            tcp_idle_100ms: 100,
            chaos: Chaos::default(),
            guards: None,
        }
    }
}

impl Policy {
    /// Whether the client subnets that come from an address are read.
    pub fn trusts_subnet_of(&self, source: IpAddr) -> bool {
        let from = self.client_subnet_from.as_deref();
        let is_in = |from: &[Network]| from.iter().any(|network| network.contains(source));
        self.client_subnet && from.is_none_or(is_in)
    }
}

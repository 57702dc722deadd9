//! Who asks: an address, as the server's own code sees it in a query.

use crate::answer::Client;
use crate::geo::Network;
use crate::packet::reply::Transport;
use crate::packet::{Arrival, code, edns, query};
use crate::snapshot::Snapshot;
use anyhow::{Result, anyhow};
use std::net::IpAddr;

/// Whoever asks for a name.
pub(super) struct Asker {
    /// Its address.
    pub(super) address: IpAddr,
    /// Its network, if a resolver asks in its place.
    pub(super) subnet: Option<Network>,
}

/// A message's header: one question, one additional record.
const HEADER: [u8; 12] = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];

impl Asker {
    /// What the server looks for in its maps.
    pub(super) fn address(&self) -> IpAddr {
        let subnet = self.subnet.as_ref();
        subnet.map_or(self.address, Network::address)
    }

    /// What the server makes of a query for `name`.
    pub(super) fn client(&self, name: &[u8], snapshot: &Snapshot) -> Result<Client> {
        let message = self.message(name);
        let query = query::parse(&message, snapshot.key());
        let mut query = query.map_err(|why| anyhow!("{why:?}"))?;
        let policy = snapshot.policy();
        // A resolver whose subnets are read.
        let trusted = policy.client_subnet_from.as_deref().unwrap_or_default();
        let trusted = self.subnet.and_then(|_| trusted.first());
        let arrival = Arrival {
            client: trusted.map_or(self.address, Network::address),
            transport: Transport::Tcp,
            time_s: 0,
        };
        edns::admit(&mut query, &message, &arrival, policy);
        Ok(Client::of(&query, &message, arrival.client))
    }

    fn message(&self, name: &[u8]) -> Vec<u8> {
        let options = self.subnet.as_ref().map(option).unwrap_or_default();
        let len = u16::try_from(options.len()).unwrap_or(0).to_be_bytes();
        let question = [code::A, code::CLASS_IN].map(u16::to_be_bytes).concat();
        // RFC 6891 §6.1.2: the root's, type, the largest size, no flags.
        let opt = [0, 0, 41, 0xff, 0xff, 0, 0, 0, 0];
        [&HEADER[..], name, &question, &opt, &len, &options].concat()
    }
}

/// A client's subnet as an option (RFC 7871 §6).
fn option(subnet: &Network) -> Vec<u8> {
    let (family, octets) = match subnet.address() {
        IpAddr::V4(address) => (1, address.octets().to_vec()),
        IpAddr::V6(address) => (2, address.octets().to_vec()),
    };
    let bytes = &octets[..usize::from(subnet.prefix_len().div_ceil(8))];
    let len = u16::try_from(4 + bytes.len()).unwrap_or(0).to_be_bytes();
    let code = code::OPTION_SUBNET.to_be_bytes();
    let fixed = [0, family, subnet.prefix_len(), 0];
    [&code[..], &len, &fixed, bytes].concat()
}

//! Queries from somewhere: clients with addresses and subnets of their own.

use crate::answers::{TIME_S, reply_to};
use crate::ask::Ask;
use crate::decoded::Decoded;
use crate::exchange::{Datagram, Exchange, Family};
use crate::invariants::check_reply;
use crate::maps::network;
use crate::packets::Packet;
use ripples::packet::Arrival;
use ripples::packet::reply::Transport;
use ripples::snapshot::Snapshot;
use std::net::{IpAddr, SocketAddr};

/// Option of the client's subnet (RFC 7871 §6).
const SUBNET: u16 = 8;

/// The reply to whoever asks from `client`: the same over every transport.
///
/// # Panics
/// Where replies differ, or break a rule that holds for any.
pub fn asked_from(snapshot: &Snapshot, ask: &Ask, client: &str) -> Decoded {
    let client: IpAddr = client.parse().expect("an address");
    let query = ask.message();
    let by = |transport| {
        let time_s = TIME_S;
        let arrival = Arrival {
            client,
            transport,
            time_s,
        };
        reply_to(snapshot, &query, &arrival)
    };
    let reply = by(Transport::Udp).expect("a reply");
    assert_eq!(
        by(Transport::Tcp).as_ref(),
        Some(&reply),
        "TCP gets another reply"
    );
    assert_eq!(
        framed(snapshot, &query, client),
        reply,
        "a frame gets another reply"
    );
    check_reply(&query, &reply).unwrap_or_else(|error| panic!("{error}"));
    Decoded::of(Some(reply))
}

/// The reply to a datagram in a frame.
fn framed(snapshot: &Snapshot, query: &[u8], client: IpAddr) -> Vec<u8> {
    let family = if client.is_ipv4() {
        Family::V4
    } else {
        Family::V6
    };
    let [_, server] = family.ends();
    let frame = Packet::udp(SocketAddr::new(client, 40_000), server, query).frame();
    let sent = Exchange::default().frames([&frame[..]], snapshot);
    let reply = Datagram::read(&sent[0]).unwrap_or_else(|error| panic!("{error}"));
    reply.payload
}

impl Ask {
    /// For a client in a network as in `192.0.2.0/24`.
    pub fn subnet(self, text: &str) -> Self {
        let network = network(text);
        let (family, octets) = match network.address() {
            IpAddr::V4(address) => (1, address.octets().to_vec()),
            IpAddr::V6(address) => (2, address.octets().to_vec()),
        };
        let len = usize::from(network.prefix_len().div_ceil(8));
        let data = [&[0, family, network.prefix_len(), 0], &octets[..len]].concat();
        self.option(SUBNET, &data)
    }
}

impl Decoded {
    /// SOURCE and SCOPE PREFIX-LENGTH of the subnet that it speaks of.
    pub fn subnet(&self) -> Option<(u8, u8)> {
        let option = self.edns.as_ref()?.option(SUBNET)?;
        Some((option[2], option[3]))
    }

    /// The data of its answer's records, as text.
    pub fn texts(&self) -> Vec<&str> {
        self.answer()
            .iter()
            .map(|record| &record.text[..])
            .collect()
    }
}

//! Queries and replies as packets in a capture file.
//!
//! <https://datatracker.ietf.org/doc/html/draft-ietf-opsawg-pcap>

use super::super::Entry;
use crate::packet::Ends;
use crate::packet::reply::Transport;
use etherparse::PacketBuilder;
use std::net::IpAddr;

/// What a file begins with: times in nanoseconds, version 2.4, packets up to 262,144 bytes, which
/// begin with an IP header (LINKTYPE_RAW), all little-endian.
pub(super) const HEADER: [u8; 24] = [
    0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0,
];

const NS_PER_S: u64 = 1_000_000_000;
/// The longest message that fits into a packet, its headers included.
const MESSAGE_LEN_MAX: usize = 65_535 - 40 - 20 - 2;
/// TTL and hop limit; nobody knows what they were.
const HOPS: u8 = 64;
/// The window of made-up TCP segments.
const WINDOW: u16 = 0xffff;

/// Appends the query, where there is one, and the reply.
pub(super) fn write(entry: &Entry<'_>, bytes: &mut Vec<u8>) {
    let (ends, transport) = (&entry.reply.ends, entry.reply.transport);
    if let Some(query) = entry.query {
        packet(ends, true, transport, query, entry.received_ns, bytes);
    }
    packet(
        ends,
        false,
        transport,
        entry.reply.reply,
        entry.sent_ns,
        bytes,
    );
}

/// Appends a packet with this message: to the server, or back from it.
fn packet(
    ends: &Ends,
    is_query: bool,
    transport: Transport,
    message: &[u8],
    ns: u64,
    bytes: &mut Vec<u8>,
) {
    let message = &message[..message.len().min(MESSAGE_LEN_MAX)];
    let (from, to) = match is_query {
        true => (ends.client(), ends.local()),
        false => (ends.local(), ends.client()),
    };
    let network = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), HOPS),
        (IpAddr::V6(from), IpAddr::V6(to)) => PacketBuilder::ipv6(from.octets(), to.octets(), HOPS),
        // Both ends of a message are of one family.
        _ => return,
    };
    let mut packet = Vec::with_capacity(message.len() + 80);
    // Writing to memory does not fail, and the message is short enough.
    let _ = match transport {
        Transport::Udp => network
            .udp(from.port(), to.port())
            .write(&mut packet, message),
        Transport::Tcp => {
            let len = u16::try_from(message.len()).unwrap_or(u16::MAX);
            let framed = [&len.to_be_bytes()[..], message].concat();
            network
                .tcp(from.port(), to.port(), 1, WINDOW)
                .ack(1)
                .psh()
                .write(&mut packet, &framed)
        }
    };
    let len = u32::try_from(packet.len()).unwrap_or(u32::MAX);
    let (seconds, rest) = (ns / NS_PER_S, ns % NS_PER_S);
    for number in [seconds, rest, len.into(), len.into()] {
        let word = u32::try_from(number).unwrap_or(u32::MAX);
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(packet);
}

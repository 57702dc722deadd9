//! The usual frame: no VLAN tag, an IPv4 header without options, UDP.

use super::{HOP_LIMIT, IPV4_LEN_MIN, MACS_LEN, UDP_LEN, length, nonzero};
use crate::packet::checksum::Sum;
use crate::packet::{Envelope, quad_at, word_at};
use etherparse::IpNumber;

/// Offset of the IP header.
pub(super) const NETWORK_START: usize = MACS_LEN + 2;
/// Offset of the addresses, and the datagram behind them.
pub(super) const ADDRESSES_START: usize = NETWORK_START + 12;
/// Bytes before the message.
pub(super) const USUAL_LEN: usize = NETWORK_START + IPV4_LEN_MIN + UDP_LEN;

/// Whether a message lies where it does in a usual frame.
#[inline(always)]
pub(super) fn is_usual(envelope: &Envelope) -> bool {
    // As one word: it is looked at for every packet.
    let both = |network: usize, message: usize| network | message << 16;
    let (network, message) = (envelope.network_start, envelope.message_start);
    both(network.into(), message.into()) == both(NETWORK_START, USUAL_LEN)
}

/// A sound frame with no VLAN tag and an IPv4 header without options; any other is `None`.
#[inline(always)]
pub(super) fn open(frame: &[u8]) -> Option<Envelope> {
    let head: &[u8; USUAL_LEN] = frame.first_chunk()?;
    // EtherType IPv4 and a header of five words; fragment bits, fragment offset, protocol.
    const FRONT: [u32; 2] = [0x00ff_ffff, u32::from_le_bytes([0x08, 0x00, 0x45, 0])];
    const MIDDLE: [u32; 2] = [
        u32::from_le_bytes([0x3f, 0xff, 0, 0xff]),
        u32::from_le_bytes([0, 0, 0, IpNumber::UDP.0]),
    ];
    let is_plain =
        quad_at(head, 12) & FRONT[0] == FRONT[1] && quad_at(head, 20) & MIDDLE[0] == MIDDLE[1];
    let total_len = usize::from(u16::from_be_bytes([head[16], head[17]]));
    let udp_len = usize::from(u16::from_be_bytes([head[38], head[39]]));
    let is_whole = total_len == IPV4_LEN_MIN + udp_len
        && udp_len >= UDP_LEN
        && NETWORK_START + total_len <= frame.len();
    let has_return = (head[34] | head[35]) != 0 && (1..224).contains(&head[26]);
    if !(is_plain && is_whole && has_return) {
        return None;
    }
    Some(envelope(USUAL_LEN, udp_len, false))
}

/// The envelope of a message behind so many bytes, without VLAN tag, in a datagram of `udp_len`.
#[inline(always)]
pub(super) fn envelope(message_start: usize, udp_len: usize, is_ipv6: bool) -> Envelope {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "less than a length of 16 bits"
    )]
    let [network_start, message_start, message_len] =
        [NETWORK_START, message_start, udp_len - UDP_LEN].map(|offset| offset as u16);
    Envelope {
        network_start,
        message_start,
        message_len,
        is_ipv6,
    }
}

/// Turns the headers of a usual frame round, in registers: what is written in small pieces would be
/// waited for when the kernel or the NIC reads it in large ones.
#[inline(always)]
pub(super) fn seal(head: &mut [u8; USUAL_LEN], message_len: usize, message: Sum) -> usize {
    let (macs_front, macs_back) = (word_at(head, 0), word_at(head, 4));
    let [link, client, server, ports] = [12, 26, 30, 34].map(|at| quad_at(head, at));
    let udp_len = length(UDP_LEN + message_len).to_be();
    let total_len = length(IPV4_LEN_MIN + UDP_LEN + message_len).to_be();
    let addresses = u64::from(client) + u64::from(server);
    // Version, type of service and time to live with the protocol; RFC 6864: an atomic datagram
    // (don't fragment, no fragment) needs no identification.
    let life = u32::from_le_bytes([0x40, 0, HOP_LIMIT, IpNumber::UDP.0]);
    let ip = addresses + u64::from(link >> 16) + u64::from(total_len) + u64::from(life);
    let ip_check = Sum::default().small(ip).finish().to_be();
    let pseudo = u64::from(u16::from(IpNumber::UDP.0).to_be()) + 2 * u64::from(udp_len);
    let udp = message.small(addresses + pseudo + u64::from(ports));
    let udp_check = nonzero(udp.finish()).to_be();
    let ports = ports.rotate_left(16);
    let words = [
        macs_back >> 16 | macs_front << 48,
        macs_front >> 16 & 0xffff_ffff | u64::from(link) << 32,
        u64::from(total_len) | u64::from(life) << 32,
        u64::from(ip_check) | u64::from(server) << 16 | u64::from(client) << 48,
        u64::from(client) >> 16 | u64::from(ports) << 16 | u64::from(udp_len) << 48,
    ];
    let (pieces, rest) = head.as_chunks_mut::<8>();
    for (piece, word) in pieces.iter_mut().zip(words) {
        *piece = word.to_le_bytes();
    }
    rest.copy_from_slice(&udp_check.to_ne_bytes());
    USUAL_LEN + message_len
}

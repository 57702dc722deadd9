//! The same for IPv6: no VLAN tag, UDP directly behind the header.

use super::usual::{NETWORK_START, envelope};
use super::{HOP_LIMIT, IPV6_LEN, UDP_LEN, length, nonzero};
use crate::packet::checksum::Sum;
use crate::packet::{Envelope, quad_at, word_at};
use etherparse::IpNumber;

/// Offset of the addresses, and the datagram behind them.
pub(super) const ADDRESSES_START: usize = NETWORK_START + 8;
/// Bytes before the message in a frame with no VLAN tag and an IPv6 header.
pub(super) const USUAL_LEN: usize = NETWORK_START + IPV6_LEN + UDP_LEN;

/// A sound frame with no VLAN tag and an IPv6 header; any other is `None`.
#[inline(always)]
pub(super) fn open(frame: &[u8]) -> Option<Envelope> {
    let head: &[u8; USUAL_LEN] = frame.first_chunk()?;
    // EtherType and version; next header.
    const FRONT: [u32; 2] = [0x00f0_ffff, u32::from_le_bytes([0x86, 0xdd, 0x60, 0])];
    let is_plain = quad_at(head, 12) & FRONT[0] == FRONT[1] && head[20] == IpNumber::UDP.0;
    let payload_len = usize::from(u16::from_be_bytes([head[18], head[19]]));
    let udp_len = usize::from(u16::from_be_bytes([head[58], head[59]]));
    let is_whole = payload_len == udp_len
        && udp_len >= UDP_LEN
        && NETWORK_START + IPV6_LEN + udp_len <= frame.len();
    let is_host = head[22] != 0xff && word_at(head, 22) | word_at(head, 30) != 0;
    let has_return = (head[54] | head[55]) != 0 && is_host;
    if !(is_plain && is_whole && has_return) {
        return None;
    }
    Some(envelope(USUAL_LEN, udp_len, true))
}

/// Whether a message lies where it does in a frame with no VLAN tag and an IPv6 header.
#[inline(always)]
pub(super) fn is_usual(envelope: &Envelope) -> bool {
    envelope.is_ipv6 && usize::from(envelope.message_start) == USUAL_LEN
}

/// Turns the headers of such a frame round.
#[inline(always)]
pub(super) fn seal(head: &mut [u8; USUAL_LEN], message_len: usize, message: Sum) -> usize {
    let (macs_front, macs_back) = (word_at(head, 0), word_at(head, 4));
    let link = quad_at(head, 12);
    let addresses = [22, 30, 38, 46].map(|at| word_at(head, at));
    let ports = quad_at(head, 54);
    let udp_len = length(UDP_LEN + message_len).to_be();
    let pseudo = u64::from(u16::from(IpNumber::UDP.0).to_be()) + 2 * u64::from(udp_len);
    let sum = message.small(pseudo + u64::from(ports));
    let sum = addresses
        .into_iter()
        .fold(sum, |sum, word| sum.octet(word.to_le_bytes()));
    let udp_check = nonzero(sum.finish()).to_be();
    let [client_front, client_back, server_front, server_back] = addresses;
    let life = u32::from_le_bytes([0, 0, IpNumber::UDP.0, HOP_LIMIT]) | u32::from(udp_len);
    let ports = ports.rotate_left(16);
    let words = [
        macs_back >> 16 | macs_front << 48,
        macs_front >> 16 & 0xffff_ffff | u64::from(link) << 32,
    ];
    let udp = u64::from(ports) | u64::from(udp_len) << 32 | u64::from(udp_check) << 48;
    let (macs, rest) = head.split_at_mut(2 * size_of::<u64>());
    let (_, rest) = rest.split_at_mut(NETWORK_START + 4 - 2 * size_of::<u64>());
    let (lens, rest) = rest.split_at_mut(size_of::<u32>());
    lens.copy_from_slice(&life.to_le_bytes());
    let back = [server_front, server_back, client_front, client_back, udp];
    let places = macs.as_chunks_mut().0.iter_mut();
    for (place, word) in places
        .chain(rest.as_chunks_mut().0)
        .zip(words.into_iter().chain(back))
    {
        *place = word.to_le_bytes();
    }
    USUAL_LEN + message_len
}

//! Checksums of received packets, for NICs that have nobody see whether they verified them.

use super::{IPV4_LEN_MIN, IPV6_LEN, UDP_LEN, usual, usual_ipv6};
use crate::packet::{Envelope, checksum::Sum, quad_at};
use crate::simd::{BLOCK_LEN, Block, Simd};
use crate::telemetry::Discard;
use etherparse::IpNumber;

/// Verifies the checksums of the IPv4 header (RFC 791) and of the datagram (RFC 768; RFC 8200 §8.1)
/// in a frame as `open` has seen it; `room` is its memory, which may go on behind it.
#[inline(always)]
pub fn verify<S: Simd>(simd: S, room: &[u8], envelope: &Envelope) -> Result<(), Discard> {
    let is_right = match usual(simd, room, envelope) {
        Some(is_right) => is_right,
        None => any(room, envelope).ok_or(Discard::ShortFrame)?,
    };
    match is_right {
        true => Ok(()),
        false => Err(Discard::BadChecksum),
    }
}

/// Addresses and a datagram as short as nearly all are, in a usual frame.
type Short = [u8; 2 * BLOCK_LEN];

/// Of a usual frame with a short message; any other is `None`.
#[inline(always)]
fn usual<S: Simd>(simd: S, room: &[u8], envelope: &Envelope) -> Option<bool> {
    // In both versions the addresses end their header, so they and the datagram are one sum.
    let (start, addresses_len, is_ipv4) = match () {
        () if usual::is_usual(envelope) => (usual::ADDRESSES_START, 2 * 4, true),
        () if usual_ipv6::is_usual(envelope) => (usual_ipv6::ADDRESSES_START, 2 * 16, false),
        () => return None,
    };
    let short: &Short = room.get(start..)?.first_chunk()?;
    let datagram_len = UDP_LEN + usize::from(envelope.message_len);
    let len = addresses_len + datagram_len;
    if len > short.len() {
        return None;
    }
    let (front, back) = short.split_at(BLOCK_LEN);
    let (front, back): (&Block, &Block) = (front.first_chunk()?, back.first_chunk()?);
    let mut sum = simd.checksum(front, len.min(BLOCK_LEN));
    if len > BLOCK_LEN {
        sum += simd.checksum(back, len - BLOCK_LEN);
    }
    let pseudo = u64::from(u16::from(IpNumber::UDP.0).to_be());
    let udp_len = &short[addresses_len + 4..][..2];
    let udp_len = u64::from(u16::from_ne_bytes([udp_len[0], udp_len[1]]));
    let udp = Sum::default().small(sum + pseudo + udp_len).finish() == 0;
    let check = &short[addresses_len + 6..][..2];
    let is_summed = check != [0, 0];
    if !is_ipv4 {
        return Some(udp && is_summed);
    }
    let head: &[u8; usual::USUAL_LEN] = room.first_chunk()?;
    let header = (0..IPV4_LEN_MIN / 4).map(|at| quad_at(head, usual::NETWORK_START + 4 * at));
    let header = header.fold(0, |sum, quad| sum + u64::from(quad));
    Some(Sum::default().small(header).finish() == 0 && (udp || !is_summed))
}

/// Of any frame; `None`: it ends too early.
#[inline(never)]
fn any(room: &[u8], envelope: &Envelope) -> Option<bool> {
    let udp_start = usize::from(envelope.message_start) - UDP_LEN;
    let header = room.get(usize::from(envelope.network_start)..udp_start)?;
    let datagram = room.get(udp_start..envelope.message().end)?;
    Some(match envelope.is_ipv6 {
        false => ipv4(header, datagram),
        true => ipv6(header, datagram),
    })
}

fn ipv4(header: &[u8], datagram: &[u8]) -> bool {
    let Some(ends) = header.get(12..IPV4_LEN_MIN) else {
        return false;
    };
    // With the checksum in it, the sum is all ones.
    Sum::default().bytes(header).finish() == 0 && (datagram[6..8] == [0, 0] || udp(ends, datagram))
}

fn ipv6(header: &[u8], datagram: &[u8]) -> bool {
    // Without a checksum it may come only where a tunnel's rules say so (RFC 6935).
    header
        .get(8..IPV6_LEN)
        .is_some_and(|ends| datagram[6..8] != [0, 0] && udp(ends, datagram))
}

/// Adds up the pseudo-header of a datagram between two ends, and the datagram.
fn udp(ends: &[u8], datagram: &[u8]) -> bool {
    let sum = Sum::default().bytes(ends).bytes(datagram);
    let sum = sum.word(u16::from(IpNumber::UDP.0));
    // The length in the header, which `open` has held against the packet's.
    let sum = sum.word(u16::from_be_bytes([datagram[4], datagram[5]]));
    sum.finish() == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::headers::open;
    use crate::simd::{Level, Portable};
    use etherparse::PacketBuilder;

    const MESSAGE: &[u8] = b"a message of odd length";

    /// What etherparse makes, from the Ethernet header on.
    fn frame(is_ipv6: bool) -> Vec<u8> {
        frame_of(is_ipv6, MESSAGE)
    }

    fn frame_of(is_ipv6: bool, message: &[u8]) -> Vec<u8> {
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6]);
        let builder = match is_ipv6 {
            false => builder.ipv4([192, 0, 2, 1], [198, 51, 100, 2], 61),
            true => builder.ipv6([0x20; 16], [0xfd; 16], 61),
        };
        let mut frame = Vec::new();
        builder.udp(4242, 53).write(&mut frame, message).unwrap();
        frame
    }

    fn verified(frame: &[u8]) -> Result<(), Discard> {
        // All ways say the same, with whatever lies behind the frame.
        let envelope = open(frame)?;
        let mut room = frame.to_vec();
        let alone = any(&room, &envelope);
        room.extend([0xbb; 256]);
        let verified = verify(Portable, &room, &envelope);
        assert_eq!(alone, Some(verified.is_ok()), "{frame:02x?}");
        for level in Level::all() {
            let same = match level {
                Level::Portable(simd) => verify(simd, &room, &envelope),
                #[cfg(target_arch = "x86_64")]
                Level::Avx512(simd) => verify(simd, &room, &envelope),
            };
            assert_eq!(same, verified, "{}: {frame:02x?}", level.name());
        }
        verified
    }

    #[test]
    fn what_somebody_else_has_summed_is_right() {
        for is_ipv6 in [false, true] {
            let mut frame = frame(is_ipv6);
            assert_eq!(verified(&frame), Ok(()));
            // The link pads short frames with anything.
            frame.extend([0xaa; 18]);
            assert_eq!(verified(&frame), Ok(()));
        }
    }

    #[test]
    fn messages_of_any_length_are_right_and_not_with_another_byte() {
        let bytes: Vec<u8> = (0..=255).collect();
        for is_ipv6 in [false, true] {
            for len in 0..bytes.len() {
                let mut frame = frame_of(is_ipv6, &bytes[..len]);
                assert_eq!(verified(&frame), Ok(()), "{len} bytes");
                if let Some(last) = frame.last_mut().filter(|_| len > 0) {
                    *last ^= 0x10;
                    assert_eq!(verified(&frame), Err(Discard::BadChecksum), "{len} bytes");
                }
            }
        }
    }

    #[test]
    fn any_bit_that_is_turned_is_noticed() {
        for is_ipv6 in [false, true] {
            let right = frame(is_ipv6);
            let envelope = open(&right).unwrap();
            // Of IPv6's own fields only the addresses are summed.
            let from = if is_ipv6 { 14 + 8 } else { 14 };
            for bit in from * 8..right.len() * 8 {
                let mut wrong = right.clone();
                wrong[bit / 8] ^= 1 << (bit % 8);
                for wrong in [wrong.clone(), [&wrong[..], &[0xbb; 256]].concat()] {
                    let outcome = verify(Portable, &wrong, &envelope);
                    assert_eq!(
                        outcome,
                        Err(Discard::BadChecksum),
                        "bit {bit} of {right:02x?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_datagram_without_a_checksum_comes_by_ipv4_only() {
        for (is_ipv6, expected) in [(false, Ok(())), (true, Err(Discard::BadChecksum))] {
            let mut frame = frame(is_ipv6);
            let at = usize::from(open(&frame).unwrap().message_start) - 2;
            frame[at..at + 2].fill(0);
            assert_eq!(verified(&frame), expected);
        }
    }
}

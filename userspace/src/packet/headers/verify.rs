//! Checksums of received packets, for NICs that have nobody see whether they verified them.

use super::{IPV4_LEN_MIN, IPV6_LEN, UDP_LEN};
use crate::packet::{Envelope, checksum::Sum};
use crate::telemetry::Discard;
use etherparse::IpNumber;

/// Verifies the checksums of the IPv4 header (RFC 791) and of the datagram (RFC 768; RFC 8200 §8.1)
/// in a frame as `open` has seen it.
#[inline(never)]
pub fn verify(frame: &[u8], envelope: &Envelope) -> Result<(), Discard> {
    let udp_start = usize::from(envelope.message_start) - UDP_LEN;
    let header = frame.get(usize::from(envelope.network_start)..udp_start);
    let datagram = frame.get(udp_start..envelope.message().end);
    let (Some(header), Some(datagram)) = (header, datagram) else {
        return Err(Discard::ShortFrame);
    };
    let is_right = match envelope.is_ipv6 {
        false => ipv4(header, datagram),
        true => ipv6(header, datagram),
    };
    match is_right {
        true => Ok(()),
        false => Err(Discard::BadChecksum),
    }
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
    use etherparse::PacketBuilder;

    const MESSAGE: &[u8] = b"a message of odd length";

    /// What etherparse makes, from the Ethernet header on.
    fn frame(is_ipv6: bool) -> Vec<u8> {
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6]);
        let builder = match is_ipv6 {
            false => builder.ipv4([192, 0, 2, 1], [198, 51, 100, 2], 61),
            true => builder.ipv6([0x20; 16], [0xfd; 16], 61),
        };
        let mut frame = Vec::new();
        builder.udp(4242, 53).write(&mut frame, MESSAGE).unwrap();
        frame
    }

    fn verified(frame: &[u8]) -> Result<(), Discard> {
        verify(frame, &open(frame)?)
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
    fn any_bit_that_is_turned_is_noticed() {
        for is_ipv6 in [false, true] {
            let right = frame(is_ipv6);
            let envelope = open(&right).unwrap();
            // Of IPv6's own fields only the addresses are summed.
            let from = if is_ipv6 { 14 + 8 } else { 14 };
            for bit in from * 8..right.len() * 8 {
                let mut wrong = right.clone();
                wrong[bit / 8] ^= 1 << (bit % 8);
                let outcome = verify(&wrong, &envelope);
                assert_eq!(
                    outcome,
                    Err(Discard::BadChecksum),
                    "bit {bit} of {right:02x?}"
                );
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

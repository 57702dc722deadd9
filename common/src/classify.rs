//! The kernel program's one decision.

use crate::config::Endpoints;
use crate::endpoint::{Address, Port};
use crate::network::{Network, network};
use crate::{Bytes, FilterConfig, Verdict};

/// Decides what becomes of a frame: ours are unfragmented UDP datagrams to one of the configured
/// endpoints, over IPv4 or over IPv6 without extension headers, with up to two VLAN tags.
///
/// A datagram whose UDP length is not exactly the IP payload's is left to Linux: a longer one is
/// malformed, and the kernel counts it in `UdpInErrors`; a shorter one is legal but carries
/// something behind the datagram (RFC 9868 UDP options), which the kernel strips.
/// Header and payload checksums are not looked at.
#[inline(always)]
pub fn classify<B: Bytes + ?Sized>(frame: &B, config: &FilterConfig) -> Verdict {
    let verdict = match network(frame) {
        Ok(Network::Ipv4(offset)) => ipv4(frame, offset, config),
        Ok(Network::Ipv6(offset)) => ipv6(frame, offset, config),
        Err(verdict) => Err(verdict),
    };
    match verdict {
        Ok(()) => Verdict::Redirect,
        Err(verdict) => verdict,
    }
}

/// Judges the frame from its IPv4 header on (RFC 791 §3.1).
#[inline(always)]
fn ipv4<B: Bytes + ?Sized>(frame: &B, offset: usize, config: &FilterConfig) -> Result<(), Verdict> {
    let header: [u8; IPV4_LENGTH_MIN] = frame.read(offset).ok_or(Verdict::Truncated)?;
    let header_length = usize::from(header[0] & 0x0f) * 4;
    let total_length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[0] >> 4 != 4 || header_length < IPV4_LENGTH_MIN || total_length < header_length {
        return Err(Verdict::MalformedIp);
    }
    if !frame.reaches(offset + total_length) {
        return Err(Verdict::Truncated);
    }
    if header[9] != PROTOCOL_UDP {
        return Err(Verdict::NotUdp);
    }
    // "More fragments" or an offset: any fragment. The reserved and the DF bit say nothing.
    if header[6] & 0x3f != 0 || header[7] != 0 {
        return Err(Verdict::Fragment);
    }
    let destination = [header[16], header[17], header[18], header[19]];
    if destination[0] >> 4 == 0xe || destination == [0xff; 4] {
        return Err(Verdict::GroupAddress);
    }
    let payload_length = total_length - header_length;
    udp(
        frame,
        offset + header_length,
        payload_length,
        destination.into(),
        config.ipv4(),
    )
}

/// Judges the frame from its IPv6 header on (RFC 8200 §3).
#[inline(always)]
fn ipv6<B: Bytes + ?Sized>(frame: &B, offset: usize, config: &FilterConfig) -> Result<(), Verdict> {
    let header: [u8; IPV6_LENGTH] = frame.read(offset).ok_or(Verdict::Truncated)?;
    if header[0] >> 4 != 6 {
        return Err(Verdict::MalformedIp);
    }
    let payload_length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    if !frame.reaches(offset + IPV6_LENGTH + payload_length) {
        return Err(Verdict::Truncated);
    }
    if header[6] != PROTOCOL_UDP {
        return Err(not_udp_over_ipv6(header[6]));
    }
    if header[24] == 0xff {
        return Err(Verdict::GroupAddress);
    }
    let destination: [u8; 16] = frame.read(offset + 24).ok_or(Verdict::Truncated)?;
    udp(
        frame,
        offset + IPV6_LENGTH,
        payload_length,
        destination.into(),
        config.ipv6(),
    )
}

/// Judges the UDP header at `offset` (RFC 768) of a packet to `destination`.
#[inline(always)]
fn udp<B: Bytes + ?Sized, A: Address>(
    frame: &B,
    offset: usize,
    payload_length: usize,
    destination: A,
    endpoints: &Endpoints<A>,
) -> Result<(), Verdict> {
    if payload_length < UDP_LENGTH {
        return Err(Verdict::UdpLength);
    }
    let header: [u8; UDP_LENGTH] = frame.read(offset).ok_or(Verdict::Truncated)?;
    find(endpoints, destination, [header[2], header[3]].into())?;
    if usize::from(u16::from_be_bytes([header[4], header[5]])) != payload_length {
        return Err(Verdict::UdpLength);
    }
    Ok(())
}

/// Looks for an endpoint with this destination address and port.
#[inline(always)]
fn find<A: Address>(
    endpoints: &Endpoints<A>,
    destination: A,
    destination_port: Port,
) -> Result<(), Verdict> {
    let mut verdict = Verdict::OtherAddress;
    for (address, port) in endpoints.iter() {
        if address == destination || address == A::UNSPECIFIED {
            if port == destination_port {
                return Ok(());
            }
            verdict = Verdict::OtherPort;
        }
    }
    Err(verdict)
}

/// Names the reason why an IPv6 packet with this next header is not ours.
#[inline(always)]
fn not_udp_over_ipv6(next_header: u8) -> Verdict {
    match next_header {
        44 => Verdict::Fragment,
        // IANA "IPv6 Extension Header Types" without the fragment header: hop-by-hop options,
        // routing, ESP, authentication, destination options, mobility, HIP, Shim6, experiments.
        0 | 43 | 50 | 51 | 60 | 135 | 139 | 140 | 253 | 254 => Verdict::ExtensionHeader,
        _ => Verdict::NotUdp,
    }
}

const PROTOCOL_UDP: u8 = 17;
const IPV4_LENGTH_MIN: usize = 20;
const IPV6_LENGTH: usize = 40;
const UDP_LENGTH: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// To 192.0.2.1:53, without payload: Ethernet, IPv4 from offset 14, UDP from offset 34.
    const IPV4: [u8; 42] = *b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0\
        \x45\0\0\x1c\0\0\x40\0\x40\x11\0\0\xc6\x33\x64\x01\xc0\0\x02\x01\
        \x30\x39\0\x35\0\x08\0\0";

    /// To \[2001:db8::1\]:53, without payload: Ethernet, IPv6 from offset 14, UDP from offset 54.
    const IPV6: [u8; 62] = *b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x86\xdd\
        \x60\0\0\0\0\x08\x11\x40\
        \x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\
        \x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\
        \x30\x39\0\x35\0\x08\0\0";

    #[test]
    fn redirects_datagrams_to_an_endpoint() {
        assert_eq!(judge(&IPV4, "192.0.2.1:53"), Verdict::Redirect);
        assert_eq!(judge(&IPV6, "[2001:db8::1]:53"), Verdict::Redirect);
    }

    #[test]
    fn an_unspecified_address_stands_for_its_family_only() {
        assert_eq!(judge(&IPV4, "0.0.0.0:53"), Verdict::Redirect);
        assert_eq!(judge(&IPV6, "[::]:53"), Verdict::Redirect);
        assert_eq!(judge(&IPV4, "[::]:53"), Verdict::OtherAddress);
        assert_eq!(judge(&IPV6, "0.0.0.0:53"), Verdict::OtherAddress);
    }

    #[test]
    fn addresses_and_ports_match_in_pairs() {
        let endpoints = ["192.0.2.1:54", "192.0.2.2:53"].map(|text| text.parse().unwrap());
        let config = FilterConfig::new(&endpoints).unwrap();
        assert_eq!(classify(&IPV4[..], &config), Verdict::OtherPort);
    }

    #[test]
    fn any_fragment_passes() {
        for (high, low) in [(0x20, 0), (0x20, 1), (0, 1), (0x1f, 0xff)] {
            let mut frame = IPV4;
            (frame[20], frame[21]) = (high, low);
            assert_eq!(judge(&frame, "0.0.0.0:53"), Verdict::Fragment);
        }
    }

    #[test]
    fn a_truncated_frame_passes_wherever_it_ends() {
        for frame in [&IPV4[..], &IPV6[..]] {
            for length in 0..frame.len() {
                assert_eq!(
                    judge(&frame[..length], "0.0.0.0:53"),
                    Verdict::Truncated,
                    "{length}"
                );
            }
        }
    }

    fn judge(frame: &[u8], endpoint: &str) -> Verdict {
        classify(
            frame,
            &FilterConfig::new(&[endpoint.parse().unwrap()]).unwrap(),
        )
    }
}

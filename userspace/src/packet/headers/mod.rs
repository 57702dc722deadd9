//! Ethernet, VLAN, IPv4/IPv6 and UDP around a message: found in the query, turned round for the
//! reply.

mod course;
mod tag;
mod usual;
mod usual_ipv6;
mod verify;

pub use course::{Course, send_to};
pub use tag::tag;
pub use verify::verify;

use super::{Ends, Envelope, checksum::Sum};
use crate::telemetry::Discard;
use etherparse::{EtherType, IpNumber};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of two MAC addresses; the EtherType or a VLAN tag follows.
const MACS_LEN: usize = 12;
/// Bytes of a VLAN tag.
const VLAN_LEN: usize = 4;
/// 802.1Q and 802.1ad: at most two tags (QinQ).
const VLAN_MAX: usize = 2;
/// Bytes of an IPv4 header without options.
const IPV4_LEN_MIN: usize = 20;
/// Bytes of an IPv6 header.
const IPV6_LEN: usize = 40;
/// Bytes of a UDP header.
const UDP_LEN: usize = 8;
/// TTL and hop limit of replies (RFC 1700's recommendation).
const HOP_LIMIT: u8 = 64;

/// Finds the DNS message in an Ethernet frame.
///
/// The kernel program has sorted already, but on rules of its own: what is read here is checked
/// here.
#[inline(always)]
pub fn open(frame: &[u8]) -> Result<Envelope, Discard> {
    match usual::open(frame).or_else(|| usual_ipv6::open(frame)) {
        Some(envelope) => Ok(envelope),
        None => open_any(frame),
    }
}

/// Finds the message in any frame.
#[inline(never)]
fn open_any(frame: &[u8]) -> Result<Envelope, Discard> {
    let (ip_start, ethertype) = link(frame)?;
    let packet = frame.get(ip_start..).ok_or(Discard::ShortFrame)?;
    let (header_len, total_len, client) = match ethertype {
        EtherType::IPV4 => ipv4(packet)?,
        EtherType::IPV6 => ipv6(packet)?,
        _ => return Err(Discard::NotIp),
    };
    // Short frames are padded to 60 bytes by the link, so the packet may end before the frame.
    let datagram = packet
        .get(header_len..total_len)
        .ok_or(Discard::BadIpHeader)?;
    let udp: &[u8; UDP_LEN] = datagram.first_chunk().ok_or(Discard::ShortFrame)?;
    if usize::from(u16::from_be_bytes([udp[4], udp[5]])) != datagram.len() {
        return Err(Discard::UdpLength);
    }
    // RFC 768: a source port of zero means that no reply is expected. And RFC 1122 §3.2.1.3: a
    // datagram comes from one host, never from a group.
    if udp[..2] == [0, 0] || !is_host(client) {
        return Err(Discard::NoReturn);
    }
    let message_start = ip_start + header_len + UDP_LEN;
    Ok(Envelope {
        network_start: u16::try_from(ip_start).map_err(|_| Discard::ShortFrame)?,
        message_start: u16::try_from(message_start).map_err(|_| Discard::ShortFrame)?,
        message_len: u16::try_from(datagram.len() - UDP_LEN).map_err(|_| Discard::UdpLength)?,
        is_ipv6: client.is_ipv6(),
    })
}

/// The address that a frame came from; `open` has seen it.
pub fn client(frame: &[u8], envelope: &Envelope) -> IpAddr {
    let packet = frame
        .get(usize::from(envelope.network_start)..)
        .unwrap_or_default();
    let found = match envelope.is_ipv6 {
        false => ipv4(packet),
        true => ipv6(packet),
    };
    found.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |(_, _, client)| client)
}

/// Both ends of a packet that goes from the server to the client, of which `head` has the headers:
/// that of IP first, that of UDP last.
pub fn ends_of(head: &[u8]) -> Ends {
    let Some((packet, &[a, b, c, d, ..])) = head.split_last_chunk::<UDP_LEN>() else {
        return Ends::UNKNOWN;
    };
    let mut ends = Ends {
        is_ipv6: packet.first().is_some_and(|first| first >> 4 == 6),
        client_port: u16::from_be_bytes([c, d]),
        local_port: u16::from_be_bytes([a, b]),
        ..Ends::UNKNOWN
    };
    if let Some(header) = packet.first_chunk::<IPV6_LEN>().filter(|_| ends.is_ipv6) {
        ends.local.copy_from_slice(&header[8..24]);
        ends.client.copy_from_slice(&header[24..40]);
    } else if let Some(header) = packet.first_chunk::<IPV4_LEN_MIN>() {
        ends.local[..4].copy_from_slice(&header[12..16]);
        ends.client[..4].copy_from_slice(&header[16..20]);
    }
    ends
}

/// Bytes behind such headers, as that of UDP has it.
pub fn payload_len(head: &[u8]) -> Option<u16> {
    let &[.., a, b, _, _] = head.last_chunk::<UDP_LEN>()?;
    u16::from_be_bytes([a, b]).checked_sub(u16::try_from(UDP_LEN).ok()?)
}

/// Whether an address can be one host's.
fn is_host(address: IpAddr) -> bool {
    match address {
        // 0/8 is "this network", 224/4 groups, 240/4 reserved with the broadcast address in it.
        IpAddr::V4(v4) => !matches!(v4.octets()[0], 0 | 224..),
        IpAddr::V6(v6) => !v6.is_multicast() && !v6.is_unspecified(),
    }
}

/// Steps over the MAC addresses and VLAN tags: offset of the IP header, and its EtherType.
fn link(frame: &[u8]) -> Result<(usize, EtherType), Discard> {
    let mut at = MACS_LEN;
    for _ in 0..=VLAN_MAX {
        let field = frame.get(at..at + 2).ok_or(Discard::ShortFrame)?;
        match EtherType(u16::from_be_bytes([field[0], field[1]])) {
            EtherType::VLAN_TAGGED_FRAME | EtherType::PROVIDER_BRIDGING => at += VLAN_LEN,
            ethertype => return Ok((at + 2, ethertype)),
        }
    }
    Err(Discard::NotIp)
}

/// Header length, total length and source of an unfragmented IPv4 packet with UDP in it.
fn ipv4(packet: &[u8]) -> Result<(usize, usize, IpAddr), Discard> {
    let header: &[u8; IPV4_LEN_MIN] = packet.first_chunk().ok_or(Discard::ShortFrame)?;
    // RFC 791 §3.1: the header length counts 32-bit words, at least five of them.
    let header_len = usize::from(header[0] & 0x0f) * 4;
    let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[0] >> 4 != 4 || header_len < IPV4_LEN_MIN || total_len > packet.len() {
        return Err(Discard::BadIpHeader);
    }
    // More fragments, or an offset.
    if u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0 {
        return Err(Discard::Fragment);
    }
    if IpNumber(header[9]) != IpNumber::UDP {
        return Err(Discard::NotUdp);
    }
    let source = Ipv4Addr::new(header[12], header[13], header[14], header[15]);
    Ok((header_len, total_len, IpAddr::V4(source)))
}

/// Header length, total length and source of an IPv6 packet with UDP directly behind its header.
fn ipv6(packet: &[u8]) -> Result<(usize, usize, IpAddr), Discard> {
    let header: &[u8; IPV6_LEN] = packet.first_chunk().ok_or(Discard::ShortFrame)?;
    let total_len = IPV6_LEN + usize::from(u16::from_be_bytes([header[4], header[5]]));
    if header[0] >> 4 != 6 || total_len > packet.len() {
        return Err(Discard::BadIpHeader);
    }
    if IpNumber(header[6]) != IpNumber::UDP {
        return Err(Discard::NotUdp);
    }
    let source: [u8; 16] = header[8..24].try_into().map_err(|_| Discard::ShortFrame)?;
    Ok((IPV6_LEN, total_len, IpAddr::V6(Ipv6Addr::from(source))))
}

/// Turns the headers round for a reply of `message_len` bytes; returns the frame's new length.
///
/// `frame` and `envelope` are as `open` saw them, the reply has replaced the query. `sum` is the
/// reply's, where it is known.
#[inline(always)]
pub fn seal(frame: &mut [u8], envelope: &Envelope, message_len: usize, sum: Option<Sum>) -> usize {
    if let Some(sum) = sum
        && usual::is_usual(envelope)
        && let Some(head) = frame.first_chunk_mut()
    {
        return usual::seal(head, message_len, sum);
    }
    if let Some(sum) = sum
        && usual_ipv6::is_usual(envelope)
        && let Some(head) = frame.first_chunk_mut()
    {
        return usual_ipv6::seal(head, message_len, sum);
    }
    seal_any(frame, envelope, message_len)
}

/// RFC 768: a checksum of zero is sent as ones; zero would mean that there is none.
fn nonzero(checksum: u16) -> u16 {
    match checksum {
        0 => 0xffff,
        sum => sum,
    }
}

/// Turns the headers of any frame round.
#[inline(never)]
fn seal_any(frame: &mut [u8], envelope: &Envelope, message_len: usize) -> usize {
    let message_start = usize::from(envelope.message_start);
    let frame_len = message_start + message_len;
    let udp_start = message_start - UDP_LEN;
    let frame = &mut frame[..frame_len];
    swap(frame, 0, 6, 6);

    let udp_len = length(UDP_LEN + message_len);
    let ip_start = usize::from(envelope.network_start);
    let addresses = match envelope.is_ipv6 {
        false => turn_ipv4(frame, ip_start, udp_start),
        true => turn_ipv6(frame, ip_start, udp_len),
    };
    if let Some(udp) = frame[udp_start..].first_chunk_mut::<UDP_LEN>() {
        let [a, b, c, d, ..] = *udp;
        let [len_high, len_low] = udp_len.to_be_bytes();
        *udp = [c, d, a, b, len_high, len_low, 0, 0];
    }
    let sum = addresses
        .word(u16::from(IpNumber::UDP.0))
        .word(udp_len)
        .bytes(&frame[udp_start..]);
    put(frame, udp_start + 6, nonzero(sum.finish()));
    frame_len
}

/// Turns an IPv4 header round; returns the sum of its addresses.
///
/// The header is put together in registers: it is summed at once, and what was just written in
/// small pieces would be waited for when it is read in large ones.
fn turn_ipv4(frame: &mut [u8], start: usize, udp_start: usize) -> Sum {
    let total_len = length(frame.len() - start);
    // A reply must not repeat the query's source route or timestamps: no-operation options.
    let options = &mut frame[start + IPV4_LEN_MIN..udp_start];
    options.fill(1);
    let options = Sum::default().bytes(options);
    let Some(header) = frame[start..].first_chunk_mut::<IPV4_LEN_MIN>() else {
        return Sum::default();
    };
    let [
        version,
        service,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        protocol,
        _,
        _,
        addresses @ ..,
    ] = *header;
    let [a, b, c, d, e, f, g, h] = addresses;
    let (client, server) = ([a, b, c, d], [e, f, g, h]);
    let [len_high, len_low] = total_len.to_be_bytes();
    // RFC 6864: an atomic datagram (don't fragment, no fragment) needs no identification.
    let front = [version, service, len_high, len_low, 0, 0, 0x40, 0];
    let back = [HOP_LIMIT, protocol, 0, 0, e, f, g, h];
    let [client_sum, server_sum] = [client, server].map(|it| Sum::default().quad(it));
    let sum = options.octet(front).octet(back).plus(client_sum);
    let [check_high, check_low] = sum.finish().to_be_bytes();
    let back = [HOP_LIMIT, protocol, check_high, check_low, e, f, g, h];
    header[..8].copy_from_slice(&front);
    header[8..16].copy_from_slice(&back);
    header[16..].copy_from_slice(&client);
    client_sum.plus(server_sum)
}

/// Turns an IPv6 header round; returns the sum of its addresses.
fn turn_ipv6(frame: &mut [u8], start: usize, udp_len: u16) -> Sum {
    // Before they change places: the sum is the same, and they were written long ago.
    let sum = Sum::default().bytes(&frame[start + 8..start + 40]);
    swap(frame, start + 8, start + 24, 16);
    put(frame, start + 4, udp_len);
    frame[start + 7] = HOP_LIMIT;
    sum
}

/// Swaps `len` bytes at `a` with those at `b`.
fn swap(frame: &mut [u8], a: usize, b: usize, len: usize) {
    let (front, back) = frame.split_at_mut(b);
    front[a..a + len].swap_with_slice(&mut back[..len]);
}

/// Writes a word in network order.
fn put(frame: &mut [u8], at: usize, value: u16) {
    frame[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

/// A length field; no frame is longer than its type can say.
fn length(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYLOAD: &[u8] = b"0123456789ab";

    /// MACs, `tags`, `ip` and a UDP datagram from port 4660 to 53.
    fn frame(tags: &[u8], ip: &[u8]) -> Vec<u8> {
        let udp = b"\x12\x34\x00\x35\x00\x14\x00\x00";
        [b"DDDDDDSSSSSS", tags, ip, udp, PAYLOAD].concat()
    }

    fn ipv4(options: &[u8]) -> Vec<u8> {
        let header_len = 20 + options.len();
        let mut ip = vec![0x40 | u8::try_from(header_len / 4).unwrap(), 0, 0, 0];
        ip[3] = u8::try_from(header_len + 20).unwrap();
        ip.extend(b"\xab\xcd\0\0\x07\x11\0\0\x0a\0\0\x02\x0a\0\0\x01");
        ip.extend(options);
        ip
    }

    fn ipv6() -> Vec<u8> {
        let mut ip = b"\x60\0\0\0\0\x14\x11\x07".to_vec();
        ip.extend(Ipv6Addr::new(0xfd53, 0, 0, 0, 0, 0, 0, 2).octets());
        ip.extend(Ipv6Addr::new(0xfd53, 0, 0, 0, 0, 0, 0, 1).octets());
        ip
    }

    fn samples() -> Vec<(Vec<u8>, usize)> {
        let (four, six) = (b"\x08\x00", b"\x86\xdd");
        let q = b"\x81\x00\x00\x05";
        let qinq = b"\x88\xa8\x00\x07\x81\x00\x00\x05";
        vec![
            (frame(&[], &[four.as_slice(), &ipv4(b"")].concat()), 42),
            (
                frame(&[], &[four.as_slice(), &ipv4(b"\x94\x04\0\0")].concat()),
                46,
            ),
            (
                frame(&[], &[four.as_slice(), &ipv4(&[0x45; 40])].concat()),
                82,
            ),
            (frame(q, &[four.as_slice(), &ipv4(b"")].concat()), 46),
            (frame(qinq, &[four.as_slice(), &ipv4(b"")].concat()), 50),
            (frame(&[], &[six.as_slice(), &ipv6()].concat()), 62),
            (frame(qinq, &[six.as_slice(), &ipv6()].concat()), 70),
        ]
    }

    #[test]
    fn finds_the_message_behind_every_kind_of_header() {
        for (mut frame, start) in samples() {
            frame.extend([0; 9]); // the link's padding is not message
            let envelope = open(&frame).unwrap();
            assert_eq!(&frame[envelope.message()], PAYLOAD);
            assert_eq!(usize::from(envelope.message_start), start);
        }
    }

    #[test]
    fn a_sealed_frame_goes_back_the_way_it_came_with_right_checksums() {
        let summed = samples().into_iter().map(|sample| (sample, true));
        let unsummed = samples().into_iter().map(|sample| (sample, false));
        for ((query, _), is_summed) in summed.chain(unsummed) {
            let envelope = open(&query).unwrap();
            let mut reply = query.clone();
            reply.resize(2000, 0);
            let message = &reply[usize::from(envelope.message_start)..][..33];
            let sum = is_summed.then(|| Sum::default().bytes(message));
            let frame_len = seal(&mut reply, &envelope, 33, sum);
            reply.truncate(frame_len);
            assert_eq!(
                (&reply[..6], &reply[6..12]),
                (b"SSSSSS".as_slice(), b"DDDDDD".as_slice())
            );
            let back = open(&reply).unwrap();
            assert_eq!(back.message_len, 33);
            let client: Vec<u8> = match client(&query, &envelope) {
                IpAddr::V4(address) => address.octets().into(),
                IpAddr::V6(address) => address.octets().into(),
            };
            assert_eq!(client.last(), Some(&2));
            let sliced = etherparse::SlicedPacket::from_ethernet(&reply).unwrap();
            let Some(etherparse::TransportSlice::Udp(udp)) = sliced.transport else {
                panic!("the reply is not UDP");
            };
            assert_eq!((udp.source_port(), udp.destination_port()), (53, 0x1234));
            let expected = match sliced.net.unwrap() {
                etherparse::NetSlice::Ipv4(ip) => {
                    let header = ip.header().to_header();
                    // The queries had another.
                    assert_eq!(header.time_to_live, 64);
                    assert_eq!(header.header_checksum, header.calc_header_checksum());
                    assert_eq!(
                        (header.source, header.destination),
                        ([10, 0, 0, 1], [10, 0, 0, 2])
                    );
                    assert!(header.options.iter().all(|&option| option == 1));
                    udp.to_header()
                        .calc_checksum_ipv4(&header, udp.payload())
                        .unwrap()
                }
                etherparse::NetSlice::Ipv6(ip) => {
                    let header = ip.header().to_header();
                    assert_eq!(header.hop_limit, 64);
                    assert_eq!((header.source[15], header.destination[15]), (1, 2));
                    udp.to_header()
                        .calc_checksum_ipv6(&header, udp.payload())
                        .unwrap()
                }
                other => panic!("unexpected {other:?}"),
            };
            assert_eq!(udp.checksum(), expected);
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_frame() {
        let edit = |at: usize, value: u8| {
            let mut frame = samples().remove(0).0;
            frame[at] = value;
            open(&frame)
        };
        assert_eq!(edit(12, 9), Err(Discard::NotIp));
        assert_eq!(edit(14, 0x65), Err(Discard::BadIpHeader));
        assert_eq!(edit(14, 0x44), Err(Discard::BadIpHeader));
        assert_eq!(edit(17, 41), Err(Discard::BadIpHeader));
        assert_eq!(edit(17, 19), Err(Discard::BadIpHeader));
        assert_eq!(edit(20, 0x20), Err(Discard::Fragment));
        assert_eq!(edit(21, 1), Err(Discard::Fragment));
        assert_eq!(edit(23, 6), Err(Discard::NotUdp));
        assert_eq!(edit(39, 19), Err(Discard::UdpLength));
        assert_eq!(edit(39, 21), Err(Discard::UdpLength));
        for first_byte in [0, 224, 255] {
            assert_eq!(edit(26, first_byte), Err(Discard::NoReturn));
        }
        let mut portless = samples().remove(0).0;
        portless[34..36].fill(0);
        assert_eq!(open(&portless), Err(Discard::NoReturn));
    }

    #[test]
    fn the_short_ways_see_what_the_long_one_sees() {
        for (frame, start) in samples() {
            for at in 0..start {
                for value in 0..=255 {
                    let mut frame = frame.clone();
                    frame[at] = value;
                    assert_eq!(
                        open(&frame),
                        open_any(&frame),
                        "{value} at {at}: {frame:x?}"
                    );
                }
            }
        }
        let mut nobody = frame(&[], &[b"\x86\xdd".as_slice(), &ipv6()].concat());
        nobody[22..38].fill(0);
        assert_eq!(open(&nobody), Err(Discard::NoReturn));
    }

    #[test]
    fn a_frame_cut_anywhere_is_refused() {
        for (frame, _) in samples() {
            for len in 0..frame.len() {
                assert!(open(&frame[..len]).is_err(), "cut at {len}");
            }
        }
    }
}

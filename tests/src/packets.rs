//! Frames built by value: say what is special about a packet, then ask for its bytes.
//!
//! ```
//! use tests::packets::{Packet, query};
//! let client = "198.51.100.7:40000".parse().unwrap();
//! let server = "192.0.2.1:53".parse().unwrap();
//! let frame = Packet::udp(client, server, &query(7, "example.com", 1)).vlan(42).frame();
//! ```

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

/// Protocol number of UDP.
pub const UDP: u8 = 17;
/// Protocol number of TCP.
pub const TCP: u8 = 6;
/// IPv6 extension header: hop-by-hop options.
pub const HOP_BY_HOP: u8 = 0;
/// IPv6 extension header: routing.
pub const ROUTING: u8 = 43;
/// IPv6 extension header: destination options.
pub const DESTINATION_OPTIONS: u8 = 60;

/// MAC address of the host under test, unless a packet says otherwise.
pub const SERVER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// MAC address of the sender.
pub const CLIENT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// Bytes of an Ethernet frame below which it is padded, the checksum not counted.
const FRAME_LEN_MIN: usize = 60;

/// An IP packet in an Ethernet frame, with correct lengths and checksums.
#[derive(Clone, Debug)]
pub struct Packet {
    mac: [u8; 6],
    /// (EtherType, VLAN) from the outermost tag inwards.
    tags: Vec<(u16, u16)>,
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    options: Vec<u8>,
    /// (header type, body) in order.
    extensions: Vec<(u8, Vec<u8>)>,
    fragment: Option<Range<usize>>,
    /// What follows the IP headers: the whole of it, also where only a fragment is sent.
    payload: Vec<u8>,
}

impl Packet {
    /// A UDP datagram.
    ///
    /// # Panics
    /// Where the addresses are of different families.
    pub fn udp(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Self {
        let length = length(8 + payload.len());
        let mut datagram = Vec::from(source.port().to_be_bytes());
        datagram.extend(destination.port().to_be_bytes());
        datagram.extend(length.to_be_bytes());
        datagram.extend([0, 0]);
        datagram.extend(payload);
        let mut sum = pseudo_header(source.ip(), destination.ip(), UDP, length);
        sum.extend(&datagram);
        // RFC 768: a sum of zero is sent as ones; zero would say that there is no checksum.
        let checksum = match checksum(&sum) {
            0 => 0xffff,
            checksum => checksum,
        };
        datagram[6..8].copy_from_slice(&checksum.to_be_bytes());
        Self::ip(UDP, source.ip(), destination.ip(), &datagram)
    }

    /// The first segment of a TCP connection.
    ///
    /// # Panics
    /// Where the addresses are of different families.
    pub fn tcp_syn(source: SocketAddr, destination: SocketAddr) -> Self {
        let mut segment = Vec::from(source.port().to_be_bytes());
        segment.extend(destination.port().to_be_bytes());
        // Sequence and acknowledgement numbers; header of five words; SYN; window; urgent pointer.
        segment.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]);
        let mut sum = pseudo_header(source.ip(), destination.ip(), TCP, length(segment.len()));
        sum.extend(&segment);
        segment[16..18].copy_from_slice(&checksum(&sum).to_be_bytes());
        Self::ip(TCP, source.ip(), destination.ip(), &segment)
    }

    /// An IP packet with this payload.
    ///
    /// # Panics
    /// Where the addresses are of different families.
    pub fn ip(protocol: u8, source: IpAddr, destination: IpAddr, payload: &[u8]) -> Self {
        assert_eq!(
            source.is_ipv4(),
            destination.is_ipv4(),
            "one address family for both ends"
        );
        Self {
            mac: SERVER_MAC,
            tags: Vec::new(),
            source,
            destination,
            protocol,
            options: Vec::new(),
            extensions: Vec::new(),
            fragment: None,
            payload: payload.to_vec(),
        }
    }

    /// Sends the frame to another MAC address than [`SERVER_MAC`].
    pub fn to_mac(mut self, mac: [u8; 6]) -> Self {
        self.mac = mac;
        self
    }

    /// Puts an 802.1Q tag around what there is.
    pub fn vlan(self, id: u16) -> Self {
        self.tag(0x8100, id)
    }

    /// Puts an 802.1ad service tag around what there is: `vlan(2).service_vlan(3)` is QinQ.
    pub fn service_vlan(self, id: u16) -> Self {
        self.tag(0x88a8, id)
    }

    /// Puts a tag of any EtherType around what there is.
    pub fn tag(mut self, ethertype: u16, id: u16) -> Self {
        self.tags.insert(0, (ethertype, id));
        self
    }

    /// Adds IPv4 options, filled up with "end of options" to a multiple of four.
    ///
    /// # Panics
    /// Where the packet is IPv6 or the options exceed 40 bytes.
    pub fn ipv4_options(mut self, options: &[u8]) -> Self {
        assert!(
            self.source.is_ipv4() && options.len() <= 40,
            "40 bytes of options in IPv4 only"
        );
        self.options = options.to_vec();
        self.options.resize(options.len().next_multiple_of(4), 0);
        self
    }

    /// Adds an IPv6 extension header behind those there are. `body` follows its first two bytes
    /// (next header, length) and is filled up to a multiple of eight.
    ///
    /// # Panics
    /// Where the packet is IPv4.
    pub fn extension(mut self, header: u8, body: &[u8]) -> Self {
        assert!(self.source.is_ipv6(), "extension headers in IPv6 only");
        let mut body = body.to_vec();
        body.resize((body.len() + 2).next_multiple_of(8) - 2, 0);
        self.extensions.push((header, body));
        self
    }

    /// Sends only these bytes of the IP payload, as a fragment.
    ///
    /// # Panics
    /// Where the range leaves the payload, or does not start at a multiple of eight.
    pub fn fragment(mut self, range: Range<usize>) -> Self {
        assert!(
            range.start.is_multiple_of(8) && range.end <= self.payload.len(),
            "no such fragment"
        );
        self.fragment = Some(range);
        self
    }

    /// Offset of the IP header in the frame.
    pub fn network_offset(&self) -> usize {
        14 + 4 * self.tags.len()
    }

    /// The frame's bytes, padded as the link does.
    pub fn frame(&self) -> Vec<u8> {
        let mut frame = [self.mac, CLIENT_MAC].concat();
        for (ethertype, id) in &self.tags {
            frame.extend(ethertype.to_be_bytes());
            frame.extend(id.to_be_bytes());
        }
        frame.extend(if self.source.is_ipv4() {
            [0x08, 0x00]
        } else {
            [0x86, 0xdd]
        });
        frame.extend(self.packet());
        frame.resize(frame.len().max(FRAME_LEN_MIN), 0);
        frame
    }

    /// The IP packet's bytes.
    pub fn packet(&self) -> Vec<u8> {
        let payload = match &self.fragment {
            Some(range) => &self.payload[range.clone()],
            None => &self.payload,
        };
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                self.ipv4(source.octets(), destination.octets(), payload)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                self.ipv6(source.octets(), destination.octets(), payload)
            }
            _ => unreachable!("`ip` asserted one family"),
        }
    }

    /// RFC 791 §3.1.
    fn ipv4(&self, source: [u8; 4], destination: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let header_len = 20 + self.options.len();
        let words = u8::try_from(header_len / 4).expect("15 words at most");
        let mut packet = vec![0x40 | words, 0];
        packet.extend(length(header_len + payload.len()).to_be_bytes());
        packet.extend([0x12, 0x34]);
        // "Don't fragment" where nothing is.
        packet.extend(self.fragment_field(0x2000).unwrap_or(0x4000).to_be_bytes());
        packet.extend([64, self.protocol, 0, 0]);
        packet.extend(source);
        packet.extend(destination);
        packet.extend(&self.options);
        let checksum = checksum(&packet);
        packet[10..12].copy_from_slice(&checksum.to_be_bytes());
        packet.extend(payload);
        packet
    }

    /// RFC 8200 §3 and §4.
    fn ipv6(&self, source: [u8; 16], destination: [u8; 16], payload: &[u8]) -> Vec<u8> {
        let mut headers = self.extensions.clone();
        if let Some(field) = self.fragment_field(0x0001) {
            let [high, low] = field.to_be_bytes();
            headers.push((44, vec![high, low, 0, 0, 0x12, 0x34]));
        }
        let types = headers
            .iter()
            .map(|(header, _)| *header)
            .chain([self.protocol]);
        let types: Vec<u8> = types.collect();
        let mut body = Vec::new();
        for ((header, bytes), next) in headers.iter().zip(&types[1..]) {
            // The fragment header has no length; its second byte is reserved.
            let units = if *header == 44 {
                0
            } else {
                (bytes.len() + 2) / 8 - 1
            };
            body.extend([*next, u8::try_from(units).expect("2,048 bytes at most")]);
            body.extend(bytes);
        }
        body.extend(payload);
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend(length(body.len()).to_be_bytes());
        packet.extend([types[0], 64]);
        packet.extend(source);
        packet.extend(destination);
        packet.extend(body);
        packet
    }

    /// Offset and `more`, as they lie in either family's field.
    fn fragment_field(&self, more: u16) -> Option<u16> {
        let range = self.fragment.as_ref()?;
        // IPv4 counts in units of eight; IPv6 has three more bits below, which are zero.
        let unit = if self.source.is_ipv4() { 8 } else { 1 };
        let offset = length(range.start / unit);
        Some(if range.end < self.payload.len() {
            offset | more
        } else {
            offset
        })
    }
}

/// An ARP request, broadcast.
pub fn arp() -> Vec<u8> {
    let mut frame = [[0xff; 6], CLIENT_MAC].concat();
    frame.extend([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1]);
    frame.resize(FRAME_LEN_MIN, 0);
    frame
}

/// A DNS query (RFC 1035 §4.1) of class IN, without EDNS.
///
/// # Panics
/// Where a label is empty or longer than 63 bytes. The root is `"."`.
pub fn query(id: u16, name: &str, qtype: u16) -> Vec<u8> {
    let mut message = Vec::from(id.to_be_bytes());
    message.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let name = name.strip_suffix('.').unwrap_or(name);
    for label in name.split('.').filter(|_| !name.is_empty()) {
        let label_len = u8::try_from(label.len())
            .ok()
            .filter(|len| (1..=63).contains(len));
        message.push(label_len.expect("a label has 1 to 63 bytes"));
        message.extend(label.bytes());
    }
    message.push(0);
    message.extend(qtype.to_be_bytes());
    message.extend(1u16.to_be_bytes());
    message
}

/// The same query with an OPT record (RFC 6891 §6.1) of this UDP payload size.
pub fn query_with_edns(id: u16, name: &str, qtype: u16, payload_size: u16) -> Vec<u8> {
    let mut message = query(id, name, qtype);
    message[11] = 1;
    message.extend([0, 0, 41]);
    message.extend(payload_size.to_be_bytes());
    message.extend([0, 0, 0, 0, 0, 0]);
    message
}

/// What the transport checksum covers besides the segment (RFC 768, RFC 8200 §8.1).
fn pseudo_header(source: IpAddr, destination: IpAddr, protocol: u8, length: u16) -> Vec<u8> {
    let octets = |address| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let mut bytes = [octets(source), octets(destination)].concat();
    bytes.extend([0, protocol]);
    bytes.extend(length.to_be_bytes());
    bytes
}

/// The Internet checksum (RFC 1071), by the book.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
    let mut sum: u32 = words.map(u32::from).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded")
}

/// A length as the headers have it.
fn length(bytes: usize) -> u16 {
    u16::try_from(bytes).expect("an IP packet has at most 65,535 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::{NetSlice, SlicedPacket, TransportSlice};

    const V4: [&str; 2] = ["198.51.100.7:40000", "192.0.2.1:53"];
    const V6: [&str; 2] = ["[2001:db8::7]:40000", "[2001:db8::1]:53"];

    #[test]
    fn etherparse_finds_every_length_and_checksum_right() {
        for ends in [V4, V6] {
            // Odd and even lengths, with and without padding.
            for payload_len in [0, 1, 17, 300] {
                let packet = udp(ends, payload_len).vlan(2).service_vlan(3);
                let packet = if ends == V4 {
                    packet.ipv4_options(&[1, 1, 7])
                } else {
                    packet
                };
                let frame = packet.frame();
                assert!(frame.len() >= 60);
                check_udp(&frame, payload_len);
            }
        }
    }

    #[test]
    fn etherparse_walks_the_extension_headers() {
        let packet = udp(V6, 40).extension(HOP_BY_HOP, &[1, 4, 0, 0, 0, 0]);
        check_udp(&packet.extension(DESTINATION_OPTIONS, &[0; 9]).frame(), 40);
    }

    #[test]
    fn fragments_are_seen_as_such_and_add_up() {
        for ends in [V4, V6] {
            let whole = udp(ends, 92);
            let mut payload: Vec<u8> = Vec::new();
            for range in [0..48, 48..96, 96..100] {
                let packet = whole.clone().fragment(range.clone()).packet();
                let sliced = SlicedPacket::from_ip(&packet).unwrap();
                let ip = sliced
                    .net
                    .as_ref()
                    .unwrap()
                    .ip_payload_ref()
                    .unwrap()
                    .clone();
                assert!(ip.fragmented, "{range:?}");
                payload.extend(ip.payload);
            }
            assert_eq!(payload, whole.payload);
        }
    }

    #[test]
    fn the_segment_of_tcp_has_the_right_checksum() {
        for ends in [V4, V6] {
            let [source, destination] = ends.map(|end| end.parse().unwrap());
            let frame = Packet::tcp_syn(source, destination).frame();
            let sliced = SlicedPacket::from_ethernet(&frame).unwrap();
            let Some(TransportSlice::Tcp(tcp)) = sliced.transport else {
                panic!("no TCP")
            };
            let expected = match sliced.net.unwrap() {
                NetSlice::Ipv4(ip) => {
                    let ip = ip.header();
                    tcp.calc_checksum_ipv4(ip.source(), ip.destination())
                        .unwrap()
                }
                NetSlice::Ipv6(ip) => {
                    let ip = ip.header();
                    tcp.calc_checksum_ipv6(ip.source(), ip.destination())
                        .unwrap()
                }
                NetSlice::Arp(_) => panic!("ARP"),
            };
            assert_eq!(tcp.checksum(), expected);
            assert!(tcp.syn() && !tcp.ack());
        }
    }

    fn udp(ends: [&str; 2], payload_len: usize) -> Packet {
        let [source, destination] = ends.map(|end| end.parse().unwrap());
        Packet::udp(source, destination, &vec![0xa5; payload_len])
    }

    fn check_udp(frame: &[u8], payload_len: usize) {
        let sliced = SlicedPacket::from_ethernet(frame).unwrap();
        let Some(TransportSlice::Udp(udp)) = sliced.transport else {
            panic!("no UDP")
        };
        assert_eq!(udp.payload().len(), payload_len);
        let header = udp.to_header();
        let expected = match sliced.net.unwrap() {
            NetSlice::Ipv4(ip) => {
                let ip = ip.header().to_header();
                assert_eq!(ip.header_checksum, ip.calc_header_checksum());
                header.calc_checksum_ipv4(&ip, udp.payload()).unwrap()
            }
            NetSlice::Ipv6(ip) => header
                .calc_checksum_ipv6(&ip.header().to_header(), udp.payload())
                .unwrap(),
            NetSlice::Arp(_) => panic!("ARP"),
        };
        assert_eq!(udp.checksum(), expected);
    }
}

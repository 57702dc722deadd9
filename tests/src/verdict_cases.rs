//! What the kernel program must say to which frame: one table for the host and for the kernel.

use crate::packets::{
    DESTINATION_OPTIONS, HOP_BY_HOP, Packet, ROUTING, UDP, arp, query, query_with_edns,
};
use common::Verdict;
use std::net::{IpAddr, SocketAddr};

/// The endpoints that are ours in every case.
pub const ENDPOINTS: [&str; 4] = [
    "192.0.2.1:53",
    "192.0.2.2:5353",
    "[2001:db8::1]:53",
    "[2001:db8::2]:5353",
];

/// A frame and what it deserves.
pub struct Case {
    /// What is special about the frame.
    pub name: &'static str,
    /// The frame.
    pub frame: Vec<u8>,
    /// The verdict where the receive queue has a socket.
    pub verdict: Verdict,
}

/// [`ENDPOINTS`], parsed.
pub fn endpoints() -> Vec<SocketAddr> {
    ENDPOINTS.iter().map(|text| address(text)).collect()
}

/// The whole table; every verdict of `classify` is in it.
pub fn cases() -> Vec<Case> {
    let tables = [
        redirects(),
        links(),
        ipv4(),
        ipv6(),
        endpoints_of_others(),
        udp_lengths(),
    ];
    tables.into_iter().flatten().collect()
}

/// What is ours.
#[rustfmt::skip] // One case, one line.
fn redirects() -> Vec<Case> {
    use Verdict::Redirect;
    vec![
        case("an IPv4 query", v4(), Redirect),
        case("an IPv6 query", v6(), Redirect),
        case("an IPv4 query with EDNS", udp("192.0.2.1:53", &large_query()), Redirect),
        case("an IPv6 query with EDNS", udp("[2001:db8::1]:53", &large_query()), Redirect),
        case("another IPv4 endpoint", udp("192.0.2.2:5353", &payload()), Redirect),
        case("another IPv6 endpoint", udp("[2001:db8::2]:5353", &payload()), Redirect),
        case("an IPv4 datagram without payload", udp("192.0.2.1:53", &[]), Redirect),
        case("an IPv6 datagram without payload", udp("[2001:db8::1]:53", &[]), Redirect),
        case("an IPv4 datagram of 1,472 bytes", udp("192.0.2.1:53", &[0; 1472]), Redirect),
        case("an IPv6 datagram of 1,452 bytes", udp("[2001:db8::1]:53", &[0; 1452]), Redirect),
        case("IPv4 with one word of options", v4().ipv4_options(&[1, 1, 1]), Redirect),
        case("IPv4 with ten words of options", v4().ipv4_options(&[1; 40]), Redirect),
        case("IPv4 in a VLAN", v4().vlan(42), Redirect),
        case("IPv6 in a VLAN", v6().vlan(42), Redirect),
        case("IPv4 in a service VLAN", v4().service_vlan(42), Redirect),
        case("IPv4 in QinQ", v4().vlan(42).service_vlan(43), Redirect),
        case("IPv6 in QinQ", v6().vlan(42).service_vlan(43), Redirect),
        case("IPv4 in two customer VLANs", v4().vlan(42).vlan(43), Redirect),
        case("IPv4 options in QinQ", v4().ipv4_options(&[1; 40]).vlan(1).service_vlan(2), Redirect),
        patched("IPv4 that may be fragmented", v4(), 6, &[0x00], Redirect),
        patched("IPv4 with the reserved flag", v4(), 6, &[0x80], Redirect),
    ]
}

/// What the link layer decides.
#[rustfmt::skip] // One case, one line.
fn links() -> Vec<Case> {
    use Verdict::{GroupFrame, NotIp, Truncated, VlanDepth};
    vec![
        case("a broadcast frame", v4().to_mac([0xff; 6]), GroupFrame),
        case("an IPv4 multicast frame", v4().to_mac([1, 0, 0x5e, 0, 0, 1]), GroupFrame),
        case("an IPv6 multicast frame", v6().to_mac([0x33, 0x33, 0, 0, 0, 1]), GroupFrame),
        Case { name: "a broadcast ARP request", frame: arp(), verdict: GroupFrame },
        case("three VLAN tags", v4().vlan(1).vlan(2).service_vlan(3), VlanDepth),
        case("a tag older than 802.1ad", v4().tag(0x9100, 1), NotIp),
        case("an old tag within a VLAN", v4().tag(0x9100, 1).vlan(2), NotIp),
        case("MPLS", v4().tag(0x8847, 1), NotIp),
        cut("Ethernet and half an IPv4 header", v4(), 24, Truncated),
        cut("Ethernet and half an IPv6 header", v6(), 40, Truncated),
        cut("a VLAN tag cut off", v4().vlan(1), 16, Truncated),
        cut("a second VLAN tag cut off", v4().vlan(1).vlan(2), 20, Truncated),
        cut("half an Ethernet header", v4(), 13, Truncated),
        cut("an empty frame", v4(), 0, Truncated),
    ]
}

/// What the IPv4 header decides.
#[rustfmt::skip] // One case, one line.
fn ipv4() -> Vec<Case> {
    use Verdict::{Fragment, GroupAddress, MalformedIp, NotUdp, Truncated};
    let large = || udp("192.0.2.1:53", &[7; 1000]);
    let tcp = Packet::tcp_syn(client("192.0.2.1:53"), address("192.0.2.1:53"));
    vec![
        case("TCP over IPv4", tcp, NotUdp),
        case("ICMP", Packet::ip(1, ip("198.51.100.7"), ip("192.0.2.1"), &[8, 0, 0, 0]), NotUdp),
        case("the first IPv4 fragment", large().fragment(0..400), Fragment),
        case("a middle IPv4 fragment", large().fragment(400..800), Fragment),
        case("the last IPv4 fragment", large().fragment(800..1008), Fragment),
        case("limited broadcast", udp("255.255.255.255:53", &payload()), GroupAddress),
        case("the lowest IPv4 multicast", udp("224.0.0.0:53", &payload()), GroupAddress),
        case("multicast DNS over IPv4", udp("224.0.0.251:5353", &payload()), GroupAddress),
        case("the highest IPv4 multicast", udp("239.255.255.255:53", &payload()), GroupAddress),
        patched("IPv6 under the EtherType of IPv4", v4(), 0, &[0x65], MalformedIp),
        patched("an IPv4 header of four words", v4(), 0, &[0x44], MalformedIp),
        patched("an IPv4 packet shorter than its header", v4(), 2, &[0, 19], MalformedIp),
        patched("an IPv4 packet of no length", v4(), 2, &[0, 0], MalformedIp),
        patched("options that leave no packet", v4(), 0, &[0x4f, 0, 0, 59], MalformedIp),
        patched("an IPv4 packet longer than the frame", v4(), 2, &[0x05, 0xdc], Truncated),
        patched("an IPv4 packet of 65,535 bytes", v4(), 2, &[0xff, 0xff], Truncated),
        cut("an IPv4 packet cut off by one byte", v4(), 14 + 20 + 8 + 28, Truncated),
    ]
}

/// What the IPv6 header decides.
#[rustfmt::skip] // One case, one line.
fn ipv6() -> Vec<Case> {
    use Verdict::{ExtensionHeader, Fragment, GroupAddress, MalformedIp, NotUdp, Truncated};
    let large = || udp("[2001:db8::1]:53", &[7; 1000]);
    let tcp = Packet::tcp_syn(client("[2001:db8::1]:53"), address("[2001:db8::1]:53"));
    let icmp = Packet::ip(58, ip("2001:db8::7"), ip("2001:db8::1"), &[128, 0, 0, 0]);
    vec![
        case("TCP over IPv6", tcp, NotUdp),
        case("ICMPv6", icmp, NotUdp),
        case("hop-by-hop options", v6().extension(HOP_BY_HOP, &[]), ExtensionHeader),
        case("a routing header", v6().extension(ROUTING, &[4, 0]), ExtensionHeader),
        case("destination options", v6().extension(DESTINATION_OPTIONS, &[]), ExtensionHeader),
        case("the first IPv6 fragment", large().fragment(0..400), Fragment),
        case("a middle IPv6 fragment", large().fragment(400..800), Fragment),
        case("the last IPv6 fragment", large().fragment(800..1008), Fragment),
        case("an atomic fragment", large().fragment(0..1008), Fragment),
        case("all nodes", udp("[ff02::1]:53", &payload()), GroupAddress),
        case("multicast DNS over IPv6", udp("[ff02::fb]:5353", &payload()), GroupAddress),
        patched("IPv4 under the EtherType of IPv6", v6(), 0, &[0x45], MalformedIp),
        patched("an IPv6 packet longer than the frame", v6(), 4, &[0x05, 0xdc], Truncated),
        patched("an IPv6 packet of 65,575 bytes", v6(), 4, &[0xff, 0xff], Truncated),
        cut("an IPv6 packet cut off by one byte", v6(), 14 + 40 + 8 + 28, Truncated),
    ]
}

/// Datagrams that are somebody else's.
#[rustfmt::skip] // One case, one line.
fn endpoints_of_others() -> Vec<Case> {
    use Verdict::{OtherAddress, OtherPort};
    vec![
        case("another IPv4 address", udp("192.0.2.3:53", &payload()), OtherAddress),
        case("another IPv6 address", udp("[2001:db8::3]:53", &payload()), OtherAddress),
        case("our first half of an address", udp("[2001:db8::9:1]:53", &payload()), OtherAddress),
        case("our last half of an address", udp("[2001:db9::1]:53", &payload()), OtherAddress),
        case("another port over IPv4", udp("192.0.2.1:54", &payload()), OtherPort),
        case("another port over IPv6", udp("[2001:db8::1]:443", &payload()), OtherPort),
        case("the port of another endpoint, IPv4", udp("192.0.2.1:5353", &payload()), OtherPort),
        case("the port of another endpoint, IPv6", udp("[2001:db8::2]:53", &payload()), OtherPort),
        case("our port with its bytes swapped", udp("192.0.2.1:13568", &payload()), OtherPort),
    ]
}

/// Datagrams whose length is not the packet's.
#[rustfmt::skip] // One case, one line.
fn udp_lengths() -> Vec<Case> {
    use Verdict::UdpLength;
    let v4_bare = |len| Packet::ip(UDP, ip("198.51.100.7"), ip("192.0.2.1"), &[0; 8][..len]);
    let v6_bare = |len| Packet::ip(UDP, ip("2001:db8::7"), ip("2001:db8::1"), &[0; 8][..len]);
    let header = [0x9c, 0x40, 0, 53, 0, 0, 0, 0];
    let v6_no_udp_length = Packet::ip(UDP, ip("2001:db8::7"), ip("2001:db8::1"), &header);
    vec![
        patched("a UDP length above the packet's, IPv4", v4(), 24, &[0xff, 0xff], UdpLength),
        patched("a UDP length below the packet's, IPv4", v4(), 24, &[0, 9], UdpLength),
        patched("a UDP length of zero, IPv4", v4(), 24, &[0, 0], UdpLength),
        patched("a UDP length above the packet's, IPv6", v6(), 44, &[0xff, 0xff], UdpLength),
        patched("a UDP length below the packet's, IPv6", v6(), 44, &[0, 8], UdpLength),
        case("half a UDP header over IPv4", v4_bare(4), UdpLength),
        case("half a UDP header over IPv6", v6_bare(4), UdpLength),
        case("no UDP header over IPv4", v4_bare(0), UdpLength),
        patched("no length in IPv6, as in a jumbogram", v6(), 4, &[0, 0], UdpLength),
        patched("no length in IPv6 and in UDP", v6_no_udp_length, 4, &[0, 0], UdpLength),
    ]
}

/// A packet as it is.
fn case(name: &'static str, packet: Packet, verdict: Verdict) -> Case {
    Case {
        name,
        frame: packet.frame(),
        verdict,
    }
}

/// A packet with other bytes at `offset` from the IP header.
fn patched(
    name: &'static str,
    packet: Packet,
    offset: usize,
    bytes: &[u8],
    verdict: Verdict,
) -> Case {
    let mut frame = packet.frame();
    let start = packet.network_offset() + offset;
    frame[start..start + bytes.len()].copy_from_slice(bytes);
    Case {
        name,
        frame,
        verdict,
    }
}

/// The first `len` bytes of a packet's frame.
fn cut(name: &'static str, packet: Packet, len: usize, verdict: Verdict) -> Case {
    let mut frame = packet.frame();
    assert!(len < frame.len(), "{name}: nothing to cut");
    frame.truncate(len);
    Case {
        name,
        frame,
        verdict,
    }
}

/// A query over IPv4 to an endpoint of ours.
fn v4() -> Packet {
    udp(ENDPOINTS[0], &payload())
}

/// A query over IPv6 to an endpoint of ours.
fn v6() -> Packet {
    udp(ENDPOINTS[2], &payload())
}

/// A datagram from the client of the destination's family.
fn udp(destination: &str, payload: &[u8]) -> Packet {
    Packet::udp(client(destination), address(destination), payload)
}

/// The client of the destination's family.
fn client(destination: &str) -> SocketAddr {
    address(if address(destination).is_ipv4() {
        "198.51.100.7:40000"
    } else {
        "[2001:db8::7]:40000"
    })
}

fn payload() -> Vec<u8> {
    query(7, "example.com", 1)
}

fn large_query() -> Vec<u8> {
    query_with_edns(7, &["a".repeat(63).as_str(); 3].join("."), 28, 1232)
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address and a port")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

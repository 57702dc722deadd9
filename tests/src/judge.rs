//! A second opinion on `common::classify`, out of another parser.

use etherparse::{EtherType, IpNumber, LinkExtSlice, LinkSlice, NetSlice, SlicedPacket};
use etherparse::{TransportSlice, UdpSlice};
use std::net::{IpAddr, SocketAddr};

/// Tells whether etherparse finds in `frame` what is to be redirected: unfragmented UDP without
/// extension headers, under at most two VLAN tags, to one of the endpoints.
pub fn is_ours(frame: &[u8], endpoints: &[SocketAddr]) -> bool {
    destination(frame).is_some_and(|destination| {
        endpoints.iter().any(|endpoint| {
            endpoint.port() == destination.port()
                && endpoint.is_ipv4() == destination.is_ipv4()
                && (endpoint.ip() == destination.ip() || endpoint.ip().is_unspecified())
        })
    })
}

/// The destination of a datagram that could be redirected.
fn destination(frame: &[u8]) -> Option<SocketAddr> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let Some(LinkSlice::Ethernet2(ethernet)) = &packet.link else {
        return None;
    };
    let is_group_frame = ethernet.destination()[0] & 1 == 1;
    if is_group_frame || packet.link_exts.len() > 2 || !are_vlan_tags(&packet) {
        return None;
    }
    let Some(TransportSlice::Udp(udp)) = &packet.transport else {
        return None;
    };
    let address = ip_destination(packet.net.as_ref()?, udp)?;
    Some(SocketAddr::new(address, udp.destination_port()))
}

/// The address, where the IP packet has UDP in it and nothing else.
fn ip_destination(net: &NetSlice<'_>, udp: &UdpSlice<'_>) -> Option<IpAddr> {
    let (protocol, payload_len, fragmented, address) = match net {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            let address = header.destination_addr();
            let is_group = address.is_multicast() || address.is_broadcast();
            let address = (!is_group).then_some(address)?;
            let fragmented = ip.is_payload_fragmented();
            (
                header.protocol(),
                header.payload_len().ok()?,
                fragmented,
                IpAddr::from(address),
            )
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header();
            let address = header.destination_addr();
            let address = (!address.is_multicast()).then_some(address)?;
            (
                header.next_header(),
                header.payload_length(),
                false,
                IpAddr::from(address),
            )
        }
        NetSlice::Arp(_) => return None,
    };
    // etherparse lets the datagram be shorter than the packet, and takes 0 in either header for
    // "as it comes"; without a jumbo payload option it is a length too (RFC 2675 section 3).
    let is_datagram = protocol == IpNumber::UDP && payload_len != 0 && !fragmented;
    (is_datagram && udp.length() == payload_len).then_some(address)
}

/// Tells whether every tag is one of 802.1Q or 802.1ad; etherparse knows older and other ones too.
fn are_vlan_tags(packet: &SlicedPacket<'_>) -> bool {
    const TAGS: [EtherType; 2] = [EtherType::VLAN_TAGGED_FRAME, EtherType::PROVIDER_BRIDGING];
    let Some(LinkSlice::Ethernet2(ethernet)) = &packet.link else {
        return false;
    };
    let mut announced = ethernet.ether_type();
    packet.link_exts.iter().all(|extension| {
        let LinkExtSlice::Vlan(tag) = extension else {
            return false;
        };
        let is_known = TAGS.contains(&announced);
        announced = tag.ether_type();
        is_known
    })
}

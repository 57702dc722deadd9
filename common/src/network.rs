//! From the Ethernet header to the network header.

use core::net::IpAddr;

use crate::{Bytes, Verdict};

/// Where the network header starts, in bytes from the start of the frame.
pub(crate) enum Network {
    /// An IPv4 header.
    Ipv4(usize),
    /// An IPv6 header.
    Ipv6(usize),
}

/// Finds the network header behind the Ethernet header and at most two VLAN tags.
#[inline(always)]
pub(crate) fn network<B: Bytes + ?Sized>(frame: &B) -> Result<Network, Verdict> {
    let header: [u8; ETHERNET_LENGTH] = frame.read(0).ok_or(Verdict::Truncated)?;
    // IEEE 802.3 §3.2.3: the first bit on the wire marks a group address.
    if header[0] & 1 != 0 {
        return Err(Verdict::GroupFrame);
    }

    let mut ethertype = [header[12], header[13]];
    let mut offset = ETHERNET_LENGTH;
    for _ in 0..2 {
        if is_vlan(ethertype) {
            let tag: [u8; VLAN_TAG_LENGTH] = frame.read(offset).ok_or(Verdict::Truncated)?;
            ethertype = [tag[2], tag[3]];
            offset += VLAN_TAG_LENGTH;
        }
    }

    match ethertype {
        ETHERTYPE_IPV4 => Ok(Network::Ipv4(offset)),
        ETHERTYPE_IPV6 => Ok(Network::Ipv6(offset)),
        third if is_vlan(third) => Err(Verdict::VlanDepth),
        _ => Err(Verdict::NotIp),
    }
}

/// The frame's IP source, for logs: read even where the packet is malformed.
#[inline(always)]
pub fn source<B: Bytes + ?Sized>(frame: &B) -> Option<IpAddr> {
    match network(frame).ok()? {
        Network::Ipv4(offset) => frame.read::<4>(offset + 12).map(IpAddr::from),
        Network::Ipv6(offset) => frame.read::<16>(offset + 8).map(IpAddr::from),
    }
}

/// Tells whether a VLAN tag follows.
#[inline(always)]
fn is_vlan(ethertype: [u8; 2]) -> bool {
    matches!(ethertype, ETHERTYPE_VLAN | ETHERTYPE_SERVICE_VLAN)
}

const ETHERTYPE_IPV4: [u8; 2] = [0x08, 0x00];
const ETHERTYPE_IPV6: [u8; 2] = [0x86, 0xdd];
/// IEEE 802.1Q customer tag.
const ETHERTYPE_VLAN: [u8; 2] = [0x81, 0x00];
/// IEEE 802.1ad service tag, the outer one of QinQ.
const ETHERTYPE_SERVICE_VLAN: [u8; 2] = [0x88, 0xa8];
const ETHERNET_LENGTH: usize = 14;
const VLAN_TAG_LENGTH: usize = 4;

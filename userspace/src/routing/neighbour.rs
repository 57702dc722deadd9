//! A neighbour, as far as replies need it.

use super::{LinkIndex, Mac};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use std::net::IpAddr;

/// A neighbour whose Ethernet address is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Neighbour {
    /// The interface on whose link it is.
    pub(super) link: LinkIndex,
    /// Its address.
    pub(super) address: IpAddr,
    /// Its Ethernet address.
    pub(super) mac: Mac,
}

impl Neighbour {
    /// None: it is not known, or not on an Ethernet.
    pub(super) fn read(message: &NeighbourMessage) -> Option<Self> {
        let header = &message.header;
        // The kernel's NUD_VALID.
        let is_valid = matches!(
            header.state,
            NeighbourState::Permanent
                | NeighbourState::Noarp
                | NeighbourState::Reachable
                | NeighbourState::Probe
                | NeighbourState::Stale
                | NeighbourState::Delay
        );
        if !is_valid || header.flags.contains(NeighbourFlags::Proxy) {
            return None;
        }
        let address = message
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                NeighbourAttribute::Destination(NeighbourAddress::Inet(v4)) => {
                    Some(IpAddr::V4(*v4))
                }
                NeighbourAttribute::Destination(NeighbourAddress::Inet6(v6)) => {
                    Some(IpAddr::V6(*v6))
                }
                _ => None,
            });
        let mac = message
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                NeighbourAttribute::LinkLayerAddress(bytes) => bytes.as_slice().try_into().ok(),
                _ => None,
            });
        Some(Self {
            link: header.ifindex,
            address: address?,
            mac: mac?,
        })
    }
}

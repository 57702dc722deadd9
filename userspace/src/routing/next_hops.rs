//! The next hop of every reply of one interface, made for lookups.

use super::{LinkIndex, Mac};
use crate::geo::{Network, RegionTree};
use std::net::IpAddr;

/// Where a packet goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// To this neighbour of the interface.
    Neighbour {
        /// Its Ethernet address.
        mac: Mac,
        /// The VLAN in which it is one; none: frames have no tag.
        vlan: Option<u16>,
    },
    /// To a router whose Ethernet address is not known.
    Unresolved,
    /// To the client itself, whose Ethernet address on this link is not known.
    OnLink(LinkIndex),
    /// By another interface, or to this host.
    Elsewhere,
    /// Nowhere: there is no route, or one that says so.
    Nowhere,
}

/// The next hops of the packets that leave by one interface.
#[derive(Clone, Debug, Default)]
pub struct NextHops {
    /// In the order in which they are asked; of both families.
    policies: Vec<Policy>,
    /// What the regions of the tables stand for, but for [`NO_ROUTE`].
    hops: Vec<NextHop>,
}

/// The region of a table in which it has no route.
pub(super) const NO_ROUTE: u16 = 0;

/// A routing rule (ip-rule(8)).
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// Whether it is for IPv6.
    pub(super) is_ipv6: bool,
    /// Where packets must come from; none: from anywhere.
    pub(super) from: Option<Network>,
    /// Where they must go.
    pub(super) to: Option<Network>,
    /// The table to look in; none: they go nowhere.
    pub(super) table: Option<RegionTree>,
}

impl NextHops {
    /// Regions count from one in `hops`.
    pub(super) fn new(policies: Vec<Policy>, hops: Vec<NextHop>) -> Self {
        Self { policies, hops }
    }

    /// Where a packet from this host's address `from` to `to` goes next.
    pub fn find(&self, from: IpAddr, to: IpAddr) -> NextHop {
        for policy in &self.policies {
            let is_within = |network: &Option<Network>, address| {
                network
                    .as_ref()
                    .is_none_or(|network| network.contains(address))
            };
            let applies = policy.is_ipv6 == to.is_ipv6()
                && is_within(&policy.from, from)
                && is_within(&policy.to, to);
            if !applies {
                continue;
            }
            let Some(table) = &policy.table else {
                return NextHop::Nowhere;
            };
            let region = table.find(to).region;
            if region != NO_ROUTE {
                let hop = self.hops.get(usize::from(region) - 1);
                return hop.copied().unwrap_or(NextHop::Nowhere);
            }
        }
        NextHop::Nowhere
    }
}

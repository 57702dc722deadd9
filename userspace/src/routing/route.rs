//! A route, as far as replies need it.

use super::LinkIndex;
use crate::geo::Network;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteNextHop, RouteNextHopFlags,
    RouteType, RouteVia,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A route of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// The destinations.
    pub(super) network: Network,
    /// The table that it is in.
    pub(super) table: u32,
    /// Of several to the same network, the lowest counts.
    pub(super) metric: u32,
    /// What becomes of packets.
    pub(super) way: Way,
}

/// What a route does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Sends by one of these that are up.
    Hops(Vec<Hop>),
    /// Keeps: they are for this host.
    Local,
    /// Drops.
    Nowhere,
    /// Leaves them to the next rule.
    Throw,
}

/// One of the next hops of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    /// The interface.
    pub(super) link: LinkIndex,
    /// The router; none: the destination itself is on the link.
    pub(super) gateway: Option<IpAddr>,
}

impl Route {
    /// Of those for unicast packets whatever their source and type of service; none: another one.
    pub(super) fn read(message: &RouteMessage) -> Option<Self> {
        let header = &message.header;
        let unspecified: IpAddr = match header.address_family {
            AddressFamily::Inet => Ipv4Addr::UNSPECIFIED.into(),
            AddressFamily::Inet6 => Ipv6Addr::UNSPECIFIED.into(),
            _ => return None,
        };
        let is_general = header.source_prefix_length == 0 && header.tos == 0;
        if !is_general || header.flags.contains(RouteFlags::Cloned) {
            return None;
        }
        let mut route = Self {
            network: Network::of(unspecified, header.destination_prefix_length)?,
            table: header.table.into(),
            metric: 0,
            way: match header.kind {
                RouteType::Unicast => Way::Hops(Vec::new()),
                RouteType::Local | RouteType::Anycast => Way::Local,
                RouteType::Throw => Way::Throw,
                _ => Way::Nowhere,
            },
        };
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Destination(address) => {
                    let address = ip(address)?;
                    route.network = Network::of(address, header.destination_prefix_length)?;
                }
                RouteAttribute::Table(table) => route.table = *table,
                RouteAttribute::Priority(metric) => route.metric = *metric,
                _ => {}
            }
        }
        if let Way::Hops(hops) = &mut route.way {
            *hops = self::hops(message);
            // As if it were not there: those that are left may be reached another way.
            if hops.is_empty() {
                return None;
            }
        }
        Some(route)
    }
}

/// The next hops that are up.
fn hops(message: &RouteMessage) -> Vec<Hop> {
    let several = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::MultiPath(hops) => Some(hops),
            _ => None,
        });
    if let Some(several) = several {
        let up = several
            .iter()
            .filter(|hop| !hop.flags.contains(RouteNextHopFlags::Dead));
        return up.map(of_several).collect();
    }
    let link = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Oif(link) => Some(*link),
            _ => None,
        });
    let up = link.filter(|_| !message.header.flags.contains(RouteFlags::Dead));
    let gateway = gateway(&message.attributes);
    up.map(|link| Hop { link, gateway }).into_iter().collect()
}

fn of_several(hop: &RouteNextHop) -> Hop {
    Hop {
        link: hop.interface_index,
        gateway: gateway(&hop.attributes),
    }
}

fn gateway(attributes: &[RouteAttribute]) -> Option<IpAddr> {
    attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(address) => ip(address),
        // IPv4 by way of a router that is known by its IPv6 address (RFC 8950).
        RouteAttribute::Via(RouteVia::Inet(address)) => Some((*address).into()),
        RouteAttribute::Via(RouteVia::Inet6(address)) => Some((*address).into()),
        _ => None,
    })
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(attributes: Vec<RouteAttribute>) -> RouteMessage {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.kind = RouteType::Unicast;
        message.header.table = 254;
        message.attributes = attributes;
        message
    }

    fn router(last: u8) -> RouteAttribute {
        RouteAttribute::Gateway(RouteAddress::Inet([192, 0, 2, last].into()))
    }

    fn way(message: &RouteMessage) -> Option<Way> {
        Route::read(message).map(|route| route.way)
    }

    fn hop(link: LinkIndex, gateway: &str) -> Hop {
        Hop {
            link,
            gateway: gateway.parse().ok(),
        }
    }

    #[test]
    fn what_the_attributes_say_counts() {
        let destination = RouteAddress::Inet([198, 51, 100, 0].into());
        let mut plain = message(vec![
            RouteAttribute::Destination(destination),
            RouteAttribute::Table(1000),
            RouteAttribute::Priority(7),
            RouteAttribute::Oif(2),
            router(1),
        ]);
        plain.header.destination_prefix_length = 24;
        let route = Route::read(&plain).unwrap();
        assert_eq!(route.network.to_string(), "198.51.100.0/24");
        assert_eq!((route.table, route.metric), (1000, 7));
        assert_eq!(route.way, Way::Hops(vec![hop(2, "192.0.2.1")]));
    }

    #[test]
    fn of_several_next_hops_those_that_are_up_count() {
        let next = |link, last, flags| {
            let mut hop = RouteNextHop::default();
            hop.interface_index = link;
            hop.flags = flags;
            hop.attributes = vec![router(last)];
            hop
        };
        let none = RouteNextHopFlags::empty();
        let several = RouteAttribute::MultiPath(vec![
            next(2, 1, RouteNextHopFlags::Dead),
            next(3, 2, none),
            next(2, 3, RouteNextHopFlags::Linkdown),
        ]);
        let expected = vec![hop(3, "192.0.2.2"), hop(2, "192.0.2.3")];
        assert_eq!(way(&message(vec![several])), Some(Way::Hops(expected)));
        let dead = RouteAttribute::MultiPath(vec![next(2, 1, RouteNextHopFlags::Dead)]);
        assert_eq!(way(&message(vec![dead])), None);
    }

    #[test]
    fn a_router_of_the_other_family_is_one() {
        let by_ipv6 = RouteAttribute::Via(RouteVia::Inet6("fe80::1".parse().unwrap()));
        let route = message(vec![RouteAttribute::Oif(2), by_ipv6]);
        assert_eq!(way(&route), Some(Way::Hops(vec![hop(2, "fe80::1")])));
    }

    #[test]
    fn routes_for_some_packets_only_and_of_what_was_learnt_on_the_way_do_not_count() {
        let plain = || message(vec![RouteAttribute::Oif(2)]);
        assert_eq!(way(&plain()), Some(Way::Hops(vec![hop(2, "")])));
        let mut route = plain();
        route.header.tos = 16;
        assert_eq!(way(&route), None);
        let mut route = plain();
        route.header.source_prefix_length = 8;
        assert_eq!(way(&route), None);
        let mut route = plain();
        route.header.flags = RouteFlags::Cloned;
        assert_eq!(way(&route), None);
        let mut route = plain();
        route.header.flags = RouteFlags::Dead;
        assert_eq!(way(&route), None);
    }

    #[test]
    fn each_type_does_what_ip_route_says() {
        for (kind, expected) in [
            (RouteType::Local, Way::Local),
            (RouteType::Anycast, Way::Local),
            (RouteType::Broadcast, Way::Nowhere),
            (RouteType::BlackHole, Way::Nowhere),
            (RouteType::Unreachable, Way::Nowhere),
            (RouteType::Prohibit, Way::Nowhere),
            (RouteType::Throw, Way::Throw),
        ] {
            let mut route = message(Vec::new());
            route.header.kind = kind;
            assert_eq!(way(&route), Some(expected), "{kind:?}");
        }
    }
}

//! The routing table by which replies go: a router that is known, for everybody.

use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use netlink_packet_route::rule::{RuleAction, RuleMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use ripples::routing::{Facts, Subscription, compile, subscribe};
use ripples::sys::netlink::List;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const LINK: u32 = 2;
const MAIN: u8 = 254;

/// A port's end of it.
pub(crate) fn subscription() -> Subscription {
    let routers = [
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 254)),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    let mut facts = Facts::default();
    facts.set(List::Rules, &routers.map(rule));
    facts.set(List::Routes, &routers.map(route));
    facts.set(List::Neighbours, &routers.map(neighbour));
    let compiled = compile(&facts, LINK).expect("a small table");
    subscribe(compiled.next_hops.into()).1
}

fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

fn rule(router: IpAddr) -> RouteNetlinkMessage {
    let mut rule = RuleMessage::default();
    rule.header.family = family(router);
    rule.header.action = RuleAction::ToTable;
    rule.header.table = MAIN;
    RouteNetlinkMessage::NewRule(rule)
}

fn route(router: IpAddr) -> RouteNetlinkMessage {
    let mut route = RouteMessage::default();
    route.header.address_family = family(router);
    route.header.kind = RouteType::Unicast;
    route.header.table = MAIN;
    let gateway = RouteAttribute::Gateway(RouteAddress::from(router));
    route.attributes = vec![RouteAttribute::Oif(LINK), gateway];
    RouteNetlinkMessage::NewRoute(route)
}

fn neighbour(router: IpAddr) -> RouteNetlinkMessage {
    let mut neighbour = NeighbourMessage::default();
    neighbour.header.family = family(router);
    neighbour.header.ifindex = LINK;
    neighbour.header.state = NeighbourState::Reachable;
    let address = match router {
        IpAddr::V4(address) => NeighbourAddress::Inet(address),
        IpAddr::V6(address) => NeighbourAddress::Inet6(address),
    };
    neighbour.attributes = vec![
        NeighbourAttribute::Destination(address),
        NeighbourAttribute::LinkLayerAddress(vec![2, 0, 0, 0, 0, 9]),
    ];
    RouteNetlinkMessage::NewNeighbour(neighbour)
}

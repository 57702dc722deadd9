//! Next hops against what ip-route(8), ip-rule(8) and the kernel's order of routes say.

use super::facts::Facts;
use super::link::Link;
use super::neighbour::Neighbour;
use super::route::{Hop, Route, Way};
use super::rule::{Action, Rule};
use super::{LinkIndex, Mac, NextHop, compile};
use std::net::IpAddr;

const ETH0: LinkIndex = 2;
const ETH1: LinkIndex = 3;
const BOND: LinkIndex = 4;
const VLAN: LinkIndex = 5;
const BRIDGE: LinkIndex = 6;

const LOCAL: u32 = 255;
const MAIN: u32 = 254;

/// This host's address, where its routing is asked.
const OWN: &str = "192.0.2.1";

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn link(index: LinkIndex) -> Link {
    Link {
        index,
        is_bond: false,
        master: None,
        vlan: None,
    }
}

fn rule(is_ipv6: bool, action: Action) -> Rule {
    Rule {
        is_ipv6,
        from: None,
        to: None,
        action,
    }
}

fn table(id: u32) -> Action {
    Action::Table {
        id,
        suppressed: None,
    }
}

/// Routes to a network; each word is `LINK` or `LINK=ROUTER`.
fn route(network: &str, hops: &[(LinkIndex, &str)]) -> Route {
    let hop = |&(link, gateway): &(LinkIndex, &str)| Hop {
        link,
        gateway: (!gateway.is_empty()).then(|| address(gateway)),
    };
    Route {
        network: network.parse().unwrap(),
        table: MAIN,
        metric: 0,
        way: Way::Hops(hops.iter().map(hop).collect()),
    }
}

fn way(network: &str, way: Way) -> Route {
    Route {
        way,
        ..route(network, &[])
    }
}

fn neighbour(link: LinkIndex, text: &str, last: u8) -> Neighbour {
    Neighbour {
        link,
        address: address(text),
        mac: mac(last),
    }
}

fn mac(last: u8) -> Mac {
    [2, 0, 0, 0, 0, last]
}

fn via(last: u8) -> NextHop {
    NextHop::Neighbour {
        mac: mac(last),
        vlan: None,
    }
}

/// A host with two interfaces and the rules that every host has.
fn facts(routes: Vec<Route>, mut neighbours: Vec<Neighbour>) -> Facts {
    neighbours.sort_by_key(|one| (one.link, one.address));
    let families = [false, true];
    let rules = [LOCAL, MAIN].map(|id| families.map(|is_ipv6| rule(is_ipv6, table(id))));
    Facts {
        links: vec![link(ETH0), link(ETH1)],
        neighbours,
        routes,
        rules: rules.concat(),
        ..Facts::default()
    }
}

fn find_on(facts: &Facts, index: LinkIndex, from: &str, to: &str) -> NextHop {
    let compiled = compile(facts, index).unwrap();
    compiled.next_hops.find(address(from), address(to))
}

fn find(facts: &Facts, to: &str) -> NextHop {
    find_on(facts, ETH0, OWN, to)
}

#[test]
fn the_longest_prefix_counts_and_a_client_on_the_link_is_its_own_next_hop() {
    let facts = facts(
        vec![
            route("0.0.0.0/0", &[(ETH0, "192.0.2.254")]),
            route("192.0.2.0/24", &[(ETH0, "")]),
            route("10.0.0.0/8", &[(ETH1, "203.0.113.1")]),
            route("10.7.0.0/16", &[(ETH0, "192.0.2.253")]),
            route("::/0", &[(ETH0, "fe80::1")]),
        ],
        vec![
            neighbour(ETH0, "192.0.2.254", 254),
            neighbour(ETH0, "192.0.2.7", 7),
            neighbour(ETH0, "fe80::1", 61),
            // On another link it is somebody else; and nobody is a neighbour behind a router.
            neighbour(ETH1, "192.0.2.8", 8),
            neighbour(ETH0, "198.51.100.9", 9),
        ],
    );
    assert_eq!(find(&facts, "198.51.100.9"), via(254));
    assert_eq!(find(&facts, "192.0.2.7"), via(7));
    assert_eq!(find(&facts, "192.0.2.8"), NextHop::OnLink(ETH0));
    assert_eq!(find(&facts, "10.6.0.1"), NextHop::Elsewhere);
    assert_eq!(find(&facts, "10.7.0.1"), NextHop::Unresolved);
    assert_eq!(find(&facts, "2001:db8::1"), via(61));
    // The same host, seen from its other interface.
    let on_eth1 = |to| find_on(&facts, ETH1, OWN, to);
    assert_eq!(on_eth1("10.6.0.1"), NextHop::Unresolved);
    assert_eq!(on_eth1("198.51.100.9"), NextHop::Elsewhere);
    let routers = compile(&facts, ETH0).unwrap().routers;
    let expected = ["192.0.2.253", "192.0.2.254", "fe80::1"].map(|router| (ETH0, address(router)));
    assert_eq!(routers, expected.into());
}

#[test]
fn what_has_no_route_goes_nowhere() {
    let facts = facts(
        vec![
            route("198.51.100.0/24", &[(ETH0, "192.0.2.254")]),
            way("198.51.100.128/25", Way::Nowhere),
            way("192.0.2.1/32", Way::Local),
        ],
        vec![neighbour(ETH0, "192.0.2.254", 254)],
    );
    assert_eq!(find(&facts, "198.51.100.1"), via(254));
    assert_eq!(find(&facts, "198.51.100.200"), NextHop::Nowhere);
    assert_eq!(find(&facts, "203.0.113.1"), NextHop::Nowhere);
    assert_eq!(find(&facts, "2001:db8::1"), NextHop::Nowhere);
    assert_eq!(find(&facts, "192.0.2.1"), NextHop::Elsewhere);
    let empty = Facts::default();
    assert_eq!(find(&empty, "192.0.2.1"), NextHop::Nowhere);
}

#[test]
fn of_routes_to_the_same_network_the_lowest_metric_counts_and_then_the_first() {
    let with_metric = |metric, router| Route {
        metric,
        ..route("0.0.0.0/0", &[(ETH0, router)])
    };
    let neighbours = || (1..4).map(|host| neighbour(ETH0, &format!("192.0.2.{host}"), host));
    for (metrics, best) in [([20, 10, 30], 2), ([10, 10, 30], 1), ([5, 4, 3], 3)] {
        let routers = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
        let routes = metrics.into_iter().zip(routers);
        let routes = routes.map(|(metric, router)| with_metric(metric, router));
        let facts = facts(routes.collect(), neighbours().collect());
        assert_eq!(find(&facts, "198.51.100.1"), via(best), "{metrics:?}");
    }
}

#[test]
fn of_several_next_hops_the_first_that_is_known_on_the_interface_counts() {
    let hops = [
        (ETH1, "203.0.113.1"),
        (ETH0, "192.0.2.2"),
        (ETH0, "192.0.2.3"),
    ];
    let routes = || vec![route("0.0.0.0/0", &hops)];
    let known = |hosts: &[u8]| {
        let neighbours = hosts.iter();
        let neighbours = neighbours.map(|&host| neighbour(ETH0, &format!("192.0.2.{host}"), host));
        find(&facts(routes(), neighbours.collect()), "198.51.100.1")
    };
    assert_eq!(known(&[]), NextHop::Unresolved);
    assert_eq!(known(&[3]), via(3));
    assert_eq!(known(&[2, 3]), via(2));
}

#[test]
fn rules_are_asked_in_their_order_and_a_table_may_leave_it_to_the_next() {
    let in_table = |id, route| Route { table: id, ..route };
    let mut facts = facts(
        vec![
            route("0.0.0.0/0", &[(ETH0, "192.0.2.254")]),
            in_table(100, route("0.0.0.0/0", &[(ETH0, "192.0.2.253")])),
            in_table(100, way("10.0.0.0/8", Way::Throw)),
            in_table(100, route("10.1.0.0/16", &[(ETH0, "192.0.2.253")])),
        ],
        vec![
            neighbour(ETH0, "192.0.2.254", 254),
            neighbour(ETH0, "192.0.2.253", 253),
        ],
    );
    let from = Rule {
        from: Some("192.0.2.128/25".parse().unwrap()),
        ..rule(false, table(100))
    };
    let blocked = Rule {
        to: Some("198.51.100.66/32".parse().unwrap()),
        ..rule(false, Action::Nowhere)
    };
    facts.rules.splice(1..1, [blocked, from]);
    let find = |from, to| find_on(&facts, ETH0, from, to);
    assert_eq!(find(OWN, "198.51.100.1"), via(254));
    assert_eq!(find("192.0.2.129", "198.51.100.1"), via(253));
    assert_eq!(find("192.0.2.129", "10.2.0.1"), via(254));
    assert_eq!(find("192.0.2.129", "10.1.0.1"), via(253));
    assert_eq!(find("192.0.2.129", "198.51.100.66"), NextHop::Nowhere);
}

#[test]
fn a_rule_may_leave_out_the_routes_of_short_prefixes() {
    let mut facts = facts(
        vec![
            route("0.0.0.0/0", &[(ETH0, "192.0.2.254")]),
            route("10.0.0.0/8", &[(ETH0, "192.0.2.254")]),
        ],
        vec![neighbour(ETH0, "192.0.2.254", 254)],
    );
    let suppressed = Some(0);
    let id = MAIN;
    facts.rules = vec![rule(false, Action::Table { id, suppressed })];
    assert_eq!(find(&facts, "10.0.0.1"), via(254));
    assert_eq!(find(&facts, "198.51.100.1"), NextHop::Nowhere);
}

#[test]
fn a_bond_and_vlans_leave_by_their_members_and_a_bridge_does_not() {
    let mut facts = facts(
        vec![
            route("0.0.0.0/0", &[(BOND, "192.0.2.254")]),
            route("10.0.0.0/8", &[(VLAN, "203.0.113.1")]),
            route("203.0.113.0/24", &[(VLAN, "")]),
            route("172.16.0.0/12", &[(BRIDGE, "172.16.0.1")]),
        ],
        vec![
            neighbour(BOND, "192.0.2.254", 254),
            neighbour(VLAN, "203.0.113.1", 1),
            neighbour(VLAN, "203.0.113.9", 9),
            neighbour(BRIDGE, "172.16.0.1", 16),
        ],
    );
    facts.links = vec![
        Link {
            master: Some(BOND),
            ..link(ETH0)
        },
        Link {
            master: Some(BRIDGE),
            ..link(ETH1)
        },
        Link {
            is_bond: true,
            ..link(BOND)
        },
        Link {
            vlan: Some((BOND, 100)),
            ..link(VLAN)
        },
        link(BRIDGE),
    ];
    let tagged = |last| NextHop::Neighbour {
        mac: mac(last),
        vlan: Some(100),
    };
    assert_eq!(find(&facts, "198.51.100.1"), via(254));
    assert_eq!(find(&facts, "10.0.0.1"), tagged(1));
    assert_eq!(find(&facts, "203.0.113.9"), tagged(9));
    let on_eth1 = |to| find_on(&facts, ETH1, OWN, to);
    assert_eq!(on_eth1("198.51.100.1"), NextHop::Elsewhere);
    assert_eq!(on_eth1("172.16.0.1"), NextHop::Elsewhere);
}

/// Every link has fe80::/64, and the kernel lists them all.
#[test]
fn link_local_clients_are_on_the_link_that_they_came_by() {
    let facts = facts(
        vec![
            route("fe80::/64", &[(ETH1, "")]),
            route("fe80::/64", &[(ETH0, "")]),
        ],
        vec![neighbour(ETH0, "fe80::7", 7)],
    );
    assert_eq!(find(&facts, "fe80::7"), via(7));
    let on_eth1 = find_on(&facts, ETH1, OWN, "fe80::7");
    assert_eq!(on_eth1, NextHop::OnLink(ETH1));
}

/// A tree has room for so many different next hops and no more.
#[test]
fn neighbours_beyond_the_room_are_not_known() {
    let host = |number: u32| IpAddr::from((0x0a00_0000 + number).to_be_bytes());
    let neighbours = (0..70_000).map(|number: u32| {
        let [_, a, b, c] = number.to_be_bytes();
        Neighbour {
            link: ETH0,
            address: host(number),
            mac: [2, 0, 0, a, b, c],
        }
    });
    let routes = vec![route("10.0.0.0/8", &[(ETH0, "")])];
    let facts = facts(routes, neighbours.collect());
    let next_hops = compile(&facts, ETH0).unwrap().next_hops;
    let found = |number| next_hops.find(address(OWN), host(number));
    let [_, a, b, c] = 60_000_u32.to_be_bytes();
    let mac = [2, 0, 0, a, b, c];
    assert_eq!(found(60_000), NextHop::Neighbour { mac, vlan: None });
    assert_eq!(found(69_999), NextHop::OnLink(ETH0));
}

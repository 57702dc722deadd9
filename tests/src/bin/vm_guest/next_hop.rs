//! Replies to the next hop that routing says, through a VLAN on a bond.

use crate::bond::{self, BOND};
use crate::cable::{CLIENT, Cable, SERVER, run};
use crate::load::load_from;
use crate::queues::all_by_af_xdp;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use tests::netns::ip;
use tests::server::Server;

/// The VLAN on both ends.
const VLAN: u16 = 53;
/// The clients' router, which takes replies at an Ethernet address of its own.
const ROUTER: &str = "router0";

/// Queries, and how many a second.
const COUNT: usize = 1000;
const RATE: u32 = 500;

/// A VLAN on the bond, and clients behind a router that is looked for by ARP and by neighbour
/// discovery: their queries come from one Ethernet address, their replies go to another.
pub(crate) fn followed(cable: &Cable) -> String {
    bond::bring_up(cable);
    // Tags that the NIC takes off are no tags to AF_XDP.
    run(Command::new("ethtool").args(["-K", SERVER, "rxvlan", "off"]));
    connect(cable);
    let ends = [("10.54.0.1", "10.55.0.2"), ("fd54::1", "fd55::2")]
        .map(|(server, client)| [server, client].map(|end| end.parse::<IpAddr>().expect("good")));
    let listen = ends.map(|[server, _]| SocketAddr::from((server, 53)));
    let server = bond::serve(cable, &listen, "[udp]\nnext_hop = \"route\"\n");
    let mut figures = Vec::new();
    for ([_, client], address) in ends.into_iter().zip(listen) {
        await_router(cable, &server, client, address);
        let before = cable.received(ROUTER);
        let ask = || load_from(cable, client, address, COUNT, RATE);
        figures.push(all_by_af_xdp(&server, ask));
        let by_router = cable.received(ROUTER) - before;
        figures.push(format!("by_router={by_router}"));
        assert!(by_router >= COUNT as u64, "not by the router: {figures:?}");
    }
    let stats = server.stats();
    assert_eq!(stats.total("events.next_hop_elsewhere"), 0, "{stats}");
    server.stop();
    disconnect(cable);
    run(Command::new("ethtool").args(["-K", SERVER, "rxvlan", "on"]));
    bond::take_down(cable);
    figures.join(" ")
}

/// Makes the VLAN on both ends, and the router and clients behind it on the other one.
fn connect(cable: &Cable) {
    let there = format!("-n {}", cable.clients.name());
    for command in [
        format!("link add link {BOND} name {BOND}.{VLAN} type vlan id {VLAN}"),
        format!("addr add 10.54.0.1/24 dev {BOND}.{VLAN}"),
        format!("addr add fd54::1/64 dev {BOND}.{VLAN} nodad"),
        format!("link set {BOND}.{VLAN} up"),
        "route add 10.55.0.0/24 via 10.54.0.3".to_owned(),
        "route add fd55::/64 via fd54::3".to_owned(),
        format!("{there} link add link {CLIENT} name {CLIENT}.{VLAN} type vlan id {VLAN}"),
        format!("{there} addr add 10.54.0.2/24 dev {CLIENT}.{VLAN}"),
        format!("{there} addr add fd54::2/64 dev {CLIENT}.{VLAN} nodad"),
        format!("{there} link set {CLIENT}.{VLAN} up"),
        format!("{there} link add link {CLIENT}.{VLAN} name {ROUTER} type macvlan mode private"),
        format!("{there} addr add 10.54.0.3/32 dev {ROUTER}"),
        format!("{there} addr add fd54::3/128 dev {ROUTER} nodad"),
        format!("{there} link set {ROUTER} up"),
        format!("{there} link set lo up"),
        format!("{there} addr add 10.55.0.2/32 dev lo"),
        format!("{there} addr add fd55::2/128 dev lo"),
    ] {
        ip(&command);
    }
    // The VLAN's own interface would answer for the router as well.
    let file = format!("/proc/sys/net/ipv4/conf/{CLIENT}.{VLAN}/arp_ignore");
    let written = cable.clients.run(|| fs::write(&file, "1"));
    written.unwrap_or_else(|error| panic!("{file}: {error}"));
}

fn disconnect(cable: &Cable) {
    let there = format!("-n {}", cable.clients.name());
    ip(&format!("{there} link del {CLIENT}.{VLAN}"));
    ip(&format!("{there} addr del 10.55.0.2/32 dev lo"));
    ip(&format!("{there} addr del fd55::2/128 dev lo"));
    ip(&format!("link del {BOND}.{VLAN}"));
}

/// Asks until the router is known: until then replies go back to where queries come from.
fn await_router(cable: &Cable, server: &Server, client: IpAddr, address: SocketAddr) {
    let before = cable.received(ROUTER);
    server.await_stats(|_| {
        load_from(cable, client, address, 10, RATE);
        cable.received(ROUTER) >= before + 10
    });
}

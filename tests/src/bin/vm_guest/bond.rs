//! Bonds: their members are attached, and answer; also where replies go to the next hop of a VLAN.

use crate::cable::{ADDRESS, CLIENT, Cable, SERVER, run};
use crate::load::{Load, load, load_from};
use crate::queues::{by_queue, shown};
use serde_json::Value;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::time::Duration;
use tests::netns::ip;
use tests::server::{EXAMPLE, Launch, Server};

/// Not `bond0`, which the module makes by itself.
const BOND: &str = "bond1";
/// The VLAN on both ends.
const VLAN: u16 = 53;
/// The clients' router, which takes replies at an Ethernet address of its own.
const ROUTER: &str = "router0";

/// Queries, and how many a second.
const COUNT: usize = 1000;
const RATE: u32 = 500;

pub(crate) fn members(cable: &Cable) -> String {
    bring_up(cable);
    ip(&format!("addr add {ADDRESS}/24 dev {BOND}"));
    let advice = run(Command::new("/programs/ripples").args(["check", "--interface", BOND]));
    let expected = "bond1: ok: bond: its members are attached: eth0";
    assert!(advice.contains(expected), "{advice}");
    let server = serve(cable, &[cable.server()], "");
    let load = load(cable, COUNT, RATE);
    let figures = settle(&server, &load, COUNT as u64);
    server.stop();
    take_down(cable);
    figures
}

/// A VLAN on the bond, and clients behind a router that is looked for by ARP and by neighbour
/// discovery: their queries come from one Ethernet address, their replies go to another.
pub(crate) fn next_hop(cable: &Cable) -> String {
    bring_up(cable);
    // Tags that the NIC takes off are no tags to AF_XDP.
    run(Command::new("ethtool").args(["-K", SERVER, "rxvlan", "off"]));
    connect(cable);
    let ends = [("10.54.0.1", "10.55.0.2"), ("fd54::1", "fd55::2")]
        .map(|(server, client)| [server, client].map(|end| end.parse::<IpAddr>().expect("good")));
    let listen = ends.map(|[server, _]| SocketAddr::from((server, 53)));
    let server = serve(cable, &listen, "[udp]\nnext_hop = \"route\"\n");
    let mut figures = Vec::new();
    for ([_, client], address) in ends.into_iter().zip(listen) {
        await_router(cable, &server, client, address);
        let (before, answers) = (received(cable), answers(&server));
        let load = load_from(cable, client, address, COUNT, RATE);
        let by_router = received(cable) - before;
        figures.push(settle(&server, &load, answers + COUNT as u64));
        figures.push(format!("by_router={by_router}"));
        assert!(by_router >= COUNT as u64, "not by the router: {figures:?}");
    }
    let stats = server.stats();
    assert_eq!(stats.total("events.next_hop_elsewhere"), 0, "{stats}");
    server.stop();
    disconnect(cable);
    run(Command::new("ethtool").args(["-K", SERVER, "rxvlan", "on"]));
    take_down(cable);
    figures.join(" ")
}

/// Puts the server's interface into a bond.
fn bring_up(cable: &Cable) {
    cable.set_queues(2);
    ip(&format!(
        "link add {BOND} type bond mode active-backup miimon 100"
    ));
    ip(&format!("addr flush dev {SERVER}"));
    ip(&format!("link set {SERVER} down"));
    ip(&format!("link set {SERVER} master {BOND}"));
    ip(&format!("link set {BOND} up"));
}

fn take_down(cable: &Cable) {
    ip(&format!("link del {BOND}"));
    cable.plug_in();
    cable.await_link();
}

/// Serves the bond.
fn serve(cable: &Cable, listen: &[SocketAddr], config: &str) -> Server {
    let mut arguments = vec!["--interface".to_owned(), BOND.to_owned()];
    for address in listen {
        arguments.extend(["--listen".to_owned(), address.to_string()]);
    }
    arguments.extend(["--io", "xdp", "--config", "r.toml"].map(str::to_owned));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let launch = Launch::run(&arguments).file("r.toml", config);
    let server = launch.zone("example", EXAMPLE).start();
    let log = server.log();
    assert!(log.contains("a bond: its members are attached"), "{log}");
    let status = server.ctl(&["status"]).stdout;
    let expected = "eth0: AF_XDP, native, zero-copy, 2 queues";
    assert!(status.contains(expected), "not {expected:?}: {status}");
    cable.await_link();
    // The bond looks at its member's link now and then.
    std::thread::park_timeout(Duration::from_secs(1));
    server
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
    let before = received(cable);
    server.await_stats(|_| {
        load_from(cable, client, address, 10, RATE);
        received(cable) >= before + 10
    });
}

/// Packets that the router has taken.
fn received(cable: &Cable) -> u64 {
    let mut show = cable.clients.command("ip");
    let said = run(show.args(["-s", "-j", "link", "show", ROUTER]));
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}"));
    let received = said[0]["stats64"]["rx"]["packets"].as_u64();
    received.unwrap_or_else(|| panic!("no counter: {said}"))
}

fn answers(server: &Server) -> u64 {
    by_queue(&server.stats(), SERVER, "answers").iter().sum()
}

/// All queries are answered, and by AF_XDP: so many since it was started.
fn settle(server: &Server, load: &Load, expected: u64) -> String {
    let answers = by_queue(&server.stats(), SERVER, "answers");
    let figures = format!("{load} queues={}", shown(&answers));
    assert!(load.is_whole(), "not all are answered: {figures}");
    let sum = answers.iter().sum::<u64>();
    assert_eq!(sum, expected, "not all by AF_XDP: {figures}");
    figures
}

//! Replies that go to the next hop of the routing table.

use crate::wire::{ENDS, Wire, packet};
use std::time::Instant;
use tests::packets::{CLIENT_MAC, Packet, SERVER_MAC};
use tests::server::PATIENCE;

const CONFIG: &str = "[udp]\nnext_hop = \"route\"\n";

type Mac = [u8; 6];
/// Two routers on the link, and one that nobody knows at first.
const ROUTER: Mac = [2, 0x99, 0, 0, 0, 0xfe];
const OTHER: Mac = [2, 0x99, 0, 0, 0, 0xfd];

/// A link with both routers on it, of which the first is everybody's.
const LINK: &[&str] = &[
    "addr add 10.99.0.1/24 dev tap0",
    "addr add fd99::1/64 dev tap0 nodad",
    "neigh add 10.99.0.254 lladdr 02:99:00:00:00:fe dev tap0 nud permanent",
    "neigh add 10.99.0.253 lladdr 02:99:00:00:00:fd dev tap0 nud permanent",
    "neigh add fd99::fe lladdr 02:99:00:00:00:fe dev tap0 nud permanent",
    "neigh add fd99::fd lladdr 02:99:00:00:00:fd dev tap0 nud permanent",
    "route add default via 10.99.0.254",
    "route add default via fd99::fe",
];

/// Asks, and returns the reply's receiver. Its sender is the server in any case.
fn receiver(wire: &Wire, query: &[u8]) -> Mac {
    wire.send(query);
    let reply = wire.next(is_reply);
    *reply.first_chunk().unwrap()
}

/// Whether a frame is a datagram from the server's port, with or without a tag.
fn is_reply(frame: &[u8]) -> bool {
    let tags = frame[12..]
        .chunks(4)
        .take_while(|tag| tag.starts_with(&[0x81, 0]));
    let packet = &frame[14 + 4 * tags.count()..];
    let (protocol, udp) = match packet[0] >> 4 {
        4 => (packet[9], 20),
        6 => (packet[6], 40),
        _ => return false,
    };
    frame[6..12] == SERVER_MAC && protocol == 17 && packet[udp..udp + 2] == [0, 53]
}

fn query(ends: [&str; 2]) -> Vec<u8> {
    packet(ends).frame()
}

/// Asks until the reply goes to `mac`: the server follows what it is told within moments.
fn await_receiver(wire: &Wire, query: &[u8], mac: Mac) {
    let deadline = Instant::now() + PATIENCE;
    let mut last = receiver(wire, query);
    while last != mac {
        assert!(
            Instant::now() < deadline,
            "still {last:02x?}, not {mac:02x?}"
        );
        last = receiver(wire, query);
    }
}

#[test]
fn replies_go_to_the_next_hop_and_follow_its_changes() {
    let Some(wire) = Wire::amid(CONFIG, LINK) else {
        return;
    };
    let [v4, v6] = ENDS.map(query);
    for query in [&v4, &v6] {
        assert_eq!(receiver(&wire, query), ROUTER);
    }
    wire.ip("route replace default via 10.99.0.253");
    await_receiver(&wire, &v4, OTHER);
    assert_eq!(receiver(&wire, &v6), ROUTER);
    wire.ip("route replace default via fd99::fd");
    await_receiver(&wire, &v6, OTHER);
    // The router's card is replaced.
    wire.ip("neigh replace 10.99.0.253 lladdr 02:99:00:00:00:fe dev tap0 nud permanent");
    await_receiver(&wire, &v4, ROUTER);
    // A rule for what comes from the server's address.
    wire.ip("route add default via 10.99.0.254 table 100");
    wire.ip("route replace default via fd99::fe");
    await_receiver(&wire, &v6, ROUTER);
    wire.ip("route add default via fd99::fd table 100");
    wire.ip("-6 rule add from fd55::1 lookup 100");
    await_receiver(&wire, &v6, OTHER);
    let stats = wire.server.stats();
    assert_eq!(stats.total("events.next_hop_unresolved"), 0, "{stats}");
    assert_eq!(stats.total("events.next_hop_elsewhere"), 0, "{stats}");
    wire.server.stop();
}

#[test]
fn without_a_route_there_is_no_reply_and_the_others_get_theirs() {
    let Some(wire) = Wire::amid(CONFIG, LINK) else {
        return;
    };
    let [v4, v6] = ENDS.map(query);
    assert_eq!(receiver(&wire, &v4), ROUTER);
    wire.ip("route add blackhole 10.55.0.2/32");
    wire.server.await_stats(|stats| {
        wire.send(&v4);
        stats.total("events.no_route") > 0
    });
    assert_eq!(receiver(&wire, &v6), ROUTER);
    wire.ip("route del blackhole 10.55.0.2/32");
    await_receiver(&wire, &v4, ROUTER);
    let stats = wire.server.stats();
    assert_eq!(stats.total("events.transmit_failed"), 0, "{stats}");
    wire.server.stop();
}

/// An ARP reply to the server: `address` is at `mac`.
fn arp(address: [u8; 4], mac: Mac) -> Vec<u8> {
    let ethernet = [&SERVER_MAC[..], &mac, &[8, 6]].concat();
    let kinds = [0, 1, 8, 0, 6, 4, 0, 2];
    let sender = [&mac[..], &address].concat();
    let target = [&SERVER_MAC[..], &[10, 99, 0, 1]].concat();
    let mut frame = [&ethernet[..], &kinds, &sender, &target].concat();
    frame.resize(60, 0);
    frame
}

/// Whether a frame asks who has `address`.
fn asks_for(frame: &[u8], address: [u8; 4]) -> bool {
    frame[12..14] == [8, 6] && frame[20..22] == [0, 1] && frame[38..42] == address
}

#[test]
fn a_router_that_nobody_knows_is_looked_for_and_the_sender_forwards_meanwhile() {
    let commands = [
        "addr add 10.99.0.1/24 dev tap0",
        "route add default via 10.99.0.254",
    ];
    let Some(wire) = Wire::amid(CONFIG, &commands) else {
        return;
    };
    let v4 = query(ENDS[0]);
    assert_eq!(receiver(&wire, &v4), CLIENT_MAC);
    let router = [10, 99, 0, 254];
    wire.next(|frame| asks_for(frame, router));
    wire.send(&arp(router, ROUTER));
    await_receiver(&wire, &v4, ROUTER);
    let stats = wire.server.stats();
    assert!(stats.total("events.next_hop_unresolved") > 0, "{stats}");
    wire.server.stop();
}

#[test]
fn a_client_on_the_link_is_looked_for_when_it_has_asked() {
    let Some(wire) = Wire::amid(CONFIG, LINK) else {
        return;
    };
    // By way of a router, though it is on the link as well.
    let query = query(["10.99.0.7:4242", "10.55.0.1:53"]);
    assert_eq!(receiver(&wire, &query), CLIENT_MAC);
    let client = [10, 99, 0, 7];
    wire.next(|frame| asks_for(frame, client));
    let own = [2, 0x99, 0, 0, 0, 7];
    wire.send(&arp(client, own));
    await_receiver(&wire, &query, own);
    wire.server.stop();
}

#[test]
fn what_leaves_by_another_interface_goes_back_to_its_sender() {
    let Some(wire) = Wire::amid(CONFIG, &["route add default via 10.53.0.2"]) else {
        return;
    };
    assert_eq!(receiver(&wire, &query(ENDS[0])), CLIENT_MAC);
    let stats = wire
        .server
        .await_stats(|stats| stats.total("events.next_hop_elsewhere") == 1);
    // There is no route for IPv6 to this client at all.
    wire.send(&query(ENDS[1]));
    assert_eq!(stats.total("events.no_route"), 0, "{stats}");
    wire.server
        .await_stats(|stats| stats.total("events.no_route") == 1);
    wire.server.stop();
}

#[test]
fn in_a_vlan_the_next_hops_of_the_interface_itself_do_not_count() {
    let Some(wire) = Wire::amid(CONFIG, LINK) else {
        return;
    };
    let tagged = |tag: fn(Packet) -> Packet| tag(packet(ENDS[0])).frame();
    for tag in [
        |packet: Packet| packet.vlan(6),
        |packet: Packet| packet.vlan(6).vlan(7),
    ] {
        assert_eq!(receiver(&wire, &tagged(tag)), CLIENT_MAC);
    }
    assert_eq!(receiver(&wire, &tagged(|packet| packet)), ROUTER);
    // A tag that has a priority only, is of no VLAN.
    assert_eq!(receiver(&wire, &tagged(|packet| packet.vlan(0))), ROUTER);
    let stats = wire.server.stats();
    assert_eq!(stats.total("events.next_hop_elsewhere"), 2, "{stats}");
    wire.server.stop();
}

#[test]
fn a_rule_that_is_not_understood_is_named() {
    let Some(wire) = Wire::amid(
        CONFIG,
        &[
            "rule add sport 53 lookup 100",
            "rule add not fwmark 1 lookup 100",
        ],
    ) else {
        return;
    };
    let stderr = wire.server.stop();
    for rule in [
        "IPv4 rule 32765: sport: not understood",
        "IPv4 rule 32764: not: not understood",
    ] {
        assert!(stderr.contains(rule), "{stderr}");
    }
}

//! Checksums of received packets: verified where a NIC may not have, left alone on a veth pair.

use crate::stage::{INTERFACE, Stage, launch};
use crate::wire::{ENDS, TAP, Wire, packet};
use common::Verdict;
use tests::client::{self, query};
use tests::netns::{Veth, privileged};
use tests::record::rtype;
use tests::server::EXAMPLE;

/// Offsets in an untagged frame.
const IPV4_CHECKSUM: usize = 14 + 10;
const IPV4_UDP_CHECKSUM: usize = 14 + 20 + 6;
const IPV6_UDP_CHECKSUM: usize = 14 + 40 + 6;

#[test]
fn what_was_damaged_is_dropped_and_counted() {
    let Some(wire) = Wire::new() else { return };
    let [ipv4, ipv6] = ENDS.map(|ends| packet(ends).frame());
    for (right, at) in [
        (&ipv4, IPV4_CHECKSUM),
        (&ipv4, IPV4_UDP_CHECKSUM),
        (&ipv6, IPV6_UDP_CHECKSUM),
        (&ipv4, first_label(&ipv4)),
        (&ipv6, first_label(&ipv6)),
    ] {
        let mut wrong = right.clone();
        wrong[at] ^= 0x20;
        wire.send(&wrong);
    }
    for ends in ENDS {
        wire.ask(ends, |packet| packet);
    }
    // RFC 768: over IPv4 a sender may leave it out.
    let mut without = ipv4.clone();
    without[IPV4_UDP_CHECKSUM..IPV4_UDP_CHECKSUM + 2].fill(0);
    wire.send(&without);
    wire.reply();
    let stats = wire
        .server
        .await_stats(|stats| stats.worker("tap0/0", "discarded.bad_checksum") == 5);
    assert_eq!(stats.worker("tap0/0", "answers"), 3, "{stats}");
    assert_eq!(stats.xdp(TAP, Verdict::Redirect), 8, "{stats}");
    wire.server.stop();
}

/// Where the first label of the name is that a frame asks for.
fn first_label(frame: &[u8]) -> usize {
    let label = frame.windows(3).position(|bytes| bytes == b"www");
    label.expect("the query asks for www")
}

#[test]
fn switched_off_nobody_looks() {
    let Some(wire) = Wire::with("[udp]\nverify_checksums = \"off\"\n") else {
        return;
    };
    for (ends, at) in ENDS.into_iter().zip([IPV4_UDP_CHECKSUM, IPV6_UDP_CHECKSUM]) {
        let mut wrong = packet(ends).frame();
        wrong[at] ^= 0x20;
        wire.send(&wrong);
        wire.reply();
    }
    wire.server.stop();
}

/// A veth peer leaves checksums to a NIC that there is none of: they are never right.
#[test]
fn on_a_veth_pair_only_who_asks_for_it_has_them_verified() {
    for (config, answered) in [("", true), ("[udp]\nverify_checksums = \"on\"\n", false)] {
        if !privileged() {
            return;
        }
        let veth = Veth::new(1);
        let launch = launch(&veth.server, &["--io", "xdp", "--config", "r.toml"]);
        let launch = launch.file("r.toml", config).zone("example", EXAMPLE);
        let server = launch.start();
        let stage = Stage { server, veth };
        let [address, ..] = stage.addresses();
        stage.client(|| {
            let socket = client::socket(address);
            let query = query("www.example", rtype::A);
            socket.send_to(&query, address).unwrap();
        });
        let wanted = if answered {
            "answers"
        } else {
            "discarded.bad_checksum"
        };
        let stats = stage.server.await_stats(|stats| stats.total(wanted) == 1);
        assert_eq!(stats.xdp(INTERFACE, Verdict::Redirect), 1, "{stats}");
        stage.server.stop();
    }
}

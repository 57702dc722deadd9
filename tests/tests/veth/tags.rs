//! VLANs: a reply carries the tags of its query.

use crate::wire::{ENDS, TAP, Wire, packet};
use common::Verdict;
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use std::net::SocketAddr;
use tests::netns::privileged;
use tests::packets::Packet;
use tests::server::Launch;

#[test]
fn a_reply_carries_the_tags_of_its_query() {
    let Some(wire) = Wire::new() else { return };
    let mut asked = 0;
    for ends in ENDS {
        let plain = wire.ask(ends, |packet| packet);
        let payload = payload(&plain, ends);
        let tagged: [fn(Packet) -> Packet; 3] = [
            |packet| packet.vlan(5),
            |packet| packet.vlan(5).vlan(6),
            |packet| packet.vlan(5).service_vlan(7),
        ];
        for (number, tag) in tagged.into_iter().enumerate() {
            let reply = wire.ask(ends, tag);
            assert_eq!(self::payload(&reply, ends), payload);
            // Everything between the addresses and the type of what is inside.
            let tags_len = if number == 0 { 4 } else { 8 };
            let query = tag(packet(ends)).frame();
            assert_eq!(reply[12..12 + tags_len], query[12..12 + tags_len]);
            assert_eq!(reply[12 + tags_len..], plain[12..], "all else as without");
        }
        asked += 4;
    }
    let stats = wire
        .server
        .await_stats(|stats| stats.worker("tap0/0", "answers") == asked);
    assert_eq!(stats.xdp(TAP, Verdict::Redirect), asked, "{stats}");
    wire.server.stop();
}

#[test]
fn three_tags_are_left_to_the_kernel() {
    let Some(wire) = Wire::new() else { return };
    let query = packet(ENDS[0]).vlan(1).vlan(2).vlan(3);
    wire.send(&query.frame());
    let stats = wire
        .server
        .await_stats(|stats| stats.xdp(TAP, Verdict::VlanDepth) == 1);
    assert_eq!(stats.total("received"), 0, "{stats}");
    wire.server.stop();
}

/// A NIC that takes tags off shows queries without, and the network expects them in replies.
#[test]
fn a_reply_to_an_untagged_query_gets_the_tag_that_is_configured() {
    let Some(wire) = Wire::with("[vlan]\ntap0 = 5\n") else {
        return;
    };
    for ends in ENDS {
        let reply = wire.ask(ends, |packet| packet);
        assert_eq!(reply[12..16], [0x81, 0, 0, 5], "{reply:02x?}");
        // What has a tag was not taken off, and is the reply's.
        let own = wire.ask(ends, |packet| packet.vlan(6));
        assert_eq!(own[12..16], [0x81, 0, 0, 6], "{own:02x?}");
        assert_eq!(reply[16..], own[16..], "all else is the same");
        assert_eq!(payload(&reply, ends), payload(&own, ends));
    }
    wire.server.stop();
}

#[test]
fn a_tag_for_an_interface_that_is_not_attached_is_an_error() {
    if !privileged() {
        return;
    }
    let ended = Launch::run(&["--interface", "lo", "--config", "r.toml"])
        .file("r.toml", "[vlan]\neth9 = 5\n")
        .finish();
    assert_eq!(ended.code, Some(1));
    let expected = "vlan.eth9: not one of the interfaces: lo";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}

/// The message in a reply's frame, which must be from the one end to the other.
fn payload(frame: &[u8], [client, server]: [&str; 2]) -> Vec<u8> {
    let packet = SlicedPacket::from_ethernet(frame).unwrap();
    let Some(TransportSlice::Udp(udp)) = packet.transport else {
        panic!("no UDP: {frame:02x?}");
    };
    let [source, destination]: [std::net::IpAddr; 2] = match packet.net {
        Some(NetSlice::Ipv4(ip)) => {
            let header = ip.header();
            [
                header.source_addr().into(),
                header.destination_addr().into(),
            ]
        }
        Some(NetSlice::Ipv6(ip)) => {
            let header = ip.header();
            [
                header.source_addr().into(),
                header.destination_addr().into(),
            ]
        }
        other => panic!("no IP: {other:?}"),
    };
    let from = SocketAddr::new(source, udp.source_port());
    let to = SocketAddr::new(destination, udp.destination_port());
    assert_eq!(
        (from.to_string(), to.to_string()),
        (server.to_owned(), client.to_owned())
    );
    udp.payload().to_vec()
}

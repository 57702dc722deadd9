//! Queries in unusual packets: each is answered, over AF_XDP or by the kernel, and all alike.

use crate::raw;
use crate::stage::{INTERFACE, Stage};
use common::Verdict;
use std::net::{SocketAddr, UdpSocket};
use tests::ask::Ask;
use tests::client::{self, query};
use tests::name::Name;
use tests::packets::{DESTINATION_OPTIONS, HOP_BY_HOP, Packet};
use tests::record::rtype;

#[test]
fn ipv4_options_do_not_hinder_af_xdp() {
    // RFC 791 §3.1: no operation, four times; a record-route option with room for two addresses.
    for options in [&[1, 1, 1, 1][..], &[7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
        answered(0, 1, 0, Verdict::Redirect, |packet| {
            vec![packet.ipv4_options(options).packet()]
        });
    }
}

#[test]
fn ipv6_extension_headers_go_to_the_kernel_and_are_answered() {
    // RFC 8200 §4.2: PadN with four bytes.
    let padding = [1, 4, 0, 0, 0, 0];
    for headers in [
        &[HOP_BY_HOP][..],
        &[DESTINATION_OPTIONS],
        &[HOP_BY_HOP, DESTINATION_OPTIONS],
    ] {
        answered(1, 0, 1, Verdict::ExtensionHeader, |packet| {
            let add = |packet: Packet, &header| packet.extension(header, &padding);
            vec![headers.iter().fold(packet, add).packet()]
        });
    }
}

#[test]
fn fragments_go_to_the_kernel_and_are_answered_when_they_are_whole() {
    // The UDP header comes first, and a fragment starts at a multiple of eight.
    let len = 8 + query("medium.example", rtype::A).len();
    for family in [0, 1] {
        answered(family, 0, 1, Verdict::Fragment, |packet| {
            let halves = [16..len, 0..16];
            let halves = halves.map(|range| packet.clone().fragment(range).packet());
            halves.to_vec()
        });
    }
}

#[test]
fn a_query_larger_than_a_packet_is_answered() {
    let Some(stage) = Stage::new(&[]) else { return };
    let plain = query_padded(0);
    for address in stage.addresses() {
        let reply = stage.ask(address, &query_padded(2_500));
        assert_eq!(reply, stage.ask(address, &plain));
    }
    let stats = stage.await_answers(2, 2);
    assert_eq!(stats.xdp(INTERFACE, Verdict::Fragment), 4, "{stats}");
    stage.server.stop();
}

/// A query with `padding` bytes in a padding option (RFC 7830).
fn query_padded(padding: u16) -> Vec<u8> {
    let mut ask = Ask::new(Name::parse("medium.example"), rtype::A).edns(4096);
    let options = &mut ask.edns.as_mut().unwrap().options;
    options.extend([0, 12]);
    options.extend(padding.to_be_bytes());
    options.extend(vec![0; padding.into()]);
    ask.message()
}

/// Asks the server's address of a `family` (0: IPv4) in the packets that `shape` makes of a plain
/// one: it is answered as the plain one is, so often over AF_XDP, so often by the kernel.
fn answered(
    family: usize,
    by_xdp: u64,
    by_kernel: u64,
    verdict: Verdict,
    shape: impl Fn(Packet) -> Vec<Vec<u8>> + Sync,
) {
    let Some(stage) = Stage::new(&[]) else { return };
    let server = stage.addresses()[family];
    let client = [stage.veth.client.ipv4.into(), stage.veth.client.ipv6.into()][family];
    let query = query("medium.example", rtype::A);
    let plain = stage.ask(server, &query);
    let before = stage.await_answers(1, 0);
    let (reply, from) = stage.client(|| {
        let socket = UdpSocket::bind(SocketAddr::new(client, 0)).unwrap();
        socket
            .set_read_timeout(Some(tests::server::PATIENCE))
            .unwrap();
        let packet = Packet::udp(socket.local_addr().unwrap(), server, &query);
        raw::send(server.ip(), &shape(packet));
        client::receive(&socket).expect("a reply")
    });
    assert_eq!((reply, from), (plain, server));
    let stats = stage.await_answers(1 + by_xdp, by_kernel);
    let counted = stats.xdp(INTERFACE, verdict) - before.xdp(INTERFACE, verdict);
    assert!(counted >= by_xdp.max(by_kernel), "{stats}");
    stage.server.stop();
}

//! What is told at `/metrics` of traffic that came over AF_XDP, through the kernel and by TCP.

use crate::raw;
use crate::stage::{INTERFACE, Stage, ip};
use std::net::{SocketAddr, UdpSocket};
use tests::client::{self, query};
use tests::netns::{Veth, privileged};
use tests::packets::Packet;
use tests::record::rtype;
use tests::scrape::Scrape;
use tests::tcp;

/// Where metrics are told, in the server's namespace.
const HTTP: &str = "127.0.0.1:9053";

#[test]
fn received_is_what_was_answered_and_what_was_not_for_every_worker() {
    let Some(stage) = stage() else { return };
    for server in stage.addresses() {
        stage.client(|| send_all_sorts(server));
    }
    stage.client(|| send_a_wrong_length(&stage));
    // Of each family three are answered and three are not, by UDP and by TCP.
    let counted = |stats: &tests::stats::Stats| {
        (
            stats.total("received") - stats.siblings("received"),
            stats.siblings("received"),
        )
    };
    stage.server.await_stats(|stats| counted(stats) == (12, 13));
    let scrape = scrape(&stage);
    let workers = scrape.values("worker");
    assert_eq!(
        workers,
        ["server0/0", "server0/1", "sibling/0", "sibling/1"]
    );
    scrape.assert_workers_add_up();
    for (name, labels, value) in [
        ("replies_total", "server0", 6),
        ("replies_total", "rcode=\"nxdomain\"", 4),
        ("discards_total", "server0", 6),
        ("discards_total", "sibling", 7),
        ("discards_total", "reason=\"response\"", 4),
        ("discards_total", "reason=\"short_message\"", 9),
        ("xdp_verdicts_total", "verdict=\"redirect\"", 12),
        ("tcp_queries_total", "", 12),
    ] {
        let sum = scrape.sum(&format!("ripples_{name}"), labels);
        assert_eq!(sum, f64::from(value), "{name} {labels}: {scrape}");
    }
    stage.server.stop();
}

#[test]
fn the_kernels_counters_of_a_queue_are_told_until_its_interface_is_gone_and_nothing_breaks() {
    if !privileged() {
        return;
    }
    let mut stage = Stage::on(Veth::new(2), &["--io", "auto", "--http", HTTP]);
    let told = scrape(&stage);
    for queue in ["0", "1"] {
        for event in ["rx_dropped", "rx_ring_full", "rx_fill_ring_empty_descs"] {
            let name =
                format!("ripples_xdp_{event}_total{{interface=\"{INTERFACE}\",queue=\"{queue}\"}}");
            assert_eq!(told.sample(&name), Some(0.0), "{told}");
        }
    }
    let server = stage.addresses()[0];
    stage.ask(server, &query("www.example", rtype::A));
    ip(&stage.veth.server, &format!("link del {INTERFACE}"));
    stage.server.await_log("is gone");
    let gone = scrape(&stage);
    assert_eq!(gone.sum("ripples_replies_total", INTERFACE), 1.0, "{gone}");
    stage.server.stop();
}

fn stage() -> Option<Stage> {
    Stage::new(&["--http", HTTP])
}

fn scrape(stage: &Stage) -> Scrape {
    let http = HTTP.parse().unwrap();
    stage.veth.server.namespace.run(|| Scrape::of(http))
}

/// Three queries that are answered and three messages that are not, by UDP and by TCP.
fn send_all_sorts(server: SocketAddr) {
    for (name, rtype) in [
        ("www.example", rtype::A),
        ("nosuch.example", rtype::AAAA),
        ("elsewhere.test", rtype::MX),
    ] {
        client::ask(server, &query(name, rtype));
        client::ask_tcp(server, &query(name, rtype));
    }
    let mut response = query("www.example", rtype::A);
    response[2] |= 0x80;
    for message in [&response[..], &response[..5], &response[..11]] {
        client::socket(server).send_to(message, server).unwrap();
        let mut connection = tcp::Client::connect(server);
        connection.send(&tcp::framed(message));
        assert!(connection.receive().is_err(), "it is closed");
    }
}

/// A query whose UDP header says less than there is: the kernel cuts it, and a sibling gets less
/// than a header.
fn send_a_wrong_length(stage: &Stage) {
    let server = stage.addresses()[0];
    let socket = UdpSocket::bind(SocketAddr::new(stage.veth.client.ipv4.into(), 0)).unwrap();
    let message = query("www.example", rtype::A);
    let mut packet = Packet::udp(socket.local_addr().unwrap(), server, &message).packet();
    // The length, then no checksum (RFC 768).
    packet[24..28].copy_from_slice(&[0, 8 + 11, 0, 0]);
    let mut long = packet.clone();
    long[24..26].copy_from_slice(&[0xff, 0xff]);
    raw::send(server.ip(), &[packet, long]);
}

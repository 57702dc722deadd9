//! What AF_XDP does not bring: kernel sockets answer it, from the address asked, port included.

use crate::addresses::pair;
use crate::raw;
use crate::stage::{INTERFACE, Stage};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;
use tests::client::{self, query};
use tests::netns::End;
use tests::packets::{DESTINATION_OPTIONS, HOP_BY_HOP, Packet};
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch, PATIENCE};
use tests::stats::Stats;

/// Queries in the two seconds of a load.
const LOAD: u16 = 10_000;
/// Addresses that are asked: not the ones that Linux would choose for a reply.
const ASKED: [&str; 2] = ["10.53.0.12:53", "[fd53::12]:53"];
/// Addresses to listen on: all that there are, and those alone.
const LISTEN: [&[&str]; 2] = [&[], &["--listen", ASKED[0], "--listen", ASKED[1]]];

#[test]
fn without_xdp_queries_in_any_packet_are_answered() {
    for listen in LISTEN {
        let Some(stage) = on_sockets(listen) else {
            return;
        };
        for server in asked() {
            let query = query("medium.example", rtype::A);
            let plain = stage.ask(server, &query);
            for packets in shapes(server.is_ipv4()) {
                let reply = ask_in(&stage, server, &query, packets);
                assert_eq!(reply, (plain.clone(), server), "{listen:?}");
            }
        }
        stage.server.stop();
    }
}

#[test]
fn other_interfaces_are_left_to_kernel_sockets() {
    for listen in LISTEN {
        let Some(veth) = pair() else { return };
        let stage = Stage::on(veth, &[&["--io", "xdp"], listen].concat());
        let query = query("www.example", rtype::A);
        for (number, server) in (1..).zip(asked()) {
            let over_xdp = stage.ask(server, &query);
            // From the server's own namespace the way to its addresses is the loopback interface.
            let namespace = &stage.veth.server.namespace;
            let reply = namespace.run(|| client::ask(server, &query));
            assert_eq!(reply, (over_xdp, server), "{listen:?}");
            stage.await_answers(number, number);
        }
        stage.server.stop();
    }
}

#[test]
fn what_comes_by_a_queue_without_a_socket_is_left_to_kernel_sockets() {
    for listen in LISTEN {
        let Some(veth) = pair() else { return };
        // A native program wants no fewer queues than the other end sends to.
        channels(&veth.client, 1);
        channels(&veth.server, 1);
        let stage = Stage::on(veth, &[&["--io", "xdp"], listen].concat());
        assert_eq!(stage.server.stats().workers(), ["server0/0", "sibling/0"]);
        // One more from now on, and no worker for it.
        channels(&stage.veth.server, 2);
        channels(&stage.veth.client, 2);
        let query = query("www.example", rtype::A);
        for server in asked() {
            let before = stage.server.stats();
            let by = |worker| move |stats: &Stats| stats.worker(worker, "answers");
            let (xdp, kernel) = (by("server0/0"), by("sibling/0"));
            // Veth sends each socket's packets to one queue; which one, its hash says.
            stage.client(|| {
                for _ in 0..40 {
                    assert_eq!(client::ask(server, &query).1, server);
                }
            });
            stage.server.await_stats(|stats| {
                let counted = (xdp(stats) - xdp(&before), kernel(stats) - kernel(&before));
                counted.0 + counted.1 == 40 && counted.0 > 0 && counted.1 > 0
            });
        }
        stage.server.stop();
    }
}

#[test]
fn what_comes_by_a_queue_that_cannot_send_is_left_to_kernel_sockets_with_a_warning() {
    let Some(veth) = pair() else { return };
    let mut ethtool = veth.server.namespace.command("ethtool");
    ethtool.args(["-L", INTERFACE, "rx", "2", "tx", "1"]);
    assert!(ethtool.status().unwrap().success());
    let stage = Stage::on(veth, &["--io", "xdp"]);
    assert_eq!(stage.server.stats().workers(), ["server0/0", "sibling/0"]);
    let log = stage.server.log();
    assert!(
        log.contains("server0 receives by 2 queues and sends by 1"),
        "{log}"
    );
    let query = query("www.example", rtype::A);
    for _ in 0..40 {
        stage.ask(stage.addresses()[0], &query);
    }
    stage.server.await_stats(|stats| {
        let kernel = stats.worker("sibling/0", "answers");
        kernel > 0 && kernel + stats.worker("server0/0", "answers") == 40
    });
    stage.server.stop();
}

#[test]
fn every_worker_on_kernel_sockets_has_its_share_and_loses_nothing() {
    let workers = ["--workers", "2"];
    let Some(stage) = on_sockets(&workers) else {
        return;
    };
    let query = query("www.example", rtype::A);
    for server in asked() {
        let load = || client::load(server, &query, LOAD, Duration::from_secs(2));
        let answered = stage.client(load);
        let counts = (answered.sent, answered.received);
        assert_eq!(
            counts,
            (LOAD.into(), LOAD.into()),
            "{}",
            stage.server.stats()
        );
    }
    let stats = stage.server.stats();
    for worker in ["socket/0", "socket/1"] {
        assert!(stats.worker(worker, "answers") > 1_000, "{worker}: {stats}");
    }
    stage.server.stop();
}

/// [`ASKED`], parsed.
fn asked() -> [SocketAddr; 2] {
    ASKED.map(|address| address.parse().unwrap())
}

/// A server on kernel sockets alone.
fn on_sockets(arguments: &[&str]) -> Option<Stage> {
    let veth = pair()?;
    let namespace = &veth.server.namespace;
    let launch = Launch::run(&["--io", "socket"]);
    let launch = launch.with(arguments).within(namespace);
    Some(Stage {
        server: launch.zone("example", EXAMPLE).start(),
        veth,
    })
}

/// Switches how many queues an interface has, within those that it was made with.
fn channels(end: &End, count: u32) {
    let mut ethtool = end.namespace.command("ethtool");
    let count = count.to_string();
    ethtool.args(["-L", end.interface, "rx", &count, "tx", &count]);
    let output = ethtool.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{ethtool:?}: {complaint}");
}

/// What makes packets of a plain one.
type Shape = fn(Packet) -> Vec<Vec<u8>>;

/// What may be done to a query of a family.
fn shapes(is_ipv4: bool) -> Vec<Shape> {
    let fragments: Shape = |packet| {
        // The UDP header comes first, and a fragment starts at a multiple of eight.
        let len = 8 + query("medium.example", rtype::A).len();
        let halves = [16..len, 0..16];
        let halves = halves.map(|range| packet.clone().fragment(range).packet());
        halves.to_vec()
    };
    let headers: [Shape; 2] = match is_ipv4 {
        true => [
            |packet| vec![packet.ipv4_options(&[1, 1, 1, 1]).packet()],
            // RFC 791 §3.1: a record-route option with room for two addresses.
            |packet| {
                let route = [7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                vec![packet.ipv4_options(&route).packet()]
            },
        ],
        // RFC 8200 §4.2: PadN with four bytes.
        false => [
            |packet| vec![packet.extension(HOP_BY_HOP, &[1, 4, 0, 0, 0, 0]).packet()],
            |packet| {
                let padding = [1, 4, 0, 0, 0, 0];
                let packet = packet.extension(HOP_BY_HOP, &padding);
                vec![packet.extension(DESTINATION_OPTIONS, &padding).packet()]
            },
        ],
    };
    [fragments].into_iter().chain(headers).collect()
}

/// Asks in the packets that `shape` makes of a plain one; returns the reply and where it came from.
fn ask_in(stage: &Stage, server: SocketAddr, query: &[u8], shape: Shape) -> (Vec<u8>, SocketAddr) {
    let client: IpAddr = match server.is_ipv4() {
        true => stage.veth.client.ipv4.into(),
        false => stage.veth.client.ipv6.into(),
    };
    stage.client(|| {
        let socket = UdpSocket::bind(SocketAddr::new(client, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let packet = Packet::udp(socket.local_addr().unwrap(), server, query);
        raw::send(server.ip(), &shape(packet));
        client::receive(&socket).expect("a reply")
    })
}

//! Several threads for TCP: what they share, and what each has for itself.

use nix::sys::signal::Signal;
use std::io;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};
use tests::client::{ask_tcp, query};
use tests::loopback;
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch, Server};
use tests::tcp::{Client, framed};

fn start(address: SocketAddr, options: &str) -> Server {
    Launch::run(&["--io", "socket", "--listen", &address.to_string()])
        .file("ripples.toml", options)
        .with(&["--config", "ripples.toml"])
        .zone("example", EXAMPLE)
        .start()
}

#[test]
fn connections_are_spread_over_the_siblings_and_all_are_answered() {
    let address = loopback::address();
    let server = start(address, "tcp.threads = 3\ntcp.cpus = [0]\n");
    let query = query("www.example", rtype::A);
    for _ in 0..200 {
        ask_tcp(address, &query);
    }
    let stats = server.await_stats(|stats| stats.tcp("events.answers") == 200);
    for sibling in ["sibling/0", "sibling/1", "sibling/2"] {
        assert!(stats.worker(sibling, "answers") > 0, "{sibling}: {stats}");
    }
    assert_eq!(stats.siblings("answers"), 200);
    server.stop();
}

#[test]
fn there_are_as_many_siblings_as_workers_unless_it_is_said() {
    let address = loopback::address();
    let server = start(address, "workers = 2\n");
    let stats = server.stats();
    let expected = ["sibling/0", "sibling/1", "socket/0", "socket/1"];
    assert_eq!(stats.workers(), expected);
    server.stop();
}

#[test]
fn an_address_that_siblings_share_is_shared_with_no_other_server() {
    let address = loopback::address();
    let server = start(address, "tcp.threads = 2\nudp.enable = false\n");
    let second = Launch::run(&["--io", "socket", "--listen", &address.to_string()])
        .file("ripples.toml", "tcp.threads = 2\nudp.enable = false\n")
        .with(&["--config", "ripples.toml"])
        .zone("example", EXAMPLE)
        .finish();
    assert_ne!(second.code, Some(0));
    let expected = format!("TCP {address}: another program listens there");
    assert!(second.stderr.contains(&expected), "{}", second.stderr);
    ask_tcp(address, &query("www.example", rtype::A));
    server.stop();
}

#[test]
fn limits_hold_over_all_siblings() {
    let address = loopback::address();
    let options = "tcp.threads = 2\ntcp.connections_max = 20\n";
    let server = start(address, options);
    let message = framed(&query("www.example", rtype::A));
    // Whoever is idle makes room for the next.
    let clients: Vec<Client> = (0..100)
        .map(|_| {
            let mut client = Client::connect(address);
            client.send(&message);
            client.receive().expect("an answer");
            client
        })
        .collect();
    let stats = server.await_stats(|stats| stats.tcp("closed.evicted") == 80);
    assert_eq!(stats.tcp("open"), 20, "{stats}");
    drop(clients);
    server.stop();
}

#[test]
fn a_stopping_server_has_no_socket_open_that_nobody_serves() {
    let address = loopback::address();
    let server = start(
        address,
        "tcp.threads = 2\ntcp.drain_timeout_ms = 60000\ntcp.receive_timeout_ms = 60000\n",
    );
    let message = framed(&query("www.example", rtype::A));
    let mut torn = Client::connect(address);
    torn.send(&message[..5]);
    server.await_stats(|stats| stats.tcp("events.accepted") == 1);
    server.signal(Signal::SIGTERM);
    let asking = UdpSocket::bind("127.0.0.1:0").unwrap();
    asking.connect(address).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let is_refused = |error: Option<io::Error>| {
        error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    // A datagram's refusal is told to the next call.
    while !is_refused(TcpStream::connect(address).err())
        || !is_refused(asking.send(&message[2..]).err())
    {
        assert!(
            Instant::now() < deadline,
            "somebody listens, and nobody answers"
        );
        std::thread::park_timeout(Duration::from_millis(5));
    }
    torn.send(&message[5..]);
    assert!(torn.receive().is_ok(), "it was not draining any more");
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_cpu_that_is_not_there_is_refused_by_its_option() {
    let address = loopback::address();
    let ended = Launch::run(&["--io", "socket", "--listen", &address.to_string()])
        .file("ripples.toml", "tcp.cpus = [0, 4000]\n")
        .with(&["--config", "ripples.toml"])
        .zone("example", EXAMPLE)
        .finish();
    assert_ne!(ended.code, Some(0));
    let expected = "tcp.cpus: CPU 4000 is not available";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}

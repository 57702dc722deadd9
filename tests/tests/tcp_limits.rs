//! The sibling thread at its limits: connections, networks, descriptors, memory.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use ripples::tcp::{Sibling, TcpClose, TcpConfig, TcpCounters, TcpEvent};
use std::net::SocketAddr;
use std::path::Path;
use std::process::id;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::process::{alone, descriptor_count, resident_kib};
use tests::tcp::{Client, Echo, Server, answer_to, framed, query};

#[test]
fn at_the_limit_the_oldest_idle_connection_makes_room() {
    let server = Server::start(TcpConfig {
        connections_max: 3,
        ..TcpConfig::default()
    });
    let mut clients = [server.connect(), server.connect(), server.connect()];
    for index in [1, 0, 2, 1] {
        clients[index].ask(&query(1, 30));
        // Times are whole milliseconds.
        std::thread::park_timeout(Duration::from_millis(3));
    }
    let mut newcomer = server.connect();
    newcomer.ask(&query(2, 30));
    assert!(clients[0].is_closed());
    clients[1].ask(&query(3, 30));
    clients[2].ask(&query(3, 30));
    server.await_totals(|totals| totals.closes(TcpClose::Evicted) == 1 && totals.open() == 3);
    drop(clients);
    drop(newcomer);
    server.finish();
}

#[test]
fn at_the_limit_connections_that_say_nothing_make_room_for_those_that_ask() {
    let server = Server::start(TcpConfig {
        connections_max: 3,
        receive_timeout_ms: 60_000,
        ..TcpConfig::default()
    });
    let mut silent: Vec<Client> = (0..3).map(|_| server.connect()).collect();
    let mut newcomer = server.connect();
    newcomer.ask(&query(2, 30));
    assert!(silent[0].is_closed());
    silent[1].ask(&query(3, 30));
    drop((silent, newcomer));
    server.finish();
}

#[test]
fn a_network_at_its_limit_closes_its_own_oldest_idle_connection_or_is_refused() {
    let server = Server::start(TcpConfig {
        listen: vec!["0.0.0.0:0".parse().unwrap()],
        connections_per_network_max: 2,
        receive_timeout_ms: 60_000,
        ..TcpConfig::default()
    });
    let mut neighbour = connect_from([127, 0, 1, 1], &server);
    neighbour.ask(&query(1, 30));
    let mut first = connect_from([127, 0, 2, 1], &server);
    first.ask(&query(1, 30));
    let mut second = connect_from([127, 0, 2, 255], &server);
    second.ask(&query(1, 30));
    let mut third = connect_from([127, 0, 2, 3], &server);
    third.ask(&query(1, 30));
    assert!(first.is_closed());
    server.await_closes(TcpClose::Evicted, 1);
    neighbour.ask(&query(2, 30));

    for client in [&mut second, &mut third] {
        client.send(&[0]);
    }
    let mut refused = connect_from([127, 0, 2, 4], &server);
    assert!(refused.is_closed());
    server.await_closes(TcpClose::RefusedNetwork, 1);
    let mut other = connect_from([127, 0, 3, 1], &server);
    other.ask(&query(1, 30));
    drop((neighbour, second, third, other));
    server.finish();
}

#[test]
fn ten_thousand_connections_come_and_go_and_leave_nothing_behind() {
    alone(
        "ten_thousand_connections_come_and_go_and_leave_nothing_behind",
        || {
            let server = Server::start(TcpConfig {
                connections_per_network_max: 100_000,
                ..TcpConfig::default()
            });
            (0..10).for_each(|_| two_hundred_come_and_go(&server));
            let (descriptors, memory) = (descriptor_count(id()), resident_kib(id()));
            (10..50).for_each(|_| two_hundred_come_and_go(&server));
            assert_eq!(server.totals().events(TcpEvent::Accepted), 10_000);
            assert_eq!(descriptor_count(id()), descriptors);
            let grown = resident_kib(id()).saturating_sub(memory);
            assert!(grown < 256, "{grown} KiB more than after 2,000 connections");
            server.finish();
        },
    );
}

fn two_hundred_come_and_go(server: &Server) {
    let mut clients: Vec<Client> = (0..200).map(|_| server.connect()).collect();
    for (index, client) in clients.iter_mut().enumerate() {
        match index % 3 {
            0 => client.ask(&query(1, 40)),
            1 => client.send(&[0]),
            _ => {}
        }
    }
    drop(clients);
    server.await_totals(|totals| totals.open() == 0);
}

#[test]
fn without_descriptors_accepting_rests_and_goes_on_later() {
    alone(
        "without_descriptors_accepting_rests_and_goes_on_later",
        || {
            let counters = Arc::new(TcpCounters::default());
            let mut sibling = sibling(counters.clone());
            let address = sibling.addresses()[0];
            let mut clients: Vec<Client> = (0..14).map(|_| Client::connect(address)).collect();
            limit_descriptors(6);
            let mut echo = Echo::default();
            let started = Instant::now();
            while started.elapsed() < Duration::from_millis(1050) {
                sibling.turn(1000, &mut echo).unwrap();
            }
            let totals = counters.totals();
            assert_eq!(totals.events(TcpEvent::Accepted), 6);
            assert_eq!(
                totals.closed(),
                0,
                "connections that wait for a query were closed"
            );
            let tried = totals.events(TcpEvent::AcceptExhausted);
            assert!(
                (5..=12).contains(&tried),
                "tried {tried} times in a second of pauses"
            );
            assert!(totals.events(TcpEvent::Turns) < 30, "it did not sleep");

            let mut last = clients.pop().unwrap();
            clients.truncate(3);
            last.send(&framed(&query(1, 30)));
            while counters.totals().events(TcpEvent::Answers) == 0 {
                sibling.turn(1000, &mut echo).unwrap();
            }
            assert_eq!(last.receive().unwrap(), answer_to(&query(1, 30)));
            assert_eq!(counters.totals().events(TcpEvent::Accepted), 14);
        },
    );
}

#[test]
fn without_descriptors_the_oldest_idle_connection_makes_room_for_each_that_waits() {
    let name = "without_descriptors_the_oldest_idle_connection_makes_room_for_each_that_waits";
    alone(name, || {
        let counters = Arc::new(TcpCounters::default());
        let mut sibling = sibling(counters.clone());
        let address = sibling.addresses()[0];
        let mut echo = Echo::default();
        let mut clients: Vec<Client> = (0..5).map(|_| Client::connect(address)).collect();
        limit_descriptors(3);
        for (wanted, client) in (1..).zip(&mut clients) {
            client.send(&framed(&query(1, 30)));
            while counters.totals().events(TcpEvent::Answers) < wanted {
                sibling.turn(1000, &mut echo).unwrap();
            }
            // Times are whole milliseconds.
            std::thread::park_timeout(Duration::from_millis(3));
        }
        let totals = counters.totals();
        assert_eq!(totals.events(TcpEvent::Accepted), 5);
        assert_eq!((totals.closes(TcpClose::Evicted), totals.closed()), (2, 2));
        let open = clients.iter_mut().map(|client| {
            assert_eq!(client.receive().unwrap(), answer_to(&query(1, 30)));
            client.0.set_nonblocking(true).unwrap();
            !client.is_closed()
        });
        assert_eq!(open.collect::<Vec<_>>(), [false, false, true, true, true]);
    });
}

#[test]
fn partial_queries_cannot_use_up_the_memory_of_honest_clients() {
    let server = Server::start(TcpConfig {
        memory_max: 1 << 20,
        receive_timeout_ms: 60_000,
        ..TcpConfig::default()
    });
    let torn = framed(&query(1, 65_535));
    let mut hoarders: Vec<Client> = (0..30).map(|_| server.connect()).collect();
    for hoarder in &mut hoarders {
        // The server may close it in the middle.
        let _ = std::io::Write::write_all(&mut hoarder.0, &torn[..60_000]);
    }
    server.await_closes(TcpClose::OutOfMemory, 14);
    let mut honest = server.connect();
    honest.ask(&query(1, 30));
    drop((hoarders, honest));
    server.finish();
}

/// A server that the test drives turn by turn, so that it takes descriptors when it is let.
fn sibling(counters: Arc<TcpCounters>) -> Sibling {
    let config = TcpConfig {
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        receive_timeout_ms: 60_000,
        ..TcpConfig::default()
    };
    Sibling::new(config, counters).unwrap()
}

/// Connects from a loopback address of the test's choice.
fn connect_from(source: [u8; 4], server: &Server) -> Client {
    let target = SocketAddr::from(([127, 0, 0, 1], server.address.port()));
    Client::connect_from(source.into(), target).unwrap()
}

/// Leaves room for this many more descriptors. The limit is on their numbers, not on their count,
/// and those that were inherited need not be the lowest ones.
fn limit_descriptors(more: usize) {
    let is_free = |number: &u64| !Path::new(&format!("/proc/self/fd/{number}")).exists();
    let soft = (0..).filter(is_free).nth(more).unwrap();
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
}

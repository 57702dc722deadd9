//! TCP at a stop: what is there is answered, and it ends in time.

use ripples::tcp::{TcpClose, TcpConfig, TcpEvent};
use std::time::{Duration, Instant};
use tests::tcp::{Client, Echo, Server, answer_to, framed, query, query_for, sibling_with};

#[test]
fn a_stopped_server_answers_what_is_there_and_closes_idle_connections() {
    let server = Server::start(TcpConfig {
        drain_timeout_ms: 60_000,
        ..TcpConfig::default()
    });
    let mut idle = server.connect();
    idle.ask(&query(1, 30));
    let mut partial = server.connect();
    let late = framed(&query(2, 30));
    partial.send(&late[..10]);
    server.await_events(TcpEvent::Accepted, 2);
    let mut unread = server.connect();
    let large: Vec<Vec<u8>> = (0..200).map(|id| query_for(id, 60_000)).collect();
    for query in &large {
        unread.send(&framed(query));
    }
    server.await_events(TcpEvent::BlockedSends, 1);
    let mut waiting: Vec<Client> = (0..20).map(|_| server.connect()).collect();
    for client in &mut waiting {
        client.send(&framed(&query(3, 30)));
    }
    server.waker.stop();
    assert!(idle.is_closed());
    for client in &mut waiting {
        assert_eq!(client.receive().unwrap(), answer_to(&query(3, 30)));
        assert!(client.is_closed());
    }
    partial.send(&late[10..]);
    assert_eq!(partial.receive().unwrap(), answer_to(&query(2, 30)));
    assert!(partial.is_closed());
    for query in &large {
        assert_eq!(unread.receive().unwrap(), answer_to(query));
    }
    assert!(unread.is_closed());
    server.await_closes(TcpClose::Drained, 23);
    let address = server.address;
    server.finish();
    assert!(
        std::net::TcpStream::connect(address).is_err(),
        "it still listens"
    );
}

#[test]
fn clients_that_wait_to_be_accepted_when_the_server_stops_are_served_too() {
    let mut sibling = sibling_with(TcpConfig {
        events_per_wait: 3,
        drain_timeout_ms: 60_000,
        ..TcpConfig::default()
    });
    let mut echo = Echo::default();
    let address = sibling.addresses()[0];
    // The events of these come before the listener's.
    let mut busy: Vec<Client> = (0..5).map(|_| Client::connect(address)).collect();
    while !sibling.turn(20, &mut echo).unwrap().idle {}
    busy.iter_mut()
        .for_each(|client| client.send(&framed(&query(1, 30))));
    let mut late: Vec<Client> = (0..20).map(|_| Client::connect(address)).collect();
    late[..10]
        .iter_mut()
        .for_each(|client| client.send(&framed(&query(2, 30))));
    sibling.waker().stop();
    let started = Instant::now();
    while !sibling.turn(1000, &mut echo).unwrap().finished {}
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "silent ones were waited for"
    );
    for (clients, id) in [(&mut busy[..], 1), (&mut late[..10], 2)] {
        for client in clients {
            assert_eq!(client.receive().unwrap(), answer_to(&query(id, 30)));
        }
    }
    assert!(late[10..].iter_mut().all(Client::is_closed));
}

#[test]
fn a_stopped_server_ends_at_its_deadline_whatever_its_clients_do() {
    let server = Server::start(TcpConfig {
        drain_timeout_ms: 200,
        receive_timeout_ms: 60_000,
        ..TcpConfig::default()
    });
    let mut partial = server.connect();
    partial.send(&[0]);
    server.await_events(TcpEvent::Accepted, 1);
    let mut unread = server.connect();
    for _ in 0..200 {
        unread.send(&framed(&query_for(1, 60_000)));
    }
    server.await_events(TcpEvent::BlockedSends, 1);
    let started = Instant::now();
    let counters = server.counters.clone();
    server.finish();
    let elapsed = started.elapsed();
    assert!((195..5000).contains(&elapsed.as_millis()), "{elapsed:?}");
    assert_eq!(counters.totals().closes(TcpClose::Drained), 2);
}

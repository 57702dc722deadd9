//! The measuring mode sends every frame back as it came.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use ripples::port::MemPort;
use ripples::reflect::Reflection;
use ripples::telemetry::{Counters, Discard, Event, Tally, Totals};
use std::net::SocketAddr;
use tests::exchange::Datagram;
use tests::packets::{Packet, arp, query};

const SERVER: &str = "192.0.2.1:53";

/// What comes of one turn over these frames: the frames sent, and what was counted.
fn turn(limit: usize, frames: &[Vec<u8>]) -> (Vec<Vec<u8>>, Totals) {
    let mut port = MemPort::ethernet(64, 2048);
    for frame in frames {
        assert!(port.inject(frame));
    }
    let mut tally = Tally::default();
    Reflection::new(limit).run(&mut port, &mut tally);
    let counters = Counters::default();
    counters.publish(&mut tally);
    assert_eq!(port.census().held, 0);
    (port.take_sent(), counters.totals())
}

fn frame(client: &str, payload: &[u8]) -> Vec<u8> {
    let [client, server] = [client, SERVER].map(|text| text.parse::<SocketAddr>().unwrap());
    Packet::udp(client, server, payload).frame()
}

#[test]
fn a_query_comes_back_to_its_client_unchanged() {
    let message = query(7, "www.example", 1);
    let (sent, totals) = turn(64, &[frame("192.0.2.9:4000", &message)]);
    let reply = Datagram::read(&sent[0]).unwrap();
    assert_eq!(reply.payload, message);
    assert_eq!(reply.source, SERVER.parse().unwrap());
    assert_eq!(reply.destination, "192.0.2.9:4000".parse().unwrap());
    assert_eq!(totals.events(Event::Received), 1);
    assert_eq!(totals.events(Event::Reflected), 1);
    assert_eq!(totals.answered() + totals.discarded(), 0);
}

#[test]
fn what_is_no_message_comes_back_as_well() {
    // A load generator's payload need not be DNS.
    let (sent, totals) = turn(64, &[frame("192.0.2.9:9", &[0xff; 18])]);
    assert_eq!(Datagram::read(&sent[0]).unwrap().payload, [0xff; 18]);
    assert_eq!(totals.events(Event::Reflected), 1);
}

#[test]
fn nothing_comes_back_that_would_be_reflected_again() {
    let frames = [frame("192.0.2.9:53", &query(7, "www.example", 1)), arp()];
    let (sent, totals) = turn(64, &frames);
    assert!(sent.is_empty());
    assert_eq!(totals.discards(Discard::NoReturn), 1);
    assert_eq!(totals.discarded(), 2);
    assert_eq!(totals.events(Event::Reflected), 0);
}

#[test]
fn a_turn_takes_no_more_than_its_vector() {
    let message = query(7, "www.example", 1);
    let frames = vec![frame("192.0.2.9:4000", &message); 9];
    let (sent, totals) = turn(8, &frames);
    assert_eq!((sent.len(), totals.events(Event::Turns)), (8, 1));
}

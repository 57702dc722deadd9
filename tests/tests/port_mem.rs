//! The memory port keeps its promises whatever is done to it.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use proptest::collection::vec;
use proptest::prelude::*;
use ripples::port::{MemPort, Port, VECTOR_CAPACITY, Vector};
use ripples::telemetry::{Counters, Event, Tally};
use std::net::{IpAddr, Ipv4Addr};
use tests::echo::Echo;

const FRAMES: usize = 24;
const FRAME_SIZE: usize = 256;
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// One thing that can be done to a port.
#[derive(Clone, Debug)]
enum Step {
    Inject(u8),
    Receive(usize),
    Transmit(usize),
    Recycle(usize),
    Clear,
    Limit(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<u8>().prop_map(Step::Inject),
        3 => (0..40usize).prop_map(Step::Receive),
        2 => (0..8usize).prop_map(Step::Transmit),
        2 => (0..8usize).prop_map(Step::Recycle),
        1 => Just(Step::Clear),
        1 => (0..FRAMES).prop_map(Step::Limit),
    ]
}

proptest! {
    #[test]
    fn no_sequence_of_calls_loses_or_invents_a_frame(steps in vec(step(), 0..200)) {
        let mut port = MemPort::bare(FRAMES, FRAME_SIZE, CLIENT);
        let (mut held, mut replies) = (Vector::new(), Vector::new());
        let (mut injected, mut received) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Inject(byte) => {
                    let free = port.census().free;
                    let message = vec![byte; usize::from(byte) + 1];
                    prop_assert_eq!(port.inject(&message), free > 0);
                    if free > 0 {
                        injected.push(message);
                    }
                }
                Step::Receive(limit) => {
                    let before = held.len();
                    port.receive(&mut held, limit);
                    prop_assert!(held.len() - before <= limit);
                    received.extend(held[before..].iter().map(|frame| port.bytes(frame).to_vec()));
                }
                Step::Transmit(count) => {
                    replies.extend(held.drain(..count.min(held.len())));
                    port.transmit(&mut replies);
                    prop_assert!(replies.is_empty());
                }
                Step::Recycle(count) => {
                    held.drain(..count.min(held.len())).for_each(|frame| port.recycle(frame));
                }
                Step::Clear => port.clear_sent(),
                Step::Limit(frames) => port.limit_transmit(frames),
            }
            let census = port.census();
            prop_assert_eq!(census.total(), FRAMES, "{:?}", census);
            prop_assert_eq!(census.held, held.len());
        }
        // In order, each once, and none another's bytes.
        prop_assert_eq!(&received[..], &injected[..received.len()]);
        held.drain(..).for_each(|frame| port.recycle(frame));
        port.clear_sent();
        let census = port.census();
        prop_assert_eq!((census.free + census.rx, census.held), (FRAMES, 0));
    }
}

/// A query from 10.0.0.2 port 4660 to 10.0.0.1 port 53 in an Ethernet frame.
fn query(message: &[u8]) -> Vec<u8> {
    let mut frame = b"DDDDDDSSSSSS\x08\x00\x45\0\0\0\0\0\0\0\x40\x11\0\0".to_vec();
    frame.extend([10, 0, 0, 2, 10, 0, 0, 1, 0x12, 0x34, 0, 53, 0, 0, 0, 0]);
    let udp_len = u16::try_from(8 + message.len()).unwrap();
    frame[16..18].copy_from_slice(&(20 + udp_len).to_be_bytes());
    frame[38..40].copy_from_slice(&udp_len.to_be_bytes());
    frame.extend(message);
    frame
}

#[test]
fn an_ethernet_frame_comes_back_turned_round_and_longer() {
    let mut port = MemPort::ethernet(4, 256);
    assert!(port.inject(&query(b"hello")));
    assert!(port.inject(b"no such frame"));
    let mut echo = Echo::default();
    assert_eq!(echo.turn(&mut port, 100), 2);
    let sent = port.take_sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].starts_with(b"SSSSSSDDDDDD"));
    assert_eq!(sent[0][42..47], *b"hello");
    assert_eq!(sent[0][47..], [0xee; 100]);
    assert_eq!(port.census().free, 4);
}

#[test]
fn neither_the_frame_nor_the_mtu_is_exceeded() {
    for (mtu, limit) in [(10_000, 300 - 42), (128, 128 - 28), (20, 0)] {
        let mut port = MemPort::ethernet(1, 300).with_mtu(mtu);
        port.inject(&query(b"hello"));
        let mut vector = Vector::new();
        port.receive(&mut vector, 1);
        let frame = vector.pop().unwrap();
        let envelope = port.open(&frame).unwrap();
        assert_eq!(port.message_limit(&envelope), limit, "MTU {mtu}");
        port.recycle(frame);
    }
}

#[test]
fn what_does_not_fit_the_transmit_ring_is_recycled_and_counted() {
    let mut port = MemPort::bare(8, 64, CLIENT);
    port.limit_transmit(3);
    for message in 0..8 {
        assert!(port.inject(&[message]));
    }
    assert!(!port.inject(b"no frame is free"));
    let mut echo = Echo::default();
    assert_eq!(echo.turn(&mut port, 0), 8);
    let counters = Counters::default();
    counters.publish(&mut echo.tally);
    assert_eq!(counters.totals().events(Event::TransmitFailed), 5);
    assert_eq!(port.take_sent(), [[0], [1], [2]]);
    assert_eq!(port.census().free, 8);
}

#[test]
fn a_replay_never_runs_dry() {
    let queries = [query(b"one"), query(b"two")];
    let mut port = MemPort::ethernet(51, 256).replaying(queries.iter().map(Vec::as_slice));
    let mut vector = Vector::new();
    for turn in 0..1000 {
        assert_eq!(port.deliver(), 51);
        port.receive(&mut vector, 64);
        assert_eq!(vector.len(), 51);
        for (index, frame) in vector.iter_mut().enumerate() {
            let expected = &queries[(turn + index) % 2];
            assert_eq!(port.bytes(frame), expected);
            port.room(frame).fill(0); // the next turn must find it as new
        }
        port.transmit(&mut vector);
    }
    assert_eq!(port.sent_count(), 51_000);
    assert_eq!(port.census().free, 51);
    let mut tally = Tally::default();
    port.report(&mut tally);
    assert_eq!(vector.capacity(), VECTOR_CAPACITY);
}

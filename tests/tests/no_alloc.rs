//! The hot path asks the allocator for nothing: neither memory, nor to take some back.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use ripples::packet::reply::Transport;
use ripples::port::{MemPort, Port};
use ripples::querylog::{Buffer, Filter, Tap, Taps, recorder};
use ripples::snapshot::{Policy, Snapshot, mailbox};
use ripples::telemetry::{Counters, Event, Rcode, Tally};
use ripples::vectorloop::Turn;
use std::hint::black_box;
use std::sync::Arc;
use tests::alloc::{CountingAllocator, Counts};
use tests::answers::{TIME_S, arrival, snapshot_on, strict_policy, world, world_with};
use tests::ask::Ask;
use tests::hostile::{Bytes, frames, messages};
use tests::maps::{map, maps};
use tests::name::Name;
use tests::record::rtype;
use tests::single::Single;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Turns, each of a whole vector.
const TURNS: usize = 2000;

#[test]
fn the_counter_counts() {
    let counts = Counts::of(|| {
        let mut bytes: Vec<u8> = Vec::with_capacity(black_box(10));
        bytes.reserve_exact(black_box(1000));
        drop(black_box(bytes));
        drop(black_box(vec![0u8; 100]));
    });
    assert_eq!(
        counts,
        Counts {
            allocations: 3,
            frees: 2
        }
    );
    // What other threads do is not counted here.
    let elsewhere = std::thread::spawn(|| drop(black_box(vec![1u8; 100])));
    assert_eq!(
        Counts::of(|| while !elsewhere.is_finished() {}),
        Counts::NONE
    );
}

#[test]
fn turns_allocate_nothing_and_free_nothing() {
    let snapshot = world_with(strict_policy());
    let frames = samples(&frames(), 20_000);
    let mut port = MemPort::ethernet(256, 4096).replaying(frames.iter().map(|frame| &frame[..]));
    let mut turn = Turn::new(64);
    let mut tally = Tally::default();
    let counters = Counters::default();
    let counts = Counts::of(|| {
        for _ in 0..TURNS {
            port.deliver();
            turn.run(&mut port, &snapshot, TIME_S, &mut tally);
            port.report(&mut tally);
            counters.publish(&mut tally);
        }
    });
    assert_eq!(counts, Counts::NONE);
    let totals = counters.totals();
    assert_eq!(totals.events(Event::Received), 64 * TURNS as u64);
    // The frames were worth it: answers of all kinds, and frames that got none.
    for rcode in [
        Rcode::NoError,
        Rcode::NxDomain,
        Rcode::FormErr,
        Rcode::YxDomain,
        Rcode::BadCookie,
    ] {
        assert!(totals.replies(rcode) > 0, "no {rcode:?}");
    }
    for event in [
        Event::CookieClientOnly,
        Event::CookieBad,
        Event::CookieValid,
        Event::Nsid,
        Event::ClientSubnet,
        Event::Chaos,
    ] {
        assert!(totals.events(event) > 0, "no {event:?}");
    }
    assert!(totals.events(Event::Truncated) > 0 && totals.events(Event::Referrals) > 0);
    assert!(totals.discarded() > 0);
}

#[test]
fn turns_that_are_recorded_allocate_nothing_either_until_the_buffer_is_full_and_afterwards() {
    let snapshot = world_with(strict_policy());
    let frames = samples(&frames(), 20_000);
    let mut port = MemPort::ethernet(256, 4096).replaying(frames.iter().map(|frame| &frame[..]));
    let mut turn = Turn::new(64);
    let (recorder, mut reader) = recorder();
    turn.set_recorder(recorder);
    let names = vec![b"\0".to_vec()];
    let exact_names = vec![b"\x01x\0".to_vec()];
    let filter = Filter {
        names,
        exact_names,
        ..Filter::default()
    };
    let tap = Tap {
        number: 0,
        filter,
        sample: 1,
        reply_len: 512,
        queries: true,
    };
    let taps = Arc::new(Taps::new([tap]));
    let mut tally = Tally::default();
    let counters = Counters::default();
    for _ in 0..2 {
        let ordered = reader.order(Arc::clone(&taps), Some(Buffer::new(0)));
        assert!(ordered.is_ok(), "the last one was taken");
        let counts = Counts::of(|| {
            for _ in 0..TURNS / 2 {
                port.deliver();
                turn.recorder().expect("it was set").begin(|| 1);
                turn.run(&mut port, &snapshot, TIME_S, &mut tally);
                turn.recorder().expect("it was set").end(|| 2);
                counters.publish(&mut tally);
            }
        });
        assert_eq!(counts, Counts::NONE);
        assert!(reader.filled() > 0 && reader.take().is_some());
    }
    assert!(counters.totals().events(Event::Unlogged) > 0);
}

#[test]
fn single_messages_allocate_nothing_by_udp_and_tcp() {
    let snapshot = world();
    let messages = samples(&messages(), 3000);
    let mut buffer = vec![0; 65_535];
    let mut tally = Tally::default();
    let mut single = Single::default();
    for transport in [Transport::Udp, Transport::Tcp] {
        for message in &messages {
            buffer[..message.len()].copy_from_slice(message);
            let counts = Counts::of(|| {
                let (len, arrival) = (message.len(), arrival(transport));
                let buffer = &mut buffer;
                black_box(single.respond(buffer, len, &arrival, &snapshot, &mut tally));
            });
            assert_eq!(counts, Counts::NONE, "{}", message.escape_ascii());
        }
    }
}

#[test]
fn a_worker_takes_and_returns_snapshots_without_the_allocator() {
    let snapshot = |generation| {
        let key = *world().key();
        Arc::new(Snapshot::new(generation, Vec::new(), Policy::default(), key).unwrap())
    };
    let (mut mailbox, mut inbox) = mailbox(snapshot(1));
    mailbox
        .send(snapshot(2))
        .unwrap_or_else(|_| panic!("the mailbox is full"));
    mailbox
        .send(snapshot(3))
        .unwrap_or_else(|_| panic!("the mailbox is full"));
    let counts = Counts::of(|| {
        for _ in 0..3 {
            inbox.take();
        }
    });
    assert_eq!(counts, Counts::NONE);
    assert_eq!(inbox.current().generation(), 3);
}

#[test]
fn variants_are_chosen_without_the_allocator() {
    let zone = "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns.example.\nwww 60 A 192.0.2.1\n\
                alias 60 CNAME www\n$VARIANT eu\nwww 60 A 192.0.2.2\nalias 60 CNAME www\n\
                $VARIANT eu\nwww 60 A 192.0.2.3\n";
    let networks = [("198.51.100.0/24", "eu"), ("2001:db8::/32", "eu")];
    let maps = maps([map("world", &[("all", &[]), ("eu", &[])], &networks)]);
    let snapshot = snapshot_on(&[("test.", zone)], Policy::default(), &Arc::new(maps));
    let ask = Ask::new(Name::parse("alias.test."), rtype::A);
    let mut buffer = vec![0; 65_535];
    let mut tally = Tally::default();
    let mut single = Single::default();
    for ask in [ask.clone(), ask.subnet("198.51.100.0/25")] {
        let message = ask.message();
        buffer[..message.len()].copy_from_slice(&message);
        let arrival = arrival(Transport::Udp);
        let counts = Counts::of(|| {
            let (buffer, len) = (&mut buffer, message.len());
            let len = single.respond(buffer, len, &arrival, &snapshot, &mut tally);
            assert!(black_box(len).is_some());
        });
        assert_eq!(counts, Counts::NONE);
    }
}

/// Random inputs, the same in every run.
fn samples(strategy: &impl Strategy<Value = Bytes>, count: usize) -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic();
    let mut sample = || {
        strategy
            .new_tree(&mut runner)
            .expect("a sample")
            .current()
            .0
    };
    (0..count).map(|_| sample()).collect()
}

//! Whatever arrives, a turn neither panics nor loses a frame, and what it sends is a reply.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use ripples::packet::reply::Transport;
use ripples::port::MemPort;
use ripples::snapshot::Snapshot;
use ripples::telemetry::{Discard, Event, Rcode};
use std::sync::LazyLock;
use tests::answers::{guarded_policy, reply, strict_policy, world, world_with};
use tests::cases;
use tests::exchange::{Datagram, Exchange};
use tests::hostile::{Bytes, asks, frames, messages};
use tests::invariants::{check_message, check_reply, check_truncation, check_turn, is_comparable};
use tests::strategies;

static WORLD: LazyLock<Snapshot> = LazyLock::new(world);

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn every_frame_is_answered_well_or_discarded_for_one_reason(Bytes(frame) in frames()) {
        let checked = check_turn(&[&frame[..]], &mut Exchange::default(), &WORLD);
        prop_assert_eq!(checked, Ok(()));
    }

    #[test]
    fn frames_that_are_not_ours_are_discarded_as_well(frame in strategies::frames()) {
        let checked = check_turn(&[&frame[..]], &mut Exchange::default(), &WORLD);
        prop_assert_eq!(checked, Ok(()));
    }

    #[test]
    fn every_message_gets_a_reply_of_legal_size_or_none(Bytes(message) in messages()) {
        let [cut, whole] =
            [Transport::Udp, Transport::Tcp].map(|transport| reply(&WORLD, &message, transport));
        prop_assert_eq!(cut.is_some(), whole.is_some());
        if let (Some(cut), Some(whole)) = (cut, whole) {
            prop_assert_eq!(check_reply(&message, &cut), Ok(()));
            prop_assert_eq!(check_message(&message, &whole).err(), None);
            if is_comparable(&message) {
                prop_assert_eq!(check_truncation(&message, &whole, &cut), Ok(()));
            }
        }
    }

    #[test]
    fn no_reply_is_longer_than_the_link_carries(ask in asks(), mtu in 68..1500usize) {
        let port = MemPort::ethernet(1, 2048).with_mtu(mtu);
        let mut exchange = Exchange::new(port);
        let [client, server] = tests::exchange::Family::V4.ends();
        let query = tests::packets::Packet::udp(client, server, &ask.message()).frame();
        for reply in exchange.frames([&query[..]], &WORLD) {
            let reply = Datagram::read(&reply).map_err(TestCaseError::fail)?;
            prop_assert!(reply.packet_len <= mtu, "{} bytes", reply.packet_len);
            prop_assert_eq!(check_reply(&ask.message(), &reply.payload), Ok(()));
        }
        prop_assert_eq!(exchange.census().free, 1);
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_vector_is_answered_as_its_frames_one_by_one(frames in vec(frames(), 0..64)) {
        let frames: Vec<_> = frames.iter().map(|Bytes(frame)| &frame[..]).collect();
        let mut exchange = Exchange::default();
        prop_assert_eq!(check_turn(&frames, &mut exchange, &WORLD), Ok(()));
        let together = exchange.frames(frames.iter().copied(), &WORLD);
        let alone: Vec<_> =
            frames.iter().flat_map(|frame| exchange.frames([*frame], &WORLD)).collect();
        prop_assert_eq!(together, alone);
    }
}

proptest! {
    #![proptest_config(cases(500))]

    /// Whoever is guarded against gets nothing, or what an answer may be without records.
    #[test]
    fn guards_only_take_away(frames in vec(frames(), 0..64)) {
        let world = world_with(guarded_policy());
        let mut exchange = Exchange::default();
        let free = exchange.census().free;
        for Bytes(frame) in &frames {
            let open = exchange.frames([&frame[..]], &WORLD);
            let guarded = exchange.frames([&frame[..]], &world);
            prop_assert!(guarded.len() <= open.len());
            for reply in &guarded {
                prop_assert!(reply.len() <= open[0].len());
            }
        }
        let totals = exchange.totals();
        let counted = totals.answered() + totals.discarded();
        prop_assert_eq!(counted, totals.events(Event::Received));
        prop_assert_eq!(exchange.census().free, free);
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    /// What arrived as it was sent is answered the same, and else nothing is.
    #[test]
    fn verifying_only_takes_damaged_frames_away(Bytes(frame) in frames()) {
        let mut exchange = Exchange::verifying();
        let verified = exchange.frames([&frame[..]], &WORLD);
        match exchange.totals().discards(Discard::BadChecksum) {
            0 => prop_assert_eq!(verified, Exchange::default().frames([&frame[..]], &WORLD)),
            _ => prop_assert_eq!(verified, Vec::<Vec<u8>>::new()),
        }
    }
}

/// Strategies that never reach a line prove nothing about it.
#[test]
fn the_frames_reach_every_reason_and_every_response_code() {
    let mut runner = TestRunner::deterministic();
    let mut exchanges = [Exchange::default(), Exchange::verifying()];
    for policy in [strict_policy(), guarded_policy()] {
        let world = world_with(policy);
        for _ in 0..20_000 {
            let Bytes(frame) = frames().new_tree(&mut runner).unwrap().current();
            for exchange in &mut exchanges {
                exchange.frames([&frame[..]], &world);
            }
        }
    }
    let totals = exchanges.map(|exchange| exchange.totals());
    let discards = |reason| {
        totals
            .iter()
            .map(|totals| totals.discards(reason))
            .sum::<u64>()
    };
    let replies = |rcode| {
        totals
            .iter()
            .map(|totals| totals.replies(rcode))
            .sum::<u64>()
    };
    // A message of memory is never longer than its frame, and the frames have room.
    let never = [Discard::Oversize, Discard::NoRoom];
    let missed = Discard::ALL.iter().filter(|&&reason| discards(reason) == 0);
    assert_eq!(missed.copied().collect::<Vec<_>>(), never);
    // A referral always has servers.
    let never = [Rcode::ServFail];
    let missed = Rcode::ALL.iter().filter(|&&rcode| replies(rcode) == 0);
    assert_eq!(missed.copied().collect::<Vec<_>>(), never);
}

//! What is usual goes a short way, at any level of instructions. It comes out as by the long way.

use proptest::prelude::*;
use ripples::answer::answer;
use ripples::packet::checksum::Sum;
use ripples::packet::reply::{self, Transport};
use ripples::packet::{Query, QueryFlags, ShortName, query};
use ripples::simd::{Level, Portable};
use ripples::snapshot::Snapshot;
use std::sync::LazyLock;
use tests::answers::{by_udp, signed_world, world};
use tests::ask::{Ask, AskEdns};
use tests::cases;
use tests::exchange::Exchange;
use tests::hostile::{Bytes, asks, frames, messages};
use tests::name::Name;
use tests::record::rtype;

static WORLD: LazyLock<Snapshot> = LazyLock::new(world);
static SIGNED: LazyLock<Snapshot> = LazyLock::new(signed_world);

proptest! {
    #![proptest_config(cases(5_000))]

    #[test]
    fn every_level_of_instructions_sends_the_same_frames(Bytes(frame) in frames()) {
        let mut sent = Level::all().into_iter().map(|level| {
            Exchange::at_level(level).frames([&frame[..]], &WORLD)
        });
        let portable = sent.next();
        for best in sent {
            prop_assert_eq!(Some(best), portable.clone());
        }
    }

    #[test]
    fn a_query_reads_the_same_once_its_name_is_proven(Bytes(message) in messages()) {
        let mut room = message.clone();
        room.resize(message.len() + 128, 0xee);
        let (mut usual, mut name) = (Query { qtype: 9, ..parsed() }, ShortName::EMPTY);
        let key = WORLD.key();
        let read = query::read(Portable, &room, message.len(), key, &mut usual, &mut name);
        if read.is_ok() && usual.flags.has(QueryFlags::UNPROVEN) {
            query::prove(&mut usual, &message, key);
        }
        prop_assert_eq!(read.map(|()| usual), query::parse(&message, key));
    }

    #[test]
    fn a_record_that_nobody_needs_changes_nothing(ask in asks()) {
        let plain = ask.message();
        let odd = with_another_record(&plain);
        for snapshot in [&*WORLD, &*SIGNED] {
            prop_assert_eq!(by_udp(snapshot, &plain), by_udp(snapshot, &odd));
        }
    }

    #[test]
    fn a_reply_is_written_the_same_in_any_way(ask in asks(), limit in 100..1500usize) {
        for snapshot in [&*WORLD, &*SIGNED] {
            check_write(&ask.message(), limit, snapshot)?;
        }
    }
}

/// The message with an address in its additional section, which makes it anything but usual.
fn with_another_record(message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    message[11] += 1;
    message.extend(b"\0\0\x01\0\x01\0\0\0\0\0\0");
    message
}

/// Some query.
fn parsed() -> Query {
    let message = Ask::new(Name::parse("a."), rtype::A).message();
    query::parse(&message, WORLD.key()).expect("a query")
}

/// Writes the reply to a message in both ways.
fn check_write(message: &[u8], limit: usize, snapshot: &Snapshot) -> Result<(), TestCaseError> {
    let Ok(query) = query::parse(message, snapshot.key()) else {
        return Ok(());
    };
    if query.flags.any(QueryFlags::OPTIONS) {
        return Ok(());
    }
    let candidate = snapshot.candidate(Portable, query.name_hash);
    let answer = answer(&query, message, candidate, None, snapshot);
    let limit = reply::limit(&query, Transport::Udp, snapshot, limit);
    let [mut short, mut long] = [(); 2].map(|()| {
        let mut room = message.to_vec();
        room.resize(message.len().max(limit) + 64, 0xee);
        room
    });
    let by_short = reply::write(Portable, &mut short, &query, &answer, snapshot, None, limit);
    let by_long = reply::write_any(&mut long, &query, &answer, snapshot, None, limit);
    let lens = [&by_short, &by_long].map(|reply| {
        let reply = reply.as_ref().ok()?;
        Some((reply.len, reply.rcode, reply.truncated))
    });
    prop_assert_eq!(lens[0], lens[1]);
    if let Ok(reply) = by_short {
        prop_assert_eq!(&short[..reply.len], &long[..reply.len]);
        if let Some(sum) = reply.sum {
            let read = Sum::default().bytes(&short[..reply.len]);
            prop_assert_eq!(sum.finish(), read.finish());
        }
    }
    Ok(())
}

/// A zero byte within a label is no end of a name, whatever the short way takes it for.
#[test]
fn names_with_zero_bytes_in_their_labels_are_found() {
    let zone = "$TTL 60\n@ SOA ns a 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n\\000a.b A 192.0.2.2\n";
    let snapshot = tests::answers::snapshot(&[("zero.test", zone)]);
    let edns = AskEdns {
        size: 1232,
        options: b"\0\x0a\0\x08cookies!".to_vec(),
        ..AskEdns::default()
    };
    let ask = Ask {
        edns: Some(edns),
        ..Ask::new(Name::parse("\\000a.b.zero.test."), rtype::A)
    };
    let plain = ask.message();
    let replies = [&plain, &with_another_record(&plain)].map(|query| by_udp(&snapshot, query));
    assert_eq!(replies[0], replies[1]);
    let reply = replies[0].as_ref().expect("a reply");
    assert_eq!(
        (reply[3] & 15, &reply[6..8]),
        (0, &[0, 1][..]),
        "{reply:02x?}"
    );
}

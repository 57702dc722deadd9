//! What a turn over Ethernet frames tells those who look on; whoever is answered notices nothing.

use ripples::querylog::{Entry, Filter, Tap, entries};
use ripples::sys::clock::{Moment, Timescale};
use tests::answers::snapshot;
use tests::client::query;
use tests::exchange::{Exchange, Family, RECEIVED_NS, SENT_NS};
use tests::packets::Packet;
use tests::record::rtype;
use tests::server::EXAMPLE;

fn tap(queries: bool) -> Tap {
    Tap {
        number: 5,
        filter: Filter::default(),
        sample: 1,
        reply_len: u16::MAX,
        queries,
    }
}

/// Each family, with tags and without, in one vector with what gets no answer.
fn frames() -> Vec<(Family, Vec<u8>)> {
    let mut frames = Vec::new();
    for (family, name) in [(Family::V4, "www.example"), (Family::V6, "missing.example")] {
        let [client, server] = family.ends();
        let message = query(name, rtype::AAAA);
        frames.push((family, Packet::udp(client, server, &message).frame()));
        let mut response = message.clone();
        response[2] |= 0x80;
        frames.push((family, Packet::udp(client, server, &response).frame()));
        frames.push((
            family,
            Packet::udp(client, server, &message).vlan(7).frame(),
        ));
    }
    frames
}

#[test]
fn each_reply_is_told_as_it_is_sent_with_its_query_and_both_ends() {
    let snapshot = snapshot(&[("example", EXAMPLE)]);
    let frames = frames();
    let sent = Exchange::default().frames(frames.iter().map(|(_, frame)| &frame[..]), &snapshot);
    let mut exchange = Exchange::default();
    let mut reader = exchange.record(tap(true));
    let again = exchange.frames(frames.iter().map(|(_, frame)| &frame[..]), &snapshot);
    assert_eq!(again, sent, "answers are the same, whoever looks on");
    drop(exchange);
    let answered: Vec<&Family> = frames
        .iter()
        .enumerate()
        .filter_map(|(at, (family, _))| (at % 3 != 1).then_some(family))
        .collect();
    let mut told = 0;
    while let Some(delivered) = reader.take() {
        let Some(buffer) = delivered else { continue };
        let start = Moment {
            ticks: RECEIVED_NS,
            unix_ns: RECEIVED_NS,
        };
        // A tick is a nanosecond.
        let scale = Timescale::between(start, start);
        entries(&buffer, "w", &scale, |entry: &Entry<'_>| {
            let [client, server] = answered[told].ends();
            assert_eq!(
                (entry.reply.ends.client(), entry.reply.ends.local()),
                (client, server)
            );
            assert_eq!(
                (entry.received_ns, entry.sent_ns, entry.reply.taps),
                (RECEIVED_NS, SENT_NS, 1 << 5)
            );
            let reply = entry.reply.reply;
            assert!(
                sent[told].ends_with(reply) && reply.len() == usize::from(entry.reply.reply_len)
            );
            let query = entry.query.expect("it is wanted");
            assert_eq!(
                (query[..2].to_vec(), query[2] & 0x80),
                (reply[..2].to_vec(), 0)
            );
            told += 1;
        });
    }
    assert_eq!((told, sent.len()), (4, 4));
}

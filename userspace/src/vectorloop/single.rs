//! One message at a time, for transports without vectors.

use super::count::Counts;
use super::guard;
use super::miss::{client, settle};
use crate::answer::{Answer, answer, hit};
use crate::packet::{Arrival, Query, QueryFlags, ShortName, edns, query, reply};
use crate::simd::Portable;
use crate::snapshot::Snapshot;
use crate::telemetry::{Discard, Event, Tally};

/// Answers a message in place: `buffer` begins with the query of `message_len` bytes and has room
/// for the reply, whose length is returned.
pub fn respond(
    buffer: &mut [u8],
    message_len: usize,
    arrival: &Arrival,
    snapshot: &Snapshot,
    tally: &mut Tally,
) -> Result<usize, Discard> {
    tally.add(Event::Received, 1);
    let written = write(buffer, message_len, arrival, snapshot, tally);
    written.inspect_err(|&reason| tally.discard(reason))
}

fn write(
    buffer: &mut [u8],
    message_len: usize,
    arrival: &Arrival,
    snapshot: &Snapshot,
    tally: &mut Tally,
) -> Result<usize, Discard> {
    let (simd, key) = (Portable, snapshot.key());
    let (mut query, mut name) = (Query::NONE, ShortName::EMPTY);
    query::read(simd, buffer, message_len, key, &mut query, &mut name)?;
    let message = &buffer[..message_len];
    if query.flags.any(QueryFlags::OPTIONS) {
        edns::admit(&mut query, message, arrival, snapshot.policy());
    }
    if let Some(guards) = snapshot.policy().guards.as_deref() {
        guard::admit(&mut query, message, arrival, guards, snapshot)?;
    }
    let candidate = snapshot.candidate(simd, query.name_hash);
    let answer = match hit(simd, &query, &name, candidate, snapshot) {
        Some((zone, body)) => Answer::data(zone, body),
        None => {
            let candidate = settle(&mut query, message, candidate, || *arrival, snapshot);
            let client = client(&query, message, || arrival.client, snapshot);
            answer(&query, buffer, candidate, client.as_ref(), snapshot)
        }
    };
    let limit = reply::limit(&query, arrival.transport, snapshot, buffer.len());
    let arrival = Some(*arrival);
    let reply = reply::write(simd, buffer, &query, &answer, snapshot, arrival, limit)?;
    let mut counts = Counts::default();
    counts.add(&query, &answer, &reply, tally);
    counts.report(tally);
    Ok(reply.len)
}

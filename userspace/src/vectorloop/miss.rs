//! Queries that are no hit.

use super::Row;
use super::open::arrival_of;
use crate::answer::{Answer, Client, answer};
use crate::packet::{Arrival, Query, QueryFlags, edns, query};
use crate::port::Port;
use crate::prefetch::prefetch_lines;
use crate::simd::Portable;
use crate::snapshot::Snapshot;
use crate::zone::index::NamePlace;
use std::net::IpAddr;

/// Answers what is no hit.
#[inline(never)]
pub(super) fn miss<'s, P: Port>(
    port: &mut P,
    frame: &mut P::Frame,
    row: &mut Row,
    snapshot: &'s Snapshot,
    time_s: u32,
) -> Answer<'s> {
    let message = &port.bytes(frame)[row.envelope.message()];
    let arrival = || arrival_of(port, frame, &row.envelope, time_s);
    row.candidate = settle(&mut row.query, message, row.candidate, arrival, snapshot);
    let source = || port.client(frame, &row.envelope);
    let client = client(&row.query, message, source, snapshot);
    let room = &port.room(frame)[usize::from(row.envelope.message_start)..];
    let answer = answer(&row.query, room, row.candidate, client.as_ref(), snapshot);
    if let Some(body) = answer.body {
        prefetch_lines(body.head(), 0, 2);
    }
    answer
}

/// Who wants to know, if any answer depends on it.
#[inline(always)]
pub(super) fn client(
    query: &Query,
    message: &[u8],
    source: impl FnOnce() -> IpAddr,
    snapshot: &Snapshot,
) -> Option<Client> {
    let depends = snapshot.has_variants();
    depends.then(|| Client::of(query, message, source()))
}

/// Looks at what was guessed of a query that is no hit; returns the candidate of the name that it
/// asks for indeed.
pub(super) fn settle(
    query: &mut Query,
    message: &[u8],
    candidate: Option<NamePlace>,
    arrival: impl FnOnce() -> Arrival,
    snapshot: &Snapshot,
) -> Option<NamePlace> {
    let is_guessed = query.flags.has(QueryFlags::UNPROVEN);
    if !is_guessed || query::prove(query, message, snapshot.key()) {
        return candidate;
    }
    if query.flags.any(QueryFlags::OPTIONS) {
        edns::admit(query, message, &arrival(), snapshot.policy());
    }
    snapshot.candidate(Portable, query.name_hash)
}

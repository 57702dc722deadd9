//! A reply over its query.

use super::Row;
use super::decision::Decision;
use super::open::arrival_of;
use crate::answer::Answer;
use crate::packet::reply::{self, Brief, Reply};
use crate::packet::{Envelope, Query, QueryFlags};
use crate::port::Port;
use crate::simd::Simd;
use crate::snapshot::Snapshot;
use crate::telemetry::Discard;

/// Writes the reply of the usual kinds; `None` of any other.
#[inline(always)]
pub(super) fn usual<S: Simd>(
    simd: S,
    message: &mut [u8],
    query: &Query,
    decision: &Decision<'_>,
    snapshot: &Snapshot,
) -> Option<Brief> {
    if query.flags.any(QueryFlags::OPTIONS) {
        return None;
    }
    match decision {
        Decision::Hit(_, body) => reply::write_hit(simd, message, query, body, snapshot),
        Decision::Absence(absence) => reply::write_absence(simd, message, query, absence, snapshot),
        Decision::Open | Decision::Other(_) => None,
    }
}

/// The message in a frame, with its room.
#[inline(always)]
pub(super) fn message<'f, P: Port>(
    port: &'f mut P,
    frame: &'f mut P::Frame,
    envelope: &Envelope,
) -> &'f mut [u8] {
    &mut port.room(frame)[usize::from(envelope.message_start)..]
}

/// Writes the reply of any kind.
#[inline(always)]
pub(super) fn write<S: Simd, P: Port>(
    simd: S,
    port: &mut P,
    frame: &mut P::Frame,
    row: &Row,
    answer: &Answer<'_>,
    snapshot: &Snapshot,
    time_s: u32,
) -> Result<Reply, Discard> {
    let (query, envelope) = (&row.query, &row.envelope);
    let limit = reply::limit(query, P::TRANSPORT, snapshot, port.message_limit(envelope));
    let has_options = query.flags.any(QueryFlags::OPTIONS);
    // Where the chain goes on, may depend on who asks.
    let wants_client = has_options || answer.is_chain() && snapshot.has_variants();
    let arrival = wants_client.then(|| arrival_of(port, frame, envelope, time_s));
    let message = message(port, frame, envelope);
    reply::write(simd, message, query, answer, snapshot, arrival, limit)
}

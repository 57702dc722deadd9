//! What a frame asks.

use super::Row;
use crate::packet::{Arrival, Envelope, QueryFlags, edns, headers, query};
use crate::port::Port;
use crate::simd::Simd;
use crate::snapshot::Snapshot;
use crate::telemetry::Discard;

/// Reads the query in a frame, and holds it against the policy if it has options.
#[inline(always)]
pub(super) fn open<S: Simd, P: Port>(
    simd: S,
    port: &mut P,
    frame: &mut P::Frame,
    row: &mut Row,
    snapshot: &Snapshot,
    time_s: u32,
) -> Result<(), Discard> {
    let envelope = port.open(frame)?;
    if port.verifies() {
        headers::verify(simd, port.room(frame), &envelope)?;
    }
    let room = port.room(frame).get(usize::from(envelope.message_start)..);
    let room = room.ok_or(Discard::ShortFrame)?;
    let len = usize::from(envelope.message_len);
    let key = snapshot.key();
    query::read(simd, room, len, key, &mut row.query, &mut row.name)?;
    row.envelope = envelope;
    if row.query.flags.any(QueryFlags::OPTIONS) {
        admit(port, frame, row, snapshot, time_s);
    }
    Ok(())
}

/// Holds a query with options against the policy.
#[inline(never)]
fn admit<P: Port>(port: &P, frame: &P::Frame, row: &mut Row, snapshot: &Snapshot, time_s: u32) {
    let arrival = arrival_of(port, frame, &row.envelope, time_s);
    let message = &port.bytes(frame)[row.envelope.message()];
    edns::admit(&mut row.query, message, &arrival, snapshot.policy());
}

/// Where a message comes from.
pub(super) fn arrival_of<P: Port>(
    port: &P,
    frame: &P::Frame,
    envelope: &Envelope,
    time_s: u32,
) -> Arrival {
    Arrival {
        client: port.client(frame, envelope),
        transport: P::TRANSPORT,
        time_s,
    }
}

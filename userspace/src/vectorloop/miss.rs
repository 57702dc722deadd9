//! Queries that are no hit.

use super::{Row, Table, admit};
use crate::answer::{Answer, absence, answer};
use crate::packet::{QueryFlags, query};
use crate::port::Port;
use crate::prefetch::prefetch_lines;
use crate::simd::{Portable, Simd};
use crate::snapshot::Snapshot;

/// Answers a usual query whose name does not exist.
#[inline(always)]
pub(super) fn absent<'s, S: Simd>(
    simd: S,
    row: &Row,
    snapshot: &'s Snapshot,
    answers: &mut Table<Answer<'s>>,
) -> bool {
    let absence = absence(simd, &row.query, &row.name, row.candidate, snapshot);
    absence
        .map(|absence| answers.push(Answer::from(absence)))
        .is_some()
}

/// Answers what is no hit.
#[inline(never)]
pub(super) fn miss<'s, P: Port>(
    port: &mut P,
    frame: &mut P::Frame,
    row: &mut Row,
    snapshot: &'s Snapshot,
    time_s: u32,
    answers: &mut Table<Answer<'s>>,
) {
    if row.query.flags.has(QueryFlags::UNPROVEN) {
        let message = &port.bytes(frame)[row.envelope.message()];
        if !query::prove(&mut row.query, message, snapshot.key()) {
            row.candidate = snapshot.candidate(Portable, row.query.name_hash);
            if row.query.flags.any(QueryFlags::OPTIONS) {
                admit(port, frame, row, snapshot, time_s);
            }
        }
    }
    let room = &port.room(frame)[usize::from(row.envelope.message_start)..];
    let answer = answer(&row.query, room, row.candidate, snapshot);
    if let Some(body) = answer.body {
        prefetch_lines(body.head(), 0, 2);
    }
    answers.push(answer);
}

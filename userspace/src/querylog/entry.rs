//! A query and its reply, put together from the records of their vector.

use super::buffer::{Buffer, Record, ReplyRecord};
use crate::port::VECTOR_CAPACITY;
use crate::sys::clock::Timescale;

/// A query that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'b> {
    /// Which worker answered it.
    pub worker: &'b str,
    /// When it was received, in nanoseconds since 1970: its vector.
    pub received_ns: u64,
    /// When its reply was sent.
    pub sent_ns: u64,
    /// The query as it came, where somebody wants it or something in it is unusual.
    pub query: Option<&'b [u8]>,
    /// The reply, as much of it as somebody wants, and what is told beside it.
    pub reply: ReplyRecord<'b>,
}

/// Hands every reply in `buffer` to `take`, in the order in which they were written.
/// `scale` is for the ticks in it.
pub fn entries<'b>(
    buffer: &'b Buffer,
    worker: &'b str,
    scale: &Timescale,
    mut take: impl FnMut(&Entry<'b>),
) {
    let (mut received, mut sent) = (0, 0);
    let mut queries: [Option<&[u8]>; VECTOR_CAPACITY] = [None; VECTOR_CAPACITY];
    for record in buffer.records() {
        match record {
            Record::Vector {
                received: first,
                sent: last,
            } => {
                (received, sent) = (scale.unix_ns(first), scale.unix_ns(last));
                // Those of the last vector whose replies nobody wanted.
                queries.fill(None);
            }
            Record::Query { row, message } => queries[usize::from(row)] = Some(message),
            Record::Reply { row, reply } => take(&Entry {
                worker,
                received_ns: received,
                sent_ns: sent,
                query: queries[usize::from(row)].take(),
                reply,
            }),
        }
    }
}

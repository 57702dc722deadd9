//! The queries of one vector, from any number of connections: a port for the vectorloop.

use super::framing::PREFIX_LEN;
use super::{MESSAGE_LEN_MAX, Peer};
use crate::packet::checksum::Sum;
use crate::packet::reply::Transport;
use crate::packet::{Ends, Envelope};
use crate::port::{Port, Told, VECTOR_CAPACITY, Vector};
use crate::sys::pages::Pages;
use crate::telemetry::{Discard, Tally};
use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::os::fd::BorrowedFd;

/// Bytes from one slot to the next. A multiple of the page size would put all slots' beginnings
/// into the same few lines of the cache.
const STRIDE: usize = (PREFIX_LEN + MESSAGE_LEN_MAX).next_multiple_of(64) + 64;

/// Bytes of queries: two of the largest, so that there is always room for one while the small ones
/// fill half of it.
const QUERIES_LEN: usize = 2 * (PREFIX_LEN + MESSAGE_LEN_MAX);

/// Bytes of replies after which no further messages are taken.
const REPLIES_LEN_MAX: usize = 1 << 20;

/// Bytes of each slot that are kept for the next message.
const KEPT_LEN: usize = 8192;

/// Queries in the order in which they were pushed, and then their replies in the same places.
///
/// Memory is taken once; the pages that no message needs are never touched.
pub struct Messages {
    /// A slot for each message: its length field, and room for the longest reply.
    slots: Pages<u8>,
    rows: Vec<Row>,
    capacity: usize,
    /// Rows that the vectorloop has taken.
    taken: usize,
    /// Bytes of the replies so far.
    replies_len: usize,
    /// A query was refused.
    is_full: bool,
    /// The queries as they came, one behind the other: what is not answered after all, goes back.
    queries: Box<[u8]>,
    queries_len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    peer: Peer,
    /// Where it ends among the queries.
    query_end: usize,
    /// Of the query, then of the reply.
    len: u16,
    /// Of either, the more.
    longest: usize,
    is_answered: bool,
}

/// The token for a message.
#[derive(Debug)]
pub struct MessageFrame(usize);

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl Messages {
    /// Room for `capacity` messages, at most as many as a vector has.
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, VECTOR_CAPACITY);
        Self {
            slots: Pages::sparse(capacity * STRIDE),
            rows: Vec::with_capacity(capacity),
            capacity,
            taken: 0,
            replies_len: 0,
            is_full: false,
            queries: vec![0; QUERIES_LEN].into(),
            queries_len: 0,
        }
    }

    /// Appends a query, without its length field. Returns whether there was room for it.
    pub fn push(&mut self, peer: &Peer, query: &[u8]) -> bool {
        let end = self.queries_len + PREFIX_LEN + query.len();
        let Ok(len) = u16::try_from(query.len()) else {
            return false;
        };
        if self.is_full() || end > self.queries.len() {
            self.is_full = true;
            return false;
        }
        let copy = &mut self.queries[self.queries_len..end];
        copy[..PREFIX_LEN].copy_from_slice(&len.to_be_bytes());
        copy[PREFIX_LEN..].copy_from_slice(query);
        let start = self.rows.len() * STRIDE + PREFIX_LEN;
        self.slots[start..start + query.len()].copy_from_slice(query);
        self.queries_len = end;
        self.rows.push(Row {
            peer: *peer,
            query_end: end,
            len,
            longest: query.len(),
            is_answered: false,
        });
        true
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether there is no room for any other.
    pub fn is_full(&self) -> bool {
        self.is_full || self.rows.len() == self.capacity
    }

    /// Whether there are some that the vectorloop has not taken yet, but should: when there are
    /// bytes enough to send, the rest waits for another vector.
    pub fn is_waiting(&self) -> bool {
        self.taken < self.rows.len() && self.replies_len < REPLIES_LEN_MAX
    }

    /// How many the vectorloop has taken; those behind are not answered this time.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// The reply to a message with its length field; `None` if it gets none.
    pub fn reply(&self, index: usize) -> Option<&[u8]> {
        let row = &self.rows[index];
        let start = index * STRIDE;
        let end = start + PREFIX_LEN + usize::from(row.len);
        row.is_answered.then(|| &self.slots[start..end])
    }

    /// The ends of the connection that a message came by.
    pub fn peer(&self, frame: &MessageFrame) -> &Peer {
        &self.rows[frame.0].peer
    }

    /// Some of the queries as they came, with their length fields.
    pub fn queries(&self, range: Range<usize>) -> &[u8] {
        let end = |count: usize| match count.checked_sub(1) {
            Some(last) => self.rows[last].query_end,
            None => 0,
        };
        &self.queries[end(range.start)..end(range.end)]
    }

    /// Forgets all, and gives back what long messages have made of their slots.
    pub fn clear(&mut self) {
        let long = |row: &Row| row.longest > KEPT_LEN;
        for index in (0..self.rows.len()).filter(|&index| long(&self.rows[index])) {
            let start = index * STRIDE;
            self.slots.forget(start + KEPT_LEN..start + STRIDE);
        }
        self.rows.clear();
        self.taken = 0;
        self.replies_len = 0;
        self.is_full = false;
        self.queries_len = 0;
    }

    /// Where a message lies.
    fn place(frame: &MessageFrame) -> usize {
        frame.0 * STRIDE + PREFIX_LEN
    }
}

impl Port for Messages {
    type Frame = MessageFrame;

    const TRANSPORT: Transport = Transport::Tcp;

    fn receive(&mut self, into: &mut Vector<MessageFrame>, limit: usize) {
        let count = limit
            .min(into.remaining_capacity())
            .min(self.rows.len() - self.taken);
        into.extend((self.taken..).take(count).map(MessageFrame));
        self.taken += count;
    }

    fn open(&self, frame: &MessageFrame) -> Result<Envelope, Discard> {
        Ok(Envelope {
            network_start: 0,
            message_start: 0,
            message_len: self.rows[frame.0].len,
            is_ipv6: false,
        })
    }

    fn client(&self, frame: &MessageFrame, _: &Envelope) -> IpAddr {
        self.peer(frame).client.ip()
    }

    fn bytes<'a>(&'a self, frame: &'a MessageFrame) -> &'a [u8] {
        let start = Self::place(frame);
        let len = self.rows[frame.0].len;
        &self.slots[start..start + usize::from(len)]
    }

    fn room<'a>(&'a mut self, frame: &'a mut MessageFrame) -> &'a mut [u8] {
        let start = Self::place(frame);
        &mut self.slots[start..start + MESSAGE_LEN_MAX]
    }

    fn seal(&mut self, frame: &mut MessageFrame, _: &Envelope, message_len: usize, _: Option<Sum>) {
        // The room has 65,535 bytes, so no reply in it is longer.
        let len = u16::try_from(message_len).unwrap_or(u16::MAX);
        let start = frame.0 * STRIDE;
        self.slots[start..start + PREFIX_LEN].copy_from_slice(&len.to_be_bytes());
        self.replies_len += message_len;
        let row = &mut self.rows[frame.0];
        row.len = len;
        row.longest = row.longest.max(message_len);
    }

    fn told<'a>(&'a mut self, frame: &'a mut MessageFrame, _: &Envelope) -> Told<'a> {
        let peer = self.peer(frame);
        Told::Ends(Ends::new(peer.client, peer.local))
    }

    fn transmit(&mut self, replies: &mut Vector<MessageFrame>) {
        for frame in replies.drain(..) {
            self.rows[frame.0].is_answered = true;
        }
    }

    fn recycle(&mut self, _: MessageFrame) {}

    fn message_limit(&self, _: &Envelope) -> usize {
        MESSAGE_LEN_MAX
    }

    fn backlog(&self) -> bool {
        false
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn report(&mut self, _: &mut Tally) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

    const END: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 53));
    const PEER: &Peer = &Peer {
        client: END,
        local: END,
    };

    /// Answers each message with itself and an `x`, those excepted that begin with `-`.
    fn answer(messages: &mut Messages) {
        let (mut frames, mut replies) = (Vector::new(), Vector::new());
        messages.receive(&mut frames, usize::MAX);
        for mut frame in frames.drain(..) {
            let envelope = messages.open(&frame).unwrap();
            let len = envelope.message().len();
            if messages.bytes(&frame).starts_with(b"-") {
                messages.recycle(frame);
                continue;
            }
            messages.room(&mut frame)[len] = b'x';
            messages.seal(&mut frame, &envelope, len + 1, None);
            replies.push(frame);
        }
        messages.transmit(&mut replies);
    }

    #[test]
    fn replies_stand_where_their_queries_stood() {
        let mut messages = Messages::new(4);
        for query in [b"abc".as_slice(), b"-", b"", b"d"] {
            assert!(messages.push(PEER, query));
        }
        assert!(messages.is_full() && !messages.push(PEER, b"e"));
        assert!(messages.is_waiting());
        answer(&mut messages);
        assert!(!messages.is_waiting());
        let replies: Vec<_> = (0..4).map(|at| messages.reply(at)).collect();
        let expected: [&[u8]; 3] = [b"\0\x04abcx", b"\0\x01x", b"\0\x02dx"];
        assert_eq!(
            replies,
            [
                Some(expected[0]),
                None,
                Some(expected[1]),
                Some(expected[2])
            ]
        );
        assert_eq!(messages.queries(0..2), b"\0\x03abc\0\x01-");
        assert_eq!(messages.queries(2..4), b"\0\0\0\x01d");
        messages.clear();
        assert!(messages.is_empty() && messages.push(PEER, b"e"));
        assert_eq!(messages.reply(0), None, "an old reply is not the new one's");
    }

    #[test]
    fn when_there_is_enough_to_send_the_rest_waits() {
        let mut messages = Messages::new(100);
        (0..100).for_each(|_| assert!(messages.push(PEER, b"q")));
        while messages.is_waiting() {
            let mut frames = Vector::new();
            messages.receive(&mut frames, 10);
            for frame in &mut frames {
                let envelope = messages.open(frame).unwrap();
                messages.seal(frame, &envelope, 60_000, None);
            }
            messages.transmit(&mut frames);
        }
        assert_eq!(messages.taken(), 20);
        assert!(messages.reply(19).is_some() && messages.reply(20).is_none());
        messages.clear();
        assert!(messages.push(PEER, b"q") && messages.is_waiting());
    }

    #[test]
    fn the_largest_query_fits_behind_small_ones() {
        let mut messages = Messages::new(VECTOR_CAPACITY);
        let largest = vec![7; MESSAGE_LEN_MAX];
        assert!(messages.push(PEER, &[1; 60_000]));
        assert!(messages.push(PEER, &largest));
        assert!(!messages.is_full());
        assert!(!messages.push(PEER, &largest), "no room is no panic");
        assert!(messages.is_full(), "nobody else comes before it");
    }
}

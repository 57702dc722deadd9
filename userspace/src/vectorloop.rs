//! The one hot loop: a turn takes a vector of frames through parse, probe, resolve and pack.

use crate::answer::{Answer, answer};
use crate::packet::cookie::CookieState;
use crate::packet::reply::{self, Transport};
use crate::packet::{Arrival, Envelope, Query, QueryFlags, code, edns, query};
use crate::port::{Port, VECTOR_CAPACITY, Vector};
use crate::prefetch::prefetch_lines;
use crate::snapshot::Snapshot;
use crate::telemetry::{Discard, Event, Tally};
use crate::zone::index::NamePlace;
use arrayvec::ArrayVec;

/// A table with a row per frame of the vector.
type Table<T> = ArrayVec<T, VECTOR_CAPACITY>;

/// The working memory of a turn. It lives as long as the worker, so that no turn allocates.
pub struct Turn<F> {
    limit: usize,
    received: Vector<F>,
    held: Vector<F>,
    replies: Vector<F>,
    envelopes: Table<Envelope>,
    queries: Table<Query>,
    candidates: Table<Option<NamePlace>>,
}

impl<F> Turn<F> {
    /// Working memory for vectors of at most `limit` frames.
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.clamp(1, VECTOR_CAPACITY),
            received: Vector::new(),
            held: Vector::new(),
            replies: Vector::new(),
            envelopes: Table::new(),
            queries: Table::new(),
            candidates: Table::new(),
        }
    }

    /// Takes one vector from the port and answers it, at `time_s` (seconds since 1970). Returns how
    /// many frames there were.
    ///
    /// Stage by stage over the whole vector, so that what one stage fetches ahead has come when the
    /// next one reads it.
    pub fn run<P>(
        &mut self,
        port: &mut P,
        snapshot: &Snapshot,
        time_s: u32,
        tally: &mut Tally,
    ) -> usize
    where
        P: Port<Frame = F>,
    {
        port.receive(&mut self.received, self.limit);
        let count = self.received.len();
        if count == 0 {
            tally.add(Event::IdleTurns, 1);
            return 0;
        }
        tally.add(Event::Turns, 1);
        tally.add(Event::Received, count as u64);
        self.parse(port, snapshot, time_s, tally);
        self.probe(snapshot);
        // Filled where it stands: a table is too large to be handed over.
        let mut answers = Table::new();
        self.resolve(port, snapshot, &mut answers);
        pack(self, port, snapshot, time_s, &answers, tally);
        port.transmit(&mut self.replies);
        count
    }

    /// Reads every frame; those without a query are discarded.
    fn parse<P>(&mut self, port: &mut P, snapshot: &Snapshot, time_s: u32, tally: &mut Tally)
    where
        P: Port<Frame = F>,
    {
        self.envelopes.clear();
        self.queries.clear();
        for frame in self.received.drain(..) {
            match open(port, &frame, snapshot, time_s) {
                Ok((envelope, query)) => {
                    snapshot.prefetch(query.name_hash);
                    self.envelopes.push(envelope);
                    self.queries.push(query);
                    self.held.push(frame);
                }
                Err(reason) => {
                    tally.discard(reason);
                    port.recycle(frame);
                }
            }
        }
    }

    /// Finds each name's candidate in the index.
    fn probe(&mut self, snapshot: &Snapshot) {
        self.candidates.clear();
        let candidates = self
            .queries
            .iter()
            .map(|query| snapshot.candidate(query.name_hash));
        self.candidates.extend(candidates);
    }

    /// Decides every answer.
    fn resolve<'s, P>(&self, port: &P, snapshot: &'s Snapshot, answers: &mut Table<Answer<'s>>)
    where
        P: Port<Frame = F>,
    {
        for (at, query) in self.queries.iter().enumerate() {
            let message = &port.bytes(&self.held[at])[self.envelopes[at].message()];
            let answer = answer(query, &message[query.name()], self.candidates[at], snapshot);
            if let Some(body) = answer.body {
                prefetch_lines(body.head(), 2);
            }
            answers.push(answer);
        }
    }
}

/// Finds the message in a frame and the query in the message.
fn open<P: Port>(
    port: &P,
    frame: &P::Frame,
    snapshot: &Snapshot,
    time_s: u32,
) -> Result<(Envelope, Query), Discard> {
    let envelope = port.open(frame)?;
    let message = port
        .bytes(frame)
        .get(envelope.message())
        .ok_or(Discard::ShortFrame)?;
    let query = read(message, snapshot, || datagram(&envelope, time_s))?;
    Ok((envelope, query))
}

/// The query in a message, held against the policy if it has options.
fn read(
    message: &[u8],
    snapshot: &Snapshot,
    arrival: impl FnOnce() -> Arrival,
) -> Result<Query, Discard> {
    let query = query::parse(message, snapshot.key())?;
    if !query.flags.any(QueryFlags::OPTIONS) {
        return Ok(query);
    }
    let mut admitted = query;
    edns::admit(&mut admitted, message, &arrival(), snapshot.policy());
    Ok(admitted)
}

/// The arrival of a datagram.
fn datagram(envelope: &Envelope, time_s: u32) -> Arrival {
    Arrival {
        client: envelope.client,
        transport: Transport::Udp,
        time_s,
    }
}

/// Writes every reply over its query and seals its frame.
fn pack<P: Port>(
    turn: &mut Turn<P::Frame>,
    port: &mut P,
    snapshot: &Snapshot,
    time_s: u32,
    answers: &[Answer<'_>],
    tally: &mut Tally,
) {
    let rows = turn
        .held
        .drain(..)
        .zip(&turn.queries)
        .zip(&turn.envelopes)
        .zip(answers);
    for (((mut frame, query), envelope), answer) in rows {
        let room = port.message_limit(envelope);
        let limit = reply::limit(query, Transport::Udp, snapshot, room);
        let message = &mut port.room(&mut frame)[usize::from(envelope.message_start)..];
        let arrival = || datagram(envelope, time_s);
        match reply::write(message, query, answer, snapshot, arrival, limit) {
            Ok(reply) => {
                count(query, answer, &reply, tally);
                port.seal(&mut frame, envelope, reply.len);
                turn.replies.push(frame);
            }
            Err(reason) => {
                tally.discard(reason);
                port.recycle(frame);
            }
        }
    }
}

/// Counts a reply.
fn count(query: &Query, answer: &Answer<'_>, reply: &reply::Reply, tally: &mut Tally) {
    tally.reply(reply.rcode);
    tally.add(Event::Edns, u64::from(query.flags.has(QueryFlags::EDNS)));
    tally.add(
        Event::DnssecOk,
        u64::from(query.flags.has(QueryFlags::DNSSEC_OK)),
    );
    tally.add(Event::Truncated, u64::from(reply.truncated));
    tally.add(Event::Referrals, u64::from(answer.is_referral()));
    tally.add(
        Event::CookieNone,
        u64::from(query.cookie == CookieState::Absent),
    );
    if query.flags.any(QueryFlags::OPTIONS) || query.qclass != code::CLASS_IN {
        count_rare(query, tally);
    }
}

/// Counts what plain queries do not have.
#[inline(never)]
fn count_rare(query: &Query, tally: &mut Tally) {
    let has = |option| query.flags.has(option);
    for (event, is_so) in [
        (
            Event::CookieClientOnly,
            query.cookie == CookieState::ClientOnly,
        ),
        (Event::CookieBad, query.cookie == CookieState::Invalid),
        (Event::CookieValid, query.cookie.is_valid()),
        (Event::Nsid, has(QueryFlags::NSID)),
        (Event::ClientSubnet, has(QueryFlags::SUBNET)),
        (Event::Keepalive, has(QueryFlags::KEEPALIVE)),
        (Event::Chaos, query.qclass == code::CLASS_CH),
    ] {
        tally.add(event, u64::from(is_so));
    }
}

/// Answers a single message in place, for transports without vectors: `buffer` begins with the
/// query of `message_len` bytes and has room for the reply, whose length is returned.
pub fn respond(
    buffer: &mut [u8],
    message_len: usize,
    arrival: &Arrival,
    snapshot: &Snapshot,
    tally: &mut Tally,
) -> Result<usize, Discard> {
    tally.add(Event::Received, 1);
    let written = (|| {
        let message = buffer.get(..message_len).ok_or(Discard::ShortFrame)?;
        let query = read(message, snapshot, || *arrival)?;
        let candidate = snapshot.candidate(query.name_hash);
        let answer = answer(&query, &message[query.name()], candidate, snapshot);
        let limit = reply::limit(&query, arrival.transport, snapshot, buffer.len());
        let reply = reply::write(buffer, &query, &answer, snapshot, || *arrival, limit)?;
        count(&query, &answer, &reply, tally);
        Ok(reply.len)
    })();
    written.inspect_err(|&reason| tally.discard(reason))
}

//! The one hot loop: a turn takes a vector of frames through parse, probe, resolve and pack.

mod count;
mod miss;
mod single;

pub use single::respond;

use crate::answer::{Answer, hit};
use crate::packet::reply::{self, Transport};
use crate::packet::{Arrival, Envelope, Query, QueryFlags, ShortName, edns, query};
use crate::port::{Port, VECTOR_CAPACITY, Vector};
use crate::simd::{Level, Simd};
use crate::snapshot::Snapshot;
use crate::telemetry::{Discard, Event, Tally};
use crate::zone::index::NamePlace;
use arrayvec::ArrayVec;
use count::Counts;
use miss::{absent, miss};

/// A table with a row per frame of the vector.
type Table<T> = ArrayVec<T, VECTOR_CAPACITY>;

/// The working memory of a turn. It lives as long as the worker, so that no turn allocates.
pub struct Turn<F> {
    level: Level,
    limit: usize,
    frames: Vector<F>,
    /// The frames with a reply, in a turn that discarded others.
    replies: Vector<F>,
    rows: Box<[Row]>,
    discarded: usize,
}

/// What is known of a frame.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Row {
    /// The name of a usual query.
    name: ShortName,
    query: Query,
    candidate: Option<NamePlace>,
    envelope: Envelope,
    is_discarded: bool,
}

impl<F> Turn<F> {
    /// Working memory for vectors of at most `limit` frames, with the best that the CPU has.
    pub fn new(limit: usize) -> Self {
        Self::at_level(limit, Level::detect())
    }

    /// As `new`, with the instructions of `level`.
    pub fn at_level(limit: usize, level: Level) -> Self {
        let row = Row {
            name: ShortName::EMPTY,
            query: Query::NONE,
            candidate: None,
            envelope: Envelope::default(),
            is_discarded: false,
        };
        Self {
            level,
            limit: limit.clamp(1, VECTOR_CAPACITY),
            frames: Vector::new(),
            replies: Vector::new(),
            rows: vec![row; VECTOR_CAPACITY].into(),
            discarded: 0,
        }
    }

    /// Takes one vector from the port and answers it, at `time_s` (seconds since 1970). Returns how
    /// many frames there were.
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
        match self.level {
            Level::Portable(simd) => self.run_with(simd, port, snapshot, time_s, tally),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(simd) => self.run_with(simd, port, snapshot, time_s, tally),
        }
    }

    /// As `run`, with the operations of `simd`, whatever the level.
    #[inline]
    pub fn run_with<S: Simd, P>(
        &mut self,
        simd: S,
        port: &mut P,
        snapshot: &Snapshot,
        time_s: u32,
        tally: &mut Tally,
    ) -> usize
    where
        P: Port<Frame = F>,
    {
        port.receive(&mut self.frames, self.limit);
        let count = self.frames.len();
        if count == 0 {
            tally.add(Event::IdleTurns, 1);
            return 0;
        }
        tally.add(Event::Turns, 1);
        tally.add(Event::Received, count as u64);
        self.answer(simd, port, snapshot, time_s, tally);
        self.transmit(port);
        count
    }

    /// Writes the replies over the queries.
    ///
    /// Stage by stage over the whole vector, so that what one stage fetches ahead has come when the
    /// next one reads it.
    #[inline(always)]
    fn answer<S: Simd, P>(
        &mut self,
        simd: S,
        port: &mut P,
        snapshot: &Snapshot,
        time_s: u32,
        tally: &mut Tally,
    ) where
        P: Port<Frame = F>,
    {
        // Filled where it stands: a table is too large to be handed over.
        let mut answers = Table::new();
        // A closure that is not inlined is compiled for any CPU, and every operation is a call.
        simd.run(
            #[inline(always)]
            || self.parse(simd, port, snapshot, time_s, tally),
        );
        simd.run(
            #[inline(always)]
            || self.probe(simd, snapshot),
        );
        simd.run(
            #[inline(always)]
            || self.resolve(simd, port, snapshot, time_s, &mut answers),
        );
        simd.run(
            #[inline(always)]
            || self.pack(simd, port, snapshot, time_s, &answers, tally),
        );
    }

    /// Reads every frame; those without a query are discarded.
    #[inline(always)]
    fn parse<S: Simd, P>(
        &mut self,
        simd: S,
        port: &mut P,
        snapshot: &Snapshot,
        time_s: u32,
        tally: &mut Tally,
    ) where
        P: Port<Frame = F>,
    {
        for (frame, row) in self.frames.iter_mut().zip(&mut self.rows) {
            let read = open(simd, port, frame, row, snapshot, time_s);
            row.is_discarded = read.is_err();
            match read {
                Ok(()) => snapshot.prefetch(simd, row.query.name_hash),
                Err(reason) => {
                    tally.discard(reason);
                    self.discarded += 1;
                }
            }
        }
    }

    /// Finds each name's candidate in the index.
    #[inline(always)]
    fn probe<S: Simd>(&mut self, simd: S, snapshot: &Snapshot) {
        for row in &mut self.rows[..self.frames.len()] {
            row.candidate = snapshot.candidate(simd, row.query.name_hash);
        }
    }

    /// Decides every answer.
    #[inline(always)]
    fn resolve<'s, S: Simd, P>(
        &mut self,
        simd: S,
        port: &mut P,
        snapshot: &'s Snapshot,
        time_s: u32,
        answers: &mut Table<Answer<'s>>,
    ) where
        P: Port<Frame = F>,
    {
        for (frame, row) in self.frames.iter_mut().zip(&mut self.rows) {
            if row.is_discarded {
                answers.push(Answer::NONE);
                continue;
            }
            let candidate = row.candidate;
            if let Some((zone, body)) = hit(simd, &row.query, &row.name, candidate, snapshot) {
                simd.prefetch_lines(body.head(), 0, 2);
                answers.push(Answer::data(zone, body));
            } else if !absent(simd, row, snapshot, answers) {
                miss(port, frame, row, snapshot, time_s, answers);
            }
        }
    }

    /// Writes every reply over its query and seals its frame.
    #[inline(always)]
    fn pack<S: Simd, P>(
        &mut self,
        simd: S,
        port: &mut P,
        snapshot: &Snapshot,
        time_s: u32,
        answers: &[Answer<'_>],
        tally: &mut Tally,
    ) where
        P: Port<Frame = F>,
    {
        let mut counts = Counts::default();
        let rows = self.frames.iter_mut().zip(&mut self.rows).zip(answers);
        for ((frame, row), answer) in rows {
            if row.is_discarded {
                continue;
            }
            let (query, envelope) = (&row.query, &row.envelope);
            let room = port.message_limit(envelope);
            let limit = reply::limit(query, Transport::Udp, snapshot, room);
            let has_options = query.flags.any(QueryFlags::OPTIONS);
            let arrival = has_options.then(|| datagram(port, frame, envelope, time_s));
            let message = &mut port.room(frame)[usize::from(envelope.message_start)..];
            match reply::write(simd, message, query, answer, snapshot, arrival, limit) {
                Ok(reply) => {
                    counts.add(query, answer, &reply, tally);
                    port.seal(frame, envelope, reply.len, reply.sum);
                }
                Err(reason) => {
                    tally.discard(reason);
                    self.discarded += 1;
                    row.is_discarded = true;
                }
            }
        }
        counts.report(tally);
    }

    /// Sends the replies, and gives back what is discarded.
    fn transmit<P>(&mut self, port: &mut P)
    where
        P: Port<Frame = F>,
    {
        if std::mem::take(&mut self.discarded) == 0 {
            port.transmit(&mut self.frames);
            return;
        }
        for (frame, row) in self.frames.drain(..).zip(&self.rows) {
            match row.is_discarded {
                false => self.replies.push(frame),
                true => port.recycle(frame),
            }
        }
        port.transmit(&mut self.replies);
    }
}

/// Reads the query in a frame, and holds it against the policy if it has options.
#[inline(always)]
fn open<S: Simd, P: Port>(
    simd: S,
    port: &mut P,
    frame: &mut P::Frame,
    row: &mut Row,
    snapshot: &Snapshot,
    time_s: u32,
) -> Result<(), Discard> {
    let envelope = port.open(frame)?;
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
    let arrival = datagram(port, frame, &row.envelope, time_s);
    let message = &port.bytes(frame)[row.envelope.message()];
    edns::admit(&mut row.query, message, &arrival, snapshot.policy());
}

/// The arrival of a datagram.
fn datagram<P: Port>(port: &P, frame: &P::Frame, envelope: &Envelope, time_s: u32) -> Arrival {
    Arrival {
        client: port.client(frame, envelope),
        transport: Transport::Udp,
        time_s,
    }
}

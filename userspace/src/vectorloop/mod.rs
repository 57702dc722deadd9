//! The one hot loop: a turn takes a vector of frames through parse, probe, resolve and pack.

mod count;
mod decision;
mod guard;
mod limiter;
mod miss;
mod open;
mod record;
mod row;
mod write;

use crate::answer::{absence, hit};
use crate::packet::reply;
use crate::packet::{Envelope, QueryFlags};
use crate::port::{Port, VECTOR_CAPACITY, Vector};
use crate::querylog::Recorder;
use crate::simd::{Level, Simd};
use crate::snapshot::Snapshot;
use crate::telemetry::{Event, Tally, ZoneCounts};
use arrayvec::ArrayVec;
use count::{Counts, count_frames, count_zones};
use decision::Decision;
use limiter::Limiter;
use miss::miss;
use open::open;
use record::{note, noter};
use row::Row;
use std::sync::Arc;
use write::{message, usual, write};

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
    limiter: Limiter,
    recorder: Option<Box<Recorder>>,
    zone_counts: Option<Arc<ZoneCounts>>,
}

impl<F> Turn<F> {
    /// Working memory for vectors of at most `limit` frames, with the best that the CPU has.
    pub fn new(limit: usize) -> Self {
        Self::at_level(limit, Level::detect())
    }

    /// As `new`, with the instructions of `level`.
    pub fn at_level(limit: usize, level: Level) -> Self {
        Self {
            level,
            limit: limit.clamp(1, VECTOR_CAPACITY),
            frames: Vector::new(),
            replies: Vector::new(),
            rows: vec![Row::EMPTY; VECTOR_CAPACITY].into(),
            discarded: 0,
            limiter: Limiter::new(),
            recorder: None,
            zone_counts: None,
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
        count_frames(count as u64, P::TRANSPORT, tally);
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
        let mut decisions = Table::new();
        // A closure that is not inlined is compiled for any CPU, and every operation is a call.
        simd.run(
            #[inline(always)]
            || self.parse(simd, port, snapshot, time_s, tally),
        );
        if let Some(guards) = snapshot.policy().guards.as_deref() {
            self.guard(port, guards, snapshot, time_s, tally);
        }
        simd.run(
            #[inline(always)]
            || self.probe(simd, snapshot),
        );
        simd.run(
            #[inline(always)]
            || self.resolve(simd, port, snapshot, time_s, &mut decisions),
        );
        self.note(port);
        simd.run(
            #[inline(always)]
            || self.pack(simd, port, snapshot, time_s, &decisions, tally),
        );
        simd.run(
            #[inline(always)]
            || self.tell(port, tally),
        );
        if let Some(counts) = &self.zone_counts {
            count_zones(counts, &self.rows, &decisions, snapshot);
        }
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

    /// Decides every answer: hits first, then whatever is left.
    #[inline(always)]
    fn resolve<'s, S: Simd, P>(
        &mut self,
        simd: S,
        port: &mut P,
        snapshot: &'s Snapshot,
        time_s: u32,
        decisions: &mut Table<Decision<'s>>,
    ) where
        P: Port<Frame = F>,
    {
        let mut is_done = true;
        for row in &self.rows[..self.frames.len()] {
            let (query, name) = (&row.query, &row.name);
            decisions.push(match hit(simd, query, name, row.candidate, snapshot) {
                Some((zone, body)) => {
                    simd.prefetch_lines(body.head(), 0, 2);
                    Decision::Hit(zone, body)
                }
                None => {
                    is_done = false;
                    Decision::Open
                }
            });
        }
        if !is_done {
            simd.run(
                #[inline(always)]
                || self.miss(simd, port, snapshot, time_s, decisions),
            );
        }
    }

    /// Decides the answers that are no hits.
    #[inline(always)]
    fn miss<'s, S: Simd, P>(
        &mut self,
        simd: S,
        port: &mut P,
        snapshot: &'s Snapshot,
        time_s: u32,
        decisions: &mut [Decision<'s>],
    ) where
        P: Port<Frame = F>,
    {
        let mut near = None;
        let rows = self.frames.iter_mut().zip(&mut self.rows);
        for ((frame, row), decision) in rows.zip(decisions) {
            if row.is_discarded || !matches!(decision, Decision::Open) {
                continue;
            }
            let (query, name) = (&row.query, &row.name);
            match absence(simd, query, name, row.candidate, snapshot, &mut near) {
                // Written where it stays, each: they are too large to be moved.
                Some(absence) if query.flags.has(QueryFlags::DNSSEC_OK) => {
                    *decision = Decision::Other(absence.into());
                }
                Some(absence) => *decision = Decision::Absence(absence),
                None => *decision = Decision::Other(miss(port, frame, row, snapshot, time_s)),
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
        decisions: &[Decision<'_>],
        tally: &mut Tally,
    ) where
        P: Port<Frame = F>,
    {
        let mut counts = Counts::default();
        let room = port.message_limit(&Envelope::DEEPEST);
        let brief_len = reply::brief_len(snapshot, room);
        let mut noter = noter(self.recorder.as_deref_mut());
        let rows = self.frames.iter_mut().zip(&mut self.rows).zip(decisions);
        for (place, ((frame, row), decision)) in rows.enumerate() {
            if row.is_discarded {
                continue;
            }
            if let Some(message) = message(port, frame, &row.envelope).get_mut(..brief_len)
                && let Some(brief) = usual(simd, message, &row.query, decision, snapshot)
            {
                counts.add_usual(&row.query, matches!(decision, Decision::Absence(_)));
                port.seal(frame, &row.envelope, brief.len, Some(brief.sum));
                continue;
            }
            if let Some(recorder) = noter.as_deref_mut() {
                note(recorder, port, frame, row, place);
            }
            let answer = decision.answer();
            let written = write(simd, port, frame, row, &answer, snapshot, time_s);
            match written {
                Ok(reply) => {
                    counts.add(&row.query, &answer, &reply, tally);
                    port.seal(frame, &row.envelope, reply.len, reply.sum);
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

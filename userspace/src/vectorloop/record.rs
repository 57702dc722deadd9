//! What is told of a vector to those who look on.

use super::{Row, Turn};
use crate::port::{Port, Told};
use crate::querylog::Recorder;
use crate::telemetry::{Event, Tally};

impl<F> Turn<F> {
    /// Tells what it answers from now on.
    pub fn set_recorder(&mut self, recorder: Recorder) {
        self.recorder = Some(Box::new(recorder));
    }

    /// What it tells by, to begin and to end vectors.
    #[inline(always)]
    pub fn recorder(&mut self) -> Option<&mut Recorder> {
        self.recorder.as_deref_mut()
    }
}

/// Tells of one query after the other, if anybody looks on.
pub(super) struct Teller<'r>(Option<&'r mut Recorder>);

/// A query's place in its vector, and who wants its reply: one bit each.
#[derive(Clone, Copy)]
pub(super) struct Noted {
    place: usize,
    taps: u32,
}

impl<'r> Teller<'r> {
    /// One that tells by this.
    pub(super) fn new(recorder: Option<&'r mut Recorder>) -> Self {
        Self(recorder.filter(|recorder| recorder.is_on()))
    }

    /// Takes note of the query at `place`, while it is there.
    #[inline(always)]
    pub(super) fn note<P: Port>(
        &mut self,
        port: &P,
        frame: &P::Frame,
        row: &Row,
        place: usize,
    ) -> Noted {
        let taps = self.0.as_deref_mut().map_or(0, |recorder| {
            let message = &port.bytes(frame)[row.envelope.message()];
            let client = || port.client(frame, &row.envelope);
            recorder.note(place, &row.query, message, client)
        });
        Noted { place, taps }
    }

    /// Tells of the reply, `len` bytes in a sealed frame.
    #[inline(always)]
    pub(super) fn tell<P: Port>(
        &mut self,
        Noted { place, taps }: Noted,
        port: &mut P,
        frame: &mut P::Frame,
        row: &Row,
        len: usize,
    ) {
        let Some(recorder) = self.0.as_deref_mut().filter(|_| taps != 0) else {
            return;
        };
        let (query, envelope) = (&row.query, &row.envelope);
        match port.told(frame, envelope) {
            Told::Packet(bytes) => {
                let head_len = envelope.message_start - envelope.network_start;
                recorder.push_packet(place, taps, query, bytes, head_len, len);
            }
            Told::Ends(ends) => {
                let reply = &port.bytes(frame)[usize::from(envelope.message_start)..];
                recorder.push(place, taps, query, reply, ends, P::TRANSPORT);
            }
        }
    }

    /// Counts what had no room.
    pub(super) fn report(self, tally: &mut Tally) {
        if let Some(recorder) = self.0 {
            tally.add(Event::Unlogged, recorder.take_dropped());
        }
    }
}

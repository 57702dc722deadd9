//! What is told of a vector to those who look on.

use super::Turn;
use crate::port::Port;
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

    /// Whether anybody looks on.
    #[inline(always)]
    pub(super) fn is_recorded(&self) -> bool {
        self.recorder
            .as_ref()
            .is_some_and(|recorder| recorder.is_on())
    }

    /// Takes note of the queries, while they are there.
    #[inline(never)]
    pub(super) fn note<P: Port<Frame = F>>(&mut self, port: &P, tally: &mut Tally) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let mut dropped = 0;
        for (place, (frame, row)) in self.frames.iter().zip(&self.rows).enumerate() {
            if row.is_discarded {
                continue;
            }
            let message = &port.bytes(frame)[row.envelope.message()];
            let client = || port.client(frame, &row.envelope);
            dropped += u64::from(!recorder.note(place, &row.query, message, client));
        }
        tally.add(Event::Unlogged, dropped);
    }

    /// Adds the replies, while they are there.
    #[inline(never)]
    pub(super) fn record<P: Port<Frame = F>>(&mut self, port: &P, tally: &mut Tally) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let mut dropped = 0;
        for (place, (frame, row)) in self.frames.iter().zip(&self.rows).enumerate() {
            if row.is_discarded || !recorder.wants(place) {
                continue;
            }
            let reply = &port.bytes(frame)[usize::from(row.envelope.message_start)..];
            let ends = port.ends(frame, &row.envelope);
            let done = recorder.push(place, &row.query, reply, ends, P::TRANSPORT);
            dropped += u64::from(!done);
        }
        tally.add(Event::Unlogged, dropped);
    }
}

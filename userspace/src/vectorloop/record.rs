//! What is told of a vector to those who look on: in passes of its own, so that a vector of which
//! nothing is told is answered as fast as ever.

use super::{Row, Turn};
use crate::port::{Port, Told};
use crate::querylog::{Recorder, is_unusual};
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

    /// Takes note of all queries before the replies are written over them, if somebody who looks on
    /// has to be asked about each.
    #[inline(always)]
    pub(super) fn note<P>(&mut self, port: &P)
    where
        P: Port<Frame = F>,
    {
        let recorder = self.recorder.as_deref_mut();
        let asked = recorder.filter(|recorder| recorder.is_on() && !recorder.is_simple());
        if let Some(recorder) = asked {
            let rows = self.frames.iter().zip(&mut self.rows).enumerate();
            for (place, (frame, row)) in rows.filter(|(_, (_, row))| !row.is_discarded) {
                note(recorder, port, frame, row, place);
            }
        }
    }

    /// Tells of the replies, which lie in sealed frames, to those who look on.
    #[inline(always)]
    pub(super) fn tell<P>(&mut self, port: &mut P, tally: &mut Tally)
    where
        P: Port<Frame = F>,
    {
        let recorder = self.recorder.as_deref_mut();
        let Some(recorder) = recorder.filter(|recorder| recorder.is_on()) else {
            return;
        };
        let frames = &mut self.frames[..];
        let rows = &self.rows[..frames.len()];
        let mut place = 0;
        while place < rows.len() {
            place = tell_usual(recorder, port, frames, rows, place);
            // The first that is not usual.
            if let Some(row) = rows.get(place) {
                tell(recorder, port, &mut frames[place], row, place);
                place += 1;
            }
        }
        tally.add(Event::Unlogged, recorder.take_dropped());
    }
}

/// What takes note of the queries that are not usual, where the others need none.
#[inline(always)]
pub(super) fn noter(recorder: Option<&mut Recorder>) -> Option<&mut Recorder> {
    recorder.filter(|recorder| recorder.is_simple())
}

/// Takes note of a query while it is there.
#[inline(never)]
pub(super) fn note<P: Port>(
    recorder: &mut Recorder,
    port: &P,
    frame: &P::Frame,
    row: &mut Row,
    place: usize,
) {
    let message = &port.bytes(frame)[row.envelope.message()];
    let client = || port.client(frame, &row.envelope);
    row.taps = recorder.note(place, &row.query, message, client);
}

/// Tells of usual replies, from the one at `place` on. Returns the place of the first that is none.
#[inline(always)]
fn tell_usual<P: Port>(
    recorder: &mut Recorder,
    port: &mut P,
    frames: &mut [P::Frame],
    rows: &[Row],
    start: usize,
) -> usize {
    let told = recorder.push_usual(
        #[inline(always)]
        |packets| {
            let places = start..rows.len().min(frames.len());
            for place in places.clone() {
                let row = &rows[place];
                let is_usual = !is_unusual(&row.query) && !row.is_discarded;
                let head_len = row.envelope.message_start - row.envelope.network_start;
                let is_told = is_usual
                    && match port.told(&mut frames[place], &row.envelope) {
                        Told::Packet { room, len } => {
                            packets.push(place, &row.query, room, len, head_len)
                        }
                        Told::Ends(_) => false,
                    };
                if !is_told {
                    return place;
                }
            }
            places.end
        },
    );
    told.unwrap_or(start)
}

/// Tells of any reply there is.
#[inline(never)]
fn tell<P: Port>(
    recorder: &mut Recorder,
    port: &mut P,
    frame: &mut P::Frame,
    row: &Row,
    place: usize,
) {
    if row.is_discarded {
        return;
    }
    let (query, envelope) = (&row.query, &row.envelope);
    // What `note` passed over has not been asked about.
    let taps = recorder.taps_of(query, row.taps);
    match port.told(frame, envelope) {
        Told::Packet { room, len } => {
            let head_len = envelope.message_start - envelope.network_start;
            recorder.push_packet(place, taps, query, room, len, head_len);
        }
        Told::Ends(ends) => {
            let reply = &port.bytes(frame)[usize::from(envelope.message_start)..];
            recorder.push(place, taps, query, reply, ends, P::TRANSPORT);
        }
    }
}

//! The smallest user of a port: sends every message back as it came.

use ripples::port::{Port, VECTOR_CAPACITY, Vector};
use ripples::telemetry::{Discard, Event, Tally};

/// A turn's working memory.
pub struct Echo<P: Port> {
    vector: Vector<P::Frame>,
    replies: Vector<P::Frame>,
    /// Frames taken, discards by reason, and what the port itself counted.
    pub tally: Tally,
    /// Messages sent back so far.
    pub answered: usize,
    /// The most frames to take in a turn.
    pub limit: usize,
}

impl<P: Port> Default for Echo<P> {
    fn default() -> Self {
        Self {
            vector: Vector::new(),
            replies: Vector::new(),
            tally: Tally::default(),
            answered: 0,
            limit: VECTOR_CAPACITY,
        }
    }
}

impl<P: Port> Echo<P> {
    /// Takes one vector and sends each message back, with `grow` more bytes behind it; returns how
    /// many frames there were.
    pub fn turn(&mut self, port: &mut P, grow: usize) -> usize {
        port.receive(&mut self.vector, self.limit);
        let count = self.vector.len();
        for mut frame in self.vector.drain(..) {
            match answer(port, &mut frame, grow) {
                Ok(()) => self.replies.push(frame),
                Err(reason) => {
                    self.tally.discard(reason);
                    port.recycle(frame);
                }
            }
        }
        if count > 0 {
            self.tally.add(Event::Received, count as u64);
            self.answered += self.replies.len();
            port.transmit(&mut self.replies);
        }
        port.report(&mut self.tally);
        count
    }
}

/// Turns a query into its reply: the same message, and `grow` bytes of 0xee.
fn answer<P: Port>(port: &mut P, frame: &mut P::Frame, grow: usize) -> Result<(), Discard> {
    let envelope = port.open(frame)?;
    let end = envelope.message().end;
    let message_len = envelope.message().len() + grow;
    if message_len > port.message_limit(&envelope) {
        return Err(Discard::NoRoom);
    }
    port.room(frame)[end..end + grow].fill(0xee);
    port.seal(frame, &envelope, message_len, None);
    Ok(())
}

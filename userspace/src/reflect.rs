//! The measuring mode `--reflect`: every frame goes back as it came, so that what remains is what
//! the path to the server and back takes.

use crate::packet::Envelope;
use crate::port::{Port, Vector};
use crate::telemetry::{Discard, Event, Tally};

/// Bytes of a UDP header (RFC 768).
const UDP_HEADER_LEN: usize = 8;

/// The working memory of a turn that answers nothing.
pub struct Reflection<F> {
    limit: usize,
    received: Vector<F>,
    replies: Vector<F>,
}

impl<F> Reflection<F> {
    /// Working memory for vectors of at most `limit` frames.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            received: Vector::new(),
            replies: Vector::new(),
        }
    }

    /// Takes one vector from the port and sends it back. Returns how many frames there were.
    pub fn run<P>(&mut self, port: &mut P, tally: &mut Tally) -> usize
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
        for mut frame in self.received.drain(..) {
            match open(port, &frame) {
                Ok(envelope) => {
                    port.seal(&mut frame, &envelope, envelope.message().len(), None);
                    self.replies.push(frame);
                }
                Err(reason) => {
                    tally.discard(reason);
                    port.recycle(frame);
                }
            }
        }
        tally.add(Event::Reflected, self.replies.len() as u64);
        port.transmit(&mut self.replies);
        count
    }
}

/// The frame's envelope, unless what comes back would come back again.
fn open<P: Port>(port: &P, frame: &P::Frame) -> Result<Envelope, Discard> {
    let envelope = port.open(frame)?;
    let message_start = envelope.message().start;
    let header = message_start
        .checked_sub(UDP_HEADER_LEN)
        .and_then(|start| port.bytes(frame).get(start..message_start));
    match header {
        // From a server's port to a server's port: two reflectors would never stop.
        Some([s0, s1, d0, d1, ..]) if [s0, s1] == [d0, d1] => Err(Discard::NoReturn),
        _ => Ok(envelope),
    }
}

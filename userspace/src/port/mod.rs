//! Where packets come from: one trait, behind it a NIC queue, a kernel socket or plain memory.

use crate::packet::Envelope;
use crate::telemetry::Discard;
use arrayvec::ArrayVec;

/// The most frames one turn takes; a turn's working memory is sized by it.
pub const VECTOR_CAPACITY: usize = 256;

/// The frames of one turn, in order of arrival.
pub type Vector<F> = ArrayVec<F, VECTOR_CAPACITY>;

/// A queue of frames that the vectorloop drives.
///
/// A frame is an ownership token: neither `Copy` nor `Clone`, and what is given away is gone. Each
/// frame that `receive` hands out comes back through `transmit` or `recycle`, so that always
/// `free + fill + rx + held + tx = frame_count`.
pub trait Port {
    /// The token for one received frame.
    type Frame;

    /// Takes at most `limit` waiting frames, appended to `into`. Never blocks.
    fn receive(&mut self, into: &mut Vector<Self::Frame>, limit: usize);

    /// Finds the DNS message in a frame, and its client.
    fn open(&self, frame: &Self::Frame) -> Result<Envelope, Discard>;

    /// The frame as it was received, headers included.
    fn bytes<'a>(&'a self, frame: &'a Self::Frame) -> &'a [u8];

    /// The frame's memory from its first received byte to the end of its room: where the reply
    /// is written over the query.
    fn room<'a>(&'a mut self, frame: &'a mut Self::Frame) -> &'a mut [u8];

    /// Addresses the frame back to its client: `message_len` bytes of reply lie at the
    /// envelope's message offset.
    fn seal(&mut self, frame: &mut Self::Frame, envelope: &Envelope, message_len: usize);

    /// Sends the sealed frames; `replies` is empty afterwards. What could not be sent is recycled
    /// and counted by the port. At most one wake-up of the kernel.
    fn transmit(&mut self, replies: &mut Vector<Self::Frame>);

    /// Gives a frame back unsent.
    fn recycle(&mut self, frame: Self::Frame);

    /// The largest DNS message that a reply in `frame` may have, in bytes.
    fn message_limit(&self, envelope: &Envelope) -> usize;
}

//! Where packets come from: one trait, behind it a NIC queue, a kernel socket or plain memory.

mod census;
mod direct;
mod events;
pub mod mem;
pub mod socket;
pub mod xsk;

pub use census::Census;
pub use events::PortEvents;
pub use mem::MemPort;
pub use socket::{SocketConfig, SocketError, SocketPort};
pub use xsk::{
    BindMode, PACKET_MAX, RingEvent, RingGauge, RingStatistics, XskConfig, XskError, XskPort,
};

use crate::packet::checksum::Sum;
use crate::packet::reply::Transport;
use crate::packet::{Ends, Envelope};
use crate::telemetry::{Discard, Tally};
use arrayvec::ArrayVec;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

/// The most frames one turn takes; a turn's working memory is sized by it.
pub const VECTOR_CAPACITY: usize = 256;

/// The frames of one turn, in order of arrival.
pub type Vector<F> = ArrayVec<F, VECTOR_CAPACITY>;

/// What a port can tell of a frame.
pub enum Told<'a> {
    /// What is in it from the IP header on.
    Packet {
        /// To the end of the frame's room.
        room: &'a [u8],
        /// Bytes of packet in it.
        len: usize,
    },
    /// Between whom the message travels: its headers are the kernel's.
    Ends(Ends),
}

impl<'a> Told<'a> {
    /// Of a frame of `len` bytes in `room`.
    #[inline(always)]
    fn packet(room: &'a [u8], len: usize, envelope: &Envelope) -> Self {
        let start = usize::from(envelope.network_start);
        Self::Packet {
            room: &room[start..],
            len: len - start,
        }
    }
}

/// A queue of frames that the vectorloop drives.
///
/// A frame is an ownership token: neither `Copy` nor `Clone`, and what is given away is gone. Each
/// frame that `receive` hands out comes back through `transmit` or `recycle` of the same port, so
/// that always `free + fill + rx + held + tx = frame_count`.
pub trait Port {
    /// The token for one received frame.
    type Frame;

    /// What brings the messages: it decides how long replies may be, and what clients may claim.
    const TRANSPORT: Transport = Transport::Udp;

    /// Takes at most `limit` waiting frames, appended to `into`. Never blocks.
    fn receive(&mut self, into: &mut Vector<Self::Frame>, limit: usize);

    /// Finds the DNS message in a frame.
    fn open(&self, frame: &Self::Frame) -> Result<Envelope, Discard>;

    /// Whether the checksums of its frames are to be verified: nobody knows whether the NIC has.
    fn verifies(&self) -> bool {
        false
    }

    /// The address that a frame came from, while its headers are as `open` saw them.
    fn client(&self, frame: &Self::Frame, envelope: &Envelope) -> IpAddr;

    /// The frame as it was received, headers included.
    fn bytes<'a>(&'a self, frame: &'a Self::Frame) -> &'a [u8];

    /// The frame's memory from its first received byte to the end of its room: where the reply
    /// is written over the query.
    fn room<'a>(&'a mut self, frame: &'a mut Self::Frame) -> &'a mut [u8];

    /// Addresses the frame back to its client: `message_len` bytes of reply lie at the
    /// envelope's message offset. `sum`: the reply's, where it is known.
    fn seal(
        &mut self,
        frame: &mut Self::Frame,
        envelope: &Envelope,
        message_len: usize,
        sum: Option<Sum>,
    );

    /// What there is to tell of a sealed frame, beside its message.
    fn told<'a>(&'a mut self, frame: &'a mut Self::Frame, envelope: &Envelope) -> Told<'a>;

    /// Sends the sealed frames; `replies` is empty afterwards. What could not be sent is recycled
    /// and counted by the port. At most one wake-up of the kernel. Without replies it still drives
    /// those of earlier turns, so it belongs at the end of every turn that received something.
    fn transmit(&mut self, replies: &mut Vector<Self::Frame>);

    /// Gives a frame back unsent.
    fn recycle(&mut self, frame: Self::Frame);

    /// The largest DNS message that a reply to `envelope` may have, in bytes: the frame carries it,
    /// and the interface without fragments.
    fn message_limit(&self, envelope: &Envelope) -> usize;

    /// Whether replies of earlier turns wait for another turn to drive them: the worker comes back
    /// for them soon, though nothing may arrive meanwhile.
    fn backlog(&self) -> bool;

    /// Readable as long as `receive` finds something; none where there is nothing to wait for.
    fn fd(&self) -> Option<BorrowedFd<'_>>;

    /// Moves what the port counted since the last call to `tally`.
    fn report(&mut self, tally: &mut Tally);
}

/// The largest message behind the headers of `envelope` in a frame with room for `frame_room` bytes
/// on a link that carries packets of `mtu` bytes.
fn message_limit(envelope: &Envelope, frame_room: usize, mtu: usize) -> usize {
    let message_start = usize::from(envelope.message_start);
    let network_start = usize::from(envelope.network_start);
    frame_room
        .min(network_start + mtu)
        .saturating_sub(message_start)
}

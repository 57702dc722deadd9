//! What two servers say to each other when one replaces the other: JSON lines and descriptors over
//! the control socket.
//!
//! ```text
//!  the new one                                   the old one
//!  {"version":1,"command":"replace"}  ─►
//!                                     ◄─  {"ok":true,"result":{Greeting}}
//!                                     ◄─  {Descriptor}, with a descriptor each
//!  loads its zones
//!  "take"                             ─►  no frame goes to its AF_XDP sockets any more: it answers
//!                                         those that are there, and closes them
//!                                     ◄─  "released"
//!  opens its own AF_XDP sockets
//!  starts its threads, and sends the
//!  frames to its own sockets
//!  "done"                             ─►  drains
//!                                     ◄─  "leaving"
//! ```
//!
//! Before `done` the old one can go on: it does so when the connection ends, and then takes its
//! interfaces back. When it ends itself, at whatever point, the new one goes on without it.

use crate::sys::descriptors;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The version of what follows the request: it rises when one of another version would not
/// understand it.
pub(super) const HANDOVER: u32 = 1;
/// How long the other end may take to read what is written.
const WRITE_PATIENCE: Duration = Duration::from_secs(1);
/// Longest line in bytes.
const LINE_MAX: usize = 64 * 1024;

/// What the old server begins with.
#[derive(Serialize, Deserialize)]
pub(super) struct Greeting {
    /// Its [`HANDOVER`].
    pub(super) handover: u32,
    /// Its process.
    pub(super) pid: u32,
    /// Its release.
    pub(super) release: String,
    /// What it makes cookies from, if it has drawn that itself.
    pub(super) cookie_secret: Option<[u8; 16]>,
    /// How many descriptors follow.
    pub(super) descriptors: usize,
}

/// What a descriptor is.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Descriptor {
    /// The socket that control clients connect to.
    Control,
    /// A UDP socket on this address.
    Udp(SocketAddr),
    /// A listening TCP socket on this address.
    Tcp(SocketAddr),
    /// The attachment of the kernel program.
    Link {
        /// To the interface of this name,
        interface: String,
        /// and of this number,
        index: u32,
        /// in generic mode, or else in native mode.
        generic: bool,
    },
}

/// What the two say to each other afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    /// To the old one: let go of the queues.
    Take,
    /// To the new one: they are free.
    Released,
    /// To the old one: all of it is answered here; leave.
    Done,
    /// To the new one: it does.
    Leaving,
    /// To the new one: it took too long, and what was given is taken back.
    Cancelled,
}

/// One end of the conversation.
pub(super) struct Channel {
    stream: UnixStream,
    /// What has come, up to a line that has not been asked for.
    unread: Vec<u8>,
    /// Descriptors that came, in order.
    descriptors: VecDeque<OwnedFd>,
}

impl Channel {
    /// On a stream whose other end has something of this kind as well.
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(WRITE_PATIENCE))?;
        Ok(Self {
            stream,
            unread: Vec::new(),
            descriptors: VecDeque::new(),
        })
    }

    /// The process at the other end.
    pub(super) fn peer(&self) -> Option<u32> {
        descriptors::peer_process(&self.stream)
    }

    /// Says something, along with a descriptor.
    pub(super) fn send(
        &self,
        message: &impl Serialize,
        mut descriptor: Option<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        let mut rest = &line[..];
        while !rest.is_empty() {
            let sent = descriptors::send(&self.stream, rest, descriptor.take())?;
            rest = &rest[sent..];
        }
        Ok(())
    }

    /// Waits for the next message, so long at most; none: the other end is gone.
    pub(super) fn receive<M: DeserializeOwned>(
        &mut self,
        patience: Duration,
    ) -> io::Result<Option<M>> {
        self.stream.set_read_timeout(Some(patience))?;
        loop {
            if let Some(end) = self.unread.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Ok(Some(serde_json::from_slice(&line)?));
            }
            if self.unread.len() > LINE_MAX {
                return Err(io::Error::other("the line has no end"));
            }
            let mut bytes = [0; 4096];
            let (len, descriptor) = match descriptors::receive(&self.stream, &mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                received => received?,
            };
            if len == 0 {
                return Ok(None);
            }
            self.unread.extend_from_slice(&bytes[..len]);
            self.descriptors.extend(descriptor);
        }
    }

    /// The descriptor that came with the message that was received last.
    pub(super) fn descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);
    /// For what must come, on the busiest machine.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn messages_come_one_by_one_each_with_its_descriptor() {
        let (one, mut other) = pair();
        let address: SocketAddr = "192.0.2.1:53".parse().unwrap();
        let sockets = [UnixStream::pair().unwrap(), UnixStream::pair().unwrap()];
        for (socket, _) in &sockets {
            one.send(&Descriptor::Udp(address), Some(socket.as_fd()))
                .unwrap();
        }
        one.send(&Step::Released, None).unwrap();
        for _ in 0..2 {
            let message = other.receive::<Descriptor>(PATIENCE).unwrap();
            assert_eq!(message, Some(Descriptor::Udp(address)));
            assert!(other.descriptor().is_some());
        }
        let step = other.receive::<Step>(PATIENCE).unwrap();
        assert_eq!(
            (step, other.descriptor().is_none()),
            (Some(Step::Released), true)
        );
        let silence = other.receive::<Step>(SOON).unwrap_err();
        assert_eq!(silence.kind(), io::ErrorKind::WouldBlock);
        drop(one);
        assert_eq!(other.receive::<Step>(PATIENCE).unwrap(), None);
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        use std::io::Write;
        let (mut one, mut other) = pair();
        one.stream.write_all(b"\"take\"\n\"fly\"\n").unwrap();
        assert_eq!(other.receive(PATIENCE).unwrap(), Some(Step::Take));
        assert!(other.receive::<Step>(PATIENCE).is_err());
        let writer = std::thread::spawn(move || one.stream.write_all(&[b' '; 2 * LINE_MAX]));
        let endless = other.receive::<Step>(PATIENCE).unwrap_err();
        assert_eq!(endless.to_string(), "the line has no end");
        drop(other);
        let _ = writer.join().unwrap();
    }

    fn pair() -> (Channel, Channel) {
        let (one, other) = UnixStream::pair().unwrap();
        (Channel::new(one).unwrap(), Channel::new(other).unwrap())
    }
}

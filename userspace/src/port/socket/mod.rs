//! A port on a kernel UDP socket: for what XDP passes, and for machines without XDP.

mod config;
mod datagrams;
mod endpoint;
mod error;
mod trains;

pub use config::SocketConfig;
pub use error::{SocketError, Step};

use super::{Census, Port, PortEvents, Told, VECTOR_CAPACITY, Vector, message_limit};
use crate::packet::checksum::Sum;
use crate::packet::{Ends, Envelope};
use crate::telemetry::{Discard, Tally};
use arrayvec::ArrayVec;
use datagrams::Datagrams;
use nix::errno::Errno;
use nix::sys::socket::{SockaddrStorage, getsockname, getsockopt, sockopt};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use trains::{Replies, Reply};

/// Frames of a port: a vector may be in the worker's hands, and nobody keeps any longer.
const FRAME_COUNT: usize = VECTOR_CAPACITY;

/// The largest UDP payload that IPv4 carries; IPv6's is larger.
const PAYLOAD_MAX: usize = 65_507;

/// The fewest datagrams to ask the kernel for.
const EXPECTED_MIN: usize = 32;

/// The token for a received datagram.
#[derive(Debug)]
pub struct SocketFrame {
    slot: u16,
    len: u16,
    cut: bool,
}

/// A port on one UDP socket.
#[derive(Debug)]
pub struct SocketPort {
    socket: OwnedFd,
    datagrams: Datagrams,
    frame_size: usize,
    /// What it is bound to.
    address: SocketAddr,
    /// Slots without a datagram; the last one was used last, so its memory is still cached.
    free: ArrayVec<u16, FRAME_COUNT>,
    /// Datagrams to ask for: preparing the kernel's arguments for those that do not come costs more
    /// than asking again for those that do.
    expected: usize,
    /// Whether replies to one client leave together.
    trains: bool,
    events: PortEvents,
}

impl SocketPort {
    /// Opens a socket.
    pub fn open(config: &SocketConfig) -> Result<Self, SocketError> {
        config.check()?;
        Ok(Self::on(config::open(config)?, config))
    }

    /// Takes a socket that is bound to the address already, and that another process may have as
    /// well: each datagram goes to one of them, and none is lost when either closes it.
    pub fn adopt(socket: OwnedFd, config: &SocketConfig) -> Result<Self, SocketError> {
        config.check()?;
        config::adopt(&socket, config)?;
        Ok(Self::on(socket, config))
    }

    fn on(socket: OwnedFd, config: &SocketConfig) -> Self {
        let mut port = Self {
            datagrams: Datagrams::new(FRAME_COUNT, config.frame_size, config.is_wildcard()),
            frame_size: config.frame_size,
            address: config.address,
            free: (0..).take(FRAME_COUNT).collect(),
            trains: config::knows_trains(&socket),
            socket,
            expected: EXPECTED_MIN,
            events: PortEvents::default(),
        };
        // The kernel has chosen a port that was left open.
        port.address = port.local_address().unwrap_or(port.address);
        port
    }

    /// The socket.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The address that the socket is bound to; a port that was left open, the kernel has chosen.
    pub fn local_address(&self) -> std::io::Result<SocketAddr> {
        let address: SockaddrStorage = getsockname(self.socket.as_raw_fd())?;
        let v4 = address.as_sockaddr_in().map(|&a| SocketAddr::V4(a.into()));
        let v6 = || address.as_sockaddr_in6().map(|&a| SocketAddr::V6(a.into()));
        v4.or_else(v6).ok_or_else(|| Errno::EAFNOSUPPORT.into())
    }

    /// The bytes that the kernel grants for receiving and for sending; it doubles what is asked, to
    /// account for its own overhead, and caps it by net.core.rmem_max and wmem_max.
    pub fn buffer_sizes(&self) -> std::io::Result<(usize, usize)> {
        Ok((
            getsockopt(&self.socket, sockopt::RcvBuf)?,
            getsockopt(&self.socket, sockopt::SndBuf)?,
        ))
    }

    /// Where the datagram in `frame` came from, its port included.
    pub fn peer(&self, frame: &SocketFrame) -> Option<SocketAddr> {
        self.datagrams.endpoint(frame.slot).client()
    }

    /// The address that the datagram in `frame` was sent to; known on wildcard sockets only.
    pub fn asked(&self, frame: &SocketFrame) -> Option<IpAddr> {
        self.datagrams.endpoint(frame.slot).local()
    }

    /// Where the frames are.
    pub fn census(&self) -> Census {
        Census {
            free: self.free.len(),
            held: FRAME_COUNT - self.free.len(),
            ..Census::default()
        }
    }

    /// Sends what there is; returns how many replies could not be sent.
    fn send_all(&mut self, replies: &[SocketFrame]) -> usize {
        let replies: Replies = replies
            .iter()
            .map(|&SocketFrame { slot, len, .. }| Reply { slot, len })
            .collect();
        let replies = match self.trains {
            true => self.datagrams.order(&replies),
            false => replies,
        };
        let (mut done, mut failed, mut retried) = (0, 0, false);
        let mut trains = self.trains;
        while done < replies.len() {
            let rest = &replies[done..];
            self.events.kicks += 1;
            match self.datagrams.send(self.socket.as_fd(), rest, trains) {
                Ok(count) if count > 0 => {
                    done += count;
                    // What was refused as a train, was sent without: never again.
                    self.trains = trains;
                }
                // The buffers are full: once more, since the kernel may have sent meanwhile.
                Ok(_) | Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::ENOMEM) => {
                    self.events.stalls += 1;
                    if std::mem::replace(&mut retried, true) {
                        return failed + rest.len();
                    }
                }
                Err(errno) => {
                    let count = self.datagrams.train(rest, trains);
                    if count > 1 && is_no_train(errno) {
                        trains = false;
                        continue;
                    }
                    // Cannot be sent: no route, a filter, an error that an earlier one caused.
                    trains = self.trains;
                    self.events.errors += count as u64;
                    failed += count;
                    done += count;
                }
            }
        }
        failed
    }
}

/// Whether a train was refused because it is one: by the kernel, or by the interface behind it,
/// which older kernels want to compute checksums.
fn is_no_train(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::EINVAL | Errno::EIO | Errno::EMSGSIZE | Errno::EOPNOTSUPP
    )
}

impl Port for SocketPort {
    type Frame = SocketFrame;

    fn receive(&mut self, into: &mut Vector<SocketFrame>, limit: usize) {
        let count = limit
            .min(into.remaining_capacity())
            .min(self.free.len())
            .min(self.expected);
        if count == 0 {
            return;
        }
        let slots: ArrayVec<u16, FRAME_COUNT> =
            self.free.iter().rev().take(count).copied().collect();
        let mut received = ArrayVec::new();
        match self
            .datagrams
            .receive(self.socket.as_fd(), &slots, &mut received)
        {
            Ok(()) | Err(Errno::EAGAIN | Errno::EINTR) => {}
            // What an ICMP message left behind; the next call finds the datagrams.
            Err(_) => self.events.errors += 1,
        }
        self.free.truncate(self.free.len() - received.len());
        self.expected = (2 * received.len()).clamp(EXPECTED_MIN, FRAME_COUNT);
        into.extend(
            slots
                .iter()
                .zip(&received)
                .map(|(&slot, datagram)| SocketFrame {
                    slot,
                    len: datagram.len,
                    cut: datagram.cut,
                }),
        );
    }

    fn open(&self, frame: &SocketFrame) -> Result<Envelope, Discard> {
        if frame.cut {
            return Err(Discard::Oversize);
        }
        match self.peer(frame) {
            // RFC 768: a source port of zero means that no reply is expected.
            Some(peer) if peer.port() != 0 => Ok(Envelope {
                network_start: 0,
                message_start: 0,
                message_len: frame.len,
                is_ipv6: false,
            }),
            _ => Err(Discard::NoReturn),
        }
    }

    fn client(&self, frame: &SocketFrame, _: &Envelope) -> IpAddr {
        // `open` has seen that there is one.
        let peer = self.peer(frame);
        peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip())
    }

    fn bytes<'a>(&'a self, frame: &'a SocketFrame) -> &'a [u8] {
        &self.datagrams.slot(frame.slot)[..usize::from(frame.len)]
    }

    fn room<'a>(&'a mut self, frame: &'a mut SocketFrame) -> &'a mut [u8] {
        self.datagrams.slot_mut(frame.slot)
    }

    fn seal(&mut self, frame: &mut SocketFrame, _: &Envelope, message_len: usize, _: Option<Sum>) {
        // The room ends before 65536, so no reply in it is longer.
        frame.len = u16::try_from(message_len).unwrap_or(u16::MAX);
    }

    fn told<'a>(&'a mut self, frame: &'a mut SocketFrame, _: &Envelope) -> Told<'a> {
        let ends = self.datagrams.endpoint(frame.slot);
        let ip = ends.local().unwrap_or(self.address.ip());
        let local = SocketAddr::new(ip, self.address.port());
        let client = ends.client();
        Told::Ends(client.map_or(Ends::UNKNOWN, |client| Ends::new(client, local)))
    }

    fn transmit(&mut self, replies: &mut Vector<SocketFrame>) {
        if replies.is_empty() {
            return;
        }
        let failed = self.send_all(replies);
        self.events.transmit_failed += failed as u64;
        for frame in replies.drain(..) {
            self.recycle(frame);
        }
    }

    fn recycle(&mut self, frame: SocketFrame) {
        self.free.push(frame.slot);
    }

    fn message_limit(&self, envelope: &Envelope) -> usize {
        message_limit(envelope, self.frame_size, PAYLOAD_MAX)
    }

    fn backlog(&self) -> bool {
        false
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.socket.as_fd())
    }

    fn report(&mut self, tally: &mut Tally) {
        self.events.report(tally);
    }
}

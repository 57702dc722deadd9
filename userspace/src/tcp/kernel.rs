//! What the sibling thread asks of the kernel: epoll, an event to be woken by, and TCP sockets.

use super::session::Readiness;
use super::table::Key;
use crate::sys::descriptor_reserve;
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::socket::{
    self, AddressFamily, Backlog, MsgFlags, SockFlag, SockType, SockaddrStorage, sockopt,
};
use nix::{setsockopt_impl, sockopt_impl};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A connection.
    Connection(Key),
    /// The listener at this place.
    Listener(u32),
    /// A [`Waker`].
    Waker,
    /// A descriptor of someone else's, under the tag it was given.
    Foreign(u32),
}

impl Source {
    /// Kind in the upper 8 bits, generation in 24, index in 32.
    fn to_token(self) -> u64 {
        let token = |kind: u64, middle: u32, low: u32| {
            kind << 56 | u64::from(middle) << 32 | u64::from(low)
        };
        match self {
            Self::Connection(key) => token(0, key.generation, key.index),
            Self::Listener(index) => token(1, 0, index),
            Self::Waker => token(2, 0, 0),
            Self::Foreign(tag) => token(3, 0, tag),
        }
    }

    fn from_token(token: u64) -> Self {
        let [kind, generation @ .., i0, i1, i2, i3] = token.to_be_bytes();
        let index = u32::from_be_bytes([i0, i1, i2, i3]);
        let generation = u32::from_be_bytes([0, generation[0], generation[1], generation[2]]);
        match kind {
            0 => Self::Connection(Key { index, generation }),
            1 => Self::Listener(index),
            2 => Self::Waker,
            _ => Self::Foreign(index),
        }
    }
}

/// An epoll set. Connections, listeners and wakers are edge-triggered: nothing is registered anew
/// after the first time. Foreign descriptors are level-triggered: their owner may leave a rest.
#[derive(Debug)]
pub(super) struct Poller {
    epoll: Epoll,
    events: Vec<EpollEvent>,
    count: usize,
}

impl Poller {
    /// An empty set that reports at most `events_per_wait` events at a time.
    pub(super) fn new(events_per_wait: usize) -> io::Result<Self> {
        Ok(Self {
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            events: vec![EpollEvent::empty(); events_per_wait],
            count: 0,
        })
    }

    /// Adds a descriptor. It leaves the set when it is closed, or by `remove`.
    pub(super) fn add(&self, fd: impl AsFd, source: Source) -> io::Result<()> {
        let flags = match source {
            Source::Connection(_) => {
                EpollFlags::EPOLLIN
                    | EpollFlags::EPOLLOUT
                    | EpollFlags::EPOLLRDHUP
                    | EpollFlags::EPOLLET
            }
            Source::Listener(_) | Source::Waker => EpollFlags::EPOLLIN | EpollFlags::EPOLLET,
            Source::Foreign(_) => EpollFlags::EPOLLIN,
        };
        self.epoll
            .add(fd, EpollEvent::new(flags, source.to_token()))?;
        Ok(())
    }

    /// Takes a descriptor out.
    pub(super) fn remove(&self, fd: impl AsFd) -> io::Result<()> {
        self.epoll.delete(fd)?;
        Ok(())
    }

    /// Waits for events, at most this long.
    pub(super) fn wait(&mut self, timeout_ms: u64) -> io::Result<()> {
        let timeout = EpollTimeout::try_from(timeout_ms).unwrap_or(EpollTimeout::MAX);
        self.count = match self.epoll.wait(&mut self.events, timeout) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        Ok(())
    }

    /// The number of events of the last wait.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether the last wait may have had more events than it could tell of.
    pub(super) fn is_full(&self) -> bool {
        self.count == self.events.len()
    }

    /// One event of the last wait.
    pub(super) fn event(&self, index: usize) -> (Source, Readiness) {
        let event = self.events[..self.count][index];
        let flags = event.events();
        // An error is learnt by receiving or sending, whichever comes next.
        let failed = flags.intersects(EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP);
        let readiness = Readiness {
            receive: failed || flags.intersects(EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP),
            send: failed || flags.contains(EpollFlags::EPOLLOUT),
            hung_up: failed || flags.contains(EpollFlags::EPOLLRDHUP),
        };
        (Source::from_token(event.data()), readiness)
    }
}

/// Wakes or stops the sibling thread from any other thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Wake>);

#[derive(Debug)]
struct Wake {
    event: EventFd,
    stop: AtomicBool,
    leave: AtomicBool,
}

impl Waker {
    /// Creates one and adds it to the set.
    pub(super) fn new(poller: &Poller) -> io::Result<Self> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        poller.add(&event, Source::Waker)?;
        Ok(Self(Arc::new(Wake {
            event,
            stop: AtomicBool::new(false),
            leave: AtomicBool::new(false),
        })))
    }

    /// Ends the thread's present or next wait.
    pub fn wake(&self) {
        // Each write is a new edge, so nobody needs to read. Only 2^64 - 2 writes could fail.
        let _ = self.0.event.write(1);
    }

    /// Makes the thread drain its connections and finish.
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// As `stop`, but the listening sockets are another process's by now: whoever waits there is
    /// left to it.
    pub fn leave(&self) {
        self.0.leave.store(true, Ordering::Release);
        self.stop();
    }

    /// Whether `leave` was called.
    pub fn is_leaving(&self) -> bool {
        self.0.leave.load(Ordering::Acquire)
    }

    /// Whether `stop` was called.
    pub fn is_stopped(&self) -> bool {
        self.0.stop.load(Ordering::Acquire)
    }
}

sockopt_impl!(
    /// From how much unsent data on the socket takes no more (tcp(7) is silent about it; see
    /// `tcp_notsent_lowat` in Documentation/networking/ip-sysctl.rst).
    NotSentLowWater,
    SetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_NOTSENT_LOWAT,
    u32
);

/// Bytes that the kernel queues for a client beyond what is on its way. Without a bound they are
/// megabytes, and room is told only when a third of them has left: a client that reads steadily,
/// but slowly, would look as if it did not read.
const UNSENT_MAX: u32 = 128 << 10;

/// Opens a listening socket; `shared`: others may listen there too, if all of them say so
/// (SO_REUSEPORT).
/// Accepted connections inherit its options.
pub(super) fn listen(address: SocketAddr, backlog: u32, shared: bool) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd: OwnedFd = socket::socket(family, SockType::Stream, flags, None)?;
    // A restart must not wait for TIME_WAIT to pass.
    socket::setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    socket::setsockopt(&fd, sockopt::ReusePort, &shared)?;
    socket::setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
    if address.is_ipv6() {
        socket::setsockopt(&fd, sockopt::Ipv6V6Only, &true)?;
    }
    socket::bind(fd.as_raw_fd(), &SockaddrStorage::from(address))?;
    relisten(&fd, backlog)?;
    Ok(fd)
}

/// Makes a bound socket a listening one; one that listens already gets another backlog, and what
/// an older release did not know.
pub(super) fn relisten(fd: &OwnedFd, backlog: u32) -> io::Result<()> {
    // What exceeds the range that nix knows asks for all that the kernel allows.
    let backlog = i32::try_from(backlog).map_err(|_| Errno::EINVAL);
    let backlog = backlog.and_then(Backlog::new);
    socket::setsockopt(fd, NotSentLowWater, &UNSENT_MAX)?;
    socket::listen(fd, backlog.unwrap_or(Backlog::MAXALLOWABLE))?;
    Ok(())
}

/// Lets others listen beside a socket that was opened alone.
pub(super) fn share(fd: &OwnedFd) -> io::Result<()> {
    Ok(socket::setsockopt(fd, sockopt::ReusePort, &true)?)
}

/// Whether an error of accept says that descriptors or kernel memory are used up.
pub(super) fn is_exhausted(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    descriptor_reserve::is_exhausted(error) || matches!(errno, Some(Errno::ENOBUFS | Errno::ENOMEM))
}

/// Nothing there, or no room. (Calls that do not wait are not interrupted: signal(7).)
pub(super) fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Whether a connection waits to be accepted.
pub(super) fn is_readable(listener: &TcpListener) -> bool {
    let mut interest = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
    matches!(poll(&mut interest, PollTimeout::ZERO), Ok(1..))
}

/// Receives what is there, without waiting; 0 bytes: the peer will send no more.
pub(super) fn receive(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(socket::recv(
        stream.as_raw_fd(),
        buffer,
        MsgFlags::MSG_DONTWAIT,
    )?)
}

/// Sends as much as there is room for, without waiting.
pub(super) fn send(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    Ok(socket::send(stream.as_raw_fd(), bytes, flags)?)
}

/// Makes closing reset the connection, so that the kernel does not go on holding its answers.
pub(super) fn abort_on_close(stream: &TcpStream) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    // An error would mean that the connection is gone already.
    let _ = socket::setsockopt(stream, sockopt::Linger, &linger);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_source() {
        let key = Key {
            index: u32::MAX,
            generation: 0xff_ffff,
        };
        for source in [
            Source::Connection(key),
            Source::Connection(Key {
                index: 0,
                generation: 1,
            }),
            Source::Listener(7),
            Source::Waker,
            Source::Foreign(u32::MAX),
        ] {
            assert_eq!(Source::from_token(source.to_token()), source);
        }
    }

    #[test]
    fn accepted_connections_inherit_no_delay() {
        let listener = listen("127.0.0.1:0".parse().unwrap(), 8, false).unwrap();
        let listener = TcpListener::from(listener);
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(accepted.nodelay().unwrap());
    }

    #[test]
    fn both_families_of_one_port_can_be_listened_on_but_neither_twice() {
        let six = listen("[::]:0".parse().unwrap(), 65_535, false).unwrap();
        let six = TcpListener::from(six);
        let port = six.local_addr().unwrap().port();
        assert!(
            TcpStream::connect(("127.0.0.1", port)).is_err(),
            "it takes IPv4 too"
        );
        let four = format!("0.0.0.0:{port}").parse().unwrap();
        let first = listen(four, 1, false).unwrap();
        let again = listen(four, 1, true).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
        share(&first).unwrap();
        drop(listen(four, 1, true).unwrap());
        drop(first);
        let _shared = [1, 2].map(|backlog| listen(four, backlog, true).unwrap());
        let alone = listen(four, 1, false).unwrap_err();
        assert_eq!(alone.kind(), io::ErrorKind::AddrInUse);
    }
}

//! Connections that nobody waits for.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, connect, socket};
use nix::sys::time::TimeSpec;
use nix::unistd::Pid;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// Begins a connection: the stream, which does not block, can be written to once it is there.
pub fn begin(address: SocketAddr) -> io::Result<TcpStream> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(family, SockType::Stream, flags, None)?;
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(address)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(socket.into()),
        Err(error) => Err(error.into()),
    }
}

/// What a descriptor is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// There is something to read.
    Readable,
    /// There is room to write.
    Writable,
}

/// Sleeps until one of `fds` is what it is waited for or has failed, or `timeout` has passed.
pub fn any_ready<'f>(
    fds: impl IntoIterator<Item = (BorrowedFd<'f>, Wait)>,
    timeout: Duration,
) -> io::Result<()> {
    let fds = fds.into_iter().map(|(fd, wait)| match wait {
        Wait::Readable => PollFd::new(fd, PollFlags::POLLIN),
        Wait::Writable => PollFd::new(fd, PollFlags::POLLOUT),
    });
    let mut polled: Vec<PollFd<'_>> = fds.collect();
    match ppoll(&mut polled, Some(TimeSpec::from_duration(timeout)), None) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Ends a group of processes, which a process of this number leads, at once.
pub fn kill_group(leader: u32) -> io::Result<()> {
    let leader = i32::try_from(leader).map_err(io::Error::other)?;
    Ok(killpg(Pid::from_raw(leader), Signal::SIGKILL)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::fd::AsFd;

    #[test]
    fn a_connection_is_there_when_it_can_be_written_to_or_has_failed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stream = begin(address).unwrap();
        any_ready([(stream.as_fd(), Wait::Writable)], Duration::from_secs(5)).unwrap();
        assert!(stream.take_error().unwrap().is_none());
        listener.accept().unwrap();
        drop(listener);
        // Refused at once or a moment later, as the kernel likes.
        let refused = begin(address).and_then(|stream| {
            any_ready([(stream.as_fd(), Wait::Writable)], Duration::from_secs(5))?;
            stream.take_error()?.map_or(Ok(()), Err)
        });
        assert_eq!(
            refused.unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
    }
}

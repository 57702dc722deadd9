//! The least that a server can do on the same bytes: the ceiling of what loopback carries.

use super::questions::PREFIX_LEN;
use super::stream::{BUFFER_LEN, Stream};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::{Backlog, listen};
use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};

/// Events of one wait.
const EVENTS: usize = 256;
/// What `epoll` calls the listener.
const LISTENER: u64 = u64::MAX;

/// A server that knows the length of all queries, and sends each back with something behind it.
#[derive(Clone, Copy, Debug)]
pub struct Echo {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Bytes of a query.
    pub query_len: usize,
    /// Bytes of a reply, no fewer.
    pub reply_len: usize,
}

impl Echo {
    /// Serves until the process is ended; calls `ready` when it listens.
    pub fn serve(self, ready: impl FnOnce()) -> io::Result<Infallible> {
        let listener = TcpListener::bind(self.listen)?;
        // As many may wait as the kernel allows: std asks for 128.
        listen(&listener, Backlog::MAXALLOWABLE)?;
        listener.set_nonblocking(true)?;
        let epoll = Epoll::new(EpollCreateFlags::empty())?;
        epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
        ready();
        let mut streams = Vec::new();
        let mut events = [EpollEvent::empty(); EVENTS];
        let (mut buffer, mut replies) = (vec![0; BUFFER_LEN], Vec::new());
        loop {
            let count = epoll.wait(&mut events, None::<u8>)?;
            for event in &events[..count] {
                if event.data() == LISTENER {
                    accept(&listener, &epoll, &mut streams)?;
                    continue;
                }
                let place = usize::try_from(event.data()).expect("a place in the list");
                let Some(stream) = &mut streams[place] else {
                    continue;
                };
                replies.clear();
                let received =
                    stream.receive(&mut buffer, |bytes| self.replies(bytes, &mut replies));
                let sent = received.and_then(|()| stream.resume());
                if sent.and_then(|_| stream.send(&replies)).is_err() {
                    streams[place] = None;
                }
            }
        }
    }

    /// Writes the replies to all queries that are whole; returns how many bytes they are.
    fn replies(self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        let reply_len = u16::try_from(self.reply_len).expect("replies below 64 KiB");
        let queries = bytes.chunks_exact(PREFIX_LEN + self.query_len);
        let rest = queries.remainder().len();
        for query in queries {
            out.extend(reply_len.to_be_bytes());
            out.extend_from_slice(&query[PREFIX_LEN..]);
            out.resize(out.len() + self.reply_len - self.query_len, 0);
        }
        bytes.len() - rest
    }
}

/// Takes all connections that wait.
fn accept(
    listener: &TcpListener,
    epoll: &Epoll,
    streams: &mut Vec<Option<Stream>>,
) -> io::Result<()> {
    loop {
        let socket = match listener.accept() {
            Ok((socket, _)) => socket,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        let token = streams.len() as u64;
        streams.push(Some(Stream::new(socket, epoll, token)?));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_queries_come_back_at_the_length_of_replies() {
        let echo = Echo {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            query_len: 3,
            reply_len: 5,
        };
        let mut out = Vec::new();
        let taken = echo.replies(&[0, 3, 1, 2, 3, 0, 3, 4, 5, 6, 0, 3, 7], &mut out);
        assert_eq!(taken, 10);
        assert_eq!(out, [0, 5, 1, 2, 3, 0, 0, 0, 5, 4, 5, 6, 0, 0]);
    }
}

//! A connection and its socket: moves bytes between the two.

use super::connection::{Connection, Next, Visit};
use super::kernel::{self, would_block};
use super::metrics::{TcpClose, TcpEvent};
use super::{Peer, Stock};
use std::net::TcpStream;
use std::ops::Range;

/// What a socket may have or take. With edge-triggered events it must be remembered until a call
/// has shown that it is no longer so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Readiness {
    /// There may be something to receive, be it an error.
    pub(super) receive: bool,
    /// There may be room to send, or an error to be told by sending.
    pub(super) send: bool,
    /// The client has ended its side: what is received last is the end.
    pub(super) hung_up: bool,
}

impl Readiness {
    /// There may be something to receive.
    pub(super) const RECEIVE: Self = Self {
        receive: true,
        send: false,
        hung_up: false,
    };
}

/// An accepted connection.
#[derive(Debug)]
pub(super) struct Session {
    socket: TcpStream,
    /// Its state.
    pub(super) connection: Connection,
    ready: Readiness,
    /// It stands in the ready queue.
    queued: bool,
}

impl Session {
    /// A connection that was just accepted.
    pub(super) fn new(socket: TcpStream, peer: Peer, now_ms: u64) -> Self {
        Self {
            socket,
            connection: Connection::new(peer, now_ms),
            ready: Readiness {
                send: true,
                ..Readiness::default()
            },
            queued: false,
        }
    }

    /// The socket, to be polled.
    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Takes note of an event. Returns whether it is to be put into the ready queue.
    pub(super) fn wake(&mut self, readiness: Readiness) -> bool {
        self.ready.receive |= readiness.receive;
        self.ready.send |= readiness.send;
        self.ready.hung_up |= readiness.hung_up;
        !std::mem::replace(&mut self.queued, true)
    }

    /// Receives queries until there is no more or the visit's share is used up; while its client
    /// does not read, none.
    pub(super) fn gather(&mut self, visit: &mut Visit<'_>, scratch: &mut [u8]) {
        self.queued = false;
        visit.queries_left = visit.queries_left.min(self.connection.share());
        while visit.has_room() {
            match self.connection.next() {
                Next::Resume => self.connection.resume(visit),
                Next::Receive if self.ready.receive => self.receive(visit, scratch),
                _ => break,
            }
        }
    }

    /// Sends the replies to the queries that it gathered as the messages in `range`: in one go,
    /// unless they are very long. Without any, sends what was left over before. Queries without a
    /// reply go back.
    pub(super) fn deliver(&mut self, range: Range<usize>, visit: &mut Visit<'_>) {
        let (start, end) = (range.start, range.end);
        let mut range = start..end.min(visit.messages.taken()).max(start);
        loop {
            self.connection.collect(&mut range, visit);
            self.flush(visit);
            if range.is_empty() || !self.connection.is_flowing() {
                break;
            }
        }
        // Behind a message without a reply nothing is wanted.
        let rest = match self.connection.has_given_up() {
            true => &[],
            false => visit.messages.queries(range.start..end),
        };
        let answered = range.start - start;
        self.connection.give_back(answered, rest, visit.stock);
    }

    /// Returns whether another visit could do more without any further event: then it is to be
    /// put into the ready queue again.
    pub(super) fn requeue(&mut self, next: Next) -> bool {
        self.queued = match next {
            Next::Resume => true,
            Next::Receive => self.ready.receive,
            Next::Send => self.ready.send,
            Next::Close(_) => false,
        };
        self.queued
    }

    /// Closes the socket. A client that does not get the whole of its answers is reset.
    pub(super) fn close(self, stock: &mut Stock) {
        if self.connection.is_cut_short() {
            kernel::abort_on_close(&self.socket);
        }
        self.connection.dismiss(stock);
    }

    fn receive(&mut self, visit: &mut Visit<'_>, scratch: &mut [u8]) {
        match kernel::receive(&self.socket, scratch) {
            Ok(0) => {
                self.ready.receive = false;
                self.connection.receive_end();
            }
            Ok(count) => {
                // epoll(7): less than was asked for means that there is no more; but the end of
                // the stream, once its event has come, is still to be received.
                self.ready.receive = count == scratch.len() || self.ready.hung_up;
                self.connection.receive(&scratch[..count], visit);
            }
            Err(error) if would_block(&error) => self.ready.receive = false,
            Err(_) => self.connection.fail(TcpClose::ReadError),
        }
    }

    fn flush(&mut self, visit: &mut Visit<'_>) {
        let bytes = self.connection.unsent(visit.answers);
        if bytes.is_empty() || !self.ready.send {
            return;
        }
        let count = match kernel::send(&self.socket, bytes) {
            Ok(count) => count,
            Err(error) if would_block(&error) => 0,
            Err(_) => {
                visit.answers.clear();
                return self.connection.fail(TcpClose::WriteError);
            }
        };
        if count < bytes.len() {
            self.ready.send = false;
            visit.tally.add(TcpEvent::BlockedSends, 1);
        }
        self.connection.sent(count, visit.answers, visit.stock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_at_rest_is_small() {
        // And it holds no block: see the tests of `Connection`. A hundred thousand are 24 MB.
        assert!(size_of::<Session>() <= 240, "{}", size_of::<Session>());
    }
}

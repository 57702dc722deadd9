//! The sibling thread: TCP, and UDP that comes by kernel sockets beside AF_XDP.

use crate::packet::reply::Transport;
use crate::port::{Port, SocketPort};
use crate::snapshot::Inbox;
use crate::tcp::{Peer, Respond, Sibling};
use crate::telemetry::{Counters, Tally};
use crate::vectorloop::{Turn, respond};
use std::io;
use std::sync::Arc;

/// Longest wait of one turn in milliseconds.
const WAIT_MS: u32 = 500;

/// What the thread owns.
pub(super) struct SiblingThread {
    tcp: Sibling,
    ports: Vec<SocketPort>,
    turn: Turn<<SocketPort as Port>::Frame>,
    inbox: Inbox,
    tally: Tally,
    counters: Arc<Counters>,
}

impl SiblingThread {
    /// Puts the UDP sockets into the same wait as the TCP ones.
    pub(super) fn new(
        mut tcp: Sibling,
        ports: Vec<SocketPort>,
        vector_len: usize,
        inbox: Inbox,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        for (tag, port) in (0..).zip(&ports) {
            if let Some(fd) = port.fd() {
                tcp.watch(fd, tag)?;
            }
        }
        Ok(Self {
            tcp,
            ports,
            turn: Turn::new(vector_len),
            inbox,
            tally: Tally::default(),
            counters,
        })
    }

    /// Runs until it is stopped and drained.
    pub(super) fn run(mut self) -> io::Result<()> {
        loop {
            let backlog = self.ports.iter().any(Port::backlog);
            let wait_ms = if backlog { 0 } else { WAIT_MS };
            self.inbox.take();
            let mut responder = Responder {
                inbox: &self.inbox,
                tally: &mut self.tally,
            };
            let turn = self.tcp.turn(wait_ms, &mut responder)?;
            self.datagrams(backlog);
            self.counters.publish(&mut self.tally);
            if turn.finished {
                return Ok(());
            }
        }
    }

    /// A vector from each UDP socket that has something.
    fn datagrams(&mut self, backlog: bool) {
        for (tag, port) in (0..).zip(&mut self.ports) {
            if backlog || self.tcp.readable_tags().contains(&tag) {
                self.turn.run(port, self.inbox.current(), &mut self.tally);
                port.report(&mut self.tally);
            }
        }
    }
}

/// Answers TCP messages from the thread's snapshot.
struct Responder<'t> {
    inbox: &'t Inbox,
    tally: &'t mut Tally,
}

impl Respond for Responder<'_> {
    fn respond(&mut self, _peer: &Peer, buffer: &mut [u8], message_len: usize) -> Option<usize> {
        respond(
            buffer,
            message_len,
            Transport::Tcp,
            self.inbox.current(),
            self.tally,
        )
        .ok()
    }
}

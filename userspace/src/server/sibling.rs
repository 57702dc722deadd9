//! The sibling thread: TCP, and UDP that comes by kernel sockets beside AF_XDP.

use crate::packet::Arrival;
use crate::packet::reply::Transport;
use crate::port::{Port, SocketPort};
use crate::snapshot::Inbox;
use crate::sys::clock;
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
            let time_s = clock::unix_time_s();
            let mut responder = Responder {
                inbox: &self.inbox,
                time_s,
                tally: &mut self.tally,
            };
            let turn = self.tcp.turn(wait_ms, &mut responder)?;
            if self.tcp.is_leaving() {
                self.leave_datagrams()?;
            }
            self.datagrams(backlog, clock::unix_time_s());
            self.counters.publish(&mut self.tally);
            if turn.finished {
                return Ok(());
            }
        }
    }

    /// Leaves the UDP sockets to the process that has them as well: only connections are left here.
    fn leave_datagrams(&mut self) -> io::Result<()> {
        for port in self.ports.drain(..) {
            if let Some(fd) = port.fd() {
                self.tcp.unwatch(fd)?;
            }
        }
        Ok(())
    }

    /// A vector from each UDP socket that has something.
    fn datagrams(&mut self, backlog: bool, time_s: u32) {
        for (tag, port) in (0..).zip(&mut self.ports) {
            if backlog || self.tcp.readable_tags().contains(&tag) {
                let snapshot = self.inbox.current();
                self.turn.run(port, snapshot, time_s, &mut self.tally);
                port.report(&mut self.tally);
            }
        }
    }
}

/// Answers TCP messages from the thread's snapshot.
struct Responder<'t> {
    inbox: &'t Inbox,
    time_s: u32,
    tally: &'t mut Tally,
}

impl Respond for Responder<'_> {
    fn respond(&mut self, peer: &Peer, buffer: &mut [u8], message_len: usize) -> Option<usize> {
        let arrival = Arrival {
            client: peer.client.ip(),
            transport: Transport::Tcp,
            time_s: self.time_s,
        };
        let snapshot = self.inbox.current();
        respond(buffer, message_len, &arrival, snapshot, self.tally).ok()
    }
}

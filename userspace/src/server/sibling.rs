//! The sibling thread: TCP, and UDP that comes by kernel sockets beside AF_XDP.

use crate::port::{Port, SocketPort};
use crate::querylog::{Reader, recorder};
use crate::sampler::Sampler;
use crate::snapshot::Inbox;
use crate::sys::clock;
use crate::tcp::{Messages, Respond, Sibling};
use crate::telemetry::{Counters, Tally};
use crate::vectorloop::Turn;
use crate::worker::recorded;
use std::io;
use std::sync::Arc;

/// Longest wait of one turn in milliseconds.
const WAIT_MS: u32 = 500;

/// Messages of connections that go through the vectorloop together. More gain nothing, and each may
/// have a reply of 64 KiB.
const MESSAGES_AT_ONCE: usize = 64;

/// What the thread owns.
pub(super) struct SiblingThread {
    tcp: Sibling,
    ports: Vec<SocketPort>,
    /// Working memory for datagrams, and for the messages of connections.
    turn: Turn<<SocketPort as Port>::Frame>,
    messages_turn: Turn<<Messages as Port>::Frame>,
    inbox: Inbox,
    tally: Tally,
    sampler: Sampler,
    counters: Arc<Counters>,
}

impl SiblingThread {
    /// Puts the UDP sockets into the same wait as the TCP ones. With the other ends of what it
    /// records.
    pub(super) fn new(
        mut tcp: Sibling,
        ports: Vec<SocketPort>,
        vector_len: usize,
        inbox: Inbox,
        counters: Arc<Counters>,
    ) -> io::Result<(Self, [Reader; 2])> {
        for (tag, port) in (0..).zip(&ports) {
            if let Some(fd) = port.fd() {
                tcp.watch(fd, tag)?;
            }
        }
        let (mut turn, mut messages_turn) = (Turn::new(vector_len), Turn::new(MESSAGES_AT_ONCE));
        let [(datagrams, read_datagrams), (messages, read_messages)] = [recorder(), recorder()];
        turn.set_recorder(datagrams);
        messages_turn.set_recorder(messages);
        turn.set_zone_counts(counters.zones().cloned());
        messages_turn.set_zone_counts(counters.zones().cloned());
        let thread = Self {
            tcp,
            ports,
            turn,
            messages_turn,
            inbox,
            tally: Tally::default(),
            sampler: Sampler::default(),
            counters,
        };
        Ok((thread, [read_datagrams, read_messages]))
    }

    /// Runs until it is stopped and drained.
    pub(super) fn run(mut self) -> io::Result<()> {
        loop {
            let backlog = self.ports.iter().any(Port::backlog);
            let wait_ms = if backlog { 0 } else { WAIT_MS };
            let mut responder = Responder {
                turn: &mut self.messages_turn,
                inbox: &mut self.inbox,
                tally: &mut self.tally,
                sampler: &mut self.sampler,
                counters: &self.counters,
            };
            let turn = self.tcp.turn(wait_ms, &mut responder)?;
            if self.tcp.is_leaving() {
                self.leave_datagrams()?;
            }
            self.inbox.take();
            // In a crowd of connections a socket's event would wait for its place among theirs.
            self.datagrams(backlog || turn.crowded, clock::unix_time_s());
            // What it is told, it sees though nothing came.
            recorded(&mut self.turn, |_| 0);
            recorded(&mut self.messages_turn, |_| 0);
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

    /// A vector from each UDP socket that has something, or may have.
    fn datagrams(&mut self, all: bool, time_s: u32) {
        for (tag, port) in (0..).zip(&mut self.ports) {
            if all || self.tcp.readable_tags().contains(&tag) {
                let (snapshot, tally) = (self.inbox.current(), &mut self.tally);
                self.sampler.observe(&self.counters, || {
                    recorded(&mut self.turn, |turn| {
                        turn.run(port, snapshot, time_s, tally)
                    })
                });
                port.report(&mut self.tally);
            }
        }
    }
}

/// Answers TCP messages from the thread's snapshot.
struct Responder<'t> {
    turn: &'t mut Turn<<Messages as Port>::Frame>,
    inbox: &'t mut Inbox,
    tally: &'t mut Tally,
    sampler: &'t mut Sampler,
    counters: &'t Counters,
}

impl Respond for Responder<'_> {
    fn respond(&mut self, messages: &mut Messages) {
        // What has come while the thread waited, is what these clients are to see.
        self.inbox.take();
        let time_s = clock::unix_time_s();
        while messages.is_waiting() {
            let (snapshot, tally) = (self.inbox.current(), &mut *self.tally);
            self.sampler.observe(self.counters, || {
                recorded(self.turn, |turn| {
                    turn.run(messages, snapshot, time_s, tally)
                })
            });
        }
    }
}

//! All connections of one thread: taken in within the limits, visited in turn, closed in time.

use super::config::TcpConfig;
use super::connection::{Next, Visit, Wait};
use super::kernel::{Poller, Source};
use super::metrics::{TcpClose, TcpEvent, TcpTally};
use super::session::{Readiness, Session};
use super::table::{Key, Table};
use super::{Answers, Messages, Peer, Respond, Stock};
use std::collections::VecDeque;
use std::net::TcpStream;
use std::ops::Range;

/// Connections closed for their timeouts per turn; the rest follows in the next ones.
const EXPIRED_PER_TURN: usize = 256;

/// Open connections, and the memory that is shared by whichever of them is being visited.
#[derive(Debug)]
pub(super) struct Connections {
    config: TcpConfig,
    table: Table<Session>,
    /// Connections to visit, in the order in which they became ready.
    ready: VecDeque<Key>,
    draining: bool,
    /// While draining: those who have not asked yet are waited for.
    patient: bool,
    scratch: Box<[u8]>,
    messages: Messages,
    /// Whose messages these are, in their order.
    owners: Vec<(Key, Range<usize>)>,
    answers: Answers,
    stock: Stock,
    /// What this turn has counted so far.
    pub(super) tally: TcpTally,
}

impl Connections {
    /// None are open; the options have been checked.
    pub(super) fn new(config: TcpConfig) -> Self {
        Self {
            table: Table::default(),
            ready: VecDeque::new(),
            draining: false,
            patient: false,
            scratch: vec![0; config.receive_buffer_size as usize].into(),
            messages: Messages::new(config.vector_len as usize),
            owners: Vec::with_capacity(config.vector_len as usize),
            answers: Answers::new(config.send_buffer_size as usize),
            stock: Stock::new(config.memory_max as usize),
            tally: TcpTally::default(),
            config,
        }
    }

    /// Takes a new connection in, if the limits allow it; closes it otherwise.
    pub(super) fn admit(&mut self, socket: TcpStream, peer: Peer, poller: &Poller, now_ms: u64) {
        self.tally.add(TcpEvent::Accepted, 1);
        if let Err(reason) = self.make_room(&peer) {
            return self.tally.close(reason);
        }
        let session = Session::new(socket, peer, now_ms);
        let key = self.table.insert(session, peer.client.ip(), now_ms);
        // Its first event comes at once, because it can be sent to: so every connection is visited.
        let polled = match self.table.find(key) {
            Some(session) => poller.add(session.socket(), Source::Connection(key)),
            None => return,
        };
        if polled.is_err() {
            self.close(key, TcpClose::PollError);
        }
    }

    /// Takes note of an event: the connection is visited in its turn.
    pub(super) fn wake(&mut self, key: Key, readiness: Readiness) {
        if let Some(session) = self.table.find(key)
            && session.wake(readiness)
        {
            self.ready.push_back(key);
        }
    }

    /// Visits as many ready connections as one wait may report events, oldest first, and answers
    /// their queries. Returns whether there was any.
    pub(super) fn visit_ready(&mut self, respond: &mut impl Respond, now_ms: u64) -> bool {
        let idle = self.ready.is_empty();
        for _ in 0..self.config.events_per_wait {
            let Some(key) = self.ready.pop_front() else {
                break;
            };
            self.visit(key, now_ms);
            if self.messages.is_full() {
                self.answer(respond, now_ms);
            }
        }
        self.answer(respond, now_ms);
        !idle
    }

    /// Closes the connection that has been idle longest. Returns whether there was one.
    pub(super) fn evict_idle(&mut self) -> bool {
        let oldest = self.table.oldest(Wait::Idle);
        if let Some((key, _)) = oldest {
            self.close(key, TcpClose::Evicted);
        }
        oldest.is_some()
    }

    /// Sees to it that who asks for little memory gets it: of those who hold some, the ones who
    /// have not read, and then those who have not finished a query, for longest are closed.
    fn refill_stock(&mut self) {
        while self.stock.is_short()
            && let Some((key, _)) = [Wait::Send, Wait::Partial]
                .into_iter()
                .find_map(|wait| self.table.oldest(wait))
        {
            self.close(key, TcpClose::OutOfMemory);
        }
    }

    /// Closes what has waited too long: only the oldest of each list is ever looked at.
    pub(super) fn expire(&mut self, now_ms: u64) {
        let mut left = EXPIRED_PER_TURN;
        for wait in Wait::ALL {
            let (timeout_ms, reason) = self.timeout(wait);
            while let Some((key, since_ms)) = self.table.oldest(wait)
                && since_ms + timeout_ms <= now_ms
                && left != 0
            {
                self.close(key, reason);
                left -= 1;
            }
        }
    }

    /// From now on connections are closed as soon as they wait for a query; the `patient` waits for
    /// the first one of those who have not asked yet. Each is visited once more, for what may have
    /// arrived meanwhile.
    pub(super) fn start_drain(&mut self, patient: bool) {
        self.draining = true;
        self.patient = patient;
        let keys: Vec<Key> = self.table.keys().collect();
        for key in keys {
            self.wake(key, Readiness::RECEIVE);
        }
    }

    /// Closes all.
    pub(super) fn close_all(&mut self) {
        let keys: Vec<Key> = self.table.keys().collect();
        for key in keys {
            self.close(key, TcpClose::Drained);
        }
    }

    /// When there is next something to do without an event, in `now_ms`'s terms; 0: at once.
    pub(super) fn due_ms(&self) -> Option<u64> {
        if !self.ready.is_empty() {
            return Some(0);
        }
        let due_ms = |wait| {
            let (_, since_ms) = self.table.oldest(wait)?;
            Some(since_ms + self.timeout(wait).0)
        };
        Wait::ALL.into_iter().filter_map(due_ms).min()
    }

    /// Whether none is open.
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Bytes held for partial queries and unread answers.
    pub(super) fn memory_held(&self) -> usize {
        self.stock.bytes_held()
    }

    /// Keeps the limits by closing an idle connection; if there is none, says why not.
    fn make_room(&mut self, peer: &Peer) -> Result<(), TcpClose> {
        let client = peer.client.ip();
        if self.table.count_near(client) >= self.config.connections_per_network_max {
            let oldest = self.table.oldest_idle_near(client);
            self.close(oldest.ok_or(TcpClose::RefusedNetwork)?, TcpClose::Evicted);
        }
        if self.table.len() >= self.config.connections_max as usize {
            // Clients that connect and say nothing must not keep out those that ask.
            let oldest = [Wait::Idle, Wait::First, Wait::Partial]
                .into_iter()
                .find_map(|wait| self.table.oldest(wait));
            self.close(oldest.ok_or(TcpClose::RefusedTotal)?.0, TcpClose::Evicted);
        }
        Ok(())
    }

    /// Takes what a connection asks. If that is nothing, the visit is over; else it goes on when
    /// there are answers.
    fn visit(&mut self, key: Key, now_ms: u64) {
        self.refill_stock();
        // Who is alone, takes nothing from anybody.
        let share = match self.ready.is_empty() && self.messages.is_empty() {
            true => u32::MAX,
            false => self.config.queries_per_read,
        };
        let start = self.messages.len();
        let Some(session) = self.table.find(key) else {
            return;
        };
        let mut visit = Visit {
            queries_left: share,
            query_size_max: self.config.query_size_max as usize,
            messages: &mut self.messages,
            answers: &mut self.answers,
            stock: &mut self.stock,
            tally: &mut self.tally,
        };
        session.gather(&mut visit, &mut self.scratch);
        let range = start..self.messages.len();
        if range.is_empty() {
            self.deliver(key, range, now_ms);
        } else {
            self.owners.push((key, range));
        }
    }

    /// Has the gathered queries answered, as one vector, and sends the replies.
    fn answer(&mut self, respond: &mut impl Respond, now_ms: u64) {
        if !self.messages.is_empty() {
            respond.respond(&mut self.messages);
        }
        let mut owners = std::mem::take(&mut self.owners);
        for (key, range) in owners.drain(..) {
            self.deliver(key, range, now_ms);
        }
        self.owners = owners;
        self.messages.clear();
    }

    /// Sends the replies to a connection's queries, and ends the visit.
    fn deliver(&mut self, key: Key, range: Range<usize>, now_ms: u64) {
        self.refill_stock();
        let Some(session) = self.table.find(key) else {
            return;
        };
        let mut visit = Visit {
            queries_left: 0,
            query_size_max: 0,
            messages: &mut self.messages,
            answers: &mut self.answers,
            stock: &mut self.stock,
            tally: &mut self.tally,
        };
        session.deliver(range, &mut visit);
        let (wait, since_ms) = session.connection.settle(now_ms);
        let next = session.connection.next();
        if let Next::Close(reason) = next {
            return self.close(key, reason);
        }
        if session.requeue(next) {
            self.ready.push_back(key);
        } else if self.draining
            && session.connection.is_quiet()
            && !(self.patient && wait == Wait::First)
        {
            return self.close(key, TcpClose::Drained);
        }
        self.table.settle(key, wait, since_ms);
    }

    fn close(&mut self, key: Key, reason: TcpClose) {
        if let Some(session) = self.table.remove(key) {
            self.tally.close(reason);
            session.close(&mut self.stock);
        }
    }

    /// How long a connection may wait, and what the end of that is called.
    fn timeout(&self, wait: Wait) -> (u64, TcpClose) {
        let config = &self.config;
        match wait {
            Wait::First | Wait::Partial => {
                (config.receive_timeout_ms.into(), TcpClose::ReceiveTimeout)
            }
            Wait::Idle => (config.keepalive_ms.into(), TcpClose::KeepaliveTimeout),
            Wait::Send => (config.send_timeout_ms.into(), TcpClose::SendTimeout),
        }
    }
}

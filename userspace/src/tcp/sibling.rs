//! The thread's loop: one wait, then all that it brought.

use super::Respond;
use super::clock::Clock;
use super::config::TcpConfig;
use super::connections::Connections;
use super::kernel::{self, Poller, Source, Waker};
use super::listeners::Listeners;
use super::listening::{StartError, listen};
use super::metrics::{TcpCounters, TcpEvent};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// DNS over TCP on kernel sockets, driven turn by turn by one thread.
#[derive(Debug)]
pub struct Sibling {
    clock: Clock,
    now_ms: u64,
    poller: Poller,
    waker: Waker,
    listeners: Listeners,
    connections: Connections,
    /// Tags of foreign descriptors that were ready in the last turn.
    readable_tags: Vec<u32>,
    accepts_per_turn: u32,
    drain_timeout_ms: u64,
    /// When a stopped thread closes what is still open.
    drain_until_ms: Option<u64>,
    counters: Arc<TcpCounters>,
}

/// What a turn was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Nothing happened: no event, no connection to visit.
    pub idle: bool,
    /// The wait told of as many events as it may: foreign descriptors may be readable that it did
    /// not tell of.
    pub crowded: bool,
    /// The thread was stopped and all connections are closed: there is nothing left to do.
    pub finished: bool,
}

impl Sibling {
    /// Opens the listening sockets, as the only one. The thread that drives it is the only writer
    /// of `counters`.
    pub fn new(config: TcpConfig, counters: Arc<TcpCounters>) -> Result<Self, StartError> {
        config.check()?;
        let addresses = config.listen.iter().filter(|_| config.enable);
        let open = |&address| listen(address, config.backlog, false);
        let sockets = addresses.map(open).collect::<Result<_, _>>()?;
        Self::on(sockets, config, counters)
    }

    /// As `new`, with listening sockets that are open already.
    pub fn on(
        sockets: Vec<OwnedFd>,
        config: TcpConfig,
        counters: Arc<TcpCounters>,
    ) -> Result<Self, StartError> {
        config.check()?;
        let poller = Poller::new(config.events_per_wait as usize).map_err(StartError::Poller)?;
        let waker = Waker::new(&poller).map_err(StartError::Poller)?;
        let mut listeners = Listeners::default();
        for socket in sockets {
            listeners.add(socket, &poller).map_err(StartError::Poller)?;
        }
        Ok(Self {
            clock: Clock::start(),
            now_ms: 0,
            poller,
            waker,
            listeners,
            readable_tags: Vec::new(),
            accepts_per_turn: config.accepts_per_turn,
            drain_timeout_ms: config.drain_timeout_ms.into(),
            drain_until_ms: None,
            connections: Connections::new(config),
            counters,
        })
    }

    /// One turn: waits for events, at most `wait_ms` and not beyond the next timeout; answers,
    /// expires and accepts, each within its share; publishes the counters.
    ///
    /// An error means that the epoll set itself failed.
    pub fn turn(&mut self, wait_ms: u32, respond: &mut impl Respond) -> io::Result<Turn> {
        let until_due_ms = self.due_ms().saturating_sub(self.now_ms);
        self.poller.wait(until_due_ms.min(wait_ms.into()))?;
        self.now_ms = self.clock.now_ms();
        self.sort_events();
        if self.waker.is_stopped() && self.drain_until_ms.is_none() {
            self.start_drain();
        }
        let visited = self.connections.visit_ready(respond, self.now_ms);
        self.connections.expire(self.now_ms);
        // Last, because what is idle or gone by now makes room.
        self.accept();
        let finished = self.drain();
        self.connections.tally.add(TcpEvent::Turns, 1);
        self.counters.publish(&mut self.connections.tally);
        let idle = self.poller.count() == 0 && !visited;
        Ok(Turn {
            idle,
            crowded: self.poller.is_full(),
            finished,
        })
    }

    /// Takes a descriptor of someone else's into the same wait: while it is readable, each turn
    /// reports its `tag`. It must be taken out with [`Sibling::unwatch`] before it is closed.
    pub fn watch(&mut self, descriptor: impl AsFd, tag: u32) -> io::Result<()> {
        self.poller.add(descriptor, Source::Foreign(tag))
    }

    /// Takes such a descriptor out.
    pub fn unwatch(&mut self, descriptor: impl AsFd) -> io::Result<()> {
        self.poller.remove(descriptor)
    }

    /// Tags of the watched descriptors that were readable in the last turn.
    pub fn readable_tags(&self) -> &[u32] {
        &self.readable_tags
    }

    /// Wakes and stops the thread from others.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Whether the thread was stopped, and its listening sockets are another process's by now.
    pub fn is_leaving(&self) -> bool {
        self.waker.is_leaving()
    }

    /// The addresses that are listened on, with the ports that the kernel chose.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.addresses().collect()
    }

    /// Bytes held for partial queries and unread answers.
    pub fn memory_held(&self) -> usize {
        self.connections.memory_held()
    }

    /// When there is next something to do without an event.
    fn due_ms(&self) -> u64 {
        let due_ms = [
            self.connections.due_ms(),
            self.listeners.due_ms(),
            self.drain_until_ms,
        ];
        due_ms.into_iter().flatten().min().unwrap_or(u64::MAX)
    }

    /// Takes note of the wait's events; nothing is received or sent yet.
    fn sort_events(&mut self) {
        self.readable_tags.clear();
        for index in 0..self.poller.count() {
            let (source, readiness) = self.poller.event(index);
            match source {
                Source::Connection(key) => self.connections.wake(key, readiness),
                Source::Listener(index) => self.listeners.wake(index),
                Source::Waker => {}
                Source::Foreign(tag) => self.readable_tags.push(tag),
            }
        }
    }

    fn accept(&mut self) {
        if self
            .listeners
            .due_ms()
            .is_none_or(|due_ms| due_ms > self.now_ms)
        {
            return;
        }
        let connections = &mut self.connections;
        for _ in 0..self.accepts_per_turn {
            match self.listeners.accept() {
                Ok(Some((socket, peer))) => {
                    connections.admit(socket, peer, &self.poller, self.now_ms);
                }
                Ok(None) => return,
                Err(error) if kernel::is_exhausted(&error) => {
                    connections.tally.add(TcpEvent::AcceptExhausted, 1);
                    // An idle connection's descriptor is of more use to a new one.
                    if !connections.evict_idle() {
                        return self.listeners.pause(self.now_ms);
                    }
                }
                Err(error) => {
                    connections.tally.add(TcpEvent::AcceptErrors, 1);
                    if error.kind() != io::ErrorKind::ConnectionAborted {
                        return self.listeners.pause(self.now_ms);
                    }
                }
            }
        }
    }

    fn start_drain(&mut self) {
        self.drain_until_ms = Some(self.now_ms + self.drain_timeout_ms);
        let leaving = self.waker.is_leaving();
        if leaving {
            self.listeners.leave(&self.poller);
        } else {
            self.listeners.wake_all();
        }
        self.connections.start_drain(leaving);
    }

    /// While stopped: listens no longer once all who waited are accepted, closes everything at
    /// the deadline. Returns whether nothing is left.
    fn drain(&mut self) -> bool {
        let Some(until_ms) = self.drain_until_ms else {
            return false;
        };
        if self.now_ms >= until_ms {
            self.connections.close_all();
            self.listeners.close();
        } else if self.listeners.due_ms().is_none() {
            self.listeners.close();
        }
        self.listeners.is_empty() && self.connections.is_empty()
    }
}

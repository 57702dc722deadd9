//! A steady stream of one query from several ports: which were answered, how late, and when those
//! were sent that never were.

use crate::client::ask;
use nix::sys::socket::{setsockopt, sockopt};
use std::fmt;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Ports that it comes from: enough for every queue to get some.
const PORTS: usize = 8;
/// Message IDs there are.
const IDS: usize = 1 << 16;
/// Room for the replies that come while the machine runs something else.
const RECEIVE_BUFFER: usize = 8 << 20;
/// Rest between two looks: a few queries at the highest rates.
const REST: Duration = Duration::from_micros(200);
/// How long the last replies may take; what has not come by then is lost.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// What came of it.
#[derive(Debug, Default)]
pub struct Steady {
    /// Queries sent.
    pub sent: usize,
    /// From the moment that a query was due until its reply was there, ascending, in nanoseconds.
    pub latencies_ns: Vec<u64>,
    /// When those were due that got no reply, since the start.
    pub lost: Vec<Duration>,
    /// The latest that a query was sent after it was due: the client's own part.
    pub late_max: Duration,
}

impl Steady {
    /// The latency that so many of a thousand queries do not exceed.
    pub fn per_mille(&self, share: usize) -> Duration {
        let last = self.latencies_ns.len().saturating_sub(1);
        let at = last * share / 1000;
        Duration::from_nanos(self.latencies_ns.get(at).copied().unwrap_or_default())
    }
}

impl fmt::Display for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sent, lost) = (self.sent, &self.lost);
        write!(f, "{sent} sent, {} lost {lost:?}", lost.len())?;
        for (name, share) in [("p50", 500), ("p99", 990), ("p99.9", 999), ("max", 1000)] {
            write!(f, ", {name} {:?}", self.per_mille(share))?;
        }
        write!(f, ", client late by at most {:?}", self.late_max)
    }
}

/// Sends `query` at `rate` a second until told to stop. Each reply must be as the first one.
pub fn steady(server: SocketAddr, query: &[u8], rate: u32, stop: &AtomicBool) -> Steady {
    let (expected, _) = ask(server, query);
    let mut ports: Vec<Port> = (0..PORTS).map(|_| Port::new(server)).collect();
    let mut steady = Steady::default();
    let mut query = query.to_vec();
    let due_ns = |number: usize| number as u64 * 1_000_000_000 / u64::from(rate);
    let (start, mut stopped) = (Instant::now(), None);
    loop {
        let now = start.elapsed();
        if stopped.is_none() && stop.load(Ordering::Relaxed) {
            stopped = Some(now);
        }
        while stopped.is_none() && due_ns(steady.sent) <= nanoseconds(start.elapsed()) {
            let due = due_ns(steady.sent);
            let late = start.elapsed().saturating_sub(Duration::from_nanos(due));
            steady.late_max = steady.late_max.max(late);
            ports[steady.sent % PORTS].send(&mut query, due, &mut steady.lost);
            steady.sent += 1;
        }
        for port in &mut ports {
            port.receive(&expected, start, &mut steady.latencies_ns);
        }
        let done = steady.latencies_ns.len() + steady.lost.len() == steady.sent;
        if stopped.is_some_and(|since| done || now > since + STRAGGLERS) {
            break;
        }
        std::thread::park_timeout(REST);
    }
    for port in &ports {
        let left = port.waiting.iter().flatten();
        steady
            .lost
            .extend(left.map(|&due| Duration::from_nanos(due)));
    }
    steady.latencies_ns.sort_unstable();
    steady.lost.sort_unstable();
    steady
}

/// Tells a stream to stop, also where the test fails that it is for.
pub struct Stop<'f>(pub &'f AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A client's socket, and what it waits for.
struct Port {
    socket: UdpSocket,
    /// When the query with this ID was due.
    waiting: Vec<Option<u64>>,
    next: u16,
}

impl Port {
    fn new(server: SocketAddr) -> Self {
        let socket = crate::client::socket(server);
        socket.connect(server).expect("a route to the server");
        socket.set_nonblocking(true).expect("a socket");
        // Beyond net.core.rmem_max only root leads.
        setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER)
            .or_else(|_| setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER))
            .expect("a buffer");
        Self {
            socket,
            waiting: vec![None; IDS],
            next: 0,
        }
    }

    fn send(&mut self, query: &mut [u8], due_ns: u64, lost: &mut Vec<Duration>) {
        query[..2].copy_from_slice(&self.next.to_be_bytes());
        // Whoever still waits under this ID has done so for many seconds.
        let before = self.waiting[usize::from(self.next)].replace(due_ns);
        lost.extend(before.map(Duration::from_nanos));
        self.next = self.next.wrapping_add(1);
        self.socket.send(query).expect("the interface takes it");
    }

    fn receive(&mut self, expected: &[u8], start: Instant, latencies_ns: &mut Vec<u64>) {
        let mut reply = [0; 4096];
        loop {
            let len = match self.socket.recv(&mut reply) {
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("the client's socket: {error}"),
            };
            let id = usize::from(u16::from_be_bytes([reply[0], reply[1]]));
            let due_ns = self.waiting[id].take();
            let due_ns = due_ns.unwrap_or_else(|| panic!("a second reply to {id}"));
            assert_eq!(reply[2..len], expected[2..], "a wrong reply to {id}");
            latencies_ns.push(nanoseconds(start.elapsed()).saturating_sub(due_ns));
        }
    }
}

/// Nanoseconds, of which 64 bits hold centuries.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("centuries")
}

//! An open-loop client: queries go out when they are due, whatever became of those before.

use crate::interrupt::is_interrupted;
use nix::sys::socket::{setsockopt, sockopt};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Most datagrams that are sent, or received, before it is the other's turn.
const BURST: usize = 16;
/// How long the last replies may take; what has not come by then is lost.
const STRAGGLERS: Duration = Duration::from_millis(300);
/// Room for the replies that come while the machine runs something else here.
const RECEIVE_BUFFER: usize = 8 << 20;
/// Message IDs there are.
const IDS: usize = 1 << 16;

/// A query and the only reply that is right, both with the ID 0.
pub struct Exchange {
    /// What is asked.
    pub query: Vec<u8>,
    /// What is to come back.
    pub reply: Vec<u8>,
}

/// What came of a load.
#[derive(Default)]
pub struct Measured {
    /// From the moment that a query was due until its reply was there, ascending, in nanoseconds.
    pub latencies_ns: Vec<u64>,
    /// From that moment until the query was sent: the client's own part, ascending.
    pub late_ns: Vec<u64>,
    /// Queries without a reply.
    pub lost: usize,
}

/// A client on a socket of its own.
pub struct Client<'e> {
    socket: UdpSocket,
    exchanges: &'e [Exchange],
    /// The number of the query that waits for a reply with this ID.
    waiting: Vec<Option<usize>>,
}

impl<'e> Client<'e> {
    /// A client of `server`, in the network namespace of the calling thread.
    pub fn new(server: SocketAddr, exchanges: &'e [Exchange]) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
        socket.connect(server).expect("a route to the server");
        socket.set_nonblocking(true).expect("a socket");
        setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).expect("root may");
        Self {
            socket,
            exchanges,
            waiting: vec![None; IDS],
        }
    }

    /// Sends `rate` queries a second for `duration`, one after the other in even steps. Ends early
    /// when told to stop.
    pub fn run(&mut self, rate: u32, duration: Duration) -> Measured {
        let total = count(rate, duration);
        let mut measured = Measured::default();
        measured.latencies_ns.reserve(total);
        measured.late_ns.reserve(total);
        self.waiting.fill(None);
        let due_ns = |number: usize| number as u64 * 1_000_000_000 / u64::from(rate);
        let (start, mut sent) = (Instant::now(), 0);
        while !is_interrupted() {
            for _ in 0..BURST {
                let now = nanoseconds(start.elapsed());
                if sent == total || due_ns(sent) > now {
                    break;
                }
                self.send(sent);
                measured.late_ns.push(now - due_ns(sent));
                sent += 1;
            }
            for _ in 0..BURST {
                let Some(number) = self.receive() else { break };
                let now = nanoseconds(start.elapsed());
                measured.latencies_ns.push(now - due_ns(number));
            }
            let all = measured.latencies_ns.len() == total;
            if all || start.elapsed() > duration + STRAGGLERS {
                break;
            }
        }
        measured.lost = sent - measured.latencies_ns.len();
        measured.latencies_ns.sort_unstable();
        measured.late_ns.sort_unstable();
        measured
    }

    /// Sends a query. One that does not fit the interface's queue is lost, as on any wire.
    fn send(&mut self, number: usize) {
        let id = u16::try_from(number % IDS).expect("below 65536");
        let mut message = [0; 512];
        let query = &self.exchanges[number % self.exchanges.len()].query;
        message[..query.len()].copy_from_slice(query);
        message[..2].copy_from_slice(&id.to_be_bytes());
        let sent = self.socket.send(&message[..query.len()]);
        self.waiting[usize::from(id)] = sent.is_ok().then_some(number);
    }

    /// The number of the query whose reply has come. A wrong reply ends the run.
    fn receive(&mut self) -> Option<usize> {
        let mut message = [0; 4096];
        loop {
            let len = match self.socket.recv(&mut message) {
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) => panic!("the client's socket: {error}"),
            };
            let id = u16::from_be_bytes([message[0], message[1]]);
            // What was given up in the last run may come in this one.
            let Some(number) = self.waiting[usize::from(id)].take() else {
                continue;
            };
            let exchange = &self.exchanges[number % self.exchanges.len()];
            let (came, right) = (&message[2..len], &exchange.reply[2..]);
            assert_eq!(came, right, "query {number} got a wrong reply");
            return Some(number);
        }
    }
}

/// Queries in `duration`.
fn count(rate: u32, duration: Duration) -> usize {
    let count = u128::from(rate) * duration.as_millis() / 1000;
    usize::try_from(count).expect("some millions")
}

/// Nanoseconds, of which 64 bits hold centuries.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("centuries")
}

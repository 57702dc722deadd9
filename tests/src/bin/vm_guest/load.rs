//! Paced queries from many ports, each reply held against the only right one.

use crate::cable::{CLIENT_ADDRESS, Cable};
use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use tests::answers::{by_udp, snapshot};
use tests::client::query;
use tests::record::rtype;
use tests::server::EXAMPLE;

/// Ports that queries come from: enough for each of eight queues to get some.
const PORTS: usize = 64;
/// How long the last replies may take; what has not come by then is lost.
const STRAGGLERS: Duration = Duration::from_secs(3);
/// How long a second reply to a query may take that has had one.
const ECHOES: Duration = Duration::from_millis(200);
/// What is asked, in turn.
const QUESTIONS: &[(&str, u16)] = &[
    ("www.example", rtype::A),
    ("www.example", rtype::AAAA),
    ("example", rtype::NS),
    ("nosuch.example", rtype::A),
    ("any.wild.example", rtype::TXT),
    ("deep.sub.example", rtype::A),
];

/// What came of a load.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Queries that were due.
    pub(crate) asked: usize,
    /// Right replies.
    pub(crate) answered: usize,
    /// The first query without a reply, and the last, counted from 0.
    pub(crate) lost: Option<(usize, usize)>,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered={}/{}", self.answered, self.asked)?;
        match self.lost {
            Some((first, last)) => write!(f, " lost={first}..={last}"),
            None => Ok(()),
        }
    }
}

impl Load {
    /// Whether every query was answered.
    pub(crate) fn is_whole(&self) -> bool {
        self.answered == self.asked
    }
}

/// Asks `count` queries (65,536 at most) at `rate` a second. A wrong reply, or a second one to one
/// query, is a panic.
pub(crate) fn load(cable: &Cable, count: usize, rate: u32) -> Load {
    load_from(cable, CLIENT_ADDRESS.into(), cable.server(), count, rate)
}

/// The same from one of the clients' addresses, to any of the server's.
pub(crate) fn load_from(
    cable: &Cable,
    client: IpAddr,
    server: SocketAddr,
    count: usize,
    rate: u32,
) -> Load {
    let asking = || Asking::new(client, server, count).run(rate);
    cable.clients.run(asking)
}

/// What has become of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is not due yet, or was lost without a link.
    Unsent,
    /// It is under way, or lost.
    Waiting,
    /// The right reply came.
    Answered,
}

/// A load under way.
struct Asking {
    server: SocketAddr,
    sockets: Vec<UdpSocket>,
    /// Queries and their replies.
    exchanges: Vec<(Vec<u8>, Vec<u8>)>,
    /// Of each query that is to be asked.
    fates: Vec<Fate>,
    load: Load,
}

impl Asking {
    fn new(client: IpAddr, server: SocketAddr, count: usize) -> Self {
        let snapshot = snapshot(&[("example", EXAMPLE)]);
        let exchanges = QUESTIONS.iter().map(|&(name, qtype)| {
            let query = query(name, qtype);
            let reply = by_udp(&snapshot, &query).expect("a good query");
            (query, reply)
        });
        let socket = |_| UdpSocket::bind((client, 0)).expect("a client's address");
        let sockets: Vec<_> = (0..PORTS).map(socket).collect();
        for socket in &sockets {
            socket.set_nonblocking(true).expect("a socket");
        }
        Self {
            server,
            sockets,
            exchanges: exchanges.collect(),
            fates: vec![Fate::Unsent; count],
            load: Load::default(),
        }
    }

    fn run(mut self, rate: u32) -> Load {
        let (start, count) = (Instant::now(), self.fates.len());
        let duration = Duration::from_secs(count as u64) / rate;
        while self.load.answered < count && start.elapsed() < duration + STRAGGLERS {
            let due = start.elapsed().as_secs_f64() * f64::from(rate);
            while self.load.asked < count && self.load.asked as f64 <= due {
                self.ask();
            }
            self.collect_all();
            std::thread::park_timeout(Duration::from_millis(1));
        }
        std::thread::park_timeout(ECHOES);
        self.collect_all();
        let asked = &self.fates[..self.load.asked];
        let is_lost = |fate: &Fate| *fate != Fate::Answered;
        let (first, last) = (
            asked.iter().position(is_lost),
            asked.iter().rposition(is_lost),
        );
        self.load.lost = first.zip(last);
        self.load
    }

    fn collect_all(&mut self) {
        for port in 0..PORTS {
            self.collect(port);
        }
    }

    fn ask(&mut self) {
        let number = self.load.asked;
        let (query, _) = &self.exchanges[number % self.exchanges.len()];
        let mut query = query.clone();
        let id = u16::try_from(number).expect("at most 65,536");
        query[..2].copy_from_slice(&id.to_be_bytes());
        // Without a link it is lost, as on any wire.
        let sent = self.sockets[number % PORTS].send_to(&query, self.server);
        if sent.is_ok() {
            self.fates[number] = Fate::Waiting;
        }
        self.load.asked += 1;
    }

    /// Takes the replies that have come to a port.
    fn collect(&mut self, port: usize) {
        let mut reply = [0; 4096];
        loop {
            let len = match self.sockets[port].recv(&mut reply) {
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // A server that is not there just now.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => continue,
                Err(error) => panic!("a client's socket: {error}"),
            };
            let number = usize::from(u16::from_be_bytes([reply[0], reply[1]]));
            let before = std::mem::replace(&mut self.fates[number], Fate::Answered);
            assert_eq!(before, Fate::Waiting, "a second reply to {number}");
            let (_, right) = &self.exchanges[number % self.exchanges.len()];
            assert_eq!(
                reply[2..len],
                right[2..],
                "query {number} got a wrong reply"
            );
            self.load.answered += 1;
        }
    }
}

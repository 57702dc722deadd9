//! Clients that have nothing to do with the fault: they ask steadily, and are answered.

use crate::stage::{Stage, small};
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tests::steady::Stop;
use tests::tcp::{Client, framed};

/// Between a reply and the next query.
const REST: Duration = Duration::from_millis(5);
/// Queries that each of them asks at least, however short the fault is.
const COUNT_MIN: usize = 20;
/// Every so many queries by TCP come over a connection of their own.
const NEWCOMER_EVERY: usize = 8;
/// Nobody waits longer for a reply, on a machine that all of this keeps busy.
const PATIENCE: Duration = Duration::from_secs(2);
/// Half of the replies come faster.
const MEDIAN_MAX: Duration = Duration::from_millis(200);
/// The client network that they are in; no fault comes from there.
const NETWORK: usize = 9999;

/// Over what they ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// UDP, one TCP connection that stays, and others that come and go.
    All,
    /// UDP, and one TCP connection that stays: for a server that is to accept no other.
    Established,
    /// UDP: for a server whose TCP fails everybody.
    Datagrams,
}

impl Stage {
    /// Does `work` where the clients are, while others ask.
    pub(crate) fn while_others_ask<T: Send>(
        &self,
        over: Over,
        work: impl FnOnce() -> T + Send,
    ) -> T {
        let stopped = AtomicBool::new(false);
        self.client(|| {
            thread::scope(|scope| {
                let udp = scope.spawn(|| by_udp(self, &stopped));
                let tcp =
                    (over != Over::Datagrams).then(|| scope.spawn(|| by_tcp(self, over, &stopped)));
                let stop = Stop(&stopped);
                let result = work();
                drop(stop);
                if let Some(tcp) = tcp {
                    tcp.join().expect("no panic").check(0);
                }
                udp.join().expect("no panic").check(self.dropped_by_link());
                result
            })
        })
    }
}

/// What came of it.
struct Asked {
    over: &'static str,
    took: Vec<Duration>,
    lost: Vec<String>,
}

impl Asked {
    fn new(over: &'static str) -> Self {
        Self {
            over,
            took: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// Asks until told to stop; `ask` gets the number of the query and returns the reply.
    fn run(
        mut self,
        stopped: &AtomicBool,
        mut ask: impl FnMut(usize, &[u8]) -> io::Result<Vec<u8>>,
    ) -> Self {
        let start = Instant::now();
        let mut first: Option<Vec<u8>> = None;
        for number in 0.. {
            if stopped.load(Ordering::Relaxed) && number >= COUNT_MIN {
                break;
            }
            let id = u16::try_from(number & 0xffff).expect("16 bits");
            let asked = Instant::now();
            match ask(number, &small(id)) {
                Ok(reply) => {
                    assert_eq!(reply[..2], id.to_be_bytes(), "the reply to another query");
                    let expected = first.get_or_insert_with(|| reply.clone());
                    assert_eq!(reply[2..], expected[2..], "another reply");
                    self.took.push(asked.elapsed());
                }
                Err(error) => {
                    let (at, waited) = (asked - start, asked.elapsed());
                    self.lost
                        .push(format!("at {at:?}, after {waited:?}: {error}"));
                }
            }
            thread::park_timeout(REST);
        }
        self.took.sort_unstable();
        self
    }

    /// Fails if somebody was not answered; so many may have been the network's fault.
    fn check(&self, dropped_by_link: u64) {
        eprintln!("{self}; {dropped_by_link} packets dropped by the link");
        assert!(self.lost.len() as u64 <= dropped_by_link, "{self}");
        assert!(self.took.len() >= COUNT_MIN, "{self}");
        assert!(self.per_mille(1000) < PATIENCE, "{self}");
        assert!(self.per_mille(500) < MEDIAN_MAX, "{self}");
    }

    fn per_mille(&self, share: usize) -> Duration {
        let last = self.took.len().saturating_sub(1);
        self.took
            .get(last * share / 1000)
            .copied()
            .unwrap_or_default()
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (answered, lost) = (self.took.len(), &self.lost);
        write!(f, "others, by {}: {answered} answered", self.over)?;
        write!(f, ", {} lost {lost:?}", lost.len())?;
        for (name, share) in [("p50", 500), ("p99", 990), ("max", 1000)] {
            write!(f, ", {name} {:?}", self.per_mille(share))?;
        }
        Ok(())
    }
}

fn by_tcp(stage: &Stage, over: Over, stopped: &AtomicBool) -> Asked {
    let connect = || Client::connect_from(stage.source(NETWORK, 1), stage.address);
    let mut established = connect().expect("the server listens");
    Asked::new("TCP").run(stopped, |number, query| {
        let newcomer = over == Over::All && number % NEWCOMER_EVERY == 0;
        let mut other = newcomer.then(connect).transpose()?;
        let client = other.as_mut().unwrap_or(&mut established);
        client.0.write_all(&framed(query))?;
        client.receive()
    })
}

fn by_udp(stage: &Stage, stopped: &AtomicBool) -> Asked {
    let socket = UdpSocket::bind((stage.source(NETWORK, 2), 0)).expect("a free port");
    socket.connect(stage.address).expect("a route");
    socket.set_read_timeout(Some(PATIENCE)).expect("above zero");
    Asked::new("UDP").run(stopped, |_, query| {
        socket.send(query)?;
        let mut reply = [0; 4096];
        loop {
            let len = socket.recv(&mut reply)?;
            if len < 2 {
                return Err(ErrorKind::InvalidData.into());
            }
            // What comes after its query was given up is not waited for any more.
            if reply[..2] == query[..2] {
                return Ok(reply[..len].to_vec());
            }
        }
    })
}

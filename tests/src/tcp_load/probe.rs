//! A light steady load that notices what a flood does to others: it sleeps between two queries, and
//! counts latency from the moment that a query was due.

use super::questions::{Expects, PREFIX_LEN, Questions};
use crate::interrupt::is_interrupted;
use crate::medians::percentile_us;
use crate::tcp::framed;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Connections, or sockets, that it comes from.
const CHANNELS: usize = 10;
/// How long the last replies may take; what has not come by then is lost.
const STRAGGLERS: Duration = Duration::from_secs(1);
/// Longer than connecting takes, even to a server under a flood.
const PATIENCE: Duration = Duration::from_secs(10);
/// Message IDs there are.
const IDS: usize = 1 << 16;

/// By what a probe asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Connections that stay.
    Tcp,
}

/// A light load.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// Who is asked.
    pub server: SocketAddr,
    /// By what.
    pub transport: Transport,
    /// Queries a second.
    pub rate: u32,
    /// How long.
    pub window: Duration,
}

/// What it saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// From the moment that a query was due to its reply, ascending. What is lost has waited as
    /// long as the probe did.
    pub latencies_ns: Vec<u64>,
    /// Queries sent.
    pub sent: usize,
    /// Queries without a reply.
    pub lost: usize,
    /// Replies that were not right.
    pub wrong: usize,
    /// From the moment that a query was due until it was sent, ascending.
    pub late_ns: Vec<u64>,
}

impl Seen {
    /// The latency that so many of a thousand do not exceed, in µs.
    pub fn per_mille_us(&self, share: usize) -> f64 {
        percentile_us(&self.latencies_ns, share)
    }
}

/// A probe at work.
struct Running {
    questions: Questions,
    channels: Vec<Channel>,
    /// By ID: the question that waits, and when it was due.
    waiting: Vec<Option<(u16, u64)>>,
    start: Instant,
    seen: Seen,
}

impl Probe {
    /// Asks in even steps. Ends early when told to.
    pub fn run(&self) -> io::Result<Seen> {
        let channels = (0..CHANNELS).map(|_| Channel::open(self.server, self.transport));
        let mut running = Running {
            channels: channels.collect::<io::Result<_>>()?,
            questions: Questions::new(Expects::Answers),
            waiting: vec![None; IDS],
            start: Instant::now(),
            seen: Seen::default(),
        };
        let total = usize::try_from(u128::from(self.rate) * self.window.as_millis() / 1000)
            .expect("some thousands");
        let due_ns = |number: usize| number as u64 * 1_000_000_000 / u64::from(self.rate);
        running.start = Instant::now();
        let end = self.window + STRAGGLERS;
        while !is_interrupted() {
            while running.seen.sent < total && due_ns(running.seen.sent) <= running.now_ns() {
                running.send(due_ns(running.seen.sent));
            }
            let is_over = running.seen.sent == total && running.is_answered();
            let now = running.start.elapsed();
            if is_over || now >= end {
                break;
            }
            let next = match running.seen.sent {
                sent if sent < total => Duration::from_nanos(due_ns(sent)),
                _ => end,
            };
            running.wait(next.saturating_sub(now))?;
        }
        Ok(running.finish())
    }
}

impl Running {
    fn now_ns(&self) -> u64 {
        nanoseconds(self.start.elapsed())
    }

    fn is_answered(&self) -> bool {
        self.seen.latencies_ns.len() == self.seen.sent
    }

    fn send(&mut self, due_ns: u64) {
        let id = u16::try_from(self.seen.sent % IDS).expect("below 65536");
        let number = self.questions.choose();
        let mut query = Vec::new();
        self.questions.write(number, id, &mut query);
        // What cannot be sent is lost.
        let channel = &mut self.channels[self.seen.sent % CHANNELS];
        if channel.send(&query).is_ok() {
            self.waiting[usize::from(id)] = Some((number, due_ns));
        }
        self.seen.late_ns.push(self.now_ns().saturating_sub(due_ns));
        self.seen.sent += 1;
    }

    /// Waits for a reply, at most so long, and takes all that have come.
    fn wait(&mut self, longest: Duration) -> io::Result<()> {
        let open = self.channels.iter().filter(|channel| !channel.is_gone);
        let mut fds: Vec<PollFd<'_>> = open
            .map(|channel| PollFd::new(channel.fd(), PollFlags::POLLIN))
            .collect();
        match ppoll(&mut fds, Some(TimeSpec::from_duration(longest)), None) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut replies = Vec::new();
        for channel in &mut self.channels {
            channel.receive(&mut replies);
        }
        let now_ns = self.now_ns();
        for reply in replies {
            self.take(&reply, now_ns);
        }
        Ok(())
    }

    fn take(&mut self, reply: &[u8], now_ns: u64) {
        let id = reply.get(..2).map(|id| u16::from_be_bytes([id[0], id[1]]));
        let waiting = id.and_then(|id| self.waiting[usize::from(id)].take());
        let Some((number, due_ns)) = waiting else {
            self.seen.wrong += 1;
            return;
        };
        let mut reply = reply.to_vec();
        reply[..2].fill(0);
        self.seen.wrong += usize::from(self.questions.judge(number, &reply).is_err());
        self.seen.latencies_ns.push(now_ns.saturating_sub(due_ns));
    }

    fn finish(mut self) -> Seen {
        self.seen.lost = self.seen.sent - self.seen.latencies_ns.len();
        let waited = self.now_ns();
        self.seen.latencies_ns.resize(self.seen.sent, waited);
        self.seen.latencies_ns.sort_unstable();
        self.seen.late_ns.sort_unstable();
        self.seen
    }
}

/// A way to the server, and what has come of the next message.
struct Channel {
    socket: Socket,
    received: Vec<u8>,
    is_gone: bool,
}

enum Socket {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

impl Channel {
    fn open(server: SocketAddr, transport: Transport) -> io::Result<Self> {
        let socket = match transport {
            Transport::Udp => {
                let any: SocketAddr = match server {
                    SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                    SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
                };
                let socket = UdpSocket::bind(any)?;
                socket.connect(server)?;
                socket.set_nonblocking(true)?;
                Socket::Udp(socket)
            }
            Transport::Tcp => {
                let socket = TcpStream::connect_timeout(&server, PATIENCE)?;
                socket.set_nodelay(true)?;
                socket.set_nonblocking(true)?;
                Socket::Tcp(socket)
            }
        };
        Ok(Self {
            socket,
            received: Vec::new(),
            is_gone: false,
        })
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Udp(socket) => socket.as_fd(),
            Socket::Tcp(socket) => socket.as_fd(),
        }
    }

    /// Sends a query that has its length in front.
    fn send(&mut self, query: &[u8]) -> io::Result<()> {
        match &mut self.socket {
            Socket::Udp(socket) => socket.send(&query[PREFIX_LEN..]).map(|_| ()),
            Socket::Tcp(socket) => socket.write_all(query),
        }
    }

    /// Takes all messages that have come.
    fn receive(&mut self, messages: &mut Vec<Vec<u8>>) {
        let mut buffer = [0; 4096];
        while !self.is_gone {
            let read = match &mut self.socket {
                Socket::Udp(socket) => socket.recv(&mut buffer),
                Socket::Tcp(socket) => socket.read(&mut buffer),
            };
            match (read, &self.socket) {
                (Ok(len), Socket::Udp(_)) => self.received.extend(framed(&buffer[..len])),
                (Ok(0), Socket::Tcp(_)) => self.is_gone = true,
                (Ok(len), Socket::Tcp(_)) => self.received.extend_from_slice(&buffer[..len]),
                (Err(error), _) if error.kind() == ErrorKind::WouldBlock => break,
                (Err(_), _) => self.is_gone = true,
            }
        }
        while let Some(&[high, low]) = self.received.get(..PREFIX_LEN) {
            let end = PREFIX_LEN + usize::from(u16::from_be_bytes([high, low]));
            let Some(message) = self.received.get(PREFIX_LEN..end) else {
                break;
            };
            messages.push(message.to_vec());
            self.received.drain(..end);
        }
    }
}

/// Nanoseconds, of which 64 bits hold centuries.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("centuries")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn probe(server: SocketAddr, transport: Transport) -> Seen {
        let probe = Probe {
            server,
            transport,
            rate: 1000,
            window: Duration::from_millis(50),
        };
        probe.run().unwrap()
    }

    /// The right answer to a query for a name of the zone.
    fn answer(query: &[u8]) -> Vec<u8> {
        let host = super::super::questions::SIZE;
        let number: u32 = std::str::from_utf8(&query[18..25])
            .unwrap()
            .parse()
            .unwrap();
        let mut reply = query.to_vec();
        reply[2] |= 0x84;
        reply[7] = 1;
        reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4]);
        reply.extend(host.host(number).1.octets());
        reply
    }

    #[test]
    fn what_is_not_answered_is_lost_and_has_waited_to_the_end() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut query = [0; 512];
            for number in 0.. {
                let (len, client) = server.recv_from(&mut query).unwrap();
                let mut reply = answer(&query[..len]);
                // One wrong address, and one in ten without a reply.
                reply[len + 15] ^= u8::from(number == 1);
                if number % 10 != 0 {
                    server.send_to(&reply, client).unwrap();
                }
            }
        });
        let seen = probe(address, Transport::Udp);
        assert_eq!((seen.sent, seen.lost, seen.wrong), (50, 5, 1));
        assert!(seen.per_mille_us(990) >= 1e6, "{seen:?}");
        assert!(seen.per_mille_us(500) < 1e6, "{seen:?}");
    }

    #[test]
    fn over_tcp_replies_may_come_in_pieces_and_a_connection_may_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for (at, socket) in listener.incoming().enumerate() {
                let mut socket = socket.unwrap();
                // One of them is closed at once.
                std::thread::spawn(move || {
                    let mut query = [0; 46];
                    while at > 0 && socket.read_exact(&mut query).is_ok() {
                        let reply = framed(&answer(&query[2..]));
                        socket.write_all(&reply[..9]).unwrap();
                        socket.write_all(&reply[9..]).unwrap();
                    }
                });
            }
        });
        let query_len = Questions::new(Expects::Answers).query_len();
        assert_eq!(query_len + PREFIX_LEN, 46, "as the server above reads them");
        let seen = probe(address, Transport::Tcp);
        assert_eq!((seen.sent, seen.lost, seen.wrong), (50, 5, 0));
    }
}

//! DNS over TCP: an echo for an answering core, a server thread, a client.

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, setsockopt, socket, sockopt,
};
use ripples::port::{Port, Vector};
use ripples::tcp::{MESSAGE_LEN_MAX, Messages, Peer, Respond, Sibling, TcpConfig, TcpCounters};
use ripples::tcp::{TcpClose, TcpEvent, TcpTotals, Waker};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Answers a query with itself, made a response, and cut or filled up to the length that its bytes
/// 4 and 5 ask for (0: its own length).
#[derive(Clone, Debug, Default)]
pub struct Echo {
    /// The peers of all queries, in order, if they are to be remembered.
    pub peers: Option<Vec<Peer>>,
    /// The most messages that came together.
    pub longest_vector: usize,
}

impl Respond for Echo {
    fn respond(&mut self, messages: &mut Messages) {
        let (mut frames, mut replies) = (Vector::new(), Vector::new());
        messages.receive(&mut frames, usize::MAX);
        self.longest_vector = self.longest_vector.max(frames.len());
        for mut frame in frames.drain(..) {
            let envelope = messages.open(&frame).expect("a message");
            let peer = *messages.peer(&frame);
            self.peers.iter_mut().for_each(|all| all.push(peer));
            let len = usize::from(envelope.message_len);
            match Self::answer(messages.room(&mut frame), len) {
                Some(len) => {
                    messages.seal(&mut frame, &envelope, len, None);
                    replies.push(frame);
                }
                None => messages.recycle(frame),
            }
        }
        messages.transmit(&mut replies);
    }
}

impl Echo {
    /// Writes the answer over a query of `message_len` bytes; returns its length.
    fn answer(buffer: &mut [u8], message_len: usize) -> Option<usize> {
        assert_eq!(buffer.len(), MESSAGE_LEN_MAX);
        if message_len < 12 || buffer[2] & 0x80 != 0 {
            return None;
        }
        buffer[2] |= 0x80;
        let reply_len = usize::from(u16::from_be_bytes([buffer[4], buffer[5]]));
        if reply_len == 0 {
            return Some(message_len);
        }
        if reply_len > message_len {
            let filler = buffer[1];
            buffer[message_len..reply_len].fill(filler);
        }
        Some(reply_len)
    }
}

/// A query of `len` bytes (12 at least) that differs by `id`, without its length field.
pub fn query(id: u16, len: usize) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    let mut query = vec![high, low];
    query.resize(len, low ^ high);
    query[2..12].fill(0);
    query
}

/// A query of 12 bytes whose answer has `reply_len`.
pub fn query_for(id: u16, reply_len: u16) -> Vec<u8> {
    let mut query = query(id, 12);
    query[4..6].copy_from_slice(&reply_len.to_be_bytes());
    query
}

/// What [`Echo`] answers.
pub fn answer_to(query: &[u8]) -> Vec<u8> {
    let mut buffer = query.to_vec();
    buffer.resize(MESSAGE_LEN_MAX, 0);
    let len = Echo::answer(&mut buffer, query.len());
    buffer.truncate(len.expect("a query that gets an answer"));
    buffer
}

/// A peer for tests without sockets.
pub fn peer() -> Peer {
    Peer {
        client: SocketAddr::from(([192, 0, 2, 1], 1025)),
        local: SocketAddr::from(([192, 0, 2, 53], 53)),
    }
}

/// A message with its length in front.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let len = u16::try_from(message.len()).expect("a message of at most 65,535 bytes");
    [&len.to_be_bytes(), message].concat()
}

/// A sibling thread on a loopback port of its own.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it counts.
    pub counters: Arc<TcpCounters>,
    /// Stops it.
    pub waker: Waker,
    thread: Option<JoinHandle<Finished>>,
}

/// What is left of a server that has stopped.
#[derive(Debug)]
pub struct Finished {
    /// Its answering core.
    pub echo: Echo,
    /// Bytes that it still held for connections.
    pub memory_held: usize,
}

impl Server {
    /// Starts one on 127.0.0.1, or on the addresses that `config` lists.
    pub fn start(config: TcpConfig) -> Self {
        Self::start_with(config, Echo::default())
    }

    /// Starts one with an answering core of the test's.
    pub fn start_with(mut config: TcpConfig, mut echo: Echo) -> Self {
        if config.listen.is_empty() {
            config.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        }
        let counters = Arc::new(TcpCounters::default());
        let mut sibling = Sibling::new(config, counters.clone()).expect("a loopback port");
        let (address, waker) = (sibling.addresses()[0], sibling.waker());
        let run = move || {
            while !sibling
                .turn(60_000, &mut echo)
                .expect("an epoll set")
                .finished
            {}
            Finished {
                echo,
                memory_held: sibling.memory_held(),
            }
        };
        Self {
            address,
            counters,
            waker,
            thread: Some(std::thread::spawn(run)),
        }
    }

    /// A new connection to it.
    pub fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Its counters as they are now.
    pub fn totals(&self) -> TcpTotals {
        self.counters.totals()
    }

    /// Waits until connections were closed for `reason` this often.
    pub fn await_closes(&self, reason: TcpClose, count: u64) {
        self.await_totals(|totals| totals.closes(reason) >= count);
    }

    /// Waits until an event was counted this often.
    pub fn await_events(&self, event: TcpEvent, count: u64) {
        self.await_totals(|totals| totals.events(event) >= count);
    }

    /// Waits until the counters are as `wanted`; panics after ten seconds.
    pub fn await_totals(&self, wanted: impl Fn(&TcpTotals) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !wanted(&self.totals()) {
            assert!(
                Instant::now() < deadline,
                "still {}",
                describe(&self.totals())
            );
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Stops it and waits for its end. Every connection must have been counted under one reason.
    pub fn finish(mut self) -> Finished {
        self.waker.stop();
        let thread = self.thread.take().expect("it is finished once");
        let finished = thread.join().expect("the server did not panic");
        let totals = self.totals();
        assert_eq!(totals.open(), 0, "{}", describe(&totals));
        assert_eq!(totals.events(TcpEvent::Accepted), totals.closed());
        assert_eq!(finished.memory_held, 0);
        finished
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.waker.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// All counters that are not zero.
pub fn describe(totals: &TcpTotals) -> String {
    let events = TcpEvent::ALL
        .iter()
        .map(|&event| (event.label(), totals.events(event)));
    let closes = TcpClose::ALL
        .iter()
        .map(|&reason| (reason.label(), totals.closes(reason)));
    let counted = events.chain(closes).filter(|&(_, count)| count != 0);
    counted
        .map(|(label, count)| format!("{label}={count} "))
        .collect()
}

/// A blocking client; nothing waits longer than ten seconds.
#[derive(Debug)]
pub struct Client(pub TcpStream);

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).expect("the server listens"))
    }

    /// Connects from an address of this machine.
    pub fn connect_from(source: IpAddr, address: SocketAddr) -> io::Result<Self> {
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::Inet,
            SocketAddr::V6(_) => AddressFamily::Inet6,
        };
        let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        let source = SockaddrStorage::from(SocketAddr::new(source, 0));
        bind(socket.as_raw_fd(), &source)?;
        connect(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
        Ok(Self::new(TcpStream::from(socket)))
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a TCP socket");
        for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
            set(&stream, Some(Duration::from_secs(10))).expect("a timeout above zero");
        }
        Self(stream)
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the connection is open");
    }

    /// Receives one message.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut prefix = [0; 2];
        self.0.read_exact(&mut prefix)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(prefix))];
        self.0.read_exact(&mut message)?;
        Ok(message)
    }

    /// Sends a query and checks its answer.
    pub fn ask(&mut self, query: &[u8]) {
        self.send(&framed(query));
        assert_eq!(self.receive().expect("an answer"), answer_to(query));
    }

    /// Ends the connection by a reset, whatever is under way.
    pub fn reset(self) {
        let linger = nix::libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        setsockopt(&self.0, sockopt::Linger, &linger).expect("a TCP socket");
    }

    /// Whether the server has closed the connection: waits for its end, or for a reset.
    pub fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0; 1]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// The server's TCP side on a loopback port of the kernel's choice, not yet driven by anyone.
///
/// # Panics
/// Where it cannot listen.
pub fn sibling_with(config: TcpConfig) -> Sibling {
    let config = TcpConfig {
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        ..config
    };
    Sibling::new(config, Arc::new(TcpCounters::default())).expect("a loopback port")
}

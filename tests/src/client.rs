//! DNS clients: one datagram there and one back; and a steady load with all its answers kept.

use crate::ask::Ask;
use crate::name::Name;
use crate::server::PATIENCE;
use crate::tcp;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// A plain query for `name`, class IN.
pub fn query(name: &str, qtype: u16) -> Vec<u8> {
    Ask::new(Name::parse(name), qtype).message()
}

/// Sends a query from a socket of its own; returns the reply and where it came from.
pub fn ask(server: SocketAddr, query: &[u8]) -> (Vec<u8>, SocketAddr) {
    ask_from(&socket(server), server, query)
}

/// Sends a query from `socket`, which is not connected: a reply from anywhere is taken.
pub fn ask_from(socket: &UdpSocket, server: SocketAddr, query: &[u8]) -> (Vec<u8>, SocketAddr) {
    socket
        .send_to(query, server)
        .unwrap_or_else(|error| panic!("{server}: {error}"));
    receive(socket).unwrap_or_else(|| panic!("no reply from {server} to {query:02x?}"))
}

/// The next datagram and where it came from; none when none comes for long.
pub fn receive(socket: &UdpSocket) -> Option<(Vec<u8>, SocketAddr)> {
    let mut reply = vec![0; 65_535];
    let (len, from) = socket.recv_from(&mut reply).ok()?;
    reply.truncate(len);
    Some((reply, from))
}

/// An unconnected socket that can reach `server`.
pub fn socket(server: SocketAddr) -> UdpSocket {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).expect("a free port");
    socket.set_read_timeout(Some(PATIENCE)).expect("above zero");
    socket
}

/// Sends a query over a TCP connection of its own.
pub fn ask_tcp(server: SocketAddr, query: &[u8]) -> Vec<u8> {
    let mut client = tcp::Client::connect(server);
    client.send(&tcp::framed(query));
    client
        .receive()
        .unwrap_or_else(|error| panic!("{server}: {error}"))
}

/// What came of a load.
#[derive(Debug, Default)]
pub struct Answered {
    /// Queries sent.
    pub sent: usize,
    /// Replies, each to another query.
    pub received: usize,
    /// How often each reply came; the message ID is left out.
    pub replies: HashMap<Vec<u8>, usize>,
}

/// Ports that a load comes from: enough for every queue to get some.
const PORTS: usize = 8;
/// How long the last replies may take.
const STRAGGLERS: Duration = Duration::from_secs(3);

/// Sends `query` `count` times (65,536 at most) within `duration`, steadily and from several ports.
pub fn load(server: SocketAddr, query: &[u8], count: u16, duration: Duration) -> Answered {
    let sockets: Vec<UdpSocket> = (0..PORTS).map(|_| socket(server)).collect();
    for socket in &sockets {
        socket.set_nonblocking(true).expect("a socket");
    }
    let mut answered = Answered::default();
    let mut waiting = vec![false; usize::from(count)];
    let (start, mut query) = (Instant::now(), query.to_vec());
    while answered.received < usize::from(count) && start.elapsed() < duration + STRAGGLERS {
        let due = start.elapsed().as_secs_f64() / duration.as_secs_f64() * f64::from(count);
        while answered.sent < usize::from(count) && answered.sent as f64 <= due {
            let id = u16::try_from(answered.sent).expect("below `count`");
            query[..2].copy_from_slice(&id.to_be_bytes());
            let socket = &sockets[answered.sent % PORTS];
            socket
                .send_to(&query, server)
                .unwrap_or_else(|error| panic!("{server}: {error}"));
            waiting[answered.sent] = true;
            answered.sent += 1;
        }
        sockets
            .iter()
            .for_each(|socket| collect(socket, &mut waiting, &mut answered));
        std::thread::park_timeout(Duration::from_micros(500));
    }
    answered
}

/// Takes the replies that have come. One that nobody waits for fails the test.
fn collect(socket: &UdpSocket, waiting: &mut [bool], answered: &mut Answered) {
    let mut reply = [0; 4096];
    loop {
        match socket.recv(&mut reply) {
            Ok(len) => {
                let id = usize::from(u16::from_be_bytes([reply[0], reply[1]]));
                assert!(std::mem::take(&mut waiting[id]), "a second reply to {id}");
                answered.received += 1;
                *answered.replies.entry(reply[2..len].to_vec()).or_default() += 1;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("{error}"),
        }
    }
}

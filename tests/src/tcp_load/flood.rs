//! A flood over UDP: queries as fast as they can be sent, whose replies nobody reads.

use super::line::Answered;
use super::questions::{Expects, PREFIX_LEN, Questions};
use super::said::Said;
use crate::wire::usage::Used;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::getpid;
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// Sockets that it comes from.
const SOCKETS: usize = 16;
/// Queries of one call.
const BATCH: usize = 32;
/// Rest when the rate is reached.
const REST: Duration = Duration::from_micros(50);

/// A flood that has its bounds.
#[derive(Clone, Debug)]
pub struct Flood {
    /// Who is asked.
    pub server: SocketAddr,
    /// Most queries a second.
    pub rate: u32,
    /// How long.
    pub window: Duration,
    /// The server's processes, whose CPU time is measured.
    pub watch: Vec<i32>,
}

impl Flood {
    /// Sends; calls `begun` before the first query.
    pub fn run(&self, begun: impl FnOnce()) -> io::Result<Said> {
        let sockets = (0..SOCKETS).map(|_| socket(self.server));
        let sockets = sockets.collect::<io::Result<Vec<_>>>()?;
        let mut questions = Questions::new(Expects::Answers);
        let mut queries = vec![Vec::new(); BATCH];
        let used = || (Used::of(&self.watch), Used::of(&[getpid().as_raw()]));
        let (server, load) = used();
        let (start, mut sent, mut turn) = (Instant::now(), 0, 0);
        begun();
        while start.elapsed() < self.window {
            let due = start.elapsed().as_secs_f64() * f64::from(self.rate);
            if sent as f64 > due {
                std::thread::park_timeout(REST);
                continue;
            }
            for query in &mut queries {
                query.clear();
                let number = questions.choose();
                questions.write(number, 0, query);
            }
            sent += send(&sockets[turn % SOCKETS], &queries)?;
            turn += 1;
        }
        let (server_after, load_after) = used();
        Ok(Said {
            seconds: start.elapsed().as_secs_f64(),
            answered: Answered::default(),
            sent,
            closed: 0,
            server: server_after.since(server),
            load_ns: load_after.since(load).ran_ns,
        })
    }
}

/// A socket that takes one reply, and has no room for more.
fn socket(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    setsockopt(&socket, sockopt::RcvBuf, &0)?;
    Ok(socket)
}

/// Sends queries by one call; returns how many the kernel took.
fn send(socket: &UdpSocket, queries: &[Vec<u8>]) -> io::Result<u64> {
    let slices: Vec<[IoSlice<'_>; 1]> = queries
        .iter()
        .map(|query| [IoSlice::new(&query[PREFIX_LEN..])])
        .collect();
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(queries.len(), None);
    let (addresses, options) = (vec![None; queries.len()], Vec::<ControlMessage<'_>>::new());
    let flags = MsgFlags::MSG_DONTWAIT;
    let sent = sendmmsg(
        socket.as_raw_fd(),
        &mut headers,
        &slices,
        &addresses,
        &options,
        flags,
    );
    match sent {
        Ok(sent) => Ok(sent.count() as u64),
        // No room, or nobody listened to an earlier one: a flood does not care.
        Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::ECONNREFUSED) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_sends_no_more_than_its_rate() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let flood = Flood {
            server: server.local_addr().unwrap(),
            rate: 10_000,
            window: Duration::from_millis(100),
            watch: Vec::new(),
        };
        let said = flood.run(|| {}).unwrap();
        let most = 10_000.0 * said.seconds + BATCH as f64;
        assert!(said.sent > 0 && said.sent as f64 <= most, "{said:?}");
        let mut query = [0; 512];
        let len = server.recv(&mut query).unwrap();
        assert_eq!(len, Questions::new(Expects::Answers).query_len());
    }
}

//! A steady load on a zone that changes meanwhile: every reply must be wholly of one of its
//! generations, and no worker may go back to an older one.

use crate::ask::Ask;
use crate::name::Name;
use crate::record::rtype;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use std::fmt::Write as _;
use std::io::IoSliceMut;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Ports that the load comes from: each is one flow, so one worker answers all of it.
const PORTS: usize = 8;
/// How long the last replies may take; what has not come by then is lost.
const STRAGGLERS: Duration = Duration::from_secs(2);
/// Room for the replies that come while the machine runs something else here.
const RECEIVE_BUFFER: usize = 8 << 20;
/// Queries of one port on their way at once: message IDs there are.
const IDS: usize = 1 << 16;

/// The text of the zone `steady.test` in one of its generations: each of its `names` has two
/// addresses that say which.
pub fn zone(generation: u16, names: usize) -> String {
    let mut text = format!(
        "$ORIGIN steady.test.\n$TTL 60\n@ SOA ns hm {generation} 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n"
    );
    let [high, low] = generation.to_be_bytes();
    for number in 0..names {
        let _ = write!(
            text,
            "n{number} A 10.0.{high}.{low}\nn{number} A 10.1.{high}.{low}\n"
        );
    }
    text
}

/// A query that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// When it was sent, from the load's beginning.
    pub sent: Duration,
    /// How long the reply took to arrive at the client's socket.
    pub latency: Duration,
}

/// What came of a load.
#[derive(Debug, Default)]
pub struct Seen {
    /// Queries sent.
    pub sent: usize,
    /// Replies that were right, in the order in which they came.
    pub answers: Vec<Answer>,
    /// Replies that were not: the first few, described.
    pub wrong: Vec<String>,
    /// The generations that were seen.
    pub generations: Vec<u16>,
}

impl Seen {
    /// Queries without a reply.
    pub fn lost(&self) -> usize {
        self.sent - self.answers.len() - self.wrong.len()
    }
}

/// One port of the client.
struct Flow {
    socket: UdpSocket,
    /// When the query with this ID was sent, on the wall clock and since the beginning.
    waiting: Vec<Option<(SystemTime, Duration)>>,
    next_id: u16,
    newest: u16,
}

/// Sends `rate` queries a second for `duration` from the network namespace of the calling thread,
/// each for another of the zone's `names`.
pub fn run(server: SocketAddr, names: usize, rate: u32, duration: Duration) -> Seen {
    let mut flows: Vec<Flow> = (0..PORTS).map(|_| Flow::new(server)).collect();
    let mut seen = Seen::default();
    let total = usize::try_from(u128::from(rate) * duration.as_millis() / 1000).expect("millions");
    seen.answers.reserve(total);
    let step = Duration::from_secs(1) / rate;
    let start = Instant::now();
    loop {
        let now = start.elapsed();
        while seen.sent < total && step * u32::try_from(seen.sent).expect("millions") <= now {
            let flow = &mut flows[seen.sent % PORTS];
            // A stride that visits all names, the near ones one after the other never.
            let number = seen.sent.wrapping_mul(7_919) % names;
            flow.send(number, start);
            seen.sent += 1;
        }
        for flow in &mut flows {
            flow.receive(&mut seen);
        }
        let is_complete = seen.sent == total && seen.lost() == 0;
        if is_complete || now > duration + STRAGGLERS {
            return seen;
        }
        wait(&flows, step);
    }
}

/// Sleeps until there is a reply, or it is time to send.
fn wait(flows: &[Flow], timeout: Duration) {
    let fds = flows
        .iter()
        .map(|flow| PollFd::new(flow.socket.as_fd(), PollFlags::POLLIN));
    let mut fds: Vec<PollFd<'_>> = fds.collect();
    // Fails on a signal at worst, and then there is nothing to be read.
    let _ = ppoll(&mut fds, Some(TimeSpec::from_duration(timeout)), None);
}

impl Flow {
    fn new(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
        socket.connect(server).expect("a route to the server");
        socket.set_nonblocking(true).expect("a socket");
        // Without privilege the limit of the host has to do.
        let _ = setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER);
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true).expect("a socket");
        Self {
            socket,
            waiting: vec![None; IDS],
            next_id: 0,
            newest: 0,
        }
    }

    fn send(&mut self, number: usize, start: Instant) {
        let name = Name::parse(&format!("n{number}.steady.test"));
        let mut query = Ask::new(name, rtype::A).message();
        query[..2].copy_from_slice(&self.next_id.to_be_bytes());
        let place = &mut self.waiting[usize::from(self.next_id)];
        assert!(place.is_none(), "so many queries are on their way");
        *place = Some((SystemTime::now(), start.elapsed()));
        self.next_id = self.next_id.wrapping_add(1);
        self.socket.send(&query).expect("the interface is up");
    }

    /// Takes the replies that have come.
    fn receive(&mut self, seen: &mut Seen) {
        let mut message = [0; 1500];
        let mut control = nix::cmsg_space!(TimeSpec);
        loop {
            let mut parts = [IoSliceMut::new(&mut message)];
            let fd = self.socket.as_raw_fd();
            let received = recvmsg::<()>(fd, &mut parts, Some(&mut control), MsgFlags::empty());
            let (len, arrived) = match received {
                Ok(received) => (received.bytes, arrival(received.cmsgs())),
                Err(Errno::EAGAIN) => return,
                Err(error) => panic!("the client's socket: {error}"),
            };
            let reply = &message[..len];
            let id = usize::from(u16::from_be_bytes([reply[0], reply[1]]));
            let Some((sent_at, sent)) = self.waiting[id].take() else {
                seen.wrong.push(format!("a second reply: {reply:02x?}"));
                continue;
            };
            match generation(reply) {
                Some(generation) if generation >= self.newest => {
                    if !seen.generations.contains(&generation) {
                        seen.generations.push(generation);
                    }
                    self.newest = generation;
                    let latency = arrived.duration_since(sent_at).unwrap_or_default();
                    seen.answers.push(Answer { sent, latency });
                }
                Some(old) => seen.wrong.push(format!("{old} after {}", self.newest)),
                None => seen.wrong.push(format!("of no generation: {reply:02x?}")),
            }
        }
    }
}

/// When the kernel received a datagram.
fn arrival(messages: Result<impl Iterator<Item = ControlMessageOwned>, Errno>) -> SystemTime {
    let time = messages
        .into_iter()
        .flatten()
        .find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
            _ => None,
        });
    time.map_or_else(SystemTime::now, |since| UNIX_EPOCH + since)
}

/// The generation that a whole reply is of: both its addresses say the same.
fn generation(reply: &[u8]) -> Option<u16> {
    let is_answer = reply.get(2..4)? == [0x84, 0] && reply.get(6..12)? == [0, 2, 0, 0, 0, 0];
    let (rest, second) = reply.split_last_chunk::<4>()?;
    // Owner, type, class, TTL and length stand between the two.
    let (rest, _) = rest.split_last_chunk::<12>()?;
    let (_, first) = rest.split_last_chunk::<4>()?;
    let mut nets = [first[1], second[1]];
    nets.sort_unstable();
    let is_whole = nets == [0, 1] && first[0] == 10 && second[0] == 10 && first[2..] == second[2..];
    (is_answer && is_whole).then(|| u16::from_be_bytes([first[2], first[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_of_the_generation_that_both_its_addresses_name() {
        let reply = |first: [u8; 4], second: [u8; 4]| {
            let mut reply = vec![0, 1, 0x84, 0, 0, 1, 0, 2, 0, 0, 0, 0];
            reply.extend(b"\x02n1\x06steady\x04test\0\0\x01\0\x01");
            for address in [first, second] {
                reply.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04");
                reply.extend(address);
            }
            reply
        };
        assert_eq!(generation(&reply([10, 0, 1, 2], [10, 1, 1, 2])), Some(258));
        assert_eq!(generation(&reply([10, 1, 1, 2], [10, 0, 1, 2])), Some(258));
        assert_eq!(generation(&reply([10, 0, 1, 2], [10, 1, 1, 3])), None);
        assert_eq!(generation(&reply([10, 0, 1, 2], [10, 0, 1, 2])), None);
        let mut refused = reply([10, 0, 1, 2], [10, 1, 1, 2]);
        refused[3] = 5;
        assert_eq!(generation(&refused), None);
        assert_eq!(generation(&refused[..20]), None);
    }
}

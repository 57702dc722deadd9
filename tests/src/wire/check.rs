//! Whether a server says what its zones say: asked name by name before it is measured.

use super::expected::{Expected, judge};
use super::running::Running;
use super::worlds::{Mix, World};
use crate::client::query;
use crate::interrupt::is_interrupted;
use crate::open_loop::Exchange;
use crate::record::rtype;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// Names that are asked, the first and the last among them, and as many that do not exist.
const SAMPLES: u32 = 32;
/// How long a reply may take before the question is asked again.
const AGAIN: Duration = Duration::from_millis(2);

/// Who asks.
struct Asker {
    socket: UdpSocket,
    id: u16,
}

/// Asks until every sample has its right answer; returns what was asked and came, of those names
/// that exist. To be called on the client's end.
pub fn load(
    running: &mut Running<'_>,
    world: &World,
    patience: Duration,
) -> Result<Vec<Exchange>, String> {
    let server = SocketAddr::from((running.stage.veth.server.ipv4, 53));
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
    socket.connect(server).expect("a route to the server");
    socket.set_read_timeout(Some(AGAIN)).expect("above zero");
    let mut asker = Asker { socket, id: 0 };
    let mut exchanges = Vec::new();
    // From the last: what is loaded in order is there when that is.
    for at in (0..SAMPLES).rev() {
        for mix in Mix::ALL {
            let number = sample(at, world.hosts);
            let exchange = until_right(running, &mut asker, world, number, mix, patience)?;
            if mix == Mix::Existing {
                exchanges.push(exchange);
            }
        }
    }
    Ok(exchanges)
}

/// The host that is the sample `at`.
fn sample(at: u32, hosts: u32) -> u32 {
    let number = u64::from(at) * u64::from(hosts - 1) / u64::from(SAMPLES - 1);
    u32::try_from(number).expect("below `hosts`")
}

fn until_right(
    running: &mut Running<'_>,
    asker: &mut Asker,
    world: &World,
    number: u32,
    mix: Mix,
    patience: Duration,
) -> Result<Exchange, String> {
    let (name, address) = world.host(number);
    let (name, expected) = match mix {
        Mix::Existing => (name, Expected::Address(address)),
        Mix::Missing => (world.missing(number), Expected::NoName),
    };
    let expected = match running.server.reflects {
        true => Expected::Echo,
        false => expected,
    };
    let mut query = query(&name, rtype::A);
    query[..2].fill(0);
    let mut wrong = "no reply".to_owned();
    while running.started.elapsed() < patience && !is_interrupted() {
        if running.has_ended() {
            return Err(format!("it has ended: {}", running.log()));
        }
        if let Some(reply) = asker.ask(&query) {
            match judge(&query, &reply, &name, &expected) {
                Ok(()) => return Ok(Exchange { query, reply }),
                Err(why) => wrong = why,
            }
        }
    }
    Err(format!("{name}: {wrong}; it says: {}", running.log()))
}

impl Asker {
    /// One question; none where nobody answers in time. Servers that load keep what was asked
    /// meanwhile, and answer all of it later: the ID tells those replies from this one's.
    fn ask(&mut self, query: &[u8]) -> Option<Vec<u8>> {
        self.id = self.id.wrapping_add(1);
        let id = self.id.to_be_bytes();
        let mut query = query.to_vec();
        query[..2].copy_from_slice(&id);
        let mut sent = self.socket.send(&query).map(|_| ());
        loop {
            let mut reply = vec![0; 4096];
            match sent.and_then(|()| self.socket.recv(&mut reply)) {
                Ok(len) => reply.truncate(len),
                Err(error) => {
                    if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) {
                        // Refused: nobody listens yet.
                        std::thread::park_timeout(AGAIN);
                    }
                    return None;
                }
            }
            if reply.get(..2) == Some(&id) {
                reply[..2].fill(0);
                return Some(reply);
            }
            sent = Ok(());
        }
    }
}

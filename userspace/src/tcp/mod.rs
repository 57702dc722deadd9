//! The sibling thread: DNS over TCP on kernel sockets (RFC 1035 §4.2.2, RFC 7766).
//!
//! ```text
//!            epoll ─► Sibling::turn ─► ready queue, oldest first ─► Session::gather
//!                       │                                             │ recv
//!   Listeners ─ accept ─┤                                             ▼
//!                       │                    Connection: bytes ─► framing ─► Messages (a Port)
//!   Table: slab, least-recently-used lists, networks                  ▼
//!                       │                                  Respond: the vectorloop's turn
//!                       │                                             ▼
//!                       │                     Session::deliver: replies ─► Answers ─► one send
//!                       └─ expire: the oldest of each list
//! ```
//!
//! - What one wait brought, over all connections, is one vector (or several, if it is more): it
//!   goes through the same stages as the frames of a network interface.
//! - [`Connection`] is the state machine: bytes and times in, bytes and one [`Next`] out. It knows
//!   no socket and no clock.
//! - Working memory is shared by all connections. A connection at rest holds none; what it must
//!   keep between two visits (a torn message, an answer its client does not read) lies in a
//!   [`Block`] out of one bounded [`Stock`].
//! - Timeouts need no timers: every connection waits for exactly one thing, and per thing there
//!   is one list in order of time, so only each list's oldest is ever looked at.
//!
//! TLS and the PROXY protocol belong between `recv`/`send` and the framing, that is into
//! `session.rs`: it would hand [`Connection::receive`] the decrypted bytes, encrypt
//! [`Connection::unsent`], and take the PROXY header off the first bytes of a connection to set its
//! [`Peer`]. `Connection` stays as it is: it sees message bytes only.

pub mod answers;
pub mod clock;
pub mod config;
pub mod connection;
mod connections;
pub mod framing;
mod kernel;
mod list;
mod listeners;
mod listening;
pub mod messages;
pub mod metrics;
mod networks;
mod session;
mod sibling;
pub mod stock;
pub mod table;

pub use answers::Answers;
pub use config::{ConfigError, TcpConfig};
pub use connection::{Connection, Next, Visit, Wait};
pub use kernel::Waker;
pub use listening::{StartError, adopt, listen};
pub use messages::Messages;
pub use metrics::{TcpClose, TcpCounters, TcpEvent, TcpTally, TcpTotals};
pub use sibling::{Sibling, Turn};
pub use stock::{Block, Stock};

use std::net::SocketAddr;

/// Longest DNS message over TCP, in bytes (RFC 1035 §4.2.2: a two-byte length).
pub const MESSAGE_LEN_MAX: usize = 65_535;

/// The answering core, as a connection sees it.
pub trait Respond {
    /// Takes all frames of a port whose frames are messages, and writes the replies over them.
    ///
    /// A message that is not answered (it is itself a response, say, or too short to be DNS) ends
    /// its connection: the client speaks something else, or would wait in vain.
    fn respond(&mut self, messages: &mut Messages);
}

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where the queries come from.
    pub client: SocketAddr,
    /// The address they were sent to.
    pub local: SocketAddr,
}

//! The options of the TCP side, their defaults and their ranges.

use serde::Deserialize;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

/// Least memory for partial queries and unread answers, in bytes: a few of the largest.
const MEMORY_MIN: u32 = 1 << 20;

/// Options of the sibling threads. Times are milliseconds, sizes bytes.
///
/// [`Sibling::new`](super::Sibling::new) checks them; [`TcpConfig::check`] does it earlier.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TcpConfig {
    /// Whether TCP is served at all.
    pub enable: bool,
    /// Threads; as many as there are workers, unless it is said.
    pub threads: Option<u32>,
    /// The CPUs that they are pinned to, in turn; none: wherever the scheduler has them.
    pub cpus: Vec<usize>,
    /// Addresses to listen on; IPv6 sockets take IPv6 only. Port 0 lets the kernel choose one.
    #[serde(skip)]
    pub listen: Vec<SocketAddr>,
    /// Connections that may wait to be accepted, per address. The kernel lowers it to
    /// `net.core.somaxconn`; above 4096 it means that limit.
    pub backlog: u32,
    /// Connections accepted per turn.
    pub accepts_per_turn: u32,
    /// Open connections; at the limit the oldest idle one makes room.
    pub connections_max: u32,
    /// Open connections per client network: an IPv4 /24 or an IPv6 /56.
    pub connections_per_network_max: u32,
    /// Bytes taken from a socket at a time.
    pub receive_buffer_size: u32,
    /// Bytes of answers that are gathered before they are sent. While the kernel does not take all
    /// of them, no further query of that connection is read.
    pub send_buffer_size: u32,
    /// Bytes of partial queries and unread answers, of all connections together.
    pub memory_max: u32,
    /// Longest query; a connection that announces a longer one is closed.
    pub query_size_max: u32,
    /// Queries answered per visit of a connection while other connections wait for theirs.
    pub queries_per_read: u32,
    /// Events taken per wait, and connections visited per turn.
    pub events_per_wait: u32,
    /// Queries that are answered together, over all connections.
    pub vector_len: u32,
    /// Time from connecting to the end of the first query, and from the first byte of any other
    /// query to its end.
    pub receive_timeout_ms: u32,
    /// Time without a query, after which a connection is closed.
    pub keepalive_ms: u32,
    /// Time from the first blocked send of answers until all of them have left.
    pub send_timeout_ms: u32,
    /// Time that open connections have at most when the server stops.
    pub drain_timeout_ms: u32,
}

impl Default for TcpConfig {
    fn default() -> Self {
        Self {
            enable: true,
            threads: None,
            cpus: Vec::new(),
            listen: Vec::new(),
            backlog: 1024,
            accepts_per_turn: 8,
            connections_max: 100_000,
            // A hundred networks are needed to fill the table.
            connections_per_network_max: 1000,
            // Working memory that all connections share: pipelining clients get a quarter more
            // answers per second than with 2048 and 12,288.
            receive_buffer_size: 16_384,
            send_buffer_size: 65_535,
            // Four thousand connections that each hold a message of the largest size; and on
            // large machines, more for each thread than a few clients can take.
            memory_max: 256 << 20,
            query_size_max: 65_535,
            // Each visit ends in a send: with 3, a hundred pipelining connections get a tenth of
            // the answers per second.
            queries_per_read: 64,
            events_per_wait: 8,
            vector_len: 256,
            receive_timeout_ms: 2000,
            keepalive_ms: 10_000,
            send_timeout_ms: 2000,
            // Enough for whatever the receive and send timeouts allow to be under way.
            drain_timeout_ms: 2000,
        }
    }
}

/// An option is out of its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A number that is too small or too large.
    #[error("tcp.{option} = {value}: must be {minimum} to {maximum}{unit}")]
    Range {
        /// The field of [`TcpConfig`].
        option: &'static str,
        /// What was given.
        value: u32,
        /// The least that may be.
        minimum: u32,
        /// The most that may be.
        maximum: u32,
        /// The unit with a space before it, or nothing for counts.
        unit: &'static str,
    },
    /// An address that is listed twice.
    #[error("tcp.listen: {0} is listed twice; remove one")]
    Duplicate(SocketAddr),
}

impl TcpConfig {
    /// The options of each of so many threads. They share nothing, so each has its part of what all
    /// may have together.
    ///
    /// The kernel deals connections out by chance. Where there are too many in all, idle ones go; a
    /// network that has too many would be refused, so there each thread has room for chance too.
    pub fn for_each_of(&self, threads: usize) -> Self {
        let threads = u32::try_from(threads).unwrap_or(u32::MAX);
        if threads <= 1 {
            return self.clone();
        }
        let part = |whole: u32| whole.div_ceil(threads);
        let near = part(self.connections_per_network_max);
        Self {
            connections_max: part(self.connections_max),
            // Three standard deviations.
            connections_per_network_max: near + 3 * near.isqrt(),
            memory_max: part(self.memory_max).max(MEMORY_MIN),
            ..self.clone()
        }
    }

    /// Checks every option against its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        const COUNT: &str = "";
        const BYTES: &str = " bytes";
        const TIME: &str = " milliseconds";
        range("threads", self.threads.unwrap_or(1), 1..=1024, COUNT)?;
        range("backlog", self.backlog, 1..=65_535, COUNT)?;
        range("accepts_per_turn", self.accepts_per_turn, 1..=1024, COUNT)?;
        range(
            "connections_max",
            self.connections_max,
            1..=10_000_000,
            COUNT,
        )?;
        let per_network = self.connections_per_network_max;
        range(
            "connections_per_network_max",
            per_network,
            1..=10_000_000,
            COUNT,
        )?;
        range(
            "receive_buffer_size",
            self.receive_buffer_size,
            514..=65_535,
            BYTES,
        )?;
        range(
            "send_buffer_size",
            self.send_buffer_size,
            512..=65_535,
            BYTES,
        )?;
        range("memory_max", self.memory_max, MEMORY_MIN..=u32::MAX, BYTES)?;
        range("query_size_max", self.query_size_max, 512..=65_535, BYTES)?;
        range("queries_per_read", self.queries_per_read, 1..=255, COUNT)?;
        range("events_per_wait", self.events_per_wait, 3..=1024, COUNT)?;
        range("vector_len", self.vector_len, 1..=256, COUNT)?;
        range(
            "receive_timeout_ms",
            self.receive_timeout_ms,
            1..=u32::MAX,
            TIME,
        )?;
        range("keepalive_ms", self.keepalive_ms, 1000..=600_000, TIME)?;
        range("send_timeout_ms", self.send_timeout_ms, 1..=u32::MAX, TIME)?;
        range("drain_timeout_ms", self.drain_timeout_ms, 0..=600_000, TIME)?;
        for (index, &address) in self.listen.iter().enumerate() {
            if address.port() != 0 && self.listen[..index].contains(&address) {
                return Err(ConfigError::Duplicate(address));
            }
        }
        Ok(())
    }
}

fn range(
    option: &'static str,
    value: u32,
    allowed: RangeInclusive<u32>,
    unit: &'static str,
) -> Result<(), ConfigError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(ConfigError::Range {
        option,
        value,
        minimum: *allowed.start(),
        maximum: *allowed.end(),
        unit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_range() {
        assert_eq!(TcpConfig::default().check(), Ok(()));
    }

    /// One row per option: its name, its field, the least and the most that is allowed.
    type Row = (&'static str, fn(&mut TcpConfig) -> &mut u32, u32, u32);

    const ROWS: &[Row] = &[
        ("backlog", |c| &mut c.backlog, 1, 65_535),
        ("accepts_per_turn", |c| &mut c.accepts_per_turn, 1, 1024),
        ("connections_max", |c| &mut c.connections_max, 1, 10_000_000),
        (
            "connections_per_network_max",
            |c| &mut c.connections_per_network_max,
            1,
            10_000_000,
        ),
        (
            "receive_buffer_size",
            |c| &mut c.receive_buffer_size,
            514,
            65_535,
        ),
        ("send_buffer_size", |c| &mut c.send_buffer_size, 512, 65_535),
        ("memory_max", |c| &mut c.memory_max, 1 << 20, u32::MAX),
        ("query_size_max", |c| &mut c.query_size_max, 512, 65_535),
        ("queries_per_read", |c| &mut c.queries_per_read, 1, 255),
        ("events_per_wait", |c| &mut c.events_per_wait, 3, 1024),
        ("vector_len", |c| &mut c.vector_len, 1, 256),
        (
            "receive_timeout_ms",
            |c| &mut c.receive_timeout_ms,
            1,
            u32::MAX,
        ),
        ("keepalive_ms", |c| &mut c.keepalive_ms, 1000, 600_000),
        ("send_timeout_ms", |c| &mut c.send_timeout_ms, 1, u32::MAX),
        ("drain_timeout_ms", |c| &mut c.drain_timeout_ms, 0, 600_000),
    ];

    #[test]
    fn every_option_is_held_to_its_own_range_and_named_in_its_error() {
        for &(name, field, minimum, maximum) in ROWS {
            let check = |value| {
                let mut config = TcpConfig::default();
                *field(&mut config) = value;
                config.check()
            };
            assert_eq!((check(minimum), check(maximum)), (Ok(()), Ok(())), "{name}");
            for value in [minimum.wrapping_sub(1), maximum.wrapping_add(1)] {
                if (minimum..=maximum).contains(&value) {
                    continue; // wrapped round: there is nothing beyond this end
                }
                let message = check(value).unwrap_err().to_string();
                let expected = format!("tcp.{name} = {value}: must be {minimum} to {maximum}");
                assert!(message.starts_with(&expected), "{message}");
            }
        }
    }

    #[test]
    fn threads_share_what_is_limited_and_nothing_else() {
        let config = TcpConfig {
            connections_max: 1001,
            connections_per_network_max: 400,
            memory_max: 20 << 20,
            ..TcpConfig::default()
        };
        let each = TcpConfig {
            connections_max: 251,
            connections_per_network_max: 130,
            memory_max: 5 << 20,
            ..config.clone()
        };
        assert_eq!(config.for_each_of(4), each);
        assert_eq!(config.for_each_of(1000).memory_max, MEMORY_MIN);
        assert_eq!(config.for_each_of(1), config);
    }

    #[test]
    fn an_error_says_the_unit() {
        let config = TcpConfig {
            keepalive_ms: 10,
            ..TcpConfig::default()
        };
        assert_eq!(
            config.check().unwrap_err().to_string(),
            "tcp.keepalive_ms = 10: must be 1000 to 600000 milliseconds"
        );
    }

    #[test]
    fn an_address_listed_twice_is_refused() {
        let listen = ["127.0.0.1:53", "[::1]:53", "127.0.0.1:53"];
        let listen = listen.map(|address| address.parse().unwrap());
        let config = TcpConfig {
            listen: listen.to_vec(),
            ..TcpConfig::default()
        };
        assert_eq!(config.check(), Err(ConfigError::Duplicate(listen[0])));
    }
}

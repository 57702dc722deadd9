//! What the benchmarks beside other servers have in common: zones, servers, where they run, what
//! they use, and what is reckoned from it. A benchmark without a harness runs no tests: here are
//! some.

pub mod check;
pub mod dnsperf;
pub mod expected;
pub mod journal;
pub mod kept;
pub mod kxdpgun;
pub mod mark;
pub mod point;
pub mod running;
pub mod servers;
pub mod stage;
pub mod summary;
pub mod usage;
pub mod worlds;

/// What a generator counted over its whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Said {
    /// How long it ran.
    pub seconds: f64,
    /// Queries.
    pub sent: u64,
    /// Replies.
    pub answered: u64,
    /// Replies with RCODE 0.
    pub noerror: u64,
    /// Replies with RCODE 3.
    pub nxdomain: u64,
    /// Replies with any other.
    pub other: u64,
}

impl Said {
    /// What was counted; replies with any other RCODE are the rest.
    fn new(seconds: f64, sent: u64, answered: u64, [noerror, nxdomain]: [u64; 2]) -> Self {
        Self {
            seconds,
            sent,
            answered,
            noerror,
            nxdomain,
            other: answered.saturating_sub(noerror + nxdomain),
        }
    }

    /// Queries a second, over its whole run.
    pub fn sent_per_s(&self) -> f64 {
        self.sent as f64 / self.seconds
    }

    /// The part of the queries that was not answered.
    pub fn loss(&self) -> f64 {
        1.0 - (self.answered as f64 / self.sent.max(1) as f64).min(1.0)
    }
}

/// The first word behind `label` in any line, as a number.
fn number<T: std::str::FromStr>(text: &str, label: &str) -> Option<T> {
    let rest = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(label))?;
    rest.split_whitespace().next()?.parse().ok()
}

//! What `ripples ctl stats --json` says.

use common::Verdict;
use serde_json::Value;
use std::fmt;

/// A server's counters at one moment. What is not listed has not been counted: 0.
#[derive(Clone, Debug)]
pub struct Stats(Value);

impl Stats {
    /// Reads the JSON text.
    pub fn from_json(text: &str) -> Self {
        let value = serde_json::from_str(text);
        Self(value.unwrap_or_else(|error| panic!("{error} in: {text}")))
    }

    /// A counter of all workers, as `answers` or `rcodes.nxdomain`.
    pub fn total(&self, counter: &str) -> u64 {
        number(&self.0, counter)
    }

    /// A counter of one worker, as `sibling/0` or `eth0/0`.
    pub fn worker(&self, worker: &str, counter: &str) -> u64 {
        assert!(
            self.workers().contains(&worker),
            "no worker {worker}: {self}"
        );
        number(&self.0["workers"][worker], counter)
    }

    /// A counter of all siblings.
    pub fn siblings(&self, counter: &str) -> u64 {
        let workers = self.workers().into_iter();
        let siblings = workers.filter(|name| name.starts_with("sibling/"));
        siblings.map(|name| self.worker(name, counter)).sum()
    }

    /// The names of the workers.
    pub fn workers(&self) -> Vec<&str> {
        let workers = self.0["workers"].as_object().expect("there are workers");
        workers.keys().map(String::as_str).collect()
    }

    /// Verdicts of the kernel program on an interface.
    pub fn xdp(&self, interface: &str, verdict: Verdict) -> u64 {
        number(&self.0["xdp"][interface], verdict.name())
    }

    /// A counter of the query log, as `written`.
    pub fn query_log(&self, counter: &str) -> u64 {
        number(&self.0["query_log"], counter)
    }

    /// A counter of live streams, as `lost`.
    pub fn live(&self, counter: &str) -> u64 {
        number(&self.0["live"], counter)
    }

    /// A counter of the TCP side, as `open` or `events.accepted`.
    pub fn tcp(&self, counter: &str) -> u64 {
        number(&self.0["tcp"], counter)
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

/// The number at a path of names with dots between.
fn number(value: &Value, path: &str) -> u64 {
    let value = path.split('.').fold(value, |value, name| &value[name]);
    value.as_u64().unwrap_or_default()
}

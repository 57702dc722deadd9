//! The server's counters at one moment, and the rates between two of them.

use super::network::SERVER_INTERFACE;
use crate::shell;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Clock ticks per second in `/proc/PID/stat`: USER_HZ, 100 on every Linux that Rust supports
/// (<https://docs.kernel.org/filesystems/proc.html>, table 1-4).
const TICKS_PER_SECOND: f64 = 100.0;

/// Counters read at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    at: Instant,
    counts: Counts,
    /// Processor time used so far, in ticks.
    ticks: u64,
}

/// What the server counted since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    received: u64,
    answers: u64,
    /// Answers of workers on an AF_XDP socket.
    xdp_answers: u64,
}

/// What happened per second between two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    queries: f64,
    answers: f64,
    /// Part of the answers that AF_XDP carried, 0 to 1; none without answers.
    xdp_share: Option<f64>,
    /// Processor time per time, 1 for one core at work all the time.
    cpu: f64,
    /// Answers since the server started.
    answers_total: u64,
}

impl Sample {
    /// Asks the server with its own client, and the kernel about the process.
    pub(super) fn take(server: &Path, control_socket: &Path, pid: u32) -> Result<Self> {
        let mut ctl = Command::new(server);
        ctl.arg("ctl").arg("--control").arg(control_socket);
        ctl.args(["stats", "--json"]);
        let text = shell::read_again(&mut ctl, "see what the server says")?;
        let json = serde_json::from_str(&text).context("the statistics are not JSON")?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .context("the server has no entry in /proc")?;
        Ok(Self {
            at: Instant::now(),
            counts: Counts::from_json(&json),
            ticks: ticks(&stat).context("/proc/PID/stat has another form than expected")?,
        })
    }

    /// The rates since an earlier sample.
    pub(super) fn rates_since(&self, earlier: &Self) -> Rates {
        let seconds = (self.at - earlier.at)
            .max(Duration::from_millis(1))
            .as_secs_f64();
        let answers = float(self.counts.answers.saturating_sub(earlier.counts.answers));
        let xdp = float(
            self.counts
                .xdp_answers
                .saturating_sub(earlier.counts.xdp_answers),
        );
        let received = float(self.counts.received.saturating_sub(earlier.counts.received));
        let ticks = float(self.ticks.saturating_sub(earlier.ticks));
        Rates {
            queries: received / seconds,
            answers: answers / seconds,
            xdp_share: (answers > 0.0).then(|| xdp / answers),
            cpu: ticks / TICKS_PER_SECOND / seconds,
            answers_total: self.counts.answers,
        }
    }
}

impl Counts {
    /// Reads `ripples ctl stats --json`. A counter that is not there counts nothing.
    fn from_json(json: &Value) -> Self {
        let count = |value: &Value| value.as_u64().unwrap_or(0);
        // A worker on an AF_XDP socket is called after its interface and queue: `rps0/1`.
        let on_xdp = |name: &str| {
            name.strip_prefix(SERVER_INTERFACE)
                .is_some_and(|queue| queue.starts_with('/'))
        };
        let workers = json["workers"].as_object().into_iter().flatten();
        Self {
            received: count(&json["received"]),
            answers: count(&json["answers"]),
            xdp_answers: workers
                .filter(|(name, _)| on_xdp(name))
                .map(|(_, worker)| count(&worker["answers"]))
                .sum(),
        }
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Together below 80 columns, or the line could not be renewed in place.
        let (queries, answers) = (self.queries, self.answers);
        write!(f, "{queries:>7.0} queries/s {answers:>7.0} answers/s")?;
        match self.xdp_share {
            Some(share) => write!(f, "  AF_XDP {:>3.0} %", share * 100.0)?,
            None => write!(f, "  AF_XDP   – %")?,
        }
        let (cpu, total) = (self.cpu * 100.0, self.answers_total);
        write!(f, "  CPU {cpu:>3.0} %  {total} in all")
    }
}

/// User and system time from `/proc/PID/stat`: fields 14 and 15, counted after the command's name,
/// which may itself hold blanks and parentheses (proc_pid_stat(5)).
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// A difference of counters as a number to divide.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 2^53, and shown as a rate"
)]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_share_of_af_xdp_is_that_of_its_workers() {
        let counts = Counts::from_json(&json!({
            "received": 12, "answers": 10, "workers": {
                "rps0/0": {"answers": 6},
                "rps0/1": {"answers": 1},
                "rps01/1": {"answers": 100},
                "sibling/0": {"answers": 3},
            }
        }));
        let expected = Counts {
            received: 12,
            answers: 10,
            xdp_answers: 7,
        };
        assert_eq!(counts, expected);
    }

    #[test]
    fn counters_that_are_missing_count_nothing() {
        assert_eq!(Counts::from_json(&json!({})), Counts::default());
        assert_eq!(
            Counts::from_json(&json!({"workers": {"rps0/0": {}}})),
            Counts::default()
        );
    }

    #[test]
    fn processor_time_is_found_behind_a_hostile_process_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 9000 1 1";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("7 (cut) S 1"), None);
    }

    #[test]
    fn rates_are_differences_over_time() {
        let first = Sample {
            at: Instant::now(),
            counts: Counts::default(),
            ticks: 0,
        };
        let second = Sample {
            at: first.at + Duration::from_secs(2),
            counts: Counts {
                received: 2_000,
                answers: 1_000,
                xdp_answers: 900,
            },
            ticks: 100,
        };
        let line = second.rates_since(&first).to_string();
        assert_eq!(
            line,
            "   1000 queries/s     500 answers/s  AF_XDP  90 %  CPU  50 %  1000 in all"
        );
        let idle = first.rates_since(&first).to_string();
        assert!(idle.contains("AF_XDP   – %"), "{idle}");
    }
}

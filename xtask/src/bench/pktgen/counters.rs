//! What has been counted: by pktgen, the interface, and a server that is asked.

use super::generator::Generator;
use super::interface::Interface;
use crate::shell;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;

/// What is shown, from left to right: key and heading.
pub(super) const COLUMNS: &[(&str, &str)] = &[
    ("pktgen_sent", "sent"),
    ("pktgen_errors", "not sent"),
    ("nic_sent", "NIC out"),
    ("nic_received", "NIC in"),
    ("nic_dropped", "NIC lost"),
    ("xdp_redirected", "XDP to us"),
    ("xdp_passed", "XDP passed"),
    ("af_xdp_lost", "AF_XDP lost"),
    ("af_xdp_received", "AF_XDP in"),
    ("af_xdp_sent", "AF_XDP out"),
    ("af_xdp_dropped", "dropped"),
];

/// Counters of every interface that count what was lost there.
const LOSSES: &[&str] = &["tx_dropped", "rx_dropped", "rx_missed_errors"];

/// Where to look.
pub(super) struct Counters<'a> {
    /// What sends.
    pub(super) generator: &'a Generator,
    /// Its devices.
    pub(super) devices: &'a [String],
    /// What it sends from.
    pub(super) interface: &'a Interface,
    /// A command that prints what `ripples ctl stats --json` does.
    pub(super) server: Option<&'a str>,
}

/// All counters at one moment, by the keys of [`COLUMNS`].
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// The moment.
    pub(super) at: Instant,
    /// The counters. Those of the server only where there is one.
    pub(super) counts: BTreeMap<&'static str, u64>,
}

impl Counters<'_> {
    /// Reads all of them.
    pub(super) fn sample(&self) -> Result<Sample> {
        let mut counts = BTreeMap::new();
        // The server may be far away: its counters first, the moment is that of the others.
        if let Some(command) = self.server {
            counts = server(&ask(command)?);
        }
        let at = Instant::now();
        let progress = self.generator.progress(self.devices)?;
        let mut dropped = 0;
        for loss in LOSSES {
            dropped += self.interface.counter(loss)?;
        }
        counts.extend([
            ("pktgen_sent", progress.sent),
            ("pktgen_errors", progress.errors),
            ("nic_sent", self.interface.counter("tx_packets")?),
            ("nic_received", self.interface.counter("rx_packets")?),
            ("nic_dropped", dropped),
        ]);
        Ok(Sample { at, counts })
    }
}

impl Sample {
    /// What was counted since an earlier one.
    pub(super) fn since(&self, earlier: &Self) -> BTreeMap<&'static str, u64> {
        let difference = |(key, count): (&&'static str, &u64)| {
            let before = earlier.counts.get(key).copied().unwrap_or_default();
            (*key, count.saturating_sub(before))
        };
        self.counts.iter().map(difference).collect()
    }
}

/// Runs the command that asks the server.
fn ask(command: &str) -> Result<Value> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    let text = shell::read_again(
        &mut shell,
        "it should do what `ripples ctl stats --json` does",
    )?;
    serde_json::from_str(&text).with_context(|| format!("`{command}` printed no JSON"))
}

/// What the server says of its XDP programs and of its workers on AF_XDP.
fn server(stats: &Value) -> BTreeMap<&'static str, u64> {
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let programs = fields(&stats["xdp"]);
    let (mut redirected, mut passed) = (0, 0);
    for verdict in programs.values().flat_map(fields) {
        match verdict.0.as_str() {
            "redirect" => redirected += number(&verdict.1),
            _ => passed += number(&verdict.1),
        }
    }
    let (mut received, mut sent, mut dropped) = (0, 0, 0);
    for (name, worker) in fields(&stats["workers"]) {
        // After their interface and queue: `eth1/0`. Others are on kernel sockets.
        let is_on_xdp = name
            .split_once('/')
            .is_some_and(|(interface, _)| programs.contains_key(interface));
        if is_on_xdp {
            let failed = number(&worker["events"]["transmit_failed"]);
            received += number(&worker["received"]);
            sent += number(&worker["answers"]) + number(&worker["events"]["reflected"]) - failed;
            dropped += number(&worker["discards"]) + failed;
        }
    }
    BTreeMap::from([
        ("xdp_redirected", redirected),
        ("xdp_passed", passed),
        // Steered, but there was no room in a ring.
        ("af_xdp_lost", redirected.saturating_sub(received)),
        ("af_xdp_received", received),
        ("af_xdp_sent", sent),
        ("af_xdp_dropped", dropped),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::pktgen::tests::Fake;
    use serde_json::json;

    #[test]
    fn the_interface_and_pktgen_are_counted_without_a_server() {
        let fake = Fake::new("counters");
        let generator = Generator::open(&fake.pktgen()).unwrap();
        let interface = Interface::open(&fake.sys(), "eth1").unwrap();
        let mut counters = Counters {
            generator: &generator,
            devices: &["eth1@0".to_owned()],
            interface: &interface,
            server: None,
        };
        let first = counters.sample().unwrap();
        fake.write("sys/class/net/eth1/statistics/tx_packets", "1500\n");
        fake.write("sys/class/net/eth1/statistics/rx_missed_errors", "25\n");
        let second = counters.sample().unwrap().since(&first);
        let expected = [
            ("nic_dropped", 20),
            ("nic_received", 0),
            ("nic_sent", 500),
            ("pktgen_errors", 0),
            ("pktgen_sent", 0),
        ];
        assert_eq!(second, BTreeMap::from(expected));
        counters.server = Some("echo '{'");
        let error = format!("{:#}", counters.sample().unwrap_err());
        assert!(error.contains("printed no JSON"), "{error}");
        counters.server = Some("echo '{\"xdp\":{\"eth1\":{\"redirect\":7}}}'");
        assert_eq!(counters.sample().unwrap().counts["xdp_redirected"], 7);
    }

    #[test]
    fn only_workers_behind_an_xdp_program_are_on_af_xdp() {
        let worker = json!({
            "received": 80, "answers": 0, "discards": 5,
            "events": {"reflected": 75, "transmit_failed": 2}
        });
        let counts = server(&json!({
            "xdp": {"eth1": {"redirect": 100, "not_ip": 3, "other_port": 4}},
            "workers": {"eth1/0": worker, "sibling/0": worker, "socket/0": worker},
        }));
        let expected = [
            ("xdp_redirected", 100),
            ("xdp_passed", 7),
            ("af_xdp_lost", 20),
            ("af_xdp_received", 80),
            ("af_xdp_sent", 73),
            ("af_xdp_dropped", 7),
        ];
        assert_eq!(counts, BTreeMap::from(expected));
        let keys = COLUMNS.iter().map(|column| column.0);
        let keys: Vec<&str> = keys.filter(|key| counts.contains_key(key)).collect();
        assert_eq!(keys.len(), counts.len(), "every counter has its column");
    }
}

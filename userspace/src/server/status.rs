//! What `ripples ctl status` and `ripples ctl stats` say.

use super::attach::Attached;
use super::resources::Published;
use super::workers::Workers;
use crate::bpf::Filter;
use crate::config::Config;
use crate::health::Counts;
use crate::name;
use crate::tcp::{TcpClose, TcpEvent, TcpTotals};
use crate::telemetry::{Discard, Event, Rcode, Totals};
use common::Verdict;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Zones that `status` lists by name; beyond, it only counts them.
const ZONES_LISTED: usize = 100;

/// What is served, and how.
pub(super) fn status(
    config: &Config,
    published: &Published,
    paths: &[String],
    replaced: &Value,
    uptime: Duration,
) -> Value {
    let snapshot = &published.snapshot;
    let zones: Vec<Value> = snapshot
        .zones()
        .iter()
        .take(ZONES_LISTED)
        .map(|zone| {
            json!({
                "origin": name::display(zone.apex().name()).to_string(),
                "serial": zone.serial(),
                "records": zone.record_count(),
            })
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "uptime_seconds": uptime.as_secs(),
        "replaced": replaced,
        "listen": config.listen,
        "paths": paths,
        "generation": snapshot.generation(),
        "zone_count": snapshot.zones().len(),
        "zones_failed": published.zones_failed,
        "zones": zones,
        "memory_bytes": snapshot.size_bytes(),
    })
}

/// What has been counted: in total, by worker, by TCP, of health, in the kernel.
pub(super) fn stats(
    workers: &Workers,
    attached: &[Attached],
    published: &Published,
    health: Counts,
) -> Value {
    let mut sum = Totals::default();
    let by_worker: Map<String, Value> = workers
        .counters()
        .map(|(name, counters)| {
            sum.include(counters);
            (name.to_owned(), totals_json(&counters.totals()))
        })
        .collect();
    let mut stats = totals_json(&sum);
    stats["workers"] = by_worker.into();
    stats["tcp"] = tcp_json(&workers.tcp.totals());
    stats["resources"] = json!({
        "reloads": published.reloads,
        "reload_errors": published.reload_errors,
        "zones_failed": published.zones_failed,
        "snapshots_outstanding": published.snapshots_outstanding,
    });
    stats["health"] = json!({
        "down": health.down,
        "changes": health.changes,
        "checks": health.checks,
        "failures": health.failures,
    });
    stats["xdp"] = attached
        .iter()
        .map(|attached| (attached.interface.clone(), xdp_json(&attached.filter)))
        .collect();
    stats
}

/// What the kernel program decided on one interface.
fn xdp_json(filter: &Filter) -> Value {
    match filter.verdict_counts() {
        Ok(counts) => labelled(&Verdict::ALL, Verdict::name, |verdict| {
            counts[verdict.index() as usize]
        }),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

fn totals_json(totals: &Totals) -> Value {
    json!({
        "received": totals.events(Event::Received),
        "answers": totals.answered(),
        "discards": totals.discarded(),
        "rcodes": labelled(Rcode::ALL, Rcode::label, |&rcode| totals.replies(rcode)),
        "discarded": labelled(Discard::ALL, Discard::label, |&reason| totals.discards(reason)),
        "events": labelled(Event::ALL, Event::label, |&event| totals.events(event)),
    })
}

fn tcp_json(totals: &TcpTotals) -> Value {
    json!({
        "open": totals.open(),
        "events": labelled(TcpEvent::ALL, TcpEvent::label, |&event| totals.events(event)),
        "closed": labelled(TcpClose::ALL, TcpClose::label, |&reason| totals.closes(reason)),
    })
}

/// Counts by their labels, those of zero left out.
fn labelled<T: Copy>(
    all: &[T],
    label: impl Fn(T) -> &'static str,
    count: impl Fn(&T) -> u64,
) -> Value {
    let counted = all
        .iter()
        .map(|metric| (label(*metric).to_owned(), count(metric)));
    counted
        .filter(|&(_, count)| count != 0)
        .map(|(label, count)| (label, Value::from(count)))
        .collect()
}

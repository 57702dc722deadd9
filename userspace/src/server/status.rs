//! What `ripples ctl status` and `ripples ctl stats` say.

use super::attach::Attached;
use super::metrics::zone_name;
use super::resources::Published;
use super::workers::Workers;
use crate::bpf::Filter;
use crate::config::Config;
use crate::health::{Counts, HealthMetric};
use crate::name;
use crate::port::{RingEvent, RingStatistics};
use crate::querylog::{LiveEvent, QueryLog, QueryLogEvent};
use crate::snapshot::Part;
use crate::tcp::{TcpClose, TcpEvent, TcpTotals};
use crate::telemetry::log::{self, LogEvent, LogTotals};
use crate::telemetry::{
    Counters, Discard, Distribution, Event, Family, Measure, QueryType, Rcode, ResourceMetric,
    Totals, ZoneCount,
};
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
        "memory": labelled(Part::ALL, Part::label, |&part| snapshot.part_bytes(part) as u64),
    })
}

/// What has been counted: in total, by worker, by TCP, of health, in the kernel.
pub(super) fn stats(
    workers: &Workers,
    attached: &[Attached],
    published: &Published,
    health: Counts,
    query_log: &QueryLog,
) -> Value {
    let all: Vec<(&str, &Counters)> = workers.counters().collect();
    let by_worker: Map<String, Value> = all
        .iter()
        .map(|&(name, counters)| (name.to_owned(), counted_json(&[counters])))
        .collect();
    let all: Vec<&Counters> = all.into_iter().map(|(_, counters)| counters).collect();
    let mut stats = counted_json(&all);
    stats["workers"] = by_worker.into();
    for interface in attached {
        for (queue, rings) in interface.rings().iter().enumerate() {
            let worker = format!("{}/{queue}", interface.interface);
            stats["workers"][worker]["rings"] = rings_json(rings);
        }
    }
    let zones = workers.zone_totals(&published.snapshot);
    if !zones.is_empty() {
        let zones = zones.into_iter().map(|(zone, totals)| {
            let counts = ZoneCount::ALL.iter().zip(totals);
            let counts = counts.map(|(count, total)| (count.label().to_owned(), total.into()));
            (zone_name(zone), counts.collect::<Map<_, _>>().into())
        });
        stats["zones"] = zones.collect::<Map<_, _>>().into();
    }
    stats["tcp"] = tcp_json(&workers.tcp_totals());
    stats["resources"] = numbers(ResourceMetric::ALL, |metric| published.get(metric));
    stats["resources"]["memory_bytes"] = published.snapshot.size_bytes().into();
    stats["health"] = numbers(HealthMetric::ALL, |metric| health.get(metric));
    let (counts, live) = (query_log.counts(), query_log.hub().counts());
    stats["query_log"] = labelled(QueryLogEvent::ALL, QueryLogEvent::label, |&event| {
        counts.get(event)
    });
    stats["query_log"]["buffer_bytes"] = counts.buffer_bytes().into();
    stats["live"] = labelled(LiveEvent::ALL, LiveEvent::label, |&event| live.get(event));
    stats["live"]["subscribers"] = live.subscribers().into();
    stats["log"] = log_json(&log::totals());
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

/// What these workers have counted.
fn counted_json(workers: &[&Counters]) -> Value {
    let mut totals = Totals::default();
    workers.iter().for_each(|counters| totals.include(counters));
    let histograms: Map<String, Value> = Measure::ALL
        .iter()
        .map(|&measure| {
            let mut distribution = Distribution::new(measure);
            let histograms = workers.iter().map(|counters| counters.histograms());
            histograms.for_each(|histograms| distribution.include(histograms));
            (measure.label().to_owned(), distribution_json(&distribution))
        })
        .collect();
    json!({
        "received": totals.events(Event::Received),
        "answers": totals.answered(),
        "discards": totals.discarded(),
        "rcodes": labelled(Rcode::ALL, Rcode::label, |&rcode| totals.replies(rcode)),
        "types": labelled(QueryType::ALL, QueryType::label, |&kind| totals.types(kind)),
        "discarded": labelled(Discard::ALL, Discard::label, |&reason| totals.discards(reason)),
        "events": labelled(Event::ALL, Event::label, |&event| totals.events(event)),
        "histograms": histograms,
    })
}

/// A histogram: its ranges that are not empty by their ends, and what so many values are not above.
fn distribution_json(distribution: &Distribution) -> Value {
    let ranges = distribution.ranges().filter(|&(_, count)| count != 0);
    let ranges: Vec<Value> = ranges.map(|(end, count)| json!([end, count])).collect();
    json!({
        "count": distribution.count(),
        "sum": distribution.sum(),
        "p50": distribution.at_most(0.5),
        "p99": distribution.at_most(0.99),
        "ranges": ranges,
    })
}

/// What the kernel counts about a worker's AF_XDP socket.
fn rings_json(rings: &RingStatistics) -> Value {
    labelled(RingEvent::ALL, RingEvent::label, |&event| {
        rings.count(event)
    })
}

fn log_json(totals: &LogTotals) -> Value {
    let messages = totals.messages().filter(|&(_, count)| count != 0);
    let messages = messages.map(|(level, count)| (level.to_owned(), count.into()));
    let mut log = numbers(LogEvent::ALL, |event| totals.get(event));
    log["messages"] = messages.collect::<Map<_, _>>().into();
    log
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

/// Numbers by their labels, also those of zero.
fn numbers<M: Family>(all: &[M], value: impl Fn(M) -> u64) -> Value {
    all.iter()
        .map(|&metric| (metric.label().to_owned(), Value::from(value(metric))))
        .collect()
}

//! All that is counted, as metrics: what `ripples ctl stats` says, for machines that collect it.

use super::attach::Attached;
use super::resources::Published;
use super::workers::Workers;
use crate::health::{Counts, HealthMetric};
use crate::name;
use crate::port::{RingEvent, RingStatistics};
use crate::querylog::{LiveCounts, LiveEvent, QueryLog, QueryLogCounts, QueryLogEvent};
use crate::snapshot::Part;
use crate::tcp::{TcpClose, TcpEvent};
use crate::telemetry::exposition::{Exposition, Format, Kind};
use crate::telemetry::log::{self, LogEvent, LogTotals};
use crate::telemetry::{
    Discard, Event, Family, Measure, QueryType, Rcode, ResourceMetric, Totals, ZoneCount,
};
use crate::zone::image::ZoneImage;
use common::Verdict;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where the numbers come from.
pub(super) struct Sources<'s> {
    pub(super) workers: &'s Workers,
    pub(super) attached: &'s [Attached],
    pub(super) published: &'s Published,
    pub(super) health: Counts,
    pub(super) query_log: &'s QueryLog,
    pub(super) uptime: Duration,
}

/// All families.
pub(super) fn text(sources: &Sources<'_>, format: Format) -> String {
    let mut page = Exposition::new(format);
    about_the_process(&mut page, sources.uptime);
    about_workers(&mut page, sources.workers);
    about_zones(&mut page, sources);
    about_turns(&mut page, sources.workers);
    about_tcp(&mut page, sources.workers);
    about_xdp(&mut page, sources.attached);
    about_rings(&mut page, sources.attached);
    about_resources(&mut page, sources.published);
    families(&mut page, HealthMetric::ALL, |it| sources.health.get(it));
    about_query_log(&mut page, sources.query_log.counts());
    about_live(&mut page, sources.query_log.hub().counts());
    about_log(&mut page, &log::totals());
    page.finish()
}

fn about_log(page: &mut Exposition, totals: &LogTotals) {
    let help = "Messages of the application log, by level.";
    let mut messages = page.family("log_messages", help, Kind::Counter);
    for (level, count) in totals.messages() {
        messages.sample(&[("level", level)], count);
    }
    families(page, LogEvent::ALL, |event| totals.get(event));
}

fn about_query_log(page: &mut Exposition, counts: &QueryLogCounts) {
    for &event in QueryLogEvent::ALL {
        let name = format_args!("query_log_{}", event.label());
        page.family(name, event.help(), Kind::Counter)
            .sample(&[], counts.get(event));
    }
    let help = "Memory of the workers' buffers for what somebody wants to see.";
    page.family("query_log_buffer_bytes", help, Kind::Gauge)
        .sample(&[], counts.buffer_bytes() as u64);
}

fn about_live(page: &mut Exposition, counts: &LiveCounts) {
    for &event in LiveEvent::ALL {
        let name = format_args!("live_{}", event.label());
        page.family(name, event.help(), Kind::Counter)
            .sample(&[], counts.get(event));
    }
    let help = "Those who have a live stream.";
    page.family("live_subscribers", help, Kind::Gauge)
        .sample(&[], counts.subscribers() as u64);
}

fn about_the_process(page: &mut Exposition, uptime: Duration) {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    let help = "Always 1; the label says which release this is.";
    page.family("build_info", help, Kind::Gauge)
        .sample(&version, 1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let started = now.unwrap_or_default().saturating_sub(uptime);
    let help = "When the server started, in seconds since 1970.";
    page.family("start_time_seconds", help, Kind::Gauge)
        .sample(&[], started.as_secs());
}

/// Frames, and what became of them: answers and discards sum to the received.
fn about_workers(page: &mut Exposition, workers: &Workers) {
    let workers: Vec<(&str, Totals)> = workers
        .counters()
        .map(|(name, counters)| (name, counters.totals()))
        .collect();
    let help = "Queries that were answered, by response code.";
    let mut replies = page.family("replies", help, Kind::Counter);
    for (name, totals) in &workers {
        for &rcode in Rcode::ALL {
            let labels = [("worker", *name), ("rcode", rcode.label())];
            replies.sample(&labels, totals.replies(rcode));
        }
    }
    let help = "Frames and messages that were not answered, by reason.";
    let mut discards = page.family("discards", help, Kind::Counter);
    for (name, totals) in &workers {
        for &reason in Discard::ALL {
            let labels = [("worker", *name), ("reason", reason.label())];
            discards.sample(&labels, totals.discards(reason));
        }
    }
    let help = "Queries that were answered, by type.";
    let mut types = page.family("queries", help, Kind::Counter);
    for (name, totals) in &workers {
        for &kind in QueryType::ALL {
            let labels = [("worker", *name), ("type", kind.label())];
            types.sample(&labels, totals.types(kind));
        }
    }
    for &event in Event::ALL {
        let mut family = page.family(event.label(), event.help(), Kind::Counter);
        for (name, totals) in &workers {
            family.sample(&[("worker", name)], totals.events(event));
        }
    }
}

/// How the queries of each zone were answered, where they are counted one by one.
fn about_zones(page: &mut Exposition, sources: &Sources<'_>) {
    let totals = sources.workers.zone_totals(&sources.published.snapshot);
    if totals.is_empty() {
        return;
    }
    let help = "Queries by the zone that answered; those beyond zone_metrics together.";
    let mut replies = page.family("zone_replies", help, Kind::Counter);
    for (zone, totals) in &totals {
        let origin = zone_name(*zone);
        for (&count, &total) in ZoneCount::ALL.iter().zip(totals) {
            let labels = [("zone", &*origin), ("rcode", count.label())];
            replies.sample(&labels, total);
        }
    }
}

/// How a zone is called; those without counts of their own: `other`, which no origin is.
pub(super) fn zone_name(zone: Option<&ZoneImage>) -> String {
    zone.map_or_else(
        || "other".to_owned(),
        |zone| name::display(zone.apex().name()).to_string(),
    )
}

/// How the workers' turns were.
fn about_turns(page: &mut Exposition, workers: &Workers) {
    for &measure in Measure::ALL {
        let mut family = page.family(measure.label(), measure.help(), Kind::Histogram);
        for (name, counters) in workers.counters() {
            let distribution = counters.histograms().distribution(measure);
            family.histogram(&[("worker", name)], &distribution);
        }
    }
}

fn about_tcp(page: &mut Exposition, workers: &Workers) {
    let totals = workers.tcp_totals();
    let help = "TCP connections that are open.";
    page.family("tcp_connections", help, Kind::Gauge)
        .sample(&[], totals.open());
    let help = "TCP connections that were closed, by reason.";
    let mut closed = page.family("tcp_closed", help, Kind::Counter);
    for &reason in TcpClose::ALL {
        closed.sample(&[("reason", reason.label())], totals.closes(reason));
    }
    for &event in TcpEvent::ALL {
        let name = format_args!("tcp_{}", event.label());
        page.family(name, event.help(), Kind::Counter)
            .sample(&[], totals.events(event));
    }
}

fn about_xdp(page: &mut Exposition, attached: &[Attached]) {
    let help = "Frames that the kernel program saw, by what it decided.";
    let mut verdicts = page.family("xdp_verdicts", help, Kind::Counter);
    for interface in attached {
        let counts = match interface.filter.verdict_counts() {
            Ok(counts) => counts,
            Err(error) => {
                tracing::debug!(%error, "the kernel program's counters");
                continue;
            }
        };
        for verdict in Verdict::ALL {
            let labels = [
                ("interface", &*interface.interface),
                ("verdict", verdict.name()),
            ];
            verdicts.sample(&labels, counts[verdict.index() as usize]);
        }
    }
}

/// What the kernel counts about each queue's AF_XDP socket.
fn about_rings(page: &mut Exposition, attached: &[Attached]) {
    let interfaces: Vec<(&str, Vec<RingStatistics>)> = attached
        .iter()
        .map(|interface| (&*interface.interface, interface.rings()))
        .collect();
    for &event in RingEvent::ALL {
        let name = format_args!("xdp_{}", event.label());
        let mut family = page.family(name, event.help(), Kind::Counter);
        for (interface, rings) in &interfaces {
            for (queue, rings) in rings.iter().enumerate() {
                let labels = [("interface", *interface), ("queue", &*queue.to_string())];
                family.sample(&labels, rings.count(event));
            }
        }
    }
}

fn about_resources(page: &mut Exposition, published: &Published) {
    let snapshot = &published.snapshot;
    families(page, ResourceMetric::ALL, |metric| published.get(metric));
    let help = "Memory of the snapshot that is served, by what it is for.";
    let mut memory = page.family("snapshot_bytes", help, Kind::Gauge);
    for &part in Part::ALL {
        memory.sample(&[("part", part.label())], snapshot.part_bytes(part));
    }
}

/// Families of one number each.
fn families<M: Family>(page: &mut Exposition, all: &[M], value: impl Fn(M) -> u64) {
    for &metric in all {
        let (name, kind) = metric.family();
        page.family(name, metric.help(), kind)
            .sample(&[], value(metric));
    }
}

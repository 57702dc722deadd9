//! What Ripples is to reach over TCP: against the echo, the peers, and a flood.

use crate::table::{find, what};
use crate::{balance, peers, shapes};
use tests::wire::mark::Mark;
use tests::wire::servers;
use tests::wire::summary::{Group, Median, Summary};

/// Ours among the peers.
const OURS: &str = "ripples-socket";
/// Answers a second of one connection with pipelining, unless loopback carries less.
const PIPELINED: f64 = 400_000.0;
/// What ten thousand connections keep of what a hundred reach, with one query each.
const MANY_MIN: f64 = 0.8;
/// Against the best of the peers.
const PEERS_MIN: f64 = 1.5;
/// Longest p99 in ms of what is not starved.
const P99_MS_MAX: f64 = 10.0;

/// Prints all marks for which something was measured.
pub(crate) fn print(summary: &Summary) {
    let marks = [
        shape_marks(summary),
        peer_marks(summary),
        balance_marks(summary),
    ];
    let marks: Vec<Mark> = marks.into_iter().flatten().collect();
    if marks.is_empty() {
        return;
    }
    println!("\n{}", Mark::heading());
    for mark in marks {
        println!("{}", mark.line());
    }
}

/// Our group of a shape, or the echo's.
fn shape<'s>(summary: &'s Summary, server: &str, shape: [f64; 2]) -> Option<&'s Group> {
    summary.groups().find(|group| {
        group.text("part") == shapes::PART
            && group.text("server") == server
            && ["connections", "pipelined"].map(|key| group.number(key)) == shape.map(Some)
    })
}

fn shape_marks(summary: &Summary) -> Vec<Mark> {
    let mut marks = Vec::new();
    let one = [1.0, 1000.0];
    if let Some(ours) = shape(summary, shapes::OURS, one)
        && let Some(echo) = shape(summary, shapes::ECHO, one)
        && let Some(limit) = echo.median("answers_per_s")
        && let Some(rate) = ours.median("answers_per_s")
    {
        let limit = limit.middle.min(PIPELINED);
        let what = "1 × 1000: thousands of answers/s (400, or the echo's)";
        let rate = thousands(rate);
        marks.push(Mark::least(what.to_owned(), rate, limit / 1e3));
    }
    let many = |server: &str| {
        let [many, few] = [10_000.0, 100.0].map(|count| shape(summary, server, [count, 1.0]));
        Some((many?, few?))
    };
    if let Some((many, few)) = many(shapes::OURS) {
        let rates = many.ratio(few, "answers_per_s");
        let what = "10,000 × 1 : 100 × 1, answers/s".to_owned();
        marks.extend(rates.map(|ratio| Mark::least(what, ratio, MANY_MIN)));
        let times = few.ratio(many, "cpu_us");
        let what = "10,000 × 1 : 100 × 1, answers per CPU time".to_owned();
        marks.extend(times.map(|ratio| Mark::told(what, ratio)));
    }
    // What the kernel itself takes for more connections is in the echo's.
    let told = many(shapes::ECHO).into_iter().flat_map(|(many, few)| {
        let rates = many.ratio(few, "answers_per_s");
        let times = few.ratio(many, "cpu_us");
        [
            ("10,000 × 1 : 100 × 1, answers/s, the echo", rates),
            (
                "10,000 × 1 : 100 × 1, answers per CPU time, the echo",
                times,
            ),
        ]
    });
    marks.extend(told.filter_map(|(what, ratio)| Some(Mark::told(what.to_owned(), ratio?))));
    marks
}

fn thousands(median: Median) -> Median {
    Median {
        middle: median.middle / 1e3,
        low: median.low / 1e3,
        high: median.high / 1e3,
    }
}

/// Against the best peer under each load, by rate and by CPU time.
fn peer_marks(summary: &Summary) -> Vec<Mark> {
    let of_part = |group: &&Group| group.text("part") == peers::PART;
    let ours = summary.groups().filter(of_part);
    let ours = ours.filter(|group| group.text("server") == OURS);
    let mut marks = Vec::new();
    for ours in ours {
        let name = what(&ours.points()[0]);
        let best = |key, sign: f64| {
            let peers = servers::ALL.iter().filter(|server| server.is_peer());
            let others = peers.filter_map(|peer| {
                let texts = [
                    ("part", peers::PART),
                    ("server", peer.label),
                    ("load", ours.text("load")),
                ];
                let other = find(summary, &texts, ours)?;
                Some((other.median(key)?.middle * sign, other))
            });
            others.max_by(|one, other| one.0.total_cmp(&other.0))
        };
        if let Some((_, best)) = best("answers_per_s", 1.0) {
            let what = format!("{name}: answers/s : {}'s", best.text("server"));
            marks.extend(peer_mark(what, ours, ours.ratio(best, "answers_per_s")));
        }
        if let Some((_, best)) = best("cpu_us", -1.0) {
            let server = best.text("server");
            let what = format!("{name}: answers per CPU time : {server}'s");
            marks.extend(peer_mark(what, ours, best.ratio(ours, "cpu_us")));
        }
    }
    marks
}

/// One query at a time leaves no room for a mark: the echo itself is hardly ahead of the best.
fn peer_mark(what: String, ours: &Group, ratio: Option<Median>) -> Option<Mark> {
    Some(match ours.number("pipelined") {
        Some(1.0) => Mark::told(what, ratio?),
        _ => Mark::least(what, ratio?, PEERS_MIN),
    })
}

/// Nothing is lost, and nothing waits long.
fn balance_marks(summary: &Summary) -> Vec<Mark> {
    let mut marks = Vec::new();
    for group in summary.groups() {
        let is_flooded = balance::flooded()
            .iter()
            .any(|case| case.0 == group.text("case"));
        if group.text("part") != balance::PART || !is_flooded {
            continue;
        }
        let (path, case) = (group.text("path"), group.text("case"));
        let numbers = |key: &'static str| {
            let points = group.points().iter();
            points.filter_map(move |point| point.number(key))
        };
        if let Some(p99) = Median::of(numbers("p99_us").map(|us| us / 1000.0)) {
            let what = format!("{path}, {case}: p99 in ms");
            marks.push(Mark::most(what, p99, P99_MS_MAX));
        }
        let lost: f64 = numbers("lost").sum();
        if let Some(lost) = Median::of(std::iter::once(lost)) {
            let what = format!("{path}, {case}: lost in all rounds");
            marks.push(Mark::most(what, lost, 0.0));
        }
    }
    marks
}

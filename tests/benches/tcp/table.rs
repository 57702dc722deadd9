//! What a person reads: a line as each point is measured, and a table at the end.

use crate::{balance, peers, shapes};
use tests::wire::point::Point;
use tests::wire::summary::{Group, Summary, middle, spread};

/// Where server and load are both less busy than this, and nobody kept them from it, they wait for
/// timers of the kernel's: delayed acknowledgements, and what is held back until those come.
const BUSY_MIN: f64 = 0.5;

/// A point as it comes in.
pub(crate) fn progress(point: &Point) -> String {
    let number = |key| point.number(key).unwrap_or_default();
    let rest = match point.text("part") {
        _ if !point.text("error").is_empty() => point.text("error").to_owned(),
        balance::PART => format!(
            "p50 {:.0} µs, p99 {:.0} µs, {} of {} lost, flood {:.0}/s",
            number("p50_us"),
            number("p99_us"),
            number("lost"),
            number("sent"),
            number("flood_per_s")
        ),
        _ => format!(
            "{:.0}/s, {:.2} µs, {:.0} % busy, load {:.0} %",
            number("answers_per_s"),
            number("cpu_us"),
            number("busy") * 100.0,
            number("load_busy") * 100.0
        ),
    };
    let (part, server, what) = (point.text("part"), point.text("server"), what(point));
    format!("{part:<9}{server:<16}{what:<22}{rest}{}", flaws([point]))
}

/// What tells a point from others of the same part and server.
pub(crate) fn what(point: &Point) -> String {
    match (point.count("connections"), point.count("pipelined")) {
        (Some(connections), Some(pipelined)) => format!("{connections} × {pipelined}"),
        _ if point.text("path").is_empty() => point.text("load").to_owned(),
        _ => format!("{} {}", point.text("path"), point.text("case")),
    }
}

/// Prints the medians of all that was measured.
pub(crate) fn print(summary: &Summary) {
    for part in [shapes::PART, peers::PART, balance::PART] {
        let of_part = |group: &&Group| group.text("part") == part;
        let mut groups: Vec<&Group> = summary.groups().filter(of_part).collect();
        if groups.is_empty() {
            continue;
        }
        if part == peers::PART {
            // Servers next to each other, load by load.
            groups.sort_by_key(|group| what(&group.points()[0]));
        }
        println!("\n{part}: {}\n{}", about(part), heading(part));
        for group in groups {
            let row = match part {
                balance::PART => balance_row(summary, group),
                _ => rate_row(summary, group),
            };
            println!("{}", row.trim_end());
        }
    }
}

fn about(part: &str) -> &'static str {
    match part {
        shapes::PART => {
            "connections × queries under way on each, over loopback; the echo sends as many bytes"
        }
        peers::PART => "other servers under the same load, over loopback",
        _ => {
            "a light load over UDP or TCP, alone and under a flood over the other. UDP comes to a \
             worker's sockets (socket), to the sibling's (passed), to AF_XDP (xdp)"
        }
    }
}

fn heading(part: &str) -> String {
    match part {
        balance::PART => format!(
            "{:<22}{:>24}{:>30}{:>9}{:>7}{:>11}{:>7}{:>8}",
            "", "p50 µs", "p99 µs", ": alone", "lost", "flood/s", "busy", "waited"
        ),
        _ => format!(
            "{:<16}{:<16}{:>28}{:>22}{:>6}{:>6}{:>8}{:>22}",
            "",
            "server",
            "answers/s",
            "CPU µs per answer",
            "busy",
            "load",
            "waited",
            if part == shapes::PART {
                ": echo's rate, CPU"
            } else {
                ""
            }
        ),
    }
}

fn rate_row(summary: &Summary, group: &Group) -> String {
    let echo = match group.text("server") {
        shapes::OURS => find(
            summary,
            &[("part", shapes::PART), ("server", shapes::ECHO)],
            group,
        ),
        _ => None,
    };
    let ratio = |key| Some(group.ratio(echo?, key)?.middle);
    let ratios = match (ratio("answers_per_s"), ratio("cpu_us")) {
        (Some(rate), Some(cpu)) => format!("×{rate:.2}, ×{cpu:.2}"),
        _ => String::new(),
    };
    let is_idle = |key| middle(group, key) < BUSY_MIN;
    let stalled = match ["busy", "load_busy", "waited"].into_iter().all(is_idle) {
        true => "  stalled",
        false => "",
    };
    format!(
        "{:<16}{:<16}{}{}{:>6}{:>6}{:>8}{ratios:>22}  {}{stalled}{}",
        what(&group.points()[0]),
        group.text("server"),
        spread(group.median("answers_per_s"), 28, 0),
        spread(group.median("cpu_us"), 22, 2),
        percent(group, "busy"),
        percent(group, "load_busy"),
        percent(group, "waited"),
        group.text("version"),
        flaws(group.points())
    )
}

fn balance_row(summary: &Summary, group: &Group) -> String {
    let cases = balance::flooded();
    let alone = cases.iter().find(|case| case.0 == group.text("case"));
    let alone = alone.and_then(|&(_, alone)| {
        let keys = [
            ("part", balance::PART),
            ("path", group.text("path")),
            ("case", alone),
        ];
        find(summary, &keys, group)
    });
    let ratio = alone.and_then(|alone| group.ratio(alone, "p99_us"));
    let ratio = ratio.map_or_else(String::new, |ratio| format!("×{:.1}", ratio.middle));
    let lost: f64 = group
        .points()
        .iter()
        .filter_map(|point| point.number("lost"))
        .sum();
    let flood = group.median("flood_per_s");
    let flood = flood.map_or_else(String::new, |flood| format!("{:.0}", flood.middle));
    let [busy, waited] = ["busy", "waited"].map(|key| percent(group, key));
    format!(
        "{:<22}{}{}{ratio:>9}{lost:>7.0}{flood:>11}{busy:>7}{waited:>8}{}",
        what(&group.points()[0]),
        spread(group.median("p50_us"), 24, 0),
        spread(group.median("p99_us"), 30, 0),
        flaws(group.points())
    )
}

/// The group with these texts, and with the same connections as another one.
pub(crate) fn find<'s>(
    summary: &'s Summary,
    texts: &[(&str, &str)],
    like: &Group,
) -> Option<&'s Group> {
    let same = |key| move |group: &Group| group.number(key) == like.number(key);
    summary.groups().find(|group| {
        texts.iter().all(|(key, text)| group.text(key) == *text)
            && same("connections")(group)
            && same("pipelined")(group)
    })
}

fn percent(group: &Group, key: &str) -> String {
    format!("{:.0}%", middle(group, key) * 100.0)
}

/// What keeps measurements from counting: shown behind the row, each once.
fn flaws<'p>(points: impl IntoIterator<Item = &'p Point>) -> String {
    let mut flaws: Vec<String> = points.into_iter().flat_map(Point::flaws).collect();
    flaws.dedup();
    flaws.iter().map(|flaw| format!("  {flaw}")).collect()
}

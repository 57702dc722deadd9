//! What a person reads: a line as each point is measured, and a table at the end.

use tests::wire::point::Point;
use tests::wire::summary::{Group, Summary, Which, middle, spread};

/// A point as it comes in.
pub(crate) fn progress(point: &Point) -> String {
    let (world, server, case) = (
        point.text("world"),
        point.text("server"),
        point.text("case"),
    );
    let number = |key| point.number(key).unwrap_or_default();
    let rest = match case {
        _ if !point.text("error").is_empty() => point.text("error").to_owned(),
        "start" => {
            let (load, memory) = (number("load_s"), number("memory_mb"));
            format!("{} {load:.2} s {memory:.0} MB", point.text("version"))
        }
        "capacity" => format!("{:.0}/s without loss", number("carried")),
        "latency" => format!(
            "p50 {:.0} µs p99 {:.0} µs",
            number("p50_us"),
            number("p99_us")
        ),
        _ => format!(
            "{} {:.0}/s sent, {:.0}/s answered, {:.3} % lost, {:.2} + {:.2} µs, {:.0} % busy",
            point.text("mix"),
            number("sent_per_s"),
            number("answers_per_s"),
            number("loss") * 100.0,
            number("process_us"),
            number("napi_us"),
            number("busy") * 100.0
        ),
    };
    format!("{world:<6}{server:<15}{case:<9}{rest}{}", flaws([point]))
}

/// Prints the medians of all that was measured.
pub(crate) fn print(summary: &Summary) {
    for case in ["start", "kxdpgun", "dnsperf", "capacity", "latency"] {
        let mut groups = summary
            .groups()
            .filter(|group| group.text("case") == case)
            .peekable();
        if groups.peek().is_none() {
            continue;
        }
        println!("\n{}", heading(case));
        for group in groups {
            println!("{}", row(summary, group).trim_end());
        }
    }
}

fn heading(case: &str) -> String {
    let columns = match case {
        "start" => format!("{:>18}{:>20}{:>9}", "load s", "settled s", "MB"),
        "capacity" => format!("{:>28}", "highest rate without loss"),
        "latency" => format!("{:>20}{:>26}{:>6}", "p50 µs", "p99 µs", "lost"),
        _ => format!(
            "{:<12}{:>8}{:>9}{:>9}{:>8}{:>15}{:>20}{:>11}{:>9}",
            "mix",
            "offered",
            "sent",
            "answers",
            "loss %",
            "process + NAPI",
            "= µs per answer",
            "reflector",
            "knot-xdp"
        ),
    };
    format!(
        "{case}\n{:<7}{:<9}{:<16}{columns}",
        "world", "NAPI", "server"
    )
}

fn row(summary: &Summary, group: &Group) -> String {
    let start = format!(
        "{:<7}{:<9}{:<16}",
        group.text("world"),
        group.text("napi"),
        group.text("server")
    );
    let cell = |key, width, places| spread(group.median(key), width, places);
    let cells = match group.text("case") {
        "start" => {
            let (load, settled) = (cell("load_s", 18, 2), cell("settled_s", 20, 2));
            let (memory, version) = (middle(group, "memory_mb"), group.text("version"));
            format!("{load}{settled}{memory:>9.1}  {version}")
        }
        "capacity" => cell("carried", 28, 0),
        "latency" => {
            let (p50, p99) = (cell("p50_us", 20, 1), cell("p99_us", 26, 1));
            format!("{p50}{p99}{:>6.0}", middle(group, "lost"))
        }
        _ => load_cells(summary, group),
    };
    format!("{start}{cells}{}", flaws(group.points()))
}

fn load_cells(summary: &Summary, group: &Group) -> String {
    let (process, napi) = (middle(group, "process_us"), middle(group, "napi_us"));
    let against = |server| {
        let which = Which {
            world: group.text("world"),
            napi: group.text("napi"),
            case: group.text("case"),
            mix: group.text("mix"),
        };
        let mut others = summary.of_server(server, which);
        let other = others.find(|other| other.number("offered") == group.number("offered"));
        let ratio = other.and_then(|other| group.ratio(other, "cpu_us"));
        ratio.map_or_else(String::new, |ratio| format!("×{:.2}", ratio.middle))
    };
    format!(
        "{:<12}{:>8.0}{:>9.0}{:>9.0}{:>8.3}{:>15}{}{:>11}{:>9}",
        group.text("mix"),
        group.number("offered").unwrap_or_default(),
        middle(group, "sent_per_s"),
        middle(group, "answers_per_s"),
        middle(group, "loss") * 100.0,
        format!("{process:.2} + {napi:.2}"),
        spread(group.median("cpu_us"), 20, 2),
        against("reflector"),
        against("knot-xdp"),
    )
}

/// What keeps measurements from counting: shown behind the row.
fn flaws<'p>(points: impl IntoIterator<Item = &'p Point>) -> String {
    let flaws = points.into_iter().flat_map(Point::flaws);
    flaws.map(|flaw| format!("  {flaw}")).collect()
}

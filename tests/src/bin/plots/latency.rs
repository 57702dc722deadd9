//! Latency against load: a panel per kind of NAPI and idle mode.

use super::figures::{Figure, Line, Panel, Shape, series};

/// Rows of panels, and what stands in them from left to right.
const NAPI: [&str; 2] = ["softirq", "threaded"];
const MODES: [&str; 3] = ["spin", "adaptive", "slowdown"];

/// The figure, of lines over several rounds under load.
pub(crate) fn figure(lines: &[Line]) -> Figure {
    let settings = NAPI.iter().flat_map(|napi| MODES.map(|mode| (*napi, mode)));
    let panels = settings.map(|(napi, mode)| Panel {
        title: format!("{mode}, {napi} NAPI"),
        series: series(points(lines, napi, mode)),
    });
    Figure {
        name: "latency".into(),
        title: "Latency against load (p50: median of the rounds; p99, p999: the least disturbed \
                round)"
            .into(),
        axes: ["queries a second", "µs"],
        shape: Shape::Panels(panels.filter(|panel| !panel.series.is_empty()).collect()),
    }
}

/// Rate and µs by what they are: percentiles, and the median of the echo on the same path.
fn points<'l>(
    lines: &'l [Line],
    napi: &'l str,
    mode: &'l str,
) -> impl Iterator<Item = (String, (f64, f64))> + 'l {
    let of_panel = lines
        .iter()
        .filter(move |line| line["napi"] == napi && line["mode"] == mode);
    let of_rounds = of_panel.filter(|line| !line["rounds"].is_null());
    of_rounds.flat_map(|line| {
        let p50 = &line["p50_us"];
        // Other programs are in most rounds' tails: the median over the rounds would be theirs.
        let least = |key: &str| &line[key][0];
        let values = match line["server"].as_str() {
            Some("ripples") => vec![
                ("p50", p50),
                ("p99", least("p99_spread")),
                ("p999", least("p999_spread")),
            ],
            Some("echo") => vec![("p50 of an echo", p50)],
            _ => Vec::new(),
        };
        let rate = line["rate"].as_f64().filter(|rate| *rate > 0.0);
        let points = values
            .into_iter()
            .filter_map(move |(name, value)| Some((name.to_owned(), (rate?, value.as_f64()?))));
        points.collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(server: &str, napi: &str, rate: u64, rounds: Option<u64>) -> Line {
        json!({ "server": server, "mode": "spin", "napi": napi, "rate": rate, "rounds": rounds,
            "p50_us": 7.0, "p99_spread": [9.0, 40_000.0], "p999_spread": [30.0, 50_000.0] })
    }

    #[test]
    fn a_panel_has_the_servers_percentiles_and_the_echos_median() {
        let lines = [
            line("ripples", "threaded", 50_000, Some(3)),
            line("ripples", "threaded", 1_000, Some(3)),
            line("echo", "threaded", 1_000, Some(3)),
            // No load, one round.
            line("ripples", "softirq", 0, Some(3)),
            line("ripples", "softirq", 1_000, None),
        ];
        let Shape::Panels(panels) = figure(&lines).shape else {
            panic!("panels are meant")
        };
        assert_eq!(panels.len(), 1);
        assert_eq!(panels[0].title, "spin, threaded NAPI");
        let names: Vec<&str> = panels[0].series.keys().map(String::as_str).collect();
        assert_eq!(names, ["p50", "p50 of an echo", "p99", "p999"]);
        let points = vec![(1e3, 30.0), (5e4, 30.0)];
        assert_eq!(panels[0].series["p999"], points);
    }
}

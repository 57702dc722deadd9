//! Which lines make which figure.

use super::{latency, wire};
use serde_json::Value;
use std::collections::BTreeMap;

/// A line of a saved run.
pub(crate) type Line = Value;

/// Something to draw.
#[derive(Debug, PartialEq)]
pub(crate) struct Figure {
    /// The file's name.
    pub(crate) name: String,
    /// What stands over it.
    pub(crate) title: String,
    /// What the axes are.
    pub(crate) axes: [&'static str; 2],
    /// What is compared: each with its points.
    pub(crate) shape: Shape,
}

/// Points from left to right, by what they are.
pub(crate) type Series = BTreeMap<String, Vec<(f64, f64)>>;

/// A small figure within one.
#[derive(Debug, PartialEq)]
pub(crate) struct Panel {
    /// What stands over it.
    pub(crate) title: String,
    /// What is compared.
    pub(crate) series: Series,
}

/// How it is drawn.
#[derive(Debug, PartialEq)]
pub(crate) enum Shape {
    /// Lines over a logarithmic axis.
    Lines(Series),
    /// Small ones beside each other, over two logarithmic axes.
    Panels(Vec<Panel>),
    /// A bar each.
    Bars(Vec<(String, f64)>),
}

/// All figures for which there is something.
pub(crate) fn of(lines: &[Line]) -> Vec<Figure> {
    let mut figures = vec![names(lines), vectors(lines)];
    figures.push(latency::figure(lines));
    figures.extend(wire::figures(lines));
    figures.retain(|figure| match &figure.shape {
        // A point alone is no line.
        Shape::Lines(series) => series.values().any(|points| points.len() > 1),
        Shape::Panels(panels) => !panels.is_empty(),
        Shape::Bars(bars) => !bars.is_empty(),
    });
    figures
}

/// Nanoseconds against names.
fn names(lines: &[Line]) -> Figure {
    let points = lines
        .iter()
        .filter(|line| line["vector"] == 64 && line["prefetch"] != false)
        .filter(|line| line["with"].is_null());
    let points = points.filter_map(|line| {
        let (names, kind) = line["case"].as_str()?.split_once(' ')?;
        let is_curve = ["uniform", "Zipf", "nxdomain"].contains(&kind);
        let series = format!("{kind}, {}", line["level"].as_str()?);
        let point = (count(names)?, line["ns_per_packet"].as_f64()?);
        is_curve.then_some((series, point))
    });
    Figure {
        name: "names".into(),
        title: "The core: time per packet against names".into(),
        axes: [
            "names in the zone",
            "ns per packet, one core, vectors of 64",
        ],
        shape: Shape::Lines(series(points)),
    }
}

/// Nanoseconds against the length of vectors.
fn vectors(lines: &[Line]) -> Figure {
    let bare = lines.iter().filter(|line| line["query_log"] != true);
    let points = bare.filter_map(|line| {
        let case = line["case"]
            .as_str()
            .filter(|case| case.ends_with(" uniform"))?;
        let off = if line["prefetch"] == false {
            ", no prefetch"
        } else {
            ""
        };
        let series = format!("{case}, {}{off}", line["level"].as_str()?);
        Some((
            series,
            (line["vector"].as_f64()?, line["ns_per_packet"].as_f64()?),
        ))
    });
    let mut series = series(points);
    series.retain(|_, points| points.len() > 1);
    Figure {
        name: "vectors".into(),
        title: "The core: time per packet against vectors".into(),
        axes: ["frames in a vector", "ns per packet, one core"],
        shape: Shape::Lines(series),
    }
}

/// Points by series, each from left to right.
pub(crate) fn series(points: impl Iterator<Item = (String, (f64, f64))>) -> Series {
    let mut series = Series::new();
    for (name, point) in points {
        series.entry(name).or_default().push(point);
    }
    for points in series.values_mut() {
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
    }
    series
}

/// 1000 for "1k".
fn count(text: &str) -> Option<f64> {
    let (digits, factor) = match text.strip_suffix('k') {
        Some(digits) => (digits, 1e3),
        None => (text.strip_suffix('M')?, 1e6),
    };
    digits.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn core(case: &str, vector: u64, ns: f64) -> Line {
        json!({ "case": case, "level": "portable", "vector": vector, "ns_per_packet": ns })
    }

    #[test]
    fn names_are_numbers_and_points_go_from_left_to_right() {
        let lines = [
            core("1M uniform", 64, 60.0),
            core("1k uniform", 64, 30.0),
            core("1k uniform, DO", 64, 90.0),
            core("hot", 64, 20.0),
            json!({ "note": "noisy" }),
        ];
        let figures = of(&lines);
        assert_eq!(figures.len(), 1);
        let points = vec![(1e3, 30.0), (1e6, 60.0)];
        let series = BTreeMap::from([("uniform, portable".to_owned(), points)]);
        assert_eq!(figures[0].shape, Shape::Lines(series));
    }

    #[test]
    fn every_kind_of_line_has_its_figure() {
        let latency = |rate: u64| {
            json!({ "server": "echo", "mode": "spin", "napi": "softirq", "rate": rate,
                "rounds": 3, "p50_us": 7.0, "p99_us": 9.0 })
        };
        let lines = [
            core("1M uniform", 1, 300.0),
            core("1M uniform", 64, 60.0),
            latency(1000),
            latency(50_000),
            json!({ "bench": "wire", "world": "small", "napi": "threaded", "case": "capacity",
                "mix": "existing", "server": "nsd", "carried": 100_000 }),
        ];
        let names: Vec<String> = of(&lines).into_iter().map(|figure| figure.name).collect();
        let expected = ["vectors", "latency", "wire-rate-small"];
        assert_eq!(names, expected);
    }
}

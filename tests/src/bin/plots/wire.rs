//! Figures of `bench wire`: Ripples beside its peers.

use crate::figures::{Figure, Line, Shape, series};
use ::tests::wire::point::Point;
use ::tests::wire::summary::{Summary, Which};

/// A server that loses more is shown no further: its CPU time would be that of its losses.
const LOSS_MAX: f64 = 0.01;

/// All figures for which there is something.
pub(crate) fn figures(lines: &[Line]) -> Vec<Figure> {
    let points = lines
        .iter()
        .filter_map(|line| Point::read("wire", &line.to_string()));
    let summary = Summary::of(&points.collect::<Vec<_>>());
    let mut figures = Vec::new();
    for (world, shown) in [
        ("small", "a zone of 1,000 names"),
        ("big", "a zone of 1,000,000 names"),
        ("many", "100,000 zones"),
    ] {
        figures.push(cpu(&summary, world, shown));
        for (case, mix, key, name, title, axis) in [
            (
                "capacity",
                "existing",
                "carried",
                "rate",
                "Highest rate without loss",
                "a second",
            ),
            ("start", "", "memory_mb", "memory", "Memory", "MB"),
            ("start", "", "load_s", "load", "Until all is answered", "s"),
        ] {
            let groups = summary.all(which(world, case, mix));
            let bar = |server: &str, value: f64| (server.to_owned(), value);
            let bars = groups
                // It serves nothing.
                .filter(|group| case != "start" || group.text("server") != "reflector")
                .filter_map(|group| Some(bar(group.text("server"), group.median(key)?.middle)));
            figures.push(Figure {
                name: format!("wire-{name}-{world}"),
                title: format!("{title}: {shown}"),
                axes: ["", axis],
                shape: Shape::Bars(bars.collect()),
            });
        }
    }
    figures
}

/// CPU time per answer against load.
fn cpu(summary: &Summary, world: &str, shown: &str) -> Figure {
    let groups = summary.all(which(world, "kxdpgun", "existing"));
    let carried = groups.filter(|group| {
        let loss = group.median("loss");
        loss.is_some_and(|loss| loss.middle <= LOSS_MAX)
    });
    let points = carried.filter_map(|group| {
        let (rate, cpu) = (group.number("offered")?, group.median("cpu_us")?);
        Some((group.text("server").to_owned(), (rate, cpu.middle)))
    });
    Figure {
        name: format!("wire-cpu-{world}"),
        title: format!("CPU time per answer against load: {shown}"),
        axes: ["queries a second", "µs, process and NAPI"],
        shape: Shape::Lines(series(points)),
    }
}

fn which<'a>(world: &'a str, case: &'a str, mix: &'a str) -> Which<'a> {
    Which {
        world,
        napi: "threaded",
        case,
        mix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(server: &str, case: &str, key: &str, value: f64) -> Line {
        json!({ "bench": "wire", "world": "big", "napi": "threaded", "server": server,
            "case": case, key: value })
    }

    #[test]
    fn bars_are_medians_and_the_reflector_has_no_memory_to_show() {
        let lines = [1.0, 7.0, 3.0].map(|mb| line("nsd", "start", "memory_mb", mb));
        let lines = [&lines[..], &[line("reflector", "start", "memory_mb", 9.0)]].concat();
        let figures = figures(&lines);
        let memory = figures
            .iter()
            .find(|figure| figure.name == "wire-memory-big");
        let bars = Shape::Bars(vec![("nsd".to_owned(), 3.0)]);
        assert_eq!(memory.unwrap().shape, bars);
    }

    #[test]
    fn what_was_mostly_lost_is_no_point_of_a_line() {
        let point = |rate: u32, loss: f64| {
            let mut line = line("knot", "kxdpgun", "cpu_us", 2.0);
            line["mix"] = "existing".into();
            line["offered"] = rate.into();
            line["loss"] = loss.into();
            line
        };
        let figures = figures(&[point(1000, 0.0), point(2000, 0.001), point(3000, 0.5)]);
        let cpu = figures
            .iter()
            .find(|figure| figure.name == "wire-cpu-big")
            .unwrap();
        let points = vec![(1000.0, 2.0), (2000.0, 2.0)];
        let lines = [("knot".to_owned(), points)].into();
        assert_eq!(cpu.shape, Shape::Lines(lines));
    }
}

//! A run: one JSON object a line, as it was printed or saved.

use super::marks;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::Path;

/// One case in one setting.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    case: String,
    level: String,
    vector: u64,
    prefetch: bool,
    /// What is done for every packet beside what is always done.
    with: Option<String>,
    /// How many times as long as without that.
    ratio: Option<f64>,
    ns_per_packet: f64,
    least_ns: f64,
    spread: [f64; 2],
    floor_ns: f64,
}

/// A saved run.
pub(super) struct Run(Vec<Line>);

impl Run {
    /// Reads a file of JSON lines.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| {
            format!(
                "could not read {}; --save makes such a file",
                path.display()
            )
        })?;
        // What is said about the run is no part of it.
        let lines = text.lines().filter(|line| !line.starts_with(r#"{"note""#));
        let lines = lines.map(Line::parse).collect::<Result<_>>();
        lines
            .map(Self)
            .with_context(|| format!("in {}", path.display()))
    }

    /// The same case in the same setting.
    fn same(&self, line: &Line) -> Option<&Line> {
        let key = |line: &Line| {
            (
                line.case.clone(),
                line.level.clone(),
                line.vector,
                line.prefetch,
                line.with.clone(),
            )
        };
        self.0.iter().find(|other| key(other) == key(line))
    }
}

impl Line {
    /// Reads a line.
    pub(super) fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).with_context(|| format!("not a line of a run: {json}"))
    }

    /// What stands over the rows.
    pub(super) fn heading(compared: bool) -> String {
        let ratios = if compared { "  ratio least" } else { "" };
        format!(
            "{:<26}{:<10}{:>6}{:>9}{:>7}{:>14}{:>7}{:>6}{:>5}{ratios}",
            "case", "level", "vector", "ns", "least", "half in", "floor", "must", "aim"
        )
    }

    /// A row of the table; beside an earlier run, with how many times as long it takes now.
    pub(super) fn row(&self, earlier: Option<&Run>) -> String {
        let [low, high] = self.spread;
        let marks = self.marks().unwrap_or_else(|| format!("{:>11}", ""));
        let case = match (&self.with, self.prefetch) {
            (Some(extra), _) => format!("{}, {extra}", self.case),
            (None, true) => self.case.clone(),
            (None, false) => format!("{}, no prefetch", self.case),
        };
        let ratios = earlier.map(|run| match run.same(self) {
            Some(other) => format!(
                "  ×{:.2} ×{:.2}",
                self.ns_per_packet / other.ns_per_packet,
                self.least_ns / other.least_ns
            ),
            None => "  new".to_owned(),
        });
        format!(
            "{case:<26}{:<10}{:>6}{:>9.1}{:>7.1}{:>14}{:>7.1}{marks}{}",
            self.level,
            self.vector,
            self.ns_per_packet,
            self.least_ns,
            format!("{low:.1}–{high:.1}"),
            self.floor_ns,
            ratios.unwrap_or_default()
        )
        .trim_end()
        .to_owned()
    }

    /// What it must reach, and whether it has.
    fn marks(&self) -> Option<String> {
        if let (Some(ratio), Some(extra)) = (self.ratio, &self.with) {
            let Some(mark) = marks::of_extra(extra) else {
                return Some(format!("  ×{ratio:.2}"));
            };
            let reached = if ratio <= mark { "kept" } else { "MISSED" };
            return Some(format!("  ×{ratio:.2} of ×{mark:.2}  {reached}"));
        }
        let [must, aim] = marks::of(&self.case, &self.level, self.vector)
            .filter(|_| self.prefetch && self.with.is_none())?;
        let reached = match self.ns_per_packet {
            ns if ns <= aim => "aim reached",
            ns if ns <= must => "kept",
            _ => "MISSED",
        };
        Some(format!("{must:>6.0}{aim:>5.0}  {reached}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(case: &str, ns: f64) -> Line {
        Line::parse(&format!(
            r#"{{"case":"{case}","level":"avx512","vector":64,"prefetch":true,"floor_ns":5.0,
            "ns_per_packet":{ns},"least_ns":{ns},"spread":[{ns},{ns}],
            "instructions_per_packet":null}}"#
        ))
        .unwrap()
    }

    #[test]
    fn ratios_are_against_the_same_case() {
        let earlier = Run(vec![line("1k uniform", 10.0), line("hot", 20.0)]);
        let row = line("hot", 30.0).row(Some(&earlier));
        assert!(row.ends_with("kept  ×1.50 ×1.50"), "{row}");
        let row = line("wildcard", 30.0).row(Some(&earlier));
        assert!(row.ends_with("new"), "{row}");
    }

    #[test]
    fn what_misses_its_mark_is_named_so() {
        assert!(line("hot", 40.1).row(None).ends_with("MISSED"));
        assert!(line("hot", 26.0).row(None).ends_with("aim reached"));
        assert!(line("referral", 99.0).row(None).ends_with("5.0"));
        for (ratio, end) in [(1.15, "of ×1.15  kept"), (1.151, "MISSED")] {
            let row = with("query log", ratio);
            assert!(row.ends_with(end), "{row}");
        }
        assert!(with("routes", 1.3).ends_with("×1.30"));
    }

    fn with(extra: &str, ratio: f64) -> String {
        let line = Line {
            with: Some(extra.to_owned()),
            ratio: Some(ratio),
            ..line("hot", 99.0)
        };
        line.row(None)
    }
}

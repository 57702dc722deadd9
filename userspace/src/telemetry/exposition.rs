//! Metrics as text, for whoever collects them: the format of Prometheus, and OpenMetrics.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use super::Distribution;
use std::fmt::{self, Display, Write};

/// How the text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus, 0.0.4.
    Prometheus,
    /// OpenMetrics, 1.0.0.
    OpenMetrics,
}

impl Format {
    /// What an HTTP response calls it.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What a family's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; its name here has no `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often values were in which range.
    Histogram,
}

/// The text, family by family.
#[derive(Debug)]
pub struct Exposition {
    format: Format,
    text: String,
}

/// A family that is being written.
pub struct Family<'e> {
    text: &'e mut String,
    name: String,
}

/// A label and its value.
pub type Label<'l> = (&'static str, &'l str);

impl Exposition {
    /// Nothing yet.
    pub fn new(format: Format) -> Self {
        let text = String::with_capacity(64 << 10);
        Self { format, text }
    }

    /// Begins a family: `ripples_` and `name`.
    pub fn family(&mut self, name: impl Display, help: &str, kind: Kind) -> Family<'_> {
        let total = match kind {
            Kind::Counter => "_total",
            Kind::Gauge | Kind::Histogram => "",
        };
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // OpenMetrics calls a counter's family by its name without the suffix.
        let suffix = match self.format {
            Format::Prometheus => total,
            Format::OpenMetrics => "",
        };
        let help = Escaped(help, self.format == Format::OpenMetrics);
        // A string takes whatever is written.
        let _ = write!(
            self.text,
            "# HELP ripples_{name}{suffix} {help}\n# TYPE ripples_{name}{suffix} {kind}\n"
        );
        Family {
            text: &mut self.text,
            name: format!("ripples_{name}{total}"),
        }
    }

    /// The whole text.
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

impl Family<'_> {
    /// Adds a number.
    pub fn sample(&mut self, labels: &[Label<'_>], value: impl Display) {
        self.line("", labels, value);
    }

    /// Adds a histogram: how many values were not above the end of each range, and of all.
    pub fn histogram(&mut self, labels: &[Label<'_>], distribution: &Distribution) {
        let mut until = 0;
        for (end, count) in distribution.ranges() {
            until += count;
            // OpenMetrics wants to see that it is no whole number.
            let point = if end.fract() == 0.0 { ".0" } else { "" };
            let end = format!("{end}{point}");
            self.line("_bucket", &[labels, &[("le", &*end)]].concat(), until);
        }
        let count = distribution.count();
        self.line("_bucket", &[labels, &[("le", "+Inf")]].concat(), count);
        self.line("_sum", labels, distribution.sum());
        self.line("_count", labels, count);
    }

    fn line(&mut self, suffix: &str, labels: &[Label<'_>], value: impl Display) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{label}=\"{}\"", Escaped(text, true));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }
}

/// A text in one line, with or without escaped quotes.
struct Escaped<'t>(&'t str, bool);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '"' if self.1 => f.write_str("\\\"")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Histograms, Measure};

    fn example(format: Format) -> String {
        let mut page = Exposition::new(format);
        let mut family = page.family("replies", "Replies to \"queries\".", Kind::Counter);
        family.sample(&[("worker", "eth0/0"), ("rcode", "a\"b\\c\nd")], 7);
        page.family("zones", "Zones.", Kind::Gauge).sample(&[], 2);
        page.finish()
    }

    #[test]
    fn prometheus_names_a_counter_as_its_samples() {
        let expected = r#"# HELP ripples_replies_total Replies to "queries".
# TYPE ripples_replies_total counter
ripples_replies_total{worker="eth0/0",rcode="a\"b\\c\nd"} 7
# HELP ripples_zones Zones.
# TYPE ripples_zones gauge
ripples_zones 2
"#;
        assert_eq!(example(Format::Prometheus), expected);
    }

    #[test]
    fn a_histogram_counts_all_that_is_not_above_an_end() {
        let histograms = Histograms::default();
        for value in [1, 3, 4, 300] {
            histograms.record(Measure::VectorFrames, value, 1);
        }
        let distribution = histograms.distribution(Measure::VectorFrames);
        let mut page = Exposition::new(Format::Prometheus);
        page.family("vector", "Frames.", Kind::Histogram)
            .histogram(&[("worker", "a")], &distribution);
        let text = page.finish();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "# TYPE ripples_vector histogram");
        assert_eq!(
            lines[2..5],
            [
                r#"ripples_vector_bucket{worker="a",le="1.0"} 1"#,
                r#"ripples_vector_bucket{worker="a",le="2.0"} 1"#,
                r#"ripples_vector_bucket{worker="a",le="4.0"} 3"#,
            ]
        );
        assert_eq!(
            lines[10..],
            [
                r#"ripples_vector_bucket{worker="a",le="256.0"} 3"#,
                r#"ripples_vector_bucket{worker="a",le="+Inf"} 4"#,
                r#"ripples_vector_sum{worker="a"} 308"#,
                r#"ripples_vector_count{worker="a"} 4"#,
            ]
        );
    }

    #[test]
    fn openmetrics_names_a_counter_without_its_suffix_and_says_where_it_ends() {
        let expected = r#"# HELP ripples_replies Replies to \"queries\".
# TYPE ripples_replies counter
ripples_replies_total{worker="eth0/0",rcode="a\"b\\c\nd"} 7
# HELP ripples_zones Zones.
# TYPE ripples_zones gauge
ripples_zones 2
# EOF
"#;
        assert_eq!(example(Format::OpenMetrics), expected);
    }
}

//! Rates as they come: a row a second, the sums at the end; or JSON lines.

use super::counters::{COLUMNS, Sample};
use crate::output;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Width of a column.
const WIDTH: usize = 12;

/// What is shown, and against what.
pub(super) struct Table {
    first: Sample,
    /// The first row's: until then pktgen has not sent all the time.
    began: Option<Sample>,
    last: Sample,
    json: bool,
}

impl Table {
    /// Begins with what had been counted before.
    pub(super) fn new(first: Sample, json: bool) -> Self {
        if !json {
            output::result(heading(&first.counts));
        }
        let last = first.clone();
        Self {
            first,
            began: None,
            last,
            json,
        }
    }

    /// Shows what came since the last sample, per second.
    pub(super) fn add(&mut self, sample: Sample) {
        let rates = rates(&sample, &self.last);
        let second = (sample.at - self.first.at).as_secs_f64();
        self.show(
            &format!("{second:.0} s"),
            &json!({ "second": second }),
            &rates,
        );
        self.began.get_or_insert_with(|| sample.clone());
        self.last = sample;
    }

    /// Shows the sums, and what the rows were per second.
    pub(super) fn end(&self, sample: &Sample) {
        let sums = sample.since(&self.first);
        self.show("in all", &json!({ "total": true }), &sums);
        if let Some(began) = self.began.as_ref().filter(|began| began.at < self.last.at) {
            let rates = rates(&self.last, began);
            self.show("per second", &json!({ "mean": true }), &rates);
        }
    }

    fn show(&self, name: &str, kind: &Value, counts: &BTreeMap<&'static str, u64>) {
        if !self.json {
            return output::result(row(name, counts));
        }
        let mut line = kind.clone();
        for (key, count) in counts {
            line[*key] = json!(count);
        }
        output::result(line);
    }
}

/// Per second, rounded.
fn rates(sample: &Sample, earlier: &Sample) -> BTreeMap<&'static str, u64> {
    let micros = (sample.at - earlier.at).as_micros().max(1);
    let mut counts = sample.since(earlier);
    for count in counts.values_mut() {
        let rate = (u128::from(*count) * 1_000_000 + micros / 2) / micros;
        *count = u64::try_from(rate).unwrap_or(u64::MAX);
    }
    counts
}

/// The columns for which there is something.
fn heading(counts: &BTreeMap<&'static str, u64>) -> String {
    let shown = COLUMNS
        .iter()
        .filter(|column| counts.contains_key(column.0));
    shown.fold(" ".repeat(WIDTH), |row, column| {
        row + &format!("{:>WIDTH$}", column.1)
    })
}

fn row(name: &str, counts: &BTreeMap<&'static str, u64>) -> String {
    let counts = COLUMNS.iter().filter_map(|column| counts.get(column.0));
    counts.fold(format!("{name:>WIDTH$}"), |row, count| {
        row + &format!("{count:>WIDTH$}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn rates_are_differences_over_time_in_the_order_of_the_columns() {
        let first = Sample {
            at: Instant::now(),
            counts: BTreeMap::from([("nic_sent", 100), ("pktgen_sent", 100)]),
        };
        let second = Sample {
            at: first.at + Duration::from_secs(2),
            counts: BTreeMap::from([("nic_sent", 300), ("pktgen_sent", 1_000_100)]),
        };
        let rates = rates(&second, &first);
        assert_eq!(heading(&rates), "                    sent     NIC out");
        assert_eq!(row("2 s", &rates), "         2 s      500000         100");
    }
}

//! What several rounds say together: medians, spreads, ratios.

use super::point::Point;
use crate::medians::{median, sorted};

/// All that was measured, what is alike together.
pub struct Summary {
    groups: Vec<Group>,
}

/// Measurements of the same thing, in the order of the rounds.
pub struct Group(Vec<Point>);

/// Which group: a world, who drives, what was done, and what for.
#[derive(Clone, Copy, Debug)]
pub struct Which<'a> {
    /// What is served.
    pub world: &'a str,
    /// Who drives the receive side.
    pub napi: &'a str,
    /// What was done.
    pub case: &'a str,
    /// What was asked.
    pub mix: &'a str,
}

/// A median and the lowest and the highest round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Median {
    /// The median.
    pub middle: f64,
    /// The lowest round.
    pub low: f64,
    /// The highest round.
    pub high: f64,
}

/// A median with its lowest and highest round, for a table; nothing where there is none.
pub fn spread(median: Option<Median>, width: usize, places: usize) -> String {
    let text = median.map_or_else(String::new, |Median { middle, low, high }| {
        format!("{middle:.places$} ({low:.places$}–{high:.places$})")
    });
    format!("{text:>width$}")
}

/// The median of a value, for a table; 0 where there is none.
pub fn middle(group: &Group, key: &str) -> f64 {
    group.median(key).map_or(0.0, |median| median.middle)
}

impl Summary {
    /// Puts together what is alike.
    pub fn of(points: &[Point]) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for point in points {
            let same = groups.iter_mut().find(|group| group.0[0].is_like(point));
            match same {
                Some(group) => group.0.push(point.clone()),
                None => groups.push(Group(vec![point.clone()])),
            }
        }
        Self { groups }
    }

    /// All groups, in the order in which they were measured.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    /// The groups of a kind.
    pub fn all<'s>(&'s self, which: Which<'s>) -> impl Iterator<Item = &'s Group> {
        self.groups().filter(move |group| group.is(which))
    }

    /// A server's groups of a kind.
    pub fn of_server<'s>(
        &'s self,
        server: &'s str,
        which: Which<'s>,
    ) -> impl Iterator<Item = &'s Group> {
        self.all(which)
            .filter(move |group| group.text("server") == server)
    }

    /// A server against another one, at the highest rate that both had with at most `loss`:
    /// the rate, and the ratio of their CPU time per answer, round by round.
    pub fn cpu_ratio(
        &self,
        [one, other]: [&str; 2],
        which: Which<'_>,
        loss: f64,
    ) -> Option<(f64, Median)> {
        let carried = |group: &&Group| group.median("loss").is_some_and(|m| m.middle <= loss);
        let mut best: Option<(f64, Median)> = None;
        for group in self.of_server(one, which).filter(carried) {
            let rate = group.number("offered")?;
            let mut others = self.of_server(other, which).filter(carried);
            let Some(other) = others.find(|other| other.number("offered") == Some(rate)) else {
                continue;
            };
            let ratio = group.ratio(other, "cpu_us");
            if best.is_none_or(|(highest, _)| rate > highest) {
                best = ratio.map(|ratio| (rate, ratio)).or(best);
            }
        }
        best
    }

    /// The least CPU time per answer that a server took at any rate with at most `loss`: its
    /// median, and the rate.
    pub fn cheapest(&self, server: &str, which: Which<'_>, loss: f64) -> Option<(f64, f64)> {
        let carried = |group: &&Group| group.median("loss").is_some_and(|m| m.middle <= loss);
        let groups = self.of_server(server, which).filter(carried);
        let costs = groups
            .filter_map(|group| Some((group.median("cpu_us")?.middle, group.number("offered")?)));
        costs.min_by(|one, other| one.0.total_cmp(&other.0))
    }
}

impl Group {
    /// Whether it is of this kind.
    fn is(&self, which: Which<'_>) -> bool {
        [
            ("world", which.world),
            ("napi", which.napi),
            ("case", which.case),
            ("mix", which.mix),
        ]
        .iter()
        .all(|&(key, value)| self.text(key) == value)
    }

    /// A text that all have in common.
    pub fn text(&self, key: &str) -> &str {
        self.0[0].text(key)
    }

    /// A number that all have in common.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.0[0].number(key)
    }

    /// The measurements.
    pub fn points(&self) -> &[Point] {
        &self.0
    }

    /// The median of a value.
    pub fn median(&self, key: &str) -> Option<Median> {
        Median::of(self.0.iter().filter_map(|point| point.number(key)))
    }

    /// The median of the ratios of a value to another group's in the same round; where they have
    /// no round in common, the ratio of their medians.
    pub fn ratio(&self, other: &Self, key: &str) -> Option<Median> {
        let ratio = |one: f64, other: f64| (other > 0.0).then(|| one / other);
        let same = |point: &Point| {
            let round = point.number("round");
            let mut others = other.0.iter();
            others.find(|other| round.is_some() && other.number("round") == round)
        };
        let pairs = self.0.iter().filter_map(|point| {
            let other = same(point)?;
            ratio(point.number(key)?, other.number(key)?)
        });
        Median::of(pairs).or_else(|| {
            let ratio = ratio(self.median(key)?.middle, other.median(key)?.middle);
            Median::of(ratio.into_iter())
        })
    }
}

impl Median {
    /// Of these values; none of none.
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let sorted = sorted(values.map(|value| value * FINE));
        Some(Self {
            middle: median(&sorted)? / FINE,
            low: sorted.first()? / FINE,
            high: sorted.last()? / FINE,
        })
    }
}

/// Small numbers keep more places than two.
const FINE: f64 = 1000.0;

#[cfg(test)]
mod tests {
    use super::*;

    const WHICH: Which<'static> = Which {
        world: "small",
        napi: "threaded",
        case: "kxdpgun",
        mix: "existing",
    };

    fn point(round: u32, server: &str, rate: u32, cpu_us: f64, loss: f64) -> Point {
        let keys = [
            ("world", "small"),
            ("server", server),
            ("napi", "threaded"),
            ("case", "kxdpgun"),
            ("mix", "existing"),
        ];
        Point::new("wire", &keys)
            .with("round", round)
            .with("offered", rate)
            .with("cpu_us", cpu_us)
            .with("loss", loss)
    }

    #[test]
    fn ratios_are_of_the_same_round_at_the_highest_rate_that_both_carry() {
        let points = [
            point(1, "ripples-xdp", 1000, 1.0, 0.0),
            point(1, "ripples-xdp", 2000, 2.0, 0.0),
            point(1, "ripples-xdp", 3000, 9.0, 0.0),
            point(1, "knot", 1000, 4.0, 0.0),
            point(1, "knot", 2000, 4.0, 0.0),
            point(1, "knot", 3000, 4.0, 0.5),
            point(2, "ripples-xdp", 2000, 3.0, 0.0),
            point(3, "ripples-xdp", 2000, 3.0, 0.0),
            point(3, "knot", 2000, 3.0, 0.0),
            point(4, "knot", 2000, 99.0, 0.0),
            point(2, "knot", 2000, 12.0, 0.0),
            point(5, "nsd", 2000, 6.0, 0.0),
        ];
        let summary = Summary::of(&points);
        let (rate, ratio) = summary
            .cpu_ratio(["ripples-xdp", "knot"], WHICH, 0.001)
            .unwrap();
        assert_eq!((rate, ratio.middle), (2000.0, 0.5));
        assert_eq!((ratio.low, ratio.high), (0.25, 1.0));
        let (_, ratio) = summary
            .cpu_ratio(["nsd", "ripples-xdp"], WHICH, 0.001)
            .unwrap();
        assert_eq!(
            ratio.middle, 2.0,
            "no round in common: 6 to the median of 2, 3, 3"
        );
        assert_eq!(summary.cheapest("knot", WHICH, 0.001), Some((4.0, 1000.0)));
    }

    #[test]
    fn a_median_has_its_spread() {
        let median = Median::of([3.0, 1.0, 0.0012].into_iter()).unwrap();
        assert_eq!((median.low, median.middle, median.high), (0.0012, 1.0, 3.0));
        assert_eq!(Median::of(std::iter::empty()), None);
    }
}

//! What is to be reached, and whether it was.

use super::summary::Median;

/// A mark and what was measured for it.
pub struct Mark {
    what: String,
    measured: Median,
    /// What was wanted, and whether it was reached; none where it is only told.
    wanted: Option<(String, bool)>,
}

impl Mark {
    /// Reached with `most` or less.
    pub fn most(what: String, measured: Median, most: f64) -> Self {
        Self {
            what,
            measured,
            wanted: Some((format!("≤ {most:.2}"), measured.middle <= most)),
        }
    }

    /// Reached with `least` or more.
    pub fn least(what: String, measured: Median, least: f64) -> Self {
        Self {
            what,
            measured,
            wanted: Some((format!("≥ {least:.2}"), measured.middle >= least)),
        }
    }

    /// No mark, but good to know beside one.
    pub fn told(what: String, measured: Median) -> Self {
        Self {
            what,
            measured,
            wanted: None,
        }
    }

    /// What stands above the lines.
    pub fn heading() -> String {
        format!("{:<62}{:>8}{:>16}  mark", "", "median", "lowest–highest")
    }

    /// The line.
    pub fn line(&self) -> String {
        let Median { middle, low, high } = self.measured;
        let verdict = match &self.wanted {
            Some((wanted, true)) => format!("  {wanted} met"),
            Some((wanted, false)) => format!("  {wanted} MISSED"),
            None => String::new(),
        };
        let (what, spread) = (&self.what, format!("{low:.2}–{high:.2}"));
        format!("{what:<62}{middle:>8.2}{spread:>16}{verdict}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_met_at_its_edge_and_missed_beyond_it() {
        let measured = |value| Median::of(std::iter::once(value)).unwrap();
        let of = |mark: Mark| mark.line().split_whitespace().last().unwrap().to_owned();
        assert_eq!(of(Mark::most(String::new(), measured(1.5), 1.5)), "met");
        assert_eq!(of(Mark::most(String::new(), measured(1.6), 1.5)), "MISSED");
        assert_eq!(of(Mark::least(String::new(), measured(1.5), 1.5)), "met");
        assert_eq!(of(Mark::told(String::new(), measured(1.5))), "1.50–1.50");
        assert_eq!(of(Mark::least(String::new(), measured(1.4), 1.5)), "MISSED");
    }
}

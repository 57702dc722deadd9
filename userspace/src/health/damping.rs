//! How results become a state: one that changes only after several of a kind in a row.

use std::time::Instant;

/// The state of what is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damper {
    is_up: bool,
    since: Instant,
    /// The last result, and of how many like it in a row it is the last.
    last: Option<(bool, u32)>,
}

impl Damper {
    /// Before the first result.
    pub(super) fn new(is_up: bool, now: Instant) -> Self {
        Self {
            is_up,
            since: now,
            last: None,
        }
    }

    /// Takes a result; so many of a kind change the state. True when this one did.
    pub(super) fn record(
        &mut self,
        is_success: bool,
        [up_after, down_after]: [u32; 2],
        now: Instant,
    ) -> bool {
        let before = self.last.filter(|(last, _)| *last == is_success);
        let in_a_row = before.map_or(0, |(_, count)| count).saturating_add(1);
        self.last = Some((is_success, in_a_row));
        let needed = if is_success { up_after } else { down_after };
        let changes = is_success != self.is_up && in_a_row >= needed;
        if changes {
            self.is_up = is_success;
            self.since = now;
        }
        changes
    }

    pub(super) fn is_up(&self) -> bool {
        self.is_up
    }

    /// When the state began.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// How many results like the last one came in a row.
    pub(super) fn in_a_row(&self) -> u32 {
        self.last.map_or(0, |(_, count)| count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_state_changes_after_so_many_results_in_a_row_and_not_before() {
        let start = Instant::now();
        let mut damper = Damper::new(true, start);
        let mut states = String::new();
        for (second, result) in (1..).zip("xx.xxx..x...".chars()) {
            let now = start + Duration::from_secs(second);
            let changed = damper.record(result == '.', [2, 3], now);
            states.push(match (damper.is_up(), changed) {
                (true, false) => 'u',
                (true, true) => 'U',
                (false, false) => 'd',
                (false, true) => 'D',
            });
        }
        assert_eq!(states, "uuuuuDdUuuuu");
        assert_eq!(damper.since(), start + Duration::from_secs(8));
        assert_eq!(damper.in_a_row(), 3);
    }

    #[test]
    fn what_begins_down_has_to_earn_its_place() {
        let now = Instant::now();
        let mut damper = Damper::new(false, now);
        assert!(!damper.record(true, [2, 1], now));
        assert!(damper.record(true, [2, 1], now));
        assert!(damper.record(false, [2, 1], now));
    }
}

//! All that is known: marks, results, and what follows from them.

use super::damping::Damper;
use super::{Job, Plan, Target, Verdicts};
use crate::config::{CheckOptions, HealthOptions};
use crate::name;
use crate::sys::waker::Waker;
use crate::telemetry::families;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What is known of addresses and variants.
#[derive(Debug)]
pub struct Board {
    pub(super) options: HealthOptions,
    pub(super) operator: BTreeMap<Target, Mark>,
    pub(super) file: BTreeMap<Target, Mark>,
    /// By the check's name and the address.
    pub(super) checked: BTreeMap<(String, IpAddr), Checked>,
    /// Checks and their names without addresses, which have been told of.
    unknown: BTreeSet<(String, Vec<u8>)>,
    verdicts: Arc<Verdicts>,
    plan: Plan,
    counts: Counts,
}

/// That something is up or down, whatever the checks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) is_up: bool,
    pub(super) since: Instant,
    /// When it ends by itself.
    pub(super) until: Option<Instant>,
}

/// An address under a check.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) check: Arc<CheckOptions>,
    pub(super) damper: Damper,
    pub(super) last: Option<(Instant, Result<(), String>)>,
}

families! {
    /// What is told of health.
    pub enum HealthMetric {
        /// Addresses and variants that are down.
        Down = "down", Gauge "health_down",
        /// Times that something went up or down.
        Changes = "changes", Counter "health_changes",
        /// Checks that were made.
        Checks = "checks", Counter "health_checks",
        /// Checks that failed.
        Failures = "failures", Counter "health_failures",
    }
}

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; HealthMetric::COUNT]);

impl Counts {
    /// How many there were so far, or are.
    pub fn get(&self, metric: HealthMetric) -> u64 {
        self.0[metric.index()]
    }

    fn add(&mut self, metric: HealthMetric, count: u64) {
        self.0[metric.index()] += count;
    }
}

impl Board {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self {
            options: HealthOptions::default(),
            operator: BTreeMap::new(),
            file: BTreeMap::new(),
            checked: BTreeMap::new(),
            unknown: BTreeSet::new(),
            verdicts: Arc::default(),
            plan: Arc::new([]),
            counts: Counts::default(),
        }
    }

    /// Checks what `options` say from now on, at the addresses that their names have. What is
    /// checked as before keeps its state.
    pub fn follow(
        &mut self,
        options: &HealthOptions,
        addresses_of: impl Fn(&[u8]) -> Vec<IpAddr>,
        now: Instant,
    ) {
        self.options = options.clone();
        let mut old = std::mem::take(&mut self.checked);
        let mut plan = Vec::new();
        for check in &options.checks {
            let check = Arc::new(check.clone());
            let mut addresses: Vec<IpAddr> = Vec::new();
            for name in &check.names {
                let own = addresses_of(name);
                if own.is_empty() && self.unknown.insert((check.name.clone(), name.clone())) {
                    let (check, name) = (&check.name, name::display(name));
                    tracing::warn!(
                        "health.check {check}: {name} has no address in a zone that is read from \
                         a master file: nothing is checked"
                    );
                }
                addresses.extend(own);
            }
            addresses.sort_unstable();
            addresses.dedup();
            for address in addresses {
                let key = (check.name.clone(), address);
                let known = old.remove(&key);
                let checked = Checked {
                    check: Arc::clone(&check),
                    last: known.as_ref().and_then(|known| known.last.clone()),
                    damper: known
                        .map_or_else(|| Damper::new(check.begins_up, now), |known| known.damper),
                };
                self.checked.insert(key, checked);
                let check = Arc::clone(&check);
                plan.push(Job { check, address });
            }
        }
        self.plan = plan.into();
        self.decide();
    }

    /// Whether it follows these.
    pub fn follows(&self, options: &HealthOptions) -> bool {
        self.options == *options
    }

    /// Takes the marks of the file instead of those that it had.
    pub fn set_file_marks(&mut self, marks: BTreeMap<Target, bool>, now: Instant) {
        let old = std::mem::take(&mut self.file);
        for (target, is_up) in marks {
            let known = old.get(&target).filter(|mark| mark.is_up == is_up);
            let mark = known.copied().unwrap_or_else(|| {
                self.counts.add(HealthMetric::Changes, 1);
                tracing::info!("health: {target} is marked {} by the file", word(is_up));
                Mark {
                    is_up,
                    since: now,
                    until: None,
                }
            });
            self.file.insert(target, mark);
        }
        for target in old.keys().filter(|target| !self.file.contains_key(*target)) {
            self.counts.add(HealthMetric::Changes, 1);
            tracing::info!("health: the file marks {target} no more");
        }
        self.decide();
    }

    /// Takes the operator's mark, or takes it away.
    pub fn mark(
        &mut self,
        target: Target,
        is_up: Option<bool>,
        until: Option<Instant>,
        now: Instant,
    ) {
        self.counts.add(HealthMetric::Changes, 1);
        match is_up {
            Some(is_up) => {
                tracing::info!("health: {target} is marked {} by the operator", word(is_up));
                let since = now;
                let mark = Mark {
                    is_up,
                    since,
                    until,
                };
                self.operator.insert(target, mark);
            }
            None => {
                tracing::info!("health: the operator marks {target} no more");
                self.operator.remove(&target);
            }
        }
        self.decide();
    }

    /// Ends the marks whose time is over.
    pub fn expire(&mut self, now: Instant) {
        let is_over = |mark: &Mark| mark.until.is_some_and(|until| until <= now);
        let over: Vec<Target> = self
            .operator
            .iter()
            .filter(|(_, mark)| is_over(mark))
            .map(|(target, _)| target.clone())
            .collect();
        for target in over {
            self.mark(target, None, None, now);
        }
    }

    /// When the next mark ends by itself.
    pub fn next_end(&self) -> Option<Instant> {
        self.operator.values().filter_map(|mark| mark.until).min()
    }

    /// Takes the result of a check; true when that has changed what is answered with.
    pub fn record(
        &mut self,
        check: &str,
        address: IpAddr,
        result: Result<(), String>,
        now: Instant,
    ) -> bool {
        let key = (check.to_owned(), address);
        // What is checked no more may have had a check under way.
        let Some(checked) = self.checked.get_mut(&key) else {
            return false;
        };
        self.counts.add(HealthMetric::Checks, 1);
        self.counts
            .add(HealthMetric::Failures, u64::from(result.is_err()));
        let thresholds = [checked.check.up_after, checked.check.down_after];
        let changed = checked.damper.record(result.is_ok(), thresholds, now);
        if changed {
            self.counts.add(HealthMetric::Changes, 1);
            let in_a_row = checked.damper.in_a_row();
            match &result {
                Ok(()) => tracing::info!(in_a_row, "health: {address} is up, by check {check}"),
                Err(reason) => tracing::warn!(
                    in_a_row,
                    "health: {address} is down, by check {check}: {reason}"
                ),
            }
        }
        checked.last = Some((now, result));
        changed && self.decide()
    }

    /// What is answered with.
    pub fn verdicts(&self) -> Arc<Verdicts> {
        Arc::clone(&self.verdicts)
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        let mut counts = self.counts;
        counts.add(HealthMetric::Down, self.verdicts.down_count() as u64);
        counts
    }

    /// What is to be checked.
    pub(super) fn plan(&self) -> Plan {
        Arc::clone(&self.plan)
    }

    /// Decides anew; true when something comes of it.
    fn decide(&mut self) -> bool {
        let mut verdicts = Verdicts {
            all_down: self.options.all_down,
            ..Verdicts::default()
        };
        // The operator's marks come last, over those of the file.
        for (target, mark) in self.file.iter().chain(&self.operator) {
            match target {
                Target::Address(address) => {
                    verdicts.addresses.insert(*address, mark.is_up);
                }
                Target::Variant { name, region } => {
                    let regions = verdicts.variants.entry(name.clone()).or_default();
                    regions.insert(region.clone(), mark.is_up);
                }
            }
        }
        for ((_, address), checked) in &self.checked {
            if checked.damper.is_up() {
                continue;
            }
            for name in &checked.check.names {
                let failed = verdicts.failed.entry(name.clone()).or_default();
                failed.insert(*address);
            }
        }
        let is_new = verdicts != *self.verdicts;
        if is_new {
            self.verdicts = Arc::new(verdicts);
        }
        is_new
    }
}

impl Default for Board {
    fn default() -> Self {
        Self::new()
    }
}

/// A state in a word.
pub(super) fn word(is_up: bool) -> &'static str {
    if is_up { "up" } else { "down" }
}

/// The board as several threads have it.
#[derive(Clone, Debug)]
pub struct SharedBoard {
    board: Arc<Mutex<Board>>,
    /// Wakes whoever checks.
    plan_changed: Waker,
}

impl SharedBoard {
    /// A board that knows nothing yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            board: Arc::default(),
            plan_changed: Waker::new()?,
        })
    }

    /// The board, for a moment: nobody waits or reads files meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever checks to look at the plan.
    pub fn wake_checker(&self) {
        if let Err(error) = self.plan_changed.wake() {
            tracing::warn!(%error, "health: the checks cannot be told of changes");
        }
    }

    /// What is readable when the plan has changed.
    pub(super) fn waker(&self) -> &Waker {
        &self.plan_changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CheckKind;
    use crate::zone::variants::Health;
    use std::time::Duration;

    const WWW: &[u8] = b"\x03www\0";
    const MAIL: &[u8] = b"\x04mail\0";

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn target(last: u8) -> Target {
        Target::Address(address(last))
    }

    fn options(down_after: u32) -> HealthOptions {
        let check = CheckOptions {
            name: "web".to_owned(),
            kind: CheckKind::Tcp { port: 80 },
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            up_after: 1,
            down_after,
            begins_up: true,
            names: vec![WWW.to_vec()],
        };
        HealthOptions {
            checks: vec![check],
            ..HealthOptions::default()
        }
    }

    /// A board on which 192.0.2.1 and .2 are checked.
    fn board(now: Instant) -> Board {
        let mut board = Board::new();
        board.follow(&options(1), |_| vec![address(1), address(2)], now);
        board
    }

    fn is_up(board: &Board, name: &[u8], last: u8) -> bool {
        board.verdicts().is_up(name, address(last))
    }

    fn failed() -> Result<(), String> {
        Err("connection refused".to_owned())
    }

    #[test]
    fn the_operator_counts_before_the_file_and_the_file_before_the_checks() {
        let now = Instant::now();
        let mut board = board(now);
        assert!(board.verdicts().health().is_none());
        assert!(board.record("web", address(1), failed(), now));
        assert!(!is_up(&board, WWW, 1) && is_up(&board, WWW, 2));
        assert!(is_up(&board, MAIL, 1), "the check is not of this name");
        board.set_file_marks([(target(1), true), (target(2), false)].into(), now);
        assert!(is_up(&board, WWW, 1) && !is_up(&board, WWW, 2) && !is_up(&board, MAIL, 2));
        board.mark(target(1), Some(false), None, now);
        board.mark(target(2), Some(true), None, now);
        assert!(!is_up(&board, WWW, 1) && is_up(&board, WWW, 2));
        assert_eq!(board.counts().get(HealthMetric::Down), 1);
        board.mark(target(1), None, None, now);
        board.set_file_marks(BTreeMap::new(), now);
        assert!(!is_up(&board, WWW, 1) && is_up(&board, WWW, 2));
        let counts = board.counts();
        let told = [
            HealthMetric::Checks,
            HealthMetric::Failures,
            HealthMetric::Changes,
        ];
        assert_eq!(told.map(|metric| counts.get(metric)), [1, 1, 8]);
    }

    #[test]
    fn only_a_result_that_changes_a_state_is_news() {
        let now = Instant::now();
        let mut board = board(now);
        assert!(!board.record("web", address(1), Ok(()), now));
        assert!(board.record("web", address(1), failed(), now));
        assert!(!board.record("web", address(1), failed(), now));
        assert!(board.record("web", address(1), Ok(()), now));
        assert!(
            !board.record("web", address(9), failed(), now),
            "not checked"
        );
        assert!(!board.record("mail", address(1), failed(), now), "no check");
        assert_eq!(board.counts().get(HealthMetric::Checks), 4);
    }

    #[test]
    fn states_outlive_a_change_of_options_and_zones() {
        let now = Instant::now();
        let mut board = board(now);
        board.record("web", address(1), failed(), now);
        let later = now + Duration::from_secs(5);
        board.follow(&options(3), |_| vec![address(1), address(3)], later);
        assert!(!is_up(&board, WWW, 1) && is_up(&board, WWW, 3));
        assert!(
            !board.record("web", address(3), failed(), later),
            "of three"
        );
        let plan: Vec<IpAddr> = board.plan().iter().map(|job| job.address).collect();
        assert_eq!(plan, [address(1), address(3)]);
        board.follow(&HealthOptions::default(), |_| Vec::new(), later);
        assert!(is_up(&board, WWW, 1) && board.plan().is_empty());
    }

    #[test]
    fn a_mark_ends_when_its_time_is_over() {
        let now = Instant::now();
        let mut board = board(now);
        let end = now + Duration::from_secs(60);
        board.mark(target(1), Some(false), Some(end), now);
        assert_eq!(board.next_end(), Some(end));
        board.expire(end - Duration::from_millis(1));
        assert!(!is_up(&board, WWW, 1));
        board.expire(end);
        assert!(is_up(&board, WWW, 1));
        assert_eq!(board.next_end(), None);
    }

    #[test]
    fn a_report_has_each_address_and_variant_with_the_reason() {
        let now = Instant::now();
        let mut board = board(now);
        board.record("web", address(1), failed(), now);
        let end = now + Duration::from_secs(60);
        board.mark("www/eu".parse().unwrap(), Some(false), Some(end), now);
        let report = board.report(now + Duration::from_secs(7));
        let lines: Vec<String> = report["targets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| {
                let words = ["target", "state", "why"].map(|key| own[key].as_str().unwrap());
                format!("{} {}", words.join(" "), own["seconds"])
            })
            .collect();
        assert_eq!(
            lines,
            [
                "192.0.2.1 down check web: connection refused 7",
                "192.0.2.2 up check web: no result yet 7",
                "www/eu down marked by ctl, for 53 s more 7",
            ]
        );
        assert_eq!(report["targets"][0]["checks"][0]["in_a_row"], 1);
    }
}

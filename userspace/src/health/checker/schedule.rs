//! Which check is due when.

use crate::config::CheckKind;
use crate::health::{Job, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// A check's name and an address.
pub(super) type Key = (String, IpAddr);

/// The plan, and where it stands.
#[derive(Default)]
pub(super) struct Schedule {
    plan: Option<Plan>,
    entries: BTreeMap<Key, Entry>,
    /// What is not under way, by when it is due: commands apart, for they have less room.
    waiting: [BTreeSet<(Instant, Key)>; 2],
}

struct Entry {
    job: Job,
    due: Instant,
    is_under_way: bool,
}

impl Schedule {
    /// Follows another plan: what is new is due now, what stays keeps its time.
    pub(super) fn follow(&mut self, plan: &Plan, now: Instant) {
        if self.plan.as_ref().is_some_and(|own| Arc::ptr_eq(own, plan)) {
            return;
        }
        self.plan = Some(Arc::clone(plan));
        let mut old = std::mem::take(&mut self.entries);
        self.waiting = Default::default();
        for job in plan.iter() {
            let key = (job.check.name.clone(), job.address);
            let known = old.remove(&key);
            let soonest = now + job.check.interval;
            let entry = Entry {
                job: job.clone(),
                due: known.as_ref().map_or(now, |known| known.due.min(soonest)),
                is_under_way: known.is_some_and(|known| known.is_under_way),
            };
            if !entry.is_under_way {
                self.waiting[queue(job)].insert((entry.due, key.clone()));
            }
            self.entries.insert(key, entry);
        }
    }

    /// The next one that is due, which counts as under way from now on.
    pub(super) fn next_due(&mut self, now: Instant, with_commands: bool) -> Option<(Key, Job)> {
        let queues = if with_commands { 2 } else { 1 };
        let first = |queue: usize| Some((&self.waiting[queue].first()?.0, queue));
        let (due, queue) = (0..queues).filter_map(first).min()?;
        if *due > now {
            return None;
        }
        let (_, key) = self.waiting[queue].pop_first()?;
        let entry = self.entries.get_mut(&key)?;
        entry.is_under_way = true;
        entry.due = now + entry.job.check.interval;
        Some((key, entry.job.clone()))
    }

    /// One that was under way has ended.
    pub(super) fn ended(&mut self, key: &Key) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.is_under_way = false;
            self.waiting[queue(&entry.job)].insert((entry.due, key.clone()));
        }
    }

    /// When the next one comes due. What is due already has found no room.
    pub(super) fn comes_due(&self, now: Instant) -> Option<Instant> {
        let firsts = self.waiting.iter().filter_map(BTreeSet::first);
        firsts.map(|(due, _)| *due).filter(|due| *due > now).min()
    }
}

/// Where a job waits.
fn queue(job: &Job) -> usize {
    usize::from(matches!(job.check.kind, CheckKind::Command { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CheckOptions;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn plan(kind: &CheckKind, last: &[u8]) -> Plan {
        let check = Arc::new(CheckOptions {
            name: "c".to_owned(),
            kind: kind.clone(),
            interval: 10 * SECOND,
            timeout: SECOND,
            up_after: 1,
            down_after: 1,
            begins_up: true,
            names: Vec::new(),
        });
        let job = |last: &u8| Job {
            check: Arc::clone(&check),
            address: [192, 0, 2, *last].into(),
        };
        last.iter().map(job).collect()
    }

    /// The last octets of what is due.
    fn due(schedule: &mut Schedule, now: Instant) -> Vec<String> {
        let next = std::iter::from_fn(|| schedule.next_due(now, true));
        let addresses = next.map(|((_, address), _)| address.to_string());
        addresses
            .map(|text| text["192.0.2.".len()..].to_owned())
            .collect()
    }

    #[test]
    fn a_check_is_due_at_once_and_then_an_interval_after_it_began() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        schedule.follow(&plan(&CheckKind::Tcp { port: 1 }, &[1, 2]), start);
        assert_eq!(due(&mut schedule, start), ["1", "2"]);
        assert_eq!(
            due(&mut schedule, start + 60 * SECOND),
            [""; 0],
            "under way"
        );
        schedule.ended(&("c".to_owned(), [192, 0, 2, 2].into()));
        assert_eq!(schedule.comes_due(start), Some(start + 10 * SECOND));
        assert_eq!(due(&mut schedule, start + 9 * SECOND), [""; 0]);
        assert_eq!(due(&mut schedule, start + 10 * SECOND), ["2"]);
    }

    #[test]
    fn what_stays_in_a_plan_keeps_its_time() {
        let start = Instant::now();
        let kind = CheckKind::Tcp { port: 1 };
        let mut schedule = Schedule::default();
        schedule.follow(&plan(&kind, &[1, 2]), start);
        assert_eq!(due(&mut schedule, start), ["1", "2"]);
        for last in [1, 2] {
            schedule.ended(&("c".to_owned(), [192, 0, 2, last].into()));
        }
        schedule.follow(&plan(&kind, &[2, 3]), start + SECOND);
        assert_eq!(due(&mut schedule, start + SECOND), ["3"]);
        assert_eq!(due(&mut schedule, start + 10 * SECOND), ["2"]);
        schedule.ended(&("c".to_owned(), [192, 0, 2, 1].into()));
    }

    #[test]
    fn commands_wait_for_room_of_their_own() {
        let now = Instant::now();
        let words = vec!["true".to_owned()];
        let mut schedule = Schedule::default();
        schedule.follow(&plan(&CheckKind::Command { words }, &[1]), now);
        assert!(schedule.next_due(now, false).is_none());
        assert!(schedule.next_due(now, true).is_some());
    }
}

//! What `ripples ctl health` tells.

use super::Target;
use super::board::{Board, Checked, Mark, word};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Instant;

impl Board {
    /// All that is checked or marked: its state, why, since when.
    pub fn report(&self, now: Instant) -> Value {
        let checked = self
            .checked
            .keys()
            .map(|(_, address)| Target::Address(*address));
        let marked = self.operator.keys().chain(self.file.keys()).cloned();
        let targets: BTreeSet<Target> = checked.chain(marked).collect();
        let targets: Vec<Value> = targets
            .iter()
            .map(|target| self.target_json(target, now))
            .collect();
        json!({ "targets": targets })
    }

    fn target_json(&self, target: &Target, now: Instant) -> Value {
        let checks = match target {
            Target::Address(address) => self.checks_of(*address),
            Target::Variant { .. } => Vec::new(),
        };
        let (is_up, since, why) = self.state(target, &checks, now);
        let checks: Vec<Value> = checks.iter().map(|own| check_json(own, now)).collect();
        json!({
            "target": target.to_string(),
            "state": word(is_up),
            "seconds": since.map(|since| now.saturating_duration_since(since).as_secs()),
            "why": why,
            "checks": checks,
        })
    }

    fn checks_of(&self, address: IpAddr) -> Vec<&Checked> {
        let own = self.checked.iter().filter(|((_, own), _)| *own == address);
        own.map(|(_, checked)| checked).collect()
    }

    /// Whether it is up, since when, and why.
    fn state(
        &self,
        target: &Target,
        checks: &[&Checked],
        now: Instant,
    ) -> (bool, Option<Instant>, String) {
        if let Some(mark) = self.operator.get(target) {
            let left = mark.until.map(|until| until.saturating_duration_since(now));
            let left = left.map(|left| format!(", for {} s more", left.as_secs()));
            let why = format!("marked by ctl{}", left.unwrap_or_default());
            return of_mark(mark, why);
        }
        if let Some(mark) = self.file.get(target) {
            let file = self
                .options
                .marks
                .as_ref()
                .map(|file| file.display().to_string());
            return of_mark(mark, format!("marked in {}", file.unwrap_or_default()));
        }
        let failed = checks.iter().find(|checked| !checked.damper.is_up());
        let Some(checked) = failed.or(checks.first()) else {
            return (true, None, "not marked".to_owned());
        };
        let damper = &checked.damper;
        let since = Some(damper.since());
        (
            damper.is_up(),
            since,
            format!("check {}: {}", checked.check.name, last(checked)),
        )
    }
}

fn of_mark(mark: &Mark, why: String) -> (bool, Option<Instant>, String) {
    (mark.is_up, Some(mark.since), why)
}

fn check_json(checked: &Checked, now: Instant) -> Value {
    let at = checked.last.as_ref().map(|(at, _)| *at);
    json!({
        "check": checked.check.name,
        "state": word(checked.damper.is_up()),
        "last": last(checked),
        "in_a_row": checked.damper.in_a_row(),
        "last_seconds_ago": at.map(|at| now.saturating_duration_since(at).as_secs()),
    })
}

/// The last result.
fn last(checked: &Checked) -> String {
    match &checked.last {
        None => "no result yet".to_owned(),
        Some((_, Ok(()))) => "well".to_owned(),
        Some((_, Err(reason))) => reason.clone(),
    }
}

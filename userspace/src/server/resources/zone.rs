//! One zone that is served: where it comes from, and what came of reading it.

use super::reading::Scope;
use super::stamp::Stamps;
use super::zones::{Update, ZONES_LOGGED};
use crate::config::ZoneSource;
use crate::geo::Geo;
use crate::name;
use crate::zone::load::Loaded;
use crate::zone::served::ServedZone;
use std::time::SystemTime;

/// So many lines of what is wrong are told to whoever asked.
const PROBLEMS_TOLD: usize = 20;
/// A zone.
pub(super) struct Zone {
    pub(super) source: ZoneSource,
    /// What is served; none: it was never read without an error.
    pub(super) zone: Option<ServedZone>,
    /// When that was read.
    pub(super) read_at: Option<SystemTime>,
    /// What was wrong when it was read last: one line each.
    pub(super) problems: Vec<String>,
    pub(super) stamps: Stamps,
    /// The zones below it, when it was read last.
    below: Vec<Vec<u8>>,
    /// Its names whose addresses could be left out, when it was read last.
    checked: Vec<Vec<u8>>,
}

impl Zone {
    pub(super) fn new(source: ZoneSource) -> Self {
        Self {
            source,
            zone: None,
            read_at: None,
            problems: Vec::new(),
            stamps: Stamps::default(),
            below: Vec::new(),
            checked: Vec::new(),
        }
    }

    /// Whether it is to be read.
    pub(super) fn is_wanted(&self, scope: &Scope, below: &[&[u8]], checked: &[Vec<u8>]) -> bool {
        if self.below != below || self.checked != checked {
            return true;
        }
        match scope {
            Scope::All => !self.problems.is_empty() || self.stamps.have_changed(),
            Scope::Changed => self.stamps.have_changed() && self.stamps.are_regular(),
            Scope::Zone(origin) => self.source.origin == *origin,
        }
    }

    /// Notes what it was read from, and beside what.
    pub(super) fn note_read(&mut self, stamps: Stamps, below: &[&[u8]], checked: &[Vec<u8>]) {
        self.stamps = stamps;
        self.below = below.iter().map(|apex| apex.to_vec()).collect();
        self.checked = checked.to_vec();
    }

    /// Takes what came of reading it.
    pub(super) fn take(&mut self, loaded: Loaded, geo: &Geo, update: &mut Update) {
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        match loaded.image.and_then(|zone| placed(zone, geo)) {
            Ok(zone) => {
                update.loaded += 1;
                if update.loaded <= ZONES_LOGGED {
                    self.announce(&zone);
                }
                self.zone = Some(zone);
                self.read_at = Some(SystemTime::now());
                self.problems.clear();
            }
            Err(problems) => {
                update.failed += 1;
                problems.iter().for_each(|line| tracing::error!("{line}"));
                let room = PROBLEMS_TOLD.saturating_sub(update.problems.len());
                update.problems.extend(problems.iter().take(room).cloned());
                self.problems = problems;
            }
        }
    }

    /// Says in the log what is served now instead of what.
    fn announce(&self, new: &ServedZone) {
        let zone = name::display(&self.source.origin);
        let (serial, records) = (new.serial(), new.record_count());
        let Some(old) = &self.zone else {
            tracing::debug!(%zone, serial, records, "zone loaded");
            return;
        };
        let old = old.serial();
        // RFC 1982 §3.2: serial numbers go round.
        match serial.wrapping_sub(old) {
            0 => tracing::info!(%zone, serial, records, "zone changed, its serial did not"),
            1..0x8000_0000 => tracing::info!(%zone, from = old, serial, records, "new serial"),
            _ => tracing::warn!(%zone, from = old, serial, records, "the serial went back"),
        }
    }
}

/// A zone whose variants speak of these maps only, or what is wrong with it.
pub(in crate::server) fn placed(zone: ServedZone, geo: &Geo) -> Result<ServedZone, Vec<String>> {
    let problems = problems(&zone, geo);
    match problems.is_empty() {
        true => Ok(zone),
        false => Err(problems),
    }
}

/// Where a zone's variants do not fit these maps.
pub(super) fn problems(zone: &ServedZone, geo: &Geo) -> Vec<String> {
    let variants = zone.variants.iter();
    variants
        .flat_map(|variants| variants.problems(geo))
        .collect()
}

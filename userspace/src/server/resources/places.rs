//! The maps of where clients are: made anew when a database or a rule has changed.

use super::stamp::Stamps;
use super::zones::{CALM, Maps, Scope, ZoneTable};
use crate::config::GeoOptions;
use crate::geo::{self, Geo};
use std::sync::Arc;
use std::time::Instant;

/// The maps in force, and what they were made from.
pub(super) struct Places {
    options: GeoOptions,
    databases: Vec<Stamps>,
    geo: Arc<Geo>,
    /// Maps that wait for zones that can do with them.
    next: Option<Arc<Geo>>,
    /// Whether the last that was read is not in force.
    is_refused: bool,
}

/// What came of looking at databases and rules.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Refresh {
    /// Whether there are other maps now, in force or waiting.
    pub(super) is_new: bool,
    /// Whether somebody seems to be writing a database still.
    pub(super) is_moving: bool,
    /// Why the old maps stay.
    pub(super) problems: Vec<String>,
}

impl Places {
    /// Loads the maps for the first time, or says what is wrong with them.
    pub(super) fn load(options: &GeoOptions) -> Result<Self, Vec<String>> {
        let databases = stamps(options);
        Ok(Self {
            options: options.clone(),
            databases,
            geo: read(options)?,
            next: None,
            is_refused: false,
        })
    }

    /// The maps in force.
    pub(super) fn geo(&self) -> &Arc<Geo> {
        &self.geo
    }

    /// Those in force, and those that wait.
    pub(super) fn maps(&self) -> Maps<'_> {
        Maps {
            geo: &self.geo,
            next: self.next.as_deref(),
        }
    }

    /// Puts those in force that wait.
    pub(super) fn take_next(&mut self) {
        if let Some(next) = self.next.take() {
            tracing::info!("the zones can do with the new maps now");
            self.geo = next;
            self.is_refused = false;
        }
    }

    /// The files that they were made from.
    pub(super) fn files(&self) -> impl Iterator<Item = &std::path::Path> {
        self.databases.iter().flat_map(Stamps::paths)
    }

    /// Makes the maps anew if anything has changed. If they lack a region that a served zone speaks
    /// of, they wait: it may be about to change too.
    pub(super) fn refresh(
        &mut self,
        options: &GeoOptions,
        scope: &Scope,
        zones: &ZoneTable,
    ) -> Refresh {
        let is_same = self.options == *options;
        let is_old = is_same && !self.databases.iter().any(Stamps::have_changed);
        let again = self.is_refused && *scope == Scope::All;
        if matches!(scope, Scope::Zone(_)) || is_old && !again {
            return Refresh::default();
        }
        let is_moving = self.databases.iter().any(|file| file.are_moving(CALM));
        if *scope == Scope::Changed && is_same && is_moving {
            return Refresh {
                is_moving,
                ..Refresh::default()
            };
        }
        self.databases = stamps(options);
        self.options = options.clone();
        self.next = None;
        let read = read(options);
        let problems = match &read {
            Ok(geo) => zones.problems_with(geo),
            Err(problems) => problems.clone(),
        };
        self.is_refused = !problems.is_empty();
        let is_new = read.is_ok();
        match read {
            Ok(geo) if self.is_refused => self.next = Some(geo),
            Ok(geo) => self.geo = geo,
            Err(_) => {}
        }
        Refresh {
            is_new,
            is_moving: false,
            problems,
        }
    }
}

fn stamps(options: &GeoOptions) -> Vec<Stamps> {
    let files = options.databases.iter();
    files.map(|file| Stamps::before(file)).collect()
}

/// Reads databases and rules, and tells of it in the log.
fn read(options: &GeoOptions) -> Result<Arc<Geo>, Vec<String>> {
    let started = Instant::now();
    let loaded = geo::load(options)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    for facts in &loaded.databases {
        tracing::info!(
            file = %facts.file.display(),
            kind = facts.database_type,
            built = facts.build_epoch,
            networks = facts.networks,
            "database read"
        );
    }
    let seconds = started.elapsed().as_secs_f64();
    for facts in &loaded.maps {
        tracing::info!(
            map = facts.name,
            regions = facts.regions,
            networks = facts.networks,
            bytes = facts.size_bytes,
            seconds,
            "map made"
        );
    }
    Ok(Arc::new(loaded.geo))
}

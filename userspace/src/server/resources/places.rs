//! The maps of where clients are: made anew when a database or a rule has changed.

use super::reading::{Look, Reading, Scope};
use super::zones::{Maps, ZoneTable};
use crate::config::GeoOptions;
use crate::geo::load::{DatabaseFacts, MapFacts};
use crate::geo::{self, Geo};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// The maps in force, and what they were made from.
pub(super) struct Places {
    options: GeoOptions,
    databases: Reading,
    geo: Arc<Geo>,
    facts: Facts,
    /// Maps that wait for zones that can do with them.
    next: Option<(Arc<Geo>, Facts)>,
}

/// What there is to say of maps.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) databases: Vec<DatabaseFacts>,
    pub(super) maps: Vec<MapFacts>,
    pub(super) read_at: Instant,
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
        let databases = reading(options);
        let (geo, facts) = read(options)?;
        Ok(Self {
            options: options.clone(),
            databases,
            geo,
            facts,
            next: None,
        })
    }

    /// The maps in force.
    pub(super) fn geo(&self) -> &Arc<Geo> {
        &self.geo
    }

    /// What there is to say of them.
    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether databases or rules that were read last are not in force.
    pub(super) fn is_refused(&self) -> bool {
        self.databases.is_refused()
    }

    /// Those in force, and those that wait.
    pub(super) fn maps(&self) -> Maps<'_> {
        Maps {
            geo: &self.geo,
            next: self.next.as_ref().map(|(geo, _)| &**geo),
        }
    }

    /// Puts those in force that wait.
    pub(super) fn take_next(&mut self) {
        if let Some(next) = self.next.take() {
            tracing::info!("the zones can do with the new maps now");
            (self.geo, self.facts) = next;
            self.databases.set_refused(false);
        }
    }

    /// The files that they were made from.
    pub(super) fn files(&self) -> impl Iterator<Item = &std::path::Path> {
        self.databases.paths()
    }

    /// Makes the maps anew if anything has changed. If they lack a region that a served zone speaks
    /// of, they wait: it may be about to change too.
    pub(super) fn refresh(
        &mut self,
        options: &GeoOptions,
        scope: &Scope,
        zones: &ZoneTable,
    ) -> Refresh {
        let look = self.databases.look(self.options == *options, scope);
        if look != Look::Read {
            return Refresh {
                is_moving: look == Look::Later,
                ..Refresh::default()
            };
        }
        self.databases = reading(options);
        self.options = options.clone();
        self.next = None;
        let read = read(options);
        let problems = match &read {
            Ok((geo, _)) => zones.problems_with(geo),
            Err(problems) => problems.clone(),
        };
        let is_refused = !problems.is_empty();
        self.databases.set_refused(is_refused);
        let is_new = read.is_ok();
        match read {
            Ok(read) if is_refused => self.next = Some(read),
            Ok(read) => (self.geo, self.facts) = read,
            Err(_) => {}
        }
        Refresh {
            is_new,
            is_moving: false,
            problems,
        }
    }
}

fn reading(options: &GeoOptions) -> Reading {
    Reading::of(options.databases.iter().map(PathBuf::as_path))
}

/// Reads databases and rules, and tells of it in the log.
fn read(options: &GeoOptions) -> Result<(Arc<Geo>, Facts), Vec<String>> {
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
    let facts = Facts {
        databases: loaded.databases,
        maps: loaded.maps,
        read_at: Instant::now(),
    };
    Ok((Arc::new(loaded.geo), facts))
}

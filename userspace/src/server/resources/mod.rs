//! Resources: everything that snapshots are built from, and the thread that does it. What cannot be
//! read keeps what it had.
//!
//! ```text
//! requests, changed files ─► Resources: configuration, zones ─► Snapshot ─► Posts ─► workers
//! ```

mod check;
mod count_places;
mod folder;
mod health;
mod pace;
mod places;
mod policy;
mod posts;
mod published;
mod reading;
mod report;
mod request;
mod secrets;
mod sources;
mod stamp;
mod thread;
mod watch;
mod zone;
mod zones;

pub(super) use check::check;
pub(super) use health::MarkChange;
pub(super) use posts::Post;
pub(super) use published::Published;
pub(super) use report::{Question, ZoneQuestion};
pub(super) use request::Request;
pub(super) use secrets::Secrets;
pub(super) use sources::sources;
pub(super) use thread::ResourceThread;
pub(super) use zone::placed;
pub(super) use zones::{load, load_all};

use super::progress;
use crate::config::{Config, RunArguments};
use crate::packet::NameKey;
use crate::snapshot::{Policy, Snapshot};
use crate::telemetry;
use anyhow::{Context, Result, anyhow, bail};
use count_places::CountPlaces;
use health::Health;
use pace::Pace;
use places::Places;
pub(super) use policy::policy;
use reading::{Look, Reading, Scope};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use zones::{Update, ZoneTable};

/// What snapshots are built from.
pub(super) struct Resources {
    arguments: RunArguments,
    /// What is in force.
    config: Config,
    config_file: Reading,
    table: ZoneTable,
    policy: Policy,
    places: Places,
    health: Health,
    key: NameKey,
    secrets: Secrets,
    /// When the secret that cookies are made from came into force.
    cookies_since: Instant,
    generation: u64,
    /// What was handed out last.
    last: Option<Arc<Snapshot>>,
    /// What it lacks.
    stale: Stale,
    /// How loading keeps out of everybody's way.
    pace: Pace,
    count_places: CountPlaces,
}

/// What has changed since a snapshot was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stale {
    /// Zones: the index is made anew.
    zones: bool,
    /// Maps or policy: zones and index are shared.
    rest: bool,
}

/// What came of a reload.
struct Outcome {
    /// The new snapshot, if anything has changed.
    snapshot: Option<Arc<Snapshot>>,
    /// What became of the zones.
    update: Update,
    /// How long it took.
    duration: Duration,
}

impl Resources {
    /// Loads everything for the first time: an error in any zone is an error.
    /// `secrets` are what cookies are made from where none is configured.
    pub(super) fn load(
        arguments: &RunArguments,
        config: &Config,
        secrets: Secrets,
    ) -> Result<(Self, Arc<Snapshot>)> {
        let mut random = [0; 24];
        getrandom::fill(&mut random).context("random numbers for the name index")?;
        let places = Places::load(&config.geo).map_err(|problems| {
            problems.iter().for_each(|line| tracing::error!("{line}"));
            anyhow!("[geo] cannot be served as it is")
        })?;
        let mut resources = Self {
            arguments: arguments.clone(),
            config: config.clone(),
            config_file: Reading::of(arguments.config.as_deref()),
            table: ZoneTable::default(),
            policy: policy(config, &secrets)?,
            places,
            health: Health::load(config.health.marks.as_deref())?,
            key: NameKey::new(bytemuck::pod_read_unaligned(&random)),
            secrets,
            cookies_since: Instant::now(),
            generation: 0,
            last: None,
            stale: Stale::default(),
            pace: Pace::default(),
            count_places: CountPlaces::new(config.zone_metrics),
        };
        let (sources, complaints) = sources(config);
        complaints.iter().for_each(|line| tracing::error!("{line}"));
        let sources = sources.filter(|_| complaints.is_empty());
        let Some(sources) = sources else {
            bail!("zones_dir cannot be served as it is");
        };
        if sources.is_empty() {
            tracing::warn!(
                "there is no zone: every query is refused (--zone ORIGIN=FILE adds one)"
            );
        }
        let started = Instant::now();
        let count = sources.len();
        let names = config.health.all_names();
        let maps = resources.places.maps();
        let table = &mut resources.table;
        let update = table.update(sources, &Scope::All, maps, false, &names);
        if update.failed > 0 {
            bail!("{} of {count} zones cannot be loaded", update.failed);
        }
        let records: u64 = resources
            .table
            .served()
            .map(|zone| zone.record_count())
            .sum();
        let seconds = started.elapsed().as_secs_f64();
        tracing::info!(zones = count, records, seconds, "zones loaded");
        resources.follow_health();
        let snapshot = resources.build()?;
        Ok((resources, snapshot))
    }

    /// Reads again what `scope` says, and builds a snapshot if anything has changed.
    fn reload(&mut self, scope: &Scope) -> Outcome {
        let started = Instant::now();
        let mut problems = Vec::new();
        let mut is_moving = self.reread_config(scope, &mut problems);
        let options = &self.config.geo;
        let (places, table) = (&mut self.places, &self.table);
        let mut maps = self.pace.run(|| places.refresh(options, scope, table));
        let (sources, complaints) = sources(&self.config);
        problems.extend(complaints);
        let sources = sources.unwrap_or_else(|| {
            let zones = self.table.zones().iter();
            zones.map(|zone| zone.source.clone()).collect()
        });
        problems.iter().for_each(|line| tracing::error!("{line}"));
        let names = self.config.health.all_names();
        let (table, in_force) = (&mut self.table, self.places.maps());
        let update = || table.update(sources, scope, in_force, maps.is_new, &names);
        let mut update = self.pace.run(update);
        if update.takes_next {
            self.places.take_next();
            maps.problems.clear();
        }
        let has_other_maps = update.takes_next || maps.is_new && maps.problems.is_empty();
        for line in &maps.problems {
            tracing::error!("{line}");
        }
        problems.extend(maps.problems);
        is_moving |= maps.is_moving | self.refresh_health(scope, &update, &mut problems);
        update.is_moving |= is_moving;
        update.problems.splice(0..0, problems);
        self.stale.zones |= update.loaded > 0 || update.removed > 0 || update.rearranged;
        self.stale.rest |= has_other_maps || self.has_other_health();
        let snapshot = match self.stale == Stale::default() {
            true => None,
            false => self.build_or_tell(&mut update),
        };
        Outcome {
            snapshot,
            update,
            duration: started.elapsed(),
        }
    }

    fn build_or_tell(&mut self, update: &mut Update) -> Option<Arc<Snapshot>> {
        let built = self.build().inspect_err(|error| {
            tracing::error!("reload: {error:#}; the old data stays");
            update.problems.push(error.to_string());
        });
        built.ok()
    }

    /// Reads the configuration file if it has changed; says whether it should be looked at again
    /// soon. One that is wrong changes nothing.
    fn reread_config(&mut self, scope: &Scope, problems: &mut Vec<String>) -> bool {
        let look = self.config_file.look(true, scope);
        if look != Look::Read {
            return look == Look::Later;
        }
        self.config_file = Reading::of(self.arguments.config.as_deref());
        let read = Config::load(&self.arguments);
        self.config_file.set_refused(read.is_err());
        match read {
            Ok(config) => self.adopt(config, problems),
            Err(error) => problems.push(error.to_string()),
        }
        false
    }

    /// Takes over what may change while the server runs, and says what may not.
    fn adopt(&mut self, config: Config, problems: &mut Vec<String>) {
        if config.log != self.config.log
            && let Err(error) = telemetry::log::change(&config.log)
        {
            problems.push(error);
        }
        for option in self.config.frozen_differences(&config) {
            tracing::warn!("{option} has changed: it takes effect at the next start");
        }
        let config = self.config.thawed(config);
        match policy(&config, &self.secrets) {
            Ok(policy) if policy == self.policy => {}
            Ok(policy) => {
                tracing::info!("answers are made by the changed configuration from now on");
                self.adopt_policy(policy);
                self.stale.rest = true;
            }
            Err(error) => problems.push(error.to_string()),
        }
        self.config = config;
    }

    fn adopt_policy(&mut self, policy: Policy) {
        if policy.cookies != self.policy.cookies {
            self.cookies_since = Instant::now();
        }
        self.policy = policy;
    }

    /// Makes cookies from another secret, where the server draws its own. The one before stays
    /// right until the next time.
    fn rotate_cookies(&mut self) -> Result<Arc<Snapshot>> {
        if self.policy.cookies.is_none() {
            bail!("cookies are off: cookies.policy");
        }
        if !self.config.answers.cookie_secrets.is_empty() {
            bail!(
                "the secrets are the configuration's: put another first in cookies.secrets, and \
                 reload"
            );
        }
        let before = self.secrets.clone();
        self.secrets.rotate()?;
        let policy = policy(&self.config, &self.secrets);
        let built = policy.map_err(anyhow::Error::from).and_then(|policy| {
            self.adopt_policy(policy);
            self.stale.rest = true;
            self.build()
        });
        if built.is_err() {
            self.secrets = before;
        }
        built
    }

    fn build(&mut self) -> Result<Arc<Snapshot>> {
        let generation = self.generation + 1;
        let (policy, geo) = (self.policy.clone(), Arc::clone(self.places.geo()));
        let verdicts = self.health.board.lock().verdicts();
        let health = verdicts.health();
        let (table, key) = (&self.table, self.key);
        let last = self.last.as_ref().filter(|_| !self.stale.zones);
        let snapshot = self.pace.run(|| match last {
            Some(last) => last.again(generation, policy, geo, health),
            None => {
                let zones = table.served().cloned().collect();
                Snapshot::new(generation, zones, policy, key)?.with_geo(geo, health)
            }
        })?;
        let places = self.count_places.of(&snapshot);
        let snapshot = Arc::new(snapshot.with_count_places(places));
        self.generation = generation;
        self.stale = Stale::default();
        self.health.built = verdicts;
        self.last = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// The databases of where clients are.
    fn databases(&self) -> Arc<[PathBuf]> {
        self.config.geo.databases.as_slice().into()
    }

    /// The files that it is all made of.
    fn files(&self) -> impl Iterator<Item = &Path> {
        let config = self.config_file.paths();
        let rest = self.places.files().chain(self.health.file());
        let rest = rest.chain(self.table.files());
        config.chain(rest)
    }
}

/// Seconds since `time`.
fn age_s(time: SystemTime) -> u64 {
    time.elapsed().unwrap_or_default().as_secs()
}

//! What is down: the file of marks, and when snapshots follow from what is known.

use super::Resources;
use super::reading::{Look, Reading, Scope};
use super::zones::{Update, ZoneTable};
use crate::health::{self, SharedBoard, Target, Verdicts};
use crate::snapshot::Snapshot;
use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What resources have of health.
pub(super) struct Health {
    pub(super) board: SharedBoard,
    marks: MarksFile,
    /// What the last snapshot was built with.
    pub(super) built: Arc<Verdicts>,
}

/// What the operator says of an address or a variant.
pub(in crate::server) struct MarkChange {
    /// What it is about.
    pub(in crate::server) target: Target,
    /// Up, down, or whatever the file and the checks say.
    pub(in crate::server) is_up: Option<bool>,
    /// For how long.
    pub(in crate::server) lasts: Option<Duration>,
}

type Marks = BTreeMap<Target, bool>;

/// What came of looking at the file of marks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MarksRefresh {
    /// Other marks.
    marks: Option<Marks>,
    /// Whether somebody seems to be writing the file still.
    pub(super) is_moving: bool,
    /// Why the old marks stay.
    pub(super) problems: Vec<String>,
}

/// The file of marks.
#[derive(Default)]
struct MarksFile {
    path: Option<PathBuf>,
    reading: Reading,
}

impl MarksFile {
    /// Reads the file at `path` if it is another one than before, or has changed.
    fn refresh(&mut self, path: Option<&Path>, scope: &Scope) -> MarksRefresh {
        let look = self.reading.look(self.path.as_deref() == path, scope);
        if look != Look::Read {
            return MarksRefresh {
                is_moving: look == Look::Later,
                ..MarksRefresh::default()
            };
        }
        self.path = path.map(Path::to_owned);
        self.reading = Reading::of(path);
        let read = path.map_or_else(|| Ok(Marks::new()), read_marks);
        self.reading.set_refused(read.is_err());
        match read {
            Ok(marks) => MarksRefresh {
                marks: Some(marks),
                ..MarksRefresh::default()
            },
            Err(problems) => MarksRefresh {
                problems,
                ..MarksRefresh::default()
            },
        }
    }
}

/// Reads a file of marks.
pub(super) fn read_marks(path: &Path) -> Result<Marks, Vec<String>> {
    match fs::read_to_string(path) {
        Ok(text) => health::parse(&text, path),
        Err(error) => Err(vec![format!("{}: {error}", path.display())]),
    }
}

impl Health {
    /// Reads the marks for the first time.
    pub(super) fn load(path: Option<&Path>) -> Result<Self> {
        let mut health = Self {
            board: SharedBoard::new().context("health")?,
            marks: MarksFile::default(),
            built: Arc::default(),
        };
        let refresh = health.refresh(path, &Scope::All);
        for line in &refresh.problems {
            tracing::error!("{line}");
        }
        match refresh.problems.is_empty() {
            true => Ok(health),
            false => Err(anyhow!("health.marks cannot be read as it is")),
        }
    }

    /// Reads the marks again if they have changed.
    pub(super) fn refresh(&mut self, path: Option<&Path>, scope: &Scope) -> MarksRefresh {
        let mut refresh = self.marks.refresh(path, scope);
        if let Some(marks) = refresh.marks.take() {
            self.board.lock().set_file_marks(marks, Instant::now());
        }
        refresh
    }

    /// The file of marks.
    pub(super) fn file(&self) -> Option<&Path> {
        self.marks.path.as_deref()
    }
}

impl Resources {
    /// Checks the addresses that the zones have now.
    pub(super) fn follow_health(&self) {
        let table = &self.table;
        let addresses = |name: &[u8]| addresses_of(table, name);
        let now = Instant::now();
        let board = &self.health.board;
        board.lock().follow(&self.config.health, addresses, now);
        board.wake_checker();
    }

    /// A snapshot without what is down, if that is something else than before.
    pub(super) fn build_if_health_changed(&mut self, now: Instant) -> Option<Arc<Snapshot>> {
        let verdicts = {
            let mut board = self.health.board.lock();
            board.expire(now);
            board.verdicts()
        };
        if Arc::ptr_eq(&verdicts, &self.health.built) {
            return None;
        }
        self.stale.rest = true;
        let built = self.build();
        // Of what cannot be built, another attempt would not make more.
        self.health.built = verdicts;
        built
            .inspect_err(|error| tracing::error!("health: {error:#}; the old data stays"))
            .ok()
    }

    /// How long until a mark ends by itself.
    pub(super) fn mark_ends_in(&self, now: Instant) -> Option<Duration> {
        let end = self.health.board.lock().next_end();
        end.map(|end| end.saturating_duration_since(now))
    }

    /// Takes what the operator says; and warns, if that is about nothing that is served.
    pub(super) fn mark(&mut self, change: MarkChange, now: Instant) -> Value {
        let warning = warning(&self.table, &change.target);
        let until = change.lasts.and_then(|lasts| now.checked_add(lasts));
        let told = json!({
            "target": change.target.to_string(),
            "mark": change.is_up.map_or("none", |is_up| if is_up { "up" } else { "down" }),
            "seconds": change.lasts.map(|lasts| lasts.as_secs()),
            "warning": warning,
        });
        let mut board = self.health.board.lock();
        board.mark(change.target, change.is_up, until, now);
        told
    }

    /// Reads the marks again if they have changed, and checks what zones and configuration have
    /// now; says whether somebody seems to be writing the marks.
    pub(super) fn refresh_health(
        &mut self,
        scope: &Scope,
        update: &Update,
        problems: &mut Vec<String>,
    ) -> bool {
        let options = &self.config.health;
        let refresh = self.health.refresh(options.marks.as_deref(), scope);
        for line in &refresh.problems {
            tracing::error!("{line}; the old marks stay");
        }
        problems.extend(refresh.problems);
        let has_other_zones = update.loaded + update.removed > 0;
        if has_other_zones || !self.health.board.lock().follows(options) {
            self.follow_health();
        }
        refresh.is_moving
    }

    /// Whether other things are down than when the last snapshot was built.
    pub(super) fn has_other_health(&self) -> bool {
        let verdicts = self.health.board.lock().verdicts();
        !Arc::ptr_eq(&verdicts, &self.health.built)
    }
}

/// The addresses of a name in whichever zone it varies.
fn addresses_of(table: &ZoneTable, name: &[u8]) -> Vec<IpAddr> {
    let variants = table.served().filter_map(|zone| zone.variants.as_ref());
    let mut addresses: Vec<IpAddr> = variants.flat_map(|own| own.addresses_of(name)).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// What is to be said of a mark that does nothing.
fn warning(table: &ZoneTable, target: &Target) -> Option<String> {
    let mut variants = table.served().filter_map(|zone| zone.variants.as_ref());
    match target {
        Target::Address(address) => {
            let is_known = variants.any(|own| own.has_address(*address));
            (!is_known).then(|| {
                format!(
                    "no name that varies, is checked or stands in health.names has {address}: \
                     the mark does nothing now"
                )
            })
        }
        Target::Variant { name, region } => {
            let is_known = variants.any(|own| own.has_variant(name, region));
            (!is_known).then(|| format!("there is no variant {target}: the mark does nothing now"))
        }
    }
}

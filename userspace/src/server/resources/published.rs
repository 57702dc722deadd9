//! What the rest of the server sees of resources.

use crate::packet::cookie::Secret;
use crate::snapshot::Snapshot;
use crate::telemetry::ResourceMetric;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// What the rest of the server sees of the resource thread's work.
#[derive(Clone)]
pub(in crate::server) struct Published {
    /// The snapshot that was handed out last.
    pub(in crate::server) snapshot: Arc<Snapshot>,
    /// The databases that its maps were made from.
    pub(in crate::server) databases: Arc<[PathBuf]>,
    /// When it was handed out.
    pub(in crate::server) since: Instant,
    /// Reloads so far, also those that changed nothing.
    pub(in crate::server) reloads: u64,
    /// Reloads that left something as it was because it could not be read.
    pub(in crate::server) reload_errors: u64,
    /// Zones whose files cannot be read as they are.
    pub(in crate::server) zones_failed: usize,
    /// Snapshots that workers still have in their hands beside the last one.
    pub(in crate::server) snapshots_outstanding: usize,
    /// What cookies are made from, where nothing is configured.
    pub(in crate::server) cookie_secret: Secret,
}

impl Published {
    /// A number that is told of it.
    pub(in crate::server) fn get(&self, metric: ResourceMetric) -> u64 {
        match metric {
            ResourceMetric::Generation => self.snapshot.generation(),
            ResourceMetric::AgeSeconds => self.since.elapsed().as_secs(),
            ResourceMetric::Zones => self.snapshot.zones().len() as u64,
            ResourceMetric::ZonesFailed => self.zones_failed as u64,
            ResourceMetric::SnapshotsOutstanding => self.snapshots_outstanding as u64,
            ResourceMetric::Reloads => self.reloads,
            ResourceMetric::ReloadErrors => self.reload_errors,
        }
    }
}

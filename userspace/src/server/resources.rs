//! The resource thread's work: zone files → snapshot, the old one kept where a new one fails.

use super::progress;
use crate::config::{Config, ZoneSource};
use crate::name;
use crate::packet::NameKey;
use crate::packet::cookie::Secret;
use crate::snapshot::{Policy, Snapshot};
use crate::sys::{cpu, heap};
use crate::zone::image::ZoneImage;
use crate::zone::load::{Loaded, load_all};
use crate::zone::progress::{Effort, Progress};
use anyhow::{Context, Result, anyhow, bail};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// What snapshots are built from.
#[derive(Clone)]
pub(super) struct Resources {
    sources: Vec<ZoneSource>,
    policy: Policy,
    key: NameKey,
    generation: u64,
    images: HashMap<Vec<u8>, ZoneImage>,
}

impl Resources {
    /// Loads everything for the first time: an error in any zone is an error.
    pub(super) fn load(config: &Config) -> Result<(Self, Arc<Snapshot>)> {
        let mut random = [0; 24];
        getrandom::fill(&mut random).context("random numbers for the name index")?;
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).context("random numbers for cookies")?;
        let mut resources = Self {
            sources: config.zones.clone(),
            policy: policy(config, Secret(secret)),
            key: NameKey::new(bytemuck::pod_read_unaligned(&random)),
            generation: 0,
            images: HashMap::new(),
        };
        if resources.sources.is_empty() {
            tracing::warn!(
                "there is no zone: every query is refused (--zone ORIGIN=FILE adds one)"
            );
        }
        let failed = resources.read_zones();
        if failed > 0 {
            bail!(
                "{failed} of {} zones cannot be loaded",
                resources.sources.len()
            );
        }
        let snapshot = resources.build()?;
        Ok((resources, snapshot))
    }

    /// Reads every zone anew. One that fails keeps what it had.
    pub(super) fn reload(&mut self) -> Result<Arc<Snapshot>> {
        let failed = self.read_zones();
        if failed > 0 {
            tracing::warn!(
                failed,
                "zones that cannot be loaded are served as they were"
            );
        }
        self.build()
    }

    /// Reads the zone files; says how many failed.
    fn read_zones(&mut self) -> usize {
        let started = Instant::now();
        let mut failed = 0;
        let mut records = 0;
        let all = load(&self.sources);
        for (source, loaded) in self.sources.iter().zip(all) {
            for warning in loaded.warnings {
                tracing::warn!("{warning}");
            }
            match loaded.image {
                Err(errors) => {
                    failed += 1;
                    errors.iter().for_each(|error| tracing::error!("{error}"));
                }
                Ok(image) => {
                    let origin = name::display(&source.origin);
                    tracing::debug!(zone = %origin, serial = image.serial(), "zone loaded");
                    records += image.record_count();
                    self.images.insert(source.origin.clone(), image);
                }
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        tracing::info!(
            zones = self.sources.len() - failed,
            records,
            seconds,
            "zones loaded"
        );
        failed
    }

    fn build(&mut self) -> Result<Arc<Snapshot>> {
        let images = self
            .sources
            .iter()
            .filter_map(|source| self.images.get(&source.origin));
        let zones = images.cloned().collect();
        self.generation += 1;
        let snapshot = Snapshot::new(self.generation, zones, self.policy.clone(), self.key)?;
        heap::release();
        Ok(Arc::new(snapshot))
    }
}

/// Loads zones on all CPUs.
pub(super) fn load(sources: &[ZoneSource]) -> Vec<Loaded> {
    let threads = cpu::allowed().map_or(1, |cpus| cpus.len());
    let progress = &Progress::none();
    progress::shown(progress, || load_all(sources, Effort { threads, progress }))
}

/// What is answered beside the zones' data. It stays for as long as the server runs, and so do the
/// cookies that clients have.
fn policy(config: &Config, random: Secret) -> Policy {
    let answers = &config.answers;
    Policy {
        udp_size_max: config.udp_size_max,
        nsid: answers.nsid.clone().into(),
        client_subnet: answers.client_subnet,
        extended_errors: answers.extended_errors,
        cookies: answers.cookies(random),
        // RFC 7828 §3.1: units of 100 milliseconds.
        tcp_idle_100ms: u16::try_from(config.tcp.keepalive_ms / 100).unwrap_or(u16::MAX),
        chaos: answers.chaos.clone(),
    }
}

/// `ripples check`: loads the zones and prints what is wrong with them. False when there are
/// errors.
pub(super) fn check(config: &Config, mut print: impl FnMut(&str)) -> bool {
    let mut sound = true;
    for loaded in load(&config.zones) {
        loaded.warnings.iter().for_each(|warning| print(warning));
        if let Err(errors) = loaded.image {
            sound = false;
            errors.iter().for_each(|error| print(error));
        }
    }
    sound
}

/// A reload under way.
pub(super) struct Reload(Option<JoinHandle<Result<Reloaded>>>);

/// The resources after a reload, and the snapshot made from them.
type Reloaded = (Resources, Arc<Snapshot>);

impl Reload {
    /// Builds a snapshot on a thread of its own.
    pub(super) fn start(mut resources: Resources) -> io::Result<Self> {
        let thread = thread::Builder::new()
            .name("resources".to_owned())
            .spawn(move || {
                let snapshot = resources.reload()?;
                Ok((resources, snapshot))
            })?;
        Ok(Self(Some(thread)))
    }

    /// What came of it, once it has ended.
    pub(super) fn outcome(&mut self) -> Option<Result<Reloaded>> {
        let thread = self.0.take_if(|thread| thread.is_finished())?;
        Some(
            thread
                .join()
                .unwrap_or_else(|_| Err(anyhow!("the resource thread panicked"))),
        )
    }
}

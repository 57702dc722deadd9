//! Start and stop: load, open, attach, spawn; then listen to the operator until told to leave.

mod attach;
mod resources;
mod sibling;
mod status;
mod workers;

use crate::bpf::Filter;
use crate::config::Config;
use crate::control::{Command, Listener};
use crate::sys::signals::{Signal, Signals};
use crate::sys::wait;
use anyhow::{Context, Result};
use attach::Attachment;
use resources::Resources;
use serde_json::Value;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};
use workers::Workers;

/// Longest sleep of the control thread.
const TICK: Duration = Duration::from_secs(1);

/// Serves until SIGTERM, SIGINT or `ripples ctl stop`.
pub fn run(config: &Config) -> Result<()> {
    // First of all: threads inherit what is blocked here.
    let signals = Signals::block().context("signals")?;
    let control = config.control.as_deref().map(Listener::bind).transpose()?;
    let (resources, snapshot) = Resources::load(config)?;
    let attachment = attach::attach(config)?;
    let workers = Workers::start(config, attachment.ports, snapshot)?;
    let mut server = Server {
        started: Instant::now(),
        config,
        resources,
        workers,
        filters: attachment.filters,
    };
    eprintln!("ready");
    server.listen(&signals, control.as_ref())?;
    server.stop()
}

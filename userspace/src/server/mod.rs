//! Start and stop: load, open, attach, spawn; then listen to the operator until told to leave.

mod attach;
mod compile;
mod loopback;
mod progress;
mod resources;
mod sibling;
mod sockets;
mod status;
mod workers;

use crate::config::{CONTROL_DEFAULT, Config};
use crate::control::{Command, ControlError, Listener};
use crate::snapshot::Snapshot;
use crate::sys::heap;
use crate::sys::signals::{Signal, Signals};
use crate::sys::wait;
use anyhow::{Context, Result};
use attach::Attached;
pub use compile::compile;
use resources::{Reload, Resources};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use workers::Workers;

/// Longest sleep of the control thread.
const TICK: Duration = Duration::from_millis(500);
/// The same while a reload is under way, whose thread rings no bell.
const RELOAD_TICK: Duration = Duration::from_millis(10);

/// A running server, as the control thread has it.
struct Server<'c> {
    config: &'c Config,
    started: Instant,
    attached: Vec<Attached>,
    paths: Vec<String>,
    workers: Workers,
    resources: Resources,
    reload: Option<Reload>,
    snapshot: Arc<Snapshot>,
    stopping: bool,
}

/// Serves until SIGTERM, SIGINT or `ripples ctl stop`.
pub fn run(config: &Config) -> Result<()> {
    // First of all: threads inherit what is blocked here.
    let signals = Signals::block().context("signals")?;
    let control = control(config)?;
    let (resources, snapshot) = Resources::load(config)?;
    let mut workers = Workers::default();
    let attachment = attach::attach(config)?;
    let mut paths = attachment.paths;
    sockets::start(
        config,
        attachment.ports,
        &snapshot,
        &mut workers,
        &mut paths,
    )?;
    // The kernel's type information, which attaching reads, is larger than most zones.
    heap::release();
    let mut server = Server {
        config,
        started: Instant::now(),
        attached: attachment.attached,
        paths,
        workers,
        resources,
        reload: None,
        snapshot,
        stopping: false,
    };
    // Scripts wait for this very line.
    writeln!(io::stderr(), "ready").context("standard error")?;
    server.serve(&signals, control.as_ref())?;
    server.stop()
}

/// The control socket. Another server at the default place is no reason not to serve: several may
/// run on a host, and nobody asked for this place.
fn control(config: &Config) -> Result<Option<Listener>, ControlError> {
    let Some(path) = config.control.as_deref() else {
        return Ok(None);
    };
    match Listener::bind(path) {
        Err(error) if path == Path::new(CONTROL_DEFAULT) => {
            tracing::warn!("{error}: until then it has none");
            Ok(None)
        }
        bound => bound.map(Some),
    }
}

/// `ripples check`: prints what is wrong, one line each. False when something is.
pub fn check(config: &Config) -> bool {
    resources::check(config, |line| {
        // Whoever closed standard output does not want the rest.
        let _ = writeln!(io::stdout(), "{line}");
    })
}

impl Server<'_> {
    /// Waits for the operator, and keeps an eye on the threads.
    fn serve(&mut self, signals: &Signals, control: Option<&Listener>) -> Result<()> {
        while !self.stopping {
            let fds = [Some(signals.as_fd()), control.map(AsFd::as_fd)]
                .into_iter()
                .flatten();
            let kernel_logs = self
                .attached
                .iter()
                .filter_map(|attached| attached.filter.log_fd());
            let tick = if self.reload.is_some() {
                RELOAD_TICK
            } else {
                TICK
            };
            wait::any_readable(fds.chain(kernel_logs), tick)?;
            while let Some(signal) = signals.next()? {
                match signal {
                    Signal::Stop => self.stopping = true,
                    Signal::Reload => self.start_reload(),
                }
            }
            if let Some(control) = control {
                control.serve(|command| self.answer(command));
            }
            self.look_at_interfaces();
            self.finish_reload();
            self.workers.collect();
            self.workers.watch()?;
        }
        Ok(())
    }

    /// Answers a request from the control socket.
    fn answer(&mut self, command: Command) -> Result<Value, String> {
        match command {
            Command::Status => {
                let uptime = self.started.elapsed();
                Ok(status::status(
                    self.config,
                    &self.snapshot,
                    &self.paths,
                    uptime,
                ))
            }
            Command::Stats => Ok(status::stats(&self.workers, &self.attached)),
            Command::Reload if self.reload.is_some() => Err("a reload is under way".to_owned()),
            Command::Reload => {
                self.start_reload();
                Ok(json!({ "reload": "started" }))
            }
            Command::Stop => {
                self.stopping = true;
                Ok(json!({ "stop": "draining" }))
            }
        }
    }

    /// Passes the kernel programs' logs on, and notices when an interface is gone.
    fn look_at_interfaces(&mut self) {
        for attached in &mut self.attached {
            attached.filter.drain_log();
            if attached.has_gone() {
                let interface = &attached.interface;
                tracing::error!(
                    "{interface} is gone: nothing comes over AF_XDP any more, kernel sockets \
                     answer; restart when it is back"
                );
                let own = format!("{interface}: ");
                for path in self.paths.iter_mut().filter(|path| path.starts_with(&own)) {
                    *path = format!("{interface}: gone");
                }
            }
        }
    }

    /// Builds the next snapshot on a thread of its own; the workers go on with this one.
    fn start_reload(&mut self) {
        if self.reload.is_some() {
            tracing::warn!("a reload is under way; this one is left out");
            return;
        }
        match Reload::start(self.resources.clone()) {
            Ok(reload) => self.reload = Some(reload),
            Err(error) => tracing::error!("reload: {error}"),
        }
    }

    /// Takes a finished snapshot and switches the workers to it.
    fn finish_reload(&mut self) {
        let Some(outcome) = self.reload.as_mut().and_then(Reload::outcome) else {
            return;
        };
        self.reload = None;
        match outcome {
            Ok((resources, snapshot)) => {
                self.workers.send(&snapshot);
                let generation = snapshot.generation();
                tracing::info!(generation, zones = snapshot.zones().len(), "reloaded");
                (self.resources, self.snapshot) = (resources, snapshot);
            }
            Err(error) => tracing::error!("reload: {error:#}; the old data stays"),
        }
    }

    /// Packets go to the kernel first, then the workers answer what they have, then all ends.
    fn stop(mut self) -> Result<()> {
        tracing::info!("draining");
        for attached in &mut self.attached {
            attached.filter.detach();
        }
        self.workers.stop()
    }
}

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

use crate::config::{CONTROL_DEFAULT, Config, RunArguments};
use crate::control::{Command, ControlError, Listener, Reply};
use crate::name::NameBuf;
use crate::sys::heap;
use crate::sys::signals::{Signal, Signals};
use crate::sys::wait;
use anyhow::{Context, Result};
use attach::Attached;
pub use compile::compile;
use resources::{Request, ResourceThread, Resources};
use serde_json::json;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};
use workers::Workers;

/// Longest sleep of the control thread.
const TICK: Duration = Duration::from_millis(500);

/// A running server, as the control thread has it.
struct Server<'c> {
    config: &'c Config,
    started: Instant,
    attached: Vec<Attached>,
    paths: Vec<String>,
    workers: Workers,
    resources: ResourceThread,
    stopping: bool,
    /// Whether it was said that nothing is reloaded any more.
    is_frozen: bool,
}

/// Serves until SIGTERM, SIGINT or `ripples ctl stop`.
pub fn run(arguments: &RunArguments, config: &Config) -> Result<()> {
    // First of all: threads inherit what is blocked here.
    let signals = Signals::block().context("signals")?;
    let control = control(config)?;
    let (resources, snapshot) = Resources::load(arguments, config)?;
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
    let resources = ResourceThread::start(resources, snapshot, workers.take_posts())
        .context("the resource thread")?;
    let mut server = Server {
        config,
        started: Instant::now(),
        attached: attachment.attached,
        paths,
        workers,
        resources,
        stopping: false,
        is_frozen: false,
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
            wait::any_readable(fds.chain(kernel_logs), TICK)?;
            while let Some(signal) = signals.next()? {
                match signal {
                    Signal::Stop => self.stopping = true,
                    Signal::Reload => self.resources.ask(Request::Reload(None, None)),
                }
            }
            if let Some(control) = control {
                control.serve(|command, reply| self.answer(command, reply));
            }
            self.look_at_interfaces();
            self.workers.watch()?;
            self.watch_resources();
        }
        Ok(())
    }

    /// Answers a request from the control socket, or hands it on to who can.
    fn answer(&mut self, command: Command, reply: Reply) {
        match command {
            Command::Status => {
                let (uptime, published) = (self.started.elapsed(), self.resources.published());
                let status = status::status(self.config, &published, &self.paths, uptime);
                reply.send(Ok(status));
            }
            Command::Stats => {
                let published = self.resources.published();
                reply.send(Ok(status::stats(&self.workers, &self.attached, &published)));
            }
            Command::Reload { zone } => match origin(zone) {
                Ok(zone) => self.resources.ask(Request::Reload(zone, Some(reply))),
                Err(problem) => reply.send(Err(problem)),
            },
            Command::Zones { zone } => match origin(zone) {
                Ok(zone) => self.resources.ask(Request::Zones(zone, reply)),
                Err(problem) => reply.send(Err(problem)),
            },
            Command::Stop => {
                self.stopping = true;
                reply.send(Ok(json!({ "stop": "draining" })));
            }
        }
    }

    /// Says when nothing will be reloaded any more; what is served is served.
    fn watch_resources(&mut self) {
        if self.resources.has_ended() && !self.is_frozen {
            self.is_frozen = true;
            tracing::error!("the resource thread has ended: nothing is reloaded any more");
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

    /// Packets go to the kernel first, then the workers answer what they have, then all ends.
    fn stop(mut self) -> Result<()> {
        tracing::info!("draining");
        for attached in &mut self.attached {
            attached.filter.detach();
        }
        self.workers.stop()
    }
}

/// The origin that a client named, in lowered wire form.
fn origin(zone: Option<String>) -> Result<Option<Vec<u8>>, String> {
    let Some(text) = zone else {
        return Ok(None);
    };
    let mut name = NameBuf::from_text(text.as_bytes(), b"\0")
        .map_err(|error| format!("{text:?} is no name: {error}"))?;
    name.make_lowercase();
    Ok(Some(name.to_vec()))
}

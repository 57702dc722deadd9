//! Start and stop: load, open, attach, spawn; then listen to the operator until told to leave.

mod absence;
mod attach;
mod bonds;
mod channel;
mod check;
mod commands;
mod compile;
mod handover;
mod http;
mod inspection;
mod limits;
mod live;
mod lookup;
mod loopback;
mod metrics;
mod notify;
mod progress;
mod resources;
mod routes;
mod runtime;
mod sibling;
mod sockets;
mod status;
mod takeover;
mod upgrade;
mod ways;
mod workers;

use crate::config::{CONTROL_DEFAULT, Config, RunArguments};
use crate::control::{ControlError, Listener};
use crate::querylog::QueryLog;
use crate::sys::heap;
use crate::sys::signals::{Signal, Signals};
use crate::sys::wait;
use crate::telemetry::log;
use absence::Absence;
use anyhow::{Context, Result};
use attach::Attached;
pub use check::check;
pub use compile::compile;
use handover::Handover;
use http::{Http, HttpSocket};
pub use lookup::lookup;
pub(crate) use lookup::subnet_len;
use notify::Watchdog;
use resources::{ResourceThread, Resources, Secrets};
use routes::RouteThread;
use runtime::Runtime;
use serde_json::Value;
use sockets::SharedSockets;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};
use takeover::Takeover;
use upgrade::Program;
use workers::Workers;

/// Longest sleep of the control thread.
const TICK: Duration = Duration::from_millis(500);

/// A running server, as the control thread has it.
struct Server<'c> {
    config: &'c Config,
    started: Instant,
    attached: Vec<Attached>,
    /// Interfaces that have gone.
    absent: Vec<Absence>,
    paths: Vec<String>,
    workers: Workers,
    resources: ResourceThread,
    /// Where replies go; none: back to their senders.
    routes: Option<RouteThread>,
    /// Where queries are written down, and seen live.
    query_log: QueryLog,
    /// The kernel sockets, for a server that is to replace this one.
    sockets: SharedSockets,
    handover: Option<Handover>,
    program: io::Result<Program>,
    /// Who asks for metrics.
    http: Option<Http>,
    /// Where they, and those who have live streams, are talked to; none: nobody came yet.
    runtime: Option<Runtime>,
    /// The server that this one has replaced, for `status`.
    replaced: Value,
    stopping: bool,
    /// Whether another server has all that is open here.
    leaving: bool,
    /// Whether it was said that nothing is reloaded any more.
    is_frozen: bool,
}

/// Serves until SIGTERM, SIGINT, `ripples ctl stop`, or another server takes over.
pub fn run(arguments: &RunArguments, config: &Config) -> Result<()> {
    // First of all: threads inherit what is blocked here.
    let signals = Signals::block().context("signals")?;
    let descriptors = limits::raise_descriptors();
    let mut takeover = Takeover::begin(config)?;
    let mut control = match &mut takeover {
        Some(takeover) => takeover.control(config),
        None => control(config)?,
    };
    let open = |address| HttpSocket::open(address, config.replace);
    let http = config.http.map(open).transpose()?;
    let mut server = start(arguments, config, &mut takeover)?;
    if let Err(error) = server.take_over(takeover, control.as_mut()) {
        // The old server has all that is open here.
        server.workers.stop(true)?;
        return Err(error);
    }
    limits::check_descriptors(&config.tcp, descriptors);
    if let Some(socket) = http {
        server.http = Some(Http::start(socket, server.runtime()?)?);
    }
    // Scripts wait for this very line, and read what was logged before it.
    log::settle();
    writeln!(io::stderr(), "ready").context("standard error")?;
    notify::serving(&server.summary());
    let checks = server.resources.start_checks().context("health")?;
    server.serve(&signals, control.as_mut())?;
    drop(checks);
    // One that is replacing this server goes on alone.
    server.leaving |= server.handover.is_some();
    if let (true, Some(control)) = (server.leaving, &mut control) {
        control.leave();
    }
    server.stop()
}

/// Loads, opens, attaches and spawns. What may fail or take long comes before an old server lets go
/// of anything.
fn start<'c>(
    arguments: &RunArguments,
    config: &'c Config,
    takeover: &mut Option<Takeover>,
) -> Result<Server<'c>> {
    let inherited = takeover.as_ref().and_then(Takeover::cookie_secret);
    let secrets = inherited.map_or_else(Secrets::drawn, |secret| Ok(Secrets::of(secret)))?;
    let (resources, snapshot) = Resources::load(arguments, config, secrets)?;
    let mut workers = Workers::new(config.zone_metrics);
    let (sockets, links) = takeover
        .as_mut()
        .map(Takeover::inheritance)
        .unwrap_or_default();
    let kernel = sockets::open(config, sockets)?;
    let interfaces = attach::prepare(config, links)?;
    if let Some(takeover) = takeover {
        takeover.release()?;
    }
    let mut attachment = attach::attach(config, interfaces)?;
    let routes = RouteThread::start_for(config)?;
    if let Some(routes) = &routes {
        routes.serve(&mut attachment.ports)?;
    }
    let mut paths = attachment.paths;
    let sockets = sockets::start(
        config,
        attachment.ports,
        kernel,
        &snapshot,
        &mut workers,
        &mut paths,
    )?;
    // The kernel's type information, which attaching reads, is larger than most zones.
    heap::release();
    log::keep_off(workers.cpus());
    let resources = ResourceThread::start(resources, snapshot, workers.take_posts())
        .context("the resource thread")?;
    Ok(Server {
        config,
        started: Instant::now(),
        attached: attachment.attached,
        absent: Vec::new(),
        paths,
        query_log: query_log(config, &mut workers)?,
        workers,
        resources,
        routes,
        sockets,
        handover: None,
        program: Program::own(),
        http: None,
        runtime: None,
        replaced: Value::Null,
        stopping: false,
        leaving: false,
        is_frozen: false,
    })
}

/// The query log. Where none is configured it sleeps until somebody looks on.
fn query_log(config: &Config, workers: &mut Workers) -> Result<QueryLog> {
    let (options, sources) = (&config.query_log, workers.take_sources());
    let taken = workers.cpus();
    let log = QueryLog::start(&options.outputs, sources, options.buffer_len, &taken);
    log.context("the query log")
}

/// The control socket. Another server at the default place is no reason not to serve: several may
/// run on a host, and nobody asked for this place.
fn control(config: &Config) -> Result<Option<Listener>, ControlError> {
    let Some(path) = config.control.as_deref() else {
        return Ok(None);
    };
    match Listener::bind(path, &config.control_access) {
        Err(error) if path == Path::new(CONTROL_DEFAULT) => {
            tracing::warn!("{error}: until then it has none");
            Ok(None)
        }
        bound => bound.map(Some),
    }
}

/// Says anew how an interface is served.
fn set_path(paths: &mut [String], interface: &str, path: &str) {
    let own = format!("{interface}: ");
    for known in paths.iter_mut().filter(|known| known.starts_with(&own)) {
        *known = format!("{own}{path}");
    }
}

impl Server<'_> {
    /// Takes the frames of the interfaces that another server had, and tells it.
    fn take_over(
        &mut self,
        takeover: Option<Takeover>,
        control: Option<&mut Listener>,
    ) -> Result<()> {
        for attached in &mut self.attached {
            attached.take_over()?;
        }
        if let Some(takeover) = takeover {
            self.replaced = takeover.finish()?;
            control.map_or(Ok(()), Listener::own)?;
        }
        Ok(())
    }

    /// Waits for the operator, and keeps an eye on the threads.
    fn serve(&mut self, signals: &Signals, mut control: Option<&mut Listener>) -> Result<()> {
        let mut watchdog = Watchdog::new();
        while !self.stopping {
            let clients = control.iter().flat_map(|control| control.fds());
            let fds = [signals.as_fd()].into_iter().chain(clients);
            let others = [
                self.handover.as_ref().map(AsFd::as_fd),
                self.http.as_ref().map(AsFd::as_fd),
            ];
            let kernel_logs = self
                .attached
                .iter()
                .filter_map(|attached| attached.filter.log_fd());
            let tick = watchdog.tick(TICK);
            wait::any_readable(
                fds.chain(others.into_iter().flatten()).chain(kernel_logs),
                tick,
            )?;
            watchdog.feed();
            while let Some(signal) = signals.next()? {
                match signal {
                    Signal::Stop => self.stopping = true,
                    Signal::Reload => {
                        log::reopen();
                        self.resources.reload();
                        self.query_log.rotate();
                    }
                }
            }
            if let Some(control) = &mut control {
                for successor in control.serve(|command, reply| self.answer(command, reply)) {
                    self.begin_handover(successor, control);
                }
            }
            self.answer_collectors()?;
            self.continue_handover();
            self.look_at_interfaces()?;
            self.workers.watch()?;
            self.watch_resources();
        }
        Ok(())
    }

    /// Tells metrics to whoever has asked over HTTP.
    fn answer_collectors(&self) -> Result<()> {
        let Some(http) = &self.http else {
            return Ok(());
        };
        http.answer(|format| {
            let sources = metrics::Sources {
                workers: &self.workers,
                attached: &self.attached,
                published: &self.resources.published(),
                health: self.resources.board().lock().counts(),
                query_log: &self.query_log,
                uptime: self.started.elapsed(),
            };
            metrics::text(&sources, format)
        })?;
        Ok(())
    }

    /// Says when nothing will be reloaded any more; what is served is served.
    fn watch_resources(&mut self) {
        if self.resources.has_ended() && !self.is_frozen {
            self.is_frozen = true;
            tracing::error!("the resource thread has ended: nothing is reloaded any more");
        }
    }

    /// What is served, in a line.
    fn summary(&self) -> String {
        let (zones, addresses) = (
            self.resources.published().snapshot.zones().len(),
            self.config.listen.len(),
        );
        format!(
            "{zones} zones on {addresses} addresses; {}",
            self.paths.join("; ")
        )
    }

    /// Packets go to the kernel first, then the workers answer what they have, then all ends. Where
    /// another server has all that is open here, they are its packets.
    fn stop(mut self) -> Result<()> {
        tracing::info!("draining");
        if !self.leaving {
            notify::stopping();
        }
        for attached in &mut self.attached {
            attached.filter.detach();
        }
        // As long as anybody has them, clients are kept waiting for nobody.
        self.sockets = SharedSockets::default();
        let stopped = self.workers.stop(self.leaving);
        self.query_log.stop();
        if let Some(runtime) = self.runtime {
            runtime.finish();
        }
        stopped
    }
}

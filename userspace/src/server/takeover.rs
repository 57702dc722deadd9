//! The new server's side of a replacement: what it gets from the old one, and when.

use super::channel::{Channel, Descriptor, Greeting, HANDOVER, Step};
use super::sockets::SharedSockets;
use crate::bpf::AttachMode;
use crate::config::Config;
use crate::control::{Command, Listener, Request, Response};
use crate::packet::cookie::Secret;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::mem::take;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the old server may take to answer,
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// and to let go of its queues: it answers what is in them first.
const RELEASE_PATIENCE: Duration = Duration::from_secs(15);

/// A replacement that this server has begun. Dropped before its end, the old one goes on.
pub(super) struct Takeover {
    channel: Channel,
    greeting: Greeting,
    /// Whether the old one has ended before it was told to.
    alone: bool,
    /// When the old one was told to let go of its queues.
    asked: Instant,
    /// Its kernel sockets.
    sockets: SharedSockets,
    /// Its attachments.
    links: Vec<Link>,
    control: Option<OwnedFd>,
}

/// The attachment of a kernel program, made by another process.
pub(super) struct Link {
    /// The interface's name.
    pub(super) interface: String,
    /// The interface's number.
    pub(super) index: u32,
    /// How the program is run.
    pub(super) mode: AttachMode,
    /// The attachment itself.
    pub(super) descriptor: OwnedFd,
}

impl Takeover {
    /// Asks the server at the control socket for what it has. None where `--replace` was not given,
    /// or there is no server.
    pub(super) fn begin(config: &Config) -> Result<Option<Self>> {
        if !config.replace {
            return Ok(None);
        }
        let path = config.control.as_deref().context(
            "--replace: give the control socket of the server that is to be replaced, as \
             --control PATH",
        )?;
        let Ok(stream) = UnixStream::connect(path) else {
            let path = path.display();
            tracing::info!("--replace: no server answers at {path}; nothing is to be replaced");
            return Ok(None);
        };
        let mut channel = Channel::new(stream)?;
        let greeting = greet(&mut channel, path)?;
        let mut takeover = Self {
            channel,
            alone: false,
            asked: Instant::now(),
            sockets: SharedSockets::default(),
            links: Vec::new(),
            control: None,
            greeting,
        };
        for _ in 0..takeover.greeting.descriptors {
            takeover
                .take_descriptor()
                .context("--replace: the old server's sockets")?;
        }
        let (pid, release) = (takeover.greeting.pid, &takeover.greeting.release);
        tracing::info!(pid, release, "replaces a server, which answers meanwhile");
        Ok(Some(takeover))
    }

    fn take_descriptor(&mut self) -> Result<()> {
        let what = self.channel.receive(ANSWER_PATIENCE)?;
        let what = what.context("the server has ended meanwhile")?;
        let descriptor = self.channel.descriptor().context("there is none")?;
        match what {
            Descriptor::Control => self.control = Some(descriptor),
            Descriptor::Udp(address) => self.sockets.udp.push((address, descriptor)),
            Descriptor::Tcp(address) => self.sockets.tcp.push((address, descriptor)),
            Descriptor::Link {
                interface,
                index,
                generic,
            } => self.links.push(Link {
                interface,
                index,
                mode: match generic {
                    true => AttachMode::Generic,
                    false => AttachMode::Native,
                },
                descriptor,
            }),
        }
        Ok(())
    }

    /// What the old server makes cookies from, if it has drawn that itself.
    pub(super) fn cookie_secret(&self) -> Option<Secret> {
        self.greeting.cookie_secret.map(Secret)
    }

    /// The old server's kernel sockets and attachments.
    pub(super) fn inheritance(&mut self) -> (SharedSockets, Vec<Link>) {
        (take(&mut self.sockets), take(&mut self.links))
    }

    /// The old server's control socket. Its clients are the old one's for now.
    pub(super) fn control(&mut self, config: &Config) -> Option<Listener> {
        let path = config.control.as_deref()?;
        let options = &config.control_access;
        Some(Listener::adopt(self.control.take()?, path, options))
    }

    /// Has the old server let go of its queues: from here on kernel sockets answer, the same for
    /// both.
    pub(super) fn release(&mut self) -> Result<()> {
        self.asked = Instant::now();
        // An error tells the same as the answer that does not come.
        let _ = self.channel.send(&Step::Take, None);
        match self.channel.receive(RELEASE_PATIENCE) {
            Ok(Some(Step::Released)) => {}
            Ok(None) => self.go_on_alone(),
            Ok(Some(step)) => bail!("--replace: the old server says {step:?} when told to release"),
            Err(error) => {
                return Err(error).context("--replace: the old server does not let go");
            }
        }
        let ms = self.asked.elapsed().as_millis();
        tracing::info!(ms, "the old server has let go of its queues");
        Ok(())
    }

    /// Tells the old server that all is answered here. After this there is no way back. Returns
    /// what `status` says of it.
    pub(super) fn finish(mut self) -> Result<Value> {
        let switched = self.asked.elapsed();
        let _ = self.channel.send(&Step::Done, None);
        if !self.alone {
            match self.channel.receive(ANSWER_PATIENCE) {
                Ok(Some(Step::Leaving)) => {}
                Ok(Some(step)) => bail!("--replace: the old server goes on: it says {step:?}"),
                Ok(None) => self.go_on_alone(),
                Err(error) => {
                    return Err(error).context("--replace: the old server does not leave");
                }
            }
        }
        let (pid, release) = (self.greeting.pid, self.greeting.release);
        let ms = switched.as_millis();
        tracing::info!(pid, ms, "has replaced the old server");
        Ok(json!({ "pid": pid, "version": release, "switch_ms": ms }))
    }

    fn go_on_alone(&mut self) {
        self.alone = true;
        let pid = self.greeting.pid;
        tracing::warn!(pid, "the old server has ended by itself; going on without");
    }
}

/// Asks to replace the server; a refusal is an error.
fn greet(channel: &mut Channel, path: &Path) -> Result<Greeting> {
    let place = path.display();
    let response: Option<Response> = channel
        .send(&Request::new(Command::Replace), None)
        .and_then(|()| channel.receive(ANSWER_PATIENCE))
        .with_context(|| format!("--replace: the server at {place}"))?;
    let response =
        response.with_context(|| format!("--replace: the server at {place} hangs up"))?;
    if !response.ok {
        let said = response.error.unwrap_or_default();
        bail!("--replace: the server at {place} cannot be replaced, and goes on: {said}");
    }
    let version = &response.result["handover"];
    if *version != HANDOVER {
        bail!(
            "--replace: the server at {place} is replaced in version {version} of the way to do \
             so, this release in {HANDOVER}; stop it, then start this one"
        );
    }
    serde_json::from_value(response.result)
        .with_context(|| format!("--replace: the greeting of the server at {place}"))
}

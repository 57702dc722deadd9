//! The old server's side of a replacement: what it gives away, and how it gets it back.

use super::Server;
use super::channel::{Channel, Descriptor, Greeting, HANDOVER, Step};
use crate::bpf::AttachMode;
use crate::control::{Code, Listener, Refusal, Response};
use crate::sys::{barrier, wait};
use anyhow::{Context, Result};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long the new server may have the queues before it is done.
const DONE_PATIENCE: Duration = Duration::from_secs(30);
/// A message that has begun to come is there.
const MESSAGE_PATIENCE: Duration = Duration::from_millis(200);

/// A replacement by another server, under way.
pub(super) struct Handover {
    channel: Channel,
    /// The other server's process.
    pid: u32,
    /// When the queues were given away.
    released: Option<Instant>,
}

impl Handover {
    /// Whether the other server has been given the queues.
    pub(super) fn has_released(&self) -> bool {
        self.released.is_some()
    }

    fn is_overdue(&self) -> bool {
        self.released
            .is_some_and(|since| since.elapsed() > DONE_PATIENCE)
    }
}

impl AsFd for Handover {
    /// Readable when the other server has said something, or is gone.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

impl Server<'_> {
    /// Gives the server at the other end all that is open here, to have it as well. Nothing else
    /// changes until it says that it takes over.
    pub(super) fn begin_handover(&mut self, stream: UnixStream, control: &Listener) {
        match self.offer(stream, control) {
            Ok(Some(handover)) => self.handover = Some(handover),
            Ok(None) => {}
            Err(error) => tracing::warn!("a server that was to replace this one: {error:#}"),
        }
    }

    fn offer(&self, stream: UnixStream, control: &Listener) -> Result<Option<Handover>> {
        let channel = Channel::new(stream)?;
        let pid = channel.peer().unwrap_or_default();
        if let Some(first) = &self.handover {
            let problem = format!("process {} is replacing it already", first.pid);
            tracing::warn!(pid, "is not to replace this server: {problem}");
            let refusal = Refusal::new(Code::Failed, problem);
            channel.send(&Response::refused(refusal), None)?;
            return Ok(None);
        }
        let descriptors = self.descriptors(control);
        let drawn = self.config.answers.cookie_secrets.is_empty();
        let greeting = serde_json::to_value(Greeting {
            handover: HANDOVER,
            pid: std::process::id(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            cookie_secret: drawn.then(|| self.resources.published().cookie_secret.0),
            descriptors: descriptors.len(),
        });
        channel.send(&Response::granted(greeting?), None)?;
        for (what, descriptor) in &descriptors {
            channel.send(what, Some(*descriptor))?;
        }
        tracing::info!(
            pid,
            descriptors = descriptors.len(),
            "a server prepares to replace this one"
        );
        Ok(Some(Handover {
            channel,
            pid,
            released: None,
        }))
    }

    /// All that is open, and what it is.
    fn descriptors<'s>(&'s self, control: &'s Listener) -> Vec<(Descriptor, BorrowedFd<'s>)> {
        let mut all = vec![(Descriptor::Control, control.as_fd())];
        let udp = self.sockets.udp.iter();
        all.extend(udp.map(|(address, socket)| (Descriptor::Udp(*address), socket.as_fd())));
        let tcp = self.sockets.tcp.iter();
        all.extend(tcp.map(|(address, socket)| (Descriptor::Tcp(*address), socket.as_fd())));
        all.extend(self.attached.iter().filter_map(|attached| {
            let link = Descriptor::Link {
                interface: attached.interface.clone(),
                index: attached.index,
                generic: attached.mode == AttachMode::Generic,
            };
            Some((link, attached.filter.link()?))
        }));
        all
    }

    /// Does what the other server says; without it, takes back what it had.
    pub(super) fn continue_handover(&mut self) {
        let Some(handover) = &mut self.handover else {
            return;
        };
        let said = wait::readable([handover.as_fd()], Some(Duration::ZERO));
        if !handover.is_overdue() && said.is_ok_and(|[said]| !said) {
            return;
        }
        let outcome = match handover.channel.receive(MESSAGE_PATIENCE) {
            Ok(Some(Step::Take)) if handover.released.is_none() => self.release(),
            Ok(Some(Step::Done)) if handover.released.is_some() => {
                // Whoever has said this needs no answer to go on.
                let _ = handover.channel.send(&Step::Leaving, None);
                tracing::info!(pid = handover.pid, "replaced");
                (self.leaving, self.stopping) = (true, true);
                return;
            }
            Ok(Some(step)) => Err(anyhow::anyhow!("it says {step:?} out of turn")),
            Ok(None) => Err(anyhow::anyhow!("it has ended")),
            Err(error) => Err(error).context("it takes too long"),
        };
        if let Err(error) = outcome {
            self.take_back(&error);
        }
    }

    /// Lets go of the queues: their frames go to the kernel's sockets. Those in the rings are
    /// answered first.
    fn release(&mut self) -> Result<()> {
        let start = Instant::now();
        for attached in &mut self.attached {
            attached.withhold();
        }
        // A frame whose way was decided before may still be on it, and would find no worker.
        barrier::frames_in_flight();
        let ours: Vec<_> = self.attached.iter().map(|a| a.interface.clone()).collect();
        self.workers.retire(&ours);
        let ms = start.elapsed().as_millis();
        tracing::info!(ms, "has let go of its queues, kernel sockets answer");
        let handover = self.handover.as_mut().context("nobody asks")?;
        handover.released = Some(Instant::now());
        Ok(handover.channel.send(&Step::Released, None)?)
    }

    /// Goes on as before the other server came.
    fn take_back(&mut self, reason: &anyhow::Error) {
        let Some(handover) = self.handover.take() else {
            return;
        };
        // It may be gone already.
        let _ = handover.channel.send(&Step::Cancelled, None);
        let pid = handover.pid;
        tracing::warn!(
            pid,
            "does not replace this server, which goes on: {reason:#}"
        );
        // From here on its descriptors are nobody's but its own, if it still runs.
        drop(handover.channel);
        if handover.released.is_none() {
            return;
        }
        let start = Instant::now();
        let mut queues = Vec::new();
        for mut attached in std::mem::take(&mut self.attached) {
            match attached.reopen(self.config) {
                Ok(ports) => {
                    queues.extend(ports);
                    self.attached.push(attached);
                }
                Err(error) => self.try_later(attached, &error),
            }
        }
        if let Err(error) = self.serve_queues(queues) {
            for attached in std::mem::take(&mut self.attached) {
                self.try_later(attached, &error);
            }
        }
        let ms = start.elapsed().as_millis();
        tracing::info!(ms, "has its queues back");
    }
}

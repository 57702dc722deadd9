//! Interfaces that go while the server runs, as when a driver lets go of its NIC, and come back.

use super::attach::{self, Attached, Attachment};
use super::handover::Handover;
use super::{Server, set_path, sockets};
use crate::config::Io;
use crate::sys::interface::Interface;
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// Until an interface that is back, but cannot be attached to, is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// An interface that has gone.
pub(super) struct Absence {
    interface: String,
    /// When it may be tried again.
    due: Instant,
    /// What was wrong the last time that it was tried.
    complaint: String,
}

impl Server<'_> {
    /// Passes the kernel programs' logs on, notices when an interface is gone, and takes one that
    /// is back. With `--io auto` kernel sockets answer meanwhile.
    ///
    /// # Errors
    /// An interface is gone, and its frames are to come over AF_XDP only.
    pub(super) fn look_at_interfaces(&mut self) -> Result<()> {
        for attached in &mut self.attached {
            attached.filter.drain_log();
        }
        // While queues change hands, they are nobody's to give up.
        if self.handover.as_ref().is_some_and(Handover::has_released) {
            return Ok(());
        }
        let gone: Vec<_> = self.attached.extract_if(.., |it| it.has_gone()).collect();
        for attached in gone {
            self.give_up(attached)?;
        }
        // Who prepares to replace this one knows what is attached, and of nothing that comes later.
        if self.handover.is_some() {
            return Ok(());
        }
        for mut absence in std::mem::take(&mut self.absent) {
            if !self.take_again(&mut absence) {
                self.absent.push(absence);
            }
        }
        Ok(())
    }

    /// Ends what served an interface that has gone.
    fn give_up(&mut self, attached: Attached) -> Result<()> {
        let interface = attached.interface.clone();
        if self.config.io != Io::Auto {
            bail!("{interface} is gone, and with it AF_XDP; with --io auto kernel sockets go on");
        }
        tracing::error!(
            "{interface} is gone: nothing comes over AF_XDP any more, kernel sockets answer; \
             it is taken again when it is back and up"
        );
        let absence = Absence {
            interface,
            due: Instant::now(),
            complaint: String::new(),
        };
        self.miss(attached, absence, "gone");
        Ok(())
    }

    /// Lets kernel sockets answer for an interface whose queues could not be had, and tries it
    /// again later.
    pub(super) fn try_later(&mut self, attached: Attached, error: &anyhow::Error) {
        let interface = attached.interface.clone();
        tracing::error!(
            interface,
            "kernel sockets answer, tried again soon: {error:#}"
        );
        let absence = Absence {
            interface,
            due: Instant::now() + RETRY,
            complaint: format!("{error:#}"),
        };
        self.miss(attached, absence, "kernel sockets");
    }

    /// Ends all that served an interface; `path` is what is told of it meanwhile.
    fn miss(&mut self, attached: Attached, absence: Absence, path: &str) {
        set_path(&mut self.paths, &absence.interface, path);
        // Before its workers: see `Attached`.
        drop(attached);
        let interface = std::slice::from_ref(&absence.interface);
        self.workers.retire(interface);
        self.absent.push(absence);
    }

    /// Attaches to an interface that is back and up. True when it is served again.
    fn take_again(&mut self, absence: &mut Absence) -> bool {
        let interface = &absence.interface;
        if Instant::now() < absence.due {
            return false;
        }
        let Some(found) = Interface::find(interface).ok().filter(|found| found.up) else {
            return false;
        };
        let mut attachment = Attachment::default();
        let attached = attach::attach_one(self.config, &found, &mut attachment)
            .and_then(|()| self.serve_queues(attachment.ports));
        if let Err(error) = attached {
            // Workers that were started for some of its queues would keep these.
            self.workers.retire(std::slice::from_ref(interface));
            let complaint = format!("{error:#}");
            if complaint != absence.complaint {
                tracing::warn!(
                    "{interface} is back without AF_XDP, kernel sockets answer: {error:#}"
                );
                set_path(&mut self.paths, interface, "kernel sockets");
            }
            absence.complaint = complaint;
            absence.due = Instant::now() + RETRY;
            return false;
        }
        self.attached.extend(attachment.attached);
        for path in attachment.paths {
            tracing::info!("{interface} is back: {path}");
            let (_, path) = path.split_once(": ").unwrap_or_default();
            set_path(&mut self.paths, interface, path);
        }
        true
    }

    /// Starts workers for queues that are new to this server.
    pub(super) fn serve_queues(&mut self, mut queues: attach::Queues) -> Result<()> {
        if let Some(routes) = &self.routes {
            routes.serve(&mut queues)?;
        }
        let workers = &mut self.workers;
        let snapshot = &self.resources.published().snapshot;
        let started = sockets::start_queues(self.config, queues, snapshot, workers);
        self.query_log.read(workers.take_sources());
        self.resources.add(workers.take_posts());
        started
    }
}

//! The server's process inside its namespace.

use super::event::{Event, Events};
use super::place::Place;
use super::{Plan, example, network};
use crate::{output, shell};
use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// How long loading zones and attaching to the interface may take.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long answering what is under way may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The running server; dropping it ends it.
pub(super) struct Server {
    process: Child,
    /// Set once the process was waited for.
    ended: Option<ExitStatus>,
}

impl Server {
    /// Starts the server in its namespace; what it says arrives as [`Event::Line`].
    pub(super) fn start(plan: &Plan<'_>, place: &Place, events: &Events) -> Result<Self> {
        let mut command = command(plan, place);
        output::command(&shell::line(&command));
        let mut process = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C is for us; we ask the server to stop and wait for it.
            .process_group(0)
            .spawn()
            .context("could not start the server")?;
        let stderr = process.stderr.take();
        let pid = process.id();
        // From here on a failure ends the process.
        let server = Self {
            process,
            ended: None,
        };
        place.remember_server(pid)?;
        let stderr = stderr.context("the server's stderr is piped")?;
        let sender = events.sender();
        std::thread::spawn(move || forward(stderr, &sender));
        Ok(server)
    }

    /// Process id, as the kernel's statistics have it.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until the server says that it answers. `Break` when it shall stop before that.
    pub(super) fn wait_until_ready(&mut self, events: &Events) -> Result<ControlFlow<()>> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            match events.next(Some(deadline)) {
                Event::Line(line) if says_ready(&line) => return Ok(ControlFlow::Continue(())),
                Event::Line(line) => eprintln!("{line}"),
                Event::Stop => return Ok(ControlFlow::Break(())),
                Event::Closed => return Err(self.death()),
                Event::Timeout => bail!(
                    "the server did not say `ready` within {} s",
                    START_TIMEOUT.as_secs()
                ),
                Event::Sample(_) => {}
            }
        }
    }

    /// The error for a server that ended by itself. What it said stands above already.
    pub(super) fn death(&mut self) -> anyhow::Error {
        match self.reap() {
            Ok(status) => anyhow!("the server {}", shell::ended(status)),
            Err(error) => error,
        }
    }

    /// Asks the server to finish and waits until it did.
    pub(super) fn stop(&mut self, events: &Events) -> Result<()> {
        self.terminate();
        let deadline = Instant::now() + DRAIN_TIMEOUT;
        loop {
            match events.next(Some(deadline)) {
                Event::Closed => break,
                Event::Line(line) => eprintln!("{line}"),
                Event::Timeout => bail!(
                    "the server did not end within {} s of SIGTERM and was killed",
                    DRAIN_TIMEOUT.as_secs()
                ),
                Event::Stop | Event::Sample(_) => {}
            }
        }
        let status = self.reap()?;
        if !status.success() {
            bail!("asked to stop, the server {}", shell::ended(status));
        }
        Ok(())
    }

    /// Sends SIGTERM.
    fn terminate(&self) {
        if let Ok(pid) = i32::try_from(self.pid()) {
            // It may have ended by itself; that shows when it is waited for.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }

    /// Waits for the process, once.
    fn reap(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.ended {
            return Ok(status);
        }
        let status = self
            .process
            .wait()
            .context("could not wait for the server")?;
        self.ended = Some(status);
        Ok(status)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.ended.is_none() {
            // Only reached when something failed: no time for a drain.
            drop(self.process.kill());
            drop(self.process.wait());
        }
    }
}

/// The command line of the server in its namespace.
fn command(plan: &Plan<'_>, place: &Place) -> Command {
    let mut command = Command::new("ip");
    command
        .args(["netns", "exec", &plan.name.server()])
        .arg(plan.server)
        .args(["run", "--interface", network::SERVER_INTERFACE])
        .arg("--control")
        .arg(place.control_socket())
        .arg("--config")
        .arg(example::configuration())
        .args(plan.arguments);
    command
}

/// Sends every line on, then the end.
fn forward(stderr: ChildStderr, sender: &Sender<Event>) {
    let lines = BufReader::new(stderr).split(b'\n');
    for line in lines.map_while(std::result::Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        if sender.send(Event::Line(line)).is_err() {
            return;
        }
    }
    // Nobody listens when the demonstration is over.
    drop(sender.send(Event::Closed));
}

/// Whether the line is the server's word that it answers.
fn says_ready(line: &str) -> bool {
    line.trim() == "ready"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_alone_means_ready() {
        assert!(says_ready("ready"));
        assert!(says_ready(" ready \r"));
        assert!(!says_ready("not ready"));
        assert!(!says_ready("ready soon"));
    }
}

//! What may happen while the demonstration runs, in one channel.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use super::sample::Sample;

/// Something that happened.
#[derive(Debug)]
pub(super) enum Event {
    /// The person, or the system, wants it to end.
    Stop,
    /// The server wrote a line on stderr.
    Line(String),
    /// The server closed its stderr: it has ended, or is about to.
    Closed,
    /// The server's counters, or why they could not be read.
    Sample(Result<Sample>),
    /// Nothing, until the time that was given.
    Timeout,
}

/// The receiving end of everything.
pub(super) struct Events {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
}

impl Events {
    /// From now on SIGINT, SIGTERM and SIGHUP are events instead of ends.
    pub(super) fn listen() -> Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let mut signals =
            Signals::new([SIGINT, SIGTERM, SIGHUP]).context("could not watch for signals")?;
        let stop = sender.clone();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                if stop.send(Event::Stop).is_err() {
                    return;
                }
            }
        });
        Ok(Self { sender, receiver })
    }

    /// A sender for another source of events.
    pub(super) fn sender(&self) -> Sender<Event> {
        self.sender.clone()
    }

    /// The next event, or [`Event::Timeout`] at `deadline`; without one it waits for ever.
    pub(super) fn next(&self, deadline: Option<Instant>) -> Event {
        let Some(deadline) = deadline else {
            // `self.sender` keeps the channel open.
            return self.receiver.recv().unwrap_or(Event::Stop);
        };
        let wait = deadline.saturating_duration_since(Instant::now());
        match self.receiver.recv_timeout(wait) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => Event::Timeout,
            Err(RecvTimeoutError::Disconnected) => Event::Stop,
        }
    }
}

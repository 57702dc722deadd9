//! The live line: what the server does, once a second, until the demonstration ends.

use super::Plan;
use super::event::{Event, Events};
use super::place::Place;
use super::sample::Sample;
use super::server::Server;
use crate::output;
use anyhow::Result;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How often the line is renewed on a terminal.
const TERMINAL_INTERVAL: Duration = Duration::from_secs(1);
/// How often a line is written to a file or a pipe.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Shows rates until a signal, the plan's end, or the server's death (an error).
pub(super) fn follow(
    plan: &Plan<'_>,
    place: &Place,
    server: &mut Server,
    events: &Events,
) -> Result<()> {
    let deadline = plan.length.map(|length| Instant::now() + length);
    let mut line = Line::new();
    let mut last = None;
    let sampler = Sampler {
        server: plan.server.to_path_buf(),
        control_socket: place.control_socket(),
        pid: server.pid(),
        interval: line.interval(),
    };
    // Dropped at the end of this function, which ends the sampling.
    let _sampling = sampler.spawn(events.sender());
    loop {
        match events.next(deadline) {
            Event::Stop | Event::Timeout => {
                line.end();
                return Ok(());
            }
            Event::Closed => {
                line.end();
                return Err(server.death());
            }
            Event::Line(text) => line.interrupt(&text),
            Event::Sample(sample) => show(sample, &mut last, &mut line),
        }
    }
}

/// Turns a sample into rates and shows them; a second failure in a row is not said again.
fn show(sample: Result<Sample>, last: &mut Option<Result<Sample, String>>, line: &mut Line) {
    let sample = sample.map_err(|error| format!("no statistics: {error:#}"));
    match (&sample, &last) {
        (Ok(sample), Some(Ok(earlier))) => line.update(&sample.rates_since(earlier).to_string()),
        (Err(why), Some(Ok(_)) | None) => line.interrupt(why),
        _ => {}
    }
    *last = Some(sample);
}

/// A thread that reads the counters again and again: should the server hang, we do not.
struct Sampler {
    server: PathBuf,
    control_socket: PathBuf,
    pid: u32,
    interval: Duration,
}

impl Sampler {
    /// Starts sampling; it ends when the returned sender is dropped.
    fn spawn(self, events: Sender<Event>) -> Sender<()> {
        let (hold, released) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            loop {
                let sample = Sample::take(&self.server, &self.control_socket, self.pid);
                let gone = events.send(Event::Sample(sample)).is_err();
                if gone || released.recv_timeout(self.interval) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        hold
    }
}

/// One line on stdout: renewed in place on a terminal, repeated elsewhere.
struct Line {
    terminal: bool,
    shown: String,
}

impl Line {
    fn new() -> Self {
        Self {
            terminal: std::io::stdout().is_terminal(),
            shown: String::new(),
        }
    }

    fn interval(&self) -> Duration {
        if self.terminal {
            TERMINAL_INTERVAL
        } else {
            PLAIN_INTERVAL
        }
    }

    /// Shows new rates.
    fn update(&mut self, text: &str) {
        if self.terminal {
            text.clone_into(&mut self.shown);
            self.redraw();
        } else {
            output::result(text);
        }
    }

    /// Puts something else above the line.
    fn interrupt(&mut self, text: &str) {
        if self.terminal {
            write("\r\x1b[K");
        }
        eprintln!("{text}");
        if !self.shown.is_empty() {
            self.redraw();
        }
    }

    /// Leaves the last rates standing.
    fn end(&mut self) {
        if !self.shown.is_empty() {
            write("\n");
        }
    }

    fn redraw(&self) {
        write(&format!("\r\x1b[K{}", self.shown));
    }
}

/// Writes at once. A terminal that went away is no error: SIGHUP comes with it.
fn write(text: &str) {
    let mut stdout = std::io::stdout();
    drop(stdout.write_all(text.as_bytes()));
    drop(stdout.flush());
}

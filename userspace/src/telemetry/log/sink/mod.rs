//! Where messages are written to. What cannot be written there goes to standard error.

mod file;
mod journal;

use super::counters::{LogCounters, LogEvent};
use super::json;
use super::record::Record;
use super::text;
use crate::config::{LogFormat, LogOutput, LogStream, LogTarget};
use file::LogFile;
use journal::Journal;
use std::io::{self, Write};

/// One place, and how messages are written for it.
pub(super) struct Sink {
    place: Place,
    format: LogFormat,
    line: Vec<u8>,
    /// Messages that went to standard error instead; none while nothing is wrong.
    diverted: Option<u64>,
}

enum Place {
    Stderr,
    File(LogFile),
    Journal(Journal),
}

/// What a message was the first to find.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing new.
    None,
    /// Nothing can be written any more, and why.
    Failed(String),
    /// It can again; so many went elsewhere.
    Recovered(u64),
}

impl Sink {
    /// Opens what the options say; an error names the option.
    pub(super) fn open(output: &LogOutput) -> Result<Self, String> {
        let place = match &output.target {
            LogTarget::File(path) => Place::File(
                LogFile::open(path, output.file_size_max, output.keep)
                    .map_err(|error| format!("--log-file: {}: {error}", path.display()))?,
            ),
            LogTarget::Stream(LogStream::Journald) => {
                Place::Journal(Journal::open(journal::SOCKET).map_err(|error| {
                    format!("--log-target journald: {}: {error}", journal::SOCKET)
                })?)
            }
            LogTarget::Stream(LogStream::Auto) if journal::is_stderr() => {
                Journal::open(journal::SOCKET).map_or(Place::Stderr, Place::Journal)
            }
            LogTarget::Stream(LogStream::Auto | LogStream::Stderr) => Place::Stderr,
        };
        Ok(Self {
            place,
            format: output.format,
            line: Vec::new(),
            diverted: None,
        })
    }

    /// Whether messages go to standard error.
    pub(super) fn is_stderr(&self) -> bool {
        matches!(self.place, Place::Stderr)
    }

    /// Writes a message of this thread.
    pub(super) fn write(
        &mut self,
        record: &Record<'_>,
        thread: &str,
        counters: &LogCounters,
    ) -> Change {
        self.line.clear();
        if let Place::Journal(journal) = &self.place {
            journal::write(&mut self.line, record, thread);
            let sent = journal.send(&self.line);
            if sent.is_ok() {
                return self.note(sent);
            }
            self.line.clear();
            self.format(record, thread);
            return self.divert(sent, counters);
        }
        self.format(record, thread);
        match &mut self.place {
            Place::File(file) => match file.write(&self.line, counters) {
                Ok(()) => self.note(Ok(())),
                failed => self.divert(failed, counters),
            },
            Place::Stderr | Place::Journal(_) => {
                if to_stderr(&self.line).is_err() {
                    counters.add(LogEvent::WriteErrors);
                }
                Change::None
            }
        }
    }

    /// Opens a file anew: somebody may have put it aside.
    pub(super) fn reopen(&mut self, counters: &LogCounters) -> Change {
        match &mut self.place {
            Place::File(file) => {
                let reopened = file.reopen(counters);
                self.note(reopened)
            }
            Place::Stderr | Place::Journal(_) => Change::None,
        }
    }

    fn format(&mut self, record: &Record<'_>, thread: &str) {
        match self.format {
            LogFormat::Text => text::write(&mut self.line, record),
            LogFormat::Json => json::write(&mut self.line, record, thread),
        }
    }

    /// Writes to standard error what could not be written where it belongs.
    fn divert(&mut self, failed: io::Result<()>, counters: &LogCounters) -> Change {
        counters.add(LogEvent::WriteErrors);
        // Where that fails as well the message is lost, and counted.
        let _ = to_stderr(&self.line);
        let change = self.note(failed);
        self.diverted = self.diverted.map(|count| count + 1);
        change
    }

    /// Notices what is new in how it went.
    fn note(&mut self, outcome: io::Result<()>) -> Change {
        match (outcome, self.diverted) {
            (Ok(()), None) | (Err(_), Some(_)) => Change::None,
            (Ok(()), Some(count)) => {
                self.diverted = None;
                Change::Recovered(count)
            }
            (Err(error), None) => {
                self.diverted = Some(0);
                Change::Failed(match &self.place {
                    Place::File(file) => format!("{}: {error}", file.path().display()),
                    Place::Stderr | Place::Journal(_) => format!("journald: {error}"),
                })
            }
        }
    }
}

fn to_stderr(line: &[u8]) -> io::Result<()> {
    io::stderr().lock().write_all(line)
}

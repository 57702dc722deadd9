//! The client's end of the control socket.

use super::{Exit, Failure};
use crate::config::CtlArguments;
use crate::control::{Code, Command, Request, Response};
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// A connection to a server: one request, and the lines that answer it.
pub(super) struct Connection {
    stream: BufReader<UnixStream>,
    path: PathBuf,
}

impl Connection {
    /// Connects to the server that the arguments name.
    pub(super) fn open(arguments: &CtlArguments) -> Result<Self, Failure> {
        let path = &arguments.control;
        let connect = || {
            let stream = UnixStream::connect(path)?;
            let timeout = arguments.timeout.map(Duration::from_secs);
            stream.set_read_timeout(timeout)?;
            stream.set_write_timeout(timeout)?;
            Ok(stream)
        };
        let stream = connect().map_err(|error: io::Error| {
            let place = path.display();
            let problem =
                format!("no server answers at {place}; its socket is --control PATH: {error}");
            // The socket's file lets in only some.
            let exit = match error.kind() {
                io::ErrorKind::PermissionDenied => Exit::NotPermitted,
                _ => Exit::NoServer,
            };
            Failure::new(exit, problem)
        })?;
        Ok(Self {
            stream: BufReader::new(stream),
            path: path.clone(),
        })
    }

    /// Asks, and waits for the first line; what it grants.
    pub(super) fn ask(&mut self, command: Command) -> Result<Value, Failure> {
        let mut line = serde_json::to_vec(&Request::new(command))
            .map_err(|error| self.fails(Exit::Failed, &error))?;
        line.push(b'\n');
        let written = self.stream.get_mut().write_all(&line);
        written.map_err(|error| self.fails(Exit::NoServer, &error))?;
        let Some(reply) = self.line()? else {
            return Err(self.fails(Exit::NoServer, &"it ended without a reply"));
        };
        let response: Response = serde_json::from_str(&reply).map_err(|error| {
            let problem = format!("the reply is not understood: {error}");
            self.fails(Exit::Failed, &problem)
        })?;
        match response.ok {
            true => Ok(response.result),
            false => {
                let reason = response.error.as_deref();
                let reason = reason.unwrap_or("refused without a reason");
                Err(Failure::new(exit_of(response.code.as_deref()), reason))
            }
        }
    }

    /// Waits as long as it takes from now on: what comes, comes when it happens.
    pub(super) fn listen(&mut self) -> Result<(), Failure> {
        let patient = self.stream.get_ref().set_read_timeout(None);
        patient.map_err(|error| self.fails(Exit::Failed, &error))
    }

    /// Whether there is more to be read at once.
    pub(super) fn has_more(&self) -> bool {
        !self.stream.buffer().is_empty()
    }

    /// The next line; none: the server has ended the connection.
    pub(super) fn line(&mut self) -> Result<Option<String>, Failure> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(line)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(self.fails(Exit::NoServer, &"no answer within --timeout"))
            }
            Err(error) => Err(self.fails(Exit::NoServer, &error)),
        }
    }

    fn fails(&self, exit: Exit, problem: &dyn std::fmt::Display) -> Failure {
        let place = self.path.display();
        Failure::new(exit, format!("the server at {place}: {problem}"))
    }
}

/// How a refusal of this kind ends `ripples ctl`.
fn exit_of(code: Option<&str>) -> Exit {
    match code {
        Some(code) if code == Code::NotPermitted.word() => Exit::NotPermitted,
        Some(code) if code == Code::Version.word() => Exit::Version,
        _ => Exit::Failed,
    }
}

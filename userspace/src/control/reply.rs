//! An answer that is owed to a client of the control socket.

use super::Response;
use crate::telemetry;
use serde_json::Value;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;

/// Whoever has it answers, now or later, from any thread. Dropped, it says that there is no answer.
#[derive(Debug)]
pub struct Reply(Option<UnixStream>);

impl Reply {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self(Some(stream))
    }

    /// Answers with a result, or the reason why there is none. A client that has gone or does not
    /// read gets nothing.
    pub fn send(mut self, outcome: Result<Value, String>) {
        self.answer(outcome);
    }

    /// The connection itself, for who goes on talking.
    pub(super) fn into_stream(mut self) -> Option<UnixStream> {
        self.0.take()
    }

    fn answer(&mut self, outcome: Result<Value, String>) {
        let Some(stream) = self.0.take() else {
            return;
        };
        // Who has asked finds in the log what came of it.
        telemetry::log::settle();
        if let Err(error) = write(&stream, outcome) {
            tracing::debug!(%error, "control client");
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.answer(Err("the server is stopping".to_owned()));
    }
}

fn write(mut stream: &UnixStream, outcome: Result<Value, String>) -> io::Result<()> {
    let response = match outcome {
        Ok(result) => Response::granted(result),
        Err(error) => Response::refused(error),
    };
    let mut text = serde_json::to_vec(&response)?;
    text.push(b'\n');
    stream.write_all(&text)
}

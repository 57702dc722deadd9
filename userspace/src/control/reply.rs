//! An answer that is owed to a client of the control socket.

use super::{Code, Refusal, Response};
use crate::sys::descriptor_reserve::Reserve;
use crate::telemetry;
use serde_json::Value;
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A client that takes nothing for so long gets no more,
const PATIENCE: Duration = Duration::from_secs(5);
/// nor does one that takes so long for all of it.
const LONGEST: Duration = Duration::from_secs(60);
/// Clients that are waited for at a time; beyond, one that does not read at once gets no more.
const AWAITED_MAX: usize = 16;

/// Clients that are waited for now.
static AWAITED: AtomicUsize = AtomicUsize::new(0);

/// Whoever has it answers, now or later, from any thread. Dropped, it says that there is no answer.
#[derive(Debug)]
pub struct Reply {
    stream: Option<UnixStream>,
    /// What becomes of the client's descriptor.
    reserve: Reserve,
}

impl Reply {
    /// To a client on a stream that does not block. Its descriptor goes back to the reserve.
    pub(super) fn new(stream: UnixStream, reserve: Reserve) -> Self {
        let stream = Some(stream);
        Self { stream, reserve }
    }

    /// Answers with a result, or the reason why there is none. Never waits for the client; one that
    /// has gone or does not read gets nothing.
    pub fn send(mut self, outcome: Result<Value, impl Into<Refusal>>) {
        self.answer(outcome.map_err(Into::into));
    }

    /// The connection itself, which does not block, for who goes on talking.
    pub(crate) fn into_stream(mut self) -> Option<UnixStream> {
        self.stream.take()
    }

    fn answer(&mut self, outcome: Result<Value, Refusal>) {
        let Some(stream) = self.stream.take() else {
            return;
        };
        // Who has asked finds in the log what came of it.
        telemetry::log::settle();
        if let Err(error) = write(stream, &self.reserve, outcome) {
            tracing::debug!(%error, "control client");
        }
    }
}

/// Ends a conversation, and keeps the descriptor where there may be no other for the next one.
pub(super) fn close(stream: UnixStream, reserve: &Reserve) {
    // One that has gone is no longer connected.
    let _ = stream.shutdown(Shutdown::Both);
    reserve.keep(stream.into());
}

impl Drop for Reply {
    fn drop(&mut self) {
        let reason = "the server is stopping";
        self.answer(Err(Refusal::new(Code::Stopping, reason)));
    }
}

/// Writes what the socket takes at once; the rest is for a thread.
fn write(stream: UnixStream, reserve: &Reserve, outcome: Result<Value, Refusal>) -> io::Result<()> {
    let response = match outcome {
        Ok(result) => Response::granted(result),
        Err(refusal) => Response::refused(refusal),
    };
    let mut text = serde_json::to_vec(&response)?;
    text.push(b'\n');
    let written = write_at_once(&stream, &text);
    match written {
        Ok(written) if written < text.len() => {
            return write_apart(stream, reserve.clone(), text.split_off(written));
        }
        _ => close(stream, reserve),
    }
    written.map(|_| ())
}

/// Writes as much as the socket takes; returns how much.
fn write_at_once(mut stream: &UnixStream, text: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < text.len() {
        match stream.write(&text[written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(len) => written += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}

/// Writes to a client that reads slowly.
fn write_apart(stream: UnixStream, reserve: Reserve, rest: Vec<u8>) -> io::Result<()> {
    if AWAITED.fetch_add(1, Ordering::Relaxed) >= AWAITED_MAX {
        AWAITED.fetch_sub(1, Ordering::Relaxed);
        return Err(io::Error::other("too many clients that do not read"));
    }
    let work = move || {
        if let Err(error) = write_slowly(&stream, &rest) {
            tracing::debug!(%error, "control client");
        }
        close(stream, &reserve);
        AWAITED.fetch_sub(1, Ordering::Relaxed);
    };
    let thread = thread::Builder::new().name("control reply".to_owned());
    let spawned = thread.spawn(work).map(drop);
    spawned.inspect_err(|_| {
        AWAITED.fetch_sub(1, Ordering::Relaxed);
    })
}

fn write_slowly(mut stream: &UnixStream, mut rest: &[u8]) -> io::Result<()> {
    let start = Instant::now();
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    while !rest.is_empty() {
        if start.elapsed() > LONGEST {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match stream.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(len) => rest = &rest[len..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn whoever_answers_does_not_wait_for_a_client_that_reads_later() {
        let (mut client, server) = UnixStream::pair().unwrap();
        server.set_nonblocking(true).unwrap();
        let long = "x".repeat(4 << 20);
        let start = Instant::now();
        Reply::new(server, Reserve::full()).send(Ok::<_, Refusal>(long.clone().into()));
        assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
        let mut reply = String::new();
        client.read_to_string(&mut reply).unwrap();
        assert_eq!(reply, format!("{{\"ok\":true,\"result\":\"{long}\"}}\n"));
    }

    #[test]
    fn an_answer_that_is_forgotten_is_a_refusal() {
        let (mut client, server) = UnixStream::pair().unwrap();
        drop(Reply::new(server, Reserve::full()));
        let mut reply = String::new();
        client.read_to_string(&mut reply).unwrap();
        let expected =
            "{\"ok\":false,\"error\":\"the server is stopping\",\"code\":\"stopping\"}\n";
        assert_eq!(reply, expected);
    }
}

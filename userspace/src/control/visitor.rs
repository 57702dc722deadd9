//! A client that has connected and not asked yet. Nothing waits for it.

use super::{Code, Command, Refusal, Request, VERSION};
use crate::sys::peer::Peer;
use serde_json::Value;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A client that has not asked after so long is sent away.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// Longest request in bytes, its end included.
const REQUEST_MAX: usize = 64 * 1024;

/// A client, and what it has said so far.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) stream: UnixStream,
    pub(super) peer: Peer,
    line: Vec<u8>,
    since: Instant,
}

/// How far a client is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It may say more.
    Waits,
    /// It has asked, or said something else.
    Asked(Result<Command, Refusal>),
    /// It has left without a word.
    Gone,
}

impl Visitor {
    /// A client that has just connected.
    pub(super) fn new(stream: UnixStream, now: Instant) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            peer: Peer::of(&stream)?,
            stream,
            line: Vec::new(),
            since: now,
        })
    }

    /// Takes what it has said meanwhile.
    pub(super) fn listen(&mut self, now: Instant) -> Progress {
        let mut room = [0; 4096];
        loop {
            match (&self.stream).read(&mut room) {
                Ok(0) if self.line.is_empty() => return Progress::Gone,
                // Whoever ends its side has asked, with or without the line's end.
                Ok(0) => return Progress::Asked(request(&self.line)),
                Ok(len) => {
                    let told = &room[..len];
                    let end = told.iter().position(|&byte| byte == b'\n');
                    self.line.extend(&told[..end.unwrap_or(len)]);
                    if self.line.len() >= REQUEST_MAX {
                        let reason = format!("a request has no more than {REQUEST_MAX} bytes");
                        return Progress::Asked(Err(Refusal::bad_request(reason)));
                    }
                    if end.is_some() {
                        return Progress::Asked(request(&self.line));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return Progress::Gone,
            }
        }
        match now.saturating_duration_since(self.since) < PATIENCE {
            true => Progress::Waits,
            false => {
                let reason = format!("no whole line within {} s", PATIENCE.as_secs());
                Progress::Asked(Err(Refusal::bad_request(reason)))
            }
        }
    }
}

impl AsFd for Visitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// The request in a line.
fn request(line: &[u8]) -> Result<Command, Refusal> {
    let none = |error: serde_json::Error| Refusal::bad_request(format!("not a request: {error}"));
    let value: Value = serde_json::from_slice(line).map_err(none)?;
    // First of all: another version may have other commands.
    if let Some(version) = value.get("version").and_then(Value::as_u64)
        && version != u64::from(VERSION)
    {
        let reason = format!("version {version} is not spoken here, {VERSION} is");
        return Err(Refusal::new(Code::Version, reason));
    }
    let request: Request = serde_json::from_value(value).map_err(none)?;
    Ok(request.command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn pair() -> (UnixStream, Visitor) {
        let (client, server) = UnixStream::pair().unwrap();
        (client, Visitor::new(server, Instant::now()).unwrap())
    }

    fn asked(line: &[u8]) -> Result<Command, Refusal> {
        request(line)
    }

    #[test]
    fn a_request_may_come_in_pieces() {
        let (mut client, mut visitor) = pair();
        let now = Instant::now();
        for piece in ["{\"version\":1,", "\"command\":", "\"stats\"}"] {
            client.write_all(piece.as_bytes()).unwrap();
            assert_eq!(visitor.listen(now), Progress::Waits);
        }
        client.write_all(b"\nand what else there is").unwrap();
        assert_eq!(visitor.listen(now), Progress::Asked(Ok(Command::Stats)));
    }

    #[test]
    fn who_does_not_ask_is_sent_away_in_time_and_who_leaves_at_once() {
        let (mut client, mut visitor) = pair();
        client.write_all(b"{\"version\"").unwrap();
        let now = Instant::now();
        assert_eq!(visitor.listen(now), Progress::Waits);
        let Progress::Asked(Err(refusal)) = visitor.listen(now + PATIENCE) else {
            panic!("it waits still");
        };
        assert_eq!(refusal.reason, "no whole line within 2 s");
        let (client, mut visitor) = pair();
        drop(client);
        assert_eq!(visitor.listen(now), Progress::Gone);
    }

    #[test]
    fn a_line_that_does_not_end_is_not_kept() {
        let (mut client, mut visitor) = pair();
        let now = Instant::now();
        let mut sent = 0;
        let refusal = loop {
            client.write_all(&[b'x'; 1024]).unwrap();
            sent += 1024;
            match visitor.listen(now) {
                Progress::Waits => assert!(sent < REQUEST_MAX),
                Progress::Asked(Err(refusal)) => break refusal,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((refusal.code, sent), (Code::BadRequest, REQUEST_MAX));
    }

    #[test]
    fn what_is_no_request_is_told_from_another_version() {
        let code = |line: &str| asked(line.as_bytes()).unwrap_err().code;
        for line in [
            "",
            "GET / HTTP/1.1",
            "[]",
            "{}",
            "{\"command\":\"stats\"}",
            "{\"version\":1}",
            "{\"version\":1,\"command\":\"fly\"}",
            "{\"version\":1,\"command\":\"mark\",\"target\":7,\"mark\":\"up\"}",
            "{\"version\":-1,\"command\":\"stats\"}",
            "\u{0}",
        ] {
            assert_eq!(code(line), Code::BadRequest, "{line}");
        }
        assert_eq!(asked(&[0xff, 0xfe]).unwrap_err().code, Code::BadRequest);
        assert_eq!(code("{\"version\":2,\"command\":\"fly\"}"), Code::Version);
        let known = asked(b"{\"version\":1,\"command\":\"reload\",\"zone\":\"a.\"}");
        let zone = Some("a.".to_owned());
        assert_eq!(known, Ok(Command::Reload { zone }));
    }
}

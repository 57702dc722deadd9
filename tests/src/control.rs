//! Clients of the control socket that speak the protocol themselves.

use crate::server::PATIENCE;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A connection, on which nothing is waited for longer than [`PATIENCE`].
pub fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path);
    let stream = stream.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let patience = Some(PATIENCE);
    stream.set_read_timeout(patience).expect("a timeout");
    stream.set_write_timeout(patience).expect("a timeout");
    stream
}

/// The reply to a request, which is one line.
pub fn ask(path: &Path, request: &[u8]) -> Value {
    let mut stream = connect(path);
    stream.write_all(request).expect("it listens");
    stream.write_all(b"\n").expect("it listens");
    reply(&stream)
}

/// The next line of what is said on a connection.
pub fn reply(stream: &UnixStream) -> Value {
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .unwrap_or_else(|error| panic!("no reply: {error}"));
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

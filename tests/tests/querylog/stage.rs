//! A server on the loopback that writes down what it answers.

use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::loopback;
use tests::server::{EXAMPLE, Launch, Server};

/// The folder of the logs, in the server's own.
pub(crate) const FOLDER: &str = "logs";

/// A server with these sections in its file.
pub(crate) fn start(toml: &str) -> (Server, SocketAddr) {
    let (launch, address) = prepare(toml);
    (launch.start(), address)
}

/// As `start`, before it is started.
pub(crate) fn prepare(toml: &str) -> (Launch, SocketAddr) {
    let address = loopback::address();
    let launch = Launch::run(&["--io", "socket", "--listen", &address.to_string()])
        .with(&["--config", "r.toml"])
        .file("r.toml", toml)
        .zone("example", EXAMPLE);
    (launch, address)
}

/// The files in a folder, in the order of their names.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("it is there").path())
        .collect();
    files.sort();
    files
}

/// The lines of a log, parsed.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    let parse =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    text.lines().map(parse).collect()
}

/// All lines of all files in a server's folder of logs.
pub(crate) fn logged(server: &Server) -> Vec<Value> {
    let texts = files(&server.folder().join(FOLDER))
        .into_iter()
        .map(|file| fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file:?}: {error}")));
    texts.flat_map(|text| lines(&text)).collect()
}

/// Waits until the server has written `count` replies down; then all that it has.
pub(crate) fn await_logged(server: &Server, count: u64) -> Vec<Value> {
    server.await_stats(|stats| stats.query_log("written") == count);
    logged(server)
}

/// What a command prints.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

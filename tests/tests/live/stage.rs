//! A server on the loopback, and those who look on.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Output, Stdio};
use tests::binary::binary;
use tests::control;
use tests::loopback;
use tests::server::{EXAMPLE, Launch, Server};

/// A server, and where it answers.
pub(crate) fn start() -> (Server, SocketAddr) {
    let (launch, address) = prepare();
    (launch.start(), address)
}

/// As `start`, before it is started.
pub(crate) fn prepare() -> (Launch, SocketAddr) {
    let address = loopback::address();
    let launch =
        Launch::run(&["--io", "socket", "--listen", &address.to_string()]).zone("example", EXAMPLE);
    (launch, address)
}

/// One that looks on, over a connection of its own.
pub(crate) struct Onlooker(pub(crate) BufReader<UnixStream>);

impl Onlooker {
    /// Asks for a stream, and waits until it has begun.
    pub(crate) fn begin(server: &Server, command: &str, options: Value) -> Self {
        let (onlooker, reply) = Self::ask(server, command, options);
        assert_eq!(reply, json!({ "ok": true }));
        onlooker
    }

    /// Asks for a stream; and what the server says.
    pub(crate) fn ask(server: &Server, command: &str, mut options: Value) -> (Self, Value) {
        let mut stream = control::connect(&server.control());
        options["version"] = 1.into();
        options["command"] = command.into();
        writeln!(stream, "{options}").expect("it listens");
        let mut onlooker = Self(BufReader::new(stream));
        let reply = onlooker.next().expect("a reply");
        (onlooker, reply)
    }

    /// The next line; none: that is all.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        let len = self.0.read_line(&mut line).expect("a line in time");
        let parsed =
            || serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} {line}"));
        (len != 0).then(parsed)
    }

    /// The next entry, as its name, type and transport.
    pub(crate) fn entry(&mut self) -> String {
        let line = self.next().expect("there is more");
        let entry = &line["entry"];
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let (name, qtype) = (&entry["request"]["name"], &entry["request"]["type"]);
        [name, qtype, &entry["transport"]].map(text).join(" ")
    }
}

/// `ripples ctl` that goes on for a while.
pub(crate) struct Ctl(Child);

impl Ctl {
    pub(crate) fn start(server: &Server, arguments: &[&str]) -> Self {
        let child = Command::new(binary())
            .args(["ctl", "--control"])
            .arg(server.control())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it is there");
        Self(child)
    }

    /// Its end.
    pub(crate) fn finish(self) -> Output {
        self.0.wait_with_output().expect("it ends")
    }

    /// Its end; what it printed, where it has done what it was to do.
    pub(crate) fn printed(self) -> String {
        let output = self.finish();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*complaint), (Some(0), ""));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

/// Waits until so many streams have begun, of which nothing was told yet but that.
pub(crate) fn await_begun(server: &Server, count: u64) {
    server.await_stats(|stats| stats.live("sent") == count);
}

//! dnstap and capture files, as other programs read them.

use crate::stage::{FOLDER, files, output, prepare, start};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tests::client::{ask, ask_tcp, query};
use tests::folder::Folder;
use tests::loopback;
use tests::record::rtype;
use tests::server::PATIENCE;

/// What `dnstap-read` prints of a file, a line each message.
fn dnstap(file: &Path) -> Vec<String> {
    let text = output(Command::new("dnstap-read").arg(file));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn dnstap_read_reads_queries_and_replies() {
    let toml = "[[query_log]]\nfolder = \"logs\"\nformat = \"dnstap\"\n";
    let (server, address) = start(toml);
    ask(address, &query("www.example", rtype::A));
    ask_tcp(address, &query("missing.example", rtype::MX));
    server.await_stats(|stats| stats.query_log("written") == 2);
    let file = files(&server.folder().join(FOLDER)).pop().expect("a file");
    let mut lines = dnstap(&file);
    // Two workers: in whatever order.
    lines.sort_by_key(|line| line.contains("missing.example"));
    let port = address.port();
    let expected = [
        (
            "AQ ",
            format!("-> {}:{port} UDP", address.ip()),
            "www.example/IN/A",
        ),
        (
            "AR ",
            format!("<- {}:{port} UDP", address.ip()),
            "www.example/IN/A",
        ),
        (
            "AQ ",
            format!("-> {}:{port} TCP", address.ip()),
            "missing.example/IN/MX",
        ),
        (
            "AR ",
            format!("<- {}:{port} TCP", address.ip()),
            "missing.example/IN/MX",
        ),
    ];
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, (kind, way, question)) in lines.iter().zip(expected) {
        for part in [kind, &way, question] {
            assert!(line.contains(part), "{line} has no {part}");
        }
    }
    let whole = output(Command::new("dnstap-read").arg("-p").arg(&file));
    assert!(
        whole.contains("192.0.2.80") && whole.contains("NXDOMAIN"),
        "{whole}"
    );
    server.stop();
}

/// A reader of Frame Streams, which leaves when it has had a stream.
struct Capture {
    child: Child,
    folder: Folder,
}

impl Capture {
    fn start(listen: &[&str]) -> Self {
        let folder = Folder::new();
        let child = Command::new("fstrm_capture")
            .args(["-t", "protobuf:dnstap.Dnstap", "-w", "taken"])
            .args(listen)
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("fstrm_capture is installed");
        Self { child, folder }
    }

    /// What it has taken, when it has been told to end.
    fn end(mut self) -> Vec<String> {
        let id = i32::try_from(self.child.id()).expect("Linux counts to 2^22");
        let id = nix::unistd::Pid::from_raw(id);
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).expect("it runs");
        self.child.wait().expect("it ends");
        dnstap(&self.folder.path().join("taken"))
    }
}

#[test]
fn a_reader_on_a_unix_socket_gets_all_also_when_it_comes_late() {
    let folder = Folder::new();
    let socket = folder.path().join("tap.sock");
    let place = socket.to_string_lossy();
    let toml = format!("[[query_log]]\nformat = \"dnstap\"\nsocket = \"unix:{place}\"\n");
    let (launch, address) = prepare(&toml);
    let mut server = launch.start();
    // Nobody is there.
    ask(address, &query("lost.example", rtype::A));
    server.await_stats(|stats| stats.query_log("lost") == 1);
    server.await_log("is not written");
    let capture = Capture::start(&["-u", &place]);
    reach(&server, address);
    ask(address, &query("taken.example", rtype::A));
    server.await_stats(|stats| {
        stats.query_log("lost") + stats.query_log("written") == stats.total("answers")
    });
    server.stop();
    let lines = capture.end();
    assert!(
        lines.iter().any(|line| line.contains("taken.example")),
        "{lines:?}"
    );
    assert!(
        !lines.iter().any(|line| line.contains("lost.example")),
        "{lines:?}"
    );
}

#[test]
fn a_reader_on_tcp_gets_all() {
    let reader = loopback::address();
    let (ip, port) = (reader.ip().to_string(), reader.port().to_string());
    let capture = Capture::start(&["-a", &ip, "-p", &port]);
    let toml = format!("[[query_log]]\nformat = \"dnstap\"\nsocket = \"tcp:{reader}\"\n");
    let (server, address) = start(&toml);
    reach(&server, address);
    server.stop();
    let lines = capture.end();
    assert!(
        lines.iter().any(|line| line.contains("reach.example")),
        "{lines:?}"
    );
}

/// Asks until something has been written.
fn reach(server: &tests::server::Server, address: std::net::SocketAddr) {
    let deadline = Instant::now() + PATIENCE;
    while server.stats().query_log("written") == 0 {
        assert!(Instant::now() < deadline, "{}", server.log());
        ask(address, &query("reach.example", rtype::A));
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

#[test]
fn tcpdump_reads_captures_and_finds_nothing_wrong() {
    let toml = "[[query_log]]\nfolder = \"logs\"\nformat = \"pcap\"\n";
    let (server, address) = start(toml);
    ask(address, &query("www.example", rtype::A));
    ask_tcp(address, &query("www.example", rtype::AAAA));
    server.await_stats(|stats| stats.query_log("written") == 2);
    let file = files(&server.folder().join(FOLDER)).pop().expect("a file");
    // 5300 is not the port of DNS.
    let text = output(
        Command::new("tcpdump")
            .args(["-nn", "-vv", "-T", "domain", "-r"])
            .arg(&file),
    );
    for part in [
        "A? www.example.",
        "A 192.0.2.80",
        "AAAA? www.example.",
        "(correct)",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    for part in ["bad", "incorrect", "truncated"] {
        assert!(!text.contains(part), "{part} in {text}");
    }
    server.stop();
}

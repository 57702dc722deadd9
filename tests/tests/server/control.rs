//! The control socket and clients that do not behave, and what its commands tell and change.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};
use tests::ask::Ask;
use tests::client::{ask, ask_tcp, query};
use tests::control;
use tests::folder::Folder;
use tests::loopback;
use tests::name::Name;
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch, Server};

const STATUS: &[u8] = b"{\"version\":1,\"command\":\"status\"}";

fn start() -> (Server, SocketAddr) {
    let address = loopback::address();
    let launch = Launch::run(&["--io", "socket", "--listen", &address.to_string()]);
    let server = launch.zone("example", EXAMPLE).start();
    (server, address)
}

/// What `ripples ctl` says as JSON, which must go well.
fn json(server: &Server, words: &[&str]) -> Value {
    let ended = server.ctl(&[words, &["--json"]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

#[test]
fn garbage_and_lines_that_do_not_end_are_refused_and_others_go_on() {
    let (server, _) = start();
    let path = server.control();
    for garbage in [
        &b"GET / HTTP/1.1\r"[..],
        b"",
        b"\0\xff\xfe",
        b"[[[[",
        b"{\"version\":1}",
    ] {
        let reply = control::ask(&path, garbage);
        assert_eq!(reply["code"], "bad-request", "{reply}");
    }
    let deep = "[".repeat(60_000);
    assert_eq!(control::ask(&path, deep.as_bytes())["code"], "bad-request");
    let mut endless = control::connect(&path);
    // The server may hang up in the midst of it.
    let _ = endless.write_all(&vec![b' '; 1 << 20]);
    let reply = control::reply(&endless);
    assert_eq!(reply["error"], "a request has no more than 65536 bytes");
    let other = control::ask(&path, b"{\"version\":7,\"command\":\"dance\"}");
    let expected = json!({
        "ok": false, "code": "version", "error": "version 7 is not spoken here, 1 is",
    });
    assert_eq!(other, expected);
    assert_eq!(control::ask(&path, STATUS)["ok"], true);
    server.stop();
}

#[test]
fn a_request_in_pieces_is_answered_and_nobody_waits_for_the_next_piece() {
    let (server, _) = start();
    let path = server.control();
    let mut slow = control::connect(&path);
    let (begin, end) = STATUS.split_at(10);
    slow.write_all(begin).unwrap();
    // As many as may be so far, and they say nothing.
    let silent: Vec<UnixStream> = (0..60).map(|_| control::connect(&path)).collect();
    let before = Instant::now();
    assert_eq!(control::ask(&path, STATUS)["ok"], true);
    assert!(
        before.elapsed() < Duration::from_secs(1),
        "{:?}",
        before.elapsed()
    );
    slow.write_all(end).unwrap();
    slow.shutdown(Shutdown::Write).unwrap();
    assert_eq!(control::reply(&slow)["ok"], true, "without a line feed");
    for silent in silent {
        let reply = control::reply(&silent);
        assert_eq!(reply["error"], "no whole line within 2 s", "{reply}");
    }
    server.stop();
}

#[test]
fn of_a_crowd_that_says_nothing_those_that_came_first_are_sent_away() {
    let (server, _) = start();
    let path = server.control();
    let mut crowd: Vec<UnixStream> = Vec::new();
    for _ in 0..3 {
        crowd.extend((0..60).map(|_| control::connect(&path)));
        assert_eq!(control::ask(&path, STATUS)["ok"], true);
    }
    let mut end = Vec::new();
    let first = crowd[0].read_to_end(&mut end).unwrap();
    assert_eq!(first, 0, "without a word");
    server.stop();
}

#[test]
fn so_many_requests_wait_for_zones_that_are_read_and_one_more_is_told_so() {
    const WAITING: usize = 64;
    let address = loopback::address();
    let mut server = Launch::run(&["--io", "socket", "--config", "r.toml"])
        .with(&["--listen", &address.to_string()])
        .file("r.toml", "watch = false\n")
        .zone("example", EXAMPLE)
        .start();
    let path = server.control();
    // What it reads is a pipe, and nobody writes yet.
    let zone = server.folder().join("example.zone");
    fs::remove_file(&zone).unwrap();
    nix::unistd::mkfifo(&zone, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let asked = |command: &str| {
        let mut client = control::connect(&path);
        let line = format!("{{\"version\":1,\"command\":\"{command}\"}}\n");
        client.write_all(line.as_bytes()).unwrap();
        client
    };
    let reload = asked("reload");
    let mut pipe = File::options().write(true).open(&zone).unwrap();
    // It reads.
    let mut waiting = Vec::new();
    let refused = loop {
        assert!(waiting.len() <= WAITING, "there is no end");
        let client = asked("policy");
        // The control thread takes one after the other.
        assert_eq!(control::ask(&path, STATUS)["ok"], true);
        match is_answered(&client) {
            true => break control::reply(&client),
            false => waiting.push(client),
        }
    };
    assert_eq!(refused["code"], "busy", "{refused}");
    assert_eq!(waiting.len(), WAITING);
    // Answers go on, and what the operator wants by a signal finds its way.
    ask(address, &query("www.example", rtype::A));
    server.signal(Signal::SIGHUP);
    fs::remove_file(&zone).unwrap();
    server.rewrite("example", EXAMPLE);
    pipe.write_all(EXAMPLE.as_bytes()).unwrap();
    drop(pipe);
    for client in [reload].iter().chain(&waiting) {
        let reply = control::reply(client);
        assert_eq!(reply["ok"], true, "{reply}");
    }
    server.await_reload(1);
    server.stop();
}

/// Whether there is something to read on a connection.
fn is_answered(client: &UnixStream) -> bool {
    let mut ready = [PollFd::new(client.as_fd(), PollFlags::POLLIN)];
    poll(&mut ready, PollTimeout::ZERO).expect("a descriptor") > 0
}

#[test]
fn a_connection_carries_one_request() {
    let (server, _) = start();
    let mut client = control::connect(&server.control());
    let request = [STATUS, b"\n{\"version\":1,\"command\":\"stop\"}\n"].concat();
    client.write_all(&request).unwrap();
    let mut replies = Vec::new();
    // What was not read makes the end a reset.
    let _ = client.read_to_end(&mut replies);
    assert!(replies.starts_with(b"{\"ok\":true,"), "the first");
    let lines = replies
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty());
    assert_eq!(lines.count(), 1, "{}", String::from_utf8_lossy(&replies));
    assert_eq!(
        control::ask(&server.control(), STATUS)["ok"],
        true,
        "nobody stopped it"
    );
    server.stop();
}

#[test]
fn a_client_that_does_not_read_keeps_nobody_waiting() {
    let address = loopback::address().to_string();
    let launch = Launch::run(&["--io", "socket", "--listen", &address]);
    let zones = launch.folder().join("zones");
    std::fs::create_dir(&zones).unwrap();
    for number in 0..2000 {
        let text = "@ 300 SOA ns host 1 2 3 4 5\n@ 300 NS ns.elsewhere.\n";
        std::fs::write(zones.join(format!("zone-number-{number}.test.zone")), text).unwrap();
    }
    let server = launch.with(&["--zones-dir", "zones"]).start();
    let path = server.control();
    let request = b"{\"version\":1,\"command\":\"zones\"}\n";
    let idle: Vec<UnixStream> = (0..8)
        .map(|_| {
            let mut client = control::connect(&path);
            client.write_all(request).unwrap();
            client
        })
        .collect();
    let before = Instant::now();
    assert_eq!(server.ctl(&["reload"]).code, Some(0));
    assert_eq!(control::ask(&path, STATUS)["ok"], true);
    assert!(
        before.elapsed() < Duration::from_secs(3),
        "{:?}",
        before.elapsed()
    );
    let reply = control::reply(&idle[0]);
    let zones = reply["result"]["zones"].as_array().unwrap().len();
    assert_eq!(zones, 2000, "who reads late gets all of it");
    server.stop();
}

#[test]
fn exit_codes_tell_a_refusal_from_another_version_and_from_silence() {
    let (server, _) = start();
    let code = |words: &[&str]| server.ctl(words).code;
    assert_eq!(code(&["zone", "show", "elsewhere.test"]), Some(1));
    assert_eq!(
        code(&["zone", "show", "example", "www.elsewhere.test"]),
        Some(1)
    );
    assert_eq!(
        code(&["zone", "show", "example", "www.example", "NOSUCH"]),
        Some(1)
    );
    assert_eq!(code(&["reload", "elsewhere.test"]), Some(1));
    assert_eq!(code(&["zone", "show"]), Some(2));
    assert_eq!(code(&["status", "--timeout", "0"]), Some(2));
    server.stop();
    let folder = Folder::new();
    let replies = [
        (
            Some("{\"ok\":false,\"error\":\"no\",\"code\":\"version\"}\n"),
            5,
        ),
        (
            Some("{\"ok\":false,\"error\":\"no\",\"code\":\"another\"}\n"),
            1,
        ),
        (Some("what?\n"), 1),
        (Some(""), 3),
        (None, 3),
    ];
    for (number, (reply, expected)) in replies.into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.sock"));
        let code = ask_pretender(&path, reply);
        assert_eq!(code, Some(expected), "{reply:?}");
    }
}

/// How `ripples ctl status --timeout 1` ends with a server that says just this, or nothing.
fn ask_pretender(path: &Path, reply: Option<&str>) -> Option<i32> {
    let listener = UnixListener::bind(path).expect("a folder of one's own");
    std::thread::scope(|scope| {
        let pretender = scope.spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; STATUS.len() + 1];
            stream.read_exact(&mut request).expect("a client");
            if let Some(reply) = reply {
                stream.write_all(reply.as_bytes()).expect("a client");
                stream.shutdown(Shutdown::Both).expect("a client");
            }
            stream
        });
        let words = [
            "ctl",
            "--timeout",
            "1",
            "--control",
            &path.to_string_lossy(),
            "status",
        ];
        let code = Launch::new(&words).finish().code;
        drop(pretender.join().expect("no panic"));
        code
    })
}

#[test]
fn a_zone_tells_what_its_names_answer_whoever_is_let_in() {
    let address = loopback::address();
    let listen = address.to_string();
    let arguments = [
        "--io",
        "socket",
        "--listen",
        &listen,
        "--config",
        "ripples.toml",
    ];
    let server = Launch::run(&arguments)
        .file("ripples.toml", "[access]\ndeny = [\"127.0.0.0/8\"]\n")
        .zone("example", EXAMPLE)
        .start();
    let www = server.ctl(&["zone", "show", "example", "WWW.example", "a"]);
    assert_eq!(
        www.stdout,
        "; A: NOERROR, authoritative\nwww.example. 3600 IN A 192.0.2.80\n"
    );
    let none = json(&server, &["zone", "show", "example.", "nosuch.example"]);
    assert_eq!(none["answers"][0]["rcode"], "NXDOMAIN");
    assert_eq!(none["answers"][0]["authority"][0]["type"], "SOA");
    let all = json(&server, &["zone", "show", "example", "www.example"]);
    let types = all["answers"].as_array().unwrap().iter();
    let types: Vec<&str> = types
        .map(|answer| answer["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["A", "AAAA"]);
    assert_eq!(
        (&all["serial"], &all["dnssec"]),
        (&1.into(), &"unsigned".into())
    );
    // The zone is the one that is served, and nobody is.
    assert_eq!(ask_tcp(address, &query("www.example", rtype::A))[3] & 15, 5);
    server.rewrite("example", &EXAMPLE.replace("192.0.2.80", "192.0.2.81"));
    let reloaded = json(&server, &["zone", "reload", "example"]);
    assert_eq!(reloaded["loaded"], 1);
    let www = server
        .ctl(&["zone", "show", "example", "www.example", "A"])
        .stdout;
    assert!(www.ends_with("192.0.2.81\n"), "{www}");
    let policy = json(&server, &["policy"]);
    assert_eq!(policy["access"]["deny"], json!(["127.0.0.0/8"]));
    assert_eq!(policy["access"]["others_get"], "REFUSED");
    server.stop();
}

#[test]
fn a_signed_zone_tells_how_and_shows_proofs_to_whoever_asks() {
    let address = loopback::address().to_string();
    let nsec3 = include_str!("../../fixtures/signed/nsec3.zone");
    let server = Launch::run(&["--io", "socket", "--listen", &address])
        .zone("nsec3.test", nsec3)
        .start();
    let told = json(&server, &["zone", "show", "nsec3.test"]);
    assert_eq!(told["dnssec"], "nsec3");
    assert!(told["nsec3_iterations"].is_u64() && told["read_at"].is_string());
    let words = ["zone", "show", "nsec3.test", "nosuch.nsec3.test", "A"];
    let plain = server.ctl(&words).stdout;
    assert!(
        plain.contains(" SOA ") && !plain.contains(" RRSIG "),
        "{plain}"
    );
    let proven = server.ctl(&[&words[..], &["--dnssec"]].concat()).stdout;
    assert!(
        proven.contains(" RRSIG ") && proven.contains(" NSEC3 "),
        "{proven}"
    );
    server.stop();
}

#[test]
fn levels_of_the_log_change_at_run_time() {
    let (server, _) = start();
    server.ctl(&["health"]);
    assert_eq!(json(&server, &["log-level"])["filter"], "info");
    let debug = ["log-level", "ripples::server=debug,warn"];
    assert_eq!(server.ctl(&debug).code, Some(0));
    server.ctl(&["reload"]);
    let told = json(&server, &["log-level"]);
    let levels = told["levels"].as_array().unwrap();
    let expected = [
        json!({"target": "ripples::server", "level": "debug"}),
        json!({"target": null, "level": "warn"}),
    ];
    assert!(
        expected.iter().all(|level| levels.contains(level)),
        "{told}"
    );
    assert_eq!(levels.len(), 2, "{told}");
    server.ctl(&["log-level", "off"]);
    server.ctl(&["log-level", "ripples::server=off"]);
    let before = server.log();
    server.ctl(&["reload"]);
    assert_eq!(server.log(), before);
    let refused = server.ctl(&["log-level", "loud"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("is neither LEVEL nor TARGET=LEVEL"));
    server.stop();
}

#[test]
fn another_cookie_secret_leaves_the_cookies_of_the_one_before_right() {
    let (server, address) = start();
    let first = cookie(address, &[7; 8]);
    let told = json(&server, &["cookies"]);
    assert_eq!(
        (&told["secrets"], &told["origin"]),
        (&1.into(), &"drawn".into())
    );
    assert_eq!(json(&server, &["cookies", "rotate"])["secrets"], 2);
    let second = cookie(address, &first);
    assert_ne!(first, second, "the secret is another");
    server.await_stats(|stats| stats.total("events.cookie_valid") == 1);
    json(&server, &["cookies", "rotate"]);
    cookie(address, &second);
    cookie(address, &first);
    let stats = server.await_stats(|stats| stats.total("events.cookie_bad") == 1);
    assert_eq!(stats.total("events.cookie_valid"), 2, "{stats}");
    let all = server.ctl(&["cookies", "--json"]).stdout;
    assert!(all.len() < 200, "no secret: {all}");
    server.stop();
}

#[test]
fn secrets_of_the_configuration_are_the_files() {
    let address = loopback::address().to_string();
    let secret = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    let config =
        |policy: &str| format!("[cookies]\npolicy = \"{policy}\"\nsecrets = [\"{secret}\"]\n");
    let server = Launch::run(&["--io", "socket", "--listen", &address, "--config", "r.toml"])
        .file("r.toml", &config("answer"))
        .start();
    let refused = server.ctl(&["cookies", "rotate"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("cookies.secrets"),
        "{}",
        refused.stderr
    );
    let told = server.ctl(&["cookies", "--json"]).stdout;
    assert!(
        told.contains("\"origin\":\"configured\"") && !told.contains(secret),
        "{told}"
    );
    std::fs::write(server.folder().join("r.toml"), config("off")).unwrap();
    server.reload();
    assert_eq!(json(&server, &["cookies"])["policy"], "off");
    assert_eq!(server.ctl(&["cookies", "rotate"]).code, Some(1));
    server.stop();
}

/// The cookie that comes back for this one.
fn cookie(address: SocketAddr, cookie: &[u8]) -> Vec<u8> {
    let message = Ask::new(Name::parse("www.example"), rtype::A)
        .edns(1232)
        .option(10, cookie)
        .message();
    let (reply, _) = ask(address, &message);
    // The option is the reply's last.
    let option = &reply[reply.len() - 28..];
    assert_eq!(option[..4], [0, 10, 0, 24], "{reply:02x?}");
    option[4..].to_vec()
}

//! Metrics over HTTP: what is told, to whom, and that it adds up.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::thread::park_timeout;
use std::time::{Duration, Instant};
use tests::client::{ask, ask_tcp, query};
use tests::folder::Folder;
use tests::loopback;
use tests::python;
use tests::record::rtype;
use tests::scrape::{Scrape, request};
use tests::server::{EXAMPLE, Launch, PATIENCE, Server};

/// A server with metrics at the second address.
fn start() -> (Server, SocketAddr, SocketAddr) {
    let (address, http) = (loopback::address(), loopback::address());
    let (listen, told) = (address.to_string(), http.to_string());
    let server = Launch::run(&["--io", "socket", "--listen", &listen, "--http", &told])
        .zone("example", EXAMPLE)
        .start();
    (server, address, http)
}

#[test]
fn replies_and_discards_sum_to_what_was_received() {
    let (server, address, http) = start();
    for (name, rtype) in [
        ("www.example", rtype::A),
        ("nosuch.example", rtype::A),
        ("elsewhere.test", rtype::MX),
    ] {
        ask(address, &query(name, rtype));
        ask_tcp(address, &query(name, rtype));
    }
    // A response, and less than a header.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut response = query("www.example", rtype::A);
    response[2] |= 0x80;
    socket.send_to(&response, address).unwrap();
    socket.send_to(&response[..5], address).unwrap();
    server.await_stats(|stats| stats.total("discards") == 2);
    let (head, body) = request(http, "GET /metrics HTTP/1.1");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    let scrape = Scrape::read(&body);
    scrape.assert_workers_add_up();
    for (name, labels, value) in [
        ("received_total", "", 8),
        ("replies_total", "worker=\"socket/0\",rcode=\"nxdomain\"", 1),
        ("replies_total", "worker=\"sibling/0\",rcode=\"refused\"", 1),
        (
            "discards_total",
            "worker=\"socket/0\",reason=\"response\"",
            1,
        ),
        ("discards_total", "", 2),
        ("queries_total", "type=\"a\"", 4),
        ("queries_total", "worker=\"sibling/0\",type=\"mx\"", 1),
        ("tcp_queries_total", "", 3),
        ("udp_total", "", 5),
        ("zones", "", 1),
        ("snapshot_generation", "", 1),
        ("reloads_total", "", 0),
    ] {
        let sum = scrape.sum(&format!("ripples_{name}"), labels);
        assert_eq!(sum, f64::from(value), "{name} {labels}: {scrape}");
    }
    assert!(
        scrape
            .names()
            .iter()
            .all(|name| name.starts_with("ripples_"))
    );
    server.reload();
    let (_, body) = request(http, "GET /metrics HTTP/1.1");
    assert!(body.contains("\nripples_reloads_total 1\n"), "{body}");
    server.stop();
}

#[test]
fn queries_are_counted_by_zone_where_that_is_wanted() {
    let (address, http) = (loopback::address(), loopback::address());
    let other = EXAMPLE.replace("example", "other");
    let server = Launch::run(&["--io", "socket", "--config", "ripples.toml"])
        .with(&[
            "--listen",
            &address.to_string(),
            "--http",
            &http.to_string(),
        ])
        .file("ripples.toml", "zone_metrics = 1\n")
        .zone("example", EXAMPLE)
        .zone("other", &other)
        .start();
    for name in [
        "www.example",
        "example",
        "nosuch.example",
        "www.other",
        "unserved.test",
    ] {
        ask(address, &query(name, rtype::SOA));
        ask_tcp(address, &query(name, rtype::SOA));
    }
    let wanted = |scrape: &Scrape| {
        [
            ("zone=\"example.\",rcode=\"noerror\"", 4.0),
            ("zone=\"example.\",rcode=\"nxdomain\"", 2.0),
            ("zone=\"other\",rcode=\"noerror\"", 2.0),
            ("", 8.0),
        ]
        .map(|(labels, count)| {
            (
                labels,
                count,
                scrape.sum("ripples_zone_replies_total", labels),
            )
        })
    };
    server.await_stats(|stats| stats.total("answers") == 10);
    for (labels, count, told) in wanted(&Scrape::of(http)) {
        assert_eq!(told, count, "{labels}: {}", Scrape::of(http));
    }
    let stats: Value = serde_json::from_str(&server.ctl(&["stats", "--json"]).stdout).unwrap();
    assert_eq!(stats["zones"]["example."]["noerror"], 4, "{stats}");
    // Places are a zone's own, in whatever order they are served: counts go on.
    server.rewrite("example", &EXAMPLE.replace("www", "wwx"));
    server.reload();
    for (labels, count, told) in wanted(&Scrape::of(http)) {
        assert_eq!(told, count, "{labels}: {}", Scrape::of(http));
    }
    server.stop();
}

#[test]
fn stats_tell_of_turns_and_memory_what_metrics_tell() {
    let (server, address, http) = start();
    ask(address, &query("www.example", rtype::A));
    let stats = server.await_stats(|stats| stats.total("received") == 1);
    let vectors = |counter: &str| stats.total(&format!("histograms.vector_frames.{counter}"));
    assert_eq!(
        [vectors("count"), stats.worker("socket/0", "events.turns")],
        [1, 1]
    );
    let said = server.ctl(&["stats"]).stdout;
    let line = said
        .lines()
        .find(|line| line.starts_with("histograms.vector_frames.p99"))
        .unwrap_or_else(|| panic!("{said}"));
    assert!(line.ends_with(" 1.0"), "{line}");
    assert!(!said.contains("ranges"), "{said}");
    let status = server.ctl(&["status", "--json"]).stdout;
    let status: Value = serde_json::from_str(&status).unwrap();
    let scrape = Scrape::of(http);
    let bytes = |part: &str| scrape.sum("ripples_snapshot_bytes", part);
    assert_eq!(
        bytes(""),
        status["memory_bytes"].as_f64().unwrap(),
        "{status}"
    );
    assert!(
        bytes("\"zones\"") > 0.0 && bytes("\"index\"") > 0.0,
        "{scrape}"
    );
    assert_eq!(
        bytes("\"saved_zones\"") + bytes("\"maps\""),
        0.0,
        "{scrape}"
    );
    server.stop();
}

#[test]
fn openmetrics_is_read_by_the_reference_parser() {
    if !python::has("prometheus_client") {
        return;
    }
    let (server, address, http) = start();
    ask(address, &query("www.example", rtype::A));
    let accept = "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0";
    let (head, body) = request(http, accept);
    assert!(head.contains("application/openmetrics-text; version=1.0.0"));
    assert!(body.ends_with("\n# EOF\n"));
    let (_, plain) = request(http, "GET /metrics HTTP/1.1");
    for (module, text) in [("openmetrics.parser", &body), ("parser", &plain)] {
        let program = format!(
            "import sys; from prometheus_client.{module} import text_string_to_metric_families as \
             read; print(sum(len(it.samples) for it in read(sys.stdin.read())))"
        );
        let count: usize = python::run(&program, text).trim().parse().unwrap();
        let expected = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(count, expected, "{module}");
    }
    server.stop();
}

#[test]
fn other_paths_and_methods_are_refused_and_slow_clients_are_in_nobodys_way() {
    let (server, _, http) = start();
    let slow: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(http).unwrap();
            stream.write_all(b"GET /met").unwrap();
            stream
        })
        .collect();
    for (head, status) in [
        ("GET / HTTP/1.1", "200"),
        ("HEAD /metrics HTTP/1.1", "200"),
        ("GET /secrets HTTP/1.1", "404"),
        ("POST /metrics HTTP/1.1\r\nContent-Length: 0", "405"),
        ("no request", "400"),
    ] {
        let (response, _) = request(http, head);
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}")),
            "{head}: {response}"
        );
    }
    for mut stream in slow {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("it is closed");
    }
    server.stop();
}

#[test]
fn a_server_that_replaces_another_tells_its_own_once_that_has_left() {
    let folder = Folder::new();
    let control = folder.path().join("control.sock");
    let (listen, http) = (loopback::address().to_string(), loopback::address());
    let told = http.to_string();
    let launch = |arguments: &[&str]| {
        Launch::run_at(&control, &["--io", "socket", "--listen", &listen])
            .with(&["--http", &told])
            .with(arguments)
            .zone("example", EXAMPLE)
            .start()
    };
    let old = launch(&["--workers", "1"]);
    assert_eq!(Scrape::of(http).values("worker").len(), 2);
    let new = launch(&["--workers", "2", "--replace"]);
    assert_eq!(old.wait().code, Some(0));
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(http).is_err() {
        assert!(Instant::now() < deadline, "{}", new.log());
        park_timeout(Duration::from_millis(20));
    }
    assert_eq!(Scrape::of(http).values("worker").len(), 4);
    new.stop();
}

#[test]
fn an_address_that_is_taken_is_an_error_that_names_the_option() {
    let (server, _, http) = start();
    let listen = loopback::address().to_string();
    let told = http.to_string();
    let second = Launch::run(&["--io", "socket", "--listen", &listen, "--http", &told])
        .zone("example", EXAMPLE)
        .finish();
    assert_ne!(second.code, Some(0));
    let expected = format!("--http {http}: cannot listen");
    assert!(second.stderr.contains(&expected), "{}", second.stderr);
    request(http, "GET /metrics HTTP/1.1");
    server.stop();
}

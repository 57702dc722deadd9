//! Queries as they are answered.

use crate::stage::{Ctl, Onlooker, await_begun, prepare, start};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::client::{ask, ask_tcp, query};
use tests::record::rtype;

/// The names that `options` let through.
fn seen(address: SocketAddr, server: &tests::server::Server, options: Value) -> Vec<String> {
    let mut onlooker = Onlooker::begin(server, "tail", options);
    let before = server.stats().query_log("recorded");
    ask(address, &query("www.example", rtype::A));
    ask(address, &query("WWW.example", rtype::AAAA));
    ask(address, &query("a.www.example", rtype::A));
    ask(address, &query("ww.example", rtype::A));
    // Every filter here lets this through as well, so what comes before it is all.
    ask(address, &query("end.example", rtype::MX));
    let mut names = Vec::new();
    loop {
        let name = onlooker.entry();
        if name.starts_with("end.") {
            break;
        }
        names.push(name);
    }
    let recorded = server.stats().query_log("recorded") - before;
    // What nobody wants is not even recorded.
    assert_eq!(recorded, names.len() as u64 + 1);
    names
}

#[test]
fn each_filter_lets_its_own_through_and_others_are_not_recorded() {
    let (server, address) = start();
    let (lower, upper, below, beside) = (
        "www.example. A udp",
        "WWW.example. AAAA udp",
        "a.www.example. A udp",
        "ww.example. A udp",
    );
    for (options, expected) in [
        (json!({}), vec![lower, upper, below, beside]),
        (
            json!({ "names": ["www.example", "end.example"] }),
            vec![lower, upper, below],
        ),
        (
            json!({ "exact_names": ["www.Example.", "end.example"] }),
            vec![lower, upper],
        ),
        (
            json!({ "exact_names": ["a.www.example"], "names": ["end.example"] }),
            vec![below],
        ),
        (json!({ "types": ["aaaa", "MX"] }), vec![upper]),
        (json!({ "rcodes": ["nxdomain"] }), vec![below, beside]),
        (
            json!({ "rcodes": ["NXDOMAIN"], "names": ["end.example"] }),
            vec![],
        ),
        (
            json!({ "networks": ["127.0.0.0/8"], "types": ["MX"] }),
            vec![],
        ),
        (json!({ "sample": 5, "names": ["example."] }), vec![]),
    ] {
        assert_eq!(
            seen(address, &server, options.clone()),
            expected,
            "{options}"
        );
    }
    server.stop();
}

#[test]
fn udp_and_tcp_are_seen_and_what_is_seen_is_what_the_query_log_writes() {
    let (launch, address) = prepare();
    let server = launch.with(&["--query-log", "logs"]).start();
    let mut onlooker = Onlooker::begin(&server, "tail", json!({ "names": ["www.example"] }));
    ask(address, &query("www.example", rtype::A));
    ask(address, &query("other.example", rtype::A));
    ask_tcp(address, &query("www.example", rtype::AAAA));
    let mut entries = [onlooker.entry(), onlooker.entry()];
    entries.sort();
    assert_eq!(entries, ["www.example. A udp", "www.example. AAAA tcp"]);
    server.await_stats(|stats| stats.query_log("written") == 3);
    let recorded = server.stats().query_log("recorded");
    assert_eq!(recorded, 3);
    drop(onlooker);
    // The log goes on.
    ask(address, &query("www.example", rtype::A));
    server.await_stats(|stats| stats.query_log("written") == 4);
    server.stop();
}

#[test]
fn people_get_a_line_each_until_there_are_enough() {
    let (server, address) = start();
    let two = Ctl::start(
        &server,
        &[
            "tail",
            "name=www.example",
            "client=127.0.0.0/8",
            "--count",
            "2",
        ],
    );
    let json = Ctl::start(
        &server,
        &["tail", "--json", "rcode=NXDOMAIN", "--count", "1"],
    );
    await_begun(&server, 2);
    for name in [
        "www.example",
        "nosuch.example",
        "www.example",
        "www.example",
    ] {
        ask(address, &query(name, rtype::A));
    }
    let text = two.printed();
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    let [_, client, udp, name, qtype, rcode, _, bytes, _, us] = &lines[1][..] else {
        panic!("{text}");
    };
    assert!(client.starts_with("127."), "{text}");
    let words = [udp, name, qtype, rcode, bytes, us].map(|word| *word);
    assert_eq!(words, ["udp", "www.example.", "A", "NOERROR", "B", "µs"]);
    let line: Value = serde_json::from_str(&json.printed()).unwrap();
    assert_eq!(line["entry"]["request"]["name"], "nosuch.example.");
    server.await_stats(|stats| stats.live("subscribers") == 0);
    server.stop();
}

#[test]
fn the_servers_end_is_the_streams_end() {
    let (server, address) = start();
    let all = Ctl::start(&server, &["tail"]);
    let some = Ctl::start(&server, &["tail", "--count", "2"]);
    let mut onlooker = Onlooker::begin(&server, "tail", json!({}));
    await_begun(&server, 3);
    ask(address, &query("www.example", rtype::A));
    server.stop();
    // What was answered before the end is told.
    assert_eq!(onlooker.entry(), "www.example. A udp");
    assert_eq!(onlooker.next(), None);
    assert!(all.printed().contains("www.example."));
    let output = some.finish();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ended the stream"));
}

#[test]
fn what_is_no_filter_is_refused() {
    let (server, _) = start();
    for (options, problem) in [
        (json!({ "types": ["AAAAA"] }), "types: "),
        (json!({ "rcodes": ["NX"] }), "rcodes: "),
        (json!({ "names": ["a..b"] }), "names: "),
        (json!({ "exact_names": ["a..b"] }), "exact_names: "),
        (json!({ "networks": ["192.0.2.1/24"] }), "networks: "),
        (json!({ "sample": 0 }), "sample: "),
        (json!({ "sample": "x" }), "not a request"),
        (json!({ "names": vec!["a"; 65] }), "64 at most"),
    ] {
        let (_, reply) = Onlooker::ask(&server, "tail", options);
        assert_eq!(reply["ok"], false);
        let error = reply["error"].as_str().unwrap();
        assert!(error.contains(problem), "{error}");
    }
    server.stop();
}

/// Says that it is over when it is dropped, so that a test that fails ends.
struct Over<'f>(&'f AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn nobody_gets_what_the_one_before_wanted() {
    let (server, address) = start();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                ask(address, &query("one.example", rtype::A));
                ask(address, &query("two.example", rtype::A));
            }
        });
        let _over = Over(&is_over);
        for turn in 0..60 {
            let name = ["one.example.", "two.example."][turn % 2];
            let mut onlooker = Onlooker::begin(&server, "tail", json!({ "exact_names": [name] }));
            for _ in 0..3 {
                assert_eq!(onlooker.entry(), format!("{name} A udp"));
            }
        }
    });
    server.stop();
}

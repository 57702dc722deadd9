//! What is most frequent.

use crate::stage::{Ctl, Onlooker, await_begun, prepare, start};
use serde_json::{Value, json};
use std::fs;
use tests::client::{ask, ask_tcp, query};
use tests::mmdb::{Datum, Writer};
use tests::record::rtype;

/// A list as `KEY COUNT`, in its order.
fn list(top: &Value, by: &str) -> Vec<String> {
    let rows = top["top"][by]
        .as_array()
        .unwrap_or_else(|| panic!("no {by} in {top}"));
    let told = rows.iter().map(|row| {
        assert_eq!(row["error"], 0);
        format!("{} {}", row["key"].as_str().expect("a text"), row["count"])
    });
    told.collect()
}

#[test]
fn counts_are_right_and_begin_anew_or_go_on() {
    let (server, address) = start();
    let options = json!({ "every_ms": 1500, "length": 2 });
    let mut anew = Onlooker::begin(&server, "top", options.clone());
    let mut total = json!({ "total": true });
    total["every_ms"] = options["every_ms"].clone();
    let mut total = Onlooker::begin(&server, "top", total);
    for _ in 0..3 {
        ask(address, &query("www.example", rtype::A));
        ask_tcp(address, &query("Www.Example", rtype::AAAA));
        ask(address, &query("nosuch.example", rtype::A));
    }
    ask(address, &query("example", rtype::MX));
    for onlooker in [&mut anew, &mut total] {
        let top = onlooker.next().expect("a message");
        assert_eq!(top["top"]["queries"], 10, "{top}");
        assert!(top["top"]["seconds"].as_f64().expect("a number") >= 1.5);
        assert_eq!(
            list(&top, "names")[..2],
            ["www.example. 6", "nosuch.example. 3"]
        );
        assert_eq!(list(&top, "types")[..2], ["A 6", "AAAA 3"]);
        assert_eq!(list(&top, "rcodes"), ["NOERROR 7", "NXDOMAIN 3"]);
        // There is no database.
        assert_eq!(top["top"].get("countries"), None);
        let clients = list(&top, "clients");
        assert!(
            clients.iter().all(|client| client.starts_with("127.")),
            "{clients:?}"
        );
    }
    ask(address, &query("example", rtype::MX));
    let top = anew.next().expect("a message");
    assert_eq!(list(&top, "names"), ["example. 1"]);
    let top = total.next().expect("a message");
    assert_eq!(
        list(&top, "names"),
        ["www.example. 6", "nosuch.example. 3", "example. 2"]
    );
    server.stop();
}

#[test]
fn countries_are_those_of_the_databases_whatever_the_maps_say() {
    let (launch, address) = prepare();
    let mut writer = Writer::new("Test-Country");
    writer.say("127.0.0.0/8", Datum::country("EU", "DE"));
    fs::write(launch.folder().join("c.mmdb"), writer.finish()).unwrap();
    let toml = "[geo]\ndatabases = [\"c.mmdb\"]\n";
    let server = launch
        .file("r.toml", toml)
        .with(&["--config", "r.toml"])
        .start();
    let options = json!({ "by": ["countries"], "every_ms": 500, "types": ["A"] });
    let mut onlooker = Onlooker::begin(&server, "top", options);
    let all = Ctl::start(&server, &["top", "--json", "--once", "--every", "1"]);
    server.await_stats(|stats| stats.live("begun") == 2);
    let mut counted = Vec::new();
    while counted.is_empty() {
        ask(address, &query("www.example", rtype::A));
        ask(address, &query("www.example", rtype::MX));
        counted = list(&onlooker.next().expect("a message"), "countries");
    }
    assert_eq!(counted, ["DE 1"]);
    let top: Value = serde_json::from_str(&all.printed()).unwrap();
    assert!(list(&top, "countries")[0].starts_with("DE "), "{top}");
    server.stop();
}

#[test]
fn people_get_lists_beside_each_other() {
    let (server, address) = start();
    let words = [
        "top",
        "--once",
        "--every",
        "1500ms",
        "--by",
        "names,types",
        "-n",
        "1",
    ];
    let once = Ctl::start(&server, &words);
    await_begun(&server, 1);
    ask(address, &query("www.example", rtype::A));
    ask(address, &query("www.example", rtype::A));
    ask(address, &query("example", rtype::A));
    let text = once.printed();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let [
        heading,
        "",
        "COUNT  NAMES",
        name,
        "",
        "COUNT  TYPES",
        qtype,
        ..,
    ] = &lines[..]
    else {
        panic!("{text}");
    };
    assert!(heading.starts_with("3 queries in 1.5 s"), "{heading}");
    assert_eq!((*name, *qtype), ("2  www.example.", "3  A"));
    server.stop();
}

#[test]
fn lists_that_cannot_be_are_refused() {
    let (server, _) = start();
    for (options, problem) in [
        (
            json!({ "by": ["countries"] }),
            "countries: there is no database",
        ),
        (json!({ "by": ["colours"] }), "not a request"),
        (json!({ "length": 0 }), "length: "),
        (json!({ "every_ms": 10 }), "every_ms: "),
    ] {
        let (_, reply) = Onlooker::ask(&server, "top", options);
        let error = reply["error"].as_str().unwrap();
        assert!(error.contains(problem), "{error}");
    }
    let stats = server.stats();
    assert_eq!((stats.live("subscribers"), stats.live("begun")), (0, 0));
    server.stop();
}

//! What is written down of queries that came over AF_XDP.

use crate::stage::{PORT, Stage, launch, output};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::ask::{Ask, AskEdns};
use tests::client::query;
use tests::name::Name;
use tests::netns::{Veth, privileged};
use tests::record::rtype;
use tests::server::EXAMPLE;

#[test]
fn lines_tell_of_both_families_of_edns_and_of_what_is_refused_for_it() {
    let Some(stage) = Stage::new(&["--query-log", "logs"]) else {
        return;
    };
    let name = Name::parse("www.example");
    let mut plain = Ask::new(name.clone(), rtype::AAAA).option(8, &[0, 1, 24, 0, 192, 0, 2]);
    plain.edns = plain.edns.map(|edns| AskEdns {
        size: 4096,
        dnssec_ok: true,
        ..edns
    });
    let mut version = Ask::new(name, rtype::A).edns(512);
    version.edns = version.edns.map(|edns| AskEdns { version: 1, ..edns });
    for address in stage.addresses() {
        for message in [
            query("www.example", rtype::A),
            plain.message(),
            version.message(),
        ] {
            stage.ask(address, &message);
        }
    }
    let written = |stats: &tests::stats::Stats| stats.query_log("written") == 6;
    stage.server.await_stats(written);
    let text = only_file(&stage.server.folder().join("logs"), "");
    let text = fs::read_to_string(text).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 6, "{text}");
    let (server, client) = (&stage.veth.server, &stage.veth.client);
    for (local, remote) in [
        (server.ipv4.to_string(), client.ipv4.to_string()),
        (server.ipv6.to_string(), client.ipv6.to_string()),
    ] {
        let own: Vec<&Value> = lines
            .iter()
            .filter(|line| line["local"]["address"] == local)
            .collect();
        assert_eq!(own.len(), 3, "{text}");
        for line in &own {
            let worker = line["worker"].as_str().unwrap();
            assert!(worker.starts_with("server0/"), "{line}");
            assert_eq!(line["transport"], "udp");
            assert_eq!(line["client"]["address"], remote);
            assert_eq!(line["local"]["port"], PORT);
        }
        let told = |edns: Value, rcode: &str| {
            let found = own
                .iter()
                .any(|line| line["request"]["edns"] == edns && line["response"]["rcode"] == rcode);
            assert!(found, "no {edns} with {rcode}: {text}");
        };
        told(Value::Null, "NOERROR");
        told(
            json!({ "size": 4096, "version": 0, "do": true, "client_subnet": "192.0.2.0/24" }),
            "NOERROR",
        );
        told(
            json!({ "size": 512, "version": 1, "do": false, "client_subnet": null }),
            "BADVERS",
        );
    }
    stage.server.stop();
}

#[test]
fn dnstap_and_captures_tell_of_both_families() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(2);
    let toml = "[[query_log]]\nfolder = \"logs\"\nname = \"tap\"\nformat = \"dnstap\"\n\
                [[query_log]]\nfolder = \"logs\"\nname = \"cap\"\nformat = \"pcap\"\n";
    let launch = launch(&veth.server, &["--io", "xdp", "--config", "r.toml"]);
    let server = launch.file("r.toml", toml).zone("example", EXAMPLE).start();
    let stage = Stage { server, veth };
    for address in stage.addresses() {
        stage.ask(address, &query("www.example", rtype::A));
        stage.ask_tcp(address, &query("www.example", rtype::AAAA));
    }
    let written = |stats: &tests::stats::Stats| stats.query_log("written") == 8;
    stage.server.await_stats(written);
    let logs = stage.server.folder().join("logs");
    let tap = output(Command::new("dnstap-read").arg(only_file(&logs, "tap")));
    let cap = output(
        Command::new("tcpdump")
            .args(["-nn", "-vv", "-r"])
            .arg(only_file(&logs, "cap")),
    );
    let (server, client) = (&stage.veth.server, &stage.veth.client);
    for (local, remote) in [
        (server.ipv4.to_string(), client.ipv4.to_string()),
        (server.ipv6.to_string(), client.ipv6.to_string()),
    ] {
        for (transport, question) in [("UDP", "www.example/IN/A"), ("TCP", "www.example/IN/AAAA")] {
            for (kind, way) in [("AQ", "->"), ("AR", "<-")] {
                let found = tap.lines().any(|line| {
                    line.contains(&format!("{kind} {remote}:"))
                        && line.contains(&format!(" {way} {local}:{PORT} {transport} "))
                        && line.ends_with(question)
                });
                assert!(found, "{kind} {local} {transport} is not in {tap}");
            }
        }
        // Queries and replies, by UDP and by TCP.
        let sent = cap.matches(&format!("> {local}.{PORT}: ")).count();
        let replies = cap.matches(&format!("{local}.{PORT} > {remote}.")).count();
        assert_eq!((sent, replies), (2, 2), "{local}: {cap}");
    }
    assert_eq!(tap.lines().count(), 8, "{tap}");
    assert_eq!(cap.matches("[udp sum ok]").count(), 4, "{cap}");
    assert_eq!(cap.matches("(correct)").count(), 4, "{cap}");
    for part in ["bad ", "incorrect", "truncated"] {
        assert!(!cap.contains(part), "{part} in {cap}");
    }
    stage.server.stop();
}

/// The one file in a folder whose name begins like this.
fn only_file(folder: &Path, name: &str) -> PathBuf {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let mut own = files.filter(|file| file.file_name().to_string_lossy().starts_with(name));
    let found = own.next().expect("a file").path();
    assert!(own.next().is_none(), "two files {name}");
    found
}

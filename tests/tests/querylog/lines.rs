//! The lines of JSON.

use crate::stage::{FOLDER, await_logged, prepare, start};
use serde_json::{Value, json};
use tests::ask::{Ask, AskEdns};
use tests::client::{ask, ask_from, ask_tcp, query, socket};
use tests::name::Name;
use tests::record::rtype;

const SECTION: &str = "[[query_log]]\nfolder = \"logs\"\n";

/// The last line, when there are `count`.
fn last(server: &tests::server::Server, count: u64) -> Value {
    let mut lines = await_logged(server, count);
    assert_eq!(lines.len() as u64, count);
    lines.pop().expect("there are some")
}

#[test]
fn a_line_tells_who_asked_what_when_and_what_the_answer_was() {
    let (launch, address) = prepare("");
    let server = launch.with(&["--query-log", FOLDER]).start();
    let client = socket(address);
    let mut message = query("www.example", rtype::A);
    message[2] |= 1;
    let before = jiff::Timestamp::now();
    let (reply, _) = ask_from(&client, address, &message);
    let mut line = last(&server, 1);
    let time = |key: &str| -> jiff::Timestamp {
        let text = line[key].as_str().expect("a text");
        assert_eq!(text.len(), "2026-11-23T12:22:42.254111000Z".len(), "{text}");
        text.parse().expect("RFC 3339")
    };
    let (received, sent) = (time("received"), time("sent"));
    assert!(before <= received && received <= sent && sent <= jiff::Timestamp::now());
    let port = client.local_addr().expect("bound").port();
    for key in ["received", "sent"] {
        line[key] = Value::Null;
    }
    // Another address of the loopback asks than the one that is asked.
    line["client"]["address"] = Value::Null;
    let expected = json!({
        "received": null,
        "sent": null,
        "worker": "socket/0",
        "transport": "udp",
        "client": { "address": null, "port": port },
        "local": { "address": address.ip().to_string(), "port": address.port() },
        "id": 0x5157,
        "request": {
            "opcode": "QUERY", "rd": true, "tc": false, "ad": false, "cd": false, "edns": null,
            "name": "www.example.", "class": "IN", "type": "A",
        },
        "response": {
            "rcode": "NOERROR", "aa": true, "tc": false, "bytes": reply.len(),
            "answer_count": 1, "authority_count": 0, "additional_count": 0,
            "answers": [
                { "name": "www.example.", "class": "IN", "type": "A", "ttl": 3600,
                  "data": "192.0.2.80" },
            ],
        },
    });
    assert_eq!(line, expected);
    server.stop();
}

#[test]
fn what_is_unusual_in_a_query_is_told_as_well() {
    let (server, address) = start(SECTION);
    let name = Name::parse("www.example");
    let mut asked = Ask::new(name.clone(), rtype::AAAA).option(8, &[0, 1, 24, 0, 192, 0, 2]);
    asked.edns = asked.edns.map(|edns| AskEdns {
        dnssec_ok: true,
        ..edns
    });
    let mut message = asked.message();
    // TC and AD.
    message[2] |= 2;
    message[3] |= 0x20;
    ask(address, &message);
    let line = last(&server, 1);
    let edns = json!({ "size": 1232, "version": 0, "do": true, "client_subnet": "192.0.2.0/24" });
    assert_eq!(line["request"]["edns"], edns);
    assert_eq!(
        (&line["request"]["tc"], &line["request"]["ad"]),
        (&json!(true), &json!(true))
    );

    // EDNS alone, as nearly every query has it.
    ask(
        address,
        &Ask::new(name.clone(), rtype::A).edns(4096).message(),
    );
    let line = last(&server, 2);
    let edns = json!({ "size": 4096, "version": 0, "do": false, "client_subnet": null });
    assert_eq!(line["request"]["edns"], edns);

    let mut asked = Ask::new(name.clone(), rtype::A).edns(512);
    asked.edns = asked.edns.map(|edns| AskEdns { version: 3, ..edns });
    ask(address, &asked.message());
    let line = last(&server, 3);
    assert_eq!(line["request"]["edns"]["version"], 3);
    assert_eq!(line["response"]["rcode"], "BADVERS");

    let mut asked = Ask::new(name, rtype::A);
    asked.opcode = 4;
    ask(address, &asked.message());
    let line = last(&server, 4);
    assert_eq!(
        (&line["request"]["opcode"], &line["response"]["rcode"]),
        (&json!("NOTIFY"), &json!("NOTIMP"))
    );

    // A header and nothing behind it.
    ask(address, &[9, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let line = last(&server, 5);
    assert_eq!(
        (&line["id"], &line["request"]["name"]),
        (&json!(0x0909), &Value::Null)
    );
    assert_eq!(line["response"]["rcode"], "FORMERR");
    server.stop();
}

#[test]
fn tcp_and_long_answers_are_told_up_to_the_number_of_records_that_is_wanted() {
    let (server, address) = start("[[query_log]]\nfolder = \"logs\"\nanswers = 3\n");
    ask_tcp(address, &query("large.example", rtype::AAAA));
    let line = last(&server, 1);
    assert_eq!(
        (&line["transport"], &line["worker"]),
        (&json!("tcp"), &json!("sibling/0"))
    );
    assert_eq!(line["response"]["answer_count"], 120);
    let answers = line["response"]["answers"].as_array().expect("a list");
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[2]["type"], "AAAA");
    ask(address, &query("example", rtype::TXT));
    let line = last(&server, 2);
    assert_eq!(line["response"]["answers"][0]["data"], "\"the apex\"");
    server.stop();
}

#[test]
fn filters_and_samples_take_what_they_say() {
    let toml = "[[query_log]]\nfolder = \"logs\"\nname = \"names\"\nnames = [\"WWW.example\"]\n\
                [[query_log]]\nfolder = \"logs\"\nname = \"missing\"\nrcodes = [\"nxdomain\"]\n\
                [[query_log]]\nfolder = \"logs\"\nname = \"sampled\"\nsample = 4\n\
                [[query_log]]\nfolder = \"logs\"\nname = \"types\"\ntypes = [\"MX\"]\n\
                [[query_log]]\nfolder = \"logs\"\nname = \"away\"\nnetworks = [\"192.0.2.0/24\"]\n";
    let (server, address) = start(toml);
    let asked = [
        ("www.example", rtype::A),
        ("a.www.example", rtype::A),
        ("ww.example", rtype::A),
        ("example", rtype::MX),
    ];
    for (name, qtype) in asked.iter().cycle().take(8) {
        ask(address, &query(name, *qtype));
    }
    // Names: 4, missing: 4, sampled: 2, types: 2.
    await_logged(&server, 12);
    let folder = server.folder().join(FOLDER);
    let names = |log: &str| -> Vec<String> {
        let files = crate::stage::files(&folder).into_iter();
        let own = files.filter(|file| {
            let name = file.file_name().expect("a file").to_string_lossy();
            name.starts_with(log)
        });
        let texts = own.map(|file| std::fs::read_to_string(file).expect("it is there"));
        let lines = texts.flat_map(|text| crate::stage::lines(&text));
        lines
            .map(|line| line["request"]["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(names("names"), ["www.example.", "a.www.example."].repeat(2));
    assert_eq!(
        names("missing"),
        ["a.www.example.", "ww.example."].repeat(2)
    );
    assert_eq!(names("sampled"), ["example.", "example."]);
    assert_eq!(names("types"), ["example.", "example."]);
    assert_eq!(names("away"), [""; 0]);
    server.stop();
}

#[test]
fn what_was_answered_before_the_end_is_written() {
    let (server, address) = start(SECTION);
    let folder = server.folder().join(FOLDER);
    for _ in 0..50 {
        ask(address, &query("www.example", rtype::A));
    }
    let control = server.ctl(&["stop"]);
    assert_eq!(control.code, Some(0), "{}", control.stderr);
    let deadline = std::time::Instant::now() + tests::server::PATIENCE;
    let mut count = 0;
    while count < 50 && std::time::Instant::now() < deadline {
        // The file is made when there is something to write.
        if !folder.is_dir() {
            continue;
        }
        count = crate::stage::files(&folder)
            .into_iter()
            .map(|file| {
                std::fs::read_to_string(file)
                    .expect("it is there")
                    .lines()
                    .count()
            })
            .sum();
    }
    assert_eq!(count, 50);
    assert_eq!(server.wait().code, Some(0));
}

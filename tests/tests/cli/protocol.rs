//! What docs/control.md says of the protocol, held against a server.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};
use tests::control;
use tests::folder::Folder;
use tests::loopback;
use tests::mmdb::{Datum, Writer};
use tests::server::{EXAMPLE, Launch, Orphan, PATIENCE, Server};

/// The page.
const PAGE: &str = include_str!("../../../docs/control.md");

/// A request of the page, and what it says comes back.
#[derive(Debug)]
struct Exchange {
    request: String,
    reply: Value,
    /// Fields that are left out at times.
    optional: Vec<String>,
    /// Fields that are names of something, so that those within differ.
    open: Vec<String>,
}

#[test]
fn every_documented_request_gets_the_documented_fields() {
    let (server, folder) = start();
    let control = server.control();
    let exchanges = exchanges(PAGE);
    assert!(exchanges.len() > 15, "{}", exchanges.len());
    let word = |exchange: &Exchange| {
        let request: Value = serde_json::from_str(&exchange.request).expect("JSON");
        request["command"].as_str().expect("a command").to_owned()
    };
    let mut problems = Vec::new();
    let mut check = |exchange: &Exchange| {
        let reply = control::ask(&control, exchange.request.as_bytes());
        compare("", &exchange.reply, &reply, exchange, &mut problems);
    };
    let (last, first): (Vec<&Exchange>, _) = exchanges
        .iter()
        .partition(|exchange| ["upgrade", "stop"].contains(&word(exchange).as_str()));
    first.into_iter().for_each(&mut check);
    let [upgrade, stop] = last[..] else {
        panic!("{last:?}");
    };
    check(upgrade);
    let next = Orphan(control.clone());
    // The next one says the same where it says anything.
    let deadline = Instant::now() + PATIENCE;
    let status = b"{\"version\":1,\"command\":\"status\"}";
    while control::ask(&control, status)["result"]["pid"] == server.id() {
        assert!(Instant::now() < deadline, "{}", server.log());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    check(stop);
    // Both write to the same standard error.
    let ended = server.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    drop((next, folder));
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn every_command_of_the_server_is_documented() {
    let address = loopback::address().to_string();
    let server = Launch::run(&["--io", "socket", "--listen", &address]).start();
    let unknown = b"{\"version\":1,\"command\":\"fly\"}";
    let reply = control::ask(&server.control(), unknown);
    let error = reply["error"].as_str().expect("an error");
    // It lists what it knows.
    let words: BTreeSet<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(words.contains("status") && words.len() > 12, "{error}");
    for word in words {
        assert!(PAGE.contains(&format!("\n### `{word}`\n")), "{word}");
    }
    server.stop();
}

#[test]
fn every_exit_code_is_documented() {
    for code in 0..=5 {
        assert!(PAGE.contains(&format!("\n| {code} | ")), "{code}");
    }
}

/// A server that has something to say to every request.
fn start() -> (Server, Folder) {
    let folder = Folder::new();
    let address = loopback::address();
    let closed = loopback::address().port();
    let mut database = Writer::new("Test-Country");
    database.say("127.0.0.0/9", Datum::country("EU", "DE"));
    folder.write("geo.mmdb", database.finish());
    let varied = "varied 60 A 127.0.0.1\n$VARIANT de\nvaried 60 A 127.0.0.49\n";
    folder.write("example.zone", format!("{EXAMPLE}{varied}"));
    let config = format!(
        "listen = [\"{address}\"]\nio = \"socket\"\nzone_metrics = 1\n\
         [[zone]]\norigin = \"example\"\nfile = \"example.zone\"\n\
         [geo]\ndatabases = [\"geo.mmdb\"]\n\
         [geo.map.world]\ndefault = \"other\"\ncountry = {{ DE = \"de\" }}\n\
         [access]\ndeny = [\"127.9.0.0/16\"]\n[rate_limit]\nper_second = 100\n\
         [edns]\nnsid = \"fra1\"\nclient_subnet_from = [\"127.0.0.0/8\"]\n\
         [chaos]\nhostname = \"ns1.example\"\n\
         [[health.check]]\nname = \"web\"\nkind = \"tcp\"\nport = {closed}\n\
         names = [\"varied.example\"]\n\
         [[query_log]]\nfolder = \"log\"\n"
    );
    let config = folder.write("ripples.toml", config);
    fs::create_dir(folder.path().join("log")).expect("a folder of one's own");
    let control = folder.path().join("control.sock");
    let server = Launch::run_at(&control, &["--config", &config.to_string_lossy()]).start();
    (server, folder)
}

/// The requests of the page, with their replies.
fn exchanges(page: &str) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut request: Option<String> = None;
    for block in page.split("\n\n") {
        if let Some(json) = block.strip_prefix("```json\n") {
            let json = json.strip_suffix("\n```").expect("an end of its own");
            match request.take() {
                None => request = Some(json.to_owned()),
                Some(request) => exchanges.push(Exchange {
                    request,
                    reply: serde_json::from_str(json).unwrap_or_else(|e| panic!("{json}: {e}")),
                    optional: Vec::new(),
                    open: Vec::new(),
                }),
            }
            continue;
        }
        let fields = || block.split('`').skip(1).step_by(2).map(str::to_owned);
        let last = exchanges.last_mut();
        if block.starts_with("Names vary in:") {
            last.expect("an exchange").open.extend(fields());
        } else if block.starts_with("Not always there:") {
            last.expect("an exchange").optional.extend(fields());
        }
    }
    exchanges
}

/// Notes where a reply has other fields than its example, or values of another kind.
fn compare(
    path: &str,
    example: &Value,
    reply: &Value,
    exchange: &Exchange,
    problems: &mut Vec<String>,
) {
    // Paths in the page are those within the result.
    let field = path.trim_start_matches("result.");
    let mut note = |what: &str| {
        let request = &exchange.request;
        problems.push(format!("{request}: {field}: {what}: {reply}"));
    };
    match (example, reply) {
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(own), Value::Object(other)) => {
            if exchange.open.iter().any(|open| open == field) {
                return;
            }
            for name in own.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
                let place = format!("{path}.{name}");
                let place = place.trim_start_matches('.');
                let is_optional = |place: &str| {
                    let field = place.trim_start_matches("result.");
                    exchange.optional.iter().any(|optional| optional == field)
                };
                match (own.get(name), other.get(name)) {
                    (Some(example), Some(reply)) => {
                        compare(place, example, reply, exchange, problems);
                    }
                    _ if is_optional(place) => {}
                    (Some(_), None) => {
                        problems.push(format!("{}: no {place}", exchange.request));
                    }
                    _ => problems.push(format!("{}: {place} is not documented", exchange.request)),
                }
            }
        }
        (Value::Array(own), Value::Array(other)) => {
            if let (Some(example), Some(reply)) = (own.first(), other.first()) {
                compare(path, example, reply, exchange, problems);
            }
        }
        (Value::String(own), Value::String(other)) if path == "code" && own != other => {
            note("another code");
        }
        (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) => {}
        (Value::Bool(own), Value::Bool(other)) if path == "ok" && own != other => {
            note("another outcome");
        }
        (Value::Bool(_), Value::Bool(_)) => {}
        _ => note("another kind of value"),
    }
}

#[test]
fn the_comparison_notices_what_differs() {
    let exchange = Exchange {
        request: "x".to_owned(),
        reply: Value::Null,
        optional: vec!["b".to_owned()],
        open: vec!["open".to_owned()],
    };
    let differs = |example: &str, reply: &str| {
        let [example, reply] = [example, reply].map(|text| serde_json::from_str(text).unwrap());
        let mut problems = Vec::new();
        compare("", &example, &reply, &exchange, &mut problems);
        problems.len()
    };
    let of = |fields: &str| format!("{{\"ok\":true,\"result\":{{{fields}}}}}");
    assert_eq!(differs(&of("\"a\":1"), &of("\"a\":2")), 0);
    assert_eq!(differs(&of("\"a\":1,\"b\":1"), &of("\"a\":null")), 0);
    assert_eq!(
        differs(&of("\"open\":{\"x\":1}"), &of("\"open\":{\"y\":1}")),
        0
    );
    assert_eq!(differs(&of("\"a\":1"), &of("\"a\":\"1\"")), 1);
    assert_eq!(differs(&of("\"a\":1"), &of("\"c\":1")), 2);
    assert_eq!(differs(&of("\"a\":[{\"c\":1}]"), &of("\"a\":[{}]")), 1);
    assert_eq!(differs(&of(""), "{\"ok\":false}"), 2);
}

//! Files that change while the server runs: zones, their folder, the configuration.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::client::{ask, query};
use tests::loopback;
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch, PATIENCE, Server};

/// REFUSED: the server has no such zone.
const REFUSED: u8 = 5;

#[test]
fn a_changed_file_is_served_soon_and_nobody_has_to_say_so() {
    let (server, address) = start(&[], "");
    assert_eq!(answer(address, "www.example"), (0, 80));
    server.rewrite("example", &example("192.0.2.81", 2));
    await_answer(address, "www.example", (0, 81));
    // As editors and tools do it: a new file takes the old one's name.
    let draft = server.folder().join("draft");
    fs::write(&draft, example("192.0.2.82", 3)).unwrap();
    fs::rename(&draft, server.folder().join("example.zone")).unwrap();
    await_answer(address, "www.example", (0, 82));
    let log = server.log();
    assert!(
        log.contains("new serial zone=example. from=2 serial=3"),
        "{log}"
    );
    server.stop();
}

#[test]
fn with_no_watch_a_changed_file_waits_until_somebody_asks() {
    let (server, address) = start(&["--no-watch"], "");
    server.rewrite("example", &example("192.0.2.81", 2));
    std::thread::park_timeout(Duration::from_secs(1));
    assert_eq!(answer(address, "www.example"), (0, 80));
    server.reload();
    assert_eq!(answer(address, "www.example"), (0, 81));
    server.stop();
}

#[test]
fn zones_of_a_folder_come_and_go_with_their_files() {
    let (server, address) = start(&[], "zones_dir = \"zones\"\n");
    let folder = server.folder().join("zones");
    assert_eq!(answer(address, "www.a.test").0, REFUSED);
    let zone = |last: &str| example(last, 1);
    write(&folder.join("a.test.zone"), &zone("192.0.2.1"));
    await_answer(address, "www.a.test", (0, 1));
    write(&folder.join("b.test.zone"), &zone("192.0.2.2"));
    await_answer(address, "www.b.test", (0, 2));
    fs::remove_file(folder.join("a.test.zone")).unwrap();
    await_answer(address, "www.a.test", (REFUSED, 0));
    assert_eq!(answer(address, "www.b.test"), (0, 2));
    assert_eq!(answer(address, "www.example"), (0, 80));

    fs::rename(&folder, server.folder().join("away")).unwrap();
    let told = server.reload_refused();
    assert!(told.contains("zones_dir: "), "{told}");
    assert_eq!(answer(address, "www.b.test"), (0, 2), "served as it was");
    fs::create_dir(&folder).unwrap();
    server.reload();
    assert_eq!(answer(address, "www.b.test").0, REFUSED);
    server.stop();
}

#[test]
fn a_changed_configuration_brings_zones_and_policy_and_a_wrong_one_changes_nothing() {
    let (mut server, address) = start(&[], "[chaos]\nversion = \"one\"\n");
    server.rewrite("other", &example("192.0.2.9", 1));
    let config = server.folder().join("ripples.toml");
    let text = fs::read_to_string(&config).unwrap();
    let more = "[[zone]]\norigin = \"other\"\nfile = \"other.zone\"\n";
    write(&config, &(text.clone() + more));
    await_answer(address, "www.other", (0, 9));

    write(&config, &format!("{text}wrong = 1\n{more}"));
    let told = server.reload_refused();
    assert!(told.contains("unknown field `wrong`"), "{told}");
    assert_eq!(answer(address, "www.other"), (0, 9));
    // What was refused before anybody asked, is so for whoever does.
    write(&config, &format!("{text}worse = 1\n{more}"));
    server.await_log("unknown field `worse`");
    let told = server.reload_refused();
    assert!(told.contains("unknown field `worse`"), "{told}");

    let text = text
        .replace("\"one\"", "\"two\"")
        .replace("[chaos]", "workers = 3\n[chaos]");
    write(&config, &text);
    await_answer(address, "www.other", (REFUSED, 0));
    let log = server.log();
    assert!(
        log.contains("workers has changed: it takes effect at the next start"),
        "{log}"
    );
    assert!(
        log.contains("answers are made by the changed configuration"),
        "{log}"
    );
    assert!(log.contains("zone removed zone=other."), "{log}");
    server.stop();
}

#[test]
fn one_zone_can_be_reloaded_by_its_name() {
    let (server, address) = start(&["--no-watch"], "");
    server.rewrite("example", &example("192.0.2.81", 2));
    let ended = server.ctl(&["reload", "Example."]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(answer(address, "www.example"), (0, 81));
    for (name, problem) in [
        ("nosuch", "there is no zone nosuch."),
        ("a..b", "\"a..b\" is no name"),
    ] {
        let ended = server.ctl(&["reload", name]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains(problem), "{}", ended.stderr);
    }
    server.stop();
}

#[test]
fn of_a_thousand_zones_the_changed_one_is_read() {
    let launch = Launch::run(&["--io", "socket", "--no-watch", "--zones-dir", "."]);
    let address = loopback::address();
    let launch = launch.with(&["--listen", &address.to_string()]);
    for number in 0..1000 {
        let file = format!("z{number}.test.zone");
        fs::write(launch.folder().join(file), example("192.0.2.1", 1)).unwrap();
    }
    let server = launch.start();
    server.rewrite("z500.test", &example("192.0.2.2", 2));
    let told = server.ctl(&["reload"]);
    let loaded = told.stdout.lines().find(|line| line.starts_with("loaded"));
    let loaded = loaded.and_then(|line| line.split_whitespace().last());
    assert_eq!(loaded, Some("1"), "{}", told.stdout);
    assert_eq!(answer(address, "www.z500.test"), (0, 2));
    assert_eq!(answer(address, "www.z501.test"), (0, 1));
    server.stop();
}

/// The example zone with another last address and serial.
fn example(address: &str, serial: u32) -> String {
    let text = EXAMPLE.replace("192.0.2.80", address);
    text.replace("hostmaster 1 ", &format!("hostmaster {serial} "))
}

/// A server with a configuration file, which has the zone `example` and `rest`.
fn start(words: &[&str], rest: &str) -> (Server, SocketAddr) {
    let address = loopback::address();
    let text = format!(
        "io = \"socket\"\nlisten = [\"{address}\"]\n{rest}\
         [[zone]]\norigin = \"example\"\nfile = \"example.zone\"\n"
    );
    let launch = Launch::run(&["--config", "ripples.toml"]).with(words);
    fs::create_dir(launch.folder().join("zones")).expect("a folder of one's own");
    let launch = launch
        .file("ripples.toml", &text)
        .file("example.zone", EXAMPLE);
    (launch.start(), address)
}

/// Writes a file in one step.
fn write(path: &Path, text: &str) {
    let draft = path.with_extension("draft");
    fs::write(&draft, text).expect("a folder of one's own");
    fs::rename(draft, path).expect("a folder of one's own");
}

/// The response code for a name's address, and the last byte of the reply, if there is one.
fn answer(address: SocketAddr, name: &str) -> (u8, u8) {
    let (reply, _) = ask(address, &query(name, rtype::A));
    let rcode = reply[3] & 15;
    (
        rcode,
        if rcode == 0 {
            reply[reply.len() - 1]
        } else {
            0
        },
    )
}

fn await_answer(address: SocketAddr, name: &str, wanted: (u8, u8)) {
    let deadline = Instant::now() + PATIENCE;
    while answer(address, name) != wanted {
        assert!(
            Instant::now() < deadline,
            "{name}: {:?}",
            answer(address, name)
        );
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

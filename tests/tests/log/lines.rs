//! What a line is, and which there are.

use crate::{launch, parse};
use serde_json::Value;
use std::fs;

#[test]
fn a_line_has_time_level_target_message_and_fields_and_ready_comes_behind_what_was_before() {
    let server = launch("", &[]).start();
    let said = server.stop();
    let (before, after) = said.split_once("ready\n").unwrap();
    let lines: Vec<_> = before.lines().map(parse).collect();
    let loaded = "ripples::server::resources zones loaded zones=1 records=";
    let is_loaded = |&(level, rest): &(&str, &str)| level == "INFO" && rest.starts_with(loaded);
    assert!(lines.iter().any(is_loaded), "{said}");
    let times = said.lines().filter_map(|line| line.split_once(' '));
    assert!(times.map(|(time, _)| time).is_sorted(), "{said}");
    let last = after.lines().map(parse).next_back();
    assert_eq!(last, Some(("INFO", "ripples::server draining")));
}

#[test]
fn json_is_an_object_a_line_and_numbers_are_numbers() {
    let arguments = ["--log-format", "json", "--log", "debug"];
    let server = launch("", &arguments).start();
    server.reload();
    let said = server.stop();
    let lines = said.lines().filter(|&line| line != "ready");
    let objects: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for object in &objects {
        let text = |name: &str| object[name].as_str().unwrap_or_else(|| panic!("{object}"));
        assert!(text("time").ends_with('Z') && !text("target").is_empty());
        assert!(!text("thread").is_empty() && object["message"].is_string());
    }
    let find = |message: &str| objects.iter().find(|object| object["message"] == message);
    let loaded = find("zone loaded").unwrap();
    assert_eq!(
        (&loaded["level"], &loaded["zone"]),
        (&"DEBUG".into(), &"example.".into())
    );
    assert!(
        loaded["records"].is_u64() && loaded["serial"].is_u64(),
        "{loaded}"
    );
    let reloaded = find("reloaded").unwrap();
    assert!(reloaded["seconds"].is_f64(), "{reloaded}");
    assert_ne!(reloaded["thread"], loaded["thread"]);
}

#[test]
fn levels_change_with_the_configuration_while_it_runs() {
    let server = launch("log = \"warn\"\n", &[]).start();
    assert!(!server.log().contains(" INFO "), "{}", server.log());
    let change = |toml: &str| {
        fs::write(server.folder().join("r.toml"), toml).unwrap();
        server.reload();
    };
    change("[log]\nfilter = \"warn,ripples::server::resources::zone=debug\"\n");
    server.rewrite(
        "example",
        &tests::server::EXAMPLE.replace("192.0.2.80", "192.0.2.81"),
    );
    server.reload();
    let said = server.log();
    assert!(
        said.contains(" INFO ripples::server::resources::zone zone changed"),
        "{said}"
    );
    assert!(!said.contains(" reloaded "), "{said}");
    change("log = \"off\"\n");
    let before = server.log();
    server.reload();
    assert_eq!(server.log(), before);
    // What is no filter changes nothing and is told.
    fs::write(server.folder().join("r.toml"), "log = \"=x=\"\n").unwrap();
    assert!(server.reload_refused().contains("\"=x=\" is no filter"));
    change("[log]\nfilter = \"info\"\nformat = \"json\"\n");
    let said = server.stop();
    let expected = "log (beside its filter) has changed: it takes effect at the next start";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains(" INFO ripples::server draining\n"), "{said}");
}

#[test]
fn what_was_logged_is_counted_by_level() {
    let server = launch("", &[]).start();
    let before = server.stats().total("log.messages.info");
    (0..3).for_each(|_| server.reload());
    let stats = server.stats();
    assert_eq!(stats.total("log.messages.info"), before + 3);
    for counter in [
        "dropped",
        "rate_limited",
        "write_errors",
        "open_errors",
        "rotations",
    ] {
        assert_eq!(stats.total(&format!("log.{counter}")), 0);
    }
    server.stop();
}

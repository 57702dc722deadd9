//! What `dist` has for Prometheus and Grafana, held against what a server tells.

use serde_json::Value;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::loopback;
use tests::python;
use tests::scrape::Scrape;
use tests::server::{EXAMPLE, Launch};

#[test]
fn alerts_ask_for_what_a_server_tells_and_say_what_to_do() {
    if !python::has("yaml") {
        return;
    }
    let program = "import sys, json, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))";
    let rules = python::run(program, &file("prometheus/ripples.rules.yml"));
    let rules: Value = serde_json::from_str(&rules).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().expect("rules");
    let scrape = scrape();
    let mut names = BTreeSet::new();
    for rule in rules {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert!(
            names.insert(text(&rule["alert"])),
            "{rule}: twice, or without a name"
        );
        assert!(text(&rule["alert"]).starts_with("Ripples"), "{rule}");
        let severity = text(&rule["labels"]["severity"]);
        assert!(["page", "ticket"].contains(&severity.as_str()), "{rule}");
        for annotation in ["summary", "description"] {
            assert!(!text(&rule["annotations"][annotation]).is_empty(), "{rule}");
        }
        let expression = text(&rule["expr"]);
        assert!(
            !metrics(&expression).is_empty() || expression.starts_with("up{"),
            "{rule}"
        );
        check(&expression, &scrape);
    }
    assert!(names.len() >= 10, "{names:?}");
}

#[test]
fn prometheus_itself_takes_the_alerts() {
    let rules = path("prometheus/ripples.rules.yml");
    let checked = Command::new("promtool")
        .args(["check", "rules", "--lint-fatal"])
        .arg(&rules)
        .output();
    match checked {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&said)
            );
        }
        Err(error) => {
            let promised = env::var("CI").is_ok_and(|value| value == "true");
            assert!(!promised, "CI=true promises promtool: {error}");
            eprintln!("not run: there is no promtool (`cargo xtask test` installs it)");
        }
    }
}

#[test]
fn the_dashboard_shows_what_a_server_tells_from_any_data_source() {
    let dashboard: Value = serde_json::from_str(&file("grafana/ripples.json")).unwrap();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let source = variables
        .iter()
        .find(|variable| variable["type"] == "datasource");
    assert_eq!(source.expect("a variable")["name"], "datasource");
    let scrape = scrape();
    let panels = dashboard["panels"].as_array().unwrap();
    let (mut ids, mut shown) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64()), "{panel}: twice");
        let source = &panel["datasource"]["uid"];
        assert!(
            panel["type"] == "row" || source == "${datasource}",
            "{panel}"
        );
        for target in panel["targets"].as_array().into_iter().flatten() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{target}");
            let expression = target["expr"].as_str().expect("an expression");
            let names = metrics(expression);
            assert!(!names.is_empty(), "{target}");
            check(expression, &scrape);
            shown.extend(names.into_iter().map(str::to_owned));
        }
    }
    for variable in variables {
        let query = variable["definition"].as_str().unwrap_or_default();
        check(query, &scrape);
    }
    assert!(shown.len() >= 30, "{shown:?}");
}

#[test]
fn every_family_that_a_server_tells_is_in_the_manual() {
    let manual = file("../docs/operation.md");
    let mut named: BTreeSet<&str> = metrics(&manual).into_iter().collect();
    // What they all begin with.
    named.remove("ripples_");
    let scrape = scrape();
    let missing: Vec<&str> = scrape
        .families()
        .filter(|family| !named.contains(family))
        .collect();
    assert!(missing.is_empty(), "docs/operation.md lacks {missing:?}");
    let unknown: Vec<&&str> = named
        .iter()
        .filter(|name| scrape.kind(name).is_none())
        .collect();
    assert!(unknown.is_empty(), "no server tells {unknown:?}");
}

/// A file of `dist`.
fn file(name: &str) -> String {
    fs::read_to_string(path(name)).expect("a file of the repository")
}

fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist");
    folder.join(name)
}

/// What a server tells.
fn scrape() -> Scrape {
    let [listen, http] = [loopback::address(), loopback::address()];
    let (at, told) = (listen.to_string(), http.to_string());
    let server = Launch::run(&["--io", "socket", "--listen", &at, "--http", &told])
        .with(&["--config", "r.toml"])
        .file("r.toml", "zone_metrics = 10\n")
        .zone("example", EXAMPLE)
        .start();
    let scrape = Scrape::of(http);
    server.stop();
    scrape
}

/// The metrics that an expression names.
fn metrics(expression: &str) -> Vec<&str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("ripples_")).collect()
}

/// Every metric, response code and reason in an expression is one that a server tells.
fn check(expression: &str, scrape: &Scrape) {
    for name in metrics(expression) {
        let of_a_histogram = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|suffix| name.strip_suffix(suffix))
            .any(|family| scrape.kind(family) == Some("histogram"));
        assert!(
            of_a_histogram || scrape.kind(name).is_some(),
            "{expression}: no {name}"
        );
        let kind = scrape.kind(name);
        assert_eq!(
            kind == Some("counter"),
            name.ends_with("_total"),
            "{name}: {kind:?}"
        );
    }
    for label in ["rcode", "reason"] {
        let told = scrape.values(label);
        for comparison in ["=\"", "=~\"", "!~\""] {
            let begin = format!("{label}{comparison}");
            let places = expression.split(&begin);
            for values in places.skip(1).filter_map(|rest| rest.split('"').next()) {
                for value in values.split('|') {
                    assert!(told.contains(&value), "{expression}: no {label} {value}");
                }
            }
        }
    }
}

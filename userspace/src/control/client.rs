//! `ripples ctl`: asks, and prints the answer.

use super::{Command, Mark, Request, Response};
use crate::config::{CtlArguments, CtlCommand, MarkArguments};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

/// Asks the server that the arguments name, and prints what it says.
pub fn run(arguments: &CtlArguments) -> Result<()> {
    let (command, json) = match arguments.command.clone() {
        CtlCommand::Status { json } => (Command::Status, json),
        CtlCommand::Stats { json } => (Command::Stats, json),
        CtlCommand::Reload { zone } => (Command::Reload { zone }, false),
        CtlCommand::Zones { zone, json } => (Command::Zones { zone }, json),
        CtlCommand::Down(arguments) => (mark(arguments, Mark::Down), false),
        CtlCommand::Up(arguments) => (mark(arguments, Mark::Up), false),
        CtlCommand::Auto { what } => {
            let seconds = None;
            (mark(MarkArguments { what, seconds }, Mark::Auto), false)
        }
        CtlCommand::Health { json } => (Command::Health, json),
        CtlCommand::Upgrade => (Command::Upgrade, false),
        CtlCommand::Stop => (Command::Stop, false),
    };
    let path = arguments.control.display();
    let stream = UnixStream::connect(&arguments.control)
        .with_context(|| format!("no server answers at {path}; its socket is --control PATH"))?;
    let show = match command {
        Command::Zones { .. } => zones,
        Command::Health => health,
        _ => |text: &mut String, result: &Value| table(text, "", result),
    };
    let response = ask(&stream, command).with_context(|| format!("the server at {path}"))?;
    if !response.ok {
        bail!(
            "{}",
            response
                .error
                .unwrap_or_else(|| "refused without a reason".to_owned())
        );
    }
    let mut text = String::new();
    if json {
        text = serde_json::to_string(&response.result)? + "\n";
    } else {
        show(&mut text, &response.result);
    }
    io::stdout()
        .write_all(text.as_bytes())
        .context("standard output")
}

fn mark(arguments: MarkArguments, mark: Mark) -> Command {
    Command::Mark {
        target: arguments.what,
        mark,
        seconds: arguments.seconds,
    }
}

fn ask(mut stream: &UnixStream, command: Command) -> Result<Response> {
    let mut line = serde_json::to_vec(&Request::new(command))?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reply = String::new();
    BufReader::new(stream).read_line(&mut reply)?;
    serde_json::from_str(&reply).context("the reply is not understood")
}

/// One line per value, nested names joined by dots.
fn table(text: &mut String, name: &str, value: &Value) {
    let nested = |key: &str| {
        if name.is_empty() {
            key.to_owned()
        } else {
            format!("{name}.{key}")
        }
    };
    match value {
        Value::Object(fields) => {
            // A histogram's ranges are for programs; people have the shares beside them.
            let told = fields.iter().filter(|(key, _)| *key != "ranges");
            told.for_each(|(key, value)| table(text, &nested(key), value));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(at, item)| table(text, &nested(&at.to_string()), item));
        }
        Value::Null => {}
        Value::String(plain) => *text += &format!("{name:<40} {plain}\n"),
        other => *text += &format!("{name:<40} {other}\n"),
    }
}

/// A value in a column.
fn shown(value: &Value) -> String {
    match value {
        Value::String(plain) => plain.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

/// One line per address and variant, and below it what its checks say.
fn health(text: &mut String, result: &Value) {
    let targets = result["targets"].as_array().map_or(&[][..], Vec::as_slice);
    let widest = targets.iter().map(|target| shown(&target["target"]).len());
    let width = widest.max().unwrap_or_default();
    for target in targets {
        let [what, state, seconds, why] =
            ["target", "state", "seconds", "why"].map(|column| shown(&target[column]));
        *text += &format!("{what:<width$} {state:<4} {seconds:>8} s  {why}\n");
        let checks = target["checks"].as_array().map_or(&[][..], Vec::as_slice);
        for check in checks {
            let [name, state, last, in_a_row, ago] =
                ["check", "state", "last", "in_a_row", "last_seconds_ago"]
                    .map(|column| shown(&check[column]));
            *text +=
                &format!("  check {name}: {state}; {last} ({in_a_row} in a row, {ago} s ago)\n");
        }
    }
}

/// One line per zone, and below it what is wrong.
fn zones(text: &mut String, result: &Value) {
    let columns = |zone: &Value| {
        ["origin", "serial", "records", "state", "file"].map(|column| shown(&zone[column]))
    };
    let zones = result["zones"].as_array().map_or(&[][..], Vec::as_slice);
    let widest = zones.iter().map(|zone| columns(zone)[0].len()).max();
    let width = widest.unwrap_or_default();
    for zone in zones {
        let [origin, serial, records, state, file] = columns(zone);
        *text += &format!("{origin:<width$} {serial:>10} {records:>10} {state:<16} {file}\n");
        for problem in zone["problems"].as_array().into_iter().flatten() {
            *text += &format!("  {}\n", shown(problem));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_a_line_and_its_problems_have_their_own() {
        let mut text = String::new();
        let good = serde_json::json!({
            "origin": "a.", "serial": 7, "records": 3, "state": "served", "file": "a.zone",
            "problems": [],
        });
        let bad = serde_json::json!({
            "origin": "long.", "serial": null, "state": "not served", "file": "l",
            "problems": ["l:1:1: no"],
        });
        zones(&mut text, &serde_json::json!({ "zones": [good, bad] }));
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0], ["a.", "7", "3", "served", "a.zone"]);
        assert_eq!(lines[1], ["long.", "-", "-", "not", "served", "l"]);
        assert_eq!(lines[2], ["l:1:1:", "no"]);
    }

    #[test]
    fn an_address_has_a_line_and_its_checks_have_their_own() {
        let mut text = String::new();
        let check = serde_json::json!({
            "check": "web", "state": "down", "last": "refused", "in_a_row": 3,
            "last_seconds_ago": 1,
        });
        let target = serde_json::json!({
            "target": "192.0.2.1", "state": "up", "seconds": 9, "why": "marked by ctl",
            "checks": [check],
        });
        health(&mut text, &serde_json::json!({ "targets": [target] }));
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert_eq!(
            lines,
            [
                "192.0.2.1 up          9 s  marked by ctl",
                "check web: down; refused (3 in a row, 1 s ago)"
            ]
        );
    }

    #[test]
    fn a_table_has_a_line_per_value() {
        let mut text = String::new();
        let value = serde_json::json!({"a": {"b": 1, "c": ["x", 2]}, "d": null, "ranges": [1]});
        table(&mut text, "", &value);
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        assert_eq!(lines, [["a.b", "1"], ["a.c.0", "x"], ["a.c.1", "2"]]);
    }
}

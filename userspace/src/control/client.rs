//! `ripples ctl`: asks, and prints the answer.

use super::{Command, Request, Response};
use crate::config::{CtlArguments, CtlCommand};
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
        CtlCommand::Upgrade => (Command::Upgrade, false),
        CtlCommand::Stop => (Command::Stop, false),
    };
    let path = arguments.control.display();
    let stream = UnixStream::connect(&arguments.control)
        .with_context(|| format!("no server answers at {path}; its socket is --control PATH"))?;
    let is_zones = matches!(command, Command::Zones { .. });
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
    } else if is_zones {
        zones(&mut text, &response.result);
    } else {
        table(&mut text, "", &response.result);
    }
    io::stdout()
        .write_all(text.as_bytes())
        .context("standard output")
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
        Value::Object(fields) => fields.iter().for_each(|(k, v)| table(text, &nested(k), v)),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(at, item)| table(text, &nested(&at.to_string()), item));
        }
        Value::Null => {}
        Value::String(plain) => *text += &format!("{name:<40} {plain}\n"),
        other => *text += &format!("{name:<40} {other}\n"),
    }
}

/// One line per zone, and below it what is wrong.
fn zones(text: &mut String, result: &Value) {
    let shown = |value: &Value| match value {
        Value::String(plain) => plain.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
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
    fn a_table_has_a_line_per_value() {
        let mut text = String::new();
        let value = serde_json::json!({"a": {"b": 1, "c": ["x", 2]}, "d": null});
        table(&mut text, "", &value);
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        assert_eq!(lines, [["a.b", "1"], ["a.c.0", "x"], ["a.c.1", "2"]]);
    }
}

//! `ripples ctl tail`: queries as they are answered, a line each.

use super::stream::{self, End};
use super::table::shown;
use super::{Connection, Failure};
use crate::config::{FilterArguments, TailArguments};
use crate::control::TailRequest;
use jiff::Timestamp;
use serde_json::Value;

/// What is asked.
pub(super) fn request(arguments: &FilterArguments) -> TailRequest {
    TailRequest {
        filter: arguments.text(),
        sample: arguments.sample,
    }
}

/// Prints what comes.
pub(super) fn follow(
    connection: Connection,
    arguments: &TailArguments,
    json: bool,
) -> Result<(), Failure> {
    let mut left = arguments.count;
    let end = stream::follow(connection, |line| {
        if let (Some(left), Some(_)) = (&mut left, line.value.get("entry")) {
            *left -= 1;
        }
        let text = match json {
            true => line.text.to_owned(),
            false => text(line.value),
        };
        (text, left != Some(0))
    })?;
    match (end, left) {
        (End::Server, Some(_)) => Err(stream::too_early()),
        _ => Ok(()),
    }
}

/// A line for people: time, client, transport, name, type, response code, bytes, time it took.
fn text(line: &Value) -> String {
    let Some(entry) = line.get("entry") else {
        return lost(line).unwrap_or_default();
    };
    let (request, response) = (&entry["request"], &entry["response"]);
    let [received, sent] = ["received", "sent"].map(|key| time(&entry[key]));
    let took_us = received.zip(sent).map_or(0, |(received, sent)| {
        sent.duration_since(received).as_micros()
    });
    let clock = received.map_or_else(String::new, |time| time.strftime("%T%.6f").to_string());
    format!(
        "{clock}  {:<15}  {}  {:<24} {:<6} {:<8} {:>5} B {took_us:>5} µs\n",
        shown(&entry["client"]["address"]),
        shown(&entry["transport"]),
        shown(&request["name"]),
        shown(&request["type"]),
        shown(&response["rcode"]),
        shown(&response["bytes"]),
    )
}

/// What is said of messages that were lost.
pub(super) fn lost(line: &Value) -> Option<String> {
    Some(format!("… {} lost\n", line.get("lost")?))
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_is_a_line() {
        let entry = json!({
            "received": "2026-11-23T12:22:42.254111000Z",
            "sent": "2026-11-23T12:22:42.254145000Z",
            "transport": "udp",
            "client": { "address": "192.0.2.7", "port": 5353 },
            "request": { "name": "www.example.", "type": "AAAA" },
            "response": { "rcode": "NXDOMAIN", "bytes": 92 },
        });
        let line = text(&json!({ "entry": entry }));
        let words: Vec<&str> = line.split_whitespace().collect();
        let expected = "12:22:42.254111 192.0.2.7 udp www.example. AAAA NXDOMAIN 92 B 34 µs";
        assert_eq!(words.join(" "), expected);
        assert_eq!(text(&json!({ "lost": 123 })), "… 123 lost\n");
    }
}

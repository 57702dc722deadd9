//! `ripples ctl top`: what is most frequent, again and again.

use super::stream::{self, End};
use super::table::{items, shown};
use super::{Connection, Failure, tail};
use crate::config::TopArguments;
use crate::control::TopRequest;
use crate::querylog::By;
use serde_json::Value;
use std::io::{self, IsTerminal};

/// Clears a terminal, and writes from its first line on.
const CLEAR: &str = "\x1b[H\x1b[2J";
/// The lists that stand beside each other.
const ROWS: [&[By]; 2] = [
    &[By::Names, By::Clients],
    &[By::Types, By::Rcodes, By::Countries],
];

/// What is asked.
pub(super) fn request(arguments: &TopArguments) -> TopRequest {
    TopRequest {
        tail: tail::request(&arguments.filter),
        by: arguments.lists(),
        length: arguments.len.into(),
        every_ms: u64::try_from(arguments.every.as_millis()).unwrap_or(u64::MAX),
        total: arguments.total,
    }
}

/// Prints what comes; on a terminal over what came before.
pub(super) fn follow(
    connection: Connection,
    arguments: &TopArguments,
    json: bool,
) -> Result<(), Failure> {
    let clear = match io::stdout().is_terminal() && !arguments.once {
        true => CLEAR,
        false => "",
    };
    let end = stream::follow(connection, |line| {
        let top = line.value.get("top");
        let text = match (json, top) {
            (true, _) => line.text.to_owned(),
            (false, Some(top)) => format!("{clear}{}\n", text(top)),
            (false, None) => tail::lost(line.value).unwrap_or_default(),
        };
        (text, !(arguments.once && top.is_some()))
    })?;
    match (end, arguments.once) {
        (End::Server, true) => Err(stream::too_early()),
        _ => Ok(()),
    }
}

/// A heading, and the lists.
fn text(top: &Value) -> String {
    let queries = top["queries"].as_u64().unwrap_or_default();
    let seconds = top["seconds"].as_f64().unwrap_or_default();
    let rate = queries as f64 / seconds.max(0.001);
    let mut text = format!("{queries} queries in {seconds:.1} s, {rate:.0}/s\n");
    for row in ROWS {
        let lists = row.iter().filter_map(|by| list(top, *by));
        text += &beside(&lists.collect::<Vec<_>>());
    }
    text
}

/// The lines of a list, with its heading; none: it was not asked for.
fn list(top: &Value, by: By) -> Option<Vec<String>> {
    let rows = items(top.get(by.label())?);
    let cells = |row: &Value| {
        let error = row["error"].as_u64().filter(|&error| error != 0);
        // By so much the count may be too high.
        let error = error.map_or_else(String::new, |error| format!(" -{error}"));
        (format!("{}{error}", row["count"]), shown(&row["key"]))
    };
    let rows: Vec<(String, String)> = rows.iter().map(cells).collect();
    let widest = rows.iter().map(|(count, _)| count.len()).max();
    let width = widest.unwrap_or_default().max("COUNT".len());
    let heading = ("COUNT".to_owned(), by.label().to_uppercase());
    let rows = [heading].into_iter().chain(rows);
    let lines = rows.map(|(count, key)| format!("{count:>width$}  {key}"));
    Some(lines.collect())
}

/// Lists beside each other, an empty line before them.
fn beside(lists: &[Vec<String>]) -> String {
    let height = lists.iter().map(Vec::len).max().unwrap_or_default();
    let width = |list: &Vec<String>| list.iter().map(String::len).max().unwrap_or_default();
    let mut text = String::new();
    for at in 0..height {
        let cells = lists.iter().map(|list| {
            let (cell, width) = (list.get(at).map_or("", String::as_str), width(list));
            format!("{cell:<width$}")
        });
        let line = cells.collect::<Vec<_>>().join("   ");
        text += if at == 0 { "\n" } else { "" };
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_stand_beside_each_other() {
        let top = json!({
            "seconds": 2.0, "queries": 40,
            "names": [
                { "key": "www.example.", "count": 30, "error": 0 },
                { "key": "a.", "count": 9, "error": 2 },
            ],
            "clients": [{ "key": "192.0.2.7", "count": 40, "error": 0 }],
            "types": [{ "key": "AAAA", "count": 40, "error": 0 }],
        });
        let expected = "40 queries in 2.0 s, 20/s\n\
                        \n\
                        COUNT  NAMES          COUNT  CLIENTS\n   \
                           30  www.example.      40  192.0.2.7\n \
                         9 -2  a.\n\
                        \n\
                        COUNT  TYPES\n   \
                           40  AAAA\n";
        assert_eq!(text(&top), expected);
    }
}

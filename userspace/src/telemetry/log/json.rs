//! A record as a JSON object in a line.

use super::record::{Kind, Record};
use std::io::Write;

/// Names that every object has. A field of such a name gets an underscore behind it.
const OWN: [&str; 5] = ["time", "level", "target", "thread", "message"];

/// Appends the line and its end.
pub(super) fn write(line: &mut Vec<u8>, record: &Record<'_>, thread: &str) {
    let (time, level) = (record.time, record.level);
    // Writing to memory does not fail.
    let _ = write!(line, r#"{{"time":"{time}","level":"{level}","target":"#);
    string(line, record.target);
    line.extend(br#","thread":"#);
    string(line, thread);
    line.extend(br#","message":"#);
    string(line, record.message());
    for (name, kind, value) in record.fields() {
        line.push(b',');
        match OWN.contains(&name) {
            true => string(line, &format!("{name}_")),
            false => string(line, name),
        }
        line.push(b':');
        match kind {
            Kind::Text => string(line, value),
            Kind::Literal => line.extend(value.as_bytes()),
        }
    }
    line.extend(b"}\n");
}

fn string(line: &mut Vec<u8>, text: &str) {
    // Neither memory nor text makes this fail.
    let _ = serde_json::to_writer(line, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::log::record::tests::record;
    use serde_json::{Value, json};

    #[test]
    fn numbers_stay_numbers_and_all_else_is_text() {
        let fields = [
            ("serial", Kind::Literal, "7"),
            ("seconds", Kind::Literal, "1e-7"),
            ("open", Kind::Literal, "true"),
            ("error", Kind::Text, "line 1\nline \"2\"\u{1b}"),
            ("thread", Kind::Text, "sibling/0"),
        ];
        let record = record("ripples", "a \"message\"\n", &fields);
        let mut line = Vec::new();
        write(&mut line, &Record::decode(&record).unwrap(), "main");
        assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
        let value: Value = serde_json::from_slice(&line).unwrap();
        let expected = json!({
            "time": "2000-02-29T00:00:00.254111903Z",
            "level": "WARN",
            "target": "ripples",
            "thread": "main",
            "message": "a \"message\"\n",
            "serial": 7,
            "seconds": 1e-7,
            "open": true,
            "error": "line 1\nline \"2\"\u{1b}",
            "thread_": "sibling/0",
        });
        assert_eq!(value, expected);
    }
}

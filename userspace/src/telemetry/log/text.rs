//! A record as a line to read: `<RFC 3339> LEVEL target message key=value`.

use super::record::{Kind, Record};
use std::io::Write;

/// Appends the line and its end. Whatever is in the record, it is one line.
pub(super) fn write(line: &mut Vec<u8>, record: &Record<'_>) {
    let (time, level, target) = (record.time, record.level, record.target);
    // Writing to memory does not fail.
    let _ = write!(line, "{time} {level} {target} ");
    write_message(line, record, escape);
    line.push(b'\n');
}

/// Appends the message and the fields behind it, without the line's end; `escape` appends the
/// message's text.
pub(super) fn write_message(
    line: &mut Vec<u8>,
    record: &Record<'_>,
    escape: impl Fn(&mut Vec<u8>, &str),
) {
    escape(line, record.message());
    let mut has_words = !record.message().is_empty();
    for (name, kind, value) in record.fields() {
        if has_words {
            line.push(b' ');
        }
        has_words = true;
        line.extend(name.as_bytes());
        line.push(b'=');
        if kind == Kind::Text && needs_quotes(value) {
            quote(line, value);
        } else {
            line.extend(value.as_bytes());
        }
    }
}

/// Appends text in which line ends and other control characters are spelled out.
pub(super) fn escape(line: &mut Vec<u8>, text: &str) {
    if !text.chars().any(char::is_control) {
        return line.extend(text.as_bytes());
    }
    for c in text.chars() {
        push(line, c, c.is_control());
    }
}

fn needs_quotes(value: &str) -> bool {
    let special = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '=' | '\\');
    value.is_empty() || value.contains(special)
}

fn quote(line: &mut Vec<u8>, value: &str) {
    line.push(b'"');
    for c in value.chars() {
        push(line, c, c.is_control() || matches!(c, '"' | '\\'));
    }
    line.push(b'"');
}

fn push(line: &mut Vec<u8>, c: char, is_escaped: bool) {
    if is_escaped {
        // Writing to memory does not fail.
        let _ = write!(line, "{}", c.escape_default());
    } else {
        line.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::log::record::tests::record;

    fn line(message: &str, fields: &[(&str, Kind, &str)]) -> String {
        let mut line = Vec::new();
        let record = record("ripples::server", message, fields);
        write(&mut line, &Record::decode(&record).unwrap());
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_line_has_time_level_target_message_and_fields() {
        let fields = [
            ("zone", Kind::Text, "example."),
            ("serial", Kind::Literal, "7"),
        ];
        assert_eq!(
            line("new serial", &fields),
            "2000-02-29T00:00:00.254111903Z WARN ripples::server new serial zone=example. \
             serial=7\n"
        );
        assert!(line("", &fields).contains("ripples::server zone=example. "));
    }

    #[test]
    fn values_with_spaces_or_quotes_are_quoted() {
        let fields = [
            ("error", Kind::Text, "no \"such\" file"),
            ("path", Kind::Text, "a\\b"),
            ("none", Kind::Text, ""),
            ("name", Kind::Text, "größe"),
        ];
        let expected = r#"m error="no \"such\" file" path="a\\b" none="" name=größe"#;
        assert!(line("m", &fields).ends_with(&format!("{expected}\n")));
    }

    #[test]
    fn nothing_in_a_message_makes_a_second_line_or_moves_the_cursor() {
        let said = line("a\nb\u{1b}[2J\r", &[("x", Kind::Text, "1\n2")]);
        assert!(said.ends_with("a\\nb\\u{1b}[2J\\r x=\"1\\n2\"\n"), "{said}");
        assert_eq!(said.lines().count(), 1);
    }
}

//! What was measured, as lines of JSON: each says what, where and how much.

use serde_json::{Map, Value, json};

/// A line: keys that say what was measured, and values.
#[derive(Clone, Debug)]
pub struct Point(Map<String, Value>);

/// More than this of an AF_XDP server's answers by sockets is no AF_XDP.
const BY_SOCKETS_MAX: f64 = 0.01;

/// What tells lines apart that are not of the same thing.
const KEYS: [&str; 6] = ["world", "napi", "case", "mix", "offered", "server"];
/// More of it, which only `bench tcp` has.
const TCP_KEYS: [&str; 5] = ["part", "load", "connections", "pipelined", "path"];

impl Point {
    /// Without values yet.
    pub fn new(bench: &str, keys: &[(&str, &str)]) -> Self {
        let mut map = Map::new();
        map.insert("bench".to_owned(), bench.into());
        let keys = keys
            .iter()
            .map(|&(key, value)| (key.to_owned(), value.into()));
        map.extend(keys);
        Self(map)
    }

    /// Reads a line; none where it says something about the run, or is another benchmark's.
    pub fn read(bench: &str, line: &str) -> Option<Self> {
        match serde_json::from_str(line) {
            Ok(Value::Object(map)) if map.get("bench") == Some(&json!(bench)) => Some(Self(map)),
            _ => None,
        }
    }

    /// With one more value. Numbers are cut to what is measured indeed.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        let value = match value.into() {
            Value::Number(number) if number.is_f64() => {
                let number = number.as_f64().unwrap_or_default();
                json!((number * 1e5).round() / 1e5)
            }
            value => value,
        };
        self.0.insert(key.to_owned(), value);
        self
    }

    /// A value that is a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }

    /// A value that is a count.
    pub fn count(&self, key: &str) -> Option<u64> {
        self.0.get(key)?.as_u64()
    }

    /// A value that is a text; empty where there is none.
    pub fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether both are measurements of the same thing.
    pub fn is_like(&self, other: &Self) -> bool {
        let mut keys = KEYS.iter().chain(&TCP_KEYS);
        keys.all(|&key| self.0.get(key) == other.0.get(key))
    }

    /// What keeps it from counting: not by AF_XDP where that was the way, wrong answers, failure.
    pub fn flaws(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        let by_sockets = self.number("by_sockets").unwrap_or_default();
        let has_program = self.0.get("has_program") != Some(&Value::Bool(false));
        if self.text("way") == "xdp" && (!has_program || by_sockets > BY_SOCKETS_MAX) {
            flaws.push("NOT BY AF_XDP".to_owned());
        }
        if let Some(wrong) = self.number("wrong").filter(|&wrong| wrong > 0.0) {
            flaws.push(format!("{wrong:.0} WRONG"));
        }
        if let Some(closed) = self.number("closed").filter(|&closed| closed > 0.0) {
            flaws.push(format!("{closed:.0} CLOSED"));
        }
        if self.count("answers") == Some(0) {
            flaws.push("NO ANSWERS".to_owned());
        }
        if !self.text("error").is_empty() {
            flaws.push("FAILED".to_owned());
        }
        flaws
    }

    /// The line.
    pub fn line(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let point = Point::new("wire", &[("server", "nsd"), ("case", "kxdpgun")]);
        let point = point.with("offered", 1000).with("loss", 0.123_456_7);
        let read = Point::read("wire", &point.line()).unwrap();
        assert_eq!(read.number("loss"), Some(0.12346));
        assert!(read.is_like(&point) && read.text("server") == "nsd");
        assert!(!read.is_like(&point.clone().with("offered", 2000)));
        assert!(!read.is_like(&point.with("connections", 100)));
        assert!(Point::read("wire", r#"{"note":"noisy"}"#).is_none());
        assert!(
            Point::read("tcp", &read.line()).is_none(),
            "another benchmark's"
        );
    }

    #[test]
    fn a_fallback_and_wrong_answers_are_named() {
        let xdp = Point::new("wire", &[("server", "knot-xdp"), ("way", "xdp")]);
        let sockets = Point::new("wire", &[("server", "knot"), ("way", "sockets")]);
        let none: [&str; 0] = [];
        assert_eq!(xdp.clone().with("by_sockets", 0.001).flaws(), none);
        assert_eq!(
            xdp.clone().with("by_sockets", 0.9).flaws(),
            ["NOT BY AF_XDP"]
        );
        assert_eq!(
            xdp.clone().with("has_program", false).flaws(),
            ["NOT BY AF_XDP"]
        );
        assert_eq!(xdp.with("has_program", true).flaws(), none);
        let sockets = sockets.with("by_sockets", 1.0).with("has_program", false);
        assert_eq!(sockets.clone().with("wrong", 3).flaws(), ["3 WRONG"]);
        assert_eq!(sockets.clone().with("closed", 2).flaws(), ["2 CLOSED"]);
        assert_eq!(sockets.with("answers", 0).flaws(), ["NO ANSWERS"]);
    }
}
